"""A history of one key as its events, for the searches: who is open at which of them, and which bit stands for whom."""

from __future__ import annotations

from collections.abc import Sequence

from cutproof.checks.drivers.histories.operation import Operation


class Events:
    """Calls and answers in order of time. Operations go by their index in what was given.

    `events[p]` is 2 * i where operation i is invoked, 2 * i + 1 where it is answered; what is invoked at the very
    moment of an answer overlaps it. `bit[i]` is one bit; that of an operation that is answered is used again by later
    ones, so that sets of operations stay small numbers however long the history is. `begun[i]` and `ended[i]` are
    places in `events`; what has no answer, or does not have to happen, ends at `endless`."""

    def __init__(self, operations: Sequence[Operation], optional: Sequence[bool]) -> None:
        keyed = [(o.invoked, 0, i) for i, o in enumerate(operations)]
        keyed += [(o.returned, 1, i) for i, o in enumerate(operations) if not optional[i]]  # type: ignore[misc]
        keyed.sort()
        self.events = [2 * i + answered for _, answered, i in keyed]
        count = len(operations)
        self.endless = len(keyed)
        self.bit, self.begun, self.ended = [0] * count, [0] * count, [self.endless] * count
        free: list[int] = []
        used = wide = open_ = 0
        for place, (_, answered, i) in enumerate(keyed):
            if answered:
                free.append(self.bit[i])
                self.ended[i] = place
                open_ -= 1
            else:
                if free and not optional[i]:
                    self.bit[i] = free.pop()
                else:
                    self.bit[i] = 1 << used
                    used += 1
                self.begun[i] = place
                if not optional[i]:
                    open_ += 1
                    wide = max(wide, open_)
        self._optional = optional
        self._gap = max(64, 2 * wide)
        self._kept: dict[int, tuple[int, ...]] = {0: ()}
        self._place, self._open = 0, dict[int, None]()

    def open(self, place: int) -> tuple[int, ...] | dict[int, None]:
        """What must happen, was invoked before this event and is not answered before it, in order of invocation."""
        if place < self._place or place - self._place > self._gap:
            start = max(k for k in (place - place % self._gap, 0) if k <= place)
            while start not in self._kept:
                start -= self._gap
            if place < self._place or start > self._place:
                self._place, self._open = start, dict.fromkeys(self._kept[start])
        events, optional, found = self.events, self._optional, self._open
        for at in range(self._place, place):
            if at % self._gap == 0 and at not in self._kept:
                self._kept[at] = tuple(found)
            event = events[at]
            if event & 1:
                del found[event >> 1]
            elif not optional[event >> 1]:
                found[event >> 1] = None
        self._place = place
        return found
