"""Whether the end of a walked run shows what its trace says: that something never comes, however long the run goes on.

The run goes back from its last state to an earlier one, the same, and from there on for ever; or it stays where it is.
What is looked at is the round: it closes, no fault is on it, every weakly fair step is taken on it or impossible
somewhere on it, and what should come is true nowhere on it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cutproof.model.language import expressions as ex
from cutproof.model.language.protocol import Case, Claim, Protocol, Transition

Codes = Mapping[str, int]  # a state, by the names of its fields


def goes_on(
    protocol: Protocol, claim: Claim, states: Sequence[Codes], taken: Sequence[Transition], loop: int | None
) -> tuple[str, bool]:
    """What a trace says of a run that ends in a round, and whether that is so. `loop` is the number of the state that
    the run goes back to; None: some that is the same as the last one, or the last one itself."""
    if loop is None:
        same = [i for i, state in enumerate(states) if state == states[-1]]
        loop = next((i for i in same if _shows(protocol, claim, states, taken, i)), same[0])
    what = f"{claim.property} does not come, however often the run goes on from state {loop} again"
    if loop == len(states) - 1:
        what = f"{claim.property} does not come, though nothing that is owed and fair is possible any more"
    return what, _shows(protocol, claim, states, taken, loop)


def _shows(
    protocol: Protocol, claim: Claim, states: Sequence[Codes], taken: Sequence[Transition], loop: int
) -> bool:
    closes = states[loop] == states[-1] and not any(t.fault for t in taken[loop:])
    pending = any(_pending(case, states, loop, claim.form == "eventually") for case in claim.cases)
    return closes and pending and is_fair(protocol, states[loop:], taken[loop:])


def never_true(
    protocol: Protocol, claims: Sequence[Claim], states: Sequence[Codes], taken: Sequence[Transition]
) -> bool:
    """Whether a run has come back to a state by a round that is fair and without faults, on which a claim is never true
    (whatever is claimed, where there are none)."""
    loop = next(i for i, state in enumerate(states) if state == states[-1])
    if loop == len(states) - 1 or any(t.fault for t in taken[loop:]):
        return False
    false = any(not any(ex.evaluate(c.holds, state, {}) for state in states[loop:]) for c in claims)
    return (false or not claims) and is_fair(protocol, states[loop:], taken[loop:])


def is_fair(protocol: Protocol, states: Sequence[Codes], taken: Sequence[Transition]) -> bool:
    """Whether every weakly fair step is among those that are taken, or impossible in one of the states."""
    names = {(t.action, t.arguments) for t in taken}
    fair = (t for t in protocol.transitions if t.fair and (t.action, t.arguments) not in names)
    return not any(all(_would_change(t, state) for state in states) for t in fair)


def _would_change(transition: Transition, state: Codes) -> bool:
    done: dict[ex.Term, int] = {}
    if not ex.evaluate(transition.enabled, state, done):
        return False
    news = [(cell, ex.evaluate(term, state, done)) for cell, term in transition.updates]
    inside = all(cell.domain.low <= new <= cell.domain.high for cell, new in news)
    return inside and any(new != state[cell.name] for cell, new in news)


def _pending(case: Case, states: Sequence[Codes], loop: int, once: bool) -> bool:
    """Whether what was asked for before the round, or on it, never comes."""
    given = [bool(ex.evaluate(case.given, state, {})) for state in states]
    asked = [bool(ex.evaluate(case.asked, state, {})) for state in states[: 1 if once else None]]
    return any(there and not any(given[i:]) for i, there in enumerate(asked)) and not any(given[loop:])
