"""Traces: the files in which every engine hands over a run, and from which every replayer starts.

A trace is written in the Informal Trace Format (`itf.py`), so that viewers of that format open it. What the
format leaves free is used so:
- the `#meta` of the file comes first, and its `why` comes first in it; then what is needed to build the
  specification again (`Meta`);
- the `#meta` of each state but the first says which action, with which arguments, led there. Only there.

Two rules:
- A trace is *plain*: booleans, integers, texts, and dictionaries, lists and sets of those; members of an
  enumeration are their names. It is read without a protocol.
- A file is untrusted. It is parsed into the types declared here or refused by a `TraceError`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Literal

import msgspec

from cutproof.checks.common import files
from cutproof.checks.traces.itf import (
    Place,
    Plain,
    Text,
    TraceError,
    decode,
    from_itf,
    members,
    pretty,
    to_itf,
)
from cutproof.model.language.protocol import Protocol, State

__all__ = ["Meta", "Step", "Trace", "TraceError", "from_bytes", "from_path", "read", "to_bytes", "write"]

LIMIT = 16 * 2**20  # bytes of a file
VERSION = 1  # of what `#meta` holds
DESCRIPTION = "https://apalache-mc.org/docs/adr/015adr-trace.html"

Form = Literal["", "always", "sometimes", "can_always", "cycle", "deadlock", "leads_to", "eventually"]
Setting = bool | int | float | Text | None


class Step(msgspec.Struct, frozen=True):
    """The action between two states, with its arguments by name."""

    action: Text
    arguments: dict[Text, bool | int | Text]

    def __str__(self) -> str:
        return f"{self.action}({', '.join([f'{k}={v}' for k, v in self.arguments.items()])})"


class Meta(
    msgspec.Struct, frozen=True, omit_defaults=True, rename={"safeguards_removed": "safeguards removed"}
):
    """What a trace shows, and what the specification was on which it happened."""

    why: Text  # one sentence
    protocol: Text
    property: Text  # empty where the trace is only a path; "domain" where an action left its domain after it
    form: Form
    harm: Text  # empty where the property names none
    safeguards_removed: tuple[Text, ...]
    policy: dict[Text, Setting]
    scope: dict[Text, Setting]
    seed: int | None
    digest: Text  # `Protocol.digest` of the specification as it was run
    attempt: Step | None = (
        None  # what a program was asked to do after the last state, which the protocol forbids
    )
    picture: Any = (
        None  # plain data by which the file alone can be shown as lanes; `views/carried.py` reads it
    )


@dataclass(frozen=True)
class Trace:
    """`states` has one more than `steps`; each maps every one of `variables` to its plain value. A file of actions
    alone has no states. `gaps`: by their indices some states were left out, so the others prove nothing. `loop`: the
    run goes on for ever, from its last state as from the state of this number, which is the same."""

    meta: Meta
    variables: tuple[str, ...]
    states: tuple[dict[str, Plain], ...]
    steps: tuple[Step, ...]
    gaps: bool = False
    loop: int | None = None


# ------------------------------------------------------------------ making


def plain(value: object) -> Plain:
    """A value of a protocol as a trace holds it. Raises TypeError for what a trace cannot hold."""
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, Mapping):
        return {plain(k): plain(v) for k, v in value.items()}
    if isinstance(value, frozenset | set):
        return members(plain(v) for v in value)
    if isinstance(value, list):
        return [plain(v) for v in value]
    if isinstance(value, bool | int | str):
        return value
    raise TypeError(f"a trace cannot hold the {type(value).__name__} {value!r}")


def from_path(
    protocol: Protocol,
    states: Sequence[State],
    transitions: Sequence[int],
    loop: int | None = None,
    **meta: Any,
) -> Trace:
    """The trace of a path: `transitions` are numbers in `protocol.transitions`, one fewer than `states`; `loop` is that
    of the trace.

    `meta` is what `Meta` holds besides the protocol's name and digest; only `why` is needed, and `form` where
    it is not that of the property. Members of enumerations become names. Raises ValueError where the lengths
    do not fit, TypeError for other names."""
    if len(states) != len(transitions) + 1:
        raise ValueError(f"{len(states)} states do not enclose {len(transitions)} transitions")
    about: dict[str, Any] = {"property": "", "harm": "", "policy": {}, "scope": {}, "seed": None, **meta}
    about.setdefault("form", next((c.form for c in protocol.claims if c.property == about["property"]), ""))
    for name in ("policy", "scope"):
        about[name] = {k: v.name if isinstance(v, Enum) else v for k, v in about[name].items()}
    about["safeguards_removed"] = tuple(sorted(meta.get("safeguards_removed", ())))
    taken = [protocol.transitions[number] for number in transitions]
    shown = protocol.varying  # a dimension that is switched off is not worth a line in every state
    return Trace(
        Meta(protocol=protocol.name, digest=protocol.digest, **about),
        shown,
        tuple(
            {name: plain(value) for name, value in protocol.decode(state).items() if name in shown}
            for state in states
        ),
        tuple(Step(t.action, {k: plain(v) for k, v in t.arguments}) for t in taken),
        loop=loop,
    )


# ------------------------------------------------------------------ writing


def write(trace: Trace, path: str | Path, *, overwrite: bool = False) -> None:
    """Write the file beside its place and rename it; the same trace gives the same bytes everywhere.

    Raises TraceError where another file is there already (unless `overwrite`) or the trace would not be
    read back as it is, OSError where the folder cannot be written."""
    path, data = Path(path), to_bytes(trace)
    if from_bytes(data, str(path)) != trace:
        Place(str(path)).fail("the trace would not read back as it is; its states and steps must be plain")
    if path.is_dir():
        Place(str(path)).fail("is a folder")
    if path.exists() and not overwrite:
        if path.stat().st_size == len(data) and path.read_bytes() == data:
            return
        Place(str(path)).fail("another file is there; remove it, or write with overwrite=True")
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with beside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        with suppress(FileNotFoundError):
            beside.unlink()


def to_bytes(trace: Trace) -> bytes:
    """What the file holds, in UTF-8, with a newline at the end."""
    meta = msgspec.to_builtins(trace.meta)
    head = {"why": meta.pop("why"), "format": "ITF", "format-description": DESCRIPTION, "version": VERSION}
    states = []
    for index, values in enumerate(trace.states):
        about: dict[str, Any] = {"index": index}
        if index > 0:
            about |= msgspec.to_builtins(trace.steps[index - 1])
        states.append({"#meta": about, **{name: to_itf(values[name]) for name in trace.variables}})
    around = {} if trace.loop is None else {"loop": trace.loop}
    whole = {"#meta": {**head, **meta}, "vars": list(trace.variables), **around, "states": states}
    return ("\n".join(pretty(whole)) + "\n").encode()


# ------------------------------------------------------------------ reading


class _Version(msgspec.Struct):
    version: int


class _Start(msgspec.Struct):
    meta: _Version = msgspec.field(name="#meta")


class _Index(msgspec.Struct):
    index: int | None = None


class _IndexStep(msgspec.Struct):
    action: Text
    arguments: dict[Text, bool | int | Text]
    index: int | None = None


class _Keys(msgspec.Struct):
    """Which of the two kinds of file it is."""

    steps: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    states: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class _ActionsMeta(
    msgspec.Struct, forbid_unknown_fields=True, rename={"safeguards_removed": "safeguards removed"}
):
    """What may be said of a file of actions: only the protocol must be."""

    protocol: Text
    why: Text = "A run written by hand."
    property: Text = ""
    form: Form = ""
    harm: Text = ""
    safeguards_removed: tuple[Text, ...] = ()
    policy: dict[Text, Setting] = {}
    scope: dict[Text, Setting] = {}
    seed: int | None = None
    digest: Text = ""
    version: int = VERSION


class _Action(msgspec.Struct, forbid_unknown_fields=True):
    action: Text
    arguments: dict[Text, bool | int | Text] = {}


class _Actions(msgspec.Struct, forbid_unknown_fields=True):
    steps: tuple[_Action, ...]
    meta: _ActionsMeta = msgspec.field(name="#meta")


class _File(msgspec.Struct):
    meta: Meta = msgspec.field(name="#meta")
    vars: tuple[Text, ...]
    states: tuple[dict[Text, msgspec.Raw], ...]
    params: tuple[Text, ...] = ()
    loop: int | None = None


def read(path: str | Path) -> Trace:
    """The trace in a file. Raises TraceError; a file that is too large is refused before it is read."""
    place = Place(str(path))
    try:
        data = files.content(path, LIMIT)
    except OSError as error:
        place.fail(error.strerror or str(error))
    except ValueError:
        place.fail("is a name that no file can have")
    return from_bytes(data, str(path))


def from_bytes(data: bytes, name: str) -> Trace:
    """The trace that a file named `name` holds; TraceError as for `read`."""
    text, top = _text(data, name), Place(name, "$")
    keys = decode(text, _Keys, top)
    if keys.steps is not msgspec.UNSET:
        return _of_actions(text, top, with_states=keys.states is not msgspec.UNSET)
    file, states, steps, last, gaps = _file(text, top), list[Any](), list[Step](), -1, False
    for number, raw in enumerate(file.states):
        place = top.below(f".states[{number}]")
        for missing in [key for key in ("#meta", *file.vars) if key not in raw]:
            place.fail(f"has no {missing!r}")
        for extra in [key for key in raw if key != "#meta" and key not in file.vars]:
            place.fail(f"has {extra[:80]!r}, which is not among the vars")
        about = decode(raw["#meta"], _IndexStep if number else _Index, place.below(".#meta"))
        index = last + 1 if about.index is None else about.index
        if index <= last:
            place.below(".#meta.index").fail(f"is {index}, after {last}; it may be left out")
        last, gaps = index, gaps or index != number
        if isinstance(about, _IndexStep):
            steps.append(Step(about.action, about.arguments))
        states.append({v: from_itf(raw[v], place.below(f".{v}")) for v in file.vars})
    return Trace(file.meta, file.vars, tuple(states), tuple(steps), gaps, file.loop)


def _of_actions(text: str, top: Place, with_states: bool) -> Trace:
    """A file of actions alone: `{"#meta": {"protocol": ...}, "steps": [{"action": ..., "arguments": {...}}]}`."""
    if with_states:
        top.fail("has steps and states; the action of a state is in its #meta")
    file: _Actions = decode(text, _Actions, top)
    about = msgspec.structs.asdict(file.meta)
    _known_version(about.pop("version"), top)
    return Trace(Meta(**about), (), (), tuple(Step(s.action, s.arguments) for s in file.steps))


def _known_version(version: int, top: Place) -> None:
    if version != VERSION:
        top.below(".#meta.version").fail(f"is {version}; this program reads version {VERSION}")


def _text(data: bytes, name: str) -> str:
    if len(data) > LIMIT:
        Place(name).fail(f"holds more than the {LIMIT:,} bytes of a trace")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        Place(name, f"byte {error.start}").fail(f"is not UTF-8 ({error.reason})")


def _file(text: str, top: Place) -> _File:
    """The file but for its states, which are still raw."""
    _known_version(decode(text, _Start, top).meta.version, top)
    file: _File = decode(text, _File, top)
    if file.params:
        top.below(".params").fail("is not used here: a trace is one path")
    if file.loop is not None and not 0 <= file.loop < len(file.states):
        top.below(".loop").fail(f"is {file.loop}; it is the number of a state, the first being 0")
    if len(set(file.vars)) < len(file.vars) or any(v.startswith("#") for v in file.vars):
        top.below(".vars").fail("names a variable twice, or one that begins with #")
    if not file.states:
        top.below(".states").fail("is empty; a trace has at least its initial state")
    return file
