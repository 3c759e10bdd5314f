"""Whether some order explains what was told of a list that is only appended to: append, read.

Each read shows the whole list, so all reads must be beginnings of the longest one, which says what is appended next:
there is nothing to try. An item is appended as late as answers allow; of appends of the same item the one whose answer
comes first is the first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from heapq import heappop, heappush
from typing import Any

from cutproof.checks.drivers.histories.events import Events
from cutproof.checks.drivers.histories.operation import GET, Operation, key_of

READS_NOTHING = -1  # the length that stands for an append


def items_of(value: object) -> tuple[Any, ...]:
    """What a read of a list shows: nothing is the empty list. Raises ValueError for what is no list."""
    if value is None:
        return ()
    if not isinstance(value, list | tuple):
        raise ValueError(f"{value!r} is no list, and this key is a list")
    items = tuple(value)
    try:
        hash(items)
    except TypeError:
        return tuple(map(key_of, items))
    return items


def explained(operations: Sequence[Operation]) -> bool:
    """Whether some order explains the operations on one list. Raises ValueError for a read of what is no list."""
    kept = [o for o in operations if o.demanded]
    shown = {id(o): items_of(o.result) for o in kept if o.kind == GET}
    longest = max(shown.values(), key=len, default=())
    if any(longest[: len(items)] != items for items in shown.values()):
        return False
    known = set(longest)
    optional = [o for o in operations if o.possible and key_of(o.argument) in known]
    together = kept + optional
    events = Events(together, [False] * len(kept) + [True] * len(optional))
    lengths = [len(shown[id(o)]) if o.kind == GET else READS_NOTHING for o in together]
    return _run(together, events, lengths, longest)


def _run(operations: list[Operation], events: Events, lengths: list[int], longest: tuple[Any, ...]) -> bool:
    """From event to event: `lengths` are those of the reads, `length` is that of the list."""
    waiting = defaultdict[Any, list[tuple[int, int]]](list)  # by item, by the order of their answers
    watching = defaultdict[int, set[int]](set)  # by length, the reads under way that have no place yet
    unplaced = sum(length != READS_NOTHING for length in lengths)
    length, done = 0, set[int]()
    for event in events.events:
        i = event >> 1
        if not event & 1:
            if lengths[i] == READS_NOTHING:
                heappush(waiting[key_of(operations[i].argument)], (events.ended[i], i))
            elif lengths[i] == length:
                done.add(i)
                unplaced -= 1
            else:
                watching[lengths[i]].add(i)
            continue
        while i not in done:
            if not unplaced:
                return True
            # What nobody ever reads comes after all reads, and there are some left.
            if length == len(longest):
                return False
            if not (ready := waiting[longest[length]]):
                return False
            done.add(heappop(ready)[1])
            length += 1
            seen = watching.pop(length, ())
            done.update(seen)
            unplaced -= len(seen)
        if lengths[i] != READS_NOTHING:
            watching[lengths[i]].discard(i)
    return True
