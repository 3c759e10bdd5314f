"""A run that went wrong, shortened: which operations of the clients are enough for it.

The seed fixes what clients do, not when, so a shorter run may go wrong now and then only: each try is repeated, and
counts if one of the repetitions goes wrong. What is found is a shortest run in this sense: with any operation less,
that many repetitions were all explained.

    found = shorten(perform, repeats=3)      # perform(names) runs it with these operations alone; None: with all
    found.kept                               # the names of the operations that are left
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Attempt:
    """One run: the names of the operations that were performed (`Load.performed`), in order; of those that no order
    explains; and of all on the same key. Both of these are empty if some order explains everything."""

    performed: tuple[str, ...]
    unexplained: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()


@dataclass(frozen=True)
class Shortened:
    """`kept` are the names of the operations that are left of `of`, after so many runs. Not `whole`: the bound on runs
    was hit, and some of them might be left out still."""

    kept: tuple[str, ...]
    of: int
    runs: int
    whole: bool


Perform = Callable[[frozenset[str] | None], Attempt]


def shorten(
    perform: Perform,
    repeats: int = 3,
    most: int = 60,
    progress: Callable[[int, int], None] = lambda kept, runs: None,
) -> Shortened | None:
    """Shorten a run; None if it was explained in each of so many repetitions. At most so many runs are made.
    `progress` hears how many operations are left, and after how many runs. Raises ValueError for less than one
    repetition or run."""
    if repeats < 1 or most < 1:
        raise ValueError("at least one repetition, and one run")
    return _Search(perform, repeats, most, progress).search()


class _OutOfRuns(Exception):
    pass


class _Search:
    def __init__(
        self, perform: Perform, repeats: int, most: int, progress: Callable[[int, int], None]
    ) -> None:
        self.perform, self.repeats, self.most, self.progress = perform, repeats, most, progress
        self.runs = 0

    def search(self) -> Shortened | None:
        try:
            first = self._goes_wrong(None)
        except _OutOfRuns:
            first = None
        if first is None:
            return None
        self.kept, whole = first, True
        try:
            # What no order explains is often enough by itself; or what else was done to the same key.
            for some in (first.unexplained, first.beside):
                if self._takes(some):
                    break
            self._leave_out()
        except _OutOfRuns:
            whole = False
        return Shortened(self.kept.performed, len(first.performed), self.runs, whole)

    def _goes_wrong(self, names: frozenset[str] | None) -> Attempt | None:
        for _ in range(self.repeats):
            if self.runs == self.most:
                raise _OutOfRuns
            self.runs += 1
            seen = self.perform(names)
            if seen.unexplained:
                return seen
        return None

    def _takes(self, names: Sequence[str]) -> bool:
        """These operations alone go wrong: the rest is left out."""
        if not names or len(names) >= len(self.kept.performed):
            return False
        seen = self._goes_wrong(frozenset(names))
        if seen is None:
            return False
        self.kept = seen
        self.progress(len(seen.performed), self.runs)
        return True

    def _leave_out(self) -> None:
        """Parts are left out, halves first, then smaller ones, at last each operation by itself (delta debugging)."""
        size = max(1, len(self.kept.performed) // 2)
        while True:
            start, less = 0, False
            while start < len(names := self.kept.performed):
                if self._takes(names[:start] + names[start + size :]):
                    less = True  # what stands at `start` now has not been tried
                else:
                    start += size
            if size == 1 and not less:
                return
            size = max(1, size // 2)
