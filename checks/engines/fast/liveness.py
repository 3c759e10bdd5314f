"""What can always happen, and what can go on for ever, by passes over the levels from the deepest to the first.

A state is marked where a claim holds, or where a step that somebody owes leads to a marked state. Most steps lead one
level deeper, so one pass marks nearly all; the rest is gone over until nothing changes. What stays unmarked can never
come to where the claim holds. For cycles it is the other way round: a state is done where every step that is owed
leads to one that is done; what stays is a cycle, or leads to one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from cutproof.checks.engines.fast.clusters import Words
from cutproof.checks.engines.fast.kernels.choice import kernels
from cutproof.checks.engines.fast.search import BROKEN, VectorSearch
from cutproof.checks.engines.fast.shortest_paths import steps_of

ROWS = 1 << 14
AT_ONCE = 8  # claims that are marked together: a bit each

Bits = npt.NDArray[np.uint8]
Look = Callable[[], None]


class Passes:
    """Marks of the states of a finished search: AT_ONCE claims at most, one bit each. `look` is called now and then."""

    def __init__(self, search: VectorSearch, claims: Sequence[int], look: Look) -> None:
        self.search, self.claims, self.look = search, list(claims), look
        self.owed = np.array([t.owed for t in search.protocol.transitions], np.uint8)
        self.all = np.uint8((1 << len(self.claims)) - 1)
        self.marks = [np.zeros(table.size, np.uint8) for table in search.visited.tables]

    def reach(self) -> list[Words]:
        """By claim, the words from which no state where it holds can be reached. What follows a state where an action
        left its domain is not known, so these count as reaching it."""
        self._begin()
        search = self.search
        if any(claim == BROKEN for claim, _ in search.first):
            for level in range(len(search.levels)):
                for words in search.levels.chunks(level, search.layout, ROWS):
                    self.look()
                    broken = words[search.engine.leaving(words)]
                    self._put(broken, np.full(len(broken), self.all))
        return self._until_nothing_changes(every=False)

    def rounds(self) -> list[Words]:
        """By claim, the words from which some run goes round for ever without a state where it holds."""
        self._begin()
        return self._until_nothing_changes(every=True)

    # -------------------------------------------------- marks

    def _begin(self) -> None:
        for marks in self.marks:
            marks[:] = 0
        search = self.search
        for level in range(len(search.levels)):
            for words in search.levels.chunks(level, search.layout, 1 << 18):
                self.look()
                told = search.engine.judge(words, set(self.claims))
                if told is None:
                    raise AssertionError("the search judged all of these")
                for bit, claim in enumerate(self.claims):
                    if claim in told:
                        self._put(told[claim], np.full(len(told[claim]), np.uint8(1 << bit)))

    def _put(self, words: Words, bits: Bits) -> None:
        for places, which, part in self.search.visited.find(words):
            self.marks[part][places] |= bits[which]

    def _of(self, words: Words) -> Bits:
        found = np.zeros(len(words), np.uint8)
        for places, which, part in self.search.visited.find(words):
            found[which] = self.marks[part][places]
        return found

    def _until_nothing_changes(self, every: bool) -> list[Words]:
        search, left = self.search, list[Words]()
        for level in range(len(search.levels) - 1, -1, -1):
            for words in search.levels.chunks(level, search.layout, ROWS):
                left.append(self._pass(words, every)[1])
        rest, changed = np.concatenate(left), True
        while changed and len(rest):
            changed, left = False, []
            for low in range(0, len(rest), ROWS):
                more, still = self._pass(rest[low : low + ROWS], every)
                changed |= more
                left.append(still)
            rest = np.concatenate(left)
        marks = self._of(rest)
        return [rest[(marks >> bit) & 1 == 0] for bit in range(len(self.claims))]

    def _pass(self, words: Words, every: bool) -> tuple[bool, Words]:
        """Mark what these words lead to: (whether anything changed, the words that are not marked for all)."""
        self.look()
        before = self._of(words)
        open_words, was = words[before != self.all], before[before != self.all]
        told = np.full(len(open_words), self.all) if every else was.copy()
        for source, _, target in self.search.engine.edges(open_words, self.owed):
            moves = target != open_words[source]
            there, row = target[moves], source[moves]
            if every and self.search.layout.blocks:
                same = np.unique(source[~moves])
                told[same[turning(self.search, open_words[same])]] = 0
            for places, which, part in self.search.visited.find(there):
                (kernels.all_of if every else kernels.any_of)(self.marks[part], places, row[which], told)
        told |= was
        self._put(open_words, told)
        return bool((told != was).any()), open_words[told != self.all]


def owed_cycles(search: VectorSearch, words: Words) -> list[Words]:
    """The sets of words, among `words`, within which runs of owed steps go round."""
    words = np.sort(words)
    owed = np.array([t.owed for t in search.protocol.transitions], np.uint8)
    sources, targets, selves = ([np.zeros(0, np.int64)] for _ in range(3))
    for source, _, target in search.engine.edges(words, owed):
        at = np.searchsorted(words, target)
        within = (at < len(words)) & (words[np.minimum(at, len(words) - 1)] == target) & (at != source)
        sources.append(source[within].copy())
        targets.append(at[within])
        selves.append(source[at == source].copy())
    rows, columns = np.concatenate(sources), np.concatenate(targets)
    graph = coo_array((np.ones(len(rows), np.int8), (rows, columns)), shape=(len(words), len(words)))
    _, label = connected_components(graph.tocsr(), connection="strong")
    order = np.argsort(label, kind="stable")
    cuts = np.flatnonzero(np.diff(label[order])) + 1
    same = words[np.unique(np.concatenate(selves))] if search.layout.blocks else words[:0]
    alone = set(same[turning(search, same)].tolist())
    parts = [words[part] for part in np.split(order, cuts)]
    return [part for part in parts if len(part) > 1 or (len(part) and int(part[0]) in alone)]


def turning(search: VectorSearch, words: Words) -> npt.NDArray[np.bool_]:
    """From which words an owed step leads to another state that differs only by an exchange of what is interchangeable:
    such a step leads nowhere in the reduced graph, and yet it can be taken for ever."""
    layout, owed, found = search.layout, [t.owed for t in search.protocol.transitions], list[bool]()
    for word in words.tolist():
        state = layout.packed(word)
        others = (a for n, a in steps_of(search.engine, state) if owed[n] and a != state)
        found.append(any(layout.canonical(layout.word(a)) == word for a in others))
    return np.array(found, np.bool_)
