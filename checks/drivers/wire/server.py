"""Any Python adapter as a program: requests on stdin, replies on stdout, until stdin ends.

python -m cutproof.checks.drivers.wire.server my_adapter.py:Mine
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import msgspec

from cutproof.checks.common.refusals import Wrong, plain, refuse
from cutproof.checks.drivers.adapter import (
    ACKNOWLEDGED,
    FAILED,
    PENDING,
    REFUSED,
    UNEQUAL,
    Adapter,
    NotSupported,
    Unavailable,
)
from cutproof.checks.drivers.wire import messages as m
from cutproof.checks.drivers.wire.envelope import (
    ABORT,
    CRASH,
    MALFORMED,
    NOT_SUPPORTED,
    PRECONDITION_FAILED,
    UNAVAILABLE,
    Envelope,
    Error,
    Pending,
    Reply,
    type_of,
)
from cutproof.checks.drivers.wire.messages import ANY_REQUEST, REPLIES
from cutproof.checks.drivers.wire.program import CHUNK, LONGEST

CODES = {REFUSED: ABORT, FAILED: CRASH, UNEQUAL: PRECONDITION_FAILED}
TYPES = {type_of(kind): kind for kind in REPLIES}
EVERY = ("init", "reset", "stop", "heal", "observe")  # what every adapter has


class Numbered(msgspec.Struct):
    """As much of a request as an error can be the reply to."""

    type: str
    msg_id: int


Ask = Callable[[], Reply | None]  # the late reply, or None while there is none


class Conversation:
    """An adapter, asked by lines of bytes. `answer` gives the lines to write; what the adapter raises is not caught.

    Raises Wrong for a line that can have no reply."""

    def __init__(self, adapter: type[Adapter]) -> None:
        self.adapter = adapter
        self.system: Adapter | None = None
        self.has = [name for name in TYPES if name in EVERY or _overrides(adapter, name)]
        self._late: dict[int, Ask] = {}  # by the number of the request
        self._decode = msgspec.json.Decoder(Envelope[ANY_REQUEST]).decode
        self._encode = msgspec.json.Encoder().encode

    def answer(self, line: bytes) -> bytes:
        """Late replies that are there by now, then the reply to this request."""
        try:
            asked = self._decode(line)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            return self._refused(line, error)
        request = asked.body
        waiting = dict(self._late)
        try:
            reply = self._perform(request)
        except NotSupported:
            reply = _error(request.msg_id, NOT_SUPPORTED)
        except Unavailable as error:
            if not isinstance(request, m.Get | m.Scan):
                raise
            reply = _error(request.msg_id, UNAVAILABLE, str(error))
        said = b""
        for number, ask in waiting.items():
            if number in self._late and (late := ask()) is not None:
                del self._late[number]
                said += self._line(asked, late)
        return said + self._line(asked, reply)

    def close(self) -> None:
        """The run that is under way, if there is one, is over."""
        system, self.system = self.system, None
        self._late.clear()
        if system is not None:
            system.stop()

    def _line(self, asked: Envelope[Any], reply: Reply) -> bytes:
        return self._encode(Envelope(asked.dest, asked.src, reply)) + b"\n"

    def _refused(self, line: bytes, error: Exception) -> bytes:
        try:
            asked = msgspec.json.decode(line, type=Envelope[Numbered])
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            raise Wrong(f"a line of stdin is no request: {plain(str(error), 200)}") from None
        known = asked.body.type in TYPES
        code, text = (MALFORMED, str(error)) if known else (NOT_SUPPORTED, "no such message")
        return self._line(asked, _error(asked.body.msg_id, code, text))

    # -------------------------------------------------- one request

    def _perform(self, request: Any) -> Reply:
        number, kind = request.msg_id, type(request)
        if kind is m.Init or kind is m.Reset:
            return self._begin(request)
        if self.system is None:
            if kind is m.Stop:
                return m.StopOk(number)
            return _error(number, MALFORMED, f"{type_of(request)} comes before init")
        if type_of(request) not in self.has:
            raise NotSupported
        return DO[kind](self, self.system, request)

    def _begin(self, request: Any) -> Reply:
        self.close()
        system = self.adapter()
        system.start(request.nodes, request.shards, request.seed)
        self.system = system
        if type(request) is m.Reset:
            return m.ResetOk(request.msg_id)
        return m.InitOk(
            request.msg_id, name=self.adapter.__name__, operations=self.has, versioned=system.versioned
        )

    def _stop(self, _: Adapter, request: m.Stop) -> Reply:
        self.close()
        return m.StopOk(request.msg_id)

    def _write(self, system: Adapter, request: Any) -> Reply:
        """`put` and its kin: their arguments are the fields of the message, in order."""
        system.client, kind, number = request.client, type(request), request.msg_id
        given = [getattr(request, name) for name in request.__struct_fields__[2:]]
        answer = getattr(system, type_of(request))(*given)
        ask = answer if callable(answer) else lambda: answer

        def late() -> Reply | None:
            status = ask()
            if status == ACKNOWLEDGED:
                return REPLIES[kind](number)
            if status == PENDING:
                return None
            if status in CODES and (status != UNEQUAL or kind is m.PutIf):
                return _error(number, CODES[status], status)
            raise ValueError(f"the adapter answered {status!r} to {type_of(request)}")

        return self._now_or_late(number, late)

    def _get(self, system: Adapter, request: m.Get) -> Reply:
        system.client, number = request.client, request.msg_id
        answer = system.get(request.key)
        if not callable(answer):
            return m.GetOk(number, value=answer)

        def late() -> Reply | None:
            try:
                read = answer()
            except Unavailable as error:
                return _error(number, UNAVAILABLE, str(error))
            return None if read is None else m.GetOk(number, value=read.value)

        return self._now_or_late(number, late)

    def _now_or_late(self, number: int, ask: Ask) -> Reply:
        if (reply := ask()) is not None:
            return reply
        self._late[number] = ask
        return Pending(number)

    def _scan(self, system: Adapter, request: m.Scan) -> Reply:
        system.client = request.client
        return m.ScanOk(request.msg_id, documents=[*system.scan()])

    # -------------------------------------------------- migrations, faults, looking

    def _change(self, system: Adapter, request: Any) -> Reply:
        """What moves the migration: its arguments are the fields of the message, and the phase rides along."""
        given = [getattr(request, name) for name in request.__struct_fields__[1:]]
        result = getattr(system, type_of(request))(*given)
        return self._phased(system, request, result)

    def _fault(self, system: Adapter, request: m.Fault) -> Reply:
        system.client = request.client
        system.inject(request.fault, request.node)
        return self._phased(system, request, None)

    def _phased(self, system: Adapter, request: Any, result: Any) -> Reply:
        try:
            phase = system.phase()
        except NotSupported:
            phase = None
        number = request.msg_id
        if type(request) is m.Advance:
            return m.AdvanceOk(number, phase=phase, went=bool(result))
        if type(request) is m.Split:
            return m.SplitOk(number, phase=phase, shard=result)
        made: Any = REPLIES[type(request)]
        return made(number, phase=phase)

    def _phase(self, system: Adapter, request: m.Phase) -> Reply:
        return m.PhaseOk(request.msg_id, phase=system.phase())

    def _observe(self, system: Adapter, request: m.Observe) -> Reply:
        shown = system.observe()
        known = {name: shown[name] for name in m.ObserveOk.__struct_fields__ if name in shown}
        return m.ObserveOk(request.msg_id, **known)


DO: dict[type, Callable[[Conversation, Adapter, Any], Reply]] = {
    **dict.fromkeys((m.Put, m.Delete, m.Add, m.PutIf, m.Append), Conversation._write),
    **dict.fromkeys((m.BeginMigration, m.Move, m.Split, m.Merge, m.Advance, m.Heal), Conversation._change),
    m.Get: Conversation._get, m.Scan: Conversation._scan, m.Phase: Conversation._phase, m.Fault: Conversation._fault,
    m.Observe: Conversation._observe, m.Stop: Conversation._stop,
}  # fmt: skip


def _overrides(adapter: type[Adapter], name: str) -> bool:
    method = "inject" if name == "fault" else name
    return getattr(adapter, method) is not getattr(Adapter, method)


def _error(number: int, code: int, text: str = "") -> Error:
    return Error(number, code=code, text=text)


# ------------------------------------------------------------------ its stdin and stdout


def serve(adapter: type[Adapter], longest: int = LONGEST) -> int:
    """Answer what comes on stdin until that ends, or is interrupted, or nobody reads any more: 0.

    What the adapter prints goes to stderr. Raises Wrong for a line that is no request, or has more than `longest`
    bytes."""
    conversation = Conversation(adapter)
    try:
        with _stdout_of_its_own() as out, closing(conversation):
            for line in _lines(0, longest):
                said = memoryview(conversation.answer(line))
                while said:
                    said = said[os.write(out, said) :]
    except (KeyboardInterrupt, BrokenPipeError):
        return 0
    return 0


def _lines(descriptor: int, longest: int) -> Iterator[bytes]:
    buffer = b""
    while chunk := os.read(descriptor, CHUNK):
        *lines, buffer = (buffer + chunk).split(b"\n")
        for line in lines:
            if len(line) > longest:
                break
            yield line
        if max(map(len, (*lines, buffer))) > longest:
            refuse(f"a line of stdin has more than {longest:,} bytes")


@contextmanager
def _stdout_of_its_own() -> Iterator[int]:
    """A descriptor for replies; meanwhile what is printed goes to stderr."""
    sys.stdout.flush()
    out = os.dup(1)
    os.dup2(2, 1)
    try:
        yield out
    finally:
        sys.stdout.flush()
        os.dup2(out, 1)
        os.close(out)


def main(arguments: list[str]) -> int:
    """Serve the adapter that is named; 2 for what cannot be used."""
    from cutproof.checks.protocols.classes import load_adapter

    try:
        if len(arguments) != 1:
            refuse("say which adapter: python -m cutproof.checks.drivers.wire.server FILE.py:NAME")
        return serve(load_adapter(arguments[0]))
    except Wrong as error:
        sys.stderr.write(f"cutproof: {error}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
