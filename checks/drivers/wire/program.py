"""A program that is conversed with by JSON lines: whatever it does in return, an answer or an error, and never a hang.

    program = Program(["node", "store.js"], PutOk | GetOk)
    program.request(Put(UNSENT, client="client-1", key="doc-1", value="value-1"))     # PutOk, Error or Pending
    program.close()

It knows no messages but those of `envelope.py`: what is asked and what may be replied is its caller's to declare.
"""

from __future__ import annotations

import os
import select
import signal
import weakref
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Any, NoReturn

import msgspec

from cutproof.checks.common.refusals import plain
from cutproof.checks.drivers.wire.envelope import (
    PROGRAM,
    US,
    Envelope,
    Error,
    Pending,
    Reply,
    Request,
    type_of,
)
from cutproof.checks.drivers.wire.group import Group

SECONDS, LONGEST, GRACE = 10.0, 2**20, 0.5  # for an answer; bytes of a line; seconds to end by itself
FIRST = 6  # the first answer may take so many times as long: the program starts
CHUNK, SLICE = (
    2**16,
    0.1,
)  # bytes read at once; seconds after which it is looked whether the program still lives
SILENT = ", and said nothing ever: is what it prints flushed after each line?"
SHOWN, WIDTH, TOLD = 6, 240, 20  # lines exchanged that are shown, their width; last lines of stderr
KEPT, MOST = 2**13, 64  # bytes of stderr that are kept; chunks of it that are read at the end


class ProgramFailed(Exception):
    """The program did what none may: `reason` says what, in one line, `exchanges` are the last lines to and from it,
    and `stderr` the last ones that it logged."""

    def __init__(self, reason: str, exchanges: Sequence[str] = (), stderr: Sequence[str] = ()) -> None:
        self.reason, self.exchanges, self.stderr = reason, tuple(exchanges), tuple(stderr)
        super().__init__(reason, self.exchanges, self.stderr)

    def __str__(self) -> str:
        told = [f"  {line}" for line in self.exchanges] + [f"  stderr: {line}" for line in self.stderr]
        return "\n".join([self.reason, *told])


class NotStarted(ProgramFailed):
    """There is no such program, or it may not be run."""


