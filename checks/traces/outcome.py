"""What a replay found: the steps that were taken, what each changed, and where trace and specification part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from cutproof.checks.traces.itf import Plain
from cutproof.checks.traces.trace import Step, Trace, plain
from cutproof.model.language.protocol import Protocol, label
from cutproof.model.language.words import written


@dataclass(frozen=True)
class Change:
    """What a step did to one field, in plain values."""

    field: str
    old: Plain
    new: Plain

    def __str__(self) -> str:
        return f"{self.field}: {written(self.old)} -> {written(self.new)}"


@dataclass(frozen=True)
class Difference:
    """A field that the trace (or what `who` names) and the specification give different plain values."""

    field: str
    recorded: Plain
    specified: Plain
    who: str = "the trace"

    def __str__(self) -> str:
        return f"{self.field}: {self.who} has {self.recorded}, the specification {self.specified}"


@dataclass(frozen=True)
class Walked:
    """A step that the specification took; `number` counts from 1."""

    number: int
    step: Step
    sentence: str
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Divergence:
    """Where trace and specification part: at step `number` (0 is the initial state), and why."""

    number: int
    step: Step | None
    reason: str
    false_guards: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()
    enabled: tuple[str, ...] = ()  # what could have been done instead, in the order of the transitions
    ended: bool = False  # every step was taken, and the end is not what the trace says of it


@dataclass(frozen=True)
class Replay:
    """`reproduced`: the path could be walked and ended as the trace says; `checked` says what that covers.

    `states` are the specification's own, as a trace would hold them with every variable: one more than `walked`.
    `unjudged` says why the end could not be judged, or is empty. `parted` is the first state (by number) that differs
    from the recorded one in a field that both have; None where none does."""

    trace: Trace
    protocol: Protocol
    walked: tuple[Walked, ...]
    states: tuple[dict[str, Plain], ...]
    divergence: Divergence | None
    checked: str
    notes: tuple[str, ...]
    unjudged: str = ""
    parted: int | None = None

    @property
    def reproduced(self) -> bool:
        """The path was walked to its end, and the end is what the trace says of it."""
        return self.divergence is None and not self.unjudged

    @property
    def verdict(self) -> str:
        """`reproduced`, `not reproduced` or `not judged`."""
        if self.divergence is not None:
            return "not reproduced"
        return "not judged" if self.unjudged else "reproduced"

    @property
    def fixed(self) -> bool | None:
        """What the trace shows is gone: its run goes to the end and nothing is wrong there, or after the very states
        that were recorded a guard refuses a step. None where neither that nor the contrary was seen."""
        stopped = self.divergence
        if stopped is None:
            return None if self.unjudged or not (self.trace.meta.property or self.trace.meta.form) else False
        if stopped.ended:
            return True
        known = bool(self.trace.states) and not self.trace.gaps and self.parted is None
        return True if stopped.false_guards and known else None


def flat(state: Mapping[Any, Plain]) -> Iterator[tuple[str, Plain]]:
    """The fields of a plain state by the names that a protocol gives them: `net[O,0]`."""

    def inside(name: str, where: tuple[Any, ...], value: Plain) -> Iterator[tuple[str, Plain]]:
        if isinstance(value, dict):
            for index, inner in value.items():
                yield from inside(name, (*where, index), inner)
        else:
            yield name + (f"[{','.join(map(str, where))}]" if where else ""), value

    for name, value in state.items():
        yield from inside(name, (), value)


def places(protocol: Protocol) -> dict[str, tuple[str, tuple[Any, ...]]]:
    """By the name of a field, its variable and indices; a composite value is one, and not each of its parts."""
    found = dict[str, tuple[str, tuple[Any, ...]]]()
    for cell in protocol.cells:
        paths = (cell.where[:depth] for depth in range(len(cell.where)))
        where = next((path for path in paths if (cell.variable, *path) in protocol.shapes), cell.where)
        index = f"[{','.join(map(label, where))}]" if where else ""
        found[f"{cell.variable}{index}"] = cell.variable, where
    return found


def values_of(protocol: Protocol, state: Mapping[str, Plain]) -> dict[str, Plain]:
    """The values of a plain state by the names of `places`; those that it has."""
    found = dict[str, Plain]()
    for name, (variable, where) in places(protocol).items():
        value: Any = state
        with suppress(KeyError, TypeError, IndexError):
            for key in (variable, *map(plain, where)):
                value = value[key]
            found[name] = value
    return found


def changes_of(old: Mapping[str, Plain], new: Mapping[str, Plain]) -> tuple[Change, ...]:
    """What differs between two flat states."""
    return tuple(Change(name, old.get(name), new[name]) for name in new if old.get(name) != new[name])
