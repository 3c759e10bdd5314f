"""Composite values: sets, bags, queues, logs and records, as families of plain variables.

A *shape* is the domain of such a value. It unfolds into parts, each a variable of the state with a domain of its own
(`inbox[length]`, `inbox[0]`, `inbox[1]`), so no engine knows that it is there. Two rules:
- Equal values are equal states: what a value does not use (the cells behind the end of a queue) holds the first
  value of its domain.
- A Python value (a set, a list, a dictionary) stands for a composite one wherever a shape is known: `put`, `choose`,
  `==`, `then`, the initial state. Its members may be state values.

A shape may name an index (`subset("node")`); it is *bound* to the values of the index when the protocol is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum
from typing import Any, NoReturn

from cutproof.model.language import expressions as ex
from cutproof.model.language.domains import Domain, FamilyDomain, Unfolding, complain, enumeration
from cutproof.model.language.expressions import Term
from cutproof.model.language.operands import Family, Operand, _same_kind

Indices = Mapping[str, Sequence[Any]]
Plain = Callable[[Any], Any]  # how a leaf is written: as it is, or as a trace has it


def as_it_is(value: Any) -> Any:
    """The value."""
    return value


class Shape(Unfolding):
    """The domain of a composite value. `index` is that of its parts, if they are those of an index."""

    index = ""
    word = "value"  # what messages call it

    def bound(self, indices: Indices) -> Shape:
        """The shape with the values of its indices, and their number checked."""
        raise NotImplementedError

    def parts(self) -> Mapping[Any, Element]:
        """The domain or shape of each part; of a bound shape."""
        raise NotImplementedError

    def holding(self, items: Mapping[Any, Any]) -> Composite:
        """The value with these parts."""
        raise NotImplementedError

    def of(self, value: Any) -> Composite:
        """A composite value of this shape, or what a Python value stands for. Raises LanguageError."""
        raise NotImplementedError

    def decode(self, parts: Mapping[Any, Any]) -> Any:
        """The Python value of decoded parts, by their keys."""
        raise NotImplementedError

    def unfold(self, value: Any, plain: Plain = as_it_is) -> dict[Any, Any]:
        """The parts of a Python value, nested as keys; leaves are as `plain` writes them, and are not checked.
        Raises ValueError where the value has another form."""
        raise NotImplementedError

    def accept(self, value: Any) -> Composite | None:
        """A composite value that has this form; None for what is none. Raises LanguageError for another form."""
        if isinstance(value, Composite):
            if form(value._shape) != form(self):
                complain(f"{value._shape} in place of {self}", "give both one domain")
            return self.holding(value._items)
        if isinstance(value, Operand | Family):
            what = value.kind.__name__ if isinstance(value, Operand) else "family"
            complain(f"a {what} in place of {self}", f"give a {self.word}")
        return None

    def empty(self) -> Composite:
        """The value in which no part is used."""
        return self.holding({key: unused(part) for key, part in self.parts().items()})


Element = Domain | Shape


class IndexDomain:
    """The values of an index, where an element is given by a name; bound to a domain when the protocol is made."""

    def __init__(self, name: str) -> None:
        self.name = name

    def values(self, indices: Indices) -> tuple[Any, ...]:
        """The values of the index. Raises LanguageError if there is none."""
        if self.name not in indices:
            complain(f"no index {self.name!r}", f"there are {', '.join(indices) or 'none'}")
        return tuple(indices[self.name])

    def domain_if_any(self, indices: Indices) -> Domain | None:
        """A domain of exactly these values: integers in a row, or members of one enumeration in a row."""
        values = self.values(indices)
        kind: Any = type(values[0]) if values else str
        if kind is not int and not issubclass(kind, Enum):
            return None
        members = values if kind is int else list(kind)
        codes = [v if kind is int else members.index(v) for v in values if type(v) is kind]
        in_a_row = len(codes) == len(values) and codes == list(range(codes[0], codes[0] + len(codes)))
        return Domain(kind, codes[0], codes[-1]) if in_a_row else None

    def domain(self, indices: Indices) -> Domain:
        """The same. Raises LanguageError where a state cannot hold a value of the index."""
        return self.domain_if_any(indices) or complain(
            f"a state value of the index {self.name!r}",
            "index by integers in a row or by the members of an Enum, if the state is to hold one",
        )

    def __str__(self) -> str:
        return self.name


def element(of: Any, word: str) -> Any:
    """What `of` means: a domain, a shape, an enumeration, or the name of an index."""
    if isinstance(of, Domain | Shape):
        return of
    if isinstance(of, str):
        return IndexDomain(of)
    if isinstance(of, type) and issubclass(of, Enum):
        return enumeration(of)
    if isinstance(of, FamilyDomain):
        complain(f"{word} of a family", f'make a family of it: family("node", of={word}(...))')
    complain(
        f"{word} got {of!r}", "give it a domain (count(0, 3)), an Enum, the name of an index, or a shape"
    )


def bound(of: Domain | Shape | IndexDomain, indices: Indices) -> Element:
    """An element with the values of its indices."""
    if isinstance(of, Domain):
        return of
    return of.domain(indices) if isinstance(of, IndexDomain) else of.bound(indices)


class Composite(Family):
    """A value of some shape: a family of its parts, with its own operations."""

    _shape: Shape

    def __init__(self, shape: Shape, items: Mapping[Any, Any]) -> None:
        super().__init__(shape.index, items)
        self.__dict__["_shape"] = shape

    def _remade(self, items: Mapping[Any, Any]) -> Family:
        return self._shape.holding(items)

    def _like(self, value: Any) -> Any:
        return self._shape.of(value)

    def _pair(self, other: Any) -> tuple[Composite, Any]:
        return self, self._shape.of(other)

    def _each(self, new: Any) -> Family:
        return self._shape.of(new)

    def _begin(self, value: Any) -> Mapping[Any, Any]:
        """The parts of an initial value; each may be one of several."""
        return self._shape.of(value)._items

    def _pick(self, where: Operand) -> Any:
        complain(f"pick from a {self._shape.word}", "pick takes a family; of a queue or log write at(q, i)")

    def __eq__(self, other: object) -> Operand:  # type: ignore[override]
        return Operand(same(self, other), bool)

    def __ne__(self, other: object) -> Operand:  # type: ignore[override]
        return Operand(ex.negation(same(self, other)), bool)

    __hash__ = None

    def __iter__(self) -> Iterator[Any]:
        complain(
            f"a {self._shape.word} was gone through", "its size is known later: ask contains(...) or at(q, i)"
        )

    def __len__(self) -> int:  # noqa: PLE0303
        complain(f"`len` of a {self._shape.word}", "write size(...), or length(...) of a queue or log")

    def __contains__(self, _: object) -> NoReturn:
        complain(f"`in` on a {self._shape.word}", "write contains(...)")

    def __bool__(self) -> NoReturn:
        complain(f"Python asked for the truth of a {self._shape.word}", "write ~is_empty(...), or compare it")

    def __setitem__(self, where: object, _: object) -> NoReturn:
        complain(
            f"an assignment to a part of a {self._shape.word}", "write .then(name=...) with the new value"
        )

    def __repr__(self) -> str:
        return f"<{self._shape}>"


# ------------------------------------------------------------------ parts


def leaf(domain: Domain, value: Any) -> Operand:
    """A plain part: an operand of the domain's kind, or a Python value in it."""
    if isinstance(value, Operand):
        if value.kind is not domain.kind:
            complain(f"a {value.kind.__name__} in place of {domain}", f"give a {domain.kind.__name__}")
        return value
    try:
        return Operand(ex.constant(domain.encode(value), domain.kind is bool), domain.kind)
    except ValueError:
        complain(f"{value!r} in place of {domain}", f"give a value of {domain}")


