"""The set of rows that were found, compiled by numba: a hash table in parts, each for one thread at a time.

A place of the table has the words of a key, the states of its row that were seen, and those of them that are fresh (not
taken into a level yet); where none was seen the place is empty. `parts` is an array as long as there are parts.
"""

from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from cutproof.checks.engines.fast.kernels.layout import ADDED, LOW32, ONE, TWO
from cutproof.checks.engines.fast.kernels.vectors import (
    flat_of,
    kernel,
    lowest,
    numbers_for,
    ones,
    width_of,
    words_for,
)

U0, U1 = np.uint64(0), np.uint64(1)
AHEAD = 16  # rows whose places are fetched before they are looked at


@intrinsic
def prefetch(context, array, index):  # type: ignore
    """Fetch the line of an item of an array into the cache, to be written to."""

    def made(context, builder, signature, arguments):  # type: ignore
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        place = builder.bitcast(builder.gep(data, [arguments[1]]), ir.IntType(8).as_pointer())
        i32 = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [ir.IntType(8).as_pointer(), i32, i32, i32])
        function = builder.module.declare_intrinsic("llvm.prefetch", (ir.IntType(8).as_pointer(),), kind)
        builder.call(function, [place, ir.Constant(i32, 1), ir.Constant(i32, 3), ir.Constant(i32, 1)])
        return context.get_dummy_value()

    return types.void(array, types.int64), made


@kernel
def mixed(h):  # type: ignore
    """The bits of a hash, each moved by all."""
    h ^= h >> np.uint64(32)
    h *= TWO
    return h ^ (h >> np.uint64(29))


@kernel
def hash_of(rows, n, width):  # type: ignore
    """The hash of the key of a row."""
    h = rows[0, n] * ONE
    for x in range(1, width):
        h = (h ^ (h >> np.uint64(31))) * ONE ^ (rows[x, n] + ADDED) * TWO
    return mixed(h)


@kernel
def hash_of_key(key):  # type: ignore
    """The same of a key alone."""
    h = key[0] * ONE
    for x in range(1, key.size):
        h = (h ^ (h >> np.uint64(31))) * ONE ^ (key[x] + ADDED) * TWO
    return mixed(h)


@kernel
def part_of(h, parts):  # type: ignore
    """Of so many parts the one that a hash belongs to: by its upper half."""
    return np.int64(((h >> np.uint64(32)) * np.uint64(parts)) >> np.uint64(32))


@kernel
def slot_of(h, size):  # type: ignore
    """Of so many places the first where a hash may be: by its lower half."""
    return np.int64(((h & LOW32) * np.uint64(size)) >> np.uint64(32))


@kernel
def place_of(parts, places, key):  # type: ignore
    """The first place in a table of so many places where a key may be."""
    h, size = hash_of_key(key), places // parts.size
    return part_of(h, parts.size) * size + slot_of(h, size)


