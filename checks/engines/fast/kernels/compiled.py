"""The inner loops, compiled by numba. They know no protocol: gates, cases and effects are data.

`kk` is a tuple with an item for each word of a key, so that its length is known to the compiler; or, for keys of more
than two words, their number. Rows are columns of words: those of the key, then the mask. A block is BLOCK rows; in the
planes, its row k * LANES + n is bit k of word n. `native.py` calls them; from Python they cannot be called.
"""

from __future__ import annotations

import numpy as np

from cutproof.checks.engines.fast.kernels.compiled_sets import (  # what both kinds of kernels have
    canonical,
    distinct,
    find_from,
    insert,
    moved,
    place_of,
    places,
    prefetch,
    refill,
    scatter,
    take,
)
from cutproof.checks.engines.fast.kernels.counting import counted, having
from cutproof.checks.engines.fast.kernels.emission import emit_eight
from cutproof.checks.engines.fast.kernels.layout import BLOCK, CASES, DIGITS, LANES
from cutproof.checks.engines.fast.kernels.vectors import (
    any_of,
    both,
    but_not,
    copy,
    differ,
    exchange,
    flags_for,
    flat_of,
    kernel,
    lowest,
    neither,
    numbers_for,
    ones,
    width_of,
    words_for,
)

__all__ = [
    "canonical", "degrees", "distinct", "edges", "expand", "insert", "judge", "leads", "moved", "places", "refill",
    "scatter", "spread", "take",
]  # fmt: skip

U0, U1 = np.uint64(0), np.uint64(1)
ALL = np.uint64(0xFFFFFFFFFFFFFFFF)


@kernel
def fill(planes, rows, base, kk, runs, a, b):  # type: ignore
    """The planes of one block: the bits of its keys, transposed, and then the gates."""
    flat, rows_flat, size = flat_of(planes), flat_of(rows), rows.shape[1]
    for x in range(width_of(kk)):
        first = (1 + 64 * x) * LANES
        for k in range(64):
            copy(flat, first + k * LANES, rows_flat, x * size + base + k * LANES)
        by, mask = 32, np.uint64(0xFFFFFFFF)
        while by:
            k = 0
            while k < 64:
                exchange(flat, first + k * LANES, first + (k | by) * LANES, np.uint64(by), mask)
                k = ((k | by) + 1) & ~by
            by >>= 1
            mask ^= mask << np.uint64(by)
    first = 1 + 64 * width_of(kk)
    for r in range(runs.shape[0]):
        kind, low, high = runs[r, 0], runs[r, 1], runs[r, 2]
        if kind == 0:
            for i in range(low, high):
                both(flat, (first + i) * LANES, a[i] * LANES, b[i] * LANES)
        elif kind == 1:
            for i in range(low, high):
                but_not(flat, (first + i) * LANES, a[i] * LANES, b[i] * LANES)
        elif kind == 2:
            for i in range(low, high):
                neither(flat, (first + i) * LANES, a[i] * LANES, b[i] * LANES)
        else:
            for i in range(low, high):
                differ(flat, (first + i) * LANES, a[i] * LANES, b[i] * LANES)
    for lane in range(LANES):
        planes[0, lane] = U0
        planes[first + a.size, lane] = ALL


@kernel
def active(planes, cases, low, high, found):  # type: ignore
    """Which of some cases have a row in this block: how many, and their numbers in `found`."""
    n, flat = 0, flat_of(planes)
    for c in range(low, high):
        if any_of(flat, cases[c, 0] * LANES):
            found[n] = c
            n += 1
    return n


@kernel
def change(planes, rows, row, k, lane, words, bits, bit_words, first, count, key):  # type: ignore
    """Put into `key` what an effect (keep, put and add in `words`, `count` computed bits from the first on) makes of
    the key of a row, which is bit k of word `lane` in the planes."""
    for x in range(key.size):
        key[x] = ((rows[x, row] & words[0, x]) | words[1, x]) + words[2, x]
    for q in range(first, first + count):
        if (planes[bits[q], lane] >> np.uint64(k)) & U1:
            for x in range(key.size):
                key[x] |= bit_words[q, x]


