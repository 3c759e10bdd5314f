"""From one layout to another: which bits move where, and rows as they are in the new one."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np

from cutproof.checks.engines.fast.kernels.choice import kernels
from cutproof.checks.engines.fast.program import Words
from cutproof.model.language.circuit import Layout

CHUNK = 1 << 14  # rows at a time


class Move:
    """How rows of `old` become rows of `new`, of one protocol: a row for each state, of which some may have one key."""

    def __init__(self, old: Layout, new: Layout) -> None:
        self.same = old.described() == new.described()
        self.kk, self.k = (0,) * old.words, new.words
        runs = dict[tuple[int, int, int], int]()
        for name, place in old.places.items():
            if name in new.places:
                to = new.places[name]
                word, at = divmod(place.offset, 64)
                there, target = divmod(to.offset, 64)
                key = word, there, target - at
                runs[key] = runs.get(key, 0) | ((1 << place.width) - 1) << at
        moves = [(w, mask, max(by, 0), max(-by, 0), there) for (w, there, by), mask in runs.items()]
        self.moves = np.array(moves, np.uint64).reshape(-1, 5)
        self.keys, self.bits = self._of_fast_values(old, new)
        self.slow = self._become_fast(old, new)

    def _of_fast_values(self, old: Layout, new: Layout) -> tuple[Words, np.ndarray]:
        """What each fast value of the old layout is in the new one: bits of the key, and of the number."""
        keys, bits = np.zeros((64, new.words), np.uint64), np.zeros(64, np.int64)
        names = list(old.fast)
        for number, values in enumerate(product(*(old.fast[n] for n in reversed(names)))):
            for name, value in zip(reversed(names), values, strict=True):
                if name in new.fast:
                    bits[number] += new.strides[name] * new.fast[name].index(value)
                elif name in new.places:
                    place = new.places[name]
                    keys[number, place.offset // 64] |= np.uint64(value - place.low << place.offset % 64)
        return keys, bits

    def _become_fast(self, old: Layout, new: Layout) -> tuple[Words, np.ndarray]:
        """The fields that were slow and are fast: where they were, and what each value adds to the number."""
        names = [name for name in new.fast if name in old.places]
        most = max((1 << old.places[n].width for n in names), default=1)
        fields, tables = np.zeros((len(names), 3), np.uint64), np.zeros((len(names), most), np.int64)
        for row, name in enumerate(names):
            place = old.places[name]
            fields[row] = place.offset // 64, (1 << place.width) - 1, place.offset % 64
            for number, value in enumerate(new.fast[name]):
                tables[row, value - place.low] = number * new.strides[name]
        return fields, tables

    def rows(self, rows: Words) -> Iterator[Words]:
        """The rows as they are in the new layout, some at a time."""
        if self.same:
            yield rows
            return
        out = np.empty((self.k + 1, CHUNK * 64), np.uint64)
        rows = np.ascontiguousarray(rows)
        for low in range(0, rows.shape[1], CHUNK):
            high = min(rows.shape[1], low + CHUNK)
            n = kernels.moved(rows, low, high, self.kk, self.moves, self.keys, self.bits, self.slow, out)
            yield out[:, :n].copy()
