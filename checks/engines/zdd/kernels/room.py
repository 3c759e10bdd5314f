"""Room: sweeping what nothing needs, and putting what there is into larger tables."""

from __future__ import annotations

import numpy as np
from numba import njit

from cutproof.checks.engines.zdd.kernels.table import (
    CACHE_SHIFT,
    CAME_SHIFT,
    FREE,
    GONE,
    HEADS_SHIFT,
    LED,
    LOW32,
    TOP,
    U0,
    U1,
    U2,
    U32,
    USED,
    mixed,
)

SIX, SIXTY_THREE = np.uint64(6), np.uint64(63)
OP_LED = np.uint64(LED)


@njit(nogil=True, cache=True, inline="always")
def alive(marks, node):  # type: ignore
    return (marks[node >> SIX] >> (node & SIXTY_THREE)) & U1 != U0


@njit(nogil=True, cache=True)
def mark(nodes, marks, todo, root):  # type: ignore
    """Mark all that is below a root. `todo` has room for a node of each level."""
    todo[0], n = root, 1
    while n:
        n -= 1
        node = todo[n]
        while not alive(marks, node):
            marks[node >> SIX] |= U1 << (node & SIXTY_THREE)
            both = nodes[U2 * node]
            todo[n] = both >> U32
            n += 1
            node = both & LOW32


@njit(nogil=True, cache=True)
def hang(nodes, heads, now, node):  # type: ignore
    """Put a node into the chain where it is looked for."""
    level = nodes[U2 * node + U1] >> U32
    h = mixed(nodes[U2 * node], level) >> now[HEADS_SHIFT]
    nodes[U2 * node + U1] = np.uint64(heads[h]) | level << U32
    heads[h] = node


@njit(nogil=True, cache=True)
def rehash(nodes, heads, now):  # type: ignore
    """Hang all nodes into `heads`, which is empty."""
    for i in range(2, np.int64(now[TOP])):
        node = np.uint64(i)
        if nodes[U2 * node + U1] >> U32 != GONE:
            hang(nodes, heads, now, node)


@njit(nogil=True, cache=True)
def sweep(nodes, heads, cache, came, now, marks, todo, roots, sealed):  # type: ignore
    """Free all nodes that are neither below `roots` nor below those up to `sealed`; forget what was said of them."""
    marks[0] = np.uint64(3)
    for i in range(2, sealed):
        node = np.uint64(i)
        if nodes[U2 * node + U1] >> U32 != GONE:
            mark(nodes, marks, todo, node)
    for root in roots:
        mark(nodes, marks, todo, root)
    for i in range(0, cache.size, 2):
        if cache[i + 1]:
            both, result = cache[i], cache[i + 1] >> U32
            second = both >> U32 if cache[i + 1] & LOW32 < OP_LED else U0  # else it is a relation
            if not (alive(marks, both & LOW32) and alive(marks, second) and alive(marks, result)):
                cache[i + 1] = U0
    for i in range(0, came.size, 4):
        if came[i + 2]:
            both, within, result = came[i], came[i + 1] & LOW32, came[i + 2] & LOW32
            here = alive(marks, both & LOW32) and alive(marks, both >> U32)
            if not (here and alive(marks, within) and alive(marks, result)):
                came[i + 2] = U0
    heads[:] = 0
    now[FREE], now[USED] = U0, U2
    for i in range(np.int64(now[TOP]) - 1, 1, -1):
        node = np.uint64(i)
        if alive(marks, node):
            hang(nodes, heads, now, node)
            now[USED] += U1
        else:
            nodes[U2 * node], nodes[U2 * node + U1] = U0, now[FREE] | GONE << U32
            now[FREE] = node


@njit(nogil=True, cache=True)
def spread(cache, larger, now):  # type: ignore
    """Put what a cache knows into one that is larger, whose shift is there already."""
    for i in range(0, cache.size, 2):
        word = cache[i + 1]
        if word:
            e = U2 * (mixed(cache[i], word & LOW32) >> now[CACHE_SHIFT])
            larger[e], larger[e + U1] = cache[i], word


@njit(nogil=True, cache=True)
def spread_came(came, larger, now):  # type: ignore
    """The same of the cache of preimages."""
    for i in range(0, came.size, 4):
        if came[i + 2]:
            e = (mixed(came[i], came[i + 1]) >> now[CAME_SHIFT]) << U2
            for k in range(3):
                larger[e + np.uint64(k)] = came[i + k]
