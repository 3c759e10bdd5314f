"""Diagrams read: their nodes in turn, and how many states there are, exactly."""

from __future__ import annotations

import numpy as np
from numba import njit

from cutproof.checks.engines.zdd.kernels.table import LOW32, U0, U1, U2, U32


@njit(nogil=True, cache=True)
def listed(nodes, places, todo, root, found, n):  # type: ignore
    """Put the nodes of a diagram into found[n:], each after those below it, and their places in `found` plus 2 into
    `places`, where those are that were found before. Returns how many there are now, or -1: there is no room."""
    todo[0], m = root, 1
    while m:
        node = todo[m - 1]
        low, high = nodes[U2 * node] & LOW32, nodes[U2 * node] >> U32
        if node < U2 or places[node]:
            m -= 1
        elif low > U1 and not places[low]:
            todo[m] = low
            m += 1
        elif high > U1 and not places[high]:
            todo[m] = high
            m += 1
        else:
            if n == found.size:
                return -1
            found[n] = node
            places[node] = n + 2
            n += 1
            m -= 1
    return n


@njit(nogil=True, cache=True)
def forget(places, found, n):  # type: ignore
    """Make `places` empty again."""
    for i in range(n):
        places[found[i]] = 0


@njit(nogil=True, cache=True)
def counted(nodes, places, found, n, counts):  # type: ignore
    """Put into counts[place] how many states each of some nodes has, in words of 64 bits, the lowest first. Whether
    that many words are enough."""
    words = counts.shape[1]
    counts[:2] = U0
    counts[1, 0] = U1
    for i in range(n):
        both = nodes[U2 * found[i]]
        low, high = both & LOW32, both >> U32
        a = np.int64(low) if low < U2 else np.int64(places[low])
        b = np.int64(high) if high < U2 else np.int64(places[high])
        carry = U0
        for k in range(words):
            x = counts[a, k] + carry
            carry = U1 if x < carry else U0
            total = x + counts[b, k]
            if total < x:
                carry = U1
            counts[i + 2, k] = total
        if carry:
            return False
    return True
