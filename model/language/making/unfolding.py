"""Unfolding: every function of a protocol is called for every tuple of its arguments; what it leaves is data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any, NoReturn

from cutproof.model.language import expressions as ex
from cutproof.model.language.actions import Action, Step, When
from cutproof.model.language.complaints import (
    LanguageError,
    complain,
    first_argument,
    near,
    place_of,
    returned_nothing,
    shown,
)
from cutproof.model.language.expressions import Term
from cutproof.model.language.making.wellformed import fits_indices, label
from cutproof.model.language.operands import Family, Operand
from cutproof.model.language.parts import Case, Claim, Field, Transition
from cutproof.model.language.properties import TEMPORAL, Property, conditions_of, pair_of

if TYPE_CHECKING:
    from cutproof.model.language.protocol import Protocol


def _called(
    protocol: Protocol, member: Action | Property
) -> Iterator[tuple[tuple[tuple[str, Any], ...], Any]]:
    """What a function returns, by each tuple of its arguments."""
    names = member.arguments
    fits_indices(member, protocol.indices, first_argument(member.function), protocol.variables)
    for values in product(*(protocol.indices[n] for n in names)):
        arguments = tuple(zip(names, values, strict=True))
        yield arguments, member.function(protocol.view, **dict(arguments))


def transitions_of(protocol: Protocol, action: Action) -> list[Transition]:
    """A transition for each tuple of arguments for which the action exists."""
    found = []
    for arguments, step in _called(protocol, action):
        if step is None:
            returned_nothing(action.function, action.name, "step")
            continue
        if isinstance(step, When):
            _refuse(action, "returns when(...) without then", "end it with .then(field=new)")
        if not isinstance(step, Step):
            _refuse(action, f"returned {shown(step)}", "return when(...).then(...), or None")
        guards = tuple((g.name, g.condition.term) for g in step.guards)
        updates = updates_of(protocol, action, step.changes)
        found.append(
            Transition(action.name, action.fault, action.choice, arguments, guards, updates, not action.fair)
        )
    return found


def claims_of(protocol: Protocol, prop: Property) -> list[Claim]:
    """A claim for each kind of harm that the property names, of all of its arguments together."""
    if prop.form in TEMPORAL:
        return _temporal(protocol, prop)
    found: dict[str, list[Term]] = {}
    for _, result in _called(protocol, prop):
        if result is None:
            returned_nothing(prop.function, prop.name, "condition")
            continue
        for harm, condition in conditions_of(result, prop).items():
            found.setdefault(harm, []).append(condition.term)
    join = ex.disjunction if prop.form == "sometimes" else ex.conjunction
    return [
        Claim(prop.name, prop.form, harm, join(*terms), cycles=prop.cycles) for harm, terms in found.items()
    ]


def _temporal(protocol: Protocol, prop: Property) -> list[Claim]:
    """The claim of a *leads to* or *eventually*: a case for each tuple of arguments."""
    cases = list[Case]()
    for arguments, result in _called(protocol, prop):
        if result is None:
            returned_nothing(prop.function, prop.name, "condition")
            continue
        asked, given = (operand.term for operand in pair_of(result, prop))
        cases.append(Case(", ".join(f"{k}={label(v)}" for k, v in arguments), asked, given))
    holds = ex.conjunction(*(ex.disjunction(ex.negation(c.asked), c.given) for c in cases))
    return [Claim(prop.name, prop.form, "", holds, tuple(cases))] if cases else []


def measured(protocol: Protocol) -> Operand | None:
    """The measure as an operand; None where the protocol has none."""
    if protocol.measure is None:
        return None
    found = protocol.measure(protocol.view)
    if not isinstance(found, Operand) or found.kind is not int:
        kind = found.kind.__name__ if isinstance(found, Operand) else f"{type(found).__name__} {shown(found)}"
        complain(f"the measure returns a {kind}", "return a whole number over the state",
                 place_of(protocol.measure, returned=True))  # fmt: skip
    return found


# ------------------------------------------------------------------ updates


def updates_of(
    protocol: Protocol, action: Action, changes: Mapping[str, Any]
) -> tuple[tuple[Field, Term], ...]:
    """The new value of each cell that a step changes."""
    found: list[tuple[Field, Term]] = []
    for name, value in changes.items():
        if name not in protocol.variables:
            _refuse(action, f"changes no variable {name!r}", near(name, list(protocol.variables)))
        reached = {(): (getattr(protocol.view, name), value)}
        for cell in protocol.cells_of[name]:
            was, new = _at(action, name, cell.where, reached)
            if new is was:
                continue
            if isinstance(new, Family):
                _refuse(action, f"gives {name} a family", "it is one value")
            term = _new(action, cell, was, new)
            if term is not was.term:
                found.append((cell, term))
    return tuple(found)


def _at(
    action: Action, name: str, where: tuple[Any, ...], reached: dict[tuple[Any, ...], tuple[Any, Any]]
) -> tuple[Any, Any]:
    """The old and the new value of a place. `reached` holds both by place, so that families are compared once each."""
    if where in reached:
        return reached[where]
    *before, index = where
    was, new = _at(action, name, tuple(before), reached)
    if new is was:
        reached[where] = (was[index],) * 2
        return reached[where]
    new = _like(action, was, new)
    if not isinstance(new, Family):
        _refuse(action, f"gives {name} one value", "use put(...) or each(...) for a family")
    _same_places(action, name, was, new)
    reached[where] = was[index], new[index]
    return reached[where]


def _like(action: Action, was: Any, new: Any) -> Any:
    """The new value in the form of the old one; a Python value may stand for a composite one."""
    try:
        return was._like(new)
    except LanguageError as error:
        said = str(error).split(": ", 1)[-1].rsplit("; ", 1)
        _refuse(action, f"gives {said[0]}", said[-1])


def _new(action: Action, cell: Field, was: Operand, new: Any) -> Term:
    if isinstance(new, Operand) and new.kind is was.kind:
        return new.term
    try:
        return ex.constant(cell.domain.encode(new), cell.domain.kind is bool)
    except ValueError:
        _refuse(action, f"gives {cell.name} {shown(new)}", f"give it a value of {cell.domain}")


def _same_places(action: Action, name: str, was: Family, new: Family) -> None:
    """A new family has the places of the old one: no more, no fewer."""
    old_keys, keys = list(was._items), list(new._items)
    if keys == old_keys and list(map(type, keys)) == list(map(type, old_keys)):
        return  # of a thousand places, as for each of them
    if strange := [k for k in keys if not _among(k, old_keys)]:
        _refuse(action, f"gives {name} a value at {shown(strange[0])}",
                f"the values of {was._index} are {', '.join(map(shown, old_keys))}")  # fmt: skip
    if missing := [k for k in old_keys if not _among(k, keys)]:
        _refuse(action, f"gives {name} no value at {was._index} {shown(missing[0])}",
                "use put(...) or each(...)")  # fmt: skip


def _among(key: object, keys: Sequence[object]) -> bool:
    return any(type(key) is type(k) and key == k for k in keys)  # 1 and True are not one


def _refuse(action: Action, what: str, fix: str) -> NoReturn:
    complain(f"{action.name} {what}", fix, place_of(action.function, returned=True) or action.function)
