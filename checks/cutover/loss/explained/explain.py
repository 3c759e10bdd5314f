"""Every loss explains itself: the first of each kind in a loss run, cut down to the steps that matter, as a trace.

The losing migration is run again, recorded. One of mixed or seed-like traffic is cut down to its document
(`minimize.py`); a run near the boundary is small already, and loses steps until none can go.
"""

from __future__ import annotations

from pathlib import Path as File

from cutproof.checks.cutover.loss.explained.event_log import EventLog
from cutproof.checks.cutover.loss.explained.minimize import PROPERTY, NotCut, halving, minimized
from cutproof.checks.cutover.loss.runs import Run
from cutproof.checks.cutover.loss.sample import Setup
from cutproof.checks.cutover.reference.lockstep import LockStep, specification
from cutproof.checks.traces.trace import Trace, TraceError, write
from cutproof.model.cutover.policy import resolve, sound_gate
from cutproof.model.cutover.safeguards import SAFEGUARDS, Harm

Names = tuple[str, ...]


def explain(run: Run, folder: File) -> dict[str, str]:
    """The first loss of each kind as a trace in the folder: by kind, its file, or why there is none.

    What is there already is not overwritten."""
    said = {}
    for kind, (number, key) in run.counts.first.items():
        file = folder / f"loss-{kind.lower()}-{run.setup.digest()}.itf.json"
        try:
            write(trace_of(run.setup, number, key, kind), file)
            said[kind] = str(file)
        except NotCut as error:
            said[kind] = f"no trace: {error}{_meaning(run.setup)}"
        except TraceError as error:
            said[kind] = f"no trace: {error}"
        except OSError as error:
            said[kind] = f"no trace: {file}: {error.strerror or error}"
    return said


def _meaning(setup: Setup) -> str:
    if setup.without or sound_gate(setup.policy) is not None:
        return ""
    return "; under this policy the specification loses nothing: the implementation departs from it, please report it"


def trace_of(setup: Setup, number: int, key: str, kind: str) -> Trace:
    """The loss of one document in one migration. Raises NotCut where it can't be cut down."""
    if setup.traffic == "boundary":
        return _of_walk(setup, number, kind)
    from cutproof.checks.cutover.loss.traffic import Traffic

    traffic = Traffic(setup, number)
    log = EventLog(traffic.cluster)
    traffic.run()
    return minimized(log.of(key), setup.policy, setup.without, kind)


def _of_walk(setup: Setup, number: int, kind: str) -> Trace:
    from cutproof.checks.cutover.loss.boundary import Walk, scope_of_runs

    walk = Walk(setup, number, record=True)
    walk.run()
    scope = scope_of_runs(setup)
    walked = specification(scope, resolve(setup.policy, setup.without))

    def harmed(names: Names) -> Names | None:
        """What of these steps can be taken, up to where it is lost; None if it is not."""
        state, taken = walked.protocol.initial, []
        for name in names:
            after = walked.successors(state)
            if name not in after:
                continue
            state = after[name]
            taken.append(name)
            if any((c.property, c.harm) == (PROPERTY, kind) for c in walked.violated(state)):
                return tuple(taken)
        return None

    names = harmed(tuple(map(str, walk.steps)))
    if names is None:
        raise NotCut("the specification does not lose it by these steps")
    while (fewer := halving(names, harmed)) != names:
        names = fewer
    pair = LockStep(scope, setup.policy, setup.without)
    for name in names:
        pair.take(name)
    why = SAFEGUARDS[setup.without[-1]].without if len(setup.without) == 1 else ""
    said = why or f"Near the boundary, in so few steps: {Harm[kind].value}."
    return pair.trace(said, property=PROPERTY, harm=kind, form="always")
