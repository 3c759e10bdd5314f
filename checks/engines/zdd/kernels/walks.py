"""The operations, each a walk down its operands. Functions that call themselves crash when numba loads them from its
cache, so recursion is by hand: a call that needs others has a frame on the stack of

    0 a | b << 32          its operands (of `moved` and `came_from`: states and condition)
    1 a1 | b1 << 32        the operands of the call for where the bit of its level is set, which comes second
    2 low | within << 32   the answer of the first call
    3 within1 | stage << 32
    4 level | put << 32    (in 0 to 3 all but the stage are nodes: what a sweep has to keep)

The inner loop gives an answer to the frame on top; there alone is looked at how many steps are left.
"""

# ruff: noqa: PLR1714, PLW3301, SIM108, SIM109   (numba compiles these, and others better than `in`)

from __future__ import annotations

import numpy as np
from numba import njit

from cutproof.checks.engines.zdd.kernels.table import (
    AND,
    ANDN,
    CACHE_SHIFT,
    CAME_SHIFT,
    DIFFERENCE,
    FRAME,
    INNER,
    INNER_R,
    INNER_SP,
    LEFT,
    LOW32,
    MEET,
    MOVED,
    NOR,
    OUTER,
    OUTER_R,
    OUTER_SP,
    PAUSED,
    U0,
    U1,
    U2,
    U32,
    UNION,
    XOR,
    mixed,
    node_of,
)

NO_ANSWER = np.uint64(0xFFFFFFFF)
F = np.uint64(FRAME)
SECOND = U1 << U32  # the stage in which the second call is under way
GROW = U1 << np.uint64(31)  # beside the number of a put: the states as they were as well
PUT, NEXT = GROW - U1, (U1 << np.uint64(31)) - U1
VALUE = np.uint64(63)
F1, F2, F3, F4 = np.uint64(1), np.uint64(2), np.uint64(3), np.uint64(4)
OP_UNION, OP_MEET, OP_MOVED = np.uint64(UNION), np.uint64(MEET), np.uint64(MOVED)


@njit(nogil=True, cache=True, inline="always")
def simple(op, a, b):  # type: ignore
    """What is known at once of two operands, or NO_ANSWER."""
    r = NO_ANSWER
    if op == UNION:
        if a == U0 or a == b:
            r = b
        elif b == U0:
            r = a
    elif op == DIFFERENCE:
        if a == U0 or a == b:
            r = U0
        elif b == U0:
            r = a
    elif op == MEET:
        if a == U0 or b == U0:
            r = U0
        elif a == b:
            r = a
    elif op == AND:
        if a == U0 or b == U0:
            r = U0
        elif a == U1 or a == b:
            r = b
        elif b == U1:
            r = a
    elif op == ANDN:
        if a == U0 or b == U1 or a == b:
            r = U0
        elif b == U0:
            r = a
    elif op == NOR:
        if a == U1 or b == U1:
            r = U0
        elif a == U0 and b == U0:
            r = U1
    elif op == XOR:
        if a == b:
            r = U0
        elif a == U0:
            r = b
        elif b == U0:
            r = a
    return r


