"""What a recorder writes: a record for each call of a client, and for each answer. The fields are those of Jepsen's.

{"process": 0, "type": "invoke", "f": "write", "key": "doc-1", "value": 3, "time": 100}
{"process": 0, "type": "ok",     "f": "write", "key": "doc-1", "value": 3, "time": 140}
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite
from typing import Any, BinaryIO, Literal

import msgspec

from cutproof.checks.common.refusals import plain, refuse

LONGEST = 2**24  # bytes of a line
KINDS = {
    "read": "get", "get": "get", "write": "put", "put": "put", "delete": "delete", "cas": "put_if", "put_if": "put_if",
    "add": "add", "append": "append",
}  # fmt: skip
UNEQUAL_ERROR = "unequal"
DEEPEST = 60  # lists within lists
TOO_DEEP = "is nested too deeply"


class Record(msgspec.Struct, frozen=True):
    """One line. Other fields are ignored. `time` is any number that grows; where no record has one, the order of lines
    is that of time. `error` is "unequal" where a compare-and-set failed because it found another value."""

    process: int | str
    type: Literal["invoke", "ok", "fail", "info"]
    f: str
    value: Any = None
    key: int | str | None = None
    time: int | float | None = None
    error: Any = None


@dataclass(frozen=True)
class Composite:
    """A value that is neither text nor a number: two of them are equal if their texts are."""

    text: str

    def __repr__(self) -> str:
        return self.text


_decode = msgspec.json.Decoder(Record).decode
_NAMES = [f'"{name}"'.encode() for name in Record.__struct_fields__]


def json_records(file: BinaryIO, name: str) -> Iterator[tuple[int, Record]]:
    """The records of a file of JSON lines, each with its line. Refuses, with the line, what is none."""
    for number, line in lines(file, name):
        try:
            record = _decode(line)
            # To look at each line for this would take as long as all the rest; most show that they need not be.
            if b"\\u" in line or any(line.count(name) > 1 for name in _NAMES):
                said_once(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, Twice) as error:
            refuse(f"{name}:{number}: {said(error)}")
        yield number, checked(record, name, number)


def lines(file: BinaryIO, name: str) -> Iterator[tuple[int, bytes]]:
    """The lines that are not empty, with their numbers. Refuses what is too long to be one."""
    number = 0
    while line := file.readline(LONGEST + 1):
        number += 1
        if len(line) > LONGEST:
            refuse(f"{name}:{number}: is longer than {LONGEST:,} bytes")
        if line := line.strip():
            yield number, line


class Twice(ValueError):
    """An object names a field twice."""


def said_once(text: bytes) -> None:
    """Raises Twice where an object names a field twice: which of the two is meant nobody knows."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for n, name in enumerate(names) if name in names[:n])
            raise Twice(f"has {twice!r} twice")
        return found

    try:
        json.loads(text or b"null", object_pairs_hook=once)
    except Twice:
        raise
    except ValueError:
        return  # what is wrong with it is said elsewhere


def said(error: Exception) -> str:
    """Why a line is no record, without what is in it."""
    return TOO_DEEP if isinstance(error, RecursionError) else plain(str(error), 200)


def checked(record: Record, name: str, number: int) -> Record:
    """The record, if what it says can be."""
    if isinstance(record.time, float) and not isfinite(record.time):
        refuse(f"{name}:{number}: has a time that is no number")
    return record


def value_of(value: Any) -> Any:
    """A value as the judge takes it: text, a number, nothing, a list of such; all else as its text. Raises ValueError
    for what is nested too deeply."""
    try:
        return _value_of(value, DEEPEST)
    except RecursionError:
        raise ValueError(TOO_DEEP) from None


def _value_of(value: Any, deep: int) -> Any:
    if value is None or (isinstance(value, str | int | float) and not isinstance(value, bool)):
        return value
    if isinstance(value, list):
        if not deep:
            raise ValueError(TOO_DEEP)
        return [_value_of(item, deep - 1) for item in value]
    return Composite(msgspec.json.encode(value, order="sorted").decode())
