"""What every line has in common: one JSON object with `src`, `dest` and `body`, and errors of which some are definite.

The envelope, and the meaning of error codes, are those of Maelstrom, so that its libraries can be used:
https://github.com/jepsen-io/maelstrom/blob/main/doc/protocol.md.
"""

from __future__ import annotations

import re
from typing import Generic, TypeVar

from msgspec import Struct

US, PROGRAM = "c1", "s"  # `src` and `dest` of a request
UNSENT = 0

TIMEOUT, NODE_NOT_FOUND, NOT_SUPPORTED, UNAVAILABLE, MALFORMED, CRASH = 0, 1, 10, 11, 12, 13
ABORT, NO_SUCH_KEY, KEY_EXISTS, PRECONDITION_FAILED, CONFLICT = 14, 20, 21, 22, 30
CODES = {
    TIMEOUT: "timeout",
    NODE_NOT_FOUND: "node not found",
    NOT_SUPPORTED: "not supported",
    UNAVAILABLE: "temporarily unavailable",
    MALFORMED: "malformed request",
    CRASH: "crash",
    ABORT: "abort",
    NO_SUCH_KEY: "key does not exist",
    KEY_EXISTS: "key already exists",
    PRECONDITION_FAILED: "precondition failed",
    CONFLICT: "transaction conflict",
}
DEFINITE = frozenset(CODES) - {
    TIMEOUT,
    CRASH,
}  # the operation has no effect, ever; any other code promises nothing

Body = TypeVar("Body")


def in_snake_case(name: str) -> str:
    """The `type` of a message, from the name of its class: PutIfOk is "put_if_ok"."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


class Request(Struct, tag_field="type", tag=in_snake_case):
    """The body of a request. Made with `UNSENT`, it has its number once it is sent: 1, 2, 3, ... of a process."""

    msg_id: int


class Reply(Struct, tag_field="type", tag=in_snake_case, omit_defaults=True):
    """The body of a reply."""

    in_reply_to: int


class Error(Reply):
    """It was not done, or nobody knows: see `DEFINITE`."""

    code: int
    text: str = ""

    @property
    def definite(self) -> bool:
        """Whether the operation has no effect, ever."""
        return self.code in DEFINITE

    def __str__(self) -> str:
        named = CODES.get(self.code)
        return (
            f"error {self.code}" + (f" ({named})" if named else "") + (f": {self.text}" if self.text else "")
        )


class Pending(Reply):
    """The operation goes on; its reply comes on a later line."""


class Envelope(Struct, Generic[Body]):
    """A line: from whom, to whom, and what. Only the body is looked at."""

    src: str
    dest: str
    body: Body


def type_of(message: Struct | type[Struct]) -> str:
    """The `type` of a request or a reply, or of all of a class."""
    return str(message.__struct_config__.tag)
