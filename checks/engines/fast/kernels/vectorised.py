"""The inner loops of the fast search in NumPy, for where numba is not installed: `compiled.py` says what each does.

Each function takes and gives what its namesake there does, in the same order. Where that one goes from word to word,
this one takes all words a step on at once, and those that are not done yet another one. Arithmetic is on arrays only:
in an array unsigned numbers wrap silently, and by themselves they warn.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from cutproof.checks.engines.fast.clusters import Words
from cutproof.checks.engines.fast.kernels import layout as shared
from cutproof.checks.engines.fast.kernels.layout import BYTE, EMPTY, LOW32, PART_SHIFT, PARTS, STEPS_OR_BROKEN
from cutproof.checks.engines.fast.kernels.vectorised_lookups import Found, Numbers, Steps, sums

RECENT = shared.RECENT
BLOCK = 1 << 11  # rows that are looked up together: what they need fits into the cache
AHEAD = 16  # places of a set that are looked at together, where the first one did not do


def mixed(words: Words) -> Words:
    words = words ^ (words >> np.uint64(32))
    words *= shared.MIXER
    words ^= words >> np.uint64(29)
    words *= shared.MULTIPLIER
    words ^= words >> np.uint64(32)
    return words


def place_in(hashed: Words, capacity: int) -> Numbers:
    return (((hashed & LOW32) * np.uint64(capacity)) >> np.uint64(32)).view(np.int64)


def canonical(blocks: Numbers, words: Words) -> Words:
    for count, offset, width in blocks.tolist():
        mask = np.uint64((1 << width) - 1)
        for i in range(count - 1):
            for j in range(i + 1, count):
                at, there = np.uint64(offset + i * width), np.uint64(offset + j * width)
                one, two = (words >> at) & mask, (words >> there) & mask
                differ = np.where(one > two, one ^ two, np.uint64(0))
                words = words ^ (differ << at) ^ (differ << there)
    return words


# ------------------------------------------------------------------ sets


def insert(
    table: Words, used: int, words: Words, low: int, high: int, new: Words, room: int
) -> tuple[int, int, int]:
    words = words[low:high]
    at = _seek(table, words, place_in(mixed(words), table.size))
    absent = np.flatnonzero(table[at] != words)
    if len(absent) > room - used:
        first = np.sort(np.unique(words[absent], return_index=True)[1])
        if len(first) > room - used:
            absent, high = absent[: first[room - used]], low + int(absent[first[room - used]])
    added = absent[_claim(table, words[absent], at[absent])]
    new[: len(added)] = words[added]
    return high, used + len(added), len(added)


def refill(table: Words, old: Words) -> None:
    words = old[old != EMPTY]
    _claim(table, words, _seek(table, words, place_in(mixed(words), table.size)))


def scatter(words: Words, out: Words, fill: Numbers, start: int) -> int:
    free = out.shape[1] - fill
    words = words[start : start + int(free.sum())]
    parts = _parts(mixed(words))
    order = np.argsort(parts, kind="stable")
    end = _first_beyond(parts, order, free)
    _append(words, parts, order, end, out, fill)
    return start + end


def parts_of(words: Words, into: Numbers) -> None:
    into[:] = _parts(mixed(words))


def places_of(table: Words, words: Words, into: Numbers) -> None:
    at = _seek(table, words, place_in(mixed(words), table.size))
    into[:] = np.where(table[at] == words, at, -1)


def any_of(bits: Words, places: Numbers, source: Numbers, into: Words) -> None:
    known = places >= 0
    np.bitwise_or.at(into, source[known], bits[places[known]])


def all_of(bits: Words, places: Numbers, source: Numbers, into: Words) -> None:
    np.bitwise_and.at(into, source, np.where(places >= 0, bits[places], 0).astype(bits.dtype))


def _seek(table: Words, words: Words, at: Numbers) -> Numbers:
    """From the places `at` on: where each word is, or else the empty place which says that it is nowhere."""
    there = table[at]
    left = np.flatnonzero((there != words) & (there != EMPTY))
    steps = np.arange(1, AHEAD + 1)
    while len(left):
        there = np.take(table, at[left][:, None] + steps, mode="wrap")
        ends = (there == words[left][:, None]) | (there == EMPTY)
        first = ends.argmax(axis=1)
        ended = ends[np.arange(len(left)), first]
        at[left] = (at[left] + np.where(ended, first + 1, AHEAD)) % table.size
        left = left[~ended]
    return at


def _claim(table: Words, words: Words, at: Numbers) -> Numbers:
    """Put words into the empty places `at`, or after them where another one was first; the number of the first of each.

    Words that are the same meet at the same place. All write their numbers there, backwards, so that the first is
    left: it has the place."""
    todo, first = np.arange(len(words)), np.zeros(len(words), bool)
    while len(todo):
        table[at[::-1]] = todo[::-1].view(np.uint64)
        won = table[at] == todo.view(np.uint64)
        table[at[won]] = words[todo[won]]
        first[todo[won]] = True
        lost = table[at] != words[todo]
        todo = todo[lost]
        at = _seek(table, words[todo], at[lost])
    return np.flatnonzero(first)


def _parts(hashed: Words) -> npt.NDArray[np.uint8]:
    """The part of each hash. In eight bits, for these are sorted in no time."""
    return (hashed >> PART_SHIFT).astype(np.uint8)


def _first_beyond(parts: npt.NDArray[np.uint8], order: Numbers, limit: Numbers) -> int:
    """The number of the first word before which its part has `limit` words; or the number of words."""
    count = np.bincount(parts, minlength=PARTS)
    over = count > limit
    return int(order[(np.cumsum(count) - count + limit)[over]].min()) if over.any() else len(parts)


def _append(
    words: Words, parts: npt.NDArray[np.uint8], order: Numbers, end: int, out: Words, fill: Numbers
) -> None:
    """Append the words before `end` to their buffers; `order` puts all of them part by part."""
    words = words[order if end == len(order) else order[order < end]]
    bounds = sums(np.bincount(parts[:end], minlength=PARTS))
    for p in range(PARTS):
        some = words[bounds[p] : bounds[p + 1]]
        out[p, fill[p] : fill[p] + len(some)] = some
    fill += np.diff(bounds)


# ------------------------------------------------------------------ expanding and judging


def expand(
    t: Any, words: Words, low: int, high: int, room: int, times: Numbers, in_factors: Numbers, recent: Words,
    out: Words, fill: Numbers, moved: Any, taken: Any, broken: Any,
    skipped: Numbers, miss_row: Numbers, miss_rule: Numbers,
) -> tuple[int, int, int]:  # fmt: skip
    row, skips, misses, end, rows = low, 0, 0, 0, 0
    while row < high and end == rows:
        rows, most = min(high - row, BLOCK), miss_row.size - len(t[0]) - misses
        if most < 0 or fill.max() >= room:
            break
        found = Found(t, words[row : row + rows], STEPS_OR_BROKEN)
        found.drop_lacking()
        steps = Steps(t, found)
        end, at = _hand_on(steps, found.room_for(most), room, recent, out, fill), row - low
        steps.count(end, times, in_factors)
        moved[at : at + end] = steps.per_row(steps.changes, end)
        taken[at : at + end] = steps.per_row(steps.taken, end)
        moved[at + found.miss_row[found.miss_row < end]] = -1
        away = found.row_of(np.flatnonzero(found.able & found.away))
        broken[at + away[away < end]] = 1
        skips, misses = found.record(end, row, (skips, misses), skipped, miss_row, miss_rule)
        row += end
    return row, skips, misses


def judge(
    t: Any, watched: np.uint64, words: Words, low: int, high: int, told: Words,
    skipped: Numbers, miss_row: Numbers, miss_rule: Numbers,
) -> tuple[int, int, int]:  # fmt: skip
    row, skips, misses, end, rows = low, 0, 0, 0, 0
    while row < high and end == rows:
        rows, most = min(high - row, BLOCK), miss_row.size - len(t[0]) - misses
        if most < 0:
            break
        found = Found(t, words[row : row + rows], BYTE, watched)
        end, at = found.room_for(most), row - low
        which = np.flatnonzero(found.able)
        of = found.row_of(which)
        told[at : at + end] = 0
        first = np.flatnonzero(np.diff(of[of < end], prepend=-1))
        if len(first):
            bits = np.uint64(1) << found.rule[which].view(np.uint64)
            told[at + of[first]] = np.bitwise_or.reduceat(bits[of < end], first)
        skips, misses = found.record(end, row, (skips, misses), skipped, miss_row, miss_rule)
        row += end
    return row, skips, misses


def edges(
    t: Any, wanted: Any, words: Words, low: int, high: int, source: Numbers, number: Numbers, target: Words
) -> tuple[int, int, int]:
    n, end, rows = 0, 0, 0
    while low < high and end == rows and n + wanted.size <= source.size:
        rows = min(high - low, BLOCK)
        found = Found(t, words[low : low + rows], STEPS_OR_BROKEN)
        steps = Steps(t, found)
        of_rule, which, after = steps.lead_to(steps.taken)
        named = t[6][which].astype(np.int64)
        single = steps.several[steps.taken[steps.several] != 0]
        named[of_rule[single]] = t[7][found.rule[single]]
        some = np.flatnonzero(wanted[named])
        bounds = np.searchsorted(some, of_rule[found.bounds])
        end = min(rows, int(np.searchsorted(bounds, source.size - wanted.size - n, side="right")))
        lacks = len(found.miss_row) > 0 and found.miss_row[0] < end
        end = int(found.miss_row[0]) if lacks else end
        some = some[: bounds[end]]
        to = slice(n, n + len(some))
        source[to] = low + np.repeat(np.arange(end), np.diff(bounds[: end + 1]))
        number[to], target[to] = named[some], canonical(steps.blocks, after[some])
        low, n = low + end, n + len(some)
        if lacks:
            return low, n, 1
    return low, n, 0


def _hand_on(steps: Steps, end: int, room: int, recent: Words, out: Words, fill: Numbers) -> int:
    """Put the words that rows before `end` lead to into the buffers, unless they were handed on just before; fewer if
    a buffer is full. The first row not done."""
    of_rule, _, after = steps.lead_to(steps.changes)
    after = canonical(steps.blocks, after)
    bounds = of_rule[steps.found.bounds]
    hashed = mixed(after)
    place = ((hashed >> shared.RECENT_SHIFT) & shared.RECENT_MASK).view(np.int64)
    fresh = _fresh(after, place, recent)
    parts = _parts(hashed[fresh])
    order = np.argsort(parts, kind="stable")
    filling = _first_beyond(parts, order, room - fill - 1)
    if filling < len(fresh):
        end = min(end, int(np.searchsorted(bounds, fresh[filling], side="right")))
    beyond = _first_beyond(parts, order, out.shape[1] - fill)
    if beyond < len(fresh):
        end = min(end, int(np.searchsorted(bounds, fresh[beyond], side="right")) - 1)
    n = bounds[end]
    _append(after[fresh], parts, order, int(np.searchsorted(fresh, n)), out, fill)
    recent[place[:n]] = after[:n]
    return end


def _fresh(words: Words, place: Numbers, recent: Words) -> Numbers:
    """The words that differ from the last one before them with the same place, or from that of `recent` there."""
    order = np.argsort(place.astype(np.uint16), kind="stable")  # sixteen bits are sorted by counting
    words, place = words[order], place[order]
    before = np.empty_like(words)
    before[1:] = words[:-1]
    first = np.flatnonzero(np.diff(place, prepend=-1))
    before[first] = recent[place[first]]
    fresh = np.empty(len(words), bool)
    fresh[order] = words != before
    return np.flatnonzero(fresh)


def put_in_order(words: Words, bits: int) -> None:
    """Sort words of so many bits, in place."""
    words.sort()
