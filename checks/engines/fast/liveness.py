"""What can always happen, and what can go on for ever, by passes over the levels from the deepest to the first.

A state is marked where a claim holds, or where a step that somebody owes leads to a marked state. Most steps lead one
level deeper, so one pass marks nearly all; the rest is gone over until nothing changes. What stays unmarked can never
come to where the claim holds. For cycles it is the other way round: a state is done where every step that is no fault
leads to one that is done; what stays is a cycle, or leads to one, and of cycles those are kept that are fair.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from cutproof.checks.engines.fast.clusters import Words
from cutproof.checks.engines.fast.kernels.choice import kernels
from cutproof.checks.engines.fast.search import BROKEN, VectorSearch
from cutproof.checks.engines.fast.shortest_paths import steps_of
from cutproof.checks.engines.lasso import put_off

ROWS = 1 << 14
AT_ONCE = 8  # claims that are marked together: a bit each

Bits = npt.NDArray[np.uint8]
Look = Callable[[], None]


class Passes:
    """Marks of the states of a finished search: AT_ONCE claims at most, one bit each. `look` is called now and then."""

    def __init__(self, search: VectorSearch, claims: Sequence[int], look: Look) -> None:
        self.search, self.claims, self.look = search, list(claims), look
        self.owed = np.array([t.owed for t in search.protocol.transitions], np.uint8)
        self.no_fault = _no_fault(search)
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
        for source, _, target in self.search.engine.edges(open_words, self.no_fault if every else self.owed):
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


def fair_cycles(search: VectorSearch, words: Words) -> list[Words]:
    """The sets of words, among `words`, within which fair runs without faults go round (`engines/lasso.py`)."""
    words, transitions = np.sort(words), search.protocol.transitions
    sources, taken, targets, turns = ([np.zeros(0, np.int64)] for _ in range(4))
    for source, number, target in search.engine.edges(words, _no_fault(search)):
        at = np.searchsorted(words, target)
        inside = (at < len(words)) & (words[np.minimum(at, len(words) - 1)] == target)
        moves = target != words[source]
        sources.append(source[moves].copy())
        taken.append(number[moves].copy())
        targets.append(np.where(inside, at, -1)[moves])
        turns.append(source[~moves].copy())
    row, number, column = map(np.concatenate, (sources, taken, targets))
    within = column >= 0
    ends = (row[within], column[within])
    graph = coo_array((np.ones(len(ends[0]), np.int8), ends), shape=(len(words), len(words)))
    many, label = connected_components(graph.tocsr(), connection="strong")
    order, sizes = np.argsort(label, kind="stable"), np.bincount(label, minlength=many)
    parts = np.split(words[order], np.cumsum(sizes)[:-1])
    if search.layout.blocks:
        same = words[np.unique(np.concatenate(turns))]
        alone = set(same[turning(search, same)].tolist())
        return [p for p in parts if (len(p) > 1 or int(p[0]) in alone) and _is_fair(search, p)]
    delayed = np.zeros(many, np.bool_)
    inside = within & (label[row] == label[column])
    for fair in (n for n, t in enumerate(transitions) if t.fair):
        able = np.bincount(label[row[number == fair]], minlength=many) == sizes
        able[label[row[inside & (number == fair)]]] = False
        delayed |= able
    return [part for n, part in enumerate(parts) if len(part) > 1 and not delayed[n]]


def _no_fault(search: VectorSearch) -> npt.NDArray[np.uint8]:
    return np.array([not t.fault for t in search.protocol.transitions], np.uint8)


def _is_fair(search: VectorSearch, members: Words) -> bool:
    """As `put_off`, in a graph that is reduced by symmetry: one of the components of
    the states themselves, of which all others are images."""
    entry = search.layout.packed(int(members[0]))
    steps = partial(steps_of, search.engine)
    return not put_off(_component(search, entry, members), steps, search.protocol.transitions)


def inside_of(search: VectorSearch, entry: int, members: Words) -> Callable[[int], bool]:
    """Whether a packed state is in the strongly connected component of `entry`, where `members` are its words."""
    within, layout = set(members.tolist()), search.layout
    if layout.blocks:
        return _component(search, entry, members).__contains__
    return lambda state: layout.word(state) in within


def _component(search: VectorSearch, entry: int, members: Words) -> set[int]:
    """The packed states that `entry` leads to and that lead to it, by states whose words are `members`."""
    layout, within, kinds = search.layout, set(members.tolist()), search.protocol.transitions
    queue, before = [entry], dict[int, list[int]]({entry: []})
    for here in queue:  # grows as it is walked
        for number, there in steps_of(search.engine, here):
            if not kinds[number].fault and layout.canonical(layout.word(there)) in within:
                if there not in before:
                    queue.append(there)
                before.setdefault(there, []).append(here)
    found = {entry: None}
    for here in (queue := [entry]):  # grows as it is walked
        queue += [back for back in dict.fromkeys(before[here]) if back not in found]
        found |= dict.fromkeys(before[here])
    return set(found)


def turning(search: VectorSearch, words: Words) -> npt.NDArray[np.bool_]:
    """From which words a step that is no fault leads to another state that differs only by an exchange of what is
    interchangeable: such a step leads nowhere in the reduced graph, and yet it can be taken for ever."""
    layout, kinds, found = search.layout, search.protocol.transitions, list[bool]()
    for word in words.tolist():
        state = layout.packed(word)
        others = (a for n, a in steps_of(search.engine, state) if not kinds[n].fault and a != state)
        found.append(any(layout.canonical(layout.word(a)) == word for a in others))
    return np.array(found, np.bool_)
