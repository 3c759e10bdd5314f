"""What a block leads to, eight rows at once, compiled by numba.

For each effect, and each k of which a word of a plane has the bit, rows base + 8 k to base + 8 k + 7 lie beside one
another, and their bits k in the eight words. Their new keys and masks are computed side by side (`vectors.py`), and
those that have states left are stored without gaps.
"""

from __future__ import annotations

import numpy as np

from cutproof.checks.engines.fast.kernels.layout import LANES
from cutproof.checks.engines.fast.kernels.vectors import any_of, eight_rows, kernel, lowest, total, width_of

U0, U1 = np.uint64(0), np.uint64(1)


@kernel
def emit_eight(planes, rows, base, kk, words, cases, masks, acting, acts, fired, moved, want, counts, out, n):  # type: ignore
    """What one effect (keep, put and add in `words`) makes of a block, by those of its cases that are `acting`. As
    `emit`, where no bits are computed and nothing is interchangeable. The arrays are flat; `counts` has room for eight
    words for each case."""
    width, left_over = width_of(kk), U0
    size, room = rows.size // (width + 1), out.size // (width + 1)
    for i in range(acts):
        left_over |= any_of(planes, cases[4 * acting[i]] * LANES)
        for lane in range(LANES):
            counts[i * LANES + lane] = U0
    while left_over:
        k = lowest(left_over)
        left_over &= left_over - U1
        n = eight_rows(
            rows, size, base + k * LANES, planes, k, cases, masks, acting, acts, counts, words, moved, k * LANES, want,
            out, room, n, width,
        )  # fmt: skip
    for i in range(acts):
        fired[cases[4 * acting[i] + 1]] += total(counts, i * LANES)
    return n
