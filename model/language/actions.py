"""The language a protocol is written in.

    @action
    def prepare(s, rm):
        "A working resource manager prepares and says so."
        return when(
            guard("working", s.rm[rm] == RM.WORKING),
        ).then(
            rm=put(s.rm, rm, RM.PREPARED),
            sent=put(s.sent, rm, True),
        )

    @always
    def consistent(s, rm, other):
        "No two resource managers decide differently."
        return ~((s.rm[rm] == RM.COMMITTED) & (s.rm[other] == RM.ABORTED))

Two rules:
- A function is called once for every tuple of its arguments, when the protocol is made, on *operands*: they
  stand for values and record what is done to them. A step names only the fields that it changes.
- Python must not lie. Whatever would decide something now about a value that is known only later (`and`,
  `or`, `not`, `in`, `if`, `a < b < c`, a look-up by a state value, `True & s.x`, comparing apples to
  pears) raises `LanguageError` with the file, the line and what to write instead.

Arguments (`rm`, `doc`, ...) are plain Python values from the protocol's `indices`: `if doc == 0:` is fine.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, overload

from cutproof.model.language.counting import larger, number_of, smaller, total
from cutproof.model.language.domains import (
    Domain,
    FamilyDomain,
    Kind,
    LanguageError,
    boolean,
    complain,
    count,
    enumeration,
    family,
)
from cutproof.model.language.families import each, pick, put
from cutproof.model.language.operands import (
    Family,
    Operand,
    _truth,
    all_of,
    any_of,
    choose,
    constant,
    implies,
)

__all__ = [
    "Action", "Domain", "Family", "FamilyDomain", "Guard", "Kind", "LanguageError", "Operand", "Property",
    "Step", "When",
    "action", "all_of", "always", "any_of", "boolean", "can_always", "choose", "complain", "conditions_of", "constant",
    "count", "each", "enumeration", "family", "guard", "implies", "larger", "number_of", "pick",
    "put", "smaller", "sometimes", "total", "when",
]  # fmt: skip


@dataclass(frozen=True)
class Guard:
    """A named condition of a step."""

    name: str
    condition: Operand

    def __bool__(self) -> NoReturn:
        complain("`and`, `or` or `if` on a guard, which would drop one", "write when(guard(...), guard(...))")


def guard(name: str, condition: Operand) -> Guard:
    """A named condition: it can be dropped, reported when false, and tracked in a proof."""
    if type(name) is not str or not name:
        complain(f"a guard has the name {name!r}", "name it by a text")
    return Guard(name, _truth(condition, f"guard {name!r}"))


@dataclass(frozen=True)
class Step:
    """What an action returns: when it is enabled, and what it changes."""

    guards: tuple[Guard, ...]
    changes: Mapping[str, Any]


@dataclass(frozen=True)
class When:
    """The guards of a step; `then` completes it."""

    guards: tuple[Guard, ...]

    def then(self, **changes: Any) -> Step:
        """The fields that the step changes, by name; every other field keeps its value."""
        return Step(self.guards, changes)


def when(*guards: Guard) -> When:
    """A step that is enabled where all of its guards hold."""
    for given in guards:
        if not isinstance(given, Guard):
            complain(
                f"when got the {type(given).__name__} {given!r}", 'write when(guard("name", condition), ...)'
            )
    return When(guards)


@dataclass(frozen=True)
class Action:
    """A step of the protocol. `fault` names the kind of fault that it is, or is empty; `choice` marks what somebody
    may do again and again and nobody needs: a client reads, a sweep runs."""

    name: str
    function: Callable[..., Step | None]
    fault: str = ""
    choice: bool = False

    @property
    def sentence(self) -> str:
        return " ".join((self.function.__doc__ or "").split())

    @property
    def arguments(self) -> tuple[str, ...]:
        return tuple(inspect.signature(self.function).parameters)[1:]


@overload
def action(function: Callable[..., Step | None]) -> Action: ...


@overload
def action(*, fault: str = "", choice: bool = False) -> Callable[[Callable[..., Step | None]], Action]: ...


def action(function: Any = None, *, fault: str = "", choice: bool = False) -> Any:
    """Make a function `(s, *arguments) -> when(...).then(...)` an action; None where it does not exist.

    What must always remain possible may need neither a step with a `fault` ("crash") nor one by `choice`, and a run
    that goes round for ever by such steps alone is nobody's mistake."""
    if function is None:
        return lambda f: Action(f.__name__, f, fault, choice)
    return Action(function.__name__, function)


@dataclass(frozen=True)
class Property:
    """`form` is "always", "sometimes" or "can_always". An always property may return a dictionary of conditions
    by the kind of harm that is done where one is false."""

    name: str
    form: str
    function: Callable[..., Any]

    @property
    def sentence(self) -> str:
        return " ".join((self.function.__doc__ or "").split())

    @property
    def arguments(self) -> tuple[str, ...]:
        return tuple(inspect.signature(self.function).parameters)[1:]


def always(function: Callable[..., Any]) -> Property:
    """Must hold in every reachable state."""
    return Property(function.__name__, "always", function)


def sometimes(function: Callable[..., Any]) -> Property:
    """Must hold in some reachable state, or the safety of the rest says nothing."""
    return Property(function.__name__, "sometimes", function)


def can_always(function: Callable[..., Any]) -> Property:
    """From every reachable state, a state where this holds can be reached without another fault."""
    return Property(function.__name__, "can_always", function)


def conditions_of(result: Any, where: str) -> dict[str, Operand]:
    """What a property returned, by kind of harm ("" where it names none)."""
    found: Iterable[tuple[str, Any]] = result.items() if isinstance(result, dict) else [("", result)]
    return {kind: _truth(value, where) for kind, value in found}
