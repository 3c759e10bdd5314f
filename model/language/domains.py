"""Domains: the finite sets of values of the variables; and the complaint that a protocol cannot be meant."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Any, NoReturn

Kind = type  # bool, int, or a subclass of Enum


class LanguageError(Exception):
    """A protocol says something that cannot be meant; the message names file, line and the fix."""


def _passed_through(module: str) -> bool:
    """Whether the mistake cannot be in this module: it is ours, or Python's own (`enum`)."""
    return (
        module.startswith("cutproof.model.language.")
        or module.split(".", maxsplit=1)[0] in sys.stdlib_module_names
    )


def complain(message: str, fix: str) -> NoReturn:
    """Raise LanguageError at the line of the protocol that led here."""
    frame = sys._getframe(1)
    while frame.f_back is not None and _passed_through(frame.f_globals.get("__name__", "")):
        frame = frame.f_back
    raise LanguageError(f"{frame.f_code.co_filename}:{frame.f_lineno}: {message}; {fix}")


@dataclass(frozen=True)
class Domain:
    """The finite set of values of a variable: `low..high` of `kind` (members of an enumeration by position)."""

    kind: Kind
    low: int
    high: int

    def encode(self, value: object) -> int:
        """The integer for a Python value; ValueError if it is outside the domain or of another type."""
        if type(value) is not self.kind:
            code = None
        elif self.kind is bool or self.kind is int:
            code = int(value)  # type: ignore[call-overload]
        else:
            code = _positions(self.kind).get(value._name_)  # type: ignore[attr-defined]
        if code is None or not self.low <= code <= self.high:
            raise ValueError(f"{value!r} is not in {self}")
        return code  # type: ignore[no-any-return]

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
def _members(kind: Kind) -> tuple[Enum, ...]:
    return tuple(kind)  # type: ignore[call-overload]


@cache
def _positions(kind: Kind) -> dict[str, int]:
    """The position of each member, by its name: members of an enumeration are slow to hash."""
    return {member.name: position for position, member in enumerate(_members(kind))}


def boolean(*, varies: bool = True) -> Domain:
    """False or True; with `varies=False` always False, at no cost in states (the same below)."""
    return Domain(bool, 0, int(varies))


def count(low: int, high: int, *, varies: bool = True) -> Domain:
    """The integers `low..high`, both included."""
    if type(low) is not int or type(high) is not int:
        complain(f"count({low!r}, {high!r}) is not of integers", "give two integers")
    if high < low:
        complain(f"count({low}, {high}) is empty", "give the smaller bound first")
    return Domain(int, low, high if varies else low)


def enumeration(kind: type[Enum], *, varies: bool = True) -> Domain:
    """The members of an Enum class, in their order; the first is the initial value unless another is given."""
    if not len(kind):
        complain(f"{kind.__name__} has no members", "give it some")
    return Domain(kind, 0, len(kind) - 1 if varies else 0)


@dataclass(frozen=True)
class FamilyDomain:
    """One domain for each tuple of indices; `of` may be a function from the tuple to a Domain."""

    indices: tuple[str, ...]
    of: Domain | Callable[..., Domain]

    def at(self, where: tuple[Any, ...]) -> Domain:
        """The domain at one tuple of indices."""
        return self.of if isinstance(self.of, Domain) else self.of(*where)


def family(*indices: str, of: Domain | Callable[..., Domain]) -> FamilyDomain:
    """A variable for each value of the named indices: `family("node", "doc", of=boolean())`."""
    return FamilyDomain(indices, of)
