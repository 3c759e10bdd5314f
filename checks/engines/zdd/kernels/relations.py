"""Relations as hash-consed expressions, and what is left of one on each side of a level.

    relations   4 words each: a | b << 32,  next | kind << 32 | top << 34,  l00 | l01 << 32,  l10 | l11 << 32
    chains      1 word of 32 bits each: the first relation of a chain, 0 for none

`top` is the first level that it reads or puts. `l01` is what is left of it below, for states without that bit that get
it; and so on. It is worked out when it is first asked for (`split`); until then the third word is UNKNOWN. No relation
is ever forgotten: residues are few, as most events say nothing of most levels.
"""

# ruff: noqa: PLR1714, SIM109   (numba compiles these, and others better than `in`)

from __future__ import annotations

import numpy as np
from numba import njit

from cutproof.checks.engines.zdd.kernels.table import (
    LOW32,
    RELATIONS,
    RELATIONS_ROOM,
    RELATIONS_SHIFT,
    U0,
    U1,
    U2,
    U32,
    level_of,
    mixed,
)

EFFECT, EITHER, TOGETHER = np.uint64(0), np.uint64(1), np.uint64(2)
UNKNOWN = np.uint64(0xFFFFFFFFFFFFFFFF)
MADE = np.uint64(16)  # more than splitting one relation makes, its parts being split
NEXT = (U1 << np.uint64(31)) - U1
KIND, U34, VALUE = np.uint64(3), np.uint64(34), np.uint64(63)
F1, F2, F3 = np.uint64(1), np.uint64(2), np.uint64(3)


@njit(nogil=True, cache=True, inline="always")
def top_of(relations, r):  # type: ignore
    return relations[(r << U2) + F1] >> U34


@njit(nogil=True, cache=True, inline="always")
def kind_of(relations, r):  # type: ignore
    return relations[(r << U2) + F1] >> U32 & KIND


@njit(nogil=True, cache=True)
def number_of(relations, chains, now, kind, top, a, b):  # type: ignore
    """The relation of this kind, a new one if there is none yet."""
    both, mark = a | b << U32, kind | top << U2
    h = mixed(both, kind) >> now[RELATIONS_SHIFT]
    found = np.uint64(chains[h])
    first = found
    while found:
        word = relations[(found << U2) + F1]
        if relations[found << U2] == both and word >> U32 == mark:
            return found
        found = word & LOW32
    found = now[RELATIONS]
    now[RELATIONS] = found + U1
    e = found << U2
    relations[e], relations[e + F1], relations[e + F2] = both, first | mark << U32, UNKNOWN
    chains[h] = found
    return found


@njit(nogil=True, cache=True)
def effect(nodes, puts, relations, chains, now, condition, put):  # type: ignore
    """Where a condition holds, constants are put."""
    condition, put = np.uint64(condition), np.uint64(put)
    if condition == U0:
        return U0
    if condition == U1 and put == U0:
        return U1
    top = min(level_of(nodes, condition), puts[put] & LOW32)
    return number_of(relations, chains, now, EFFECT, top, condition, put)


@njit(nogil=True, cache=True)
def either(relations, chains, now, a, b):  # type: ignore
    """What either does. What leaves states as they are is said once, in front."""
    a, b, stays = np.uint64(a), np.uint64(b), False
    if a and (a == U1 or (kind_of(relations, a) == EITHER and relations[a << U2] & LOW32 == U1)):
        a, stays = relations[a << U2] >> U32, True
    if b and (b == U1 or (kind_of(relations, b) == EITHER and relations[b << U2] & LOW32 == U1)):
        b, stays = relations[b << U2] >> U32, True
    if a == U0 or a == b:
        a = b
    elif b:
        if a > b:
            a, b = b, a
        within_a, within_b = relations[a << U2], relations[b << U2]
        if kind_of(relations, b) == EITHER and (within_b & LOW32 == a or within_b >> U32 == a):
            a = b
        elif kind_of(relations, a) != EITHER or (within_a & LOW32 != b and within_a >> U32 != b):
            top = min(top_of(relations, a), top_of(relations, b))
            a = number_of(relations, chains, now, EITHER, top, a, b)
    if stays:
        return number_of(relations, chains, now, EITHER, top_of(relations, a), U1, a) if a else U1
    return a


