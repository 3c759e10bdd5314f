"""Pictures: how a run is drawn as lanes, one for each that takes part. Nothing else reads them: no engine, no digest.

    Protocol(..., picture=Picture(
        lanes={"client {client}": ["about"], "store": ["fence", "written"], "lock service": ["left"]},
        at={"tick": "lock service"},                     # who takes a step; else who is in its arguments
        arrows={"grant": Arrow("lock service", "client {client}", "lease {resource}")},      # said and heard at once
        messages={"about": Message("client {client}", "store", "write", refused=("refuse",))},  # on the way meanwhile
    ))

A lane is named by a text; `{client}` in it makes one for each value of that index. Behind it stands what is shown of
it: names of variables, of which those fields are shown that have its index, or a function of a `Now` that gives texts
by name. Wherever a lane is meant it is written by its name, with the arguments of the step (or the indices of the
variable) in braces, or a function says its name: of a `Taken` for steps and arrows, of a `Changed` for messages.

A message is a variable: it is sent by the step after which a field of it is no more what it was at the start, and has
arrived with the one after which it is that again. Steps in `lost` and `refused` (and `failed`, of which the sender
knows) say that it did not; those in `copied` let it arrive and leave it on its way. `late` are steps after which what
is on its way is late, because nobody waits for it any more: of the messages with the arguments of the step, or those of
which a function of the `Taken` and the indices says so. Where such a step moves a message to another field, it is the
same message.
"""

from __future__ import annotations

import itertools
import string
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from cutproof.model.language.domains import complain
from cutproof.model.language.words import Changed, Run, Taken, index_names

if TYPE_CHECKING:
    from cutproof.model.language.protocol import Protocol

__all__ = ["OUTSIDE", "Arrow", "Loss", "Message", "Now", "Picture"]

OUTSIDE = "shared"  # the lane of what belongs to nobody, where none is declared


@dataclass(frozen=True)
class Now:
    """A state to be shown in a lane: every variable by name in plain values, and the values of the lane's indices."""

    protocol: Protocol
    state: Mapping[str, Any]
    where: Mapping[str, Any]
    step: Taken | None = None  # the one that led there


@dataclass(frozen=True)
class Arrow:
    """What a step says to somebody, who hears it at once. `fate` is `arrives`, `late`, `lost` or `refused`."""

    source: str | Callable[[Taken], str]
    target: str | Callable[[Taken], str | Sequence[str]]
    text: str | Callable[[Taken], str] = ""
    fate: str = "arrives"


@dataclass(frozen=True)
class Message:
    """What is on its way for a while; see the module's text."""

    source: str | Callable[[Changed], str]
    target: str | Callable[[Changed], str]
    text: str | Callable[[Changed], str] = ""
    lost: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    copied: tuple[str, ...] = ()
    late: tuple[str, ...] | Callable[[Taken, Mapping[str, Any]], bool] = ()


@dataclass(frozen=True)
class Loss:
    """What a run did to somebody, in plain sentences: what was promised, and what became of it."""

    promise: str
    loss: str


Shown = Sequence[str] | Callable[[Now], Mapping[str, str]]


