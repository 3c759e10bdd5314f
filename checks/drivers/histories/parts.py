"""The smallest part of a history that no order explains.

A history that has an order still has one when a read is left out, when an answer is taken back (what was acknowledged
is pending then), or when an item is struck from a list and from all that was read of it. So these are tried, in halves
that become smaller, and what cannot be given up is the part. First of all the history is cut after the answer that
broke it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

from cutproof.checks.drivers.adapter import FAILED, PENDING, REFUSED, UNEQUAL
from cutproof.checks.drivers.histories.lists import items_of
from cutproof.checks.drivers.histories.operation import COUNTER, GET, LIST, REGISTER, Operation, key_of

T = TypeVar("T")
ANCHORS = 12  # reads that a counter's part is tried to begin with


class Doubt(Protocol):
    """Whether no order explains some operations, on a counter that begins at `start`."""

    def __call__(self, some: Sequence[Operation], start: int = 0) -> bool: ...


@dataclass(frozen=True)
class Question:
    """What is judged: the kind of object, the reading of failures, and whether some operations are unexplained."""

    thing: str
    versioned: bool
    unexplained: Doubt


def smallest(question: Question, operations: Sequence[Operation]) -> tuple[list[Operation], Operation]:
    """Of operations that no order explains, a part that none does either, in order of time; and the one whose answer is
    the first that could not be explained."""
    some, last = _until_broken(question, operations)
    if question.thing == COUNTER:
        part = _of_counter(question, some, last)
    elif question.thing == LIST:
        part = _of_list(question, some, last)
    else:
        part = _of_register(question, some, last)
    whole = {o.number: o for o in operations}
    part = sorted((whole[o.number] for o in part), key=lambda o: (o.invoked, o.number))
    if question.thing == REGISTER:  # an answer that was given up is there again: something else may go for it
        for o in list(part):
            rest = [x for x in part if x is not o]
            if not _orphans(o, rest) and question.unexplained(rest):
                if o.number == last.number:
                    return smallest(question, rest)
                part = rest
    return part, whole[last.number]


def given_up(elements: Sequence[T], without: Callable[[set[T]], bool]) -> set[T]:
    """Of these, as many as can be given up: `without` says whether the rest is still unexplained. Earlier ones are
    given up first."""
    gone, left = set[T](), list(elements)
    size = len(left)
    while size:
        kept: list[T] = []
        for first in range(0, len(left), size):
            chunk = left[first : first + size]
            if without(gone | set(chunk)):
                gone |= set(chunk)
            else:
                kept += chunk
        left, size = kept, min(size, len(kept) + 1) // 2
    return gone


def taken_back(o: Operation) -> Operation:
    """The operation without its answer: it may have happened, and may yet."""
    return replace(o, outcome=PENDING, returned=None)


def _until(operations: Sequence[Operation], answers: Sequence[Operation], n: int) -> list[Operation]:
    """What had been asked and answered by the time of answer n, of answers at the same moment those before it."""
    moment = answers[n].returned or 0
    unheard = set[Operation]()
    for later in answers[n + 1 :]:
        if later.returned != moment:
            break
        unheard.add(later)
    found = []
    for o in operations:
        if o.invoked > moment:
            continue
        if (o.returned is None or o.returned <= moment or o.outcome == REFUSED) and o not in unheard:
            found.append(o)
        elif o.kind != GET and o.outcome != UNEQUAL:
            found.append(taken_back(o))
    return found


def _until_broken(question: Question, operations: Sequence[Operation]) -> tuple[list[Operation], Operation]:
    """The history up to the first answer that nothing explains, and that answer's operation."""
    answers = sorted((o for o in operations if o.shows), key=lambda o: (o.returned, o.number))
    at = bisect_left(
        range(len(answers) - 1), True, key=lambda n: question.unexplained(_until(operations, answers, n))
    )
    return _until(operations, answers, at), answers[at]


def _of_register(question: Question, some: list[Operation], last: Operation) -> list[Operation]:
    def watches(o: Operation) -> bool:
        return o.shows and (o.kind == GET or o.outcome == UNEQUAL)

    reads = sorted((o for o in some if watches(o) and o is not last), key=lambda o: o.invoked)
    gone = given_up(reads, lambda out: question.unexplained([o for o in some if o not in out]))
    some = [o for o in some if o not in gone]
    told = [o for o in some if o is not last and not watches(o) and o.returned is not None]
    told = [o for o in told if o.demanded or (question.versioned and o.outcome == FAILED)]
    free = {o: taken_back(o) for o in told}
    back = given_up(told, lambda out: question.unexplained([free[o] if o in out else o for o in some]))
    part = [o for o in some if (o in free and o not in back) or watches(o) or o is last]
    for reader in [o for o in part if o.shows and _sought(o) is not None]:
        value = _sought(reader)
        if not any(_gives(o, value) for o in part if o is not reader):
            writers = [o for o in some if _gives(o, value) and o is not reader]
            part += [max(writers, key=lambda o: (o.outcome != REFUSED, o.number))] if writers else []
    return part


