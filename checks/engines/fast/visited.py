"""The set of rows that were found: keys, and which states of each were seen. Exact; one part for each thread."""

from __future__ import annotations

import contextlib
import mmap
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from cutproof.checks.engines.fast.kernels.choice import kernels
from cutproof.checks.engines.fast.kernels.layout import BLOCK
from cutproof.checks.engines.fast.program import Numbers, Words

LOADED = 0.75  # of the places of a part, when it is made larger
NEARLY = 0.9  # ... of that, when it is looked at between two batches
SMALLEST = 1 << 10
BITS = 64  # of a mask: states of a row, at most
HUGE = 1 << 22  # bytes of a table, from which on large pages are asked for
MIDDLE, LARGE = 1 << 20, 1 << 25  # places, up to which the set grows fourfold, and twofold; then by half

Together = Callable[[Callable[..., Any], Sequence[tuple[Any, ...]]], list[Any]]


def one_by_one(work: Callable[..., Any], arguments: Sequence[tuple[Any, ...]]) -> list[Any]:
    """`work` for each tuple of arguments, in this thread."""
    return [work(*a) for a in arguments]


class Visited:
    """Rows of `k` words and a mask in `parts` parts, each of which one thread at a time may add to."""

    def __init__(self, k: int, parts: int = 1) -> None:
        self.k, self.kk, self.parts = k, (0,) * k, np.zeros(parts, np.int64)
        self.table = empty_table(SMALLEST * parts, k + 2)
        self.used, self.nfresh = [0] * parts, [0] * parts
        self.fresh = [np.empty(SMALLEST, np.int64) for _ in range(parts)]
        self.states = 0  # taken, or settled

    @property
    def rows(self) -> int:
        """Rows in the set."""
        return sum(self.used)

    @property
    def bytes(self) -> int:
        """Bytes that the set takes."""
        return self.table.nbytes

    def room(self) -> int:
        """Places that a part may use."""
        return int(len(self.table) // len(self.parts) * LOADED)

    @property
    def nearly_full(self) -> bool:
        """Whether it should be made larger before more is put into it."""
        return max(self.used) > NEARLY * self.room()

    @property
    def seen(self) -> int:
        """States in the set, fresh ones too."""
        more = (self.table[fresh[:n], self.k + 1] for fresh, n in zip(self.fresh, self.nfresh, strict=True))
        return self.states + sum(int(np.bitwise_count(masks).sum()) for masks in more)

    def near(self, most: int | None) -> int:
        """States in the set: to the state where there may be `most` of them, else of levels that are done."""
        if most is None or self.states + BITS * sum(self.nfresh) < most:
            return self.states
        return self.seen

    @property
    def next_bytes(self) -> int:
        """Bytes of the table that `grow` would make."""
        return int(self.table.nbytes * self._factor())

    def _factor(self) -> float:
        return 4.0 if len(self.table) < MIDDLE else 2.0 if len(self.table) < LARGE else 1.5

    def grow(self, together: Together = one_by_one) -> None:
        """Make the set larger."""
        parts, size = len(self.parts), int(len(self.table) // len(self.parts) * self._factor())
        old, self.table = self.table, empty_table(size * parts, self.k + 2)
        self.fresh = [np.empty(size, np.int64) for _ in range(parts)]
        todo = [(self.table, self.parts, part, old, self.kk, self.fresh[part]) for part in range(parts)]
        self.nfresh = together(kernels.refill, todo)

    def add(self, part: int, rows: Words, start: int, count: int) -> int:
        """Put rows[start:count], all of this part, into the set: the first that was not put there, for want of room."""
        done, self.used[part], self.nfresh[part] = kernels.insert(
            self.table, self.parts, part, self.used[part], rows, start, count, self.kk, self.fresh[part],
            self.nfresh[part], self.room(),
        )  # fmt: skip
        return int(done)

    def take(self, together: Together = one_by_one) -> tuple[Words, int]:
        """The fresh states as rows, padded to whole blocks, and how many rows these are; nothing is fresh then."""
        count = sum(self.nfresh)
        rows = np.empty((self.k + 1, whole_blocks(count)), np.uint64)
        rows[:, count:] = 0
        lows = np.cumsum([0, *self.nfresh])[:-1].tolist()
        todo = [
            (self.table, self.fresh[part], self.nfresh[part], rows, low, self.kk)
            for part, low in enumerate(lows)
        ]
        self.states += sum(together(kernels.take, todo))
        self.nfresh = [0] * len(self.parts)
        return rows, count

    def pour(self, rows: Words) -> None:
        """Put rows of any part into the set, as fresh where they are new."""
        chunk = 1 << 16
        for low in range(0, rows.shape[1], chunk):
            some = np.ascontiguousarray(rows[:, low : low + chunk])
            if len(self.parts) == 1:
                split, fill = some[None], [some.shape[1]]
            else:
                split, counts = (
                    np.empty((len(self.parts), *some.shape), np.uint64),
                    np.zeros(len(self.parts), np.int64),
                )
                kernels.scatter(some, some.shape[1], self.kk, len(self.parts), split, counts)
                fill = counts.tolist()
            for part, count in enumerate(fill):
                done = 0
                while (done := self.add(part, split[part], done, count)) < count:
                    self.grow()

    def find(self, rows: Words) -> Numbers:
        """The place of each row's key, or -1."""
        found = np.empty(rows.shape[1], np.int64)
        kernels.places(self.table, self.parts, np.ascontiguousarray(rows), 0, len(found), self.kk, found)
        return found

    def masks(self, rows: Words) -> Words:
        """The states seen of each row's key; none where it is not there."""
        at = self.find(rows)
        return np.where(at >= 0, self.table[at, self.k], np.uint64(0))


def empty_table(places: int, words: int) -> Words:
    """A table of zeros, on large pages where the system has them: most of what is looked up is in no cache."""
    size = places * words * 8
    if size < HUGE or not hasattr(mmap, "MADV_HUGEPAGE"):
        return np.zeros((places, words), np.uint64)
    memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)  # shared ones have none
    with contextlib.suppress(OSError):  # the system has none
        memory.madvise(mmap.MADV_HUGEPAGE)
    return np.frombuffer(memory, np.uint64).reshape(places, words)


def whole_blocks(count: int) -> int:
    """So many rows, as whole blocks."""
    return -(-count // BLOCK) * BLOCK


def padded(rows: Words) -> Words:
    """Rows padded to whole blocks by rows of no state."""
    count, size = rows.shape[1], whole_blocks(rows.shape[1])
    if count == size and rows.flags.c_contiguous:
        return rows
    found = np.zeros((len(rows), size), np.uint64)
    found[:, :count] = rows
    return found


def merged(rows: Words, k: int) -> Words:
    """The same states in rows of which no two have one key."""
    if rows.shape[1] < 2:
        return rows
    order = np.lexsort(rows[:k])
    rows = rows[:, order]
    new = np.concatenate([[True], (rows[:k, 1:] != rows[:k, :-1]).any(axis=0)])
    first = np.flatnonzero(new)
    return np.vstack([rows[:k, first], np.bitwise_or.reduceat(rows[k], first)[None]])
