"""Properties: what is claimed of a protocol, and the invariants that prove it.

@always
def consistent(s, rm, other):
    "No two resource managers decide differently."
    return ~((s.rm[rm] == RM.COMMITTED) & (s.rm[other] == RM.ABORTED))

@invariant
def told_once_decided(s):
    "Nobody is told to commit before it was decided."
    return implies(s.said_commit, s.tm == TM.COMMITTED)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, overload

from cutproof.model.language.complaints import (
    arguments_of,
    checked,
    complain,
    look_at_function,
    place_of,
    shown,
)
from cutproof.model.language.operands import Operand, constant
from cutproof.model.language.sentences import sentence_of

__all__ = [
    "TEMPORAL", "Property", "always", "can_always", "conditions_of", "eventually", "invariant", "leads_to", "pair_of",
    "sometimes",
]  # fmt: skip

TEMPORAL = ("leads_to", "eventually")  # claims of whole runs, under fairness
FORMS = ("always", "sometimes", "can_always", *TEMPORAL, "invariant")
RESERVED = ("domain", "deadlock")  # verdicts that every exploration may have, beside those of the properties


@dataclass(frozen=True)
class Property:
    """`form` is one of `FORMS`. An always property may return a dictionary of
    conditions by the kind of harm that is done where one is false. `cycles`: whether a *can always* is also violated by
    a fair run that goes round for ever and never comes to where it is true."""

    name: str
    form: str
    function: Callable[..., Any]
    cycles: bool = True

    def __post_init__(self) -> None:
        look_at_function(self.name, self.function, f"@{self.form}", "a property")
        if self.form not in FORMS:
            complain(f"{self.name} has the form {shown(self.form)}", f"there are {', '.join(FORMS)}")
        if not isinstance(self.cycles, bool):
            complain(f"{self.name} has the cycles {shown(self.cycles)}", "write cycles=False", self.function)
        if self.name in RESERVED:
            complain(
                f"a property is called {self.name}, as a verdict of every exploration is", "name it otherwise",
                self.function,
            )  # fmt: skip

    @property
    def sentence(self) -> str:
        return sentence_of(self.function)

    @property
    def arguments(self) -> tuple[str, ...]:
        return arguments_of(self.function)


@checked("@always above a function")
def always(function: Callable[..., Any]) -> Property:
    """Must hold in every reachable state."""
    return Property(getattr(function, "__name__", ""), "always", function)


@checked("@sometimes above a function")
def sometimes(function: Callable[..., Any]) -> Property:
    """Must hold in some reachable state, or the safety of the rest says nothing."""
    return Property(getattr(function, "__name__", ""), "sometimes", function)


@overload
def can_always(function: Callable[..., Any]) -> Property: ...


@overload
def can_always(*, cycles: bool = True) -> Callable[[Callable[..., Any]], Property]: ...


@checked("@can_always or @can_always(cycles=False) above a function")
def can_always(function: Any = None, *, cycles: bool = True) -> Any:
    """From every reachable state, a state where this holds can be reached without another fault.

    And no fair run goes round for ever and never comes there, unless this says `cycles=False`: what others may put off
    for ever by their choices (a lease that is renewed again and again) is only said to be possible."""
    if function is None:
        return lambda f: Property(getattr(f, "__name__", ""), "can_always", f, cycles)
    return Property(getattr(function, "__name__", ""), "can_always", function, cycles)


@checked("@leads_to above a function")
def leads_to(function: Callable[..., Any]) -> Property:
    """Returns two conditions, `return asked, given`: in every run, whenever the first is true, the second is true then
    or later. Runs are fair, and their faults end (`actions.action`)."""
    return Property(getattr(function, "__name__", ""), "leads_to", function)


@checked("@eventually above a function")
def eventually(function: Callable[..., Any]) -> Property:
    """Is true at some time of every run that is fair and whose faults end."""
    return Property(getattr(function, "__name__", ""), "eventually", function)


@checked("@invariant above a function")
def invariant(function: Callable[..., Any]) -> Property:
    """For proofs, and no claim of its own: holds at the start and is kept by every action, and together with the others
    says why the *always* properties hold. It is listed among the properties of the protocol."""
    return Property(getattr(function, "__name__", ""), "invariant", function)


def conditions_of(result: Any, prop: Property) -> dict[str, Operand]:
    """What a property returned, by kind of harm ("" where it names none). True stands for arguments of which there is
    nothing to say. Raises LanguageError at the property's own line."""
    found = result if isinstance(result, dict) else {"": result}
    return {_harm(kind, prop): _condition(value, prop) for kind, value in found.items()}


def pair_of(result: Any, prop: Property) -> tuple[Operand, Operand]:
    """What a *leads to* or *eventually* returned: what is asked for, and what must come. Raises LanguageError."""
    if prop.form == "eventually":
        return constant(True), _condition(result, prop)
    if not isinstance(result, tuple) or len(result) != 2:
        complain(
            f"{prop.name} returns the {type(result).__name__} {shown(result)}",
            "return two conditions, as s.asked, s.given", _returned(prop),
        )  # fmt: skip
    asked, given = result
    return _condition(asked, prop), _condition(given, prop)


def _harm(kind: object, prop: Property) -> str:
    if not isinstance(kind, str):
        complain(f"{prop.name} names the harm {shown(kind)}", "name it by a text", _returned(prop))
    return kind


def _condition(value: Any, prop: Property) -> Operand:
    if isinstance(value, Operand) and value.kind is bool:
        return value
    place = _returned(prop)
    if isinstance(value, Operand):
        complain(f"{prop.name} returns a {value.kind.__name__}", "compare it first, to get a boolean", place)
    if value is True and prop.form in ("sometimes", "eventually"):
        complain(
            f"{prop.name} returns the Python True, so it would hold everywhere",
            "return None for arguments that do not matter", place,
        )  # fmt: skip
    if value is True:
        return constant(True)
    if value is False:
        complain(
            f"{prop.name} returns the Python False, known before anything runs",
            "write constant(False) if it is meant, or == & | ~ on state in place of `is`, and, or, not", place,
        )  # fmt: skip
    complain(
        f"{prop.name} returns the {type(value).__name__} {shown(value)}",
        "return a condition over the state, as s.n <= 3", place,
    )  # fmt: skip


def _returned(prop: Property) -> str | Callable[..., Any]:
    return place_of(prop.function, returned=True) or prop.function
