"""A program in any language as an adapter: one process for all runs, reset between them.

Mine = adapter_of(["node", "store.js"])
...                                       # as any other Adapter
Mine.close()
"""

from __future__ import annotations

import copyreg
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from cutproof.checks.common.refusals import plain
from cutproof.checks.drivers.adapter import (
    ACKNOWLEDGED,
    FAILED,
    FAULTS,
    IDLE,
    PENDING,
    REFUSED,
    UNEQUAL,
    Adapter,
    Answer,
    NotSupported,
    Read,
    Reading,
    Unavailable,
    Value,
)
from cutproof.checks.drivers.wire import messages as m
from cutproof.checks.drivers.wire.envelope import (
    KEY_EXISTS,
    MALFORMED,
    NO_SUCH_KEY,
    NOT_SUPPORTED,
    PRECONDITION_FAILED,
    UNAVAILABLE,
    UNSENT,
    Error,
    Pending,
    Reply,
    Request,
    type_of,
)
from cutproof.checks.drivers.wire.messages import ANY_REPLY, MAY_PEND, REPLIES
from cutproof.checks.drivers.wire.program import GRACE, LONGEST, SECONDS, Program

MIGRATIONS = (m.BeginMigration, m.Move, m.Split, m.Merge)
OTHERWISE = (
    PRECONDITION_FAILED,
    NO_SUCH_KEY,
    KEY_EXISTS,
)  # what `put_if` replies where it held something else


class OfCommand(type):
    """The class of adapters that are a command: they can be closed, and pickled."""

    command: tuple[str, ...]
    options: Mapping[str, Any]
    program: Program | None
    offered: m.InitOk | None
    lacking: set[str]  # what the process does not have: types of requests, and faults after "fault "

    def __new__(
        cls,
        name: str,
        bases: tuple[type, ...],
        body: dict[str, Any],
        command: Sequence[str] = (),
        **options: Any,
    ) -> OfCommand:
        """A class with a process of its own, which the first run starts."""
        made: OfCommand = super().__new__(cls, name, bases, body)
        made.command, made.options = tuple(command), options
        made.program, made.offered, made.lacking = None, None, set()
        return made

    def __init__(cls, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments[:3])

    def open(cls) -> Program:
        """The process, which is started if there is none, or none that can be asked."""
        if cls.program is None or not cls.program.alive:
            cls.close()
            cls.lacking = set()
            cls.program = Program(cls.command, ANY_REPLY, **cls.options)
        return cls.program

    def close(cls) -> None:
        """End the process, if there is one. The next run starts another."""
        program, cls.program, cls.offered = cls.program, None, None
        if program is not None:
            program.close()


