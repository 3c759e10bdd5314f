"""What a line of a log means to a protocol: the transitions that it may have been, and what it shows of the state.

Actions, arguments and values are named as a driver names them: members of enumerations by name, families by index (in
JSON an index is its text), sets as lists, records as dictionaries. A field may also be named as a whole: `clock[c1]`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cutproof.checks.common.refusals import near
from cutproof.checks.traces.trace import plain
from cutproof.model.language.codegen import compile_protocol
from cutproof.model.language.packing import Packing
from cutproof.model.language.protocol import Field, Protocol, State, label
from cutproof.model.language.words import written

ANY = "?"  # the action of a line that says that something happened, and not what


@dataclass(frozen=True)
class Shown:
    """What a line shows of one place of the state: its value there, in the bits of `mask`."""

    name: str
    path: tuple[Any, ...]  # the variable, its indices, the fields of records
    value: Any
    mask: int
    bits: int


@dataclass(frozen=True, eq=False)
class Event:
    """What a line means. `numbers` are the transitions that it may have been, or None where it is no step; the state
    after it has `bits` in `mask`."""

    action: str | None
    arguments: tuple[tuple[str, Any], ...]
    numbers: frozenset[int] | None
    shown: tuple[Shown, ...] = ()
    mask: int = 0
    bits: int = 0

    @property
    def any(self) -> bool:
        """A step that is not named."""
        return self.action == ANY

    @property
    def text(self) -> str:
        """`grant(client=1), then left[0] = 2`"""
        inside = ", ".join(f"{k}={v}" for k, v in self.arguments)
        text = (f"{self.action}({inside})" if inside or not self.any else ANY) if self.action else ""
        seen = ", ".join(f"{s.name} = {written(s.value)}" for s in self.shown)
        return f"{text}, then {seen}" if text and seen else text or f"state {seen}".strip()


class Meaning:
    """Understands lines of a log of a protocol. Raises ValueError if a mechanism of it has no value yet."""

    def __init__(self, protocol: Protocol) -> None:
        self.protocol = protocol
        self.packing: Packing = compile_protocol(protocol).packing
        self.actions = {a.name: a for a in protocol.actions}
        self._by_action: dict[str, list[tuple[int, dict[str, Any]]]] = {name: [] for name in self.actions}
        for number, t in enumerate(protocol.transitions):
            self._by_action[t.action].append((number, {k: plain(v) for k, v in t.arguments}))
        self._fitting: dict[tuple[Any, ...], frozenset[int]] = {}
        self._leaves: dict[tuple[Any, ...], Shown] = {}
        self._cells = {(c.variable, *map(_key, c.where)): c for c in protocol.cells}
        self._shapes = {tuple(map(_key, path)): shape for path, shape in protocol.shapes.items()}
        self._below: dict[
            tuple[Any, ...], dict[Any, None]
        ] = {}  # of each place, the keys of the places in it
        for path in self._cells:
            for depth in range(1, len(path)):
                self._below.setdefault(path[:depth], {})[path[depth]] = None
        self._named: dict[str, tuple[Any, ...]] = {
            f"{path[0]}[{','.join(map(label, path[1:]))}]": path
            for path in (*self._cells, *self._below, *self._shapes)
            if len(path) > 1
        }

    # -------------------------------------------------- steps

    def event(
        self, action: str | None, arguments: Mapping[str, Any], state: Mapping[str, Any] | None
    ) -> Event:
        """What a line with this action (None: it has none) and these parts means. Raises ValueError, one line, for
        what means nothing to the protocol."""
        shown, given, numbers = tuple(self._state(state or {})), dict[str, Any](), None
        if action is not None:
            given = {name: self._argument(action, name, value) for name, value in arguments.items()}
            numbers = self._numbers(action, tuple(given.items()))
        elif arguments:
            raise ValueError("has args and no action")
        mask, bits = 0, 0
        for s in shown:
            mask, bits = mask | s.mask, bits | s.bits
        if any(bits & s.mask != s.bits for s in shown):  # it shows one place twice, unlike
            bits = ~mask
        return Event(action, tuple(given.items()), numbers, shown, mask, bits)

    def _numbers(self, action: str, given: tuple[tuple[str, Any], ...]) -> frozenset[int]:
        key = action, *((k, type(v), v) for k, v in given)
        if key not in self._fitting:
            every = [
                t for name in ([*self.actions] if action == ANY else [action]) for t in self._by_action[name]
            ]
            self._fitting[key] = frozenset(
                n for n, arguments in every if all(_same(arguments.get(k), v) for k, v in given)
            )
        return self._fitting[key]

    def _argument(self, action: str, name: str, value: Any) -> Any:
        """The value of an argument, as the protocol has it."""
        if action == ANY:
            names = list(dict.fromkeys(n for a in self.actions.values() for n in a.arguments))
        elif action in self.actions:
            names = list(self.actions[action].arguments)
        if name not in names:
            takes = f"it takes {', '.join(names)}" if names else "it takes no arguments"
            raise ValueError(f"{action} has no argument {name!r}{near(name, names) or '; ' + takes}")
        known = [plain(v) for v in self.protocol.indices[name]]
        found = [v for v in known if _same(v, value)] or [v for v in known if str(v) == value]
        if not found:
            raise ValueError(f"{action} has no {name} {value!r}; there are {', '.join(map(str, known))}")
        return found[0]

    def known_action(self, action: str) -> None:
        """Raises ValueError for what is no action."""
        if action not in self.actions and action != ANY:
            more = near(action, self.actions) or f"; there are {', '.join(self.actions)}"
            raise ValueError(f"{self.protocol.name} has no action {action!r}{more}")

    # -------------------------------------------------- states

    def _state(self, state: Mapping[str, Any]) -> Iterator[Shown]:
        for name, value in state.items():
            if name in self.protocol.variables:
                yield from self._place((name,), value)
                continue
            path = self._named.get(name.replace("][", ",").replace(" ", ""))
            if path is None:
                variable = name.partition("[")[0]
                known = list(self.protocol.variables)
                if variable in known:  # it is the index that is strange
                    known = [place for place in self._named if place.partition("[")[0] == variable]
                several = f"there are {', '.join(known[:12])}" if known else f"{variable} has no index"
                raise ValueError(f"state: there is no {name!r}{near(name, known) or '; ' + several}")
            yield from self._place(path, value)

    def _place(self, path: tuple[Any, ...], value: Any) -> Iterator[Shown]:
        """What is shown at one place, or at the places in it."""
        cell, shape = self._cells.get(path), self._shapes.get(path)
        if cell is not None:
            yield self._leaf(path, cell, value)
        elif shape is not None:
            yield from self._composite(path, shape, value)
        else:
            for key, inner in self._by_index(path, value).items():
                yield from self._place((*path, key), inner)

    def _by_index(self, path: tuple[Any, ...], value: Any) -> dict[Any, Any]:
        known, where = self._below[path], f"state: {_place(path)}"
        if isinstance(value, list):
            if len(value) != len(known):
                listed = ", ".join(map(str, known))
                raise ValueError(f"{where} has {len(value)} values; it needs one for each of {listed}")
            return dict(zip(known, value, strict=True))
        if not isinstance(value, Mapping):
            raise ValueError(f"{where} is {value!r}; it needs an object by index, or a list")
        texts = {str(key): key for key in known}
        if strange := [key for key in value if key not in texts]:
            raise ValueError(f"{where} has no index {strange[0]!r}; there are {', '.join(texts)}")
        return {texts[key]: inner for key, inner in value.items()}

    def _composite(self, path: tuple[Any, ...], shape: Any, value: Any) -> Iterator[Shown]:
        """A set, bag, queue or log as one value; of a record the fields that are there."""
        if shape.word == "record" and isinstance(value, Mapping):
            parts = shape.parts()
            for name, inner in value.items():
                if name not in parts:
                    more = near(name, parts) or f"; there are {', '.join(parts)}"
                    raise ValueError(f"state: {_place(path)} has no field {name!r}{more}")
                below = (*path, name)
                if below in self._cells:
                    yield self._leaf(below, self._cells[below], inner)
                else:
                    yield from self._composite(below, parts[name], inner)
            return
        try:
            leaves = list(_leaves(path, shape.unfold(value, plain)))
            cells = [(self._cells[place], inner) for place, inner in leaves]
            found = [self._leaf((c.variable, *map(_key, c.where)), c, inner) for c, inner in cells]
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            said = error if isinstance(error, ValueError) else f"{value!r} is no {shape.word}"
            raise ValueError(f"state: {_place(path)}: {str(said).removeprefix('state: ')}") from None
        mask, bits = sum(s.mask for s in found), sum(s.bits for s in found)
        yield Shown(_place(path), path, tuple(value) if shape.word == "set" else value, mask, bits)

    def _leaf(self, path: tuple[Any, ...], cell: Field, value: Any) -> Shown:
        """One field. ValueError for what it can never hold."""
        key = cell.name, type(value), value if isinstance(value, str | bool | int) else None
        if key in self._leaves:
            return self._leaves[key]
        codes = range(cell.domain.low, cell.domain.high + 1)
        code = value if type(value) is int and cell.domain.kind is int and value in codes else None
        if cell.domain.kind is not int:
            code = next((c for c in codes if _same(plain(cell.domain.decode(c)), value)), None)
        if code is None:
            raise ValueError(
                f"state: {cell.name} is {value!r}, which the protocol cannot have: {cell.domain}"
            )
        mask = self.packing.mask([cell.name])
        bits = code - cell.domain.low << self.packing.offsets[cell.name] if mask else 0
        found = self._leaves[key] = Shown(cell.name, path, value, mask, bits)
        return found

    def value(self, state: State, path: tuple[Any, ...]) -> Any:
        """What a state has at a place, as a plain value."""
        if cell := self._cells.get(path):
            return plain(cell.domain.decode(self.protocol.named(state)[cell.name]))
        found = plain(self.protocol.decode(state))
        for key in path:
            found = found[key]
        return found


def _key(index: Any) -> Any:
    """An index as a plain value; a member of a set of records is its own."""
    return index if isinstance(index, dict) else plain(index)


def _same(a: Any, b: Any) -> bool:
    """Equal, and True is not 1."""
    return type(a) is type(b) and bool(a == b)


def _place(path: tuple[Any, ...]) -> str:
    return f"{path[0]}[{','.join(map(str, path[1:]))}]" if len(path) > 1 else str(path[0])


def _leaves(path: tuple[Any, ...], value: Any) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves((*path, key), inner)
    else:
        yield path, value
