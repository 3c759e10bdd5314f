"""Which arrows there are in a run: what is said and heard in one step, and messages that are on their way for long."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from cutproof.checks.traces.outcome import places
from cutproof.checks.traces.trace import plain
from cutproof.checks.views.drawing import Arrow, Fate
from cutproof.model.language.picture import Message
from cutproof.model.language.protocol import Protocol
from cutproof.model.language.words import Changed, Run, Taken, index_names

Fields = Mapping[str, Any]  # a state by the names of its fields
Lanes = Mapping[str, int]


class _UnderWay:
    """A message that was sent and has not come to its end."""

    def __init__(self, source: int, target: int, sent: int, text: str) -> None:
        self.source, self.target, self.sent, self.text = source, target, sent, text
        self.late = False

    def ends(self, step: int | None, fate: Fate) -> Arrow:
        return Arrow(self.source, self.target, self.sent, step, self.text, fate, self.late)


class Messages:
    """The messages of a run; feed it each step, and `rest` has those that are still under way."""

    def __init__(self, protocol: Protocol, lanes: Lanes, first: Fields) -> None:
        self.protocol, self.lanes, self.first = protocol, lanes, first
        self.open: dict[str, _UnderWay] = {}
        self.places = {
            name: (variable, dict(zip(index_names(protocol, variable), map(plain, where), strict=True)))
            for name, (variable, where) in places(protocol).items()
            if variable in protocol.picture.messages
        }

    def take(self, number: int, taken: Taken, before: Fields, after: Fields) -> Iterator[Arrow]:
        """The arrows that come to their end with a step."""
        moved = [n for n in self.places if before.get(n) != after.get(n)]
        sent = [n for n in moved if before.get(n) == self.first.get(n)]
        gone = [n for n in moved if after.get(n) == self.first.get(n)]
        for name, (variable, where) in self.places.items():
            if name in self.open and self._late(self.protocol.picture.messages[variable], taken, where):
                self.open[name].late = True
        for name in gone:
            if name not in self.open:
                continue
            goes_on = self._goes_on(name, sent, taken, before, after)
            if goes_on:
                sent.remove(goes_on)
                self.open[goes_on] = self.open.pop(name)
            else:
                message = self.protocol.picture.messages[self.places[name][0]]
                yield self.open.pop(name).ends(number, _fate(message, taken.action))
        yield from self._copies(number, taken)
        for name in sent:
            if after.get(name) != self.first.get(name):
                self._send(number, name, taken, before, after)

    def rest(self) -> list[Arrow]:
        """What is still under way at the end."""
        return [message.ends(None, "under way") for message in self.open.values()]

    def _changed(self, name: str, taken: Taken, before: Fields, after: Fields) -> Changed:
        variable, where = self.places[name]
        return Changed(variable, where, before.get(name), after.get(name), taken)

    def _ends_of(self, name: str, taken: Taken, before: Fields, after: Fields) -> tuple[int, int] | None:
        message = self.protocol.picture.messages[self.places[name][0]]
        changed = self._changed(name, taken, before, after)
        names = {**taken.arguments, **changed.where}
        source, target = (
            self.lanes.get(named(end, changed, names)) for end in (message.source, message.target)
        )
        return None if source is None or target is None else (source, target)

    def _send(self, number: int, name: str, taken: Taken, before: Fields, after: Fields) -> None:
        message = self.protocol.picture.messages[self.places[name][0]]
        changed = self._changed(name, taken, before, after)
        ends = self._ends_of(name, taken, before, after)
        if ends is not None:
            text = named(message.text, changed, {**taken.arguments, **changed.where})
            self.open[name] = _UnderWay(*ends, number, text)

    def _goes_on(
        self, name: str, sent: Sequence[str], taken: Taken, before: Fields, after: Fields
    ) -> str | None:
        """The field to which a message was moved by a step after which it is late."""
        if not self.open[name].late:
            return None
        here = self.open[name]
        for other in sent:
            if self._ends_of(other, taken, before, after) == (here.source, here.target):
                return other
        return None

    def _late(self, message: Message, taken: Taken, where: Mapping[str, Any]) -> bool:
        if callable(message.late):
            return message.late(taken, where)
        common = set(where) & set(taken.arguments)
        return taken.action in message.late and all(taken.arguments[n] == where[n] for n in common)

    def _copies(self, number: int, taken: Taken) -> Iterator[Arrow]:
        """What has arrived and is on its way still."""
        for name, under_way in list(self.open.items()):
            variable, where = self.places[name]
            message = self.protocol.picture.messages[variable]
            if taken.action in message.copied and under_way.sent < number:
                common = set(where) & set(taken.arguments)
                if all(taken.arguments[n] == where[n] for n in common):
                    target = self.lanes.get(named(message.target, None, {**where, **taken.arguments}))
                    yield Arrow(under_way.source, under_way.target if target is None else target, under_way.sent,
                                number, under_way.text, "arrives", under_way.late)  # fmt: skip


def said(protocol: Protocol, lanes: Lanes, number: int, taken: Taken) -> Iterator[Arrow]:
    """What is said and heard in one step."""
    for arrow in protocol.picture.arrows_of(taken.action):
        source = lanes.get(named(arrow.source, taken, taken.arguments))
        found = arrow.target(taken) if callable(arrow.target) else arrow.target.format(**taken.arguments)
        for target in [found] if isinstance(found, str) else found:
            if source is not None and target in lanes:
                text = named(arrow.text, taken, taken.arguments)
                late = arrow.fate == "late"
                fate: Fate = "arrives" if late else arrow.fate  # type: ignore[assignment]
                yield Arrow(source, lanes[target], number, number, text, fate, late)


def arrows_of(run: Run, lanes: Lanes, states: Sequence[Fields]) -> tuple[Arrow, ...]:
    """Every arrow of a run, in the order in which they were sent. `states` are by the names of fields."""
    messages, found = Messages(run.protocol, lanes, states[0]), list[Arrow]()
    for number, taken in enumerate(run.steps, 1):
        found += said(run.protocol, lanes, number, taken)
        found += messages.take(number, taken, states[number - 1], states[number])
    return tuple(
        sorted([*found, *messages.rest()], key=lambda a: (a.sent, a.arrives is None, a.arrives or 0))
    )


def named(text: str | Callable[[Any], Any], about: Any, names: Mapping[str, Any]) -> str:
    """A text with its names put in, or what a function makes of it."""
    return str(text(about)) if callable(text) else text.format(**names)


def _fate(message: Message, action: str) -> Fate:
    fates: dict[Fate, tuple[str, ...]] = {
        "lost": message.lost, "failed": message.failed, "refused": message.refused,
    }  # fmt: skip
    return next((fate for fate, actions in fates.items() if action in actions), "arrives")
