"""Records as operations: each answer with its call, each key by itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from cutproof.checks.common import files
from cutproof.checks.common.refusals import plain, refuse
from cutproof.checks.drivers.adapter import ACKNOWLEDGED, FAILED, REFUSED, UNEQUAL
from cutproof.checks.drivers.histories.edn import edn_records
from cutproof.checks.drivers.histories.operation import GET, Operation
from cutproof.checks.drivers.histories.records import KINDS, UNEQUAL_ERROR, Record, json_records, value_of

MOST = 4_000_000  # operations of a file
NEMESIS = "nemesis"  # the process that does harm, and is no client
ONE_KEY = "the key"  # what it is called where no record names one
ENDINGS = (".edn",)
ANSWERS = {"ok": ACKNOWLEDGED, "fail": REFUSED, "info": FAILED}


@dataclass
class History:
    """What clients did: operations by key, in the order of their calls. `number` of an operation is the line of its
    call, `step` that of its answer."""

    keys: dict[str, list[Operation]] = field(default_factory=dict)
    records: int = 0
    passed_over: int = 0  # records of what is no client

    def __len__(self) -> int:
        return sum(map(len, self.keys.values()))


def read(path: str, edn: bool = False) -> History:
    """The history in a file: EDN if its name ends so, or if that is said; else JSON lines. Refuses, with the line, what
    is none."""
    try:
        files.ordinary(path)
        with Path(path).open("rb") as file:
            return history(file, path, edn or path.endswith(ENDINGS))
    except OSError as error:
        refuse(f"{path}: {error.strerror or error}")


def history(file: BinaryIO, name: str, edn: bool = False) -> History:
    """The history in an open file. Refuses, with the line, what is none."""
    return _Pairing(name).paired((edn_records if edn else json_records)(file, name))


class _Pairing:
    def __init__(self, name: str) -> None:
        self.name = name
        self.found = History()
        self.open: dict[int | str, tuple[Operation, Record, int]] = {}
        self.names: dict[str, tuple[int | str | None, int]] = {}  # keys as they were written, and where first

    def _refuse(self, line: int, reason: str) -> NoReturn:
        refuse(f"{self.name}:{line}: {reason}")

    def paired(self, records: Iterable[tuple[int, Record]]) -> History:
        """All records as operations."""
        calls: list[tuple[Operation, Record]] = []
        for line, record, moment in self._in_time(records):
            if record.type == "invoke":
                calls.append((self._call(line, record, moment), record))
                if len(calls) > MOST:
                    self._refuse(line, f"is the call of one operation too many: there may be {MOST:,}")
            else:
                self._answer(line, record, moment)
        tuples = self._has_tuples(calls)
        for operation, record in calls:
            self._keyed(operation, record, tuples)
        return self.found

    def _in_time(self, records: Iterable[tuple[int, Record]]) -> Iterator[tuple[int, Record, int]]:
        """The records of clients in order of time, each with its line and its moment."""
        kept: list[tuple[int, Record]] = []
        for line, record in records:
            self.found.records += 1
            if record.process == NEMESIS:
                self.found.passed_over += 1
                continue
            if kept and (record.time is None) != (kept[0][1].time is None):
                has = "has no time" if record.time is None else "has a time"
                self._refuse(
                    line, f"{has}, unlike the record of line {kept[0][0]}: all have one, or none has"
                )
            kept.append((line, record))
        if not kept or kept[0][1].time is None:
            yield from ((line, record, line) for line, record in kept)
            return
        kept.sort(key=lambda pair: pair[1].time or 0)  # equal ones stay in the order of lines
        unit = 1 if all(isinstance(record.time, int) for _, record in kept) else 10**9
        for line, record in kept:
            above, below = (record.time or 0).as_integer_ratio()
            yield line, record, above * unit // below

    def _call(self, line: int, record: Record, moment: int) -> Operation:
        if record.process in self.open:
            self._refuse(
                line,
                f"process {self._who(record)} begins an operation, and that of line"
                f" {self.open[record.process][2]} is not answered",
            )
        if record.f not in KINDS:
            if record.f == "txn":
                self._refuse(line, "is a transaction: histories of single operations are judged")
            self._refuse(line, f"there is no f {plain(record.f)!r}; there are {', '.join(KINDS)}")
        operation = Operation(line, str(record.process), KINDS[record.f], "", None, moment)
        self.open[record.process] = (operation, record, line)
        return operation

    def _answer(self, line: int, record: Record, moment: int) -> None:
        if record.process not in self.open:
            self._refuse(line, f"process {self._who(record)} is answered, and has asked for nothing")
        operation, call, asked = self.open.pop(record.process)
        if record.f != call.f or (record.key is not None and record.key != call.key):
            self._refuse(
                line, f"answers something else than process {self._who(record)} asked for on line {asked}"
            )
        operation.returned, operation.step = moment, line
        operation.outcome = ANSWERS[record.type]
        unequal = record.type == "fail" and record.error == UNEQUAL_ERROR
        if unequal and operation.kind == "put_if":
            operation.outcome = UNEQUAL
        if operation.kind == GET:
            operation.who = f"process {self._who(record)} reads"
            operation.result = record.value
            if record.type != "ok":
                operation.outcome = REFUSED

    @staticmethod
    def _who(record: Record) -> str:
        return plain(str(record.process), 20)

    @staticmethod
    def _has_tuples(calls: list[tuple[Operation, Record]]) -> bool:
        """The keys are in the values, as Jepsen's independent keys are: all of them are [key, value]."""
        return any(o.kind == GET for o, _ in calls) and all(
            record.key is None and isinstance(record.value, list) and len(record.value) == 2
            for _, record in calls
        )

    def _keyed(self, operation: Operation, record: Record, tuples: bool) -> None:
        """Give the operation its key and its argument."""
        line, key, value = operation.number, record.key, record.value
        if tuples:
            key, value = record.value
            if not isinstance(key, int | str) or isinstance(key, bool):
                self._refuse(line, "has a key that is neither text nor a number")
            if operation.kind == GET and operation.result is not None:
                if not (isinstance(operation.result, list) and len(operation.result) == 2):
                    self._refuse(operation.step, "reads what is not [key, value]")
                if operation.result[0] != key:
                    self._refuse(operation.step, f"reads another key than was asked for on line {line}")
                operation.result = operation.result[1]
        operation.key = ONE_KEY if key is None else str(key)
        written, first = self.names.setdefault(operation.key, (key, line))
        if written != key:
            forms = " and ".join(
                "none" if k is None else "text" if isinstance(k, str) else "a number" for k in (key, written)
            )
            self._refuse(
                line,
                f"names the key {plain(operation.key, 60)} unlike line {first} ({forms}): one key, or two?",
            )
        operation.argument = self._argument(operation, value)
        if operation.kind == GET:
            operation.result = self._value(operation.result, operation.step)
        elif operation.kind == "put" and operation.argument is None:
            operation.kind = "delete"
        self.found.keys.setdefault(operation.key, []).append(operation)

    def _argument(self, operation: Operation, value: Any) -> Any:
        kind, line = operation.kind, operation.number
        if kind in (GET, "delete"):
            return None
        if kind == "put_if":
            if not isinstance(value, list) or len(value) != 2:
                self._refuse(line, "is a compare-and-set, whose value is [old, new]")
            return self._value(value[0], line), self._value(value[1], line)
        if kind == "add" and (not isinstance(value, int) or isinstance(value, bool)):
            self._refuse(line, "adds what is no whole number")
        if kind == "append" and value is None:
            self._refuse(line, "appends nothing")
        return self._value(value, line)

    def _value(self, value: Any, line: int) -> Any:
        try:
            return value_of(value)
        except ValueError as error:
            self._refuse(line, str(error))