@dataclass(frozen=True)
class Picture:
    """See the module's text. What is left out has a default: a lane for each value of the indices that the actions and
    the variables have, and one, `shared`, for the rest."""

    lanes: Mapping[str, Shown] = field(default_factory=dict)
    titles: Mapping[str, str] = field(default_factory=dict)  # what a lane is, in a few words, by its name
    at: Mapping[str, str | Callable[[Taken], str]] = field(default_factory=dict)
    arrows: Mapping[str, Arrow | Sequence[Arrow]] = field(default_factory=dict)
    messages: Mapping[str, Message] = field(default_factory=dict)
    # What was promised and what became of it, of a run and the name of the property that it violates; else, and where
    # it is None, the sentence of the property.
    loss: Callable[[Run, str], Loss | None] | None = None

    def check(self, protocol: Protocol) -> None:
        """Raise LanguageError for a picture of what the protocol has not."""
        actions = {a.name: a.arguments for a in protocol.actions}
        indices = {c.variable: index_names(protocol, c.variable) for c in protocol.cells}
        for name, shown in self.lanes.items():
            _fits("the lane", name, protocol.indices)
            _known("variable", () if callable(shown) else shown, indices, f"the lane {name!r} shows")
        _known("action", [*self.at, *self.arrows], actions, "the picture is about")
        _known("variable", self.messages, indices, "there are messages of")
        lanes = [name for name, _, _ in self.lanes_of(protocol)]
        for action, place in self.at.items():
            _is_lane(f"the place of {action}", place, actions[action], protocol, lanes)
        for action in self.arrows:
            for arrow in self.arrows_of(action):
                for end in (arrow.source, arrow.target):
                    _is_lane(f"the arrow of {action}", end, actions[action], protocol, lanes)
        for variable, message in self.messages.items():
            _is_lane(f"the message {variable}", message.source, indices[variable], protocol, lanes)
            _is_lane(f"the message {variable}", message.target, indices[variable], protocol, lanes)
            late = () if callable(message.late) else message.late
            for steps in (message.lost, message.failed, message.refused, message.copied, late):
                _known("action", steps, actions, f"the message {variable} names")

    def lanes_of(self, protocol: Protocol) -> Iterator[tuple[str, dict[str, Any], Shown]]:
        """Each lane by its name, with the values of its indices (plain), and what is shown of it."""
        for template, shown in self.lanes.items():
            names = _braced(template)
            for values in itertools.product(*(protocol.indices[n] for n in names)):
                where = {n: plain_index(v) for n, v in zip(names, values, strict=True)}
                yield template.format(**where), where, shown

    def arrows_of(self, action: str) -> Sequence[Arrow]:
        """The arrows of an action."""
        found = self.arrows.get(action, ())
        return [found] if isinstance(found, Arrow) else found


def plain_index(value: Any) -> Any:
    """A value of an index as a trace holds it."""
    return value.name if isinstance(value, Enum) else value


def default_picture(protocol: Protocol) -> Picture:
    """Lanes for the values of each index by which both variables and steps are told apart; the rest is `shared`."""
    of = {v: index_names(protocol, v) for v in protocol.variables}
    acting = {n for a in protocol.actions for n in a.arguments}
    first = dict.fromkeys(names[0] for names in of.values() if names and names[0] in acting)
    lanes: dict[str, Shown] = {}
    seen: list[set[Any]] = []
    for index in first:
        if any(set(protocol.indices[index]) <= others for others in seen):
            continue  # the same ones by another name, as `other` of two
        seen.append(set(protocol.indices[index]))
        named = all(isinstance(v, str | Enum) for v in protocol.indices[index])
        lanes[f"{{{index}}}" if named else f"{index} {{{index}}}"] = [v for v, n in of.items() if index in n]
    lanes[OUTSIDE] = [v for v, n in of.items() if not set(n) & set(first)]
    return Picture(lanes=lanes)


def _braced(template: str) -> list[str]:
    return [name for _, name, _, _ in string.Formatter().parse(template) if name is not None]


def _fits(what: str, template: str, known: Mapping[str, object]) -> None:
    try:
        names = _braced(template)
    except ValueError as error:
        complain(f"{what} {template!r}: {error}", "write {name} for a value, {{ for a brace")
    for name in names:
        if name not in known:
            complain(f"{what} {template!r} names {name!r}", f"there are {', '.join(known) or 'no indices'}")


def _known(what: str, names: Sequence[str] | Mapping[str, Any], known: Mapping[str, Any], who: str) -> None:
    for name in names:
        if name not in known:
            complain(f"{who} no {what}: {name!r}", f"there are {', '.join(known)}")


def _is_lane(what: str, end: Any, arguments: Sequence[str], protocol: Protocol, lanes: Sequence[str]) -> None:
    """A place that is a text must be the name of a lane, whatever the arguments are."""
    if not isinstance(end, str):
        return
    _fits(what, end, dict.fromkeys(arguments))
    for values in itertools.product(*(protocol.indices[n] for n in _braced(end))):
        where = {n: plain_index(v) for n, v in zip(_braced(end), values, strict=True)}
        if end.format(**where) not in lanes:
            complain(f"{what} is in the lane {end.format(**where)!r}", f"there are {', '.join(lanes)}")
