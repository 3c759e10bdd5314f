"""Shortest paths, found by going back over the levels: nothing was kept of how a state was reached.

A goal is a set of states of one level. The states of the level before that lead to it are found by expanding that level
again, and so on to an initial state; then forward, always by the first transition that stays among them. That is the
path that the plain engine finds: the fewest steps, and of those the first by the order of initial states and of
transitions.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cutproof.checks.engines.fast.program import Numbers, Words
from cutproof.checks.engines.fast.states import rows_of, states_of
from cutproof.checks.engines.fast.visited import Visited, merged
from cutproof.checks.engines.plain.search import steps_of
from cutproof.checks.engines.verdict import Path

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
        named = [(name, bit, goals[name]) for bit, names in enumerate(some) for name in names]
        forward = _one_by_one if search.alike else _side_by_side
        found |= zip(
            (name for name, _, _ in named), forward(search, ways, [g[1:] for g in named]), strict=True
        )
    return {name: found[name] for name in goals}


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


def _begun(search: VectorSearch, ways: Ways, goals: Sequence[tuple[int, Goal]]) -> list[int]:
    """The first initial state that leads to each goal, by number."""
    rows = [search.row_of(state) for state in search.starts]
    by_origin = dict[int, list[int]]()
    for number, row in enumerate(rows):
        by_origin.setdefault(int(search.origins(row)[0]), []).append(number)
    return [
        next(n for n in by_origin[int(search.origins(mine)[0])] if ways.leads(rows[n], bit))
        for bit, (_, mine) in goals
    ]


def _one_by_one(
    search: VectorSearch, ways: Mapping[int, Ways], goals: Sequence[tuple[int, Goal]]
) -> Iterator[Path]:
    """The path to each goal, by the plain steps."""
    for (bit, (depth, _)), number in zip(goals, _begun(search, ways[0], goals), strict=True):
        states, numbers = [search.starts[number]], list[int]()
        for level in range(1, depth + 1):
            steps = steps_of(search.compiled, states[-1])
            taken, state = next(s for s in steps if ways[level].leads(search.row_of(s[1]), bit))
            states.append(state)
            numbers.append(taken)
        yield Path(tuple(states), tuple(numbers))


def _side_by_side(
    search: VectorSearch, ways: Mapping[int, Ways], goals: Sequence[tuple[int, Goal]]
) -> Iterator[Path]:
    """The same where no state stands for others: a step of all paths at a time."""
    bits, depths = (np.array([bit for bit, _ in goals]), np.array([depth for _, (depth, _) in goals]))
    begun = _begun(search, ways[0], goals)
    rows = [rows_of(search.layout, [search.starts[number] for number in begun])]
    taken = list[Numbers]()
    for level in range(1, int(depths.max()) + 1):
        going = np.flatnonzero(depths >= level)
        there, numbers = rows[-1].copy(), np.full(len(goals), -1, np.int64)
        left = np.full(len(goals), len(search.protocol.transitions), np.int64)
        for source, number, target in search.engine.edges(rows[-1][:, going]):
            mine = going[source]
            place = ways[level].known.find(target)
            leads = (place >= 0) & (ways[level].marks[np.maximum(place, 0), bits[mine]] & target[-1] != 0)
            some = np.flatnonzero(leads)
            np.minimum.at(left, mine[some], number[some])
            first = some[number[some] == left[mine[some]]]  # of those so far
            numbers[mine[first]] = number[first]
            there[:, mine[first]] = target[:, first]
        rows.append(there)
        taken.append(numbers)
    states = [states_of(search.layout, level) for level in rows]
    for goal, depth in enumerate(depths.tolist()):
        numbers_of = tuple(int(numbers[goal]) for numbers in taken[:depth])
        yield Path(tuple(level[goal] for level in states[: depth + 1]), numbers_of)
