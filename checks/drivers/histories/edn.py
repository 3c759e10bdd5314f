"""Histories as Jepsen writes them: EDN, a map for each record, on a line of its own or all in one vector.

The parser is the package edn-format, which the extra `edn` of this one brings. It takes some 100 microseconds a record,
and four times as much if it is called for each: lines are given to it many at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, BinaryIO

import msgspec

from cutproof.checks.common.refusals import refuse
from cutproof.checks.drivers.histories.records import DEEPEST, TOO_DEEP, Record, checked, lines, said

TOGETHER = 500  # lines
WHOLE = 2**28  # bytes of a file that is not one map a line
TAGS = ("jepsen.history.Op", "jepsen.core.Op", "clojure.lang.MapEntry")


def edn_records(file: BinaryIO, name: str) -> Iterator[tuple[int, Record]]:
    """The records of an EDN file, each with its line, or with its number where a line is not a record. Refuses, with
    the line, what is none, and everything if the parser is not installed."""
    parser = _Parser(name)
    source = lines(file, name)
    first = list(islice(source, 1))
    if not first:
        return
    if first[0][1][:1] not in (b"{", b"#") or not parser.is_one(first[0][1]):
        yield from parser.whole(first[0][1], source)
        return
    while first:
        first += islice(source, TOGETHER - len(first))
        yield from parser.together(first)
        first = list(islice(source, 1))


class _Parser:
    """The package, and what it reads as records."""

    def __init__(self, name: str) -> None:
        self.name = name
        try:
            import edn_format
        except ImportError:
            refuse(f"{name}: reading EDN takes the package edn-format: pip install edn-format")
        for tag in TAGS:
            edn_format.add_tag(tag, lambda value: value)
        self._edn = edn_format

    def _all(self, text: bytes) -> list[Any]:
        """The forms in a text. Raises ValueError for what is none."""
        decoded = text.decode()
        deep = 0
        for sign in decoded:
            deep += (sign in "[({") - (sign in "])}")
            if deep > DEEPEST:
                raise ValueError(TOO_DEEP)
        try:
            return list(self._edn.loads_all(decoded))
        except NotImplementedError as error:
            raise ValueError("has a tag that is not known") from error
        except (ArithmeticError, TypeError, AttributeError, LookupError, RecursionError) as error:
            raise ValueError("is no EDN") from error

    def is_one(self, line: bytes) -> bool:
        """The line is a map, and no more."""
        try:
            found = self._all(line)
        except ValueError:
            return False
        return len(found) == 1 and isinstance(found[0], Mapping)

    def together(self, some: list[tuple[int, bytes]]) -> Iterator[tuple[int, Record]]:
        """The records of lines with a map each."""
        try:
            forms = self._all(b"\n".join(line for _, line in some))
        except ValueError:
            forms = []
        if len(forms) != len(some):  # one of them is at fault: which?
            forms = []
            for number, line in some:
                forms += self._one(line, number)
        for (number, _), form in zip(some, forms, strict=True):
            yield number, self._record(form, f"{self.name}:{number}", number)

    def _one(self, line: bytes, number: int) -> list[Any]:
        try:
            found = self._all(line)
        except ValueError as error:
            refuse(f"{self.name}:{number}: is no EDN: {said(error)}")
        if len(found) != 1:
            refuse(f"{self.name}:{number}: has {len(found)} forms, where lines before it have one each")
        return found

    def whole(self, first: bytes, rest: Iterator[tuple[int, bytes]]) -> Iterator[tuple[int, Record]]:
        """The records of a file in any other form: maps, or vectors of maps."""
        parts, size = [first], len(first)
        for number, line in rest:
            size += len(line)
            if size > WHOLE:
                refuse(f"{self.name}:{number}: holds more than {WHOLE:,} bytes, and not one map a line")
            parts.append(line)
        try:
            forms = self._all(b"\n".join(parts))
        except ValueError as error:
            refuse(f"{self.name}: is no EDN: {said(error)}")
        if not all(isinstance(form, Mapping | Sequence) for form in forms):
            refuse(f"{self.name}: is no vector of maps")
        records = [record for form in forms for record in ([form] if isinstance(form, Mapping) else form)]
        for number, form in enumerate(records, 1):
            yield number, self._record(form, f"{self.name}: record {number}", number)

    def _record(self, form: Any, where: str, number: int) -> Record:
        if not isinstance(form, Mapping):
            refuse(f"{where}: is no map")
        try:
            fields = {str(getattr(k, "name", k)): self._plain(v) for k, v in form.items()}
            return checked(msgspec.convert(fields, Record), self.name, number)
        except (msgspec.ValidationError, RecursionError) as error:
            refuse(f"{where}: {said(error)}")

    def _plain(self, value: Any) -> Any:
        """Keywords and symbols as their names, collections as lists and objects."""
        if value is None or isinstance(value, bool | int | float | str):
            return value
        if isinstance(value, Mapping):
            return {str(self._plain(k)): self._plain(v) for k, v in value.items()}
        if isinstance(value, frozenset | set):
            return sorted((self._plain(v) for v in value), key=repr)
        if isinstance(value, list | tuple) or hasattr(value, "__iter__"):
            return [self._plain(v) for v in value]
        return str(getattr(value, "name", value))