@njit(nogil=True, cache=True)
def together(relations, chains, now, a, b):  # type: ignore
    """What both do at once. They put no bit that is the same."""
    a, b = np.uint64(a), np.uint64(b)
    if a == U0 or b == U0:
        return U0
    if a == U1:
        return b
    if b == U1:
        return a
    if a > b:
        a, b = b, a
    top = min(top_of(relations, a), top_of(relations, b))
    return number_of(relations, chains, now, TOGETHER, top, a, b)


@njit(nogil=True, cache=True, inline="always")
def known(relations, r):  # type: ignore
    return relations[(r << U2) + F2] != UNKNOWN


@njit(nogil=True, cache=True)
def split(nodes, puts, relations, chains, now, root):  # type: ignore
    """Work out what is left of a relation below its top. False: there is no room to go on; what was done stays.
    The last word of a relation that waits for its parts says whose part it is."""
    r = root
    relations[(r << U2) + F3] = U0
    while True:
        if now[RELATIONS] + MADE > now[RELATIONS_ROOM]:
            return False
        e = r << U2
        a, b, v = relations[e] & LOW32, relations[e] >> U32, top_of(relations, r)
        kind = kind_of(relations, r)
        if kind == EFFECT:
            c0, c1 = a, a
            if level_of(nodes, a) == v:
                c0, c1 = nodes[U2 * a] & LOW32, nodes[U2 * a] >> U32
            here, p = puts[b] & LOW32 == v, b
            if here:
                p = puts[b] >> U32 & NEXT
            r0 = effect(nodes, puts, relations, chains, now, c0, p)
            r1 = effect(nodes, puts, relations, chains, now, c1, p)
            l00, l01, l10, l11 = r0, U0, U0, r1
            if here and puts[b] >> VALUE:
                l00, l01 = U0, r0
            elif here:
                l10, l11 = r1, U0
        else:
            part = U0
            if top_of(relations, a) == v and not known(relations, a):
                part = a
            elif top_of(relations, b) == v and not known(relations, b):
                part = b
            if part:
                relations[(part << U2) + F3] = r
                r = part
                continue
            a0, a1, b0, b1 = a, a << U32, b, b << U32  # l00 and l01, l10 and l11, of both
            if top_of(relations, a) == v:
                a0, a1 = relations[(a << U2) + F2], relations[(a << U2) + F3]
            if top_of(relations, b) == v:
                b0, b1 = relations[(b << U2) + F2], relations[(b << U2) + F3]
            if kind == EITHER:
                l00 = either(relations, chains, now, a0 & LOW32, b0 & LOW32)
                l01 = either(relations, chains, now, a0 >> U32, b0 >> U32)
                l10 = either(relations, chains, now, a1 & LOW32, b1 & LOW32)
                l11 = either(relations, chains, now, a1 >> U32, b1 >> U32)
            else:  # one of them puts the bit, at most
                l00 = together(relations, chains, now, a0 & LOW32, b0 & LOW32)
                l11 = together(relations, chains, now, a1 >> U32, b1 >> U32)
                x = together(relations, chains, now, a0 >> U32, b0 & LOW32)
                y = together(relations, chains, now, a0 & LOW32, b0 >> U32)
                l01 = either(relations, chains, now, x, y)
                x = together(relations, chains, now, a1 & LOW32, b1 >> U32)
                y = together(relations, chains, now, a1 >> U32, b1 & LOW32)
                l10 = either(relations, chains, now, x, y)
        above = relations[e + F3]
        relations[e + F2], relations[e + F3] = l00 | l01 << U32, l10 | l11 << U32
        if above == U0:
            return True
        r = above


@njit(nogil=True, cache=True)
def rehash(relations, chains, now):  # type: ignore
    """Hang all relations into `chains`, which is empty."""
    for i in range(2, np.int64(now[RELATIONS])):
        e = np.uint64(4 * i)
        word = relations[e + F1]
        h = mixed(relations[e], word >> U32 & KIND) >> now[RELATIONS_SHIFT]
        relations[e + F1] = np.uint64(chains[h]) | word >> U32 << U32
        chains[h] = i
