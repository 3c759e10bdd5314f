"""Nodes, where they are found, and what was worked out, in flat arrays of 64-bit words that never grow here.

    nodes   2 words each: low | high << 32,  next | level << 32    `next`: in the same chain of the unique table
    heads   1 word of 32 bits each: the first node of a chain, 0 for none; as many as a power of two
    cache   2 words each: a | b << 32,  operation | result << 32   0 where nothing is
    came    4 words each, the cache of preimages: states | condition << 32,  within | put << 32,  result | 1 << 32
    stack   FRAME words for each call that is under way
    now     where things stand: the numbers below

A kernel that runs out of steps (`now[LEFT]`) sets `now[PAUSED]` and returns at once. Called again, it goes on where it
was: what it needs is on the stack, so anything may be grown or swept in between. Whoever sets LEFT sees to it that
there is room for so many nodes and SLACK more.
"""

from __future__ import annotations

import numpy as np
from numba import njit

LEFT, TOP, FREE, USED, PEAK, PAUSED = 0, 1, 2, 3, 4, 5
HEADS_SHIFT, CACHE_SHIFT, CAME_SHIFT = 6, 7, 8  # 64 - log2 of how many there are: a hash is read from the top
INNER, INNER_SP, INNER_R = (
    9,
    10,
    11,
)  # is `combine` paused, how high is the stack, what does the top frame get
OUTER, OUTER_SP, OUTER_R = 12, 13, 14  # the same of `moved` and `came_from`
AT, STEP, ACC, X = 15, 16, 17, 18  # of many events: which one, what is done, what was found, and by this one
RELATIONS, RELATIONS_SHIFT, RELATIONS_ROOM = 19, 20, 21  # how many there are, as above, how many there may be
NUMBERS = 22
FRAME = 5  # words; see `walks.py`
SLACK = 16

AND, ANDN, NOR, XOR, UNION, DIFFERENCE, MEET = 1, 2, 3, 4, 5, 6, 7
MOVED = 8  # and the number of the put
LED, CLOSED = 0xFFFFFFFE, 0xFFFFFFFF  # of states and a relation, not two nodes

U0, U1, U2 = np.uint64(0), np.uint64(1), np.uint64(2)
U32 = np.uint64(32)
LOW32 = np.uint64(0xFFFFFFFF)
GONE = np.uint64(0xFFFFFFFF)  # the level of a node that was swept
K1, K2 = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F)


@njit(nogil=True, cache=True, inline="always")
def mixed(x, y):  # type: ignore
    """A hash of two words, to be read from the top."""
    h = (x ^ (y * K2)) * K1
    return (h ^ (h >> U32)) * K2


@njit(nogil=True, cache=True, inline="always")
def level_of(nodes, node):  # type: ignore
    return nodes[U2 * node + U1] >> U32


@njit(nogil=True, cache=True)
def node_of(nodes, heads, now, level, low, high):  # type: ignore
    """The node (level, low, high), a new one if there is none yet."""
    both = low | high << U32
    h = mixed(both, level) >> now[HEADS_SHIFT]
    found = np.uint64(heads[h])
    first = found
    while found:
        word = nodes[U2 * found + U1]
        if nodes[U2 * found] == both and word >> U32 == level:
            return found
        found = word & LOW32
    if now[FREE]:
        found = now[FREE]
        now[FREE] = nodes[U2 * found + U1] & LOW32
    else:
        found = now[TOP]
        now[TOP] = found + U1
    nodes[U2 * found] = both
    nodes[U2 * found + U1] = first | level << U32
    heads[h] = found
    now[USED] += U1
    return found
