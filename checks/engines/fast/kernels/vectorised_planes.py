"""Planes of many blocks at a time, in NumPy: a plane has LANES words of each block.

What a row is called within a `Chunk` follows the planes: bit b of word w is row 64 w + b, so that a row is found where
its bit is.
"""

from __future__ import annotations

import threading
from functools import cached_property

import numpy as np

from cutproof.checks.engines.fast.kernels.layout import BLOCK, LANES
from cutproof.checks.engines.fast.program import Gates, Numbers, Steps, Words

ALL = (1 << 64) - 1

_kept = threading.local()  # planes, which each thread uses again


class Chunk:
    """Some blocks of rows from `base` on: their planes, and the rows in the order of these."""

    def __init__(self, rows: Words, base: int, many: int, width: int, gates: Gates) -> None:
        self.base, self.width, self.many = base, width, many
        some = rows[:, base : base + many * BLOCK].reshape(width + 1, many, 64, LANES)
        self.rows = some.transpose(0, 1, 3, 2).reshape(width + 1, -1)
        self.planes = _planes(1 + 64 * width + len(gates.a) + 1, many * LANES)
        self.planes[1 : 1 + 64 * width] = _transposed(some[:width]).reshape(64 * width, -1)
        self.planes[0], self.planes[-1] = 0, ALL
        _gates(list(self.planes), 1 + 64 * width, gates)

    def cut(self, many: int) -> None:
        """Leave only so many blocks."""
        self.many = many
        self.rows, self.planes = self.rows[:, : many * BLOCK], self.planes[:, : many * LANES]

    @property
    def whole(self) -> Words:
        """The masks of the rows."""
        return self.rows[-1]

    @cached_property
    def number(self) -> Numbers:
        """Which row each one is, counted from the first row of the chunk."""
        return np.arange(self.many * BLOCK).reshape(self.many, 64, LANES).transpose(0, 2, 1).ravel()

    def back(self, words: Words) -> Words:
        """A word of each row, in the order that rows have outside."""
        return words.reshape(self.many, LANES, 64).transpose(0, 2, 1).ravel()

    def led(self, steps: Steps, effect: int, at: Numbers) -> Words:
        """The keys to which an effect leads from some rows."""
        (_, _, computed, first), words = steps.spans[effect].tolist(), steps.words[effect]
        keys = self.rows[:-1].take(at, axis=1)
        keys &= words[0, :, None]
        keys |= words[1, :, None]
        keys += words[2, :, None]
        for q in range(first, first + computed):
            bit = self.planes[steps.bits[q]][at >> 6] >> (at & 63).view(np.uint64) & np.uint64(1)
            for x in np.flatnonzero(steps.bit_words[q]):
                keys[x] |= bit * steps.bit_words[q, x]
        return keys


def _planes(count: int, lanes: int) -> Words:
    """Planes without anything in them yet."""
    kept = getattr(_kept, "words", None)
    if kept is None or kept.size < count * lanes:
        kept = _kept.words = np.empty(count * lanes, np.uint64)
    found: Words = kept[: count * lanes].reshape(count, lanes)
    return found


def _transposed(keys: Words) -> Words:
    """The bits of keys (word, block, bit, lane) as planes (word, bit, word of the plane)."""
    width, many = keys.shape[:2]
    found = keys.transpose(0, 2, 1, 3).reshape(width, 64, many * LANES).copy()
    j, mask = 32, 0xFFFFFFFF
    while j:
        pairs = found.reshape(width, 32 // j, 2, j, -1)
        low, high, by = pairs[:, :, 0], pairs[:, :, 1], np.uint64(j)
        d = ((low >> by) ^ high) & np.uint64(mask)
        low ^= d << by
        high ^= d
        j >>= 1
        mask ^= mask << j & ALL
    return found


def _gates(planes: list[Words], first: int, gates: Gates) -> None:
    """Compute the planes of the gates, which begin at `first`."""
    a, b = gates.a.tolist(), gates.b.tolist()
    for kind, low, high in gates.runs.tolist():
        for p, q, to in zip(a[low:high], b[low:high], planes[first + low : first + high], strict=True):
            if kind == 3:
                np.bitwise_xor(planes[p], planes[q], to)
            elif kind == 2:
                np.bitwise_or(planes[p], planes[q], to)
                np.bitwise_not(to, to)
            else:
                np.bitwise_and(planes[p], planes[q], to)
                if kind == 1:
                    np.bitwise_xor(planes[p], to, to)
