"""What is left of a protocol when its functions have been called: data that every engine reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, NoReturn, get_type_hints

from cutproof.model.language import expressions as ex
from cutproof.model.language.complaints import complain, near
from cutproof.model.language.domains import Domain, boolean, enumeration
from cutproof.model.language.expressions import Term
from cutproof.model.language.making.wellformed import label
from cutproof.model.language.operands import Operand

__all__ = ["Claim", "Field", "Parameters", "State", "Transition", "View", "label", "spec"]

State = tuple[int, ...]  # one integer for each field, in the order of `Protocol.fields`


@dataclass(frozen=True)
class Field:
    """One cell of the state: `net[O,0]` of the variable `net` at the index ("O", "0")."""

    name: str
    variable: str
    where: tuple[Any, ...]
    domain: Domain


@dataclass(frozen=True)
class Transition:
    """An action with its arguments: `guards` by name, and the new value of each field that it changes."""

    action: str
    fault: str
    choice: bool
    arguments: tuple[tuple[str, Any], ...]
    guards: tuple[tuple[str, Term], ...]
    updates: tuple[tuple[Field, Term], ...]
    marked_unfair: bool = False

    @property
    def owed(self) -> bool:
        """Neither a fault nor somebody's choice: a step that will be taken."""
        return not self.fault and not self.choice

    @property
    def fair(self) -> bool:
        """Weakly fair: owed, and not marked otherwise. It is not put off for ever while it is always possible."""
        return self.owed and not self.marked_unfair

    @property
    def enabled(self) -> Term:
        """All of the guards together."""
        return ex.conjunction(*(condition for _, condition in self.guards))

    def __str__(self) -> str:
        return f"{self.action}({', '.join(f'{k}={label(v)}' for k, v in self.arguments)})"


@dataclass(frozen=True)
class Claim:
    """One condition of a property; `harm` is what is done where an *always* condition is false, or empty.

    Of a *leads to* or *eventually*, `cases` has one for each tuple of arguments, and `holds` says that nothing is asked
    for that is not there already. `cycles`: as of the property."""

    property: str
    form: str
    harm: str
    holds: Term
    cases: tuple[Case, ...] = ()
    cycles: bool = True

    def terms(self) -> tuple[Term, ...]:
        """Every term of the claim."""
        return self.holds, *(term for case in self.cases for term in (case.asked, case.given))


@dataclass(frozen=True)
class Case:
    """What *leads to* claims for one tuple of arguments: whenever `asked` is true, `given` is true then or later. Of an
    *eventually*, `asked` is TRUE, and counts at the start alone. `arguments` are those, as text."""

    arguments: str
    asked: Term
    given: Term

    @property
    def detail(self) -> str:
        """Which case it is, as a verdict on its claim says; empty where there is but one."""
        return f"with {self.arguments}" if self.arguments else ""


class View:
    """What `s` is: the variables by name, the mechanisms, and the scope as the protocol was given it."""

    _values: Mapping[str, Any]
    mechanisms: Any
    scope: Any

    def __init__(self, values: Mapping[str, Any], mechanisms: Any, scope: Any) -> None:
        self.__dict__.update(_values=values, mechanisms=mechanisms, scope=scope)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        complain(f"s.{name} = ... changes nothing", f"return when(...).then({name}=...)")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name not in self._values:
            complain(f"no variable {name!r}", near(name, list(self._values)))
        return self._values[name]


class Parameters:
    """The mechanisms as operands: symbolic until `Protocol.resolve` gives them values."""

    def __init__(self, record: type) -> None:
        hints = get_type_hints(record)
        self._operands = {}
        for f in fields(record):
            domain = boolean() if hints[f.name] is bool else enumeration(hints[f.name])
            term = ex.parameter(f"mechanisms.{f.name}", domain.low, domain.high, domain.kind is bool)
            self._operands[f.name] = Operand(term, domain.kind)

    def __getattr__(self, name: str) -> Operand:
        if name.startswith("_") or name not in self._operands:
            complain(f"no mechanism {name!r}", "declare it in the record of mechanisms")
        return self._operands[name]


def spec(cell: Field) -> tuple[str, int, int, bool]:
    """What `expressions.variable` needs to know of a cell."""
    return cell.name, cell.domain.low, cell.domain.high, cell.domain.kind is bool
