"""Records: a few values under one name, each with a domain of its own.

variables={"vote": record(term=count(0, 3), given=boolean())}
...
s.vote.term, s.vote["term"]                    # a field
with_(s.vote, given=constant(True))            # the record with some fields changed
s.vote == {"term": 2, "given": True}           # a Python dictionary stands for a record
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any, NoReturn

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
    part,
    unfolded,
)
from cutproof.model.language.domains import Domain, complain
from cutproof.model.language.operands import Operand


class Row(dict[str, Any]):
    """A record as a Python value: a dictionary by the names of the fields, which a set can have as a member."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(tuple(self.items()))

    def __str__(self) -> str:
        return ",".join(str(getattr(v, "name", v)) for v in self.values())


class RecordShape(Shape):
    """The domain of a record: each field's own."""

    word = "record"

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self.fields = dict(fields)

    def bound(self, indices: Indices) -> RecordShape:
        return RecordShape({name: bound(of, indices) for name, of in self.fields.items()})

    def parts(self) -> Mapping[Any, Element]:
        return self.fields

    def holding(self, items: Mapping[Any, Any]) -> Record:
        return Record(self, items)

    def of(self, value: Any) -> Composite:
        if (found := self.accept(value)) is not None:
            return found
        if not isinstance(value, Mapping):
            complain(f"{value!r} in place of {self}", "give a dictionary by its fields")
        self.check(value)
        return self.holding({name: part(of, value[name]) for name, of in self.fields.items()})

    def check(self, value: Mapping[Any, Any]) -> None:
        """Raise LanguageError for a dictionary that has other fields."""
        if set(value) != set(self.fields):
            wrong = [k for k in value if k not in self.fields]
            missing = [k for k in self.fields if k not in value]
            said = f"a record with {wrong[0]!r}" if wrong else f"a record without {missing[0]!r}"
            complain(said, f"its fields are {', '.join(self.fields)}")

    def decode(self, parts: Mapping[Any, Any]) -> Row:
        return Row({name: decoded(of, parts[name]) for name, of in self.fields.items()})

    def unfold(self, value: Any, plain: Plain = as_it_is) -> dict[Any, Any]:
        if not isinstance(value, Mapping) or set(value) != set(self.fields):
            raise ValueError(f"{value!r} is no record of {', '.join(self.fields)}")
        return {name: unfolded(of, value[name], plain) for name, of in self.fields.items()}

    def rows(self) -> Iterator[Row]:
        """Every record there is, of a bound shape with plain fields. Raises LanguageError for composite fields."""
        for name, of in self.fields.items():
            if not isinstance(of, Domain):
                complain(f"a member with the {of.word} {name!r}", "its fields may be plain domains alone")
        every = [[of.decode(c) for c in range(of.low, of.high + 1)] for of in self.fields.values()]
        return (Row(zip(self.fields, values, strict=True)) for values in product(*every))

    def __str__(self) -> str:
        return f"record({', '.join(f'{name}: {of}' for name, of in self.fields.items())})"


class Record(Composite):
    """A record in the state: its fields are attributes, and keys."""

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("_"):
            return object.__getattribute__(self, name)
        fields = object.__getattribute__(self, "_items")
        if name not in fields:
            complain(f"no field {name!r}", f"there are {', '.join(fields)}")
        return fields[name]

    def __getitem__(self, where: object) -> Any:
        if isinstance(where, Operand) or where not in self._items:
            complain(f"no field {where!r}", f"there are {', '.join(self._items)}")
        return self._items[where]

    def __setattr__(self, name: str, value: object) -> NoReturn:
        complain(f"an assignment to the field {name!r}", f"write with_(r, {name}=...)")

    def _begin(self, value: Any) -> Mapping[Any, Any]:
        if isinstance(value, Mapping):
            shape: Any = self._shape
            shape.check(value)
            return value  # as it is: a field may begin as one of several
        return super()._begin(value)

    def _put(self, where: Any, replaced: Any) -> Composite:
        self[where]  # complains where there is no such field
        return self._shape.holding({k: replaced(v) if k == where else v for k, v in self._items.items()})


def record(**fields: Any) -> RecordShape:
    """A domain of records: `record(term=count(0, 3), voter="node")`; a field may be of any domain but a family."""
    if not fields:
        complain("a record without fields", "name some: record(term=count(0, 3))")
    for name in fields:
        if name.startswith("_"):
            complain(f"a field named {name!r}", "begin it with a letter")
    return RecordShape({name: element(of, "record") for name, of in fields.items()})


def with_(old: Any, **fields: Any) -> Any:
    """A record with new values of some fields: `with_(s.vote, given=True)`."""
    if not isinstance(old, Record):
        complain(
            f"with_ got the {type(old).__name__} {old!r}", "give it a record, and its new fields by name"
        )
    shape: Any = old._shape
    for name in fields:
        old[name]  # complains where there is no such field
    return shape.holding(
        {k: part(shape.fields[k], fields[k]) if k in fields else v for k, v in old._items.items()}
    )