@kernel
def find_from(table, parts, key, at):  # type: ignore
    """The place of a key, from the first where it may be on; -1 if it is not there."""
    width, size = key.size, table.shape[0] // parts.size
    end = (at // size + 1) * size
    while table[at, width] != U0:
        same = True
        for x in range(width):
            same &= table[at, x] == key[x]
        if same:
            return at
        at += 1
        if at == end:
            at = end - size
    return -1


@kernel
def places(table, parts, rows, low, high, kk, found):  # type: ignore
    """Put into found[row - low] the place of each row's key, or -1."""
    width, flat = width_of(kk), flat_of(table)
    key, ahead = words_for(width), numbers_for(AHEAD)
    for n in range(low, high + AHEAD):
        begin = ahead[n & (AHEAD - 1)] if n >= low + AHEAD else 0
        if n < high:
            for x in range(width):
                key[x] = rows[x, n]
            place = place_of(parts, table.shape[0], key)
            ahead[n & (AHEAD - 1)] = place
            prefetch(flat, place * (width + 2))
        before = n - AHEAD
        if before >= low:
            for x in range(width):
                key[x] = rows[x, before]
            found[before - low] = find_from(table, parts, key, begin)


@kernel
def scatter(out, n, kk, parts, to, fill):  # type: ignore
    """Put the rows of `out` into to[part], by part."""
    width = width_of(kk)
    for i in range(n):
        p = part_of(hash_of(out, i, width), parts)
        at = fill[p]
        for x in range(width + 1):
            to[p, x, at] = out[x, i]
        fill[p] = at + 1


@kernel
def insert(table, parts, part, used, rows, start, n, kk, fresh, nfresh, room):  # type: ignore
    """Put rows[start:n], all of one part, into the set, as fresh where they are new. Ends where `room` places are
    taken. Returns (the first row not done, places taken, places with fresh states): `fresh` has these."""
    width = width_of(kk)
    size = table.shape[0] // parts.size
    begin = part * size
    end, stride = begin + size, width + 2
    ahead, flat = numbers_for(AHEAD), flat_of(table)
    for i in range(start, n + AHEAD):
        at = ahead[i & (AHEAD - 1)] if i >= start + AHEAD else 0
        if i < n:
            place = begin + slot_of(hash_of(rows, i, width), size)
            ahead[i & (AHEAD - 1)] = place
            prefetch(flat, place * stride)
        q = i - AHEAD
        if q < start:
            continue
        if used >= room:
            return q, used, nfresh
        m = rows[width, q]
        seen = flat[at * stride + width]
        while seen != U0:
            same = True
            for x in range(width):
                same &= flat[at * stride + x] == rows[x, q]
            if same:
                break
            at += 1
            if at == end:
                at = begin
            seen = flat[at * stride + width]
        new = m & ~seen
        if new:
            if seen == U0:
                for x in range(width):
                    flat[at * stride + x] = rows[x, q]
                used += 1
            if flat[at * stride + width + 1] == U0:
                fresh[nfresh] = at
                nfresh += 1
            flat[at * stride + width] = seen | new
            flat[at * stride + width + 1] |= new
    return n, used, nfresh


@kernel
def refill(table, parts, part, old, kk, fresh):  # type: ignore
    """Put one part of a smaller table into this one; how many places of it have fresh states: `fresh` has these."""
    width, nfresh = width_of(kk), 0
    size, before = table.shape[0] // parts.size, old.shape[0] // parts.size
    begin = part * size
    key = words_for(width)
    for i in range(part * before, (part + 1) * before):
        if old[i, width] != U0:
            for x in range(width):
                key[x] = old[i, x]
            at = begin + slot_of(hash_of_key(key), size)
            while table[at, width] != U0:
                at += 1
                if at == begin + size:
                    at = begin
            for x in range(width + 2):
                table[at, x] = old[i, x]
            if old[i, width + 1] != U0:
                fresh[nfresh] = at
                nfresh += 1
    return nfresh


@kernel
def take(table, fresh, nfresh, rows, low, kk):  # type: ignore
    """The fresh states of some places, as rows from rows[low] on; they are fresh no more. How many states."""
    width, states = width_of(kk), 0
    flat, stride = flat_of(table), width_of(kk) + 2
    for i in range(nfresh):
        if i + AHEAD < nfresh:
            prefetch(flat, fresh[i + AHEAD] * stride)
        at = fresh[i] * stride
        for x in range(width):
            rows[x, low + i] = flat[at + x]
        m = flat[at + width + 1]
        rows[width, low + i] = m
        flat[at + width + 1] = U0
        states += ones(m)
    return states


@kernel
def canonical(blocks, key):  # type: ignore
    """Put the blocks of interchangeable values into order, in place. `blocks` has (set, block, word, offset, width) of
    each piece: those of one block in a row, the first piece the first that is compared."""
    first = 0
    while first < blocks.shape[0]:
        pieces = 1
        while first + pieces < blocks.shape[0] and blocks[first + pieces, 1] == blocks[first, 1]:
            pieces += 1
        count = 1
        while (
            first + count * pieces < blocks.shape[0] and blocks[first + count * pieces, 0] == blocks[first, 0]
        ):
            count += 1
        for i in range(1, count):  # insertion sort: there are few
            j = i
            while j > 0:
                one, two, less = first + (j - 1) * pieces, first + j * pieces, False
                for q in range(pieces):
                    x, y = piece(blocks, key, one + q), piece(blocks, key, two + q)
                    if x != y:
                        less = y < x
                        break
                if not less:
                    break
                for q in range(pieces):
                    x, y = piece(blocks, key, one + q), piece(blocks, key, two + q)
                    put(blocks, key, one + q, y)
                    put(blocks, key, two + q, x)
                j -= 1
        first += count * pieces


@kernel
def piece(blocks, key, which):  # type: ignore
    """The value of a piece of a block."""
    mask = (U1 << np.uint64(blocks[which, 4])) - U1
    return (key[blocks[which, 2]] >> np.uint64(blocks[which, 3])) & mask


@kernel
def put(blocks, key, which, value):  # type: ignore
    """Give a piece of a block a value."""
    word, offset = blocks[which, 2], np.uint64(blocks[which, 3])
    mask = ((U1 << np.uint64(blocks[which, 4])) - U1) << offset
    key[word] = (key[word] & ~mask) | (value << offset)


@kernel
def distinct(words, scratch):  # type: ignore
    """How many different words there are. `scratch` has a power of two of places, more than words."""
    scratch[:] = U0
    zero, found, last, shift = 0, 0, scratch.size - 1, np.uint64(64)
    size = scratch.size
    while size > 1:
        shift -= U1
        size >>= 1
    for word in words:
        if word == U0:  # as where every field is left out
            zero = 1
            continue
        at = np.int64(word >> shift)
        while scratch[at] != U0 and scratch[at] != word:
            at = (at + 1) & last
        if scratch[at] == U0:
            scratch[at] = word
            found += 1
    return zero + found


@kernel
def moved(rows, low, high, kk, moves, keys, bits, slow, out):  # type: ignore
    """The states of rows[low:high] in another layout, a row each in `out`, which has room; how many.

    `moves` has (word, mask, shift to the left, to the right, word there) of bits that move together. A state of the
    fast value b gets the words keys[b] and the number bits[b] besides; `slow` has, of each field that becomes fast, its
    (word, mask, shift), and how much its value adds to the number."""
    fields, tables = slow
    width, there, n = width_of(kk), out.shape[0] - 1, 0
    kept = words_for(there)
    for row in range(low, high):
        rest, number = rows[width, row], 0
        if rest == U0:
            continue
        for f in range(fields.shape[0]):
            value = (rows[np.int64(fields[f, 0]), row] >> fields[f, 2]) & fields[f, 1]
            number += tables[f, np.int64(value)]
        kept[:] = U0
        for q in range(moves.shape[0]):
            part = rows[np.int64(moves[q, 0]), row] & moves[q, 1]
            kept[np.int64(moves[q, 4])] |= (part << moves[q, 2]) >> moves[q, 3]
        while rest:
            b = lowest(rest)
            rest &= rest - U1
            for x in range(there):
                out[x, n] = kept[x] | keys[b, x]
            out[there, n] = U1 << np.uint64(number + bits[b])
            n += 1
    return n
