"""The one judge of histories: whether some order of what clients did explains everything that they were told.

    verdict = judge(operations)              # on one key
    match verdict:
        case Explained(): ...
        case Unexplained(reason, part): ...  # one sentence; the few operations that cannot all be true
        case Undecided(reason): ...

That is linearizability of one object: each operation that was acknowledged took effect at one moment between its call
and its answer; what was refused never did; what is pending or failed may have, at any moment after its call, or never.
A compare-and-set that was answered "unequal" wrote nothing, and at some moment between its call and its answer
something else was there than it expected. The object is told by the kinds of operations: a register holds nothing at
first, a counter 0, a list no items. A read without an answer says nothing.

When a put or delete that *failed* is over is a matter of reading, and both are offered:

- `versioned`, the default: it may take effect later, but a write that was issued after its client heard of the failure
  has the higher version: once such a write has had its effect, the failed one has none any more. That is what
  `protocol.md` demands: a system without it loses updates to its own late messages.
- without it: it may take effect at any later moment, and overwrite what was acknowledged meanwhile. That is how Jepsen
  treats `:info`, and right for a register that knows no versions.

Whether an order exists is, in the worst case, a question that takes exponential time. `most` bounds what is tried.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cutproof.checks.drivers.histories import counter, lists, register
from cutproof.checks.drivers.histories.operation import COUNTER, LIST, REGISTER, Operation, object_of
from cutproof.checks.drivers.histories.parts import Question, smallest
from cutproof.checks.drivers.histories.sentences import reason_of

MOST = 200_000  # configurations; some 300 bytes and 10 microseconds each


@dataclass(frozen=True)
class Explained:
    """Some order explains all that was told."""


@dataclass(frozen=True)
class Unexplained:
    """No order does. `operations` are a part that none explains, in order of time: none of them can be left out without
    the rest becoming explainable, but for what a read that is left in needs to have been written."""

    reason: str
    operations: tuple[Operation, ...]


@dataclass(frozen=True)
class Undecided:
    """It was not decided within the bound."""

    reason: str


Verdict = Explained | Unexplained | Undecided
EXPLAINED = Explained()


def judge(
    operations: Sequence[Operation],
    *,
    versioned: bool = True,
    most: int = MOST,
    place: str = "step",
    brief: bool = False,
) -> Verdict:
    """Judge the operations on one key, given in any order. `place` is what `Operation.step` counts, for sentences;
    `brief` leaves the sentence and the smallest part empty, which take longer than to decide.

    Raises ValueError for operations of several kinds of objects, and for results that their object cannot have."""
    thing = object_of(operations)
    found = _explained(thing, operations, versioned, most, 0)
    if found:
        return EXPLAINED
    if found is None:
        return Undecided(f"{operations[0].key}: not decided within {most:,} configurations")

    if brief:
        return Unexplained("", ())

    def unexplained(some: Sequence[Operation], start: int = 0) -> bool:
        return _explained(thing, some, versioned, most, start) is False

    part, last = smallest(Question(thing, versioned, unexplained), operations)
    return Unexplained(reason_of(thing, operations, part, last, place), tuple(part))


def _explained(
    thing: str, operations: Sequence[Operation], versioned: bool, most: int, start: int
) -> bool | None:
    if not any(o.shows for o in operations):
        return True
    if thing == REGISTER:
        return register.explained(operations, versioned, most)
    if thing == COUNTER:
        return counter.explained(operations, most, start)
    assert thing == LIST
    return lists.explained(operations)