def _orphans(o: Operation, rest: Sequence[Operation]) -> bool:
    """Something in the rest is about a value that only this one has written."""
    about = [x for x in rest if x.shows and _gives(o, _sought(x))]
    others = [x for x in rest if _gives(x, o.value) and x.outcome != REFUSED]
    return any(all(x is reader for x in others) for reader in about)


def _sought(o: Operation) -> Any:
    """The value that an answer is about."""
    return key_of(o.result if o.kind == GET else o.argument[0])


def _gives(o: Operation, value: Any) -> bool:
    return o.kind != GET and o.outcome != UNEQUAL and key_of(o.value) == value


def _of_list(question: Question, some: list[Operation], last: Operation) -> list[Operation]:
    reads = sorted((o for o in some if o.shows and o is not last), key=lambda o: o.invoked)
    gone = given_up(reads, lambda out: question.unexplained([o for o in some if o not in out]))
    some = [o for o in some if o not in gone]
    asked = {key_of(o.argument): None for o in some if o.kind != GET}
    shown = {item: None for o in some if o.shows for item in items_of(o.result)}
    items = list(dict.fromkeys([*asked, *shown]))
    out = given_up(items, lambda out: question.unexplained(struck(some, out)))
    lost = {o for o in some if o.kind != GET and key_of(o.argument) in out}
    part = [o for o in some if o not in lost and (o.outcome != REFUSED or o.kind != GET)]
    accepted = {key_of(o.argument) for o in part if o.kind != GET and o.outcome != REFUSED}
    return [o for o in part if o.outcome != REFUSED or key_of(o.argument) not in accepted]


def struck(some: Sequence[Operation], out: set[Any]) -> list[Operation]:
    """The operations on a list without some items: these are not appended, and no read shows them."""
    return [
        replace(o, result=[i for i in items_of(o.result) if i not in out]) if o.kind == GET else o
        for o in some
        if o.kind == GET or key_of(o.argument) not in out
    ]


def _of_counter(question: Question, some: list[Operation], last: Operation) -> list[Operation]:
    """Where possible, a counter's part begins with a read, and says what happened from there on."""
    start, anchor = 0, list[Operation]()
    earlier = [o for o in some if o.shows and (o.returned or 0) < last.invoked]
    earlier.sort(key=lambda o: (o.returned, o.number), reverse=True)
    for n in range(min(ANCHORS, len(earlier).bit_length() + 4)):
        place = n if n < 4 else 2 ** (n - 2)
        if place >= len(earlier):
            break
        rest = _after(some, earlier[place])
        if question.unexplained(rest, earlier[place].result or 0):
            some, anchor, start = rest, [earlier[place]], earlier[place].result or 0
            break
    reads = sorted((o for o in some if o.shows and o is not last), key=lambda o: o.invoked)
    gone = given_up(reads, lambda out: question.unexplained([o for o in some if o not in out], start))
    some = [o for o in some if o not in gone]
    told = [o for o in some if o.kind != GET and o.demanded]
    free = {o: taken_back(o) for o in told}
    back = given_up(told, lambda out: question.unexplained([free[o] if o in out else o for o in some], start))
    demanded = [o for o in told if o not in back]
    watching = [o for o in some if o.shows]
    if sum(o.argument for o in demanded) + start > (last.result or 0) and question.unexplained(
        [*demanded, *watching], start
    ):
        return [*anchor, *demanded, *watching]  # too little was read: what else was added does not matter
    return [*anchor, *watching, *(o for o in some if o.kind != GET and o.outcome != REFUSED)]


def _after(some: Sequence[Operation], anchor: Operation) -> list[Operation]:
    """What may have had its effect after a read of a counter had its own."""
    began, ended = anchor.invoked, anchor.returned or 0
    found = []
    for o in some:
        if o is anchor or (o.demanded and (o.returned or 0) < began):
            continue
        if o.invoked > ended or o.possible:
            found.append(o)
        elif o.kind != GET:
            found.append(taken_back(o))
    return found
