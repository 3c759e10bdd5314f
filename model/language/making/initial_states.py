"""Initial values, and the states in which a run may begin.

    initial={
        "alive": {0: True, 1: False},             # of a family: by index, or as a list in the order of the index
        "votes": 0,                               # one value for all of a family
        "leader": one_of(NODE.A, NODE.B),         # one of these
        "lease": {0: one_of(True, False), 1: False},
        "token": anything(),                      # every value of the domain; of a family in every combination
    }

What is not named begins at the first value of its domain. `one_of` may stand wherever a value does: around the
values of a whole family, or of the whole protocol (`initial=one_of({"a": 1, "b": 2}, {"a": 2, "b": 1})`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, product
from math import prod
from typing import Any

from cutproof.model.language.complaints import checked, complain, near, shown
from cutproof.model.language.derived.sequences import Queue
from cutproof.model.language.derived.shapes import Composite
from cutproof.model.language.expressions import UNBOUNDED
from cutproof.model.language.operands import Family, Operand
from cutproof.model.language.parts import Field

__all__ = ["InitialChoice", "anything", "one_of"]

MOST = 10**6  # initial states


@dataclass(frozen=True)
class OneOf:
    """Several values to begin with; made by `one_of`."""

    values: tuple[Any, ...]


@dataclass(frozen=True)
class Anything:
    """Every value to begin with; made by `anything`."""


def one_of(*values: Any) -> OneOf:
    """An initial value that may be any of these."""
    if not values:
        complain("one_of() of no values", "write one_of(1, 2)")
    if len(values) == 1 and isinstance(values[0], list | tuple | set | range):
        complain(f"one_of got the {type(values[0]).__name__} {shown(values[0])}", "write one_of(*values)")
    return OneOf(values)


@checked("anything()")
def anything() -> Anything:
    """An initial value that may be any of the domain; of a family, any combination of values."""
    return Anything()


@dataclass(frozen=True)
class InitialChoice:
    """Cells that begin together in one of several ways: each of the `options` has a code for each cell."""

    cells: tuple[Field, ...]
    options: tuple[tuple[int, ...], ...]


def choices_of(initial: Any, view: Mapping[str, Any], cells: Sequence[Field]) -> list[InitialChoice]:
    """The initial values as independent choices, which have every cell between them, in order; a cell that begins in
    one way has one option. `view` has the operands of each variable. Raises LanguageError for values outside."""
    found = _whole(initial, view, cells)
    if (count := prod(len(c.options) for c in found)) > MOST:
        complain(f"there are {count:,} initial states", f"at most {MOST:,}: give fewer choices")
    return found


def _whole(initial: Any, view: Mapping[str, Any], cells: Sequence[Field]) -> list[InitialChoice]:
    if isinstance(initial, OneOf):
        return _joined(cells, [_whole(value, view, cells) for value in initial.values])
    if not isinstance(initial, Mapping):
        complain(f"initial is the {type(initial).__name__} {shown(initial)}", 'write initial={"n": 1}')
    for name in initial:
        if name not in view:
            complain(f"initial has no variable {shown(name)}", near(name, list(view)))
    by_variable: dict[str, list[Field]] = {}
    for cell in cells:
        by_variable.setdefault(cell.variable, []).append(cell)
    found = list[InitialChoice]()
    for name, own in by_variable.items():
        if name in initial:
            found += _read(name, view[name], own, initial[name])
        else:
            found += [InitialChoice((cell,), ((cell.domain.low,),)) for cell in own]
    return found


def _read(name: str, shape: Any, cells: Sequence[Field], value: Any) -> list[InitialChoice]:
    """The choices of the cells below one place of a variable, whose operands are `shape`."""
    if isinstance(value, OneOf):
        return _joined(cells, [_read(name, shape, cells, one) for one in value.values])
    if not isinstance(shape, Family):
        return [InitialChoice(tuple(cells), tuple((code,) for code in _codes(name, shape, cells[0], value)))]
    if isinstance(value, Anything) and isinstance(shape, Queue):
        complain(f"initial gives {name} anything", "give it one_of([], [...]): lists of its values")
    inner, found, first = _by_index(name, shape, value), list[InitialChoice](), 0
    for key, below in shape._items.items():
        last = first + _size(below)
        found += _read(f"{name}[{shown(key)}]", below, cells[first:last], inner[key])
        first = last
    return found


def _size(shape: Any) -> int:
    return sum(map(_size, shape._items.values())) if isinstance(shape, Family) else 1


def _by_index(name: str, family: Family, value: Any) -> Mapping[Any, Any]:
    """What a family begins with, by index."""
    if isinstance(family, Composite):
        return dict.fromkeys(family._items, value) if isinstance(value, Anything) else family._begin(value)
    keys, index = list(family._items), family._index
    if isinstance(value, Family):
        value = value._items
    if isinstance(value, Mapping):
        for key in value:
            if not any(type(key) is type(k) and key == k for k in keys):  # 1, 1.0 and True are not one
                complain(f"initial gives {name} a value at {index} {shown(key)}",
                         f"the values of {index} are {', '.join(map(shown, keys))}")  # fmt: skip
        for key in keys:
            if key not in value:
                complain(f"initial gives {name} no value at {index} {shown(key)}",
                         "give one for each, or one value for all")  # fmt: skip
        return value
    if isinstance(value, list | tuple):
        if len(value) != len(keys):
            complain(f"initial gives {name} {len(value)} values for {len(keys)} of {index}",
                     "give one for each, or one value for all")  # fmt: skip
        return dict(zip(keys, value, strict=True))
    return dict.fromkeys(keys, value)


def _codes(name: str, operand: Operand, cell: Field, value: Any) -> Sequence[int]:
    """The codes with which one cell may begin."""
    domain = cell.domain
    if isinstance(value, Anything):
        if domain.high >= UNBOUNDED:
            complain(f"initial gives {name} anything, and it has no bound", "give one_of(...)")
        return range(domain.low, domain.high + 1)
    if isinstance(value, Mapping | list | tuple | set):
        complain(
            f"initial gives {name} the {type(value).__name__} {shown(value)}",
            "it is one value, or one_of(...)",
        )
    if isinstance(value, Operand):
        code = int(value.term.leaf) if value.term.op == "const" and value.kind is operand.kind else None
    else:
        try:
            code = domain.encode(value)
        except ValueError:
            code = None
    if code is None or not domain.low <= code <= domain.high:
        complain(f"initial gives {name} {shown(value)}", f"give a value of {domain}")
    return (code,)


def _joined(cells: Sequence[Field], ways: Sequence[Sequence[InitialChoice]]) -> list[InitialChoice]:
    """One choice among several ways, each of which may leave choices of its own. Cells that begin alike in all are
    left out of it."""
    if (count := sum(prod(len(c.options) for c in way) for way in ways)) > MOST:
        complain(f"there are {count:,} initial states", f"at most {MOST:,}: give fewer choices")
    options = list(dict.fromkeys(chain.from_iterable(_rows(way, cells) for way in ways)))
    varying = [i for i in range(len(cells)) if any(option[i] != options[0][i] for option in options)]
    found = {
        i: InitialChoice((cell,), ((options[0][i],),)) for i, cell in enumerate(cells) if i not in varying
    }
    if varying:
        together = tuple(cells[i] for i in varying)
        found[varying[0]] = InitialChoice(together, tuple(tuple(o[i] for i in varying) for o in options))
    return [found[i] for i in sorted(found)]


def _rows(choices: Sequence[InitialChoice], cells: Sequence[Field]) -> Iterator[tuple[int, ...]]:
    """Every combination of the options, with a code for each of the cells; the last choice changes fastest. The cells
    of a choice need not stand together."""
    place, row = {cell.name: i for i, cell in enumerate(cells)}, [0] * len(cells)
    places = [[place[cell.name] for cell in choice.cells] for choice in choices]
    for combined in product(*(choice.options for choice in choices)):
        for where, codes in zip(places, combined, strict=True):
            for i, code in zip(where, codes, strict=True):
                row[i] = code
        yield tuple(row)


def states_of(choices: Sequence[InitialChoice], fields: Sequence[Field]) -> tuple[tuple[int, ...], ...]:
    """Every initial state, in the order of the options; the choice of the last field changes fastest."""
    return tuple(_rows(choices, fields))
