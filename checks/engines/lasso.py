"""Runs that end in a round which goes on for ever: whether a round is fair, and a short one that is.

A round is *fair* if every step that is weakly fair (`Transition.fair`) is taken on it, or is impossible in one of its
states; a step that changes nothing counts as impossible. No fault is on a round: faults end some time. Choices may be.

States are whatever an engine has (numbers, packed states); `steps` gives those that leave one, in the order of the
transitions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TypeVar

from cutproof.model.language.protocol import Transition

S = TypeVar("S", bound=int)
Steps = Callable[[S], Iterable[tuple[int, S]]]  # the transitions that leave a state, and where they lead
Round = tuple[tuple[S, ...], tuple[int, ...]]  # the states after each step of a round, and its transitions


def possible(state: S, steps: Steps[S], transitions: Sequence[Transition]) -> set[int]:
    """The weakly fair steps that would change this state, by number."""
    return {number for number, there in steps(state) if there != state and transitions[number].fair}


def put_off(members: Iterable[S], steps: Steps[S], transitions: Sequence[Transition]) -> set[int]:
    """The weakly fair steps that are possible in every one of these states and never lead from one to another: where
    the states are strongly connected, a fair run stays among them for ever just if there is no such step."""
    inside, left = set(members), set[int]()
    for first, here in enumerate(inside):
        leaving = [step for step in steps(here) if step[1] != here and transitions[step[0]].fair]
        able = {number for number, _ in leaving}
        left = able if first == 0 else left & able
        if not left:
            return left
    for here in inside:
        left -= {number for number, there in steps(here) if there != here and there in inside}
    return left


def is_fair(
    states: Sequence[S], taken: Iterable[int], steps: Steps[S], transitions: Sequence[Transition]
) -> bool:
    """Whether a round through these states by these transitions is fair; of no transition: that nothing happens."""
    always = set.intersection(*(possible(state, steps, transitions) for state in states))
    return not always - set(taken)


def fair_round(
    entry: S, inside: Callable[[S], bool], steps: Steps[S], transitions: Sequence[Transition]
) -> Round[S]:
    """A fair round from `entry` back to it, by states that are `inside`: these are strongly connected by steps that are
    no fault, and `put_off` by none. The shortest round where that is fair, first by the order of transitions, of owed
    steps alone rather than with choices; else a longer one."""
    for allowed in ([t.owed for t in transitions], [not t.fault for t in transitions]):

        def allowing(here: S, allowed: list[bool] = allowed) -> Iterable[tuple[int, S]]:
            return ((n, there) for n, there in steps(here) if allowed[n] and there != here and inside(there))

        found = _way(entry, lambda _, there: there == entry, allowing)
        if found and is_fair([there for _, there in found], (n for n, _ in found), steps, transitions):
            return tuple(there for _, there in found), tuple(n for n, _ in found)
    way, here, left = list[tuple[int, S]](), entry, possible(entry, steps, transitions)
    while left:
        for number, there in _way(here, partial(_settles, frozenset(left), steps, transitions), allowing):
            here, left = there, (left - {number}) & possible(there, steps, transitions)
            way.append((number, there))
    if here != entry or not way:
        way += _way(here, lambda _, there: there == entry, allowing)
    return tuple(there for _, there in way), tuple(number for number, _ in way)


def _settles(
    left: frozenset[int], steps: Steps[S], transitions: Sequence[Transition], number: int, there: S
) -> bool:
    """Whether a step is one of these, or comes to where one of them is impossible."""
    return number in left or not left <= possible(there, steps, transitions)


def _way(start: S, stop: Callable[[int, S], bool], steps: Steps[S]) -> list[tuple[int, S]]:
    """The shortest way, first by the order of transitions, whose last step is one to `stop` at; nothing where there is
    none."""
    came: dict[S, tuple[S, int]] = {}
    queue = [start]
    for here in queue:  # grows as it is walked
        for number, there in steps(here):
            if stop(number, there):
                way, at = [(number, there)], here
                while at != start:
                    before, taken = came[at]
                    way.append((taken, at))
                    at = before
                return way[::-1]
            if there not in came and there != start:
                came[there] = here, number
                queue.append(there)
    return []
