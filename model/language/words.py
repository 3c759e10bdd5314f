"""Words: how stories speak of a protocol. Nothing else reads them: no engine, no digest.

    Protocol(..., words=Words(
        steps={"grant": "node {node} is given the lease"},                  # the arguments by name
        variables={"lease": "node {node}: {old}, now {new}", "clock": ""},  # the indices, old and new; "" hides it
        values={"lease": {0: "free", 1: "held"}},                           # how a value is written
    ))

A text may be a function instead: of a `Taken` for steps, of a `Changed` for variables, of the value for values, and of
all steps for `ending`, the table with which a story ends. Values and arguments are *plain*, as in a trace: booleans,
integers, texts (members of an enumeration by name), and dictionaries of those.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cutproof.model.language.derived.shapes import Composite
from cutproof.model.language.domains import complain
from cutproof.model.language.operands import Family

if TYPE_CHECKING:
    from cutproof.model.language.protocol import Protocol


@dataclass(frozen=True)
class Taken:
    """A step that was taken: `before` and `after` hold every variable by name, families as dictionaries by index."""

    protocol: Protocol
    action: str
    arguments: Mapping[str, Any]
    before: Mapping[str, Any]
    after: Mapping[str, Any]


@dataclass(frozen=True)
class Changed:
    """What a step did to one field: `where` is its index by the names of the indices, empty for a single variable."""

    variable: str
    where: Mapping[str, Any]
    old: Any
    new: Any
    step: Taken


@dataclass(frozen=True)
class Run:
    """A run that was taken from the first state to `last`."""

    protocol: Protocol
    steps: tuple[Taken, ...]
    last: Mapping[str, Any]


Rows = Sequence[Sequence[str]]  # of a table; the first row is its head


@dataclass(frozen=True)
class Words:
    """See the module's text. What has no words is told by default."""

    steps: Mapping[str, str | Callable[[Taken], str]] = field(default_factory=dict)
    variables: Mapping[str, str | Callable[[Changed], str]] = field(default_factory=dict)
    values: Mapping[str, Mapping[Any, str] | Callable[[Any], str]] = field(default_factory=dict)
    harms: Mapping[str, str] = field(default_factory=dict)  # the kinds of harm of the properties
    ending: Callable[[Run], Rows] | None = None

    def check(self, protocol: Protocol) -> None:
        """Raise LanguageError for words about what the protocol has not, or that name what cannot be filled in."""
        actions = {a.name: a.arguments for a in protocol.actions}
        indices = {c.variable: index_names(protocol, c.variable) for c in protocol.cells}
        for what, words, known, more in (
            ("action", self.steps, actions, ()),
            ("variable", self.variables, indices, ("old", "new")),
            ("variable", self.values, indices, ()),
        ):
            for name, text in words.items():
                if name not in known:
                    complain(f"there are words for no {what}: {name!r}", f"there are {', '.join(known)}")
                if isinstance(text, str):
                    _fits(name, text, [*known[name], *more])

    def step(self, taken: Taken) -> str:
        """The sentence of a step, or nothing where there are no words for it."""
        words = self.steps.get(taken.action, "")
        return words.format(**taken.arguments) if isinstance(words, str) else words(taken)

    def value(self, variable: str, value: Any) -> str:
        """How a value of a variable is written."""
        words = self.values.get(variable, {})
        if not isinstance(words, Mapping):
            return words(value)
        found = None if isinstance(value, list | dict) else words.get(value)
        return written(value) if found is None else found

    def change(self, changed: Changed) -> str:
        """A change in words; empty where it is not told."""
        words = self.variables.get(changed.variable)
        if words is not None and not isinstance(words, str):
            return words(changed)
        old, new = (self.value(changed.variable, v) for v in (changed.old, changed.new))
        if words is not None:
            return words.format(**changed.where, old=old, new=new)
        return f"{named(changed.variable, changed.where)}: {old} -> {new}"


def written(value: Any) -> str:
    """A plain value as a person writes it: `[ASK, YES]` a list, `{0, 1}` a set, `{kind: ASK, src: 0}` a record."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{k}: {written(v)}' for k, v in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(written, value))}]"
    return f"{{{', '.join(map(written, value))}}}" if isinstance(value, tuple) else str(value)


def _fits(name: str, text: str, known: Iterable[str]) -> None:
    try:
        fields = [f for _, f, _, _ in string.Formatter().parse(text) if f is not None]
    except ValueError as error:
        complain(f"the words for {name} are {text!r}: {error}", "write {name} for a value, {{ for a brace")
    there = list(known)
    for wanted in fields:
        if wanted not in there:
            complain(
                f"the words for {name} name {wanted!r}", f"there are {', '.join(there) or 'no arguments'}"
            )


def named(variable: str, where: Mapping[str, Any]) -> str:
    """A field by its name and index: `net of O, doc 0, rank 1`; `rm 0` where the variable is named as its index."""
    text = placed(where)
    if not text:
        return variable
    return text if list(where) == [variable] and " " in text else f"{variable} of {text}"


def placed(where: Mapping[str, Any]) -> str:
    """An index in words: `O, doc 0, rank 1`; texts stand for themselves."""
    return ", ".join(str(v) if isinstance(v, str) else f"{k} {v}" for k, v in where.items())


def index_names(protocol: Protocol, variable: str) -> tuple[str, ...]:
    """The names of the indices of a variable, in order; none for a single one."""
    found, inside = list[str](), getattr(protocol.view, variable, None)
    while isinstance(inside, Family) and inside._index and not isinstance(inside, Composite):
        found.append(inside._index)
        inside = next(iter(inside), None)
    return tuple(found)
