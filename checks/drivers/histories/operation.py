"""What a client asked of one key, and what it was told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from cutproof.checks.drivers.adapter import ACKNOWLEDGED, FAILED, PENDING, REFUSED, UNEQUAL

REGISTER, COUNTER, LIST = "register", "counter", "list"
OBJECTS = {"put": REGISTER, "delete": REGISTER, "put_if": REGISTER, "add": COUNTER, "append": LIST}
GET = "get"
OUTCOMES = (ACKNOWLEDGED, REFUSED, FAILED, PENDING, UNEQUAL)


@dataclass(eq=False, slots=True)
class Operation:
    """One call of a client, from the moment it was invoked to the moment it was answered.

    Moments are any integers that grow; an operation is over before another begins if `returned` of the one is less
    than `invoked` of the other."""

    number: int  # 1, 2, ... in the order of issue
    client: str
    kind: str  # "put", "delete", "put_if", "add", "append" or "get"
    key: str
    argument: Any  # of put the value; put_if: (old, new); add: the amount; append: the item; else None
    invoked: int
    returned: int | None = None  # None: no answer yet
    outcome: str = PENDING
    result: Any = None  # what a get showed; None: nothing
    step: int = 0  # where it was answered, for sentences; 0: nowhere in particular
    who: str = ""  # for sentences, of a get: "a client reads" where it is empty

    @property
    def value(self) -> Any:
        """What it writes, if it writes: None for a delete."""
        return self.argument[1] if self.kind == "put_if" else self.argument

    @property
    def shows(self) -> bool:
        """It tells something of the state: it was answered, and is more than a blind write."""
        return self.returned is not None and (
            (self.outcome == ACKNOWLEDGED and self.kind in (GET, "put_if")) or self.outcome == UNEQUAL
        )

    @property
    def demanded(self) -> bool:
        """It must have its place between the moments at which it was invoked and answered."""
        return self.returned is not None and self.outcome in (ACKNOWLEDGED, UNEQUAL)

    @property
    def possible(self) -> bool:
        """It may have happened, at any moment after it was invoked, or never."""
        return self.kind != GET and (
            self.outcome in (FAILED, PENDING) or (self.returned is None and self.outcome != REFUSED)
        )

    def __str__(self) -> str:
        return f"{self.kind} #{self.number}"


def object_of(operations: Iterable[Operation]) -> str:
    """What the operations on one key are about: "register", "counter" or "list".

    Where there are only reads, by what they show. Raises ValueError for a mixture, and for kinds that there are not."""
    kinds = {o.kind for o in operations}
    if unknown := kinds - {*OBJECTS, GET}:
        raise ValueError(f"{min(unknown)!r} is no kind of operation; there are {', '.join([*OBJECTS, GET])}")
    found = {OBJECTS[kind] for kind in kinds if kind != GET}
    if len(found) > 1:
        mixed = ", ".join(sorted(kinds - {GET}))
        raise ValueError(f"{mixed} on one key: it is a {' or a '.join(sorted(found))}, not both")
    if found:
        return found.pop()
    shown = [o.result for o in operations if o.shows and o.result is not None]
    if shown and all(isinstance(value, list | tuple) for value in shown):
        return LIST
    numbers = all(isinstance(value, int) and not isinstance(value, bool) for value in shown)
    return COUNTER if shown and numbers and 0 in shown else REGISTER


def key_of(value: Any) -> Any:
    """A value as one that can stand in a set, different for different ones."""
    return tuple(map(key_of, value)) if isinstance(value, list | tuple) else value
