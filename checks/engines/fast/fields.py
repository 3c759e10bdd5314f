"""Which fields are made fast: those whose values are many beside one another, so that few rows hold many states.

Taken from the states of one level of the search: of some of them, to find sets of fields that seem good, and then of
others for each of these sets, in which nothing is seen in part. Any choice is right, and a good one is several times as
fast. A level must be large to tell: looked at anew whenever the levels have grown several times.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from math import log

import numpy as np
import numpy.typing as npt

from cutproof.checks.engines.fast.kernels.choice import COMPILED, kernels
from cutproof.checks.engines.fast.program import Words
from cutproof.checks.engines.fast.states import LOW, bits_of, columns
from cutproof.model.language.circuit import Layout

MOST = 64  # fast values
POOL = 12  # fields of which some are chosen
HINTED = 24  # fields of which those may be, the next time
STATES = 80_000 if COMPILED else 50_000  # that are looked at
SAMPLE = 20_000  # ... to choose among the pool
BEAM, FINALISTS = 3, 6  # sets of fields that are made larger, and those of which rows are counted in the end
LOOKED_AT = 50_000  # rows that are looked at for that
WORTH = 0.85  # so many times the rows that there would be now, or fewer: else nothing is laid out anew

ODD = np.uint64(0x9E3779B97F4A7C15)

Column = npt.NDArray[np.int64]
Coded = dict[str, Words]


class Fields:
    """Chooses, and remembers which fields promised most. `without` may not be fast."""

    def __init__(self, without: Collection[str]) -> None:
        self.without, self.hinted = set(without), list[str]()
        self.promised = 0.0  # states a row

    def chosen(self, layout: Layout, rows: Words) -> tuple[str, ...]:
        """The names of the fields to make fast, by the states of a level."""
        found = self._columns(layout, self._some(layout, rows))
        draw, coded = np.random.default_rng(0), Coded()
        for name, column in sorted(found.items()):
            if len(column) and column.min() < column.max():
                words = draw.integers(1 << 61, 1 << 64, size=int(column.max()) + 1, dtype=np.uint64)
                coded[name] = words[column]
        small = {name for name in coded if len(layout.values[name]) <= MOST} - self.without
        if not small:
            return ()
        whole = np.bitwise_xor.reduce(list(coded.values()))
        count = _counter(len(whole))
        begin = count(whole)
        gains = {name: log(begin / count(whole ^ coded[name])) for name in sorted(small)}
        ranked = sorted(gains, key=lambda name: (-gains[name], name))
        self.hinted, pool = (
            ranked[:HINTED],
            list(dict.fromkeys([*ranked[:POOL], *(n for n in layout.fast if n in small)])),
        )
        sets = self._best(layout, {name: coded[name] for name in pool}, whole)
        return self._better(layout, rows, sets)

    def _some(self, layout: Layout, rows: Words) -> Words:
        """Rows of a part of the states: all that differ from each other only by what was promising, or none."""
        states = int(np.bitwise_count(rows[-1]).sum())
        if states <= STATES or not self.hinted:
            return rows
        for hinted in (self.hinted, self.hinted[:POOL]):
            masks = [0] * layout.words
            for name in hinted:
                if name in layout.places:
                    place = layout.places[name]
                    masks[place.offset // 64] |= ((1 << place.width) - 1) << place.offset % 64
            mixed = np.zeros(rows.shape[1], np.uint64)
            for x in range(layout.words):
                mixed = (mixed ^ (rows[x] & ~np.uint64(masks[x]))) * ODD
                mixed ^= mixed >> np.uint64(29)
            some = np.ascontiguousarray(rows[:, mixed % np.uint64(states // STATES + 1) == 0])
            if STATES // 4 <= int(np.bitwise_count(some[-1]).sum()) <= 2 * STATES:
                break
        return some if some.shape[1] else rows

    def _columns(self, layout: Layout, rows: Words) -> dict[str, Column]:
        """Of each state, by field, the place of its value among those that the field can have."""
        found = columns(layout, rows)
        for name, column in found.items():
            values = layout.values[name]
            found[name] = column - values[0]
            if values[-1] - values[0] != len(values) - 1 and len(values) <= MOST:  # there are gaps
                table = np.zeros(values[-1] - values[0] + 1, np.int64)
                table[np.array(values) - values[0]] = np.arange(len(values))
                found[name] = table[column - values[0]]
        return found

    def _best(self, layout: Layout, coded: Coded, whole: Words) -> list[tuple[str, ...]]:
        """A beam search over sets of fields of the pool: those that seem to leave the fewest rows, none among them."""
        rest = np.bitwise_xor.reduce([whole, *coded.values()])
        rows = rest % np.uint64(251) < max(1, 251 * SAMPLE // len(whole))
        whole = whole[rows]
        coded = {name: words[rows] for name, words in coded.items()}
        count = _counter(len(whole))
        begin = count(whole)
        beam, best = [(0.0, begin, 1, tuple[str, ...](), whole)], {tuple[str, ...](): begin}
        while beam:
            grown = dict[tuple[str, ...], tuple[float, int, int, tuple[str, ...], Words]]()
            for _, now, size, names, left in beam:
                for name, words in coded.items():
                    key, larger = tuple(sorted((*names, name))), size * len(layout.values[name])
                    if name not in names and larger <= MOST and key not in grown:
                        less = count(left ^ words)
                        if less < 0.97 * now:
                            grown[key] = (log(begin / less) / log(larger), less, larger, key, left ^ words)
            beam = sorted(grown.values(), key=lambda g: (-g[0], g[3]))[:BEAM]
            best |= {g[3]: g[1] for g in grown.values()}
        return sorted(best, key=lambda names: (best[names], names))[:FINALISTS]

    def _better(self, layout: Layout, rows: Words, sets: list[tuple[str, ...]]) -> tuple[str, ...]:
        """The best of some sets of fields, or those that are fast now where it is not worth the change."""
        gains = {names: -states_a_row(layout, rows, names) for names in sets}
        best = min(gains, key=lambda names: (gains[names], names))
        if layout.fast and not self.without & layout.fast.keys():
            as_now = -states_a_row(layout, rows, tuple(layout.fast))
            if gains[best] >= as_now / WORTH:
                gains[best := tuple(layout.fast)] = as_now
        self.promised = -gains[best]
        return best


def states_a_row(layout: Layout, rows: Words, names: Collection[str]) -> float:
    """How many states a row would have if these fields were fast. Of some rows that there would be then, all states are
    looked at: which ones follows from all other fields, so that nothing is seen in part."""
    kept, others = [LOW] * layout.words, [n for n in layout.fast if n not in names]
    for name in names:
        if name in layout.places:
            place = layout.places[name]
            kept[place.offset // 64] &= ~(((1 << place.width) - 1) << place.offset % 64)
    mixed = np.zeros(rows.shape[1], np.uint64)
    for x in range(layout.words):
        mixed = (mixed ^ (rows[x] & np.uint64(kept[x]))) * ODD
        mixed ^= mixed >> np.uint64(29)
    share = np.uint64(rows.shape[1] // LOOKED_AT + 1)
    some = np.flatnonzero((mixed % share == 0) & (rows[-1] != 0))
    masks, mixed = rows[-1][some], mixed[some]
    states = int(np.bitwise_count(masks).sum())
    if others:
        bits, mixed = bits_of(masks[None]), np.repeat(mixed, np.bitwise_count(masks).astype(np.int64))
        rest = np.zeros(len(bits), np.int64)
        for number, name in enumerate(others):
            count = len(layout.fast[name])
            rest += (bits // layout.strides[name] % count) << 6 * number
        mixed = (mixed ^ rest.view(np.uint64)) * ODD
    return states / _counter(len(mixed))(mixed) if states else 1.0


def _counter(most: int) -> Callable[[Words], int]:
    """How many different words there are of so many."""
    scratch = np.empty(1 << max(4, (most + most // 2).bit_length()), np.uint64)
    return lambda words: int(kernels.distinct(words, scratch)) if len(words) else 1