@kernel
def emit(planes, rows, base, kk, steps, blocks, fired, moved, want, out, n):  # type: ignore
    """What a block leads to, as rows appended to `out`, which has room for it. Counts how often each transition fires,
    and where `want`, puts into `moved` the states of each row that some step changes. Returns how many rows there are
    in `out` now."""
    spans, words, cases, masks, bits, bit_words, _, _ = steps
    width = width_of(kk)
    flat, flat_rows, flat_out = flat_of(planes), flat_of(rows), flat_of(out)
    flat_cases, flat_words = flat_of(cases), flat_of(words)
    counts, acting, key = words_for(CASES * LANES), numbers_for(CASES), words_for(width)
    on = flags_for(cases.shape[0])
    for c in range(cases.shape[0]):
        on[c] = any_of(flat, cases[c, 0] * LANES) != U0
    for e in range(spans.shape[0]):
        count, first, computed, first_bit = spans[e, 0], spans[e, 1], spans[e, 2], spans[e, 3]
        acts = 0
        for c in range(first, first + count):
            if on[c]:
                acting[acts] = c
                acts += 1
        if acts == 0:
            continue
        if computed == 0 and blocks.shape[0] == 0:
            n = emit_eight(
                flat, flat_rows, base, kk, flat_words[3 * width * e :], flat_cases, masks, acting, acts, fired, moved,
                want, counts, flat_out, n,
            )  # fmt: skip
            continue
        for lane in range(LANES):
            some = U0
            for i in range(acts):
                some |= planes[cases[acting[i], 0], lane]
            while some:
                k = lowest(some)
                some &= some - U1
                row = base + k * LANES + lane
                whole, m, shifted, kept = rows[width, row], U0, U0, U0
                for i in range(acts):
                    c = acting[i]
                    mine = whole & masks[c] & (U0 - ((planes[cases[c, 0], lane] >> np.uint64(k)) & U1))
                    fired[cases[c, 1]] += ones(mine)
                    m |= (mine << np.uint64(cases[c, 2])) >> np.uint64(cases[c, 3])
                    if cases[c, 2] == cases[c, 3]:
                        kept |= mine
                    else:
                        shifted |= mine
                if m == U0:
                    continue
                change(planes, rows, row, k, lane, words[e], bits, bit_words, first_bit, computed, key)
                same = True
                for x in range(width):
                    same &= key[x] == rows[x, row]
                if want:
                    moved[row - base] |= shifted if same else shifted | kept
                if same:
                    m &= ~whole
                    if m == U0:
                        continue
                if blocks.shape[0]:
                    canonical(blocks, key)
                for x in range(width):
                    out[x, n] = key[x]
                out[width, n] = m
                n += 1
    return n


@kernel
def leave(planes, rows, base, width, leaving, masks, left):  # type: ignore
    """Put into `left` the states of each row of a block from which some transition leaves a domain; whether any."""
    found = False
    for r in range(leaving.shape[0]):
        for lane in range(LANES):
            some = planes[leaving[r, 0], lane]
            while some:
                k = lowest(some)
                some &= some - U1
                at = k * LANES + lane
                mine = rows[width, base + at] & masks[r]
                if mine:
                    left[at] |= mine
                    found = True
    return found


@kernel
def expand(planes, rows, low, high, kk, gates, steps, blocks, fired, moved, left, want, out, room):  # type: ignore
    """Expand rows[low:high], block by block, until `out` has `room` rows or more.

    Returns (the first row not done, rows in `out`, whether states were found that no step changes, ... from which a
    domain is left): where there are, `moved` has those states, by row from `low` on, and `left` these."""
    runs, a, b = gates
    n, stuck, gone, width = 0, False, False, width_of(kk)
    base = low
    while base < high and n < room:
        at = base - low
        for r in range(at, at + BLOCK):
            moved[r], left[r] = U0, U0
        fill(planes, rows, base, kk, runs, a, b)
        n = emit(planes, rows, base, kk, steps, blocks, fired, moved[at : at + BLOCK], want, out, n)
        if leave(planes, rows, base, width, steps[6], steps[7], left[at : at + BLOCK]):
            gone = True
        if want:
            for r in range(at, at + BLOCK):
                moved[r] = rows[width, low + r] & ~moved[r] & ~left[r]
                if moved[r]:
                    stuck = True
        base += BLOCK
    return base, n, stuck, gone


