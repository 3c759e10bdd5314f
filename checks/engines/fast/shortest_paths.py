"""Shortest paths, found by going back over the levels: nothing was kept of how a state was reached.

A goal is a set of states of one level. The states of the level before that lead to it are found by expanding that level
again, and so on to an initial state; then forward, always by the first transition that stays among them. That is the
path that the plain engine finds: the fewest steps, and of those the first by the order of initial states and of
transitions.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cutproof.checks.engines.fast.program import Words
from cutproof.checks.engines.fast.visited import Visited, merged
from cutproof.checks.engines.plain.search import inside
from cutproof.checks.engines.verdict import Path
from cutproof.model.language.codegen import Compiled, DomainError
from cutproof.model.language.protocol import State

if TYPE_CHECKING:
    from cutproof.checks.engines.fast.search import VectorSearch

GOALS = 32  # followed at a time
ROWS = 1 << 16

Goal = tuple[int, Words]  # a level, and rows of states of it


@dataclass
class Ways:
    """Of a level the states that lead to some goals: `marks` has, by place of the set and goal, those of a row."""

    known: Visited
    marks: Words

    def leads(self, row: Words, goal: int) -> bool:
        """Whether the state of a row leads to a goal."""
        place = int(self.known.find(row)[0])
        return place >= 0 and bool(int(self.marks[place, goal]) & int(row[-1, 0]))


def paths(
    search: VectorSearch, goals: Mapping[Any, Goal], shared: Callable[[Any], Hashable] = lambda name: name
) -> dict[Any, Path]:
    """The path to each goal, from one of the initial states.

    Goals that `shared` gives one name are followed together: no state may lead to two of them."""
    found, groups = dict[Any, Path](), dict[Hashable, list[Any]]()
    for name in sorted(goals, key=lambda name: (goals[name][0], str(name))):
        groups.setdefault(shared(name), []).append(name)
    together = list(groups.values())
    for low in range(0, len(together), GOALS):
        some = together[low : low + GOALS]
        ways = _ways(search, [(bit, goals[name]) for bit, names in enumerate(some) for name in names])
        for bit, names in enumerate(some):
            for name in names:
                found[name] = _forward(search, ways, bit, goals[name])
    return found


def _ways(search: VectorSearch, goals: Sequence[tuple[int, Goal]]) -> dict[int, Ways]:
    many, k = 1 + max(bit for bit, _ in goals), search.layout.words
    allowed, ways, after = np.ones(len(search.protocol.transitions), np.uint8), dict[int, Ways](), None
    for level in range(max(depth for _, (depth, _) in goals), -1, -1):
        rows, told = list[Words](), list[Words]()
        if after is not None:
            for chunk in search.levels.chunks(level, ROWS):
                marks = search.engine.leads(chunk, allowed, after.known, after.marks)
                some = np.flatnonzero(marks.any(axis=1))
                rows.append(chunk[:, some])
                told.append(marks[some])
        for bit, (depth, mine) in goals:
            if depth == level:
                marks = np.zeros((mine.shape[1], many), np.uint64)
                marks[:, bit] = mine[-1]
                rows.append(mine)
                told.append(marks)
        after = ways[level] = _marked(np.concatenate(rows, axis=1), np.concatenate(told), k)
    return ways


def _marked(rows: Words, marks: Words, k: int) -> Ways:
    """A set of the rows, and their marks by place."""
    known = Visited(k)
    known.pour(merged(rows, k))
    by_place = np.zeros((len(known.table), marks.shape[1]), np.uint64)
    np.bitwise_or.at(by_place, known.find(rows), marks)
    return Ways(known, by_place)


def _forward(search: VectorSearch, ways: Mapping[int, Ways], bit: int, goal: Goal) -> Path:
    depth, rows = goal
    begun = search.origins(rows)[0]
    state = next(
        s for s in search.starts
        if search.origins(search.row_of(s))[0] == begun and ways[0].leads(search.row_of(s), bit)
    )  # fmt: skip
    states, numbers = [state], list[int]()
    for level in range(1, depth + 1):
        on = (s for s in steps_of(search.compiled, state) if ways[level].leads(search.row_of(s[1]), bit))
        number, state = next(on)
        states.append(state)
        numbers.append(number)
    return Path(tuple(states), tuple(numbers))


def steps_of(compiled: Compiled, state: State) -> list[tuple[int, State]]:
    """The steps from a state that stay inside their domains, in order."""
    try:
        return compiled.successors(state)
    except DomainError:
        return inside(compiled.protocol, state)


def packed_steps_of(compiled: Compiled, packed: int) -> list[tuple[int, int]]:
    """The same from a packed state, to packed states."""
    try:
        return compiled.successors_packed(packed)
    except DomainError:
        return [(n, compiled.pack(s)) for n, s in inside(compiled.protocol, compiled.unpack(packed))]
