"""What a proof says of each property: holds in runs of any length, is violated (here is a run), or is not known.

    found = judge(protocol)
    found.answers      # what Z3 said of each obligation (`induction.py`)
    found.verdicts     # one for each *always* and *can always*

Where every obligation is proved, all holds. Where a step is refuted, the proof as a whole is none; what is left of its
clauses (`houdini.py`) may still prove some of the properties, and for the others a bounded search looks for a run that
violates them. That it finds none says nothing of longer runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cutproof.checks.engines.proof.asking import hearing
from cutproof.checks.engines.proof.bounded import Search
from cutproof.checks.engines.proof.houdini import LeavesDomain, TimedOut, strongest
from cutproof.checks.engines.proof.induction import TIME_OUT, Answer, Obligation, Proof
from cutproof.checks.engines.verdict import SAFETY, Holds, Unknown, Verdict, Violated, exit_code
from cutproof.model.language import Property
from cutproof.model.language.properties import TEMPORAL
from cutproof.model.language.protocol import Protocol

STEPS = 20  # of the bounded search
NO_MEASURE = "not proved: no measure (Protocol(measure=...): a whole number that some owed step lowers)"

Told = Callable[[str], None]  # progress, in words


@dataclass(frozen=True)
class Judged:
    """`answers` are about the obligations, `verdicts` about the properties, in their order. `wrong` has the invariants
    that a run violates: they are wrong, and not only too weak to be kept by every step."""

    proof: Proof
    answers: tuple[Answer, ...]
    verdicts: tuple[Verdict, ...]
    wrong: tuple[Violated, ...] = ()

    @property
    def code(self) -> int:
        """The exit code: 0 all proved, 12 something violated (or an invariant refuted), 3 not known."""
        refuted = any(a.said == "refuted" for a in self.answers)
        if self.wrong or (refuted and self.proof.invariants):
            return SAFETY
        return exit_code(self.verdicts)


@hearing()
def judge(
    protocol: Protocol,
    *,
    only: Iterable[str] = (),
    time_out: float = TIME_OUT,
    steps: int = STEPS,
    progress: Told | None = None,
    obligations: Callable[[Sequence[Obligation]], None] | None = None,
) -> Judged:
    """Prove a protocol whose mechanisms are chosen, if it has any. `only` names properties (all if empty), `time_out`
    is in seconds, for one question; `steps` limits the bounded search. `obligations` is given them before they are
    asked. Raises ValueError for a measure that may fall below zero."""
    tell = progress or (lambda _: None)
    only = set(only)
    proof = Proof(protocol, protocol.mechanisms, only=only, time_out=time_out)
    goals = proof.goals
    if protocol.measure is None:
        proof.goals = []
    asked = list(proof.obligations())
    if obligations:
        obligations(asked)
    answers = []
    for number, obligation in enumerate(asked, 1):
        tell(f"{number} of {len(asked)} obligations: {obligation.kind} {obligation.name}")
        answers.append(obligation.ask(to_show=True))
    known = _known(proof, answers, goals, tell)
    claimed = {c.property for c in protocol.claims}  # in some scopes a property has nothing to say
    runs = [
        p
        for p in protocol.properties
        if p.form in TEMPORAL and p.name in claimed and (not only or p.name in only)
    ]
    found = [p for p in protocol.properties if p in proof.properties or p in goals or p in runs]
    left = [p.name for p in proof.properties if not known.get(p.name)]
    violated: dict[str, Violated] = {}
    depth, reason = 0, ""
    if left or _refuted(answers):
        suspects = left + [i.name for i in proof.invariants if _refuted(answers)]
        violated, depth, reason = _searched(proof, protocol, suspects, steps, time_out, tell)
    verdicts = list[Verdict]()
    for prop in found:
        about: dict[str, Any] = {
            "checked": protocol.name, "property": prop.name, "form": prop.form, "protocol": protocol,
        }  # fmt: skip
        if known.get(prop.name):
            verdicts.append(Holds(**about))
        elif prop.name in violated:
            verdicts.append(violated[prop.name])
        elif prop.form in TEMPORAL:
            verdicts.append(
                Unknown(reason="not proved: no induction over whole runs; explore judges it", **about)
            )
        elif prop.form == "always":
            verdicts.append(Unknown(reason=reason, depth=depth, **about))
        else:
            why = NO_MEASURE if protocol.measure is None else "not proved: a step nearer to it may be missing"
            verdicts.append(Unknown(reason=why, **about))
    names = {i.name for i in proof.invariants}
    return Judged(proof, tuple(answers), tuple(verdicts), tuple(v for n, v in violated.items() if n in names))


def _refuted(answers: Iterable[Answer]) -> bool:
    return any(a.said == "refuted" and a.kind in ("start", "step") for a in answers)


def _known(proof: Proof, answers: Sequence[Answer], goals: Sequence[Property], tell: Told) -> dict[str, bool]:
    """By name, whether a property is proved: by all clauses, or else by those that are inductive together."""
    if all(a.proved for a in answers if a.kind in ("start", "step")):
        return {a.name: a.proved for a in answers if a.kind in ("property", "progress")}
    if any(a.said == "unknown" for a in answers):
        return {}
    tell("what is left of the invariants")
    measured = goals if proof.protocol.measure is not None else ()
    try:
        kept = strongest(proof.protocol, proof.mechanisms, proof.properties, measured, proof.time_out)
    except (LeavesDomain, TimedOut):
        return {}
    return kept.proved


def _searched(
    proof: Proof, protocol: Protocol, names: Sequence[str], steps: int, time_out: float, tell: Told
) -> tuple[dict[str, Violated], int, str]:
    """Shortest runs that violate these properties or invariants, by name; for the rest the depth that was covered, and
    that in words."""
    every = [replace(p, form="always") for p in (*proof.invariants, *proof.properties)]
    judged = protocol.judged_by(every)
    if proof.mechanisms is not None:
        judged = judged.resolve(proof.mechanisms)
    found: dict[str, Violated] = {}
    left = list(dict.fromkeys(names))
    depth, unknown = steps, None
    while left:
        try:
            search = Search(judged, [proof.mechanisms], left, time_out)
        except ValueError as error:  # a variable without a bound does not fit into bits
            return found, 0, f"induction does not show it, and there is no bounded search: {error}"
        result = search.run(steps, lambda k, *_: tell(f"bounded search: {k} of {steps} steps"))
        if not result.found:
            depth, unknown = result.depth, result.unknown
            break
        run = result.found[0]
        found[run.property] = Violated(
            checked=protocol.name, property=run.property, form="always", harm=run.harm, path=run.path,
            protocol=protocol, depth=run.path.steps,
        )  # fmt: skip
        left.remove(run.property)
    ended = "" if unknown is None else f"; Z3 gave no answer for {unknown}"
    within_steps = f"no counterexample within {depth} step{'' if depth == 1 else 's'}"
    return found, depth, f"induction does not show it; {within_steps} (bounded search, not a proof){ended}"