@kernel
def judge(planes, rows, low, high, kk, gates, told, masks, wanted, found, hit):  # type: ignore
    """Put into found[term, row - low] the states of each row of rows[low:high], whole blocks, in which a term that is
    `wanted` holds; sets hit[term] where there are any."""
    runs, a, b = gates
    width = width_of(kk)
    for base in range(low, high, BLOCK):
        fill(planes, rows, base, kk, runs, a, b)
        for r in range(told.shape[0]):
            term = told[r, 1]
            if not wanted[term]:
                continue
            for lane in range(LANES):
                some = planes[told[r, 0], lane]
                while some:
                    k = lowest(some)
                    some &= some - U1
                    row = base + k * LANES + lane
                    mine = rows[width, row] & masks[r]
                    if mine:
                        found[term, row - low] |= mine
                        hit[term] = 1


@kernel
def degrees(planes, rows, low, high, kk, gates, steps, counts):  # type: ignore
    """Count the states of rows[low:high], whole blocks, by how many transitions fire in them."""
    runs, a, b = gates
    cases, masks, width = steps[2], steps[3], width_of(kk)
    flat, flat_rows, digits = flat_of(planes), flat_of(rows), words_for(DIGITS * LANES)
    acting, where = numbers_for(cases.shape[0] + 1), words_for(cases.shape[0] + 1)
    for base in range(low, high, BLOCK):
        fill(planes, rows, base, kk, runs, a, b)
        acts = 0
        for c in range(cases.shape[0]):
            acting[acts], where[acts] = c, any_of(flat, cases[c, 0] * LANES)
            acts += np.int64(where[acts] != U0)
        for k in range(64):
            first, most, levels = width * rows.shape[1] + base + k * LANES, 0, 0
            if not any_of(flat_rows, first):
                continue
            for i in range(acts):
                if (where[i] >> np.uint64(k)) & U1:
                    most += 1
                    if most == 1 << levels:
                        digits[levels * LANES : (levels + 1) * LANES] = U0
                        levels += 1
                    c = acting[i]
                    counted(
                        digits, levels, flat, cases[c, 0] * LANES, np.uint64(k), flat_rows, first, masks[c]
                    )
            left, degree = having(digits, 0, 0, flat_rows, first), 0
            while left:
                states = having(digits, levels, degree, flat_rows, first)
                counts[min(degree, counts.size - 1)] += states
                left -= states
                degree += 1


@kernel
def leads(planes, rows, low, high, kk, gates, steps, blocks, allowed, table, parts, marks, found):  # type: ignore
    """Put into found[row - low, i] the states of each row of rows[low:high], whole blocks, from which an `allowed`
    transition leads to another state that is marked: marks[place, i] has the marked states of the row at a place of the
    set."""
    runs, a, b = gates
    spans, words, cases, masks, bits, bit_words, _, _ = steps
    width, many = width_of(kk), marks.shape[1]
    acting, key, keys = numbers_for(CASES), words_for(width), words_for(BLOCK * width)
    whose, slot, is_same = numbers_for(BLOCK), numbers_for(BLOCK), numbers_for(BLOCK)
    flat, flat_marks, flat_found = flat_of(table), flat_of(marks), flat_of(found)
    for base in range(low, high, BLOCK):
        fill(planes, rows, base, kk, runs, a, b)
        for e in range(spans.shape[0]):
            count, first, computed, first_bit = spans[e, 0], spans[e, 1], spans[e, 2], spans[e, 3]
            acts, kept = active(planes, cases, first, first + count, acting), 0
            for i in range(acts):
                if allowed[cases[acting[i], 1]]:
                    acting[kept] = acting[i]
                    kept += 1
            acts = kept
            some_rows = 0
            for lane in range(LANES):
                some = U0
                for i in range(acts):
                    some |= planes[cases[acting[i], 0], lane]
                while some:
                    k = lowest(some)
                    some &= some - U1
                    row, any_of = base + k * LANES + lane, U0
                    for i in range(acts):
                        any_of |= masks[acting[i]] & (
                            U0 - ((planes[cases[acting[i], 0], lane] >> np.uint64(k)) & U1)
                        )
                    if rows[width, row] & any_of == U0:
                        continue
                    change(planes, rows, row, k, lane, words[e], bits, bit_words, first_bit, computed, key)
                    if blocks.shape[0]:
                        canonical(blocks, key)
                    same = True
                    for x in range(width):
                        keys[some_rows * width + x] = key[x]
                        same &= key[x] == rows[x, row]
                    whose[some_rows], is_same[some_rows] = k * LANES + lane, same
                    slot[some_rows] = place_of(parts, table.shape[0], key)
                    prefetch(flat, slot[some_rows] * (width + 2))
                    some_rows += 1
            for i in range(some_rows):
                slot[i] = find_from(table, parts, keys[i * width : (i + 1) * width], slot[i])
                prefetch(flat_marks, slot[i] * many)
            for r in range(some_rows):
                if slot[r] < 0:
                    continue
                at, place = whose[r], slot[r]
                k, lane, whole = at // LANES, at % LANES, rows[width, base + at]
                for i in range(acts):
                    c = acting[i]
                    if is_same[r] and cases[c, 2] == cases[c, 3]:
                        continue
                    mine = whole & masks[c] & (U0 - ((planes[cases[c, 0], lane] >> np.uint64(k)) & U1))
                    if mine:
                        for j in range(many):
                            back = (marks[place, j] << np.uint64(cases[c, 3])) >> np.uint64(cases[c, 2])
                            flat_found[(base + at - low) * many + j] |= mine & back


