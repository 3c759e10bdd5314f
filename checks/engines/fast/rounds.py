"""Fair runs that go on for ever among some states: which sets of states they stay in, and a way round.

Strongly connected components by steps that are no fault, as in `plain/liveness.py`, of states that are numbered by
their place in the set of rows. Where a graph is reduced by symmetry, the components of the states themselves are
looked at, of which those of the graph are images.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from cutproof.checks.engines.fast.program import Numbers, Words
from cutproof.checks.engines.fast.search import BROKEN, VectorSearch
from cutproof.checks.engines.fast.states import bits_of, grouped, singles, states_of
from cutproof.checks.engines.fast.visited import merged
from cutproof.checks.engines.lasso import fair_round, put_off
from cutproof.checks.engines.plain.search import packed_steps_of
from cutproof.model.language.protocol import State


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
    if not rows.shape[1]:
        return Parts(rows, np.zeros(0, np.int32))
    numbered = _Numbered(search, rows)
    each = numbered.each
    row, taken, column = numbered.steps(no_fault(search))
    within = column >= 0
    labels = _strongly_connected(row[within], column[within], each.shape[1])
    sizes = np.bincount(labels)
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


def _strongly_connected(sources: Any, targets: Any, many: int) -> npt.NDArray[np.integer[Any]]:
    """Of so many nodes, the component that each is in, by edges from some to others."""
    from scipy.sparse import coo_array  # takes a while to import
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(sources), np.int8), (sources, targets)), shape=(many, many))
    labels: npt.NDArray[np.integer[Any]] = connected_components(graph.tocsr(), connection="strong")[1]
    return labels


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
        """Their steps by `allowed` transitions: from which, by which, to which of them; -1 is some other state."""
        some = np.zeros(0, np.int32)
        sources, taken, targets = [some], [some], [some]
        for source, number, target in self.search.engine.edges(self.each, allowed):
            place, bit = self.search.visited.find(target), target[-1]
            mine = self.marks[place]
            there = self.first[place] + np.bitwise_count(mine & (bit - np.uint64(1)))
            sources.append(source.astype(np.int32))
            taken.append(number.astype(np.int32))
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


def _is_fair(search: VectorSearch, members: Words) -> bool:
    """As `put_off`, in a graph that is reduced by symmetry: one of the components of the states themselves, of which
    all others are images."""
    entry = search.compiled.pack(states_of(search.layout, members[:, :1])[0])
    steps = partial(packed_steps_of, search.compiled)
    return not put_off(_component(search, entry, members), steps, search.protocol.transitions)


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


def no_fault(search: VectorSearch) -> npt.NDArray[np.uint8]:
    """Which transitions are no fault."""
    return np.array([not t.fault for t in search.protocol.transitions], np.uint8)


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


def inside_of(search: VectorSearch, entry: int, members: Words) -> Callable[[int], bool]:
    """Whether a packed state is in the strongly connected component of `entry`, where `members` are its states."""
    if search.alike:
        return _component(search, entry, members).__contains__
    return {search.compiled.pack(state) for state in states_of(search.layout, members)}.__contains__


def around(search: VectorSearch, entry: State, members: Words) -> tuple[tuple[State, ...], tuple[int, ...]]:
    """A fair way round from a state among the states of its part: the states after each of its steps, and these."""
    compiled, start = search.compiled, search.compiled.pack(entry)
    steps = partial(packed_steps_of, compiled)
    found, numbers = fair_round(start, inside_of(search, start, members), steps, search.protocol.transitions)
    return tuple(map(compiled.unpack, found)), numbers


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
