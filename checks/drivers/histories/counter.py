"""Whether some order explains what was told of a counter: add, read.

The search is that of `register.py`. Additions commute, so one matters only if it is told from the others by a read;
and of additions of one amount the one whose answer comes first is the first. So where all amounts are equal there is
nothing to try; where they differ it is, at worst, a search for the summands of a sum."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

from cutproof.checks.drivers.histories.events import Events
from cutproof.checks.drivers.histories.operation import GET, Operation


def explained(operations: Sequence[Operation], most: int, start: int = 0) -> bool | None:
    """Whether some order explains the operations on one counter that began at `start`; None if `most` configurations
    did not decide it. Raises ValueError for what is no number."""
    return _Search(operations).run(most, start)


def number_of(value: object) -> int:
    """What a read of a counter shows: nothing is zero. Raises ValueError for what is no number."""
    if value is None:
        return 0
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"{value!r} is no number, and this key is a counter")
    return value


class _Search:
    def __init__(self, operations: Sequence[Operation]) -> None:
        kept = [o for o in operations if o.demanded]
        optional = [o for o in operations if o.possible and number_of(o.argument)]
        self.optional = [False] * len(kept) + [True] * len(optional)
        operations = kept + optional
        self.reads = [o.kind == GET for o in operations]
        self.numbers = [number_of(o.result if o.kind == GET else o.argument) for o in operations]
        self.events = Events(operations, self.optional)
        self.growing = all(n >= 0 for n, r in zip(self.numbers, self.reads, strict=True) if not r)
        self._maybe: dict[int, list[int]] = {}
        for i in range(len(kept), len(operations)):
            self._maybe.setdefault(self.numbers[i], []).append(i)
        self._look_ahead()

    def _look_ahead(self) -> None:
        """After each event: the least that a read which begins later shows; and where the last read begins."""
        events = self.events.events
        self.least: list[float] = [inf] * (len(events) + 1)
        self.last_read = -1
        for place in range(len(events) - 1, -1, -1):
            i, least = events[place] >> 1, self.least[place + 1]
            if not events[place] & 1 and self.reads[i]:
                least = min(least, self.numbers[i])
                self.last_read = max(self.last_read, place)
            self.least[place] = least

    def run(self, most: int, start: int) -> bool | None:
        """Whether there is an order, or None if that took too much."""
        events, bit, reads, numbers = self.events.events, self.events.bit, self.reads, self.numbers
        end, spent = len(events), 0
        seen: set[tuple[int, int, int]] = set()
        stack = [(0, 0, start)]
        while stack:
            place, done, total = stack.pop()
            while place < end:
                i = events[place] >> 1
                if events[place] & 1:
                    if not done & bit[i]:
                        break
                    done ^= bit[i]
                elif reads[i] and numbers[i] == total:
                    done |= bit[i]
                place += 1
            else:
                return True
            if (configuration := (place, done, total)) in seen:
                continue
            seen.add(configuration)
            ahead = self._next(place, done, total)
            spent += 1 + len(ahead)
            if spent > most:
                return None
            stack += ahead
        return False

    def _next(self, place: int, done: int, total: int) -> list[tuple[int, int, int]]:
        """The configurations that one addition taking effect now leads to; what promises most comes last."""
        bit, numbers, ended = self.events.bit, self.numbers, self.events.ended
        watching, first = list[int](), dict[int, int]()
        for i in self.events.open(place):
            if done & bit[i]:
                continue
            if self.reads[i]:
                watching.append(i)
            elif (n := numbers[i]) not in first or ended[i] < ended[first[n]]:
                first[n] = i
        forced = self.events.events[place] >> 1
        if not watching:  # nobody can tell the order of additions now
            first = {numbers[forced]: forced}
        else:
            for n, alike in self._maybe.items():
                if n not in first:
                    one = next((i for i in alike if self.events.begun[i] < place and not done & bit[i]), None)
                    if one is not None:
                        first[n] = one
        most = min(self.least[place], min((numbers[i] for i in watching), default=inf))
        found: list[tuple[int, int, int]] = []
        for n, i in sorted(first.items(), key=lambda pair: (pair[1] == forced, pair[0])):
            if self.growing and total + n > most:
                continue
            after = done | bit[i]
            for j in watching:
                if numbers[j] == total + n:
                    after |= bit[j]
            found.append((place, after, total + n))
        return found
