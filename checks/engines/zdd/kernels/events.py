"""Many events in turn, and the one door to all of the walks."""

from __future__ import annotations

import numpy as np
from numba import njit

from cutproof.checks.engines.zdd.kernels.table import (
    ACC,
    AT,
    LOW32,
    MOVED,
    PAUSED,
    STEP,
    U0,
    U1,
    U32,
    UNION,
    X,
)
from cutproof.checks.engines.zdd.kernels.walks import GROW, came_from, combine, moved

SELECT, CAME, CHAIN, IMAGES, PREIMAGES = 8, 9, 10, 11, 12
OP_UNION = np.uint64(UNION)


@njit(nogil=True, cache=True)
def one(nodes, heads, cache, came, now, stack, puts, op, a, b, c, d):  # type: ignore
    """One walk: a gate or union, difference, meet of `a` and `b`; `a` where `b` holds with `c` put; or the states of
    `d` that this leads into `a`."""
    a, b, c, d = np.uint64(a), np.uint64(b), np.uint64(c), np.uint64(d)
    if op < MOVED:
        return combine(nodes, heads, cache, now, stack, U0, np.uint64(op), a, b)
    if op == SELECT:
        return moved(nodes, heads, cache, now, stack, puts, a, b, c)
    return came_from(nodes, heads, cache, came, now, stack, puts, a, b, c, d)


@njit(nogil=True, cache=True)
def many(nodes, heads, cache, came, now, stack, puts, events, op, states, within, last):  # type: ignore
    """What the events from now[AT] up to but without `last` add to now[ACC]."""
    states, within, last = np.uint64(states), np.uint64(within), np.uint64(last)
    while now[AT] < last:
        event = events[now[AT]]
        if now[STEP] == U0:
            condition, put = event & LOW32, event >> U32
            if op == PREIMAGES:
                found = came_from(nodes, heads, cache, came, now, stack, puts, states, condition, put, within)
            elif op == CHAIN:
                found = moved(nodes, heads, cache, now, stack, puts, now[ACC], condition, put | GROW)
                if now[PAUSED]:
                    return
                now[ACC] = found
                now[AT] += U1
                continue
            else:
                found = moved(nodes, heads, cache, now, stack, puts, states, condition, put)
            if now[PAUSED]:
                return
            now[X], now[STEP] = found, U1
        found = combine(nodes, heads, cache, now, stack, U0, OP_UNION, now[ACC], now[X])
        if now[PAUSED]:
            return
        now[ACC], now[X], now[STEP] = found, U0, U0
        now[AT] += U1
