"""What can always happen, and what can go on for ever, by passes over the levels from the deepest to the first.

A state is marked where a claim holds, or where a step that somebody owes leads to a marked state. Most steps lead one
level deeper, so one pass marks nearly all; the rest is gone over until nothing changes. What stays unmarked can never
come to where the claim holds. For cycles it is the other way round: a state is open unless the claim holds there, and
open no more where no step that is no fault leads to one that is open; what stays is a cycle, or leads to one, and of
cycles those are kept that are fair.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from cutproof.checks.engines.fast.program import Numbers, Words
from cutproof.checks.engines.fast.search import BROKEN, VectorSearch, grouped
from cutproof.checks.engines.fast.shortest_paths import Goal, packed_steps_of, paths
from cutproof.checks.engines.fast.states import bits_of, singles, states_of
from cutproof.checks.engines.fast.visited import merged
from cutproof.checks.engines.lasso import fair_round, put_off
from cutproof.checks.engines.verdict import Path
from cutproof.model.language.protocol import State

ROWS = 1 << 16
AT_ONCE = 8  # claims that are marked together: a word each for a row
MARKS = 1 << 30  # bytes that their marks may take, where one claim alone does not

Look = Callable[[], None]


class OverBudget(Exception):
    """A limit was reached while the levels were gone over again."""


def at_once(search: VectorSearch) -> int:
    """So many claims are marked together."""
    return max(1, min(AT_ONCE, MARKS // (8 * len(search.visited.table))))


class Passes:
    """Marks of the states of a finished search, for some claims (`at_once`). `look` is called now and then."""

    def __init__(self, search: VectorSearch, claims: Sequence[int], look: Look) -> None:
        self.search, self.claims, self.look = search, list(claims), look
        self.owed = np.array([t.owed for t in search.protocol.transitions], np.uint8)
        self.no_fault = no_fault(search)
        self.marks = np.zeros((len(search.visited.table), len(self.claims)), np.uint64)
        self.every: Words | None = None

    def reach(self) -> list[Words]:
        """By claim, the states from which none where it holds can be reached. What follows a state where an action left
        its domain is not known, so these count as reaching it."""
        self.marks[:] = 0
        for place, told in self._told():
            self.marks[place] |= told
        if any(claim == BROKEN for claim, _ in self.search.first):
            for rows in self._levels():
                at, left = self.search.visited.find(rows), self.search.engine.leaving(rows)
                np.bitwise_or.at(self.marks, at, left[:, None])
        return self._until_nothing_changes(staying=False)

    def rounds(self, alone: bool = False) -> list[Words]:
        """By claim, the states from which some run goes on for ever without one where it holds: goes round, or (where
        `alone`) comes to where nothing fair is possible, and stays."""
        self.marks[:] = every = every_state(self.search)
        self.every = every if alone else None
        for place, told in self._told():
            self.marks[place] &= ~told
        return self._until_nothing_changes(staying=True)

    # -------------------------------------------------- marks

    def _levels(self) -> Iterator[Words]:
        for level in range(len(self.search.levels)):
            for rows in self.search.levels.chunks(level, ROWS):
                self.look()
                yield rows

    def _told(self) -> Iterator[tuple[Numbers, Words]]:
        """Where the claims hold: places, each once, and of each claim the states of the row there."""
        search = self.search
        for level in range(len(search.levels)):
            for chunk in search.levels.chunks(level, ROWS):
                self.look()
                rows = chunk if search.levels.as_now(level) else merged(chunk, search.layout.words)
                yield search.visited.find(rows), search.engine.told_by_row(rows, self.claims)

    def _until_nothing_changes(self, staying: bool) -> list[Words]:
        """Pass over the levels, and then over what is left: by claim, the states that are left."""
        search, left = self.search, [np.zeros((self.search.layout.words + 1, 0), np.uint64)]
        for level in range(len(search.levels) - 1, -1, -1):
            for rows in search.levels.chunks(level, ROWS):
                left.append(self._pass(rows, staying)[1])
        rest, changed = np.concatenate(left, axis=1), True
        while changed and rest.shape[1]:
            changed, left = False, left[:1]
            for low in range(0, rest.shape[1], ROWS):
                more, still = self._pass(rest[:, low : low + ROWS], staying)
                changed |= more
                left.append(still)
            rest = np.concatenate(left, axis=1)
        rest = merged(rest, search.layout.words)
        marks, found = self.marks[search.visited.find(rest)], list[Words]()
        for number in range(len(self.claims)):
            mine = rest.copy()
            mine[-1] &= marks[:, number] if staying else ~marks[:, number]
            found.append(mine[:, mine[-1] != 0])
        return found

    def _pass(self, rows: Words, staying: bool) -> tuple[bool, Words]:
        """Pass over rows: whether anything changed, and the rows some of whose states are left."""
        self.look()
        search, stays = self.search, None
        if staying:
            stays = turning(search, rows) if search.alike else np.zeros(rows.shape[1], np.uint64)
            if self.every is not None:
                stays = resting(search, rows, self.every)
        allowed = self.no_fault if staying else self.owed
        at = search.visited.find(rows)
        changed, still = search.engine.spread(rows, at, allowed, search.visited, self.marks, stays)
        return changed, rows[:, still]


def no_fault(search: VectorSearch) -> npt.NDArray[np.uint8]:
    """Which transitions are no fault."""
    return np.array([not t.fault for t in search.protocol.transitions], np.uint8)


def ids(search: VectorSearch, rows: Words) -> Numbers:
    """A number for each state of rows in the set, in the order of rows and bits."""
    count = np.bitwise_count(rows[-1]).astype(np.int64)
    return np.repeat(search.visited.find(rows), count) * 64 + bits_of(rows)


# ------------------------------------------------------------------ rounds


@dataclass(frozen=True)
class Parts:
    """States, a row for each, and which part each is in: within one of these a fair run can stay for ever."""

    rows: Words
    labels: npt.NDArray[np.integer[Any]]

    def of(self, row: Words) -> Words:
        """The states of the part that a state is in."""
        place = int(np.flatnonzero((self.rows == row).all(axis=0))[0])
        return self.rows[:, self.labels == self.labels[place]]


def fair_parts(search: VectorSearch, rows: Words, alone: bool = False) -> Parts:
    """The sets of states, among those of `rows`, within which fair runs without faults go round (`engines/lasso.py`);
    where `alone`, single states too in which nothing fair is possible."""
    numbered = _Numbered(search, rows)
    each, n = numbered.each, numbered.each.shape[1]
    row, taken, column = numbered.steps(no_fault(search))
    within = column >= 0
    ends = (row[within], column[within])
    graph = coo_array((np.ones(len(ends[0]), np.int8), ends), shape=(n, n))
    many, labels = (
        connected_components(graph.tocsr(), connection="strong") if n else (0, np.zeros(0, np.int32))
    )
    sizes = np.bincount(labels, minlength=many)
    if search.alike:
        return _fair_where_alike(search, each, labels, sizes, np.unique(row[row == column]))
    large = sizes > 1
    number = np.cumsum(large) - 1  # of a part among those of several states
    of, of_large, inside = number[labels], large[labels], within & (labels[row] == labels[column])
    delayed = np.zeros(np.count_nonzero(large), np.bool_)
    moves = np.flatnonzero((row != column) & of_large[row])
    for step, mine in grouped(taken[moves]).items():
        if search.protocol.transitions[step].fair:
            able = np.bincount(of[row[moves[mine]]], minlength=len(delayed)) == sizes[large]
            able[of[row[moves[mine][inside[moves[mine]]]]]] = False
            delayed |= able
    stays = of_large.copy()
    stays[of_large] = ~delayed[of[of_large]]
    if alone:
        stays[~of_large] = resting(search, each[:, ~of_large], every_state(search)) != 0
    return Parts(each[:, stays], labels[stays])


class _Numbered:
    """States of a search, each a row, numbered by their place in the set of rows."""

    def __init__(self, search: VectorSearch, rows: Words) -> None:
        mine = merged(rows, search.layout.words)
        places = search.visited.find(mine)
        order = np.argsort(places)
        mine, places = mine[:, order], places[order]
        self.search, self.each = search, singles(mine)
        self.marks = np.zeros(len(search.visited.table), np.uint64)
        self.first = np.zeros(len(search.visited.table), np.int32)  # the number of the first state of a row
        self.marks[places] = mine[-1]
        self.first[places] = np.cumsum(np.bitwise_count(mine[-1]), dtype=np.int32) - np.bitwise_count(
            mine[-1]
        )

    def steps(self, allowed: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.int32], ...]:
        """The steps of these states by `allowed` transitions: from which, by which, to which; -1 is to another state."""
        some = np.zeros(0, np.int32)
        sources, taken, targets = [some], [some.astype(np.int16)], [some]
        for source, number, target in self.search.engine.edges(self.each, allowed):
            place, bit = self.search.visited.find(target), target[-1]
            mine = self.marks[place]
            there = self.first[place] + np.bitwise_count(mine & (bit - np.uint64(1)))
            sources.append(source.astype(np.int32))
            taken.append(number.astype(np.int16))
            targets.append(np.where(mine & bit != 0, there, -1).astype(np.int32))
        return np.concatenate(sources), np.concatenate(taken), np.concatenate(targets)


def _fair_where_alike(
    search: VectorSearch, each: Words, labels: npt.NDArray[np.integer[Any]], sizes: Numbers, same: Numbers
) -> Parts:
    """The parts that are fair, in a graph that is reduced by symmetry; `same` lead to themselves there."""
    turned = set(same[turning(search, each[:, same]) != 0].tolist())
    parts = np.split(np.argsort(labels, kind="stable"), np.cumsum(sizes)[:-1]) if len(labels) else []
    some = [p for p in parts if len(p) > 1 or int(p[0]) in turned]
    kept = np.concatenate([np.zeros(0, np.int64), *(p for p in some if _is_fair(search, each[:, p]))])
    return Parts(each[:, kept], labels[kept])


def every_state(search: VectorSearch) -> Words:
    """Marks of every state that was found."""
    return np.ascontiguousarray(search.visited.table[:, search.layout.words, None])


def resting(search: VectorSearch, rows: Words, every: Words) -> Words:
    """The states of each row in which no fair step is possible, and of which every step is known."""
    fair = np.array([t.fair for t in search.protocol.transitions], np.uint8)
    found: Words = rows[-1] & ~search.engine.leads(rows, fair, search.visited, every)[:, 0]
    if any(claim == BROKEN for claim, _ in search.first):
        found &= ~search.engine.leaving(rows)
    return found


def _is_fair(search: VectorSearch, members: Words) -> bool:
    """As `put_off`, in a graph that is reduced by symmetry: one of the components of the states themselves, of which
    all others are images."""
    entry = search.compiled.pack(states_of(search.layout, members[:, :1])[0])
    steps = partial(packed_steps_of, search.compiled)
    return not put_off(_component(search, entry, members), steps, search.protocol.transitions)


def inside_of(search: VectorSearch, entry: int, members: Words) -> Callable[[int], bool]:
    """Whether a packed state is in the strongly connected component of `entry`, where `members` are its states."""
    if search.alike:
        return _component(search, entry, members).__contains__
    return {search.compiled.pack(state) for state in states_of(search.layout, members)}.__contains__


def _component(search: VectorSearch, entry: int, members: Words) -> set[int]:
    """The packed states that `entry` leads to and that lead to it, by states whose representatives are `members`."""
    within, kinds = set(map(tuple, singles(members).T.tolist())), search.protocol.transitions
    queue, before = [entry], dict[int, list[int]]({entry: []})
    for here in queue:  # grows as it is walked
        for number, there in packed_steps_of(search.compiled, here):
            if not kinds[number].fault and _representative(search, there) in within:
                if there not in before:
                    queue.append(there)
                before.setdefault(there, []).append(here)
    found = {entry: None}
    for here in (queue := [entry]):  # grows as it is walked
        queue += [back for back in dict.fromkeys(before[here]) if back not in found]
        found |= dict.fromkeys(before[here])
    return set(found)


def _representative(search: VectorSearch, packed: int) -> tuple[int, ...]:
    """The row of the state that stands for a packed one."""
    return tuple(search.row_of(search.compiled.unpack(packed))[:, 0].tolist())


def turning(search: VectorSearch, rows: Words) -> Words:
    """The states of each row from which a step that is no fault leads to another one that differs only by an exchange
    of what is alike: such a step leads nowhere in the reduced graph, and yet it can be taken for ever."""
    compiled, kinds, found = search.compiled, search.protocol.transitions, np.zeros(rows.shape[1], np.uint64)
    place = np.repeat(np.arange(rows.shape[1]), np.bitwise_count(rows[-1]).astype(np.int64)).tolist()
    for at, bit, state in zip(place, bits_of(rows).tolist(), states_of(search.layout, rows), strict=True):
        packed = compiled.pack(state)
        mine = tuple(rows[:-1, at].tolist())
        others = (a for n, a in packed_steps_of(compiled, packed) if not kinds[n].fault and a != packed)
        if any(_representative(search, a) == (*mine, 1 << bit) for a in others):
            found[at] |= np.uint64(1 << bit)
    return found


def first_of(search: VectorSearch, rows: Words) -> Path:
    """The path to whichever of these states the plain engine would find first."""
    return paths(search, first_level(search, rows)).popitem()[1]


def around(search: VectorSearch, entry: State, members: Words) -> tuple[tuple[State, ...], tuple[int, ...]]:
    """A fair way round from a state among the states of its part: the states after each of its steps, and these."""
    compiled, start = search.compiled, search.compiled.pack(entry)
    steps = partial(packed_steps_of, compiled)
    found, numbers = fair_round(start, inside_of(search, start, members), steps, search.protocol.transitions)
    return tuple(map(compiled.unpack, found)), numbers


def first_level(search: VectorSearch, rows: Words) -> dict[int, Goal]:
    """By origin, the first level that has some of these states, and which."""
    found, wanted = dict[int, Goal](), np.zeros(len(search.visited.table), np.uint64)
    np.bitwise_or.at(wanted, search.visited.find(rows), rows[-1])
    for level in range(len(search.levels) if rows.shape[1] else 0):
        mine = list[Words]()
        for chunk in search.levels.chunks(level, ROWS):
            part = chunk.copy()
            part[-1] &= wanted[search.visited.find(chunk)]
            mine.append(part[:, part[-1] != 0])
        there = merged(np.concatenate(mine, axis=1), search.layout.words)
        for origin, some in grouped(search.origins(there)).items():
            if origin not in found:
                found[origin] = level, there[:, some]
    return found
