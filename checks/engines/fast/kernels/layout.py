"""What the compiled inner loops (`compiled.py`) and those in NumPy (`vectorised.py`) must have in common.

A set that one of them filled is read by the other, so the hash of a key and the place that follows from it are fixed.
"""

from __future__ import annotations

import numpy as np

LANES = 8  # words of a plane
CASES = 128  # cases of one effect, at most
DIGITS = 16  # of the number of transitions that fire in a state
BLOCK = 64 * LANES  # rows that are expanded at once: row 64 l + ... is bit k of word l, for k * LANES + l

LOW32 = np.uint64(0xFFFFFFFF)
# Odd numbers without structure, for the hash of a key (2^64 divided by the golden ratio: Knuth, TAOCP 3, 6.4).
ADDED, ONE, TWO = np.uint64(0x632BE59BD9B4E019), np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD6E8FEB86659FD93)
