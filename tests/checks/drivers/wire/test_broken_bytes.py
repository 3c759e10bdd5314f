"""Bytes that no program should send, into the server and into the client: declared errors, an end, bounded memory."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from cutproof.checks.common.refusals import Wrong
from cutproof.checks.drivers.adapter import Adapter, Value
from cutproof.checks.drivers.wire import messages as m
from cutproof.checks.drivers.wire.envelope import UNSENT, Envelope, Error, Pending, Reply
from cutproof.checks.drivers.wire.messages import ANY_REPLY, REPLIES
from cutproof.checks.drivers.wire.program import CHUNK, Program, ProgramFailed
from cutproof.checks.drivers.wire.server import Conversation, _lines

LONGEST = 10_000
VALID = [
    {"type": "init", "version": 1, "nodes": ["node-0", "node-1"], "shards": 2, "seed": 7},
    {"type": "reset", "nodes": ["node-0", "node-1"], "shards": 2, "seed": 7},
    {"type": "put", "client": "client-1", "key": "doc-1", "value": "value-1"},
    {"type": "put_if", "client": "client-1", "key": "doc-1", "old": None, "new": "value-2"},
    {"type": "add", "client": "client-1", "key": "counter-1", "amount": 2},
    {"type": "append", "client": "client-1", "key": "list-1", "item": "a"},
    {"type": "get", "client": "client-1", "key": "doc-1"},
    {"type": "scan", "client": "client-1"},
    {"type": "begin_migration", "node": "node-1"},
    {"type": "move", "shards": [0, 1], "node": "node-1"},
    {"type": "split", "shard": 1},
    {"type": "fault", "fault": "cut", "node": "node-0", "client": "client-1"},
    *({"type": kind} for kind in ("advance", "phase", "heal", "observe", "stop")),
]
ANSWERS = [
    {"type": "init_ok", "version": 1, "name": "x", "operations": ["put"], "faults": None, "versioned": True},
    {"type": "get_ok", "value": ["a", "b"]},
    {"type": "scan_ok", "documents": [["a", "b"], ["c", 1]]},
    {"type": "advance_ok", "went": True, "phase": "copy"},
    {"type": "observe_ok", "documents": {"a": None}, "owner": {"a": "n"}, "nodes": {"n": {"a": 1}}},
    {"type": "error", "code": 11, "text": "later"},
    *({"type": kind} for kind in ("put_ok", "stop_ok", "pending")),
]
ODD = [
    None,
    True,
    1.0,
    1.5,
    float("nan"),
    float("inf"),
    10**30,
    -(2**63),
    -1,
    "",
    "\ud800",
    "\0",
    [],
    {},
    [[]],
    "idle",
]
DEEP = [
    b"[" * 3000,
    b'{"body":' * 1200,
    b'{"src":' + b"[" * 2000 + b"]" * 2000 + b"}",
    b'{"more":'
    + b"[" * 2000
    + b"]" * 2000
    + b',"src":"","dest":"","body":{"type":"stop","msg_id":1,"in_reply_to":1}}',
]

# ------------------------------------------------------------------ how a line is broken


@st.composite
def altered(draw: st.DrawFn, bodies: Sequence[dict[str, Any]], number: str) -> bytes:
    """A valid line with values, names and numbers that are others, are missing, or stand there twice."""
    message: Any = {"src": "c1", "dest": "s", "body": {number: 1, **draw(st.sampled_from(bodies))}}
    for _ in range(draw(st.integers(0, 2))):
        place = message if draw(st.integers(0, 4)) == 0 else message["body"]
        if not isinstance(place, dict) or not place:
            break
        name = draw(st.sampled_from(sorted(place)))
        how = draw(st.sampled_from(("change", "change", "drop", "more")))
        if how == "drop":
            del place[name]
        else:
            place[name if how == "change" else "more"] = draw(st.sampled_from(ODD))
        if not isinstance(message.get("body"), dict):
            break
    text = json.dumps(message, allow_nan=True)
    if draw(st.integers(0, 5)) == 0:  # a name twice: the last one counts
        text = text[:-1] + ', "src": ' + json.dumps(draw(st.sampled_from(ODD))) + "}"
    return text.encode("utf-8", "surrogatepass")


@st.composite
def damaged(draw: st.DrawFn, lines: st.SearchStrategy[bytes]) -> bytes:
    """A line of which some bytes are others, missing or new; it is still a line."""
    line = bytearray(draw(lines))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(line)))
        line[at : at + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
    return bytes(line).replace(b"\n", b" ")[: draw(st.integers(0, 400))]


def any_line(bodies: Sequence[dict[str, Any]], number: str) -> st.SearchStrategy[bytes]:
    line = altered(bodies, number)
    random = st.binary(max_size=60).map(lambda b: b.replace(b"\n", b"\r"))
    huge = st.integers(LONGEST - 2, LONGEST + 3).map(lambda n: b"x" * n)
    return st.one_of(line, line, damaged(line), random, st.sampled_from(DEEP), huge)


# ------------------------------------------------------------------ the server


class Dictionary(Adapter):
    """Takes whatever is declared."""

    def start(self, nodes: Sequence[str], shards: int, seed: int) -> None:
        self.held: dict[str, Value | None] = {}

    def put(self, key: str, value: Value | None) -> str:
        self.held[key] = value
        return "acknowledged"

    def put_if(self, key: str, old: str | None, new: str) -> str:
        return self.put(key, new) if self.held.get(key) == old else "unequal"

    def get(self, key: str) -> Value | None:
        return self.held.get(key)

    def scan(self) -> list[Any]:
        return [*self.held.items()]

    def advance(self) -> bool:
        return False


REPLY = msgspec.json.Decoder(Envelope[ANY_REPLY | Error | Pending])


@given(lines=st.lists(any_line(VALID, "msg_id"), min_size=1, max_size=8))
@examples(day=80, night=5000)
def test_the_server_replies_or_refuses(lines: list[bytes]) -> None:
    conversation = Conversation(Dictionary)
    conversation.answer(json.dumps({"src": "", "dest": "", "body": {"msg_id": 1, **VALID[0]}}).encode())
    for line in lines:
        try:
            said = conversation.answer(line)
        except Wrong as error:
            assert str(error).startswith("a line of stdin is no request: ")
            assert str(error).isprintable() and len(str(error)) < 300
        else:
            [reply] = said.splitlines()
            assert isinstance(REPLY.decode(reply).body, Reply)


@given(data=st.lists(st.binary(max_size=30)), longest=st.integers(0, 40), chunk=st.integers(1, 9))
def test_lines_are_lines_however_they_come(data: list[bytes], longest: int, chunk: int) -> None:
    whole = b"\n".join(data)
    expected = whole.split(b"\n")
    long = next((n for n, line in enumerate(expected) if len(line) > longest), None)
    found: list[bytes] = []
    with tempfile.TemporaryFile() as file, pytest.MonkeyPatch.context() as patch:
        patch.setattr("cutproof.checks.drivers.wire.server.CHUNK", chunk)
        file.write(whole)
        file.flush()
        os.lseek(file.fileno(), 0, os.SEEK_SET)
        try:
            found.extend(_lines(file.fileno(), longest))
        except Wrong:
            assert long is not None and found == expected[:long]
        else:
            assert long is None and found == expected[:-1]


# ------------------------------------------------------------------ the client

# It writes what it is asked to write, and ends: what is no answer never becomes one.
PARROT = """
import json, os, sys
rest = bytes.fromhex(json.loads(sys.stdin.readline())["body"]["value"])
while rest: rest = rest[os.write(1, rest):]
"""


@given(lines=st.lists(any_line(ANSWERS, "in_reply_to"), min_size=1, max_size=3), whole=st.booleans())
@examples(day=40, night=500)
def test_the_client_is_answered_or_says_why_not(lines: list[bytes], whole: bool) -> None:
    said = b"\n".join(lines) + b"\n" * whole
    program = Program([sys.executable, "-ISc", PARROT], ANY_REPLY, seconds=60, longest=LONGEST, grace=60)
    try:
        reply = program.request(m.Put(UNSENT, client="c", key="k", value=said.hex()))
        assert isinstance(reply, Reply) and reply.in_reply_to == 1
    except ProgramFailed as error:
        assert error.reason.startswith("the program failed: ") and error.reason.isprintable()
        assert all(line.isprintable() and len(line) < 300 for line in error.exchanges)
    finally:
        program.close()
    assert len(program._buffer) <= LONGEST + CHUNK


def test_valid_lines_are_valid() -> None:
    """What is broken above is right before."""
    conversation = Conversation(Dictionary)
    for body in VALID:
        line = json.dumps({"src": "c1", "dest": "s", "body": {"msg_id": 1, **body}}).encode()
        assert b'"code":12' not in conversation.answer(line)
    for body in ANSWERS:
        REPLY.decode(json.dumps({"src": "s", "dest": "c1", "body": {"in_reply_to": 1, **body}}))
    assert {type(REPLY.decode(json.dumps({"src": "", "dest": "", "body": {"in_reply_to": 1, **b}})).body)
            for b in ANSWERS} < {*REPLIES.values(), Error, Pending}  # fmt: skip
