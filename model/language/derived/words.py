"""The words for what holds several values, whatever it is: sets, bags, queues and logs."""

from __future__ import annotations

from typing import Any

from cutproof.model.language.derived.sequences import Queue, is_full
from cutproof.model.language.derived.sets import Bag, Collection, Subset
from cutproof.model.language.domains import complain
from cutproof.model.language.operands import Operand


def contains(values: Any, value: Any) -> Operand:
    """Whether a value is in a set, a bag, a queue or a log."""
    if not isinstance(values, Subset | Bag | Queue):
        complain(
            f"contains got the {type(values).__name__} {values!r}", "give it a set, bag, queue or log first"
        )
    return Operand(values._contains(value), bool)


def is_empty(values: Any) -> Operand:
    """Whether nothing is in it."""
    if not isinstance(values, Subset | Bag | Queue):
        complain(f"is_empty got the {type(values).__name__} {values!r}", "give it a set, bag, queue or log")
    return Operand(values._is_empty(), bool)


def add(values: Any, value: Any) -> Any:
    """The set or bag with one more member. A bag with too many copies leaves its domain: guard it with `has_room`."""
    return _collection("add", values)._added("add", value)


def remove(values: Any, value: Any) -> Any:
    """The set without a member; the bag with one copy fewer, which leaves its domain where there is none."""
    return _collection("remove", values)._removed(value)


def size(values: Any) -> Operand:
    """How many members a set has, or copies a bag."""
    return Operand(_collection("size", values)._size(), int)


def copies(values: Any, value: Any) -> Operand:
    """How often a value is in a bag."""
    if not isinstance(values, Bag):
        complain(
            f"copies got the {type(values).__name__} {values!r}",
            "give it a bag; of a set write contains(...)",
        )
    return Operand(values._copies("copies", value), int)


def has_room(values: Any, *value: Any) -> Operand:
    """Whether a queue or log is not full; whether a bag may have one more copy of a value."""
    if isinstance(values, Queue) and not value:
        return ~is_full(values)
    if not isinstance(values, Bag) or len(value) != 1:
        complain("has_room got something else", "write has_room(queue), or has_room(bag, value)")
    return Operand(values._has_room(value[0]), bool)


def _collection(word: str, values: Any) -> Any:
    if not isinstance(values, Collection):
        also = "; length(...) is that of a queue" if word == "size" else ""
        complain(f"{word} got the {type(values).__name__} {values!r}", f"give it a set or a bag{also}")
    return values
