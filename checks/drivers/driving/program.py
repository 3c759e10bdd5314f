"""A program in any language, driven by JSON lines on its stdin and stdout. See docs/guides/drive.md.

One process for all runs, which `reset` begins anew. What it may answer is declared here; the conversation itself is
`checks/drivers/wire/program.py`, which gives each answer its time and ends what does not keep to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from cutproof.checks.drivers.driving.driver import DriverFailed, Unfit
from cutproof.checks.drivers.wire.envelope import (
    NOT_SUPPORTED,
    PRECONDITION_FAILED,
    UNSENT,
    Error,
    Reply,
    Request,
    type_of,
)
from cutproof.checks.drivers.wire.program import SECONDS, NotStarted, Program, ProgramFailed
from cutproof.checks.traces.trace import plain
from cutproof.model.language.protocol import Protocol

VERSION = 1


class Init(Request):
    """The first message: which protocol the runs are of."""

    protocol: str
    version: int


class InitOk(Reply):
    """`actions` are those that it has, where it has not all; `starts` says that it begins in any initial state."""

    version: int
    actions: list[str] | None = None
    starts: bool = False


class Reset(Request):
    """A run begins: from now on as if nothing had happened; in this state, where it `starts`."""

    state: dict[str, Any]


class ResetOk(Reply):
    """Its state at the beginning."""

    state: dict[str, Any]


class Action(Request):
    """Do this. Error 22 (precondition failed) refuses it: nothing happened."""

    name: str
    arguments: dict[str, Any]


class ActionOk(Reply):
    """Its state now."""

    state: dict[str, Any]


class State(Request):
    """In which state are you? It is asked after what was refused."""


class StateOk(Reply):
    """Its state now."""

    state: dict[str, Any]


REPLIES = {Init: InitOk, Reset: ResetOk, Action: ActionOk, State: StateOk}


class Piped:
    """A command that is driven. Raises Unfit where it cannot be started, or does not speak this."""

    def __init__(self, command: Sequence[str], protocol: Protocol, *, seconds: float = SECONDS) -> None:
        self.command, self.protocol, self.seconds = tuple(command), protocol, seconds
        self.name = command[0].rpartition("/")[2] if len(command) == 1 else " ".join(command)
        self.program: Program | None = None
        self.now: Mapping[str, Any] | None = None
        known = dict.fromkeys(a.name for a in protocol.actions)
        try:
            first = self._started()
        except (NotStarted, DriverFailed) as error:
            self.close()
            raise Unfit("\n".join([str(error), *getattr(error, "told", ())])) from None
        if strange := [name for name in first.actions or () if name not in known]:
            self.close()
            raise Unfit(f"init_ok names the action {strange[0]!r}; {protocol.name} has {', '.join(known)}")
        self.driven, self.starts = frozenset(known if first.actions is None else first.actions), first.starts

    def _started(self) -> InitOk:
        self.close()
        replies = InitOk | ResetOk | ActionOk | StateOk
        self.program = Program(self.command, replies, seconds=self.seconds)
        reply = self._ask(Init(UNSENT, protocol=self.protocol.name, version=VERSION))
        if reply.version != VERSION:
            self._fail(f"it speaks version {reply.version}; this is version {VERSION}")
        return reply

    # -------------------------------------------------- a run

    def begin(self, state: Mapping[str, Any]) -> None:
        if self.program is None or not self.program.alive:
            self._started()
        values = {name: in_json(plain(value)) for name, value in state.items()}
        self.now = self._ask(Reset(UNSENT, state=values)).state

    def perform(self, action: str, arguments: Mapping[str, Any]) -> bool:
        values = {name: in_json(plain(value)) for name, value in arguments.items()}
        reply = self._ask(Action(UNSENT, name=action, arguments=values), (PRECONDITION_FAILED,))
        self.now = None if type(reply) is Error else reply.state
        return self.now is not None

    def state(self) -> Mapping[str, Any]:
        if self.now is None:
            self.now = self._ask(State(UNSENT)).state
        assert self.now is not None
        return self.now

    def end(self) -> None:
        """The process goes on, for the next run."""

    def close(self) -> None:
        """End the process."""
        program, self.program = self.program, None
        if program is not None:
            program.close()

    def __enter__(self) -> Piped:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -------------------------------------------------- asking

    def _ask(self, body: Request, errors: Sequence[int] = ()) -> Any:
        """The reply that is declared, or one of these errors."""
        assert self.program is not None
        try:
            reply = self.program.request(body)
        except ProgramFailed as error:
            raise _told(error) from None
        if type(reply) is REPLIES[type(body)] or (type(reply) is Error and reply.code in errors):
            return reply
        if type(reply) is Error and reply.code == NOT_SUPPORTED and isinstance(body, Action):
            self._fail(f"it does not support {body.name}: init_ok lists the actions that it has")
        self._fail(f"it answered {type_of(body)} with {reply if type(reply) is Error else type_of(reply)}")

    def _fail(self, reason: str) -> NoReturn:
        """End it. Raises DriverFailed."""
        assert self.program is not None
        try:
            self.program.fail(reason)
        except ProgramFailed as error:
            raise _told(error) from None


def _told(error: ProgramFailed) -> DriverFailed:
    return DriverFailed(error.reason, [*error.exchanges, *(f"stderr: {line}" for line in error.stderr)])


def in_json(value: Any) -> Any:
    """A plain value as JSON has it: a set is a list, and indices are texts."""
    if isinstance(value, dict):
        return {str(key): in_json(inner) for key, inner in value.items()}
    return [in_json(inner) for inner in value] if isinstance(value, list | tuple) else value