class WireAdapter(Adapter, metaclass=OfCommand):
    """What `adapter_of` makes. All runs of a class share one process; after a failure the next run has a new one."""

    def __init__(self) -> None:
        self._where: str | None = IDLE  # the phase, where replies tell it; None where it has to be asked for
        self._last: str | None = None  # the phase that was told last
        self._of = type(self)
        self._program: Program | None = None

    # -------------------------------------------------- the run

    def start(self, nodes: Sequence[str], shards: int, seed: int) -> None:
        """A fresh process, or the one that is there, reset."""
        of = self._of
        if of.offered is not None and of.program is not None and of.program.alive:
            self._program = of.program
            with suppress(NotSupported):
                self._ask(m.Reset(UNSENT, nodes=list(nodes), shards=shards, seed=seed))
                self._program.forget()
                return
            of.close()
        self._program = program = of.open()
        try:
            reply = self._ask(m.Init(UNSENT, version=m.VERSION, nodes=list(nodes), shards=shards, seed=seed))
        except NotSupported:
            program.fail("it answered init with not supported, and that is the first message")
        if reply.version != m.VERSION:
            program.fail(f"it speaks version {reply.version} of the protocol; this is version {m.VERSION}")
        of.offered, of.versioned = reply, reply.versioned
        if reply.operations is not None:
            of.lacking |= {type_of(kind) for kind in REPLIES} - {"init", *reply.operations}
        if reply.faults is not None:
            of.lacking |= {f"fault {fault}" for fault in set(FAULTS) - set(reply.faults)}

    def stop(self) -> None:
        """Tell it, if it can be told; the process goes on, for the next run."""
        if self._program is not None and self._program.alive:
            with suppress(NotSupported):
                self._ask(m.Stop(UNSENT))

    # -------------------------------------------------- asking

    def _ask(self, body: Request, name: str = "") -> Any:
        """The reply that is declared for a request; Error or Pending where these are answers to it.

        Raises NotSupported, and remembers it: `name` is what is not."""
        program, kind = self._program, type(body)
        assert program is not None, "start() comes first"
        name = name or type_of(body)
        if name in self._of.lacking:
            raise NotSupported
        reply = program.request(body)
        got = type(reply)
        if got is REPLIES[kind] or (got is Pending and kind in MAY_PEND):
            return reply
        if got is Error:
            if reply.code == NOT_SUPPORTED:
                self._of.lacking.add(name)
                raise NotSupported
            if reply.code == UNAVAILABLE and kind in MIGRATIONS:
                raise Unavailable(str(reply))  # it can't begin now
            if reply.code != MALFORMED and kind in (*MAY_PEND, m.Scan):
                return reply
            program.fail(f"it answered {type_of(body)} with {reply}")
        program.fail(f"it answered {type_of(body)} with {type_of(reply)}, not with {type_of(body)}_ok")

    def _late(self, number: int, kind: type[Request]) -> Any:
        """The late reply to what is pending; None while there is none."""
        assert self._program is not None
        reply = self._program.answer_to(number)
        if reply is not None and type(reply) not in (REPLIES[kind], Error):
            asked = type_of(kind)
            self._program.fail(f"it answered {asked} in the end with {type_of(reply)}, not with {asked}_ok")
        return reply

    # -------------------------------------------------- clients

    def put(self, key: str, value: str) -> Answer:
        return self._write(m.Put(UNSENT, client=self.client, key=key, value=value))

    def delete(self, key: str) -> Answer:
        return self._write(m.Delete(UNSENT, client=self.client, key=key))

    def put_if(self, key: str, old: str | None, new: str) -> Answer:
        return self._write(m.PutIf(UNSENT, client=self.client, key=key, old=old, new=new))

    def add(self, key: str, amount: int) -> Answer:
        return self._write(m.Add(UNSENT, client=self.client, key=key, amount=amount))

    def append(self, key: str, item: str) -> Answer:
        return self._write(m.Append(UNSENT, client=self.client, key=key, item=item))

    def _write(self, body: Request) -> Answer:
        reply, kind, told = self._ask(body), type(body), PENDING
        if type(reply) is not Pending:
            return _status(reply, kind)
        number = reply.in_reply_to

        def status() -> str:
            nonlocal told
            if told is PENDING and (late := self._late(number, kind)) is not None:
                told = _status(late, kind)
            return told

        return status

    def get(self, key: str) -> Reading:
        reply = self._ask(m.Get(UNSENT, client=self.client, key=key))
        if type(reply) is not Pending:
            return _value(reply)
        number = reply.in_reply_to

        def read() -> Read | None:
            late = self._late(number, m.Get)
            return None if late is None else Read(_value(late))

        return read

    def scan(self) -> Sequence[tuple[str, Value]]:
        reply = self._ask(m.Scan(UNSENT, client=self.client))
        if type(reply) is Error:
            raise Unavailable(str(reply))
        return reply.documents

    # -------------------------------------------------- migrations

    def begin_migration(self, node: str) -> None:
        self._change(m.BeginMigration(UNSENT, node=node))

    def move(self, shards: Sequence[int], node: str) -> None:
        self._change(m.Move(UNSENT, shards=list(shards), node=node))

    def split(self, shard: int) -> int:
        return self._change(m.Split(UNSENT, shard=shard)).shard

    def merge(self, shard: int, other: int) -> None:
        self._change(m.Merge(UNSENT, shard=shard, other=other))

    def advance(self) -> bool:
        return self._change(m.Advance(UNSENT)).went

    def phase(self) -> str:
        if self._where is None:
            try:
                self._where = self._last = self._ask(m.Phase(UNSENT)).phase
            except NotSupported:
                if self._last is None:
                    raise
                self._where = self._last
        return str(self._where)

    def _change(self, body: Request, name: str = "") -> Any:
        """What may change the phase. A program that tells it in each of these replies is never asked for it; one that
        can't be asked is where it last said."""
        reply = self._ask(body, name)
        self._where = reply.phase
        if reply.phase is not None:
            self._last = reply.phase
        return reply

    # -------------------------------------------------- faults, and looking

    def inject(self, fault: str, node: str) -> None:
        if "fault" in self._of.lacking:
            raise NotSupported
        self._change(m.Fault(UNSENT, fault=fault, node=node, client=self.client), f"fault {fault}")

    def heal(self) -> None:
        with suppress(NotSupported):
            self._change(m.Heal(UNSENT))

    def observe(self) -> Mapping[str, Any]:
        with suppress(NotSupported):
            reply = self._ask(m.Observe(UNSENT))
            return {
                name: shown
                for name in reply.__struct_fields__[1:]
                if (shown := getattr(reply, name)) is not None
            }
        return {}


def _status(reply: Reply, kind: type[Request]) -> str:
    """What became of a write."""
    if type(reply) is not Error:
        return ACKNOWLEDGED
    if kind is m.PutIf and reply.code in OTHERWISE:
        return UNEQUAL
    return REFUSED if reply.definite else FAILED


def _value(reply: Reply) -> Value | None:
    """What was read. Raises Unavailable where there is no answer."""
    if type(reply) is m.GetOk:
        return reply.value
    if type(reply) is Error and reply.code == NO_SUCH_KEY:
        return None
    raise Unavailable(str(reply))


def adapter_of(
    command: Sequence[str],
    *,
    seconds: float = SECONDS,
    longest: int = LONGEST,
    grace: float = GRACE,
    folder: str | Path | None = None,
) -> OfCommand:
    """The adapter that a command is: a program that speaks docs/reference/wire.md. It is started by the first run.

    `seconds` is what it has for each answer, `longest` how many bytes a line of it may have, `grace` the seconds in
    which it may end by itself, `folder` where it runs. Calls of the adapter raise ProgramFailed where it does what no
    program may, or NotStarted. `close()` ends it; so does the end of Python."""
    options = {"seconds": seconds, "longest": longest, "grace": grace, "folder": folder}
    return OfCommand(plain(" ".join(command)), (WireAdapter,), {"__module__": __name__}, command, **options)


def _pickled(adapter: OfCommand) -> Any:
    if adapter is WireAdapter:
        return adapter.__qualname__
    return partial(adapter_of, **adapter.options), (adapter.command,)


copyreg.pickle(OfCommand, _pickled)