@njit(nogil=True, cache=True)
def combine(nodes, heads, cache, now, stack, base, op, a, b):  # type: ignore
    """A gate of two conditions, or union, difference or meet of two sets. `base`: the stack is free from there on."""
    sp, r, called = base, U0, True
    if now[INNER]:
        sp, r, called, now[INNER] = now[INNER_SP], now[INNER_R], False, U0
    sets = op >= OP_UNION
    while True:
        if called:
            r = simple(op, a, b)
            if r == NO_ANSWER:
                if a > b and op != ANDN and op != DIFFERENCE:
                    a, b = b, a
                both = a | b << U32
                e = U2 * (mixed(both, op) >> now[CACHE_SHIFT])
                word = cache[e + U1]
                if cache[e] == both and word & LOW32 == op:
                    r = word >> U32
                else:
                    na, nb = nodes[U2 * a], nodes[U2 * b]
                    va, vb = nodes[U2 * a + U1] >> U32, nodes[U2 * b + U1] >> U32
                    if va == vb:
                        v = va
                        a, b = na & LOW32, nb & LOW32
                        both1 = na >> U32 | nb & ~LOW32
                    elif va < vb:
                        v = va
                        a = na & LOW32
                        both1 = na >> U32 | (U0 if sets else b << U32)
                    else:
                        v = vb
                        both1 = (U0 if sets else a) | nb & ~LOW32
                        b = nb & LOW32
                    stack[sp], stack[sp + F1], stack[sp + F2], stack[sp + F3] = both, both1, U0, U0
                    stack[sp + F4] = v
                    sp += F
                    continue
        called = True
        while True:
            if sp == base:
                return r
            if now[LEFT] == U0:
                now[INNER], now[INNER_SP], now[INNER_R], now[PAUSED] = U1, sp, r, U1
                return U0
            now[LEFT] -= U1
            f = sp - F
            both1 = stack[f + F1]
            if stack[f + F3] == U0:
                a, b = both1 & LOW32, both1 >> U32
                low, high = r, simple(op, a, b)
                if high == NO_ANSWER:
                    stack[f + F2], stack[f + F3] = r, SECOND
                    break
            else:
                low, high = stack[f + F2], r
            if (high == U0) if sets else (high == low):
                r = low
            else:
                r = node_of(nodes, heads, now, stack[f + F4], low, high)
            both = stack[f]
            e = U2 * (mixed(both, op) >> now[CACHE_SHIFT])
            cache[e], cache[e + U1] = both, op | r << U32
            sp = f


@njit(nogil=True, cache=True)
def moved(nodes, heads, cache, now, stack, puts, s, c, p):  # type: ignore
    """The states of `s` in which the condition `c` holds, with the constants `p` put into them; with GROW in `p`,
    united with `s`: above the first level that is put, both are one walk, which makes no nodes where nothing is new."""
    sp, r, called = U0, U0, True
    if now[OUTER]:
        sp, r, called, now[OUTER] = now[OUTER_SP], now[OUTER_R], False, U0
    while True:
        if called:
            if s == U0 or c == U0:
                r = s if p & GROW else U0
            elif c == U1 and p & PUT == U0:
                r = s
            else:
                put = puts[p & PUT]
                vs, vc, vp = nodes[U2 * s + U1] >> U32, nodes[U2 * c + U1] >> U32, put & LOW32
                if vc < vs and vc < vp:  # no state has this bit
                    c = nodes[U2 * c] & LOW32
                    continue
                both, op = s | c << U32, OP_MOVED + p
                e = U2 * (mixed(both, op) >> now[CACHE_SHIFT])
                word = cache[e + U1]
                if cache[e] == both and word & LOW32 == op:
                    r = word >> U32
                else:
                    v, both1 = min(vs, vp), U0
                    stack[sp + F4] = v | p << U32
                    if vp == v and p & GROW:  # united when it is known where they move
                        p &= PUT
                    else:
                        s1, c1 = U0, c
                        if vs == v:
                            ns = nodes[U2 * s]
                            s, s1 = ns & LOW32, ns >> U32
                        if vc == v:
                            nc = nodes[U2 * c]
                            c, c1 = nc & LOW32, nc >> U32
                        both1 = s1 | c1 << U32
                        if vp == v:
                            p = put >> U32 & NEXT
                    stack[sp], stack[sp + F1], stack[sp + F2], stack[sp + F3] = both, both1, U0, U0
                    sp += F
                    continue
        called = True
        while True:
            if sp == U0:
                return r
            f = sp - F
            if now[INNER] == U0:
                if now[LEFT] == U0:
                    now[OUTER], now[OUTER_SP], now[OUTER_R], now[PAUSED] = U1, sp, r, U1
                    return U0
                now[LEFT] -= U1
            both, v, p = stack[f], stack[f + F4] & LOW32, stack[f + F4] >> U32
            put, s = puts[p & PUT], both & LOW32
            here, grows = put & LOW32 == v, p & GROW != U0
            low, high = r, U0
            if stack[f + F3] != U0:
                low, high = stack[f + F2], r
            elif not (here and grows):
                both1 = stack[f + F1]
                s1, c1 = both1 & LOW32, both1 >> U32
                if s1 and c1:
                    stack[f + F2], stack[f + F3] = r, SECOND
                    s, c = s1, c1
                    if here:
                        p = put >> U32 & NEXT
                    break
                if grows:
                    high = s1
            if here:
                r = combine(nodes, heads, cache, now, stack, sp, OP_UNION, low, s if grows else high)
                if now[PAUSED]:
                    now[OUTER], now[OUTER_SP], now[OUTER_R] = U1, sp, low if grows else high
                    return U0
                if put >> VALUE and r and not grows:
                    r = node_of(nodes, heads, now, v, U0, r)
            elif grows and nodes[U2 * s] == low | high << U32:
                r = s
            elif high:
                r = node_of(nodes, heads, now, v, low, high)
            else:
                r = low
            op = OP_MOVED + p
            e = U2 * (mixed(both, op) >> now[CACHE_SHIFT])
            cache[e], cache[e + U1] = both, op | r << U32
            sp = f


