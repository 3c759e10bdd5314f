"""Logs are read: JSON lines, one event a line. What is none, or means nothing to the protocol, is refused with its
line.

{"action": "grant", "args": {"client": "c1"}}           it happened; an argument that is left out may be any
{"action": "grant", "state": {"holder": "c1"}}          ... and after it the state was this, as far as it is shown
{"state": {"clock[c1]": 3}}                             nothing happened, and the state was this
{"action": "?"}                                         something happened
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import msgspec

from cutproof.checks.common import files
from cutproof.checks.common.refusals import plain, refuse
from cutproof.checks.drivers.histories.records import lines, said, said_once
from cutproof.checks.drivers.logs.meaning import Event, Meaning

MOST = 4_000_000  # events of all logs
OURS = ("action", "args", "arguments", "state")
QUOTED = [f'"{name}"'.encode() for name in OURS]

_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_any = msgspec.json.Decoder().decode
_text = msgspec.json.Decoder(str | None).decode
_object = msgspec.json.Decoder(dict[str, Any] | None).decode


@dataclass
class Log:
    """Events in the order of one node: `numbers` are their lines in the file `name`."""

    name: str
    events: list[Event] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)

    def place(self, number: int) -> str:
        """Where an event stands."""
        return f"{self.name}:{self.numbers[number]}"


class Reading:
    """Reads logs. `ignored` are actions whose lines are passed over; lines that differ in the field `node` are logs of
    their own. `unused` are the fields that were not looked at, and `passed_over` counts lines."""

    def __init__(self, meaning: Meaning, ignored: Collection[str] = (), node: str = "") -> None:
        self.meaning, self.ignored, self.node = meaning, frozenset(ignored), node
        self.unused: dict[str, None] = {}
        self.passed_over = self.count = 0
        self._known: dict[tuple[bytes, ...], Event | None] = {}
        self._nodes: dict[bytes, str] = {}

    def file(self, path: str) -> list[Log]:
        """The logs in a file. Raises Wrong."""
        if "\0" in path:
            refuse(f"{path!r}: is a name that no file can have")
        try:
            files.ordinary(path)
            with open(path, "rb") as file:
                return self.logs(file, path)
        except OSError as error:
            refuse(f"{path}: {error.strerror or error}")

    def logs(self, file: BinaryIO, name: str) -> list[Log]:
        """The logs in an open file: one, or one for each value of the field that names the node. Raises Wrong."""
        found: dict[str, Log] = {} if self.node else {"": Log(name)}
        for number, line in lines(file, name):
            try:
                about = _decode(line)
                if any(line.count(name) > 1 for name in QUOTED):
                    said_once(line)
                node = self._node(about)
                event = self._event(about)
            except RecursionError as error:
                refuse(f"{name}:{number}: {said(error)}")
            except msgspec.DecodeError as error:
                hint = "" if line.startswith(b"{") else "; a log has an object in JSON on each line"
                refuse(f"{name}:{number}: {said(error)}{hint}")
            except ValueError as error:
                refuse(f"{name}:{number}: {plain(str(error), 400)}")
            if event is None:
                self.passed_over += 1
                continue
            self.count += 1
            if self.count > MOST:
                refuse(f"{name}:{number}: is one event too many: there may be {MOST:,}")
            log = found.setdefault(node, Log(name))
            log.events.append(event)
            log.numbers.append(number)
        return list(found.values())

    def _node(self, about: dict[str, msgspec.Raw]) -> str:
        if not self.node:
            return ""
        if self.node not in about:
            raise ValueError(f"has no field {self.node!r}, which is to say whose line it is")
        raw = bytes(about[self.node])
        if raw not in self._nodes:  # one value may be written in several ways
            with _within(self.node):
                self._nodes[raw] = msgspec.json.encode(_any(raw), order="sorted").decode()
        return self._nodes[raw]

    def _event(self, about: dict[str, msgspec.Raw]) -> Event | None:
        """What a line means; None where it is passed over."""
        parts = tuple(bytes(about[name]) if name in about else b"" for name in OURS)
        if len(about) > sum(map(bool, parts)):
            self.unused.update(dict.fromkeys(k for k in about if k not in OURS and k != self.node))
        if parts not in self._known:
            self._known[parts] = self._meant(*parts)
        return self._known[parts]

    def _meant(self, action: bytes, args: bytes, arguments: bytes, state: bytes) -> Event | None:
        if args and arguments:
            raise ValueError("has args and arguments: one of them is enough")
        if not action and not state:
            raise ValueError("has neither an action nor a state")
        for part in (args, arguments, state):
            said_once(part)
        name: str | None = None
        given: dict[str, Any] = {}
        with _within("action"):
            name = _text(action) if action else None
        if name in self.ignored:
            return None
        if name is not None:
            self.meaning.known_action(name)
        with _within("args"):
            given = _object(args or arguments or b"null") or {}
        with _within("state"):
            shown = _object(state or b"null")
        if name is None and not state:
            raise ValueError("has neither an action nor a state")
        return self.meaning.event(name, given, shown)


@contextmanager
def _within(what: str) -> Iterator[None]:
    """A field of the line is read: what is wrong in it is said to be there."""
    try:
        yield
    except msgspec.DecodeError as error:
        raise ValueError(f"{what}: {said(error)}") from None


def read(paths: Iterable[str], meaning: Meaning, ignored: Collection[str] = (), node: str = "") -> list[Log]:
    """The logs in some files, one each unless a field names the node. Raises Wrong: a line that says what it is."""
    reading = Reading(meaning, ignored, node)
    return [log for path in paths for log in reading.file(path)]
