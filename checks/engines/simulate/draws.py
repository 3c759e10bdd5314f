"""What many generators of random numbers draw, each seeded as `random.Random(seed << 64 | number)`: the same numbers.

The Mersenne twister (Matsumoto and Nishimura, 1998) as Python seeds it: 624 words of 32 bits for each generator. Here
a row has one word of all of them, and a row is only renewed when a draw comes to it: a short run needs few.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

WORDS, AHEAD = 624, 397
NUMBERS = 1 << 32  # the generators' numbers are below
SHIFT, FACTORS = np.uint32(30), (np.uint32(1566083941), np.uint32(1664525))  # of seeding

Words = NDArray[np.uint32]
Reals = NDArray[np.float64]


class Draws:
    """The generators of the runs from `first` up to `last`, which all have drawn as often."""

    def __init__(self, seed: int, first: int, last: int) -> None:
        numbers = np.arange(first, last, dtype=np.uint32)
        rest = [0, *_words(seed)] if seed else []
        self._rows, self._at = _seeded([numbers, *map(np.uint32, rest)], len(numbers)), 0
        self._spare = np.empty((2, len(numbers)), np.uint32)

    def next(self) -> Reals:
        """The next number of each, from 0 and below 1: what `random.random()` gives."""
        high = self._word() >> np.uint32(5)
        low = self._word() >> np.uint32(6)
        drawn: Reals = (high * 67108864.0 + low) * (1.0 / 9007199254740992.0)
        return drawn

    def several(self, count: int) -> Reals:
        """The next `count` numbers of each: a row for each generator."""
        drawn = np.empty((self._rows.shape[1], count))
        for i in range(count):
            drawn[:, i] = self.next()
        return drawn

    def _word(self) -> Words:
        """The next word of each."""
        rows, at, (made, spare) = self._rows, self._at % WORDS, self._spare
        row, after, ahead = rows[at], rows[(at + 1) % WORDS], rows[(at + AHEAD) % WORDS]
        self._at += 1
        np.bitwise_and(row, np.uint32(0x80000000), out=made)
        np.bitwise_and(after, np.uint32(0x7FFFFFFF), out=spare)
        np.bitwise_or(made, spare, out=made)
        np.bitwise_and(made, np.uint32(1), out=spare)
        np.multiply(spare, np.uint32(0x9908B0DF), out=spare)
        np.right_shift(made, np.uint32(1), out=made)
        np.bitwise_xor(made, spare, out=made)
        np.bitwise_xor(made, ahead, out=row)
        word = row ^ (row >> np.uint32(11))
        word ^= (word << np.uint32(7)) & np.uint32(0x9D2C5680)
        word ^= (word << np.uint32(15)) & np.uint32(0xEFC60000)
        word ^= word >> np.uint32(18)
        return word


def _words(number: int) -> list[int]:
    """A number in words of 32 bits, the lowest first."""
    return [number >> at & 0xFFFFFFFF for at in range(0, number.bit_length(), 32)]


def _begun() -> list[int]:
    """The words that are there before a key is mixed in."""
    words = [19650218]
    for i in range(1, WORDS):
        words.append((1812433253 * (words[-1] ^ words[-1] >> 30) + i) & 0xFFFFFFFF)
    return words


def _seeded(key: Sequence[Words | np.uint32], count: int) -> Words:
    """The rows of `count` generators that are seeded by a key of several words."""
    rows, mixed = np.empty((WORDS, count), np.uint32), np.empty(count, np.uint32)
    begun = [np.uint32(word) for word in _begun()]
    rows[0] = begun[0]
    with np.errstate(over="ignore"):
        turns = [word + np.uint32(i) for i, word in enumerate(key)]
    place = 1
    for i in range(max(WORDS, len(key)) + WORDS - 1):
        first = i < max(WORDS, len(key))
        np.right_shift(rows[place - 1], SHIFT, out=mixed)
        np.bitwise_xor(mixed, rows[place - 1], out=mixed)
        np.multiply(mixed, FACTORS[first], out=mixed)
        np.bitwise_xor(mixed, begun[place] if i < WORDS - 1 else rows[place], out=mixed)
        np.add(mixed, turns[i % len(key)] if first else np.uint32(-place % NUMBERS), out=rows[place])
        place += 1
        if place == WORDS:
            rows[0], place = rows[WORDS - 1], 1
    rows[0] = 0x80000000
    return rows
