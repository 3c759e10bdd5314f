"""Domains: the finite sets of values of the variables."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Any

from cutproof.model.language.complaints import LanguageError, checked, complain, is_name, shown

__all__ = [
    "Domain", "FamilyDomain", "Kind", "LanguageError", "boolean", "complain", "count", "enumeration", "family",
]  # fmt: skip

Kind = type  # bool, int, or a subclass of Enum


@dataclass(frozen=True)
class Domain:
    """The finite set of values of a variable: `low..high` of `kind` (members of an enumeration by position)."""

    kind: Kind
    low: int
    high: int

    def _has(self, value: object) -> bool:
        return type(value) is self.kind  # an integer is no boolean, and an IntEnum's member no integer

    def encode(self, value: Any) -> int:
        """The integer for a Python value; ValueError if it is outside the domain or of another type."""
        kind: Any = self.kind
        code: int | None = None
        if self._has(value):
            code = int(value) if kind is bool or kind is int else _positions(kind).get(value._name_)
        if code is None or not self.low <= code <= self.high:
            raise ValueError(f"{value!r} is not in {self}")
        return code

    def decode(self, code: int) -> Any:
        """The Python value of an integer of the domain."""
        return bool(code) if self.kind is bool else code if self.kind is int else _members(self.kind)[code]

    def __str__(self) -> str:
        if self.kind is int:
            return f"{self.low}..{self.high}"
        return " | ".join(
            getattr(v, "name", str(v)) for v in map(self.decode, range(self.low, self.high + 1))
        )


@cache
def _members(kind: Any) -> tuple[Enum, ...]:
    return tuple(kind)


@cache
def _positions(kind: Any) -> dict[str, int]:
    """The position of each member, by its name: members of an enumeration are slow to hash."""
    return {member.name: position for position, member in enumerate(_members(kind))}


@checked("boolean()")
def boolean(*, varies: bool = True) -> Domain:
    """False or True; with `varies=False` always False, at no cost in states (the same below)."""
    return Domain(bool, 0, int(_varies(varies, "boolean")))


@checked("count(low, high)")
def count(low: int, high: int, *, varies: bool = True) -> Domain:
    """The integers `low..high`, both included."""
    if type(low) is not int or type(high) is not int:
        complain(f"count({shown(low)}, {shown(high)}) is not of integers", "give two integers")
    if high < low:
        complain(f"count({low}, {high}) is empty", "give the smaller bound first")
    return Domain(int, low, high if _varies(varies, "count") else low)


@checked("enumeration(KIND)")
def enumeration(kind: type[Enum], *, varies: bool = True) -> Domain:
    """The members of an Enum class, in their order; the first is the initial value unless another is given."""
    if not (isinstance(kind, type) and issubclass(kind, Enum)):
        complain(
            f"enumeration({shown(kind)}) is of no Enum class",
            "write enumeration(KIND), with class KIND(Enum)",
        )
    if not len(kind):
        complain(f"{kind.__name__} has no members", "give it some")
    return Domain(kind, 0, len(kind) - 1 if _varies(varies, "enumeration") else 0)


def _varies(value: bool, what: str) -> bool:
    if type(value) is not bool:
        complain(f"{what} has varies={shown(value)}", "give True or False")
    return value


class Unfolding:
    """What unfolds into several variables: the base of the shapes of composite values (`derived/shapes.py`)."""


@dataclass(frozen=True)
class FamilyDomain:
    """One domain for each tuple of indices; `of` may be a function from the tuple to one."""

    indices: tuple[str, ...]
    of: Any

    def at(self, where: tuple[Any, ...]) -> Any:
        """The domain (or the shape of composite values) at one tuple of indices."""
        if isinstance(self.of, Domain | Unfolding):
            return self.of
        found = self.of(*where)
        if not isinstance(found, Domain | Unfolding):
            complain(
                f"a family is of {shown(found)} at {', '.join(map(str, where))}",
                "return boolean(), count(low, high) or enumeration(KIND)", self.of,
            )  # fmt: skip
        return found


@checked('family("index", of=boolean())')
def family(*indices: str, of: Any) -> FamilyDomain:
    """A variable for each value of the named indices: `family("node", "doc", of=boolean())`. It is `of` a domain, the
    shape of composite values (`queue(...)`), or a function from the indices to one."""
    for index in indices:
        if not is_name(index):
            complain(f"a family is indexed by {shown(index)}", 'write family("index", of=boolean())')
    if not indices:
        complain("a family without an index", 'write family("index", of=boolean()), or boolean() alone')
    if isinstance(of, Domain | Unfolding):
        return FamilyDomain(indices, of)
    if not callable(of) or isinstance(of, type) or of in (boolean, count, enumeration):
        complain(
            f"a family is of {shown(of)}", "write of=boolean(), of=count(low, high) or of=enumeration(KIND)"
        )
    try:
        inspect.signature(of).bind(*indices)
    except TypeError:
        complain(f"the domain of a family by {', '.join(indices)} takes other arguments",
                 f"write of=lambda {', '.join(indices)}: ...", of)  # fmt: skip
    return FamilyDomain(indices, of)