@kernel
def spread(
    planes, rows, low, high, at, kk, gates, steps, blocks, allowed, table, parts, marks, stays, staying, still
):  # type: ignore
    """Go over rows[low:high], whole blocks, whose places in the set are `at`: mark the states from which an `allowed`
    transition leads to another one that is marked; or, if `staying`, unmark those from which none does, but for those
    of `stays`. still[row] gets bit 0 where some state is not marked (is marked) after that, bit 1 where something
    changed; whether anything did."""
    width, many, changed = width_of(kk), marks.shape[1], False
    found = words_for(BLOCK * many)
    for base in range(low, high, BLOCK):
        found[:] = U0
        leads(planes, rows, base, base + BLOCK, kk, gates, steps, blocks, allowed, table, parts, marks, found)
        for r in range(BLOCK):
            row = base + r
            mask, place, left, other = rows[width, row], at[row], U0, 0
            if mask == U0:
                continue
            for i in range(many):
                was = marks[place, i]
                if staying:
                    now = was & (~mask | found[r * many + i] | stays[row])
                    left |= now & mask
                else:
                    now = was | (found[r * many + i] & mask)
                    left |= mask & ~now
                if now != was:
                    marks[place, i] = now
                    other = 2
            still[row] = (left != U0) + other
            changed |= other != 0
    return changed


@kernel
def edges(planes, rows, low, high, kk, gates, steps, blocks, allowed, source, number, target):  # type: ignore
    """Each step of rows[low:high], whole blocks, each row with one state: from which row, by which `allowed`
    transition, to which row, those that change nothing included. Returns (the first row not done, steps): a block has
    at most as many steps as it has rows and cases, and so much room is kept."""
    runs, a, b = gates
    spans, words, cases, masks, bits, bit_words, _, _ = steps
    width, n = width_of(kk), 0
    key = words_for(width)
    base = low
    while base < high and n + BLOCK * allowed.size <= source.size:
        fill(planes, rows, base, kk, runs, a, b)
        for e in range(spans.shape[0]):
            count, first, computed, first_bit = spans[e, 0], spans[e, 1], spans[e, 2], spans[e, 3]
            for c in range(first, first + count):
                if not allowed[cases[c, 1]]:
                    continue
                for lane in range(LANES):
                    some = planes[cases[c, 0], lane]
                    while some:
                        k = lowest(some)
                        some &= some - U1
                        row = base + k * LANES + lane
                        mine = rows[width, row] & masks[c]
                        if mine == U0:
                            continue
                        change(
                            planes, rows, row, k, lane, words[e], bits, bit_words, first_bit, computed, key
                        )
                        if blocks.shape[0]:
                            canonical(blocks, key)
                        source[n], number[n] = row, cases[c, 1]
                        for x in range(width):
                            target[x, n] = key[x]
                        target[width, n] = (mine << np.uint64(cases[c, 2])) >> np.uint64(cases[c, 3])
                        n += 1
        base += BLOCK
    return base, n
