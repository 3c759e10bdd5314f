"""What was learnt of the rules (`rules.py`), as flat arrays for the compiled search: open addressing, one place each.

A key is the bits of the word that a factor reads. The value says where the steps are that these bits lead to: each
with what it adds to the word. Which rules are worth a look at all is looked up first, by a few bits (`able`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cutproof.checks.engines.fast.clusters import Layout, Words
from cutproof.checks.engines.fast.kernels.layout import BROKEN, BYTE, CHANGES, LOW32, MULTIPLIER, TAKEN
from cutproof.checks.engines.fast.rules import Factor, Rule, Splitter
from cutproof.model.language import expressions as ex
from cutproof.model.language.codegen import Compiled, DomainError, Steps
from cutproof.model.language.expressions import Term
from cutproof.model.language.protocol import Transition

WHOLE = (1 << 64) - 1
SMALLEST = 3  # bits of the size of an empty table
SPREAD = int(MULTIPLIER)

# A value: where the steps begin (32 bits), how many change the state, how many there are, and two flags.
_CHANGES, _TAKEN, _BROKEN, _KNOWN = int(CHANGES), int(TAKEN), int(BROKEN), 63


class Tables(NamedTuple):
    """Rule `r` has the factors `first[r]` to `first[r + 1]`, and factor `f` the places `place[f]` to
    `place[f] + 2^size[f]` of `slots`. The factors after those of the last rule tell a row of `able`
    each: a rule may be taken where all of these rows have its bit."""

    first: npt.NDArray[np.int64]
    mask: Words
    place: npt.NDArray[np.int64]
    size: npt.NDArray[np.int64]
    slots: Words  # key and value by turns, so that both are in one line of memory
    added: Words
    number: npt.NDArray[np.int32]
    single: npt.NDArray[np.int32]
    able: Words  # a row of bits, one for each rule
    blocks: npt.NDArray[
        np.int64
    ]  # of interchangeable indices: how many, the offset of the first, the width of each


class Rulebook:
    """Rules, and what was learnt of them. `learn` adds what the search had not met before."""

    def __init__(self, compiled: Compiled, layout: Layout, splitter: Splitter, rules: Sequence[Rule]) -> None:
        self.compiled, self.layout, self.rules = compiled, layout, list(rules)
        looks = splitter.looks(self.rules)
        self._possible = [splitter.possible(self.rules, look) for look in looks]
        self.factors = [f for rule in self.rules for f in rule.factors] + [Factor(look, ()) for look in looks]
        self._several = [rule.single >= 0 for rule in self.rules for _ in rule.factors]
        self._known: list[dict[int, tuple[Steps, bool]]] = [{} for _ in self.factors]
        self._listed: list[dict[int, int]] = [{} for _ in self.factors]  # key in the word -> value
        self._size = [SMALLEST] * len(self.factors)
        self._place, self._slots = np.zeros(0, np.int64), np.zeros(0, np.uint64)
        self._first = np.cumsum([0, *(len(rule.factors) for rule in self.rules)]).astype(np.int64)
        self._added, self._number, self._filled = np.zeros(64, np.uint64), np.zeros(64, np.int32), 0
        self._able, self._rows = np.zeros((8, max(1, -(-len(self.rules) // 64))), np.uint64), 0
        self.laid_out()

    @property
    def places(self) -> int:
        """Places in the tables."""
        return int(self._place[-1])

    @property
    def entries(self) -> int:
        """How many combinations were computed."""
        return sum(map(len, self._known))

    # -------------------------------------------------- learning

    def learn(self, words: Words, rules: npt.NDArray[np.int64], before: Callable[[], None]) -> bool:
        """Compute what these rules make of these words (rule -1: which rules there are). False if the layout is full:
        it has to be laid out anew. `before` is called before places in the tables change."""
        for r in np.unique(rules).tolist():
            which = (
                range(self._first[r], self._first[r + 1])
                if r >= 0
                else range(self._first[-1], len(self.factors))
            )
            read = frozenset[int]().union(*(self.factors[f].clusters for f in which))
            some = words[rules == r]
            _, one_each = np.unique(some & np.uint64(self.layout.bits(read)), return_index=True)
            for word in some[np.sort(one_each)].tolist():
                for f in which:
                    bits = self._cut(f, word)
                    found = self._known[f].get(bits)
                    if found is None:
                        found = self._known[f][bits] = self._computed(f, bits)
                        self._enter(f, bits, *found)
                    if not found[0] and not found[1]:
                        break
        if self.layout.full:
            return False
        self._arrange(before)
        return True

    def _cut(self, f: int, word: int) -> int:
        """The packed bits that a factor reads of a word."""
        return sum([codes[word >> offset & mask] for codes, offset, mask in self._reads[f]])

    def _computed(self, f: int, bits: int) -> tuple[Steps, bool]:
        factor = self.factors[f]
        if not factor.steps:
            return ((self._row(f - int(self._first[-1]), bits), 0),), False
        try:
            return factor.work(bits), False
        except DomainError:
            return inside_bits(self.compiled, factor.steps, bits), True

    def _row(self, look: int, bits: int) -> int:
        if self._rows == len(self._able):
            self._able = np.concatenate([self._able, np.zeros_like(self._able)])
        able = sum([1 << r for r in self._possible[look](bits)])
        self._able[self._rows] = [able >> 64 * w & WHOLE for w in range(self._able.shape[1])]
        self._rows += 1
        return self._rows - 1

    # -------------------------------------------------- the arrays

    def laid_out(self) -> None:
        """Enter everything anew, after the layout changed."""
        clusters = self.layout.clusters
        self._reads = [
            [
                (clusters[i].codes, clusters[i].offset, (1 << clusters[i].width) - 1)
                for i in sorted(f.clusters)
            ]
            for f in self.factors
        ]
        self._masks = np.array([self.layout.bits(f.clusters) for f in self.factors], np.uint64)
        self._filled, self._arranged = 0, False
        self._new: list[tuple[int, int, int]] = []
        for f, known in enumerate(self._known):
            self._listed[f] = {}
            for bits, (steps, broken) in known.items():
                self._enter(f, bits, steps, broken)
        self._arrange()

    def _enter(self, f: int, bits: int, steps: Steps, broken: bool) -> None:
        layout, factor = self.layout, self.factors[f]
        clusters = [layout.clusters[i] for i in factor.clusters]
        key = sum([layout.number(c, bits & c.mask) << c.offset for c in clusters])
        if not factor.steps:
            value = steps[0][0] | 1 << _KNOWN
        else:
            moves = sorted(steps, key=lambda step: not step[1])  # those that change nothing come last
            if broken and self._several[f]:
                moves = [
                    (factor.steps[0][0], 0)
                ]  # whether it is taken at all is for the other factors to say
            start = self._filled
            if start + len(moves) > len(self._added):
                self._added = np.concatenate([self._added, np.zeros_like(self._added)])
                self._number = np.concatenate([self._number, np.zeros_like(self._number)])
            parts = [(c.mask, c.numbers, c.offset, c) for c in clusters]
            adds = []
            for _, change in moves:
                after, added = bits + change, 0
                differ = bits ^ after
                for mask, numbers, offset, c in parts if change else ():
                    if differ & mask:
                        there = numbers.get(after & mask)
                        there = layout.number(c, after & mask) if there is None else there
                        added += there - numbers[bits & mask] << offset
                adds.append(added & WHOLE)
            self._added[start : start + len(moves)] = adds
            self._number[start : start + len(moves)] = [number for number, _ in moves]
            self._filled += len(moves)
            changing = sum([1 for _, change in moves if change])
            value = start | changing << _CHANGES | len(moves) << _TAKEN | broken << _BROKEN | 1 << _KNOWN
        self._listed[f][key] = value
        self._new.append((f, key, value))

    def _arrange(self, before: Callable[[], None] = lambda: None) -> None:
        """Bring what was learnt since the last time into the arrays."""
        grown = set[int]()
        for f, listed in enumerate(self._listed):
            if len(listed) * 4 > 3 << self._size[f]:
                self._size[f] = (2 * len(listed) - 1).bit_length()
                grown.add(f)
        if grown or not self._arranged:
            before()
            place = np.cumsum([0, *(1 << size for size in self._size)]).astype(np.int64)
            slots = np.zeros(2 * place[-1], np.uint64)
            for f, listed in enumerate(self._listed):
                if f in grown or not self._arranged:
                    _scatter(slots, int(place[f]), self._size[f], listed.items())
                else:
                    was = self._slots[2 * self._place[f] : 2 * self._place[f + 1]]
                    slots[2 * place[f] : 2 * place[f + 1]] = was
            self._place, self._slots = place, slots
        for f, key, value in self._new:
            if f not in grown and self._arranged:
                _scatter(self._slots, int(self._place[f]), self._size[f], [(key, value)])
        self._new, self._arranged = [], True
        self.tables = Tables(
            first=self._first,
            mask=self._masks,
            place=self._place,
            size=np.array(self._size, np.int64),
            slots=self._slots,
            added=self._added,
            number=self._number,
            single=np.array([rule.single for rule in self.rules] or [-1], np.int32),
            able=self._able,
            blocks=np.array(self.layout.blocks, np.int64).reshape(-1, 3),
        )

    # -------------------------------------------------- counting

    def fired(
        self, times: npt.NDArray[np.int64], rules: npt.NDArray[np.int64], into: npt.NDArray[np.int64]
    ) -> None:
        """Add to `into` how often each transition was taken: `times` by place, `rules` for those in factors."""
        used = np.flatnonzero(times)
        values = self.tables.slots[2 * used + 1]
        starts = (values & LOW32).astype(np.int64)
        taken = (values >> TAKEN & BYTE).astype(np.int64)
        before = np.cumsum(taken) - taken
        each = np.repeat(starts - before, taken) + np.arange(int(taken.sum()))
        np.add.at(into, self.tables.number[each], np.repeat(times[used], taken))
        for r in np.flatnonzero(rules):
            into[self.rules[r].single] += rules[r]


def _scatter(slots: Words, place: int, size: int, listed: Iterable[tuple[int, int]]) -> None:
    last, shift = (1 << size) - 1, 64 - size
    for key, value in listed:
        at = (key * SPREAD & WHOLE) >> shift
        while slots[2 * (place + at) + 1]:
            at = (at + 1) & last
        slots[2 * (place + at)], slots[2 * (place + at) + 1] = key, value


def inside_bits(compiled: Compiled, steps: Sequence[tuple[int, Transition]], bits: int) -> Steps:
    """The steps that stay inside their domains, by the plain interpreter, from bits where some step does not."""
    values, done = compiled.protocol.named(compiled.unpack(bits)), dict[Term, int]()
    found = []
    for number, transition in steps:
        if ex.evaluate(transition.enabled, values, done):
            news = [(cell, ex.evaluate(term, values, done)) for cell, term in transition.updates]
            if all(cell.domain.low <= value <= cell.domain.high for cell, value in news):
                change = sum(
                    value - values[cell.name] << compiled.packing.offsets[cell.name]
                    for cell, value in news
                    if cell.name in compiled.packing.offsets
                )
                found.append((number, change))
    return tuple(found)
