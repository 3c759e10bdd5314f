"""Jumps: a shortest run to where a property fails, or holds for once, by a search within bounds."""

from __future__ import annotations

import copy

import msgspec

from cutproof.checks.engines.exploration import Limits
from cutproof.checks.engines.plain.explore import explore
from cutproof.checks.engines.verdict import Holds, Unknown, Verdict, Violated, run_of
from cutproof.checks.views.drawing import counted
from cutproof.model.language.protocol import Claim, Protocol, State

MOST, SECONDS = 500_000, 30.0  # where a search ends without an answer
AT_ONCE = ("always", "sometimes")  # forms that one state decides


class Found(msgspec.Struct, frozen=True, omit_defaults=True):
    """What came of a search, in a sentence, and the way if there is one: where it begins, and the transitions; of a run
    that goes on for ever, the step after which it goes on from there again. The rest is what its trace says."""

    said: str
    path: tuple[int, ...] | None = None
    begin: int = 0
    back: int | None = None
    property: str = ""
    form: str = ""
    harm: str = ""


def jump(protocol: Protocol, claim: Claim, start: State | None, limits: Limits | None = None) -> Found:
    """Search from a state, or from where runs begin (`start` None), for a run that shows what becomes of a claim."""
    if claim.form == "eventually" and start is not None:
        return Found(f"{claim.property} is asked for where a run begins: look for it from the start.")
    searched = copy.copy(protocol)
    if start is not None:
        searched.initials = (start,)
    found = explore(
        searched,
        limits=limits or Limits(states=MOST, seconds=SECONDS),
        only=(claim.property, claim.harm),
        stop_at_first=claim.form in AT_ONCE,
    )
    wanted = Holds if claim.form == "sometimes" else Violated
    forms = (claim.form, "cycle") if claim.form == "can_always" else (claim.form,)
    of_claim = [v for v in found.verdicts if v.property == claim.property and v.form in forms]
    for verdict in of_claim:
        path = run_of(verdict) if isinstance(verdict, wanted) else None
        if path is not None:
            begin = 0 if start is not None else protocol.initials.index(path.states[0])
            return Found(
                _reached(verdict, path.steps), path.transitions, begin, path.back, verdict.property, verdict.form,
                verdict.harm,
            )  # fmt: skip
    return Found(_nothing(claim, of_claim, start is None))


def _reached(verdict: Verdict, steps: int) -> str:
    after = counted(steps, "step")
    if verdict.form == "sometimes":
        return f"{verdict.property} is so after {after}; no shorter run leads there."
    if verdict.form == "always":
        return f"{verdict.property} is false after {after}; no shorter run leads there."
    if verdict.form == "can_always":
        return f"After {after}, {verdict.property} is out of reach."
    return f"{verdict.property} never comes in a run that goes round for ever, of {after} so far."


def _nothing(claim: Claim, verdicts: list[Verdict], from_start: bool) -> str:
    """Why there is no such run: it was looked at everything, or a bound was hit."""
    where = "" if from_start else " from here"
    what = f"No run{where} leads to {claim.property}" if claim.form == "sometimes" else (
        f"No run{where} violates {claim.property}")  # fmt: skip
    unknown = next((v for v in verdicts if isinstance(v, Unknown)), None)
    if unknown is not None:
        return f"{what} within the bounds: {unknown.reason} ({counted(unknown.states, 'state')} looked at)."
    states = max((v.states for v in verdicts), default=0)
    return f"{what}: every state that can be reached was looked at ({states:,})."