def part(of: Element, value: Any) -> Operand | Composite:
    """A value of a part."""
    return leaf(of, value) if isinstance(of, Domain) else of.of(value)


def unused(of: Element) -> Operand | Composite:
    """What a part holds where it is not used, and at the start: the first value of its domain."""
    return leaf(of, of.decode(of.low)) if isinstance(of, Domain) else of.empty()


def unused_value(of: Element) -> Any:
    """The same as a Python value."""
    if isinstance(of, Domain):
        return of.decode(of.low)
    return of.decode({key: unused_parts(p) for key, p in of.parts().items()})


def unused_parts(of: Element) -> Any:
    """What `decode` gets of a part that is not used."""
    if isinstance(of, Domain):
        return of.decode(of.low)
    return {key: unused_parts(p) for key, p in of.parts().items()}


def decoded(of: Element, value: Any) -> Any:
    """The Python value of a part, of what `decode` got."""
    return value if isinstance(of, Domain) else of.decode(value)


def unfolded(of: Element, value: Any, plain: Plain) -> Any:
    """The parts of a Python value of a part."""
    return value if isinstance(of, Domain) else of.unfold(value, plain)


def same(a: Any, b: Any) -> Term:
    """That two values are equal, part by part."""
    if not isinstance(a, Composite):
        return ex.equal(a.term, _same_kind("`==`", a, b))
    a, b = a._pair(b)
    return ex.conjunction(*(same(a._items[key], b._items[key]) for key in a._items))


def form(of: Element) -> Any:
    """What two shapes have in common whose values can take each other's place: keys and types, not bounds."""
    if isinstance(of, Domain):
        return of.kind
    return of.word, tuple((key, form(p)) for key, p in of.parts().items())
