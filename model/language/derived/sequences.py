"""Queues and logs: up to so many values in a row.

    variables={"inbox": family("node", of=queue(of=Message, capacity=2)), "log": log(of=count(1, 3), capacity=4)}
    ...
    append(s.inbox[n], Message.ASK), first(q), rest(q), last(q), at(s.log, i), length(q), is_empty(q), has_room(q)

Such a value is a length and a cell for each place (`inbox[length]`, `inbox[0]`, ...); cells behind the end hold the
first value of their domain, so that equal values are equal states. What cannot be leaves its domain, by the length,
and is reported with the step that did it: `append` to what is full, `rest` of what is empty. Guard it: has_room,
is_empty. On the way to the state a value may be longer than its capacity, by cells of its own: `rest(append(q, x))` is
what it says, also of a full queue.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cutproof.model.language import expressions as ex
from cutproof.model.language.derived.shapes import (
    Composite,
    Element,
    Indices,
    Plain,
    Shape,
    as_it_is,
    bound,
    decoded,
    element,
    form,
    part,
    same,
    unfolded,
    unused,
    unused_value,
)
from cutproof.model.language.domains import complain, count
from cutproof.model.language.expressions import Term
from cutproof.model.language.operands import Operand, choose, constant

LENGTH = "length"  # the key of the part that says how many cells are used


class QueueShape(Shape):
    """The domain of a queue or a log: `word` is which. `cells` is more than the capacity of what is on its way only."""

    def __init__(self, of: Any, capacity: int, word: str, cells: int = 0) -> None:
        self.element, self.capacity, self.word, self.cells = of, capacity, word, max(cells, capacity)

    def bound(self, indices: Indices) -> QueueShape:
        return QueueShape(bound(self.element, indices), self.capacity, self.word)

    def parts(self) -> Mapping[Any, Element]:
        return {LENGTH: count(0, self.capacity), **dict.fromkeys(range(self.cells), self.element)}

    def holding(self, items: Mapping[Any, Any]) -> Queue:
        return Queue(self, items)

    def of(self, value: Any) -> Queue:
        if isinstance(value, Queue):
            if form(value._shape.element) != form(self.element):
                complain(f"{value._shape} in place of {self}", "give both one domain")
            return self.made(value._length, value._cells[: self.cells])
        self.accept(value)  # refuses what is of the state
        if not isinstance(value, list | tuple):
            complain(f"{value!r} in place of a {self.word}", "give a list of its values")
        if len(value) > self.capacity:
            complain(f"{len(value)} values in {self}", "give fewer, or a larger capacity")
        return self.made(constant(len(value)), [part(self.element, v) for v in value])

    def made(self, size: Operand, cells: Sequence[Any]) -> Queue:
        """A value of that length with these cells, and those behind them as they are where they are not used."""
        free = [unused(self.element) for _ in range(self.cells - len(cells))]
        return Queue(self, {LENGTH: size, **dict(enumerate([*cells, *free]))})

    def wide(self, cells: int) -> QueueShape:
        """The shape with that many cells, where it has fewer."""
        return self if cells <= self.cells else QueueShape(self.element, self.capacity, self.word, cells)

    def decode(self, parts: Mapping[Any, Any]) -> list[Any]:
        return [decoded(self.element, parts[i]) for i in range(parts[LENGTH])]

    def unfold(self, value: Any, plain: Plain = as_it_is) -> dict[Any, Any]:
        if not isinstance(value, list | tuple) or len(value) > self.capacity:
            raise ValueError(f"{value!r} is no list of at most {self.capacity} values")
        free = [plain(unused_value(self.element)) for _ in range(self.cells - len(value))]
        cells = [unfolded(self.element, v, plain) for v in [*value, *free]]
        return {LENGTH: len(value), **dict(enumerate(cells))}

    def __str__(self) -> str:
        return f"{self.word} of at most {self.capacity} of {self.element}"


class Queue(Composite):
    """A queue or a log in the state."""

    _shape: QueueShape

    @property
    def _length(self) -> Operand:
        return self._items[LENGTH]

    @property
    def _cells(self) -> list[Any]:
        return [self._items[i] for i in range(self._shape.cells)]

    def _pair(self, other: Any) -> tuple[Composite, Any]:
        shape = self._shape.wide(other._shape.cells) if isinstance(other, Queue) else self._shape
        return shape.of(self), shape.of(other)

    def _part(self, value: Any) -> Any:
        return part(self._shape.element, value)

    def _appended(self, value: Any) -> Queue:
        new, size = self._part(value), self._length
        shape = self._shape.wide(size.term.high + 1)
        cells = [choose(size == i, new, c) for i, c in enumerate(shape.of(self)._cells)]
        return shape.made(self._moved(1), cells)

    def _rest(self) -> Queue:
        return self._shape.made(self._moved(-1), self._cells[1:])

    def _moved(self, by: int) -> Operand:
        """The length, longer or shorter; what has left its domain for good stays there."""
        size, new = self._length, self._length + by
        if size.term.low < 0:
            new = choose(size < 0, size, new)
        return choose(size > self._shape.cells, size, new) if size.term.high > self._shape.cells else new

    def _at(self, where: Any) -> Any:
        """The value at a place; behind the end, or before the start, the first value of the domain."""
        if not isinstance(where, Operand):
            self._check(where)
            return self._cells[where]
        found = unused(self._shape.element)
        for i, cell in reversed(list(enumerate(self._cells))):
            found = choose(where == i, cell, found)
        return found

    def _last(self) -> Any:
        found = unused(self._shape.element)
        for i, cell in reversed(list(enumerate(self._cells))):
            found = choose(self._length == i + 1, cell, found)
        return found

    def _check(self, where: Any) -> None:
        if type(where) is not int or not 0 <= where < self._shape.cells:
            complain(f"no place {where!r} in {self._shape}", f"places are 0 to {self._shape.cells - 1}")

    def _kept(self, size: Any) -> Queue:
        """The first `size` values; all where there are fewer."""
        if not isinstance(size, Operand | int) or isinstance(size, bool):
            complain(f"keep_first got {size!r}", "give it how many")
        size = choose(self._length < size, self._length, size)
        none = unused(self._shape.element)
        return self._shape.made(size, [choose(size > i, c, none) for i, c in enumerate(self._cells)])

    def _put(self, where: Any, replaced: Callable[[Any], Any]) -> Composite:
        """A place that is used holds another value; behind the end nothing is put."""
        if not isinstance(where, Operand):
            self._check(where)
        cells = []
        for i, cell in enumerate(self._cells):
            known = not isinstance(where, Operand)
            here = self._length > i if known else (where == i) & (self._length > i)
            cells.append(cell if known and where != i else choose(here, replaced(cell), cell))
        return self._shape.made(self._length, cells)

    def _contains(self, value: Any) -> Term:
        new = self._part(value)
        parts = [((self._length > i).term, same(cell, new)) for i, cell in enumerate(self._cells)]
        return ex.disjunction(*(ex.conjunction(*pair) for pair in parts))

    def _is_empty(self) -> Term:
        return (self._length == 0).term


def queue(*, of: Any, capacity: int) -> QueueShape:
    """A domain of queues: up to `capacity` values `of` a domain, an Enum, an index's name, or a shape."""
    return _shape_of("queue", of, capacity)