@njit(nogil=True, cache=True)
def came_from(nodes, heads, cache, came, now, stack, puts, s, c, p, w):  # type: ignore
    """The states of `w` in which the condition `c` holds and which, with the constants `p` put, are in `s`."""
    sp, r, called = U0, U0, True
    if now[OUTER]:
        sp, r, called, now[OUTER] = now[OUTER_SP], now[OUTER_R], False, U0
    while True:
        if called:
            if s == U0 or c == U0 or w == U0:
                r = U0
            elif c == U1 and p == U0:
                r = combine(nodes, heads, cache, now, stack, sp, OP_MEET, s, w)
                if now[PAUSED]:
                    now[OUTER], now[OUTER_SP], now[OUTER_R] = U1, sp, U0
                    return U0
            else:
                vs, vc, vp = nodes[U2 * s + U1] >> U32, nodes[U2 * c + U1] >> U32, puts[p] & LOW32
                vw = nodes[U2 * w + U1] >> U32
                both, more = s | c << U32, w | p << U32
                e = (mixed(both, more) >> now[CAME_SHIFT]) << U2
                if came[e] == both and came[e + U1] == more and came[e + U2] >> U32:
                    r = came[e + U2] & LOW32
                else:
                    v = min(min(vs, vc), min(vp, vw))
                    s1, c1, w1, q = U0, c, U0, p
                    if vs == v:
                        ns = nodes[U2 * s]
                        s, s1 = ns & LOW32, ns >> U32
                    if vc == v:
                        nc = nodes[U2 * c]
                        c, c1 = nc & LOW32, nc >> U32
                    if vw == v:
                        nw = nodes[U2 * w]
                        w, w1 = nw & LOW32, nw >> U32
                    if vp == v:
                        q = puts[p] >> U32 & NEXT
                        if puts[p] >> VALUE:
                            s = s1
                        else:
                            s1 = s
                    stack[sp], stack[sp + F1] = both, s1 | c1 << U32
                    stack[sp + F2], stack[sp + F3], stack[sp + F4] = (more & LOW32) << U32, w1, v | p << U32
                    sp += F
                    p = q
                    continue
        called = True
        while True:
            if now[INNER]:  # back in the meet at the end of a walk, whose operands it has
                r = combine(nodes, heads, cache, now, stack, sp, OP_MEET, U0, U0)
                if now[PAUSED]:
                    now[OUTER], now[OUTER_SP], now[OUTER_R] = U1, sp, U0
                    return U0
            if sp == U0:
                return r
            if now[LEFT] == U0:
                now[OUTER], now[OUTER_SP], now[OUTER_R], now[PAUSED] = U1, sp, r, U1
                return U0
            now[LEFT] -= U1
            f = sp - F
            v, p = stack[f + F4] & LOW32, stack[f + F4] >> U32
            low, high = r, U0
            if stack[f + F3] & SECOND:
                low, high = stack[f + F2] & LOW32, r
            else:
                both1, w = stack[f + F1], stack[f + F3]
                s, c = both1 & LOW32, both1 >> U32
                if s and c and w:
                    stack[f + F2] |= r
                    stack[f + F3] |= SECOND
                    if puts[p] & LOW32 == v:
                        p = puts[p] >> U32 & NEXT
                    break
            r = node_of(nodes, heads, now, v, low, high) if high else low
            both, more = stack[f], stack[f + F2] >> U32 | p << U32
            e = (mixed(both, more) >> now[CAME_SHIFT]) << U2
            came[e], came[e + U1], came[e + U2] = both, more, r | U1 << U32
            sp = f
