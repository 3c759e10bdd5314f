"""The Informal Trace Format of Apalache (its ADR-015): how values are written in it, and read back.

Plain values are booleans, integers, texts, and of those dictionaries, lists, and sets: a Python tuple of the members
in one order (`members`). In a file an integer is `{"#bigint": "12"}`, a dictionary `{"#map": [[index, value], ...]}`
and a set `{"#set": [...]}`; lists, booleans and texts are themselves. Tuples and records of the format are not used
here, and refused.

Whatever is wrong with a file is a `TraceError`: one line that says the file, the place and the reason.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Annotated, Any, NamedTuple, NoReturn

import msgspec

WIDTH = 100  # of a line of the file, where it can be kept

# One line that a terminal prints as it is: no control characters, none that reorder the text.
_LINE = r"\A[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]*\Z"
NO_LINE = "is not one line of plain text"
_DIGITS = r"\A(0|-?[1-9][0-9]{0,38})\Z"

Text = Annotated[str, msgspec.Meta(pattern=_LINE)]
Digits = Annotated[str, msgspec.Meta(pattern=_DIGITS)]
Plain = Any  # bool, int, str, a dict from those to Plain, a list of Plain, or a tuple of Plain: the members of a set


class TraceError(ValueError):
    """A trace that cannot be read, written or walked; the message is one line: file, place, reason."""


class Place(NamedTuple):
    """Where in which file: `$.states[3].owner`."""

    file: str
    path: str = ""

    def below(self, path: str) -> Place:
        return Place(self.file, self.path + path)

    def fail(self, reason: str) -> NoReturn:
        """Raise the TraceError; what would disturb a terminal is replaced."""
        line = ": ".join(part for part in (*self, " ".join(reason.split())) if part)
        raise TraceError("".join(c if c.isprintable() else "?" for c in line)) from None


# ------------------------------------------------------------------ writing


def to_itf(value: Plain) -> Any:
    """A plain value as JSON; what is not plain is left as it is."""
    if isinstance(value, dict):
        return {"#map": [[to_itf(k), to_itf(v)] for k, v in value.items()]}
    if isinstance(value, tuple):
        return {"#set": [to_itf(v) for v in value]}
    if isinstance(value, list):
        return [to_itf(v) for v in value]
    return {"#bigint": str(value)} if type(value) is int else value


def members(values: Iterable[Plain]) -> tuple[Plain, ...]:
    """The members of a set in the one order that they have in every trace: integers by size, the rest as texts."""

    def place(value: Plain) -> tuple[int, int, str]:
        whole = type(value) is int
        return (0, value, "") if whole else (1, 0, json.dumps(to_itf(value), ensure_ascii=False))

    return tuple(sorted(values, key=place))


VARIABLE = 6  # the indent of a state's variables: one line each, however long, so that a diff shows a variable a line


def pretty(value: Any, indent: str = "") -> Iterator[str]:
    """The lines of a JSON value, one where it fits or is a variable of a state; the first has no indent, so that
    it can follow a key."""
    short = json.dumps(value, ensure_ascii=False)
    fits = indent and (len(indent) + len(short) <= WIDTH or len(indent) >= VARIABLE)
    if not isinstance(value, dict | list | tuple) or fits:
        yield short
        return
    if isinstance(value, dict):
        (start, end), parts = "{}", [(json.dumps(k, ensure_ascii=False) + ": ", v) for k, v in value.items()]
    else:
        (start, end), parts = "[]", [("", v) for v in value]
    yield start
    for number, (key, part) in enumerate(parts):
        first, *rest = pretty(part, indent + "  ")
        lines = [f"{indent}  {key}{first}", *rest]
        yield from lines[:-1]
        yield lines[-1] + ("," if number < len(parts) - 1 else "")
    yield indent + end


# ------------------------------------------------------------------ reading


class _Boxed(msgspec.Struct, forbid_unknown_fields=True):
    """An integer, a map or a set: exactly one of the three is there."""

    digits: Digits | None = msgspec.field(default=None, name="#bigint")
    pairs: list[tuple[_Value, _Value]] | None = msgspec.field(default=None, name="#map")
    members: list[_Value] | None = msgspec.field(default=None, name="#set")


# Texts are checked by `_unboxed`: of a union of a list and a text with a pattern, msgspec 0.22 makes a wrong decoder,
# which ends the program ("double free").
_Value = bool | str | _Boxed | list[msgspec.Raw]


def decode(data: str | msgspec.Raw, kind: Any, place: Place) -> Any:
    """JSON as a value of the type `kind`, or TraceError."""
    try:
        return msgspec.json.decode(data, type=kind)
    except RecursionError:
        place.fail("is nested too deeply")
    except msgspec.ValidationError as error:
        reason, _, inner = str(error).partition(" - at `$")
        if "regex" in reason:
            reason = "is not an integer of at most 39 digits" if "(0|-?[1-9]" in reason else NO_LINE
        place.below(inner.rstrip("`")).fail(reason)
    except (msgspec.DecodeError, UnicodeError) as error:
        place.fail(f"is not JSON: {error}")


def from_itf(raw: msgspec.Raw, place: Place) -> Plain:
    """The plain value, or TraceError."""
    try:
        return _unboxed(decode(raw, _Value, place), place)
    except RecursionError:
        place.fail("is nested too deeply")


def _unboxed(value: bool | str | _Boxed | list[Any], place: Place) -> Plain:
    if isinstance(value, list):
        return [from_itf(v, place.below(f"[{number}]")) for number, v in enumerate(value)]
    if isinstance(value, str) and not re.match(_LINE, value):
        place.fail(NO_LINE)
    if not isinstance(value, _Boxed):
        return value
    if [value.digits, value.pairs, value.members].count(None) != 2:
        place.fail("is neither a boolean, a text, a list, a #bigint, a #map nor a #set")
    if value.digits is not None:
        return int(value.digits)
    if value.members is not None:
        found_members = members(_unboxed(v, place) for v in value.members)
        if any(type(a) is type(b) and a == b for a, b in pairwise(found_members)):
            place.fail("has a member of a set twice")
        return found_members
    found: dict[Any, Plain] = {}
    for key, inner in value.pairs or ():
        index = _unboxed(key, place)
        if isinstance(index, dict | list | tuple):
            place.fail(f"has a {'map' if isinstance(index, dict) else 'collection'} as an index")
        if index in found:
            place.fail(f"has the index {index!r} twice")
        found[index] = _unboxed(inner, place)
    return found