def log(*, of: Any, capacity: int) -> QueueShape:
    """A domain of logs: the same values as a queue's, read by their places and cut from behind."""
    return _shape_of("log", of, capacity)


def _shape_of(word: str, of: Any, capacity: int) -> QueueShape:
    if type(capacity) is not int or capacity < 1:
        complain(f"{word}(capacity={capacity!r})", "give it a whole number of places, at least 1")
    return QueueShape(element(of, word), capacity, word)


def append(values: Any, value: Any) -> Any:
    """The queue or log with a value behind the others. A full one leaves its domain: guard it with `has_room`."""
    return queue_of("append", values)._appended(value)


def first(values: Any) -> Any:
    """The value in front; of an empty one the first value of the domain."""
    return queue_of("first", values)._cells[0]


def last(values: Any) -> Any:
    """The value at the end; of an empty one the first value of the domain."""
    return queue_of("last", values)._last()


def rest(values: Any) -> Any:
    """The queue without the value in front. An empty one leaves its domain: guard it with `~is_empty`."""
    return queue_of("rest", values)._rest()


def at(values: Any, where: Any) -> Any:
    """The value at a place, from 0; behind the end the first value of the domain."""
    return queue_of("at", values)._at(where)


def keep_first(values: Any, size: Any) -> Any:
    """The first `size` values of a log; all where there are fewer."""
    return queue_of("keep_first", values)._kept(size)


def length(values: Any) -> Operand:
    """How many values there are."""
    return queue_of("length", values)._length


def is_full(values: Any) -> Operand:
    """Whether every place is used."""
    return queue_of("is_full", values)._length >= queue_of("is_full", values)._shape.capacity


def queue_of(word: str, values: Any) -> Queue:
    """A queue or log. Raises LanguageError for anything else."""
    if not isinstance(values, Queue):
        complain(f"{word} got the {type(values).__name__} {values!r}", "give it a queue or a log")
    return values
