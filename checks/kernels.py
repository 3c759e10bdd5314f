"""The inner loops of the fast search, compiled (numba): look up, add, put into a set.

Nothing here knows any protocol. `rules.py` has the tables; a state is a 64-bit word (`clusters.py`). The set of
states found is PARTS hash sets, by the hash of the word, each an array of words with open addressing; every part
belongs to one thread at a time, so no lock is needed. Words that will be looked for are asked of memory some
steps ahead (`prefetch`): otherwise the search would wait for memory most of the time.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from cutproof.checks.words import (
    BYTE,
    EMPTY,
    LOW32,
    MIXER,
    MULTIPLIER,
    PART_SHIFT,
    PARTS,
    RECENT_MASK,
    RECENT_SHIFT,
    STEPS_OR_BROKEN,
)

AHEAD = 12  # words that are asked for ahead of time


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
def canonical(blocks: Any, word: np.uint64) -> np.uint64:
    """The word with the blocks of interchangeable indices in order: one for all that differ by which is which."""
    for g in range(blocks.shape[0]):
        count, offset, width = blocks[g, 0], blocks[g, 1], blocks[g, 2]
        mask = (np.uint64(1) << np.uint64(width)) - np.uint64(1)
        for i in range(count - 1):
            at = np.uint64(offset + i * width)
            for j in range(i + 1, count):
                there = np.uint64(offset + j * width)
                one, two = (word >> at) & mask, (word >> there) & mask
                if one > two:
                    word ^= ((one ^ two) << at) | ((one ^ two) << there)
    return word


# Below, `t` is a tuple of the arrays of `rulebook.Tables` (plain, since compiled code is kept on disk by the types of
# its arguments). Arrays are bound to names at the top, and nothing that takes an array is called in the loops: numba would count
# references, atomically, and that was ten times as slow as the rest.


@njit(nogil=True, cache=True)
def expand(
    t,
    words,
    low,
    high,
    room,
    times,
    in_factors,
    recent,
    out,
    fill,
    moved,
    taken,
    broken,
    skipped,
    miss_row,
    miss_rule,
):  # type: ignore # noqa: E501
    """Put the successors of words[low:high] into `out[part]`, and count. Returns (first row not done, skipped, misses).

    `moved` and `taken` (a row each) get how many steps change the state and how many there are, `broken` whether one
    would leave its domain. A row for which a table lacks something is skipped and listed, with each rule that lacked
    something as a miss. Stops early where `out` or the list of misses has no room."""
    first, fmask, place, size, slots, added, _, single, active, blocks = t
    symmetric = blocks.shape[0] > 0
    rules = first.size - 1
    misses, skips, most = 0, 0, 0
    for p in range(PARTS):
        most = max(most, fill[p])
    look = first[rules]
    look_mask, look_place, look_size = fmask[look], place[look], size[look]
    look_last, look_shift = (np.int64(1) << look_size) - 1, np.uint64(64 - look_size)
    found_rule, found_at = np.empty(rules, np.int64), np.empty(rules, np.int64)
    found_added = np.empty(rules, np.uint64)
    for row in range(low, high):
        if most >= room or misses + rules + 1 > miss_row.size:
            return row, skips, misses
        word = words[row]
        key = word & look_mask
        at = np.int64((key * MULTIPLIER) >> look_shift)
        value = slots[2 * (look_place + at) + 1]
        while value != 0 and slots[2 * (look_place + at)] != key:
            at = (at + 1) & look_last
            value = slots[2 * (look_place + at) + 1]
        row_of_rules = np.int64(value & LOW32)
        k, n, before, left = 0, 0, misses, False
        known = value != 0
        if not known:
            miss_row[misses], miss_rule[misses] = row, -1
            misses += 1
        while known:
            r = active[row_of_rules, k]
            if r < 0:
                break
            k += 1
            last_factor = first[r + 1] - 1
            several = single[r] >= 0
            total, away = np.uint64(0), False
            at = np.int64(-1)
            for f in range(first[r], first[r + 1]):
                key = word & fmask[f]
                last, base = (np.int64(1) << size[f]) - 1, place[f]
                at = np.int64((key * MULTIPLIER) >> np.uint64(64 - size[f]))
                value = slots[2 * (base + at) + 1]
                while value != 0 and slots[2 * (base + at)] != key:
                    at = (at + 1) & last
                    value = slots[2 * (base + at) + 1]
                if value == 0:
                    miss_row[misses], miss_rule[misses] = row, r
                    misses += 1
                    break
                if (value >> np.uint64(40)) & STEPS_OR_BROKEN == 0:
                    break
                if (value >> np.uint64(62)) & np.uint64(1):
                    away = True
                if several:
                    total += added[np.int64(value & LOW32)]
                if f == last_factor:
                    left = left or away
                    if not (several and away):
                        found_rule[n], found_at[n], found_added[n] = r, base + at, total
                        n += 1
        if misses > before:
            skipped[skips] = row
            skips += 1
            moved[row - low] = -1
            continue
        if left:
            broken[row - low] = 1
        changing, all_steps = 0, 0
        for k in range(n):
            r = found_rule[k]
            if single[r] >= 0:
                in_factors[r] += 1
                all_steps += 1
                if found_added[k] != 0:
                    changing += 1
                    after = word + found_added[k]
                    if symmetric:
                        after = canonical(blocks, after)
                    hashed = mixed(after)
                    j = (hashed >> RECENT_SHIFT) & RECENT_MASK
                    if recent[j] != after:
                        recent[j] = after
                        p = hashed >> PART_SHIFT
                        c = fill[p]
                        out[p, c] = after
                        fill[p] = c + 1
                        most = max(most, c + 1)
            else:
                at = found_at[k]
                times[at] += 1
                value = slots[2 * at + 1]
                start = np.int64(value & LOW32)
                m = np.int64((value >> np.uint64(32)) & BYTE)
                changing += m
                all_steps += np.int64((value >> np.uint64(40)) & BYTE)
                for q in range(start, start + m):
                    after = word + added[q]
                    if symmetric:
                        after = canonical(blocks, after)
                    hashed = mixed(after)
                    j = (hashed >> RECENT_SHIFT) & RECENT_MASK
                    if recent[j] != after:
                        recent[j] = after
                        p = hashed >> PART_SHIFT
                        c = fill[p]
                        out[p, c] = after
                        fill[p] = c + 1
                        most = max(most, c + 1)
        moved[row - low] = changing
        taken[row - low] = all_steps
    return high, skips, misses


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
def judge(t, watched, words, low, high, told, skipped, miss_row, miss_rule):  # type: ignore
    """Which `watched` claims (bits) are told of words[low:high]: bit `r` of `told[row - low]`. As `expand` otherwise."""
    first, fmask, place, size, slots, _, _, _, active, _ = t
    rules = first.size - 1
    misses, skips = 0, 0
    look = first[rules]
    look_mask, look_place, look_size = fmask[look], place[look], size[look]
    look_last, look_shift = (np.int64(1) << look_size) - 1, np.uint64(64 - look_size)
    for row in range(low, high):
        if misses + rules + 1 > miss_row.size:
            return row, skips, misses
        word = words[row]
        key = word & look_mask
        at = np.int64((key * MULTIPLIER) >> look_shift)
        value = slots[2 * (look_place + at) + 1]
        while value != 0 and slots[2 * (look_place + at)] != key:
            at = (at + 1) & look_last
            value = slots[2 * (look_place + at) + 1]
        row_of_rules = np.int64(value & LOW32)
        k, bits, before = 0, np.uint64(0), misses
        known = value != 0
        if not known:
            miss_row[misses], miss_rule[misses] = row, -1
            misses += 1
        while known:
            r = active[row_of_rules, k]
            if r < 0:
                break
            k += 1
            if (watched >> np.uint64(r)) & np.uint64(1) == 0:
                continue
            last_factor = first[r + 1] - 1
            for f in range(first[r], first[r + 1]):
                key = word & fmask[f]
                last, base = (np.int64(1) << size[f]) - 1, place[f]
                at = np.int64((key * MULTIPLIER) >> np.uint64(64 - size[f]))
                value = slots[2 * (base + at) + 1]
                while value != 0 and slots[2 * (base + at)] != key:
                    at = (at + 1) & last
                    value = slots[2 * (base + at) + 1]
                if value == 0:
                    miss_row[misses], miss_rule[misses] = row, r
                    misses += 1
                    break
                if (value >> np.uint64(40)) & BYTE == 0:
                    break
                if f == last_factor:
                    bits |= np.uint64(1) << np.uint64(r)
        if misses > before:
            skipped[skips] = row
            skips += 1
        told[row - low] = bits
    return high, skips, misses


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


# ------------------------------------------------------------------ edges, and what is known of where they lead


@njit(nogil=True, cache=True)
def edges(t, wanted, words, low, high, source, number, target):  # type: ignore
    """Each step of words[low:high] whose transition is `wanted`, those that change nothing included: from which row, by
    which transition, to which word. Returns (first row not done, steps, 1 if a table lacks something)."""
    first, fmask, place, size, slots, added, numbers, single, active, blocks = t
    symmetric = blocks.shape[0] > 0
    rules, n = first.size - 1, 0
    look = first[rules]
    most = wanted.size
    for row in range(low, high):
        if n + most > source.size:
            high = row
            break
        word = words[row]
        key = word & fmask[look]
        last = (np.int64(1) << size[look]) - 1
        at = np.int64((key * MULTIPLIER) >> np.uint64(64 - size[look]))
        value = slots[2 * (place[look] + at) + 1]
        while value != 0 and slots[2 * (place[look] + at)] != key:
            at = (at + 1) & last
            value = slots[2 * (place[look] + at) + 1]
        if value == 0:
            return row, n, 1
        row_of_rules, k = np.int64(value & LOW32), 0
        while True:
            r = active[row_of_rules, k]
            if r < 0:
                break
            k += 1
            several, total, away = single[r] >= 0, np.uint64(0), False
            for f in range(first[r], first[r + 1]):
                key = word & fmask[f]
                last, base = (np.int64(1) << size[f]) - 1, place[f]
                at = np.int64((key * MULTIPLIER) >> np.uint64(64 - size[f]))
                value = slots[2 * (base + at) + 1]
                while value != 0 and slots[2 * (base + at)] != key:
                    at = (at + 1) & last
                    value = slots[2 * (base + at) + 1]
                if value == 0:
                    return row, n, 1
                if (value >> np.uint64(40)) & STEPS_OR_BROKEN == 0:
                    break
                if (value >> np.uint64(62)) & np.uint64(1):
                    away = True
                start = np.int64(value & LOW32)
                if several:
                    total += added[start]
                    if f == first[r + 1] - 1 and not away and wanted[single[r]]:
                        source[n], number[n], target[n] = row, single[r], word + total
                        n += 1
                else:
                    for q in range(start, start + np.int64((value >> np.uint64(40)) & BYTE)):
                        if wanted[numbers[q]]:
                            source[n], number[n], target[n] = row, numbers[q], word + added[q]
                            n += 1
    if symmetric:
        for i in range(n):
            target[i] = canonical(blocks, target[i])
    return high, n, 0


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
    """Into each source, the bits that all places it leads to have."""
    for i in range(places.size):
        into[source[i]] &= bits[places[i]]
