"""Whether some order explains what was told of a register: put, delete, compare-and-set, read.

The search of Wing and Gong, as Lowe made it: nothing is given its place before an answer demands it, and no
configuration (event, who has had its place, value) is tried twice. What needs no branching:

- a read has its place as soon as the register holds what it shows, since it changes nothing;
- a write that nobody will see has its place just before another write;
- of writes of the same value, the one whose answer comes first;
- a value that is still to be read, and that nobody else will write, is not left.

Where values are written once, that leaves next to nothing to try.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from math import inf
from typing import Any

from cutproof.checks.drivers.adapter import FAILED, UNEQUAL
from cutproof.checks.drivers.histories.events import Events
from cutproof.checks.drivers.histories.operation import GET, Operation, key_of

READ, MISMATCH, WRITE, SWAP = 0, 1, 2, 3
NEVER = -1
_NOBODYS = object()


def explained(operations: Sequence[Operation], versioned: bool, most: int) -> bool | None:
    """Whether some order explains the operations on one register; None if `most` configurations did not decide it.

    `versioned`: a put or delete that failed has no effect once one that was issued after the failure had its own."""
    return _Search(operations, versioned).run(most)


class _Search:
    def __init__(self, operations: Sequence[Operation], versioned: bool) -> None:
        self.numbers: dict[Any, int] = {None: 0}
        kept = [o for o in operations if o.demanded]
        self.seen_by_somebody = {
            key_of(o.result if o.kind == GET else o.argument[0]) for o in kept if o.shows
        }
        mismatches = any(o.outcome == UNEQUAL for o in kept)
        self.compared = self.seen_by_somebody | {
            key_of(o.argument[0]) for o in operations if o.kind == "put_if"
        }
        self.perhaps_needed: set[int] = set()
        optional = self._relevant([o for o in operations if o.possible], mismatches)
        self.optional = [False] * len(kept) + [True] * len(optional)
        self.operations = kept + optional
        self.kind, self.need, self.give = list[int](), list[int](), list[int]()
        for o in self.operations:
            self._describe(o)
        self.events = Events(self.operations, self.optional)
        self._look_ahead()
        self._maybe: dict[int, list[int]] = {}  # by value, what may or may not happen
        for i in range(len(kept), len(self.operations)):
            self._maybe.setdefault(self.give[i], []).append(i)
            if self.kind[i] == SWAP:
                self.perhaps_needed.add(self.need[i])
        for alike in self._maybe.values():
            alike.sort(key=self._ruled_out)
        self.perhaps = sum(self.events.bit[len(kept) :])
        self.kills = [0] * len(self.operations)
        self.mortal = 0
        if versioned:
            self._mark_kills(len(kept))

    def _relevant(self, optional: list[Operation], mismatches: bool) -> list[Operation]:
        """What may or may not have happened, and could explain anything if it did."""
        if mismatches:
            return optional
        needed = set(self.seen_by_somebody)
        found: dict[int, Operation] = {}
        grown = True
        while grown:
            grown = False
            for place, o in enumerate(optional):
                if place not in found and key_of(o.value) in needed:
                    found[place] = o
                    if o.kind == "put_if" and (old := key_of(o.argument[0])) not in needed:
                        needed.add(old)
                        grown = True
        return [found[place] for place in sorted(found)]

    def _number(self, value: Any) -> int:
        """The number of a value: one for all of those that nobody asks for."""
        key = key_of(value)
        return self.numbers.setdefault(key if key in self.compared else _NOBODYS, len(self.numbers))

    def _describe(self, o: Operation) -> None:
        if o.kind == GET:
            what = (READ, self._number(o.result), NEVER)
        elif o.outcome == UNEQUAL:
            what = (MISMATCH, self._number(o.argument[0]), NEVER)
        elif o.kind == "put_if":
            what = (SWAP, self._number(o.argument[0]), self._number(o.argument[1]))
        else:
            what = (WRITE, NEVER, self._number(o.argument if o.kind == "put" else None))
        for column, entry in zip((self.kind, self.need, self.give), what, strict=True):
            column.append(entry)

    def _look_ahead(self) -> None:
        """The last event at which something begins that needs, or gives, each value."""
        self.last_need, self.last_give = [NEVER] * len(self.numbers), [NEVER] * len(self.numbers)
        self.last_asked = [NEVER] * len(self.numbers)
        self.last_mismatch = NEVER
        self.alone: dict[int, int] = {}  # by value, the only one that writes it, or NEVER
        for i, u in enumerate(self.give):
            self.alone[u] = NEVER if u in self.alone else i
        for i, begun in enumerate(self.events.begun):
            kind = self.kind[i]
            if self.need[i] != NEVER:
                asked = self.events.endless if self.optional[i] else begun
                self.last_asked[self.need[i]] = max(self.last_asked[self.need[i]], asked)
            if kind == MISMATCH:
                self.last_mismatch = max(self.last_mismatch, begun)
            elif kind != WRITE and not self.optional[i]:
                self.last_need[self.need[i]] = max(self.last_need[self.need[i]], begun)
            if self.give[i] != NEVER:
                self.last_give[self.give[i]] = max(self.last_give[self.give[i]], begun)

    def _mark_kills(self, first: int) -> None:
        """For each write, the failed ones whose clients had heard of it before the write was issued."""
        failed = [
            (o.returned, i)
            for i, o in enumerate(self.operations[first:], first)
            if o.outcome == FAILED and o.kind != "put_if" and o.returned is not None
        ]
        if not failed:
            return
        failed.sort()
        moments, masks = [moment for moment, _ in failed], [0]
        for _, i in failed:
            masks.append(masks[-1] | self.events.bit[i])
        self.mortal = masks[-1]
        for i, o in enumerate(self.operations):
            if self.give[i] != NEVER:
                self.kills[i] = masks[bisect_left(moments, o.invoked)]

    def _ruled_out(self, i: int) -> tuple[float, int]:
        """When it is, at the latest, that a write can be issued which rules this one out."""
        o = self.operations[i]
        heard = o.returned if o.outcome == FAILED and self.kind[i] == WRITE else None
        return (inf if heard is None else heard, self.events.begun[i])

    def run(self, most: int) -> bool | None:
        """Whether there is an order, or None if that took too much."""
        events, bit, kind, need = self.events.events, self.events.bit, self.kind, self.need
        end, spent, perhaps = len(events), 0, self.perhaps
        seen: dict[tuple[int, int, int], list[int]] = {}
        stack = [(0, 0, 0)]
        while stack:
            place, done, value = stack.pop()
            while place < end:
                event = events[place]
                i = event >> 1
                if event & 1:
                    if not done & bit[i]:
                        break
                    done ^= bit[i]
                elif (kind[i] == READ and need[i] == value) or (kind[i] == MISMATCH and need[i] != value):
                    done |= bit[i]
                place += 1
            else:
                return True
            used = done & perhaps
            before = seen.setdefault((place, done ^ used, value), [])
            if any(not other & ~used for other in before):
                continue  # what may or may not have happened is better still to come
            before.append(used)
            ahead = self._next(place, done, value)
            spent += 1 + len(ahead)
            if spent > most:
                return None
            stack += ahead
        return False

    def _next(self, place: int, done: int, value: int) -> list[tuple[int, int, int]]:
        """The configurations that some operation taking effect now leads to; what promises most comes last."""
        bit, kind, need, give = self.events.bit, self.kind, self.need, self.give
        writes, swaps, watching = list[int](), list[int](), list[int]()
        wanted, mismatches = set[int](), set[int]()
        again = self.last_give[value] > place
        for i in self.events.open(place):
            if done & bit[i]:
                continue
            what = kind[i]
            if what == WRITE:
                writes.append(i)
                again = again or give[i] == value
            elif what == SWAP:
                again = again or give[i] == value
                if need[i] == value:
                    swaps.append(i)
                else:
                    wanted.add(need[i])
            else:
                watching.append(i)
                if what == READ:
                    wanted.add(need[i])
                else:
                    mismatches.add(need[i])
        again = again or any(not done & bit[i] for i in self._maybe.get(value, ()))
        stay = not again and self.last_need[value] > place
        stuck = not again and len(
            swaps
        )  # so many compare-and-sets expect the present value, for the last time
        hidden: list[int] = []
        if self.last_mismatch <= place and not mismatches:
            mortal = self.mortal & ~done
            for i in writes:
                u = give[i]
                seen = u in wanted or (swaps and u == value) or u in self.perhaps_needed
                if not seen and self.last_need[u] <= place and not self.kills[i] & mortal:
                    hidden.append(i)
        forced = self.events.events[place] >> 1
        chosen: list[tuple[int, int, int]] = []
        best: list[tuple[int, int, int]] = []
        # On the way to another value a mismatch comes true by itself; else anything that may have happened may help.
        if mismatches and not (kind[forced] == MISMATCH or give[forced] == value):
            mismatches = set()
        if swaps and hidden:  # written once more, the value covers them, and the comparison still comes true
            wanted.add(value)
        for i in self._candidates(place, done, value, writes, swaps, wanted, mismatches):
            u = give[i]
            if u != value and (stay or stuck > (kind[i] == SWAP)):
                continue
            free = i != forced and u not in wanted and not mismatches
            if free and (i in hidden or self._too_early(i, u, place)):
                continue
            after = done | bit[i] | self.kills[i]
            for j in hidden if kind[i] == WRITE else ():  # nothing comes between a comparison and its write
                after |= bit[j] | self.kills[j]
            for j in watching:
                if (need[j] == u) == (kind[j] == READ):
                    after |= bit[j]
            promising = i == forced or u == need[forced]
            (best if promising else chosen).append((place, after, u))
        return chosen[::-1] + best[::-1]

    def _too_early(self, i: int, u: int, place: int) -> bool:
        """A value that nobody looks at now, and somebody later, is not written now where nobody else writes it."""
        return self.alone[u] == i and self.last_need[u] > place

    def _candidates(
        self, place: int, done: int, value: int, writes: list[int], swaps: list[int], wanted: set[int],
        mismatches: set[int],
    ) -> Iterator[int]:  # fmt: skip
        """Who may be the next to take effect. Of several that are alike, the one that has to be first."""
        give, ended = self.give, self.events.ended
        alike = not self.mortal & ~done  # no failed write is left that a later one would rule out
        first: dict[tuple[int, int], int] = {}
        for i in (*writes, *swaps):
            like = (give[i], self.kind[i]) if alike else (i, NEVER)
            if like not in first or ended[i] < ended[first[like]]:
                first[like] = i
        yield from first.values()
        sought, other = self._sought(wanted), False
        for u in sorted(self._maybe if mismatches else self._maybe.keys() & sought):
            found = list(self._possible(place, done, value, u, alike, alike and (u, WRITE) in first))
            if alike and not (u in sought or u in mismatches or self.last_asked[u] > place):
                if other:
                    continue  # values that nobody asks for any more are all alike
                other = bool(found)
            yield from found

    def _sought(self, wanted: set[int]) -> set[int]:
        """What is wanted, and what compare-and-sets that may happen would make it of."""
        if not self.perhaps_needed:
            return wanted
        found, open_ = set(wanted), list(wanted)
        while open_:
            for i in self._maybe.get(open_.pop(), ()):
                if self.kind[i] == SWAP and self.need[i] not in found:
                    found.add(self.need[i])
                    open_.append(self.need[i])
        return found

    def _possible(self, place: int, done: int, value: int, u: int, alike: bool, taken: bool) -> Iterator[int]:
        """Of what may happen and writes one value, who may be next: each that was issued before all of those that are
        ruled out before it; any one where none is ever ruled out, and none if another is `taken` already."""
        begun, bit, issued = self.events.begun, self.events.bit, self.events.endless
        swapped = False
        for i in self._maybe[u]:
            if begun[i] > place or done & bit[i]:
                continue
            if self.kind[i] == SWAP:
                if self.need[i] == value and not swapped:
                    swapped = True
                    yield i
            elif not taken and begun[i] < issued:
                taken, issued = alike, begun[i]
                yield i
