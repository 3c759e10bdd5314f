"""Sets of words, compiled (numba): open addressing, exact, each part owned by one thread at a time.

Words that will be looked for are asked of memory some steps ahead (`prefetch`): otherwise the search would wait for
memory most of the time. What numba compiled is kept beside this file; a change here reaches `compiled.py` only when
that is compiled anew too.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from cutproof.checks.engines.fast.kernels.layout import EMPTY, LOW32, MIXER, MULTIPLIER, PART_SHIFT

AHEAD = 16  # words that are asked for ahead of time
DIGIT, DIGITS = 11, np.uint64((1 << 11) - 1)  # bits of a digit by which words are sorted


@intrinsic
def prefetch(context: Any, array: Any, index: Any) -> Any:
    """Ask for the line of memory that `array[index]` is in."""
    from llvmlite import ir

    def made(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = signature.args[0]
        struct = context.make_array(kind)(context, builder, arguments[0])
        place = builder.gep(struct.data, [arguments[1]])
        byte = ir.IntType(8).as_pointer()
        number = ir.IntType(32)
        form = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        function = cgutils.get_or_insert_function(builder.module, form, "llvm.prefetch.p0i8")
        builder.call(function, [builder.bitcast(place, byte), number(0), number(3), number(1)])
        return context.get_dummy_value()

    return types.void(array, index), made


@njit(nogil=True, cache=True, inline="always")
def mixed(word: np.uint64) -> np.uint64:
    word ^= word >> np.uint64(32)
    word *= MIXER
    word ^= word >> np.uint64(29)
    word *= MULTIPLIER
    return word ^ (word >> np.uint64(32))


@njit(nogil=True, cache=True, inline="always")
def place_in(hashed: np.uint64, capacity: np.uint64) -> np.int64:
    """A place from the low 32 bits of the hash: the same for any capacity below 2^32, a power of two or not."""
    return np.int64(((hashed & LOW32) * capacity) >> np.uint64(32))


@njit(nogil=True, cache=True)
def insert(table, used, words, low, high, new, room):  # type: ignore
    """Put words[low:high] into a set that may hold `room` words. Returns (first not done, words in it, new ones)."""
    capacity = np.uint64(table.size)
    found, last = 0, table.size - 1
    for i in range(low, min(low + AHEAD, high)):
        prefetch(table, place_in(mixed(words[i]), capacity))
    for i in range(low, high):
        if i + AHEAD < high:
            prefetch(table, place_in(mixed(words[i + AHEAD]), capacity))
        word = words[i]
        at = place_in(mixed(word), capacity)
        while True:
            there = table[at]
            if there == word:
                break
            if there == EMPTY:
                if used == room:
                    return i, used, found
                table[at] = word
                used += 1
                new[found] = word
                found += 1
                break
            at = 0 if at == last else at + 1
    return high, used, found


@njit(nogil=True, cache=True)
def refill(table, old):  # type: ignore
    """Put all words of the set `old` into the larger set `table`."""
    capacity, last = np.uint64(table.size), table.size - 1
    for i in range(old.size):
        if i + AHEAD < old.size and old[i + AHEAD] != EMPTY:
            prefetch(table, place_in(mixed(old[i + AHEAD]), capacity))
        word = old[i]
        if word != EMPTY:
            at = place_in(mixed(word), capacity)
            while table[at] != EMPTY:
                at = 0 if at == last else at + 1
            table[at] = word


@njit(nogil=True, cache=True)
def scatter(words, out, fill, start):  # type: ignore
    """Spread words by part, from number `start`; the first that has no room, or their count."""
    room = out.shape[1]
    for i in range(start, words.size):
        p = mixed(words[i]) >> PART_SHIFT
        if fill[p] == room:
            return i
        out[p, fill[p]] = words[i]
        fill[p] += 1
    return words.size


@njit(nogil=True, cache=True)
def parts_of(words, into):  # type: ignore
    """The part that each word is of."""
    for i in range(words.size):
        into[i] = mixed(words[i]) >> PART_SHIFT


@njit(nogil=True, cache=True)
def places_of(table, words, into):  # type: ignore
    """The place of each word in a set, or -1."""
    capacity, last = np.uint64(table.size), table.size - 1
    for i in range(words.size):
        if i + AHEAD < words.size:
            prefetch(table, place_in(mixed(words[i + AHEAD]), capacity))
        word = words[i]
        at = place_in(mixed(word), capacity)
        while table[at] != word and table[at] != EMPTY:
            at = 0 if at == last else at + 1
        into[i] = at if table[at] == word else -1


@njit(nogil=True, cache=True)
def any_of(bits, places, source, into):  # type: ignore
    """Into each source, the bits of all places that it leads to."""
    for i in range(places.size):
        if places[i] >= 0:
            into[source[i]] |= bits[places[i]]


@njit(nogil=True, cache=True)
def all_of(bits, places, source, into):  # type: ignore
    """Into each source, the bits that all places it leads to have; a word that is not there has none."""
    for i in range(places.size):
        if places[i] >= 0:
            into[source[i]] &= bits[places[i]]
        else:
            into[source[i]] = 0


@njit(nogil=True, cache=True)
def put_in_order(words, bits):  # type: ignore
    """Sort words of so many bits, in place: by their digits, from the lowest."""
    if words.size < 1 << 12:
        words.sort()
        return
    one, other = words, np.empty_like(words)
    turns = 0
    for shift in range(0, bits, DIGIT):
        count = np.zeros((1 << DIGIT) + 1, np.int64)
        for i in range(one.size):
            count[np.int64((one[i] >> np.uint64(shift)) & DIGITS) + 1] += 1
        for d in range(1 << DIGIT):
            count[d + 1] += count[d]
        for i in range(one.size):
            d = np.int64((one[i] >> np.uint64(shift)) & DIGITS)
            other[count[d]] = one[i]
            count[d] += 1
        one, other = other, one
        turns += 1
    if turns & 1:
        other[:] = one
