"""What the compiled inner loops (`compiled.py`) and those in NumPy (`vectorised.py`) must have in common.

A set that one of them filled is read by the other, so the hash of a word and the place that follows from it are fixed.
"""

from __future__ import annotations

import numpy as np

PARTS = 8  # hash sets that the states are spread over
PART_SHIFT = np.uint64(61)  # the upper bits of the hash say which part
EMPTY = np.uint64(0xFFFFFFFFFFFFFFFF)  # a place of a set where no word is
RECENT = 14  # bits: how many successors a worker remembers, so as not to hand them on again
RECENT_SHIFT, RECENT_MASK = np.uint64(40), np.uint64((1 << RECENT) - 1)

LOW32, BYTE = np.uint64(0xFFFFFFFF), np.uint64(0xFF)
MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # 2^64 divided by the golden ratio, odd (Knuth, TAOCP 3, 6.4)
MIXER = np.uint64(0xD6E8FEB86659FD93)  # odd; the constant of degski's 64-bit mixer

# Of a value in the tables (`rulebook.py`): the bits from which on these are found.
CHANGES, TAKEN, BROKEN = np.uint64(32), np.uint64(40), np.uint64(62)
STEPS_OR_BROKEN = np.uint64(0x4000FF)  # of a value, from TAKEN on
