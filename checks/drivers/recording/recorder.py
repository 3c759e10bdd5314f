"""A recorder: two lines of a history for each call of a client, one before it asks and one when it is answered.

    with Recorder("history.jsonl", never=(ConnectionRefusedError,)) as recorder:
        anna = recorder.client("anna")
        anna.call("write", "doc-1", "a", lambda: store.put("doc-1", "a"))
        anna.call("read", "doc-1", operation=lambda: store.get("doc-1"))

`cutproof history history.jsonl` judges it.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from math import isfinite
from threading import Lock
from types import TracebackType
from typing import Any, Literal, TextIO

from cutproof.checks.drivers.histories.records import UNEQUAL_ERROR

NEMESIS = "nemesis"  # the process that does harm, and is no client
FUNCTIONS = ("read", "write", "delete", "cas", "add", "append")
Kind = Literal["invoke", "ok", "fail", "info"]
Exceptions = tuple[type[BaseException], ...]


class Recorder:
    """Writes a history to a file, from any number of threads. Several processes of one machine each write a file of
    their own, with clients of other names: their lines together, in any order, are one history.

    `never` are exceptions that say that an operation has not happened and never will. Whatever else is raised leaves
    that open. Clients that repeat by themselves what got no answer should be told not to: the first try may have
    happened, whatever the last one says.

    Raises BlockingIOError if another recorder is writing the file."""

    def __init__(self, file: str | os.PathLike[str] | TextIO, never: Exceptions = ()) -> None:
        self._file: Any = file
        if mine := isinstance(file, str | os.PathLike):
            self._file = _alone(file)
        self._mine = mine
        self._lock, self._names = Lock(), set[str]()
        self.never = never
        self.answers = Counter[str]()  # how many operations ended as "ok", "fail" and "info"

    def client(self, name: str) -> Client:
        """A new client. Raises ValueError if there is one of that name already, or if the name is `nemesis`."""
        if name in self._names or name == NEMESIS:
            raise ValueError(
                f"there is a client {name!r} already" if name in self._names else "no client is 'nemesis'"
            )
        self._names.add(name)
        return Client(self, name)

    def note(self, what: str, value: object = None) -> None:
        """Write what was done to the system, between the operations: it is not judged."""
        self.write(NEMESIS, "info", what, None, value, time.monotonic_ns())

    def write(
        self, process: str, kind: Kind, f: str, key: object, value: object, moment: int, error: object = None
    ) -> None:
        """Write one record. It has left the program when this returns: a program that is killed has recorded
        whatever it asked for."""
        record = {"process": process, "type": kind, "f": f, "key": key, "value": value, "time": moment}
        line = _line(record if error is None else {**record, "error": error})
        with self._lock:
            if process != NEMESIS and kind != "invoke":
                self.answers[kind] += 1
            self._file.write(line)
            self._file.flush()

    def close(self) -> None:
        """Close the file, if the recorder has opened it."""
        if self._mine:
            self._file.close()

    def __enter__(self) -> Recorder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()


class Client:
    """One client: it asks for one thing at a time."""

    def __init__(self, recorder: Recorder, name: str) -> None:
        self.recorder, self.name, self._busy = recorder, name, Lock()

    def call(
        self, f: str, key: int | str, value: Any = None, operation: Callable[[], Any] | None = None
    ) -> Any:
        """Do the operation and record it; returns what it returns, and raises what it raises.

        `f` is one of `FUNCTIONS`. The value of `read` is what the operation returns, bytes as text; of `cas` it is
        (old, new), and the operation returns whether it wrote. Raises ValueError for another `f`, TypeError for a key
        that is neither text nor a whole number and where a `cas` returns something else, and RuntimeError if the
        client's last operation is not over."""
        if f not in FUNCTIONS:
            raise ValueError(f"there is no operation {f!r}; there are {', '.join(FUNCTIONS)}")
        if operation is None:
            raise TypeError("there is no operation to perform")
        if isinstance(key, bool) or not isinstance(key, int | str | bytes | None):
            raise TypeError(f"a key is text or a whole number, not {key!r}")
        if not self._busy.acquire(blocking=False):
            raise RuntimeError(
                f"client {self.name!r} has not been answered yet: each thread needs a client of its own"
            )
        try:
            return self._performed(f, key, value, operation)
        finally:
            self._busy.release()

    def _performed(self, f: str, key: int | str, value: Any, operation: Callable[[], Any]) -> Any:
        self.recorder.write(self.name, "invoke", f, key, value, time.monotonic_ns())
        try:
            result = operation()
            moment = time.monotonic_ns()
            if f == "cas" and not isinstance(result, bool):
                raise TypeError(f"a compare-and-set returns whether it wrote, not {result!r}")
        except BaseException as error:
            kind: Kind = "fail" if f == "read" or isinstance(error, self.recorder.never) else "info"
            said = f"{type(error).__name__}: {error}"[:200]
            self.recorder.write(self.name, kind, f, key, value, time.monotonic_ns(), said)
            raise
        if f == "cas" and not result:
            self.recorder.write(self.name, "fail", f, key, value, moment, UNEQUAL_ERROR)
        else:
            self.recorder.write(self.name, "ok", f, key, result if f == "read" else value, moment)
        return result


def _alone(file: str | os.PathLike[str]) -> TextIO:
    """The file, empty. Two that write it at once would write over each other."""
    opened = open(file, "a", encoding="utf-8")  # noqa: SIM115  the recorder closes it
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        opened.close()
        raise BlockingIOError(errno.EAGAIN, "another recorder is writing it", str(file)) from None
    except OSError:  # some file systems have no locks
        pass
    with suppress(OSError):  # a pipe has nothing to cut
        opened.truncate(0)
    return opened


def _line(record: dict[str, object]) -> str:
    """A record as a line of JSON, whatever the values in it."""
    try:
        line = json.dumps(record, default=_text, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        line = ""
    if not line or "\\ud" in line:  # half a character that no JSON has, perhaps
        line = json.dumps({name: _plain(value) for name, value in record.items()}, default=_text)
    return f"{line}\n"


def _text(value: object) -> object:
    """What JSON has no word for: bytes as text, a set in one order, anything else by its name."""
    if isinstance(value, set | frozenset):
        return sorted(map(_plain, value), key=repr)
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes | bytearray) else str(value)


def _plain(value: object) -> Any:
    """A value as one that JSON has: what has no number, no text or no end there is what Python calls it."""
    try:
        return _inside(value)
    except RecursionError:
        return f"a {type(value).__name__} that is nested too deeply"


def _inside(value: object) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, float) and not isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {_inside(k if isinstance(k, str) else str(k)): _inside(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_inside(item) for item in value]
    if value is None or isinstance(value, int | float):
        return value
    return _inside(_text(value))