class Program:
    """A process in a group of its own, started without a shell, and one request at a time.

    `replies` is the union of the `Reply` classes that may come, beside errors and `Pending`. Each answer has `seconds`
    (the first one `FIRST` times as many), each line at most `longest` bytes. `grace` is for how many seconds it may end
    by itself before it is killed. Raises NotStarted; after any ProgramFailed nothing of it runs any more. One thread at
    a time may use it."""

    def __init__(
        self,
        command: Sequence[str],
        replies: Any,
        *,
        seconds: float = SECONDS,
        longest: int = LONGEST,
        grace: float = GRACE,
        folder: str | Path | None = None,
    ) -> None:
        self.command, self.seconds, self.longest = tuple(command), seconds, longest
        if not self.command:
            raise NotStarted("no program is named")
        try:
            self._group = Group(self.command, folder, grace)
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or str(error)
            raise NotStarted(f"{plain(self.command[0])} cannot be started: {why}") from None
        self._end = weakref.finalize(self, _end, self._group)
        self._into, self._out, self._errors = self._group.pipes()
        self._reading = select.poll()
        for descriptor in (self._out, self._errors):
            os.set_blocking(descriptor, False)
            self._reading.register(descriptor, select.POLLIN)
        os.set_blocking(self._into, False)
        self._encode = msgspec.json.Encoder().encode
        self._decode = msgspec.json.Decoder(Envelope[replies | Error | Pending]).decode
        self._exchanges: deque[tuple[str, bytes]] = deque(maxlen=SHOWN)
        self._buffer, self._said = bytearray(), b""
        self._number, self._asked, self._heard = 0, "", False
        self._pending: set[int] = set()
        self._late: dict[int, Any] = {}
        self.failed: ProgramFailed | None = None

    @property
    def alive(self) -> bool:
        """Whether it can be asked: it was not closed, has not failed, and is not another process's (after a fork)."""
        return self._end.alive and self.failed is None and self._group.ours

    @property
    def pid(self) -> int:
        """The number of its process, and of its group."""
        return self._group.process.pid

    # -------------------------------------------------- asking

    def request(self, body: Request) -> Any:
        """Ask, and wait for the reply to it: one of the declared ones, Error or Pending. Raises ProgramFailed."""
        if not self.alive:
            raise self.failed or ProgramFailed("the program was closed")
        seconds = self.seconds if self._number else FIRST * self.seconds
        self._number += 1
        body.msg_id = number = self._number
        self._asked = type_of(body)
        try:
            line = self._encode(Envelope(US, PROGRAM, body)) + b"\n"
            self._exchanges.append((">", line))
            deadline = monotonic() + seconds
            self._send(line, deadline, seconds)
            while (reply := self._read(deadline, seconds)).in_reply_to != number:
                self._came_late(reply)
        except BaseException as error:
            if not isinstance(error, ProgramFailed):
                self.kill()
            raise
        if type(reply) is Pending:
            self._pending.add(number)
        return reply

    def answer_to(self, number: int) -> Any:
        """The late reply to a request that was pending; None while there is none. It is told once."""
        return self._late.pop(number, None)

    def forget(self) -> None:
        """Nothing of what is pending is of interest any more, and no reply to it may come."""
        self._pending.clear()
        self._late.clear()

    def _came_late(self, reply: Reply) -> None:
        if reply.in_reply_to not in self._pending:
            self.fail(f"it replied to message {reply.in_reply_to}, which nobody asked or which has its reply")
        if type(reply) is Pending:
            self.fail(f"it replied once more that message {reply.in_reply_to} is pending")
        self._pending.remove(reply.in_reply_to)
        self._late[reply.in_reply_to] = reply

    def _send(self, line: bytes, deadline: float, seconds: float) -> None:
        rest = memoryview(line)
        while rest:
            try:
                rest = rest[os.write(self._into, rest) :]
            except BlockingIOError:
                self._fill(deadline, seconds, self._into)
            except BrokenPipeError:
                return  # what it said before, or the end of that, tells why

    def _read(self, deadline: float, seconds: float) -> Any:
        line = self._line(deadline, seconds)
        self._exchanges.append(("<", line))
        try:
            return self._decode(line).body
        except (msgspec.MsgspecError, UnicodeError) as error:
            what = "is not a reply" if isinstance(error, msgspec.ValidationError) else "is no JSON"
            self.fail(f"a line of its stdout {what}: {plain(str(error), WIDTH)}")
        except RecursionError:
            self.fail("a line of its stdout is no reply: it is nested too deeply")

    def _line(self, deadline: float, seconds: float) -> bytes:
        """The next line, without its end."""
        buffer, looked = self._buffer, 0
        while (end := buffer.find(b"\n", looked)) < 0:
            looked = len(buffer)
            if looked > self.longest:
                self._too_long()
            self._fill(deadline, seconds)
        if end > self.longest:
            self._too_long()
        line = bytes(buffer[:end])
        del buffer[: end + 1]
        return line

    def _too_long(self) -> NoReturn:
        self._exchanges.append(("<", bytes(self._buffer[:WIDTH])))
        self.fail(f"a line of its stdout has more than {self.longest:,} bytes")

    def _fill(self, deadline: float, seconds: float, into: int | None = None) -> None:
        """Wait until it said something, or `into` takes something; what it logs is kept meanwhile."""
        left = deadline - monotonic()
        if left <= 0:
            self.fail(f"it did not answer {self._asked} within {seconds:g} s{'' if self._heard else SILENT}")
        if into is not None:
            self._reading.register(into, select.POLLOUT)
        events = self._reading.poll(1000 * min(left, SLICE))
        if into is not None:
            self._reading.unregister(into)
        for descriptor, _ in events:
            if descriptor == self._errors:
                self._hear()
            elif descriptor == self._out:
                self._hear_out()
        if not events and self._group.code() is not None:
            self._over()  # something that it started holds its pipes

    def _hear_out(self) -> None:
        try:
            chunk = os.read(self._out, CHUNK)
        except BlockingIOError:
            return
        if not chunk:
            self._over()
        self._heard = True
        self._buffer += chunk
        if len(self._buffer) > self.longest + CHUNK:  # nobody reads it while a request is being sent
            self._too_long()

    def _hear(self) -> int:
        """Keep the end of what it logs. Returns how much there was."""
        try:
            chunk = os.read(self._errors, CHUNK)
        except BlockingIOError:
            return 0
        if not chunk:
            self._reading.unregister(self._errors)
        self._said = (self._said + chunk)[-KEPT:]
        return len(chunk)

    # -------------------------------------------------- the end

    def _over(self) -> NoReturn:
        """It can't answer any more: say why."""
        if not self._group.ends_within(self._group.grace):
            self.fail(f"it closed its stdout before it answered {self._asked}, and lives on")
        code = self._group.code() or 0
        how = f"with code {code}" if code >= 0 else f"by {signal.Signals(-code).name}"
        self.fail(f"it ended {how} before it answered {self._asked}")

    def fail(self, reason: str) -> NoReturn:
        """End it, for something that it did. Raises ProgramFailed with the last lines that were exchanged."""
        self._group.end()
        with suppress(OSError, KeyError):
            for _ in range(MOST):
                if not self._hear():
                    break
        self.kill()
        exchanges = [f"{arrow} {_shown(line)}" for arrow, line in self._exchanges]
        told = self._said.decode(errors="replace").splitlines()[-TOLD:]
        self.failed = ProgramFailed(
            f"the program failed: {reason}", exchanges, [plain(t, WIDTH) for t in told]
        )
        raise self.failed

    def close(self) -> None:
        """The end of its stdin; if it does not end then, SIGTERM and SIGKILL. What it started ends too."""
        self._end()

    def kill(self) -> None:
        """End it and all that it started, at once."""
        self._group.end(politely=False)
        self._end()

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _shown(line: bytes) -> str:
    return plain(line[: 4 * WIDTH].decode(errors="replace").rstrip("\n"), WIDTH)


def _end(group: Group) -> None:
    """Also called where a program is forgotten, and when Python ends."""
    group.end()
    group.close()
