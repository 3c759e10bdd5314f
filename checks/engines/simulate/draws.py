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

Words = NDArray[np.uint32]
Reals = NDArray[np.float64]


def _each(values: Sequence[int]) -> list[Words]:
    """Numbers as arrays of none: to make them of Python's own takes NumPy as long as to add a thousand of them."""
    return [np.array(value, np.uint32) for value in values]


SHIFT, *FACTORS = _each([30, 1566083941, 1664525])  # of seeding
LESS = _each([-place % NUMBERS for place in range(WORDS)])


class Draws:
    """The generators of the runs from `first` up to `last`, which all have drawn as often. They take the columns of
    `rows`, WORDS of them, if that is given: memory that was used before is sooner there."""

    def __init__(self, seed: int, first: int, last: int, rows: Words | None = None) -> None:
        numbers = np.arange(first, last, dtype=np.uint32)
        rest = [0, *_words(seed)] if seed else []
        if rows is None:
            rows = np.empty((WORDS, len(numbers)), np.uint32)
        self._rows = list(rows[:, : len(numbers)])
        self._at = 0
        _seed(self._rows, [numbers, *_each(rest)])
        self._spare = np.empty((2, len(numbers)), np.uint32)

    def next(self) -> Reals:
        """The next number of each, from 0 and below 1: what `random.random()` gives."""
        high = self._word() >> np.uint32(5)
        low = self._word() >> np.uint32(6)
        drawn: Reals = (high * 67108864.0 + low) * (1.0 / 9007199254740992.0)
        return drawn

    def several(self, count: int) -> Reals:
        """The next `count` numbers of each: a row for each generator."""
        drawn = np.empty((len(self._rows[0]), count))
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


BEGUN = _each(_begun())


def _seed(rows: list[Words], key: Sequence[Words]) -> None:
    """Seed the generators whose words these are by a key of several words."""
    mixed, place = np.empty_like(rows[0]), 1
    turns = [(word + np.array(i, np.uint32)).astype(np.uint32) for i, word in enumerate(key)]
    rows[0][:] = BEGUN[0]
    for i in range(max(WORDS, len(key)) + WORDS - 1):
        first = i < max(WORDS, len(key))
        np.right_shift(rows[place - 1], SHIFT, out=mixed)
        np.bitwise_xor(mixed, rows[place - 1], out=mixed)
        np.multiply(mixed, FACTORS[first], out=mixed)
        np.bitwise_xor(mixed, BEGUN[place] if i < WORDS - 1 else rows[place], out=mixed)
        np.add(mixed, turns[i % len(key)] if first else LESS[place], out=rows[place])
        place += 1
        if place == WORDS:
            rows[0][:], place = rows[WORDS - 1], 1
    rows[0][:] = 0x80000000
