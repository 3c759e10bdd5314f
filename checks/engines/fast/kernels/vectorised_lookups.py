"""Look-ups in the tables of a rulebook for many words at once: what `expand`, `judge` and `edges` of `vectorised.py`
begin with.

The rules that may be taken are listed row by row, one after another. A rule of several factors is looked up once for
each, as long as all so far say yes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from cutproof.checks.engines.fast.clusters import Words
from cutproof.checks.engines.fast.kernels.layout import BROKEN, BYTE, CHANGES, EMPTY, LOW32, MULTIPLIER, TAKEN

Numbers = npt.NDArray[np.int64]


class Found:
    """What the tables say of some words, rule by rule: `bounds[i]` to `bounds[i + 1]` are the rules of row `i`.

    `value` is what the last factor that was looked up has at place `at`, or 0 where its table lacks the key; `total` is
    what the factors before it add to the word. A rule is `able` to be taken if each factor has one of the bits `yes`,
    and `away` if one would leave its domain. With `watched` (bits) no other rule is looked up."""

    def __init__(self, t: Any, words: Words, yes: np.uint64, watched: np.uint64 | None = None) -> None:
        first, masks, place, size, self.slots, self.added, _, _, able, _ = t
        self.masks, self.base, self.shift = masks, place.view(np.uint64), (64 - size).view(np.uint64)
        self.words, self.yes, self.first, factor = words, yes, first, first[:-1]
        known, bits = np.ones(len(words), bool), np.full((len(words), able.shape[1]), EMPTY)
        for f in range(first[-1], len(size)):
            _, value = self._probe(words & masks[f], self.base[f : f + 1], self.shift[f : f + 1])
            known &= value != 0
            bits &= able[(value & LOW32).view(np.int64)]
        self.unknown = np.flatnonzero(~known)
        bits[self.unknown] = 0
        if watched is not None:
            bits[:, 0] &= watched
        count, self.rule = _numbers(bits)
        self.bounds, self.word = sums(count), np.repeat(words, count)
        key = self.word & masks[factor][self.rule]
        self.at, self.value = self._probe(key, self.base[factor][self.rule], self.shift[factor][self.rule])
        self.able = ((self.value >> TAKEN) & yes) != 0
        self.total, self.away = np.zeros(len(key), np.uint64), np.zeros(len(key), bool)
        self._other_factors(np.flatnonzero(self.able & (np.diff(first) > 1)[self.rule]))
        self.away |= ((self.value >> BROKEN) & np.uint64(1)) != 0
        self._list_misses()

    def _other_factors(self, todo: Numbers) -> None:
        """Look up the second factor of these rules, and so on."""
        factor = self.first[self.rule[todo]]
        while len(todo):
            value, factor = self.value[todo], factor + 1
            self.total[todo] += self.added[(value & LOW32).view(np.int64)]
            self.away[todo] |= ((value >> BROKEN) & np.uint64(1)) != 0
            key = self.word[todo] & self.masks[factor]
            self.at[todo], value = self._probe(key, self.base[factor], self.shift[factor])
            self.value[todo] = value
            able = ((value >> TAKEN) & self.yes) != 0
            self.able[todo] = able
            on = able & (factor + 1 < self.first[self.rule[todo] + 1])
            todo, factor = todo[on], factor[on]

    def _probe(self, key: Words, base: Words, shift: Words) -> tuple[Numbers, Words]:
        """The place of each key in its table, and the value there; 0 where the table does not have it."""
        slots, hashed = self.slots, (key * MULTIPLIER) >> shift
        at = (base + hashed).view(np.int64)
        value = slots[2 * at + 1]
        wrong = np.flatnonzero((slots[2 * at] != key) & (value != 0))
        base, shift = np.broadcast_to(base, key.shape)[wrong], np.broadcast_to(shift, key.shape)[wrong]
        key, hashed, last = key[wrong], hashed[wrong], EMPTY >> shift
        while len(wrong):
            hashed = (hashed + np.uint64(1)) & last
            here = (base + hashed).view(np.int64)
            now = slots[2 * here + 1]
            at[wrong], value[wrong] = here, now
            on = np.flatnonzero((slots[2 * here] != key) & (now != 0))
            wrong, key, base, hashed, last = wrong[on], key[on], base[on], hashed[on], last[on]
        return at, value

    # -------------------------------------------------- what the tables lack

    def _list_misses(self) -> None:
        """Rows and rules for which something is missing, in order; of rule -1 which rules there are."""
        lacking = np.flatnonzero(self.value == 0)
        rows = np.concatenate([self.unknown, self.row_of(lacking)])
        rules = np.concatenate([np.full(len(self.unknown), -1), self.rule[lacking]])
        order = np.argsort(rows, kind="stable")
        self.miss_row, self.miss_rule = rows[order], rules[order]

    def room_for(self, most: int) -> int:
        """The first row before which there are more than so many misses; or the number of rows."""
        return int(self.miss_row[most]) + 1 if len(self.miss_row) > most else len(self.words)

    def drop_lacking(self) -> None:
        """Take nothing in rows for which something is missing."""
        if len(self.miss_row):
            lacking = np.zeros(len(self.words), bool)
            lacking[self.miss_row] = True
            of_row = np.repeat(lacking, np.diff(self.bounds))
            self.able[of_row], self.value[of_row] = False, 0

    def record(
        self, end: int, low: int, listed: tuple[int, int], skipped: Numbers, miss_row: Numbers, miss_rule: Numbers
    ) -> tuple[int, int]:  # fmt: skip
        """List what is missing for the rows before `end`, which are numbered from `low`, after the rows and the misses
        that are `listed` already; how many are then."""
        skips, misses = listed
        n = int(np.searchsorted(self.miss_row, end))
        rows = np.unique(self.miss_row[:n])
        skipped[skips : skips + len(rows)] = low + rows
        miss_row[misses : misses + n] = low + self.miss_row[:n]
        miss_rule[misses : misses + n] = self.miss_rule[:n]
        return skips + len(rows), misses + n

    def row_of(self, which: Numbers) -> Numbers:
        """The row that each of some rules is listed for."""
        return np.searchsorted(self.bounds, which, side="right") - 1


class Steps:
    """The steps of all rules that were found: how many change the word, and how many there are. A rule of `several` (by
    number) is one step, which adds `total`."""

    def __init__(self, t: Any, found: Found) -> None:
        self.found, self.added, self.blocks, value, single = found, t[5], t[9], found.value, t[7]
        self.changes = ((value >> CHANGES) & BYTE).view(np.int64)
        self.taken = ((value >> TAKEN) & BYTE).view(np.int64)
        self.in_factors = found.able & (single >= 0)[found.rule]
        self.several = which = np.flatnonzero(self.in_factors)
        self.total = found.total[which] + self.added[(value[which] & LOW32).view(np.int64)]
        inside = ~found.away[which]
        self.changes[which], self.taken[which] = inside & (self.total != 0), inside

    def lead_to(self, counts: Numbers) -> tuple[Numbers, Numbers, Words]:
        """So many steps of each rule: the sums of how many, where each is in `added`, the words that they lead to."""
        found, of_rule = self.found, sums(counts)
        which = ranges((found.value & LOW32).view(np.int64), counts, of_rule)
        change, there = self.added[which], counts[self.several] != 0
        change[of_rule[self.several[there]]] = self.total[there]
        return of_rule, which, np.repeat(found.word, counts) + change

    def count(self, end: int, times: Numbers, in_factors: Numbers) -> None:
        """Count what is taken in the rows before `end`: by place, and by rule for those in several factors."""
        found, n = self.found, self.found.bounds[end]
        plain = found.able[:n] & ~self.in_factors[:n]
        times += np.bincount(found.at[:n][plain], minlength=len(times))
        which = self.several[: np.searchsorted(self.several, n)]
        in_factors += np.bincount(found.rule[which[self.taken[which] != 0]], minlength=len(in_factors))

    def per_row(self, counts: Numbers, end: int) -> Numbers:
        """The sum of some counts for each row before `end`."""
        return np.diff(sums(counts)[self.found.bounds[: end + 1]])


def _numbers(bits: Words) -> tuple[Numbers, Numbers]:
    """How many bits each row has, and the numbers of these bits, row by row."""
    count = np.bitwise_count(bits).sum(axis=1, dtype=np.int64)
    row = np.repeat(np.arange(0, 64 * bits.size, 64 * bits.shape[1]), count)
    little = bits.astype("<u8", copy=False).view(np.uint8)
    return count, np.flatnonzero(np.unpackbits(little, axis=1, bitorder="little")) - row


def sums(counts: npt.NDArray[Any]) -> Numbers:
    """The sum of the counts before each, and of all."""
    found = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=found[1:])
    return found


def ranges(starts: Numbers, counts: npt.NDArray[Any], bounds: Numbers) -> Numbers:
    """So many numbers from each start on, one after another; `bounds` are the sums of the counts."""
    return np.repeat(starts - bounds[:-1], counts) + np.arange(bounds[-1])
