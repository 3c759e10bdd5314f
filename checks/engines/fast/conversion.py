"""A finished fast search as an exploration of the plain engine: its states in the order of discovery, and its graph.

The plain engine numbers states level by level; within a level by the number of the state that each was first found
from, and then by the number of the transition. Here each level is expanded once more, and put into that order.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import numpy as np

from cutproof.checks.engines.exploration import Edges, Exploration, States
from cutproof.checks.engines.fast.liveness import ids
from cutproof.checks.engines.fast.program import Numbers, Words
from cutproof.checks.engines.fast.search import BROKEN, VectorSearch
from cutproof.checks.engines.fast.states import rows_of, states_of
from cutproof.model.language.codegen import DomainError
from cutproof.model.language.protocol import State

LIMIT = 1_000_000  # states


def handed_over(search: VectorSearch) -> Exploration:
    """States, how each was reached, edges, deadlocks and cut states, numbered as the plain engine numbers them.

    Raises ValueError where `why_not` says something."""
    if reason := why_not(search):
        raise ValueError(reason)
    return _Handover(search).over()


def why_not(search: VectorSearch) -> str:
    """Why a search has no graph, or nothing."""
    if search.ended:
        return f"{search.ended}, and a graph is made of a whole search"
    if search.states > LIMIT:
        return f"{search.states:,} states are too many for a graph, which has {LIMIT:,} at most"
    return "a search that is reduced by symmetry has representatives only" if search.alike else ""


class _Handover:
    """`known` has the id of each state, in order, and `numbers` the number of each; -1 before it is given."""

    def __init__(self, search: VectorSearch) -> None:
        self.search = search
        found = [np.zeros(0, np.int64)]
        for level in range(len(search.levels)):
            found += [ids(search, rows) for rows in search.levels.chunks(level, 1 << 16)]
        self.known = np.sort(np.concatenate(found))
        self.numbers = np.full(len(self.known), -1, np.int64)

    def over(self) -> Exploration:
        """All of it, level by level."""
        search = self.search
        levels = [rows_of(search.layout, search.protocol.initials)]
        parents, via = [np.arange(levels[0].shape[1])], [np.full(levels[0].shape[1], -1, np.int64)]
        degrees, numbers, targets = list[Numbers](), list[Numbers](), list[Numbers]()
        deadlocks, cut, first = list[int](), dict[int, str](), 0
        self._give(levels[0], 0)
        for level in range(len(search.levels)):
            front = levels[level]
            count = front.shape[1]
            source, number, target = self._steps(front)
            there = self._found(target)
            _, order = np.unique(ids(search, target[:, there < 0]), return_index=True)
            if len(order):
                at = np.flatnonzero(there < 0)[np.sort(order)]
                self._give(target[:, at], first + count)
                there = self._found(target)
                levels.append(target[:, at])
                parents.append(first + source[at])
                via.append(number[at])
            degrees.append(np.bincount(source, minlength=count))
            numbers.append(number)
            targets.append(there)
            moving = np.zeros(count, np.bool_)
            moving[source[there != first + source]] = True
            broken = self._broken(front)
            cut |= {first + row: why for row, why in broken.items()}
            deadlocks += [first + row for row in np.flatnonzero(~moving).tolist() if row not in broken]
            first += count
        if first != search.states:
            raise AssertionError("the levels are what the search found")
        found = Exploration(search.protocol, expanded=first, depth=search.depth, cut=cut, deadlocks=deadlocks)
        found.states = states = States(search.compiled)
        for some in levels:
            states.packed.extend(map(search.compiled.pack, states_of(search.layout, some)))
        found.parents, found.via = _array("i", parents), _array("i", via)
        starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(_joined(degrees))])
        found.edges = Edges(_array("q", [starts]), _array("i", targets), _array("i", numbers))
        return found

    def _steps(self, rows: Words) -> tuple[Numbers, Numbers, Words]:
        """The steps of some states, in order: from which, by which transition, to which."""
        sources, numbers, targets = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], [rows[:, :0]]
        for source, number, target in self.search.engine.edges(rows):
            sources.append(source.copy())
            numbers.append(number.copy())
            targets.append(target.copy())
        source, number = np.concatenate(sources), np.concatenate(numbers)
        order = np.lexsort((number, source))
        return source[order], number[order], np.concatenate(targets, axis=1)[:, order]

    def _found(self, rows: Words) -> Numbers:
        """The number of each state, or -1."""
        return self.numbers[np.searchsorted(self.known, ids(self.search, rows))]

    def _give(self, rows: Words, first: int) -> None:
        """Number states from `first` on."""
        self.numbers[np.searchsorted(self.known, ids(self.search, rows))] = first + np.arange(rows.shape[1])

    def _broken(self, rows: Words) -> dict[int, str]:
        """The states in which an action leaves its domain, and what the plain code says of each."""
        if all(claim != BROKEN for claim, _ in self.search.first):
            return {}
        places = np.flatnonzero(self.search.engine.leaving(rows))
        states = states_of(self.search.layout, rows[:, places])
        return {
            place: f"an action left its domain: {self._complaint(state)}"
            for place, state in zip(places.tolist(), states, strict=True)
        }

    def _complaint(self, state: State) -> str:
        try:
            self.search.compiled.successors(state)
        except DomainError as error:
            return str(error)
        raise AssertionError("the plain code complains of the same state")


def _joined(columns: Sequence[Numbers]) -> Numbers:
    return np.concatenate([np.zeros(0, np.int64), *columns])


def _array(code: str, columns: Sequence[Numbers]) -> array[int]:
    made = array(code)
    made.frombytes(_joined(columns).astype(np.dtype(made.typecode)).tobytes())
    return made
