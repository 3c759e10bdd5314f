"""A finished fast search as an exploration of the plain engine: its states in the order of discovery, and its graph.

The plain engine numbers states level by level; within a level by the number of the state that each was first found
from, and then by the number of the transition. Here each level is expanded once more, and put into that order.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from cutproof.checks.engines.exploration import Edges, Exploration, States
from cutproof.checks.engines.fast.clusters import Layout, Words
from cutproof.checks.engines.fast.search import BROKEN, VectorSearch
from cutproof.model.language.codegen import DomainError

LIMIT = 1_000_000  # states

Numbers = npt.NDArray[np.int64]


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
    return "a search that is reduced by symmetry has representatives only" if search.layout.blocks else ""


class _Handover:
    """`numbers` has, for each place of the set of states, the number of the state there; -1 before it is given."""

    def __init__(self, search: VectorSearch) -> None:
        self.search = search
        self.numbers = [np.full(table.size, -1, np.int64) for table in search.visited.tables]

    def over(self) -> Exploration:
        """All of it, level by level."""
        search = self.search
        words = [np.concatenate([search.word_of(state) for state in search.protocol.initials])]
        parents, via = [np.arange(len(words[0]))], [np.full(len(words[0]), -1, np.int64)]
        degrees, numbers, targets = list[Numbers](), list[Numbers](), list[Numbers]()
        deadlocks, cut, first = list[int](), dict[int, str](), 0
        self._give(words[0], 0)
        for level in range(len(search.levels)):
            front = words[level]
            source, number, target = self._steps(front)
            there = self._found(target)
            new, order = np.unique(target[there < 0], return_index=True)
            if len(new):
                at, new = np.flatnonzero(there < 0)[np.sort(order)], new[np.argsort(order)]
                self._give(new, first + len(front))
                there = self._found(target)
                words.append(new)
                parents.append(first + source[at])
                via.append(number[at])
            degrees.append(np.bincount(source, minlength=len(front)))
            numbers.append(number)
            targets.append(there)
            moving = np.zeros(len(front), np.bool_)
            moving[source[there != first + source]] = True
            broken = self._broken(front)
            cut |= {first + row: why for row, why in broken.items()}
            deadlocks += [first + row for row in np.flatnonzero(~moving).tolist() if row not in broken]
            first += len(front)
        if [len(w) for w in words] != search.levels.sizes:
            raise AssertionError("the levels are what the search found")
        found = Exploration(search.protocol, expanded=first, depth=search.depth, cut=cut, deadlocks=deadlocks)
        found.states = states = States(search.compiled)
        for some in words:
            states.packed.extend(packed(search.layout, some))
        found.parents, found.via = _array("i", parents), _array("i", via)
        starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(_joined(degrees))])
        found.edges = Edges(_array("q", [starts]), _array("i", targets), _array("i", numbers))
        return found

    def _steps(self, words: Words) -> tuple[Numbers, Numbers, Words]:
        """The steps of some words, in order: from which row, by which transition, to which word."""
        sources, numbers, targets = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], [np.zeros(0, np.uint64)]
        for source, number, target in self.search.engine.edges(words):
            sources.append(source.copy())
            numbers.append(number.copy())
            targets.append(target.copy())
        source, number = np.concatenate(sources), np.concatenate(numbers)
        order = np.lexsort((number, source))
        return source[order], number[order], np.concatenate(targets)[order]

    def _found(self, words: Words) -> Numbers:
        """The number of each word, or -1."""
        found = np.empty(len(words), np.int64)
        for places, which, part in self.search.visited.find(words):
            found[which] = self.numbers[part][places]
        return found

    def _give(self, words: Words, first: int) -> None:
        """Number words from `first` on."""
        for places, which, part in self.search.visited.find(words):
            self.numbers[part][places] = first + which

    def _broken(self, words: Words) -> dict[int, str]:
        """The rows in which an action leaves its domain, and what the plain code says of each."""
        if all(claim != BROKEN for claim, _ in self.search.first):
            return {}
        rows = np.flatnonzero(self.search.engine.leaving(words)).tolist()
        return {row: f"an action left its domain: {self._complaint(int(words[row]))}" for row in rows}

    def _complaint(self, word: int) -> str:
        compiled, layout = self.search.compiled, self.search.layout
        try:
            compiled.successors_packed(layout.packed(word))
        except DomainError as error:
            return str(error)
        raise AssertionError("the plain code complains of the same state")


def packed(layout: Layout, words: Words) -> list[int]:
    """The packed state of each word. These may have more than 64 bits, so they are added up as Python's integers."""
    total: Any = np.zeros(len(words), object)
    for cluster in layout.clusters:
        codes = np.array(cluster.codes, object)
        total += codes[
            ((words >> np.uint64(cluster.offset)) & np.uint64((1 << cluster.width) - 1)).astype(np.int64)
        ]
    return total.tolist()


def _joined(columns: Sequence[Numbers]) -> Numbers:
    return np.concatenate([np.zeros(0, np.int64), *columns])


def _array(code: str, columns: Sequence[Numbers]) -> array[int]:
    made = array(code)
    made.frombytes(_joined(columns).astype(np.dtype(made.typecode)).tobytes())
    return made
