"""The instrument from Python: the same as the commands, on a protocol that is at hand.

    from cutproof.checks import api

    found = api.explore(protocol)                    # or api.load("lease.py", nodes=3), or api.load("barrier")
    for verdict in found.verdicts:
        print(verdict)
    broken = [v for v in found.verdicts if isinstance(v, api.Violated) and v.path]
    print(*broken[0].story(), sep="\\n")              # each step, and what it changed
    broken[0].save("broken.itf.json")                # `cutproof replay broken.itf.json --model lease.py`
    print(api.replay("broken.itf.json", protocol).reproduced)

Nothing is printed here. What a user gave and cannot be used raises `api.Wrong`, with a message of one line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cutproof.checks.common.refusals import Wrong, refuse
from cutproof.checks.engines.choose import explore_any
from cutproof.checks.engines.exploration import Exploration, Limits
from cutproof.checks.engines.verdict import Holds, Unknown, Verdict, Violated, exit_code, line
from cutproof.checks.protocols.load import Loaded
from cutproof.checks.protocols.load import load as _load
from cutproof.checks.protocols.registry import of_trace
from cutproof.checks.traces.trace import Trace, TraceError
from cutproof.checks.traces.trace import read as _read
from cutproof.model.language.protocol import Protocol

if TYPE_CHECKING:  # what takes a while to import is imported where it is used
    from cutproof.checks.drivers.driving.outcome import Driving
    from cutproof.checks.engines.proof.judge import Judged
    from cutproof.checks.engines.simulate.simulate import Simulation
    from cutproof.checks.traces.replay import Replay

__all__ = [
    "Exploration", "Holds", "Loaded", "Trace", "TraceError", "Unknown", "Verdict", "Violated", "Wrong",
    "drive", "exit_code", "explore", "export", "line", "load", "prove", "replay", "simulate",
]  # fmt: skip


def load(text: str, **parameters: object) -> Loaded:
    """A protocol by its file (`FILE.py[:NAME]`) or by the name of a bundled one, with its parameters. Everything here
    takes the result in place of a protocol; its traces then carry the parameters. Raises Wrong.

    barrier = api.load("barrier", processes=3)
    print(len(api.explore(barrier).states), barrier.protocol.name)
    """
    return _load(text, parameters)


def explore(
    protocol: Protocol | Loaded,
    *,
    properties: Iterable[str] | None = None,
    engine: str = "",
    states: int | None = None,
    seconds: float | None = None,
    workers: int | None = None,
) -> Exploration:
    """Every interleaving, and a verdict for each property (or for those that are named). `engine` is chosen by size
    unless it is named; `states` and `seconds` are limits: what is then not known is said to be unknown. Raises
    ValueError for a property that is not claimed.

    found = api.explore(protocol, properties=["consistent"])
    for verdict in found.verdicts:
        print(api.line(verdict))
    raise SystemExit(api.exit_code(found.verdicts))
    """
    found, _ = explore_any(
        _protocol(protocol),
        engine=engine,
        limits=Limits(states, seconds),
        properties=None if properties is None else list(properties),
        workers=workers,
    )
    found.verdicts = _with_settings(found.verdicts, protocol)
    return found


def simulate(
    protocol: Protocol | Loaded,
    *,
    runs: int | None = None,
    steps: int = 100,
    seconds: float | None = None,
    seed: int = 0,
    mode: str = "",
    properties: Iterable[str] | None = None,
    stop_at_first: bool = True,
    workers: int = 1,
) -> Simulation:
    """Random runs of a protocol that is too large to explore: `runs` of them (10,000 where `seconds` are not given
    either), each of at most so many `steps`, until the first violation or beyond. Run n of a seed is always the same.
    More than one of `workers` are processes: a script needs its `if __name__ == "__main__"` then. Raises ValueError
    for a mode or a property that is not there.

    found = api.simulate(protocol, runs=2_000, seed=7)
    if found.found:  # a violation, by a run made short
        print(*found.found.story(), sep="\\n")
    print(found.coverage.runs, found.coverage.seen.distinct, found.never_enabled, found.exit_code)
    """
    from cutproof.checks.engines.simulate.schedulers import DEFAULT
    from cutproof.checks.engines.simulate.simulate import simulate as make_runs

    found = make_runs(
        _protocol(protocol), runs=runs, steps=steps, seconds=seconds, seed=seed, mode=mode or DEFAULT,
        properties=None if properties is None else list(properties), stop_at_first=stop_at_first, workers=workers,
    )  # fmt: skip
    settings = {**(protocol.settings if isinstance(protocol, Loaded) else {}), "seed": seed}
    found.violations = [replace(violated, settings=settings) for violated in found.violations]
    return found


def drive(
    protocol: Protocol | Loaded,
    driver: Callable[[], Any],
    *,
    refusals: bool = False,
    runs: int | None = None,
    steps: int = 100,
    states: int = 20_000,
    seconds: float | None = None,
    seed: int = 0,
) -> Driving:
    """Take a program through runs of a protocol that take every edge of its graph, or through `runs` drawn ones, and
    compare them after each step; `refusals`: what the protocol forbids is tried too. `driver` has a method for each
    action and `state()`: see docs/guides/drive.md. Raises ValueError for one that cannot drive this.

    class Driver:
        def __init__(self):
            self.managers = {}

        def prepare(self, rm):
            self.managers[rm] = "PREPARED"

        def state(self):
            return {"rm": self.managers}

    found = api.drive(protocol, Driver)
    print(found.outcome, found.covered, found.edges, found.undriven.keys())
    """
    from cutproof.checks.drivers.driving.drive import drive as make_runs

    return make_runs(
        _protocol(protocol),
        driver,
        refusals=refusals,
        runs=runs,
        steps=steps,
        states=states,
        seconds=seconds,
        seed=seed,
    )


def prove(
    protocol: Protocol | Loaded, *, properties: Iterable[str] = (), time_out: float = 60.0, steps: int = 20
) -> Judged:
    """Every *always* and *can always* by induction, with the protocol's invariants and measure; where that does not do,
    by a search of so many steps. `time_out` is in seconds, for one question to Z3.

    found = api.prove(protocol)
    for answer in found.answers:
        print(answer.kind, answer.name, answer.said)
    for verdict in found.verdicts:
        print(api.line(verdict))
    """
    from cutproof.checks.engines.proof.judge import judge

    found = judge(_protocol(protocol), only=properties, time_out=time_out, steps=steps)
    return replace(found, verdicts=tuple(_with_settings(found.verdicts, protocol)))


def replay(trace: Trace | str | Path, protocol: Protocol | Loaded | None = None) -> Replay:
    """Walk a trace, or one in a file, on a protocol again; without one, on the bundled protocol that it names. Raises
    TraceError for a file that is none, and Wrong where no protocol is known.

    result = api.replay("broken.itf.json", protocol)
    print(result.reproduced, result.divergence)
    """
    from cutproof.checks.traces.replay import replay as replayed

    name = "trace" if isinstance(trace, Trace) else str(trace)
    recorded = trace if isinstance(trace, Trace) else _read(trace)
    if protocol is None:
        meta = recorded.meta
        settings = {"scope": meta.scope, "policy": meta.policy, "safeguards_removed": meta.safeguards_removed}
        return replayed(recorded, of_trace(meta.protocol, settings, name), name)
    return replayed(recorded, _protocol(protocol), name)


def export(protocol: Protocol | Loaded, target: str) -> dict[str, str]:
    """The protocol as a model for another tool, by the names of its files: `target` is "tla" (TLC) or "promela" (SPIN).
    Raises Wrong for another.

    for name, text in api.export(protocol, "tla").items():
        Path(name).write_text(text)
    """
    from cutproof.checks.engines.foreign.export import TARGETS, files_of

    if target not in TARGETS:
        refuse(f"export {target}: there are {' and '.join(TARGETS)}")
    return files_of(_protocol(protocol), target)


def _protocol(given: Protocol | Loaded) -> Protocol:
    return given.protocol if isinstance(given, Loaded) else given


def _with_settings(verdicts: Iterable[Verdict], given: Protocol | Loaded) -> list[Verdict]:
    settings = given.settings if isinstance(given, Loaded) else {}
    return [replace(v, settings=settings) for v in verdicts]
