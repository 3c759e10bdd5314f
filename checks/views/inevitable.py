"""After which step of a run its bad end was inevitable: whatever is done from there that somebody owes, it comes.

Steps that are faults, or somebody's choice, are not counted on, for good or ill. What could go round for ever without
coming to the bad end counts as a way to avoid it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cutproof.checks.engines.exploration import Limits
from cutproof.checks.engines.plain.explore import LimitReached
from cutproof.checks.engines.plain.reach import states_until
from cutproof.model.language.codegen import DomainError, compile_protocol, compile_terms
from cutproof.model.language.expressions import Term
from cutproof.model.language.protocol import Protocol, State

MOST = 20_000  # states that are looked at for one run


@dataclass(frozen=True)
class Fated:
    """`step`: after it the bad end was inevitable, None where that is not known or never was. `instead`: the step that
    was possible before it and leads elsewhere, as text. `unknown` says why it is not known."""

    step: int | None = None
    instead: str = ""
    unknown: str = ""
    never: bool = False


def of_safety(
    protocol: Protocol, goals: Sequence[Term], states: Sequence[State], since: int, most: int = MOST
) -> Fated:
    """Of a run after whose step `since` one of the goals is false."""
    holds = compile_terms(protocol, list(goals))
    return _backwards(protocol, states, since, lambda state: not all(holds(state)), most)


def of_deadlock(protocol: Protocol, states: Sequence[State], most: int = MOST) -> Fated:
    """Of a run after whose last step nothing can change."""
    anything = compile_protocol(_only(protocol, lambda t: True)).successors
    return _backwards(
        protocol, states, len(states) - 1, lambda state: all(to == state for _, to in anything(state)), most
    )


def of_reach(protocol: Protocol, goal: Term, states: Sequence[State], most: int = MOST) -> Fated:
    """Of a run after which the goal cannot come any more: the first step after which it could not."""
    limits, found = Limits(states=most), None
    for number in reversed(range(len(states))):
        try:
            looked_at, reached = states_until(protocol, states[number], goal, limits)
        except LimitReached as reason:
            return Fated(found, unknown="" if found is not None else str(reason))
        if reached:
            return Fated(found, never=found is None)
        found, limits = number, Limits(states=max(1, (limits.states or most) - looked_at))
    return Fated(found)


def _only(protocol: Protocol, which: Callable[..., bool]) -> Protocol:
    other = copy.copy(protocol)
    other.transitions = tuple(t for t in protocol.transitions if which(t))
    other.claims = ()
    return other


def _backwards(
    protocol: Protocol, states: Sequence[State], since: int, bad: Callable[[State], bool], most: int
) -> Fated:
    owed = _only(protocol, lambda t: t.owed)
    successors, left, step = compile_protocol(owed).successors, most, since
    for number in reversed(range(since)):
        try:
            way, looked_at = _a_way_round(successors, states[number], bad, left)
        except DomainError:
            return Fated(step, unknown="a step leaves its domain")
        if way is None:  # the search was cut off
            return Fated(step if step < since else None, unknown=f"{most:,} states were looked at")
        if way:
            return Fated(step, str(owed.transitions[way[0]]) if way[0] >= 0 else "")
        left, step = left - looked_at, number
    return Fated(step)


Way = list[int]


def _a_way_round(
    successors: Callable[[State], list[tuple[int, State]]],
    start: State,
    bad: Callable[[State], bool],
    most: int,
) -> tuple[Way | None, int]:
    """The steps of a run that avoids what is bad: to an end, or to a state that it has been in; [-1] where it is at
    its end already, [] where every run comes to what is bad, None where `most` states did not suffice."""
    seen, on_path = {start}, {start}
    stack = [(start, -1, iter(_moves(successors, start)))]
    if not _moves(successors, start):
        return [-1], 1
    while stack:
        state, _, moves = stack[-1]
        for number, there in moves:
            if bad(there):
                continue
            path = [n for _, n, _ in stack[1:]] + [number]
            if there in on_path:
                return path, len(seen)
            if there in seen:
                continue
            seen.add(there)
            if len(seen) > most:
                return None, len(seen)
            further = _moves(successors, there)
            if not further:
                return path, len(seen)
            on_path.add(there)
            stack.append((there, number, iter(further)))
            break
        else:
            on_path.discard(state)
            stack.pop()
    return [], len(seen)


def _moves(successors: Callable[[State], list[tuple[int, State]]], state: State) -> list[tuple[int, State]]:
    return [(number, there) for number, there in successors(state) if there != state]
