"""Where a relation leads, and all that it leads to: one walk down states and relation. Recursion is by hand, as in
`walks.py`; a frame has

    0 states | low << 32     what is known without the bit of its level,
    1 high | seen << 32      what is known with it, and (of a closure) what of that was led over to those without it
    3 stage << 32            what the call under way is for, below
    4 level | relation << 32

The stages of a closure go round until states that are led over to the other side of the level are known there. Both
sides are closed before: what comes later meets a set that is nearly whole, so few nodes are made that do not stay.
"""

# ruff: noqa: PLR1714, SIM109   (numba compiles these, and others better than `in`)

from __future__ import annotations

import numpy as np
from numba import njit

from cutproof.checks.engines.zdd.kernels.relations import EITHER, kind_of, known, split, top_of
from cutproof.checks.engines.zdd.kernels.table import (
    CACHE_SHIFT,
    CLOSED,
    FRAME,
    INNER,
    LED,
    LEFT,
    LOW32,
    OUTER,
    OUTER_R,
    OUTER_SP,
    PAUSED,
    U0,
    U1,
    U2,
    U32,
    UNION,
    mixed,
    node_of,
)
from cutproof.checks.engines.zdd.kernels.walks import combine

F = np.uint64(FRAME)
F1, F3, F4 = np.uint64(1), np.uint64(3), np.uint64(4)
OP_UNION, OP_LED, OP_CLOSED = np.uint64(UNION), np.uint64(LED), np.uint64(CLOSED)
LED_BEGINS, LED_00, LED_10, LED_11, LED_01 = U0, U1, U2, np.uint64(3), np.uint64(4)
BEGINS, CLOSED_0, LED_UP, CLOSED_1, LED_DOWN = (np.uint64(i) for i in range(5, 10))
HALF = np.uint64(0xFFFFFFFF00000000)


@njit(nogil=True, cache=True)
def led(nodes, heads, cache, now, stack, puts, relations, chains, op, s, r):  # type: ignore
    """Where the relation `r` leads from the states `s`; or, if `op` is CLOSED, these and all states to which it leads
    from them, in any number of steps."""
    s, r, op = np.uint64(s), np.uint64(r), np.uint64(op)
    sp, x, called = U0, U0, True
    if now[OUTER]:
        sp, x, called, now[OUTER] = now[OUTER_SP], now[OUTER_R], False, U0
    while True:
        if called:
            closing = op == OP_CLOSED
            if closing and r:
                if r == U1:
                    r = U0
                elif kind_of(relations, r) == EITHER and relations[r << U2] & LOW32 == U1:
                    r = relations[r << U2] >> U32
            if s == U0 or r <= U1:
                x = s if closing or r == U1 else U0
            else:
                v, top, split_ = nodes[U2 * s + U1] >> U32, top_of(relations, r), True
                if top < v:
                    split_, v = known(relations, r), top
                    if split_ and relations[(r << U2) + U2] >> U32 == U0:  # no state has this bit, or gets it
                        r = relations[(r << U2) + U2] & LOW32
                        continue
                both = s | r << U32
                e = U2 * (mixed(both, op) >> now[CACHE_SHIFT])
                word = cache[e + U1]
                if split_ and cache[e] == both and word & LOW32 == op:
                    x = word >> U32
                else:
                    stack[sp], stack[sp + F1], stack[sp + U2] = s, U0, U0
                    stack[sp + F3] = (BEGINS if closing else LED_BEGINS) << U32
                    stack[sp + F4] = v | r << U32
                    sp += F
        called = True
        while True:
            if sp == U0:
                return x
            if now[INNER] == U0:
                if now[LEFT] == U0:
                    now[OUTER], now[OUTER_SP], now[OUTER_R], now[PAUSED] = U1, sp, x, U1
                    return U0
                now[LEFT] -= U1
            f = sp - F
            v, relation, stage = stack[f + F4] & LOW32, stack[f + F4] >> U32, stack[f + F3] >> U32
            states, closing = stack[f] & LOW32, stage >= BEGINS
            low, high = stack[f] >> U32, stack[f + F1] & LOW32
            s0, s1 = states, U0
            if nodes[U2 * states + U1] >> U32 == v:
                s0, s1 = nodes[U2 * states] & LOW32, nodes[U2 * states] >> U32
            l0, l1 = relation, relation << U32
            if top_of(relations, relation) == v:
                if not known(relations, relation) and not split(
                    nodes, puts, relations, chains, now, relation
                ):
                    now[OUTER], now[OUTER_SP], now[OUTER_R], now[PAUSED] = U1, sp, x, U1
                    return U0
                l0, l1 = relations[(relation << U2) + U2], relations[(relation << U2) + F3]
            done = False
            if stage == LED_BEGINS or stage == BEGINS:
                if s1 == U0 and s0 == states and l0 >> U32 == U0:
                    sp = f
                    s, r, op = s0, l0 & LOW32, OP_CLOSED if closing else OP_LED
                    break
                high = s1 if closing else U0
                stage += U1
                s, r, op = s0, l0 & LOW32, OP_CLOSED if closing else OP_LED
            elif stage == LED_00:
                low, stage, s, r, op = x, LED_10, s1, l1 & LOW32, OP_LED
            elif stage == LED_11:
                high, stage, s, r, op = x, LED_01, s0, l0 >> U32, OP_LED
            elif stage == CLOSED_0:
                low, stage, s, r, op = x, LED_UP, x, l0 >> U32, OP_LED
            elif stage == CLOSED_1:
                high, done = x, x == stack[f + F1] >> U32
                stage, s, r, op = LED_DOWN, x, l1 & LOW32, OP_LED
                stack[f + F1] = x << U32
            else:
                other = high if stage == LED_01 or stage == LED_UP else low
                x = combine(nodes, heads, cache, now, stack, sp, OP_UNION, other, x)
                if now[PAUSED]:
                    now[OUTER], now[OUTER_SP], now[OUTER_R] = U1, sp, other
                    return U0
                if stage == LED_10:
                    low, stage, s, r, op = x, LED_11, s1, l1 >> U32, OP_LED
                elif stage == LED_01:
                    high, done = x, True
                elif stage == LED_UP:
                    stage, s, r, op = CLOSED_1, x, l1 >> U32, OP_CLOSED
                else:
                    done = x == low
                    stage, s, r, op = CLOSED_0, x, l0 & LOW32, OP_CLOSED
            if not done:
                stack[f], stack[f + F1] = states | low << U32, high | stack[f + F1] & HALF
                stack[f + F3] = stage << U32
                break
            x = node_of(nodes, heads, now, v, low, high) if high else low
            op = OP_CLOSED if closing else OP_LED
            both = states | relation << U32
            e = U2 * (mixed(both, op) >> now[CACHE_SHIFT])
            cache[e], cache[e + U1] = both, op | x << U32
            if closing and x != states:
                both = x | relation << U32
                e = U2 * (mixed(both, op) >> now[CACHE_SHIFT])
                cache[e], cache[e + U1] = both, op | x << U32
            sp = f
