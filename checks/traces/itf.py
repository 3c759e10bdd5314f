"""The Informal Trace Format of Apalache (its ADR-015): how values are written in it, and read back.

Plain values are booleans, integers, texts, and dictionaries of those. In a file an integer is
`{"#bigint": "12"}` and a dictionary `{"#map": [[index, value], ...]}`; booleans and texts are themselves.
Sets, tuples, lists and records of the format are not used here, and refused.

Whatever is wrong with a file is a `TraceError`: one line that says the file, the place and the reason.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated, Any, NamedTuple, NoReturn

import msgspec

WIDTH = 100  # of a line of the file, where it can be kept

# One line that a terminal prints as it is: no control characters, none that reorder the text.
_LINE = r"\A[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]*\Z"
_DIGITS = r"\A(0|-?[1-9][0-9]{0,38})\Z"

Text = Annotated[str, msgspec.Meta(pattern=_LINE)]
Digits = Annotated[str, msgspec.Meta(pattern=_DIGITS)]
Plain = Any  # bool, int, str, or a dict from those to Plain


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
    return {"#bigint": str(value)} if type(value) is int else value


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
    """An integer or a map: exactly one of the two is there."""

    digits: Digits | None = msgspec.field(default=None, name="#bigint")
    pairs: list[tuple[_Value, _Value]] | None = msgspec.field(default=None, name="#map")


_Value = bool | Text | _Boxed


def decode(data: str | msgspec.Raw, kind: Any, place: Place) -> Any:
    """JSON as a value of the type `kind`, or TraceError."""
    try:
        return msgspec.json.decode(data, type=kind)
    except RecursionError:
        place.fail("is nested too deeply")
    except msgspec.ValidationError as error:
        reason, _, inner = str(error).partition(" - at `$")
        if "regex" in reason:
            reason = (
                "is not an integer of at most 39 digits"
                if "(0|-?[1-9]" in reason
                else "is not one line of plain text"
            )
        place.below(inner.rstrip("`")).fail(reason)
    except (msgspec.DecodeError, UnicodeError) as error:
        place.fail(f"is not JSON: {error}")


def from_itf(raw: msgspec.Raw, place: Place) -> Plain:
    """The plain value, or TraceError."""
    try:
        return _unboxed(decode(raw, _Value, place), place)
    except RecursionError:
        place.fail("is nested too deeply")


def _unboxed(value: bool | str | _Boxed, place: Place) -> Plain:
    if not isinstance(value, _Boxed):
        return value
    if (value.digits is None) == (value.pairs is None):
        place.fail("is neither a boolean, a text, a #bigint nor a #map")
    if value.digits is not None:
        return int(value.digits)
    found: dict[Any, Plain] = {}
    for key, inner in value.pairs or ():
        index = _unboxed(key, place)
        if isinstance(index, dict):
            place.fail("has a map as an index")
        if index in found:
            place.fail(f"has the index {index!r} twice")
        found[index] = _unboxed(inner, place)
    return found
