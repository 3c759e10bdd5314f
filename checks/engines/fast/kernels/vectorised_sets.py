"""The set of rows that were found, in NumPy: the same table as that of `compiled_sets.py`, filled by the same hash.

Rows are put there all at once: equal keys first become one, in the order of their places, then each is looked for,
those that are not settled yet some places further on.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cutproof.checks.engines.fast.kernels.layout import ADDED, LOW32, ONE, TWO

Words = npt.NDArray[np.uint64]
Numbers = npt.NDArray[np.int64]

FIRST, MOST = 2, 32  # places that are looked at together, where the ones before did not do
HALF = np.uint64(32)


def places_of(plane: Words) -> Numbers:
    """The numbers of the bits that are set in some words, from the lowest bit of the first word on."""
    words = np.flatnonzero(plane)
    if 2 * words.size > plane.size:
        return np.flatnonzero(np.unpackbits(plane.view(np.uint8), bitorder="little").view(np.bool_))
    bits = np.flatnonzero(np.unpackbits(plane[words].view(np.uint8), bitorder="little").view(np.bool_))
    return words[bits >> 6] << 6 | bits & 63


def hash_of(keys: Words) -> Words:
    """The hash of each key."""
    h = keys[0] * ONE
    for word in keys[1:]:
        h = (h ^ (h >> np.uint64(31))) * ONE ^ (word + ADDED) * TWO
    h ^= h >> HALF
    h *= TWO
    return h ^ (h >> np.uint64(29))


def part_of(h: Words, parts: int) -> Numbers:
    return ((h >> HALF) * np.uint64(parts) >> HALF).view(np.int64)


def slot_of(h: Words, size: int) -> Numbers:
    return ((h & LOW32) * np.uint64(size) >> HALF).view(np.int64)


def _look(table: Words, keys: Words, begin: Numbers, slot: Numbers, size: int) -> tuple[Numbers, Words]:
    """Where each key is, or the first empty place after its slot; and what is seen there. Parts begin at `begin`."""
    width = len(keys)
    at = begin + slot
    got = table.take(at, axis=0)
    seen, other = got[:, width].copy(), np.zeros(len(at), np.bool_)
    for x in range(width):
        other |= got[:, x] != keys[x]
    other &= seen != 0
    todo = np.flatnonzero(other)
    done, many = 0, FIRST
    while todo.size:
        ahead = slot[todo, None] + np.arange(done + 1, done + many + 1)
        if int(ahead.max()) >= size:
            ahead %= size
        ahead += begin[todo, None]
        masks = table[ahead, width]
        fits = np.ones(ahead.shape, np.bool_)
        for x in range(width):
            fits &= table[ahead, x] == keys[x, todo, None]
        fits |= masks == 0
        first, row = fits.argmax(axis=1), np.arange(len(todo))
        there = fits[row, first]
        settled, first, row = todo[there], first[there], row[there]
        at[settled], seen[settled] = ahead[row, first], masks[row, first]
        todo = todo[~there]
        done, many = done + many, min(2 * many, MOST)
    return at, seen


def places(
    table: Words, parts: Numbers, rows: Words, low: int, high: int, kk: tuple[int, ...], found: Numbers
) -> None:
    """Put into found[row - low] the place of each row's key, or -1."""
    keys = rows[: len(kk), low:high]
    h, size = hash_of(keys), len(table) // len(parts)
    at, seen = _look(table, keys, part_of(h, len(parts)) * size, slot_of(h, size), size)
    found[: high - low] = np.where(seen == 0, -1, at)


def scatter(out: Words, n: int, kk: tuple[int, ...], parts: int, to: Words, fill: Numbers) -> None:
    """Put the rows of `out` into to[part], by part."""
    part = part_of(hash_of(out[: len(kk), :n]), parts)
    for p in range(parts):
        mine = np.flatnonzero(part == p)
        to[p, :, fill[p] : fill[p] + mine.size] = out[:, mine]
        fill[p] += mine.size


def _together(rows: Words) -> tuple[Words, Words, Numbers]:
    """Rows of which no two have one key, by their slots; their hashes, and the first row of each key."""
    count, h = rows.shape[1], hash_of(rows[:-1])
    short = np.uint64(count.bit_length())  # a row's number takes the place of so many bits of its hash
    ordered = np.sort((h << HALF | h >> HALF) >> short << short | np.arange(count, dtype=np.uint64))
    order = (ordered & (np.uint64(1) << short) - np.uint64(1)).view(np.int64)
    keys, ordered = rows[:-1].take(order, axis=1), ordered >> short
    equal = (keys[:, 1:] == keys[:, :-1]).all(axis=0)
    if (equal != (ordered[1:] == ordered[:-1])).any():  # two keys that are alike in what is left
        order = np.lexsort(rows[:-1])
        keys = rows[:-1].take(order, axis=1)
        equal = (keys[:, 1:] == keys[:, :-1]).all(axis=0)
    first = np.flatnonzero(np.concatenate([[True], ~equal]))
    masks = np.bitwise_or.reduceat(rows[-1, order], first)
    named = order[first]
    return np.vstack([keys[:, first], masks]), h[named], named


