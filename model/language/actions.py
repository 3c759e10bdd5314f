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

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, overload

from cutproof.model.language.complaints import (
    LanguageError,
    arguments_of,
    checked,
    complain,
    look_at_function,
    shown,
)
from cutproof.model.language.derived.counting import larger, number_of, smaller, total
from cutproof.model.language.derived.families import each, pick, put
from cutproof.model.language.domains import (
    Domain,
    FamilyDomain,
    Kind,
    boolean,
    count,
    enumeration,
    family,
)
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
from cutproof.model.language.properties import (
    Property,
    always,
    can_always,
    conditions_of,
    eventually,
    invariant,
    leads_to,
    sometimes,
)
from cutproof.model.language.sentences import sentence_of

__all__ = [
    "Action", "Domain", "Family", "FamilyDomain", "Guard", "Kind", "LanguageError", "Operand", "Property",
    "Step", "When",
    "action", "all_of", "always", "any_of", "boolean", "can_always", "choose", "complain", "conditions_of", "constant",
    "count", "each", "enumeration", "eventually", "family", "guard", "implies", "invariant", "larger", "leads_to",
    "number_of", "pick", "put", "smaller", "sometimes", "total", "when",
]  # fmt: skip


@dataclass(frozen=True)
class Guard:
    """A named condition of a step."""

    name: str
    condition: Operand

    def __bool__(self) -> NoReturn:
        complain("`and`, `or` or `if` on a guard, which would drop one", "write when(guard(...), guard(...))")


@checked('guard("name", condition)')
def guard(name: str, condition: Operand) -> Guard:
    """A named condition: it can be dropped, reported when false, and tracked in a proof."""
    if type(name) is not str or not name:
        complain(f"a guard has the name {shown(name)}", 'write guard("name", condition)')
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

    @checked("then(field=new, ...)")
    def then(self, /, **changes: Any) -> Step:
        """The fields that the step changes, by name; every other field keeps its value."""
        return Step(self.guards, changes)


def when(*guards: Guard) -> When:
    """A step that is enabled where all of its guards hold."""
    names = set[str]()
    for given in guards:
        if not isinstance(given, Guard):
            complain(
                f"when got the {type(given).__name__} {shown(given)}",
                'write when(guard("name", condition), ...)',
            )
        if given.name in names:
            complain(f"two guards of one name, {given.name!r}", "name each guard on its own")
        names.add(given.name)
    return When(guards)


@dataclass(frozen=True)
class Action:
    """A step of the protocol. `fault` names the kind of fault that it is, or is empty; `choice` marks what somebody
    may do again and again and nobody needs: a client reads, a sweep runs. A step that is neither is owed, and
    weakly fair unless `fair` is False: while it is always possible it is taken some time."""

    name: str
    function: Callable[..., Step | None]
    fault: str = ""
    choice: bool = False
    fair: bool = True

    def __post_init__(self) -> None:
        look_at_function(self.name, self.function, "@action", "an action")
        if not isinstance(self.fault, str):
            complain(
                f"{self.name} has the fault {shown(self.fault)}",
                'name its kind, as fault="crash"',
                self.function,
            )
        if not isinstance(self.choice, bool):
            complain(f"{self.name} has the choice {shown(self.choice)}", "write choice=True", self.function)
        if not isinstance(self.fair, bool):
            complain(f"{self.name} has the fairness {shown(self.fair)}", "write fair=False", self.function)
        if not self.fair and (self.fault or self.choice):
            complain(
                f"{self.name} is {'a fault' if self.fault else 'a choice'}, and marked as not fair",
                "leave out fair=False: no fault and no choice is fair", self.function,
            )  # fmt: skip

    @property
    def sentence(self) -> str:
        return sentence_of(self.function)

    @property
    def arguments(self) -> tuple[str, ...]:
        return arguments_of(self.function)


@overload
def action(function: Callable[..., Step | None]) -> Action: ...


@overload
def action(
    *, fault: str = "", choice: bool = False, fair: bool = True
) -> Callable[[Callable[..., Step | None]], Action]: ...


@checked('@action, or @action(fault="crash")')
def action(function: Any = None, *, fault: str = "", choice: bool = False, fair: bool = True) -> Any:
    """Make a function `(s, *arguments) -> when(...).then(...)` an action; None where it does not exist.

    What must always remain possible may need neither a step with a `fault` ("crash") nor one by `choice`. Of runs that
    go on for ever only these are looked at: faults end some time, choices may go on, and a step that is neither is
    weakly fair: it is not put off for ever while it is always possible, unless it says `fair=False`. A step that
    changes nothing counts as impossible."""
    if function is None:
        return lambda f: Action(getattr(f, "__name__", ""), f, fault, choice, fair)
    return Action(getattr(function, "__name__", ""), function, fault, choice, fair)
