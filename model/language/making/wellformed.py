"""What `Protocol(...)` is given, looked at before anything is made of it: names that clash, lists of wrong things."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, get_type_hints

from cutproof.model.language.actions import Action
from cutproof.model.language.complaints import complain, is_name, near, shown
from cutproof.model.language.domains import (
    Domain,
    FamilyDomain,
    Unfolding,
    boolean,
    count,
    enumeration,
    family,
)
from cutproof.model.language.properties import Property

OF_THE_VIEW = ("scope", "mechanisms")  # what `s` has besides the variables

Member = Action | Property


def label(value: object) -> str:
    """How an argument, an index or a value is written: members of an enumeration by name."""
    return value.name if isinstance(value, Enum) else str(value)


def indices_of(given: Mapping[str, Sequence[Any]] | None) -> dict[str, tuple[Any, ...]]:
    """The values of each index. No two of one index are written alike: they would be one value in names and traces."""
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        complain(f"indices are the {type(given).__name__} {shown(given)}", 'write indices={"node": range(3)}')
    return {_index_name(name): _index_values(name, values) for name, values in given.items()}


def _index_name(name: object) -> str:
    if not isinstance(name, str) or not is_name(name):
        complain(f"an index is called {shown(name)}", "name it as an argument of a function, as node")
    return name


def _index_values(name: str, given: Any) -> tuple[Any, ...]:
    if isinstance(given, set | frozenset):
        complain(f"the values of {name} are a set, which has no order", "give a list, as sorted(...)")
    if isinstance(given, int) and not isinstance(given, bool):
        complain(f"the values of {name} are {given}", f"write range({given})")
    if isinstance(given, str):
        complain(f"the values of {name} are the text {shown(given)}", f"give a list, as {shown(list(given))}")
    if not isinstance(given, Iterable):
        complain(f"the values of {name} are {shown(given)}", "give a list or a range")
    values, labels = tuple(given), dict[str, Any]()
    for value in values:
        if not isinstance(value, bool | int | str | Enum):
            complain(
                f"{name} has the value {shown(value)}, a {type(value).__name__}",
                "index by integers, texts, booleans or members of an enumeration",
            )
        if label(value) in labels:
            other = labels[label(value)]
            if type(other) is type(value):
                complain(f"{name} has {shown(value)} twice", "give each value once")
            complain(
                f"{name} has {shown(other)} and {shown(value)}, which are written alike",
                "give values of different names",
            )
        labels[label(value)] = value
    if not values:
        complain(f"{name} has no values", "give it some, or leave it out with what it indexes")
    return values


def variables_of(given: Any) -> Mapping[str, Any]:
    """The variables by name, each with a domain."""
    if not isinstance(given, Mapping):
        complain(
            f"variables are the {type(given).__name__} {shown(given)}", 'write variables={"n": count(0, 3)}'
        )
    for name, domain in given.items():
        if not is_name(name):
            complain(
                f"a variable is called {shown(name)}", "name it as a Python identifier: it is read as s.NAME"
            )
        if name in OF_THE_VIEW or name.startswith("_"):
            what = (
                f"s.{name} is something else"
                if name in OF_THE_VIEW
                else "a name with _ in front is no variable's"
            )
            complain(f"a variable is called {name}", f"{what}: name it otherwise")
        if not isinstance(domain, Domain | FamilyDomain | Unfolding):
            complain(f"the variable {name} is {shown(domain)}", _domain_like(domain))
    return given


def _domain_like(given: object) -> str:
    if given is bool or given is boolean:
        return "write boolean()"
    if given is int or given is count:
        return "write count(low, high)"
    if isinstance(given, type) and issubclass(given, Enum):
        return f"write enumeration({given.__name__})"
    if isinstance(given, range) and len(given) and given.step == 1:
        return f"write count({given[0]}, {given[-1]})"
    if given is enumeration or given is family:
        return 'write enumeration(KIND), or family("index", of=boolean())'
    return 'give it a domain: boolean(), count(low, high), enumeration(KIND) or family("index", of=...)'


def distinct_cells(names: Iterable[str]) -> None:
    """Refuse two cells of one name: they would be one variable."""
    seen = set[str]()
    for name in names:
        if name in seen:
            complain(
                f"two cells of the state are called {name}", "name index values without commas and brackets"
            )
        seen.add(name)


# ------------------------------------------------------------------ actions and properties


def actions_of(given: Any) -> tuple[Action, ...]:
    """The actions, each of a name of its own."""
    return _members("actions", given, Action, "@action", Property, "properties=")


def properties_of(given: Any, what: str = "properties") -> tuple[Property, ...]:
    """The properties or invariants, each of a name of its own."""
    return _members(
        what,
        given,
        Property,
        "@always, @sometimes, @can_always, @leads_to, @eventually or @invariant",
        Action,
        "actions=",
    )


def _members(
    what: str, given: Any, kind: type[Any], decorator: str, other: type[Any], place: str
) -> tuple[Any, ...]:
    one = what.removesuffix("ies") + "y" if what.endswith("ies") else what.removesuffix("s")
    if isinstance(given, kind):
        complain(f"{what} is {given.name} alone", f"write {what}=[{given.name}]")
    if isinstance(given, set | frozenset):
        complain(f"{what} is a set, which has no order", f"write {what}=[...]")
    if isinstance(given, str | Mapping) or not isinstance(given, Iterable):
        complain(f"{what} is the {type(given).__name__} {shown(given)}", f"write {what}=[...]")
    members = tuple(given)
    for member in members:
        if isinstance(member, other):
            complain(
                f"{what} has {member.name}, which is made by another decorator",
                f"list it in {place}, or write {decorator} above it", member.function,
            )  # fmt: skip
        if not isinstance(member, kind):
            name = getattr(member, "__name__", shown(member))
            is_function = callable(member) and hasattr(member, "__code__")
            complain(f"{what} has {name}, which is no {one}", f"write {decorator} above a function",
                     member if is_function else None)  # fmt: skip
    distinct(members)
    return members


def distinct(members: Collection[Member]) -> None:
    """Refuse two of one name: a trace, a verdict or a proof would not say which."""
    seen = dict[str, Member]()
    for member in members:
        if member.name in seen:
            again = " (the same one twice)" if seen[member.name] is member else ""
            what = "actions" if isinstance(member, Action) else "properties"
            complain(
                f"two {what} are called {member.name}{again}", "give each a name of its own", member.function
            )
        seen[member.name] = member


def fits_indices(
    member: Member, indices: Mapping[str, Sequence[Any]], first: str | None, variables: Collection[str]
) -> None:
    """Refuse a function whose arguments are no indices, or that forgot the state."""
    for name in member.arguments:
        if name not in indices:
            what = (
                "the variable is s." + name
                if name in variables
                else near(name, list(indices), "the indices are")
            )
            complain(f"{member.name} takes {name!r}", what, member.function)
    if first is not None and first in indices:
        others = ", ".join([first, *member.arguments])
        complain(f"{member.name} takes {first!r} in place of the state", f"write def {member.name}(s, {others}):",
                 member.function)  # fmt: skip


# ------------------------------------------------------------------ the rest


def name_of(given: object) -> str:
    """The name of a protocol."""
    if not isinstance(given, str) or not given.strip():
        complain(f"a protocol is called {shown(given)}", 'write name="my_protocol"')
    return given


def mechanisms_of(given: Any) -> type | None:
    """The record of mechanisms: a dataclass of booleans and enumerations."""
    if given is None:
        return None
    if not isinstance(given, type):
        complain(
            f"mechanisms are {shown(given)}", "give the dataclass itself; resolve(...) chooses the values"
        )
    if not is_dataclass(given):
        complain(f"mechanisms are {given.__name__}, no dataclass", "write @dataclass above it", None)
    hints = get_type_hints(given)
    for f in fields(given):
        kind = hints[f.name]
        if kind is not bool and not (isinstance(kind, type) and issubclass(kind, Enum)):
            complain(f"the mechanism {f.name} is a {getattr(kind, '__name__', kind)}",
                     "make it a bool or an Enum")  # fmt: skip
    return given


def measure_of(given: Any) -> Callable[[Any], Any] | None:
    """The measure: a function of the state."""
    if given is not None and not callable(given):
        complain(f"measure is {shown(given)}", "give a function: measure=lambda s: ...")
    return given