def insert(
    table: Words, parts: Numbers, part: int, used: int, rows: Words, start: int, n: int, kk: tuple[int, ...],
    fresh: Numbers, nfresh: int, room: int,
) -> tuple[int, int, int]:  # fmt: skip
    """Put rows[start:n], all of one part, into the set: (the first row not done, places taken, fresh places)."""
    if start >= n or used >= room:
        return start, used, nfresh
    width, size, rows, back = (
        len(kk),
        len(table) // len(parts),
        rows[: len(kk) + 1, start:n],
        np.arange(start, n),
    )
    if not rows[width].all():  # rows of no state take no place
        back = back[rows[width] != 0]
        rows = rows[:, back - start]
        if not back.size:
            return n, used, nfresh
    some, h, first = _together(rows)
    begin, slot = np.full(len(h), part * size), slot_of(h, size)
    at, seen = _look(table, some[:width], begin, slot, size)
    new = np.sort(first[seen == 0]) if used + len(h) >= room else first[:0]
    if used + len(new) >= room and (stop := int(back[new[room - used - 1]]) + 1) < n:
        some, h, first = _together(rows[:, : new[room - used - 1] + 1])
        begin, slot = np.full(len(h), part * size), slot_of(h, size)
        at, seen = _look(table, some[:width], begin, slot, size)
        n = stop
    todo = np.flatnonzero(some[width] & ~seen)
    while todo.size:
        empty = seen[todo] == 0
        _, one = np.unique(at[todo], return_index=True)
        won = ~empty
        won[one] = True
        mine = todo[won]
        where, masks = at[mine], some[width, mine] & ~seen[mine]
        used += int(empty[won].sum())
        for x in range(width):
            table[where, x] = some[x, mine]
        news = where[table[where, width + 1] == 0]
        fresh[nfresh : nfresh + news.size] = news
        nfresh += news.size
        table[where, width] |= masks
        table[where, width + 1] |= masks
        todo = todo[~won]
        at[todo], seen[todo] = _look(table, some[:width, todo], begin[todo], slot[todo], size)
    return n, used, nfresh


def refill(table: Words, parts: Numbers, part: int, old: Words, kk: tuple[int, ...], fresh: Numbers) -> int:
    """Put one part of a smaller table into this one; how many places of it have fresh states: `fresh` has these."""
    width, size, before = len(kk), len(table) // len(parts), len(old) // len(parts)
    mine = old[part * before : (part + 1) * before]
    mine = mine[mine[:, width] != 0]
    slot = slot_of(hash_of(mine[:, :width].T), size)
    order = np.argsort(slot, kind="stable")
    mine, slot, number = mine[order], slot[order], np.arange(len(mine))
    at = np.maximum.accumulate(slot - number) + number  # each at its slot, or after the one before
    over = int(np.searchsorted(at, size))
    free = (
        np.flatnonzero(np.bincount(at[:over], minlength=size)[: len(at)] == 0) if over < len(at) else at[:0]
    )
    at[over:] = free[: len(at) - over]  # what is past the end begins anew
    at += part * size
    table[at] = mine
    news = np.sort(at[mine[:, width + 1] != 0])
    fresh[: news.size] = news
    return int(news.size)


def take(table: Words, fresh: Numbers, nfresh: int, rows: Words, low: int, kk: tuple[int, ...]) -> int:
    """The fresh states of some places, as rows from rows[low] on; they are fresh no more. How many states."""
    width, at = len(kk), fresh[:nfresh]
    rows[:width, low : low + nfresh] = table[at, :width].T
    masks = table[at, width + 1]
    rows[width, low : low + nfresh] = masks
    table[at, width + 1] = 0
    return int(np.bitwise_count(masks).sum(dtype=np.int64))


def canonical(blocks: Numbers, keys: Words) -> None:
    """Put the blocks of interchangeable values of each key into order, in place: by insertion, all at once."""
    keys = keys.reshape(len(keys), -1)
    sets = dict[int, dict[int, list[tuple[int, int, int]]]]()
    for number, block, word, offset, width in blocks.tolist():
        sets.setdefault(number, {}).setdefault(block, []).append((word, offset, width))
    for pieces in map(list, map(dict.values, sets.values())):
        for i in range(1, len(pieces)):
            for j in range(i, 0, -1):
                _exchange(keys, pieces[j - 1], pieces[j])


def _exchange(keys: Words, one: list[tuple[int, int, int]], two: list[tuple[int, int, int]]) -> None:
    """Put two blocks into order: the first piece in which they differ decides."""
    less, differ = np.zeros(keys.shape[1], np.bool_), list[Words]()
    for (w, a, width), (v, b, _) in reversed(list(zip(one, two, strict=True))):
        mask = np.uint64((1 << width) - 1)
        x, y = keys[w] >> np.uint64(a) & mask, keys[v] >> np.uint64(b) & mask
        less = (y < x) | ((x == y) & less)
        differ.insert(0, x ^ y)
    for (w, a, _), (v, b, _), words in zip(one, two, differ, strict=True):
        words[~less] = 0
        keys[w] ^= words << np.uint64(a)
        keys[v] ^= words << np.uint64(b)


def distinct(words: Words, scratch: Words) -> int:
    """How many different words there are."""
    ordered = np.sort(words)
    return int((ordered[1:] != ordered[:-1]).sum()) + bool(len(words))


def moved(
    rows: Words, low: int, high: int, kk: tuple[int, ...], moves: Words, keys: Words, bits: Numbers,
    slow: tuple[Words, Numbers], out: Words,
) -> int:  # fmt: skip
    """The states of rows[low:high] in another layout, a row each in `out`, which has room; how many."""
    (fields, tables), some = slow, rows[:, low:high]
    number = np.zeros(high - low, np.int64)
    for (word, mask, shift), table in zip(fields, tables, strict=True):
        number += table[(some[word] >> shift & mask).view(np.int64)]
    states = places_of(np.ascontiguousarray(some[len(kk)]))
    row, bit = states >> 6, states & 63
    words = np.zeros((len(out) - 1, high - low), np.uint64)
    for word, mask, up, down, there in moves:
        words[there] |= (some[word] & mask) << up >> down
    out[:-1, : len(row)] = words[:, row] | keys[bit].T
    out[-1, : len(row)] = np.uint64(1) << (number[row] + bits[bit]).view(np.uint64)
    return len(row)
