"""The set of states found: 64-bit words, exact, spread over parts that grow one at a time.

Eight bytes a state, and as many again at most for places that are empty.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from cutproof.checks.engines.fast.clusters import Words
from cutproof.checks.engines.fast.kernels.choice import kernels
from cutproof.checks.engines.fast.kernels.layout import EMPTY, PARTS

LOADED, GROWTH = 0.8, 1.5  # a part is made larger when it is so full, and then by so much
SMALLEST = 64


class Visited:
    """A set of words in parts. Each part may be added to by one thread at a time."""

    def __init__(self) -> None:
        self.tables = [np.full(SMALLEST, EMPTY) for _ in range(PARTS)]
        self.used = [0] * PARTS

    def __len__(self) -> int:
        return sum(self.used)

    @property
    def bytes(self) -> int:
        """Bytes that the set takes."""
        return sum(t.nbytes for t in self.tables)

    def add(self, part: int, words: Words, count: int) -> list[Words]:
        """Put the first `count` words, all of this part, into the set; those that were not there, in their order."""
        done, found = 0, list[Words]()
        while done < count:
            table = self.tables[part]
            room = int(table.size * LOADED)
            new = np.empty(min(count - done, room - self.used[part] + 1), np.uint64)
            done, self.used[part], n = kernels.insert(table, self.used[part], words, done, count, new, room)
            if n:
                found.append(new[:n] if 2 * n > new.size else new[:n].copy())
            if done < count:
                self._grow(part)
        return found

    def _grow(self, part: int) -> None:
        larger = np.full(int(self.tables[part].size * GROWTH) + 1, EMPTY)
        kernels.refill(larger, self.tables[part])
        self.tables[part] = larger

    def pour(self, words: Words) -> int:
        """Put words of any part into the set; how many were new."""
        before, start, n = len(self), 0, 1 << 14
        out, fill = np.empty((PARTS, n), np.uint64), np.zeros(PARTS, np.int64)
        while start < len(words):
            start = kernels.scatter(words, out, fill, start)
            for part in range(PARTS):
                self.add(part, out[part], int(fill[part]))
            fill[:] = 0
        return len(self) - before

    def find(self, words: Words) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], int]]:
        """Part by part: the places of the words that are of it (-1: not in the set), which these are, the part."""
        of = np.empty(len(words), np.int64)
        kernels.parts_of(words, of)
        for part in range(PARTS):
            which = np.flatnonzero(of == part)
            if len(which):
                places = np.empty(len(which), np.int64)
                kernels.places_of(self.tables[part], words[which], places)
                yield places, which, part

    def parts(self) -> Iterator[Words]:
        """The words, part by part."""
        for table in self.tables:
            yield table[table != EMPTY]
