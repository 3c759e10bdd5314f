"""The inner loops of the fast engine in NumPy, for where numba is not installed: `compiled.py` says what each does.

Each function takes and gives what its namesake there does. Where that one goes from block to block, this one takes many
at a time (`vectorised_planes.py`), so that a large `room` is worth its memory; `planes` is not used.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from cutproof.checks.engines.fast.kernels.layout import BLOCK, DIGITS, LANES
from cutproof.checks.engines.fast.kernels.vectorised_planes import Chunk
from cutproof.checks.engines.fast.kernels.vectorised_sets import (  # what both kinds of kernels have
    canonical,
    distinct,
    insert,
    moved,
    places,
    places_of,
    refill,
    scatter,
    take,
)
from cutproof.checks.engines.fast.program import Gates, Numbers, Steps, Words

__all__ = [
    "canonical", "degrees", "distinct", "edges", "expand", "insert", "judge", "leads", "moved", "places", "refill",
    "scatter", "spread", "take",
]  # fmt: skip

TOGETHER = 64  # blocks of a chunk at most: what they need fits into the cache
RATE = 6  # rows that a row leads to, until it is known better


def _chunks(rows: Words, low: int, high: int, kk: tuple[int, ...], gates: Gates) -> Iterator[Chunk]:
    for base in range(low, high, TOGETHER * BLOCK):
        yield Chunk(rows, base, min(TOGETHER, (high - base) // BLOCK), len(kk), gates)


def _fits(planes: Words, many: int, room: int, most: int) -> int:
    """Of so many blocks, how many to do, at least one: until they have `room` bits in the planes, `most` at most."""
    bits = (
        np.bitwise_count(planes).reshape(len(planes), many, LANES).sum(axis=(0, 2), dtype=np.int64).cumsum()
    )
    done, whole = np.searchsorted(bits, room) + 1, np.searchsorted(bits, most, side="right")
    return max(1, min(many, int(done), int(whole)))


def _guess(rows: int, room: int, rate: float) -> int:
    """How many blocks to take, of so many rows, if each row gives `rate`."""
    return int(max(1, min(TOGETHER, rows // BLOCK, room // (BLOCK * rate))))


# ------------------------------------------------------------------ expansion


def expand(
    planes: Words, rows: Words, low: int, high: int, kk: tuple[int, ...], gates: Gates, steps: Steps, blocks: Numbers,
    fired: Numbers, moved: Words, left: Words, want: bool, out: Words, room: int,
) -> tuple[int, int, bool, bool]:  # fmt: skip
    """Expand rows[low:high], until `out` has `room` rows or more: (the first row not done, rows in `out`, whether
    `moved` has states, whether `left` has some)."""
    n, stuck, gone, base, rate = 0, False, False, low, float(RATE)
    while base < high and n < room:
        many = _guess(high - base, room - n, rate)
        chunk = Chunk(rows, base, many, len(kk), gates)
        acting = chunk.planes[steps.cases[:, 0]]
        some = np.bitwise_or.reduceat(acting, steps.spans[:, 1], axis=0) if len(steps.spans) else acting
        chunk.cut(_fits(some, many, room - n, out.shape[1] - n))
        acting, some = acting[:, : chunk.many * LANES], some[:, : chunk.many * LANES]
        mover, before = np.zeros(chunk.many * BLOCK, np.uint64), n
        for effect in np.flatnonzero(some.any(axis=1)).tolist():
            n = _emit(chunk, steps, effect, some[effect], acting, fired, mover if want else None, out, n)
        if len(blocks):
            canonical(blocks, out[: len(kk), before:n])
        rate = max(1.0, (n - before) / (chunk.many * BLOCK))
        part = slice(base - low, base - low + chunk.many * BLOCK)
        leaver = _leave(chunk, steps)
        left[part] = chunk.back(leaver)
        gone |= bool(leaver.any())
        rest = chunk.whole & ~mover & ~leaver if want else mover
        moved[part] = chunk.back(rest)
        stuck |= bool(rest.any())
        base += chunk.many * BLOCK
    return base, n, stuck, gone


def _emit(
    chunk: Chunk, steps: Steps, effect: int, some: Words, acting: Words, fired: Numbers, mover: Words | None,
    out: Words, n: int,
) -> int:  # fmt: skip
    """Append to `out` what one effect leads to; into `mover`, the states that change by it."""
    at = places_of(some)
    m, here, shifted = _fire(chunk, steps, effect, at, acting, fired)
    if (there := np.flatnonzero(m)).size < m.size:
        at, m, here, shifted = at[there], m[there], here[there], shifted[there]
    keys = chunk.led(steps, effect, at)
    same = (keys == chunk.rows[:-1].take(at, axis=1)).all(axis=0)
    if any_same := bool(same.any()):
        here = np.where(same, shifted, here)
        m = np.where(same, m & ~chunk.whole[at], m)
    if mover is not None:
        mover[at] |= here
    if any_same and (there := np.flatnonzero(m)).size < m.size:
        m, keys = m[there], keys[:, there]
    out[:-1, n : n + m.size] = keys
    out[-1, n : n + m.size] = m
    return n + m.size


def _fire(
    chunk: Chunk, steps: Steps, effect: int, at: Numbers, acting: Words, fired: Numbers
) -> tuple[Words, Words, Words]:
    """What an effect makes of the masks of rows; the states that it takes, and those whose fast value it changes."""
    count, first = steps.spans[effect, :2].tolist()
    whole, found = chunk.whole.take(at), np.zeros((3, len(at)), np.uint64)
    m, here, shifted = found
    number = None
    for c in range(first, first + count):
        _, transition, up, down = steps.cases[c].tolist()
        if count == 1:
            where: Any = slice(None)
        else:
            mine = places_of(acting[c])
            if not mine.size:
                continue
            if number is None:
                number = np.empty(chunk.many * BLOCK, np.int64)
                number[at] = np.arange(len(at))
            where = number[mine]
        mine_of = whole[where] & steps.masks[c]
        fired[transition] += int(np.bitwise_count(mine_of).sum(dtype=np.int64))
        m[where] |= mine_of << np.uint64(up) >> np.uint64(down)
        here[where] |= mine_of
        if up != down:
            shifted[where] |= mine_of
    return m, here, shifted


def _leave(chunk: Chunk, steps: Steps) -> Words:
    """The states of each row from which some transition leaves a domain."""
    found = np.zeros(chunk.many * BLOCK, np.uint64)
    for (plane, _), mask in zip(steps.leaving.tolist(), steps.leaving_masks, strict=True):
        at = places_of(chunk.planes[plane])
        found[at] |= chunk.whole[at] & mask
    return found


# ------------------------------------------------------------------ what else is asked of rows


def judge(
    planes: Words, rows: Words, low: int, high: int, kk: tuple[int, ...], gates: Gates, told: Numbers, masks: Words,
    wanted: Any, found: Words, hit: Any,
) -> None:  # fmt: skip
    """Put into found[term, row - low] the states in which a `wanted` term holds; set hit[term] where there are any."""
    for chunk in _chunks(rows, low, high, kk, gates):
        for (plane, term), mask in zip(told.tolist(), masks, strict=True):
            if not wanted[term]:
                continue
            at = places_of(chunk.planes[plane])
            mine = chunk.whole[at] & mask
            if mine.any():
                found[term, chunk.base - low + chunk.number[at]] |= mine
                hit[term] = 1


def degrees(
    planes: Words,
    rows: Words,
    low: int,
    high: int,
    kk: tuple[int, ...],
    gates: Gates,
    steps: Steps,
    counts: Numbers,
) -> None:
    """Count the states of rows by how many transitions fire in them."""
    for chunk in _chunks(rows, low, high, kk, gates):
        digits = np.zeros((DIGITS, chunk.many * BLOCK), np.uint64)
        for (plane, _, _, _), mask in zip(steps.cases.tolist(), steps.masks, strict=True):
            at = places_of(chunk.planes[plane])
            carry = chunk.whole[at] & mask
            for digit in digits:
                if not carry.any():
                    break
                before = digit[at]
                digit[at] = before ^ carry
                carry &= before
        states = places_of(chunk.whole)
        row, bit = states >> 6, (states & 63).view(np.uint64)
        degree = np.zeros(len(states), np.int64)
        for d, digit in enumerate(digits):
            if digit.any():
                degree |= (digit[row] >> bit & np.uint64(1)).view(np.int64) << d
        counts += np.bincount(np.minimum(degree, len(counts) - 1), minlength=len(counts))


def leads(
    planes: Words, rows: Words, low: int, high: int, kk: tuple[int, ...], gates: Gates, steps: Steps, blocks: Numbers,
    allowed: Any, table: Words, parts: Numbers, marks: Words, found: Words,
) -> None:  # fmt: skip
    """Put into found[row - low, i] the states from which an allowed transition leads to another, marked state."""
    for chunk in _chunks(rows, low, high, kk, gates):
        for effect, (count, first, _, _) in enumerate(steps.spans.tolist()):
            for c in range(first, first + count):
                plane, transition, up, down = steps.cases[c].tolist()
                at = places_of(chunk.planes[plane]) if allowed[transition] else np.empty(0, np.int64)
                mine = chunk.whole[at] & steps.masks[c]
                at, mine = at[mine > 0], mine[mine > 0]
                if not at.size:
                    continue
                keys = chunk.led(steps, effect, at)
                if len(blocks):
                    canonical(blocks, keys)
                if up == down:
                    other = (keys != chunk.rows[:-1].take(at, axis=1)).any(axis=0)
                    at, mine, keys = at[other], mine[other], keys[:, other]
                place = np.empty(len(at), np.int64)
                places(table, parts, keys, 0, len(at), kk, place)
                at, mine, place = at[place >= 0], mine[place >= 0], place[place >= 0]
                back = marks[place] << np.uint64(down) >> np.uint64(up)
                found[chunk.base - low + chunk.number[at]] |= mine[:, None] & back


def spread(
    planes: Words, rows: Words, low: int, high: int, at: Numbers, kk: tuple[int, ...], gates: Gates, steps: Steps,
    blocks: Numbers, allowed: Any, table: Words, parts: Numbers, marks: Words, stays: Words, staying: bool, still: Any,
) -> bool:  # fmt: skip
    """Mark the states of rows at the places `at` from which an allowed transition leads to another, marked state; or,
    if `staying`, unmark those from which none does, but for those of `stays`. still[row] gets bit 0 where some state is
    not marked (is marked) after that, bit 1 where something changed; whether anything did."""
    changed = False
    for base in range(low, high, TOGETHER * BLOCK):
        end = min(high, base + TOGETHER * BLOCK)
        found = np.zeros((end - base, marks.shape[1]), np.uint64)
        leads(planes, rows, base, end, kk, gates, steps, blocks, allowed, table, parts, marks, found)
        some = base + np.flatnonzero(rows[len(kk), base:end])
        place, mask = at[some], rows[len(kk), some, None]
        was, found = marks[place], found[some - base]
        now = was & (~mask | found | stays[some, None]) if staying else was | (found & mask)
        marks[place] = now
        left = (now if staying else ~now) & mask
        other = (now != was).any(axis=1)
        still[some] = left.any(axis=1) + 2 * other
        changed |= bool(other.any())
    return changed


def edges(
    planes: Words, rows: Words, low: int, high: int, kk: tuple[int, ...], gates: Gates, steps: Steps, blocks: Numbers,
    allowed: Any, source: Numbers, number: Numbers, target: Words,
) -> tuple[int, int]:  # fmt: skip
    """Each step of rows of one state: (the first row not done, steps)."""
    base, n, rate, most = low, 0, float(RATE), BLOCK * len(allowed)
    named = [(e, c) for e, s in enumerate(steps.spans.tolist()) for c in range(s[1], s[0] + s[1])]
    named = [(e, c) for e, c in named if allowed[steps.cases[c, 1]]]
    acting = steps.cases[[c for _, c in named], 0]
    while base < high and n + most <= source.size:
        many = _guess(high - base, source.size - n, rate)
        chunk = Chunk(rows, base, many, len(kk), gates)
        chunk.cut(_fits(chunk.planes[acting], many, source.size - n, source.size - n))
        before = n
        for effect, c in named:
            plane, transition, up, down = steps.cases[c].tolist()
            at = places_of(chunk.planes[plane])
            mine = chunk.whole[at] & steps.masks[c]
            at, mine = at[mine > 0], mine[mine > 0]
            if at.size:
                part = slice(n, n + at.size)
                n += at.size
                source[part], number[part] = chunk.base + chunk.number[at], transition
                target[:-1, part] = chunk.led(steps, effect, at)
                target[-1, part] = mine << np.uint64(up) >> np.uint64(down)
        if len(blocks):
            canonical(blocks, target[:-1, before:n])
        rate = max(1.0, (n - before) / (chunk.many * BLOCK))
        base += chunk.many * BLOCK
    return base, n
