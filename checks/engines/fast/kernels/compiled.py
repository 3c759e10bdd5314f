"""The inner loops of the fast search, compiled (numba): what the tables say of each word.

Nothing here knows any protocol. `rulebook.py` has the tables; a state is a 64-bit word (`clusters.py`). The sets of
states are in `compiled_sets.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import intrinsic

from cutproof.checks.engines.fast.kernels.compiled_sets import (
    all_of,
    any_of,
    insert,
    mixed,
    parts_of,
    place_in,
    places_of,
    put_in_order,
    refill,
    scatter,
)
from cutproof.checks.engines.fast.kernels.layout import (
    BROKEN,
    BYTE,
    CHANGES,
    EMPTY,
    LOW32,
    MULTIPLIER,
    PART_SHIFT,
    PARTS,
    RECENT_MASK,
    RECENT_SHIFT,
    STEPS_OR_BROKEN,
    TAKEN,
)

__all__ = [
    "all_of", "any_of", "canonical", "edges", "expand", "insert", "judge", "mixed", "parts_of", "place_in", "places_of",
    "put_in_order", "refill", "scatter",
]  # fmt: skip


@intrinsic
def lowest(context: Any, bits: Any) -> Any:
    """The number of the lowest bit that is set; of 0 it is undefined."""
    from llvmlite import ir

    def made(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.uint64), made


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
# its arguments). Arrays are bound to names at the top, and nothing that takes an array is called in the loops: numba
# would count references, atomically, and that was ten times as slow as the rest.


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
):  # type: ignore
    """Put the successors of words[low:high] into `out[part]`, and count. Returns (first row not done, skipped, misses).

    `moved` and `taken` (a row each) get how many steps change the state and how many there are, `broken` whether one
    would leave its domain. A row for which a table lacks something is skipped and listed, with each rule that lacked
    something as a miss. Stops early where `out` or the list of misses has no room."""
    first, fmask, place, size, slots, added, _, single, able, blocks = t
    symmetric = blocks.shape[0] > 0
    rules = first.size - 1
    misses, skips, most = 0, 0, 0
    for p in range(PARTS):
        most = max(most, fill[p])
    looks, words_of_rules = size.size, able.shape[1]
    bits_of = np.empty(words_of_rules, np.uint64)
    found_rule, found_at = np.empty(rules, np.int64), np.empty(rules, np.int64)
    found_added = np.empty(rules, np.uint64)
    for row in range(low, high):
        if most >= room or misses + rules + 1 > miss_row.size:
            return row, skips, misses
        word = words[row]
        known = True
        for w in range(words_of_rules):
            bits_of[w] = EMPTY
        for f in range(first[rules], looks):
            key = word & fmask[f]
            last, base = (np.int64(1) << size[f]) - 1, place[f]
            at = np.int64((key * MULTIPLIER) >> np.uint64(64 - size[f]))
            value = slots[2 * (base + at) + 1]
            while value != 0 and slots[2 * (base + at)] != key:
                at = (at + 1) & last
                value = slots[2 * (base + at) + 1]
            if value == 0:
                known = False
                break
            for w in range(words_of_rules):
                bits_of[w] &= able[np.int64(value & LOW32), w]
        n, before, left, w, rest = 0, misses, False, -1, np.uint64(0)
        if not known:
            miss_row[misses], miss_rule[misses] = row, -1
            misses += 1
        while known:
            while rest == 0 and w + 1 < words_of_rules:
                w += 1
                rest = bits_of[w]
            if rest == 0:
                break
            r = (w << 6) + lowest(rest)
            rest &= rest - np.uint64(1)
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
                if (value >> TAKEN) & STEPS_OR_BROKEN == 0:
                    break
                if (value >> BROKEN) & np.uint64(1):
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
                m = np.int64((value >> CHANGES) & BYTE)
                changing += m
                all_steps += np.int64((value >> TAKEN) & BYTE)
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
def judge(t, watched, words, low, high, told, skipped, miss_row, miss_rule):  # type: ignore
    """Which `watched` claims (bits) are told of words[low:high]: bit `r` of `told[row - low]`; else as `expand`."""
    first, fmask, place, size, slots, _, _, _, able, _ = t
    rules = first.size - 1
    misses, skips = 0, 0
    looks, words_of_rules = size.size, able.shape[1]
    bits_of = np.empty(words_of_rules, np.uint64)
    for row in range(low, high):
        if misses + rules + 1 > miss_row.size:
            return row, skips, misses
        word = words[row]
        known = True
        for w in range(words_of_rules):
            bits_of[w] = EMPTY
        for f in range(first[rules], looks):
            key = word & fmask[f]
            last, base = (np.int64(1) << size[f]) - 1, place[f]
            at = np.int64((key * MULTIPLIER) >> np.uint64(64 - size[f]))
            value = slots[2 * (base + at) + 1]
            while value != 0 and slots[2 * (base + at)] != key:
                at = (at + 1) & last
                value = slots[2 * (base + at) + 1]
            if value == 0:
                known = False
                break
            for w in range(words_of_rules):
                bits_of[w] &= able[np.int64(value & LOW32), w]
        bits, before, rest = np.uint64(0), misses, np.uint64(0)
        if known:
            rest = bits_of[0] & watched
        else:
            miss_row[misses], miss_rule[misses] = row, -1
            misses += 1
        while rest:
            r = lowest(rest)
            rest &= rest - np.uint64(1)
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
                if (value >> TAKEN) & BYTE == 0:
                    break
                if f == last_factor:
                    bits |= np.uint64(1) << np.uint64(r)
        if misses > before:
            skipped[skips] = row
            skips += 1
        told[row - low] = bits
    return high, skips, misses


@njit(nogil=True, cache=True)
def edges(t, wanted, words, low, high, source, number, target):  # type: ignore
    """Each step of words[low:high] whose transition is `wanted`, those that change nothing included: from which row, by
    which transition, to which word. Returns (first row not done, steps, 1 if a table lacks something of that row).
    A row has as many steps as there are transitions, at most: so much room is kept."""
    first, fmask, place, size, slots, added, numbers, single, able, blocks = t
    symmetric = blocks.shape[0] > 0
    rules, n, lacks = first.size - 1, 0, 0
    looks, words_of_rules = size.size, able.shape[1]
    bits_of = np.empty(words_of_rules, np.uint64)
    most = wanted.size
    for row in range(low, high):
        if n + most > source.size:
            high = row
            break
        word, whole = words[row], n
        for w in range(words_of_rules):
            bits_of[w] = EMPTY
        for f in range(first[rules], looks):
            key = word & fmask[f]
            last, base = (np.int64(1) << size[f]) - 1, place[f]
            at = np.int64((key * MULTIPLIER) >> np.uint64(64 - size[f]))
            value = slots[2 * (base + at) + 1]
            while value != 0 and slots[2 * (base + at)] != key:
                at = (at + 1) & last
                value = slots[2 * (base + at) + 1]
            if value == 0:
                lacks = 1
                break
            for w in range(words_of_rules):
                bits_of[w] &= able[np.int64(value & LOW32), w]
        w, rest = -1, np.uint64(0)
        while lacks == 0:
            while rest == 0 and w + 1 < words_of_rules:
                w += 1
                rest = bits_of[w]
            if rest == 0:
                break
            r = (w << 6) + lowest(rest)
            rest &= rest - np.uint64(1)
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
                    lacks = 1
                    break
                if (value >> TAKEN) & STEPS_OR_BROKEN == 0:
                    break
                if (value >> BROKEN) & np.uint64(1):
                    away = True
                start = np.int64(value & LOW32)
                if several:
                    total += added[start]
                    if f == first[r + 1] - 1 and not away and wanted[single[r]]:
                        source[n], number[n], target[n] = row, single[r], word + total
                        n += 1
                else:
                    for q in range(start, start + np.int64((value >> TAKEN) & BYTE)):
                        if wanted[numbers[q]]:
                            source[n], number[n], target[n] = row, numbers[q], word + added[q]
                            n += 1
        if lacks:  # of a row it is all or nothing
            high, n = row, whole
            break
    if symmetric:
        for i in range(n):
            target[i] = canonical(blocks, target[i])
    return high, n, lacks
