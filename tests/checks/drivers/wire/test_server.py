"""An adapter as a program: the same through the wire as in process, and an end where the conversation ends."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutproof.checks.cutover.conformance import conform
from cutproof.checks.drivers.adapter import FAULTS, Adapter, Answer, NotSupported, Read, Unavailable
from cutproof.checks.drivers.wire.client import OfCommand, adapter_of
from cutproof.checks.drivers.wire.messages import REPLIES
from cutproof.checks.drivers.wire.server import TYPES, Conversation

NODES = ["node-0", "node-1", "node-2"]
SERVER = [sys.executable, "-m", "cutproof.checks.drivers.wire.server"]
REFERENCE = [sys.executable, "-m", "cutproof", "serve-reference"]


def said(conversation: Conversation, kind: str, number: int = 1, **body: Any) -> list[dict[str, Any]]:
    """The bodies of what is replied to a request."""
    line = {"src": "c7", "dest": "s3", "body": {"type": kind, "msg_id": number, **body}}
    replies = [json.loads(r) for r in conversation.answer(json.dumps(line).encode()).splitlines()]
    assert all((r["src"], r["dest"]) == ("s3", "c7") for r in replies)
    return [r["body"] for r in replies]


def begun(adapter: type[Adapter]) -> Conversation:
    conversation = Conversation(adapter)
    [reply] = said(conversation, "init", version=1, nodes=NODES, shards=2, seed=4)
    assert reply["type"] == "init_ok"
    return conversation


class All(Adapter):
    """Has everything, and answers by what it is asked."""

    log: list[Any]

    def start(self, nodes: Sequence[str], shards: int, seed: int) -> None:
        self.log = [("start", nodes, shards, seed)]
        self.pending: list[str] = []

    def _write(self, *about: Any) -> Answer:
        self.log.append((self.client, *about))
        status = about[1]
        if status == "pending":
            place = len(self.pending)
            self.pending.append("pending")
            return lambda: self.pending[place]
        return status

    put = delete = add = append = put_if = _write  # type: ignore[assignment]

    def get(self, key: str) -> Any:
        if key == "unavailable":
            raise Unavailable("no router")
        if key == "slow":
            return lambda: Read("v") if "acknowledged" in self.pending else None
        return {"doc-1": "v", "counter-1": 3, "list-1": ["a"]}.get(key)

    def scan(self) -> Sequence[Any]:
        return [("doc-1", "v"), ("list-1", ["a"])]

    def begin_migration(self, node: str) -> None:
        self.log.append(("begin", node))

    def move(self, shards: Sequence[int], node: str) -> None:
        self.log.append(("move", shards, node))

    def split(self, shard: int) -> int:
        return shard + 10

    def merge(self, shard: int, other: int) -> None:
        self.log.append(("merge", shard, other))

    def advance(self) -> bool:
        self.pending = [self.log[-1][-1] if isinstance(self.log[-1][-1], str) else "acknowledged"] * len(
            self.pending
        )
        return True

    def phase(self) -> str:
        return "copy"

    def inject(self, fault: str, node: str) -> None:
        if fault == "skew":
            raise NotSupported
        self.log.append((self.client, fault, node))

    def observe(self) -> Mapping[str, Any]:
        return {"documents": {"k": None}, "owner": {"k": "node-0"}, "more": object()}


# ------------------------------------------------------------------ one conversation


def test_it_says_what_it_has() -> None:
    class Small(Adapter):
        versioned = False

        def start(self, nodes: Sequence[str], shards: int, seed: int) -> None: ...
        def get(self, key: str) -> str | None: ...

    [reply] = said(Conversation(Small), "init", version=1, nodes=NODES, shards=2, seed=4)
    assert reply["operations"] == ["init", "reset", "stop", "get", "heal", "observe"]
    assert (reply["name"], reply["versioned"], reply["version"]) == ("Small", False, 1)
    [reply] = said(Conversation(All), "init", version=1, nodes=NODES, shards=2, seed=4)
    assert reply["operations"] == [*TYPES]
    for name in set(TYPES) - {"init", "reset", "stop", "get", "heal", "observe"}:
        assert said(begun(Small), name, **EXAMPLES[name])[0].get("code") == 10, name


EXAMPLES: dict[str, dict[str, Any]] = {
    "init": {"version": 1, "nodes": NODES, "shards": 2, "seed": 0},
    "reset": {"nodes": NODES, "shards": 2, "seed": 0},
    "put": {"client": "c", "key": "k", "value": "acknowledged"},
    "delete": {"client": "c", "key": "k"},
    "get": {"client": "c", "key": "doc-1"},
    "add": {"client": "c", "key": "k", "amount": 3},
    "put_if": {"client": "c", "key": "k", "old": None, "new": "v"},
    "append": {"client": "c", "key": "k", "item": "refused"},
    "scan": {"client": "c"},
    "begin_migration": {"node": "node-1"},
    "move": {"shards": [1], "node": "node-1"},
    "split": {"shard": 1},
    "merge": {"shard": 1, "other": 0},
    "fault": {"fault": "cut", "node": "node-1", "client": "c"},
    **{name: {} for name in ("stop", "advance", "phase", "heal", "observe")},
}


def test_there_is_an_example_of_every_message() -> None:
    assert set(EXAMPLES) == set(TYPES)


@pytest.mark.parametrize("name", ["put", "append", "put_if"])
@pytest.mark.parametrize(
    ("status", "reply"),
    [
        ("acknowledged", {}),
        ("refused", {"type": "error", "code": 14, "text": "refused"}),
        ("failed", {"type": "error", "code": 13, "text": "failed"}),
        ("unequal", {"type": "error", "code": 22, "text": "unequal"}),
    ],
)
def test_writes_are_replied_to(name: str, status: str, reply: dict[str, Any]) -> None:
    about = {"put": {"value": status}, "append": {"item": status}, "put_if": {"old": status, "new": "w"}}[
        name
    ]
    conversation = begun(All)
    if status == "unequal" and name != "put_if":
        with pytest.raises(ValueError, match=f"answered 'unequal' to {name}"):
            said(conversation, name, 2, client="client-2", key="k", **about)
        return
    assert said(conversation, name, 2, client="client-2", key="k", **about) == [
        {"type": f"{name}_ok", "in_reply_to": 2, **reply}
    ]
    assert conversation.system.log[-1] == ("client-2", "k", *about.values())  # type: ignore[union-attr]


def test_what_is_no_answer_is_the_adapters_failure() -> None:
    with pytest.raises(ValueError, match="the adapter answered 'done' to put"):
        said(begun(All), "put", client="c", key="k", value="done")


def test_what_goes_on_is_replied_to_before_the_reply_under_way() -> None:
    conversation = begun(All)
    assert said(conversation, "put", 2, client="c", key="k", value="pending")[0]["type"] == "pending"
    assert said(conversation, "get", 3, client="c", key="slow")[0]["type"] == "pending"
    assert said(conversation, "move", 4, shards=[1], node="acknowledged")[0]["type"] == "move_ok"
    assert said(conversation, "advance", 5) == [
        {"type": "put_ok", "in_reply_to": 2},
        {"type": "get_ok", "in_reply_to": 3, "value": "v"},
        {"type": "advance_ok", "in_reply_to": 5, "phase": "copy", "went": True},
    ]
    assert len(said(conversation, "advance", 6)) == 1


def test_a_reset_forgets_what_goes_on() -> None:
    conversation = begun(All)
    said(conversation, "put", 2, client="c", key="k", value="pending")
    before: Any = conversation.system
    assert said(conversation, "reset", 3, nodes=["a"], shards=5, seed=6) == [
        {"type": "reset_ok", "in_reply_to": 3}
    ]
    assert conversation.system.log == [("start", ["a"], 5, 6)]  # type: ignore[union-attr]
    before.pending[:] = ["acknowledged"]
    assert len(said(conversation, "advance", 4)) == 1


def test_the_rest_is_replied_to() -> None:
    c = begun(All)
    values = [
        said(c, "get", client="c", key=key)[0]["value"] for key in ("doc-1", "counter-1", "list-1", "no")
    ]
    assert values == ["v", 3, ["a"], None]
    assert said(c, "get", client="c", key="unavailable")[0] == {
        "type": "error", "in_reply_to": 1, "code": 11, "text": "no router",
    }  # fmt: skip
    assert said(c, "scan", client="c")[0]["documents"] == [["doc-1", "v"], ["list-1", ["a"]]]
    assert said(c, "begin_migration", node="node-1")[0] == {
        "type": "begin_migration_ok", "in_reply_to": 1, "phase": "copy",
    }  # fmt: skip
    assert said(c, "split", shard=3)[0]["shard"] == 13
    assert said(c, "phase")[0]["phase"] == "copy"
    assert said(c, "fault", fault="cut", node="node-1", client="client-3")[0]["phase"] == "copy"
    assert c.system.log[-1] == ("client-3", "cut", "node-1")  # type: ignore[union-attr]
    assert said(c, "fault", fault="skew", node="node-1", client="c")[0]["code"] == 10
    assert said(c, "observe")[0] == {
        "type": "observe_ok", "in_reply_to": 1, "documents": {"k": None}, "owner": {"k": "node-0"},
    }  # fmt: skip
    assert said(c, "stop")[0]["type"] == said(c, "stop")[0]["type"] == "stop_ok"


def test_init_comes_first() -> None:
    assert said(Conversation(All), "phase")[0] == {
        "type": "error", "in_reply_to": 1, "code": 12, "text": "phase comes before init",
    }  # fmt: skip


def test_what_it_does_not_understand_is_an_error() -> None:
    conversation = begun(All)
    assert said(conversation, "snapshot", 4)[0] == {
        "type": "error", "in_reply_to": 4, "code": 10, "text": "no such message",
    }  # fmt: skip
    [reply] = said(conversation, "put", 5, client="c", key="k")
    assert reply["code"] == 12 and "missing required field `value`" in reply["text"]


# ------------------------------------------------------------------ the reference, in process and over the wire


@pytest.fixture(scope="module")
def served() -> Any:
    made = adapter_of(REFERENCE, seconds=60)
    yield made
    made.close()


def test_the_reference_has_not(served: OfCommand) -> None:
    adapter = served()
    adapter.start(NODES, 2, 0)
    calls: dict[str, Callable[[], Any]] = {
        "add": lambda: adapter.add("counter-1", 1),
        "append": lambda: adapter.append("list-1", "a"),
        "put_if": lambda: adapter.put_if("doc-1", None, "v"),
        "scan": adapter.scan,
        "move": lambda: adapter.move([0], "node-1"),
        "split": lambda: adapter.split(0),
        "merge": lambda: adapter.merge(0, 1),
        "put": lambda: adapter.put("doc-1", "v"),
        "delete": lambda: adapter.delete("doc-1"),
        "get": lambda: adapter.get("doc-1"),
        "begin_migration": lambda: adapter.begin_migration("node-1"),
        "phase": adapter.phase,
        "advance": adapter.advance,
        **{fault: lambda fault=fault: adapter.inject(fault, "node-0") for fault in FAULTS},
    }

    def has(call: Callable[[], Any]) -> bool:
        try:
            call()
        except NotSupported:
            return False
        return True

    assert [name for name, call in calls.items() if not has(call)] == [
        "add", "append", "put_if", "move", "split", "merge",
    ]  # fmt: skip


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.sampled_from(["doc-0", "doc-1"])),
        st.tuples(st.sampled_from(["delete", "get"]), st.sampled_from(["doc-0", "doc-1"])),
        st.tuples(st.just("advance"), st.integers(1, 8)),
        st.tuples(st.just("begin"), st.sampled_from(NODES[1:])),
        st.tuples(st.sampled_from([*FAULTS]), st.sampled_from(NODES)),
        st.tuples(st.just("heal"), st.none()),
    ),
    max_size=30,
)


def told(adapter: Adapter, steps: Sequence[tuple[str, Any]], seed: int) -> list[Any]:
    """All that an adapter tells in the course of a schedule."""
    adapter.start(NODES, 2, seed)
    story: list[Any] = []
    asked: list[Callable[[], str]] = []
    for number, (what, about) in enumerate(steps):
        if what in ("put", "delete"):
            answer = adapter.put(about, f"v{number}") if what == "put" else adapter.delete(about)
            asked.append(answer if callable(answer) else lambda answer=answer: answer)
        elif what == "get":
            try:
                story.append(adapter.get(about))
            except Unavailable as error:
                story.append(type(error))
        elif what == "advance":
            story += [(adapter.advance(), adapter.phase()) for _ in range(about)]
        elif what == "begin":
            if adapter.phase() == "idle" and adapter.observe()["owner"].get("doc-0") != about:
                adapter.begin_migration(about)
        elif what == "heal":
            adapter.heal()
        else:
            adapter.inject(what, about)
        story.append((adapter.phase(), [ask() for ask in asked]))
    story.append(dict(adapter.observe()))
    adapter.stop()
    return story


@given(steps=STEPS, seed=st.integers(0, 99))
def test_the_wire_tells_what_the_adapter_tells(served: OfCommand, steps: list[Any], seed: int) -> None:
    assert told(served(), steps, seed) == told(conform.Reference(), steps, seed)


class Hasty(conform.Reference):
    without = ("ack_after_applied",)


def test_a_safeguard_may_be_left_out() -> None:
    steps = [("put", "doc-0"), ("begin", "node-1"), *[("advance", 1), ("put", "doc-1"), ("advance", 2)] * 9]
    adapter = adapter_of([*REFERENCE, "--without", "ack_after_applied"], seconds=60)
    try:
        assert told(adapter(), steps, 3) == told(Hasty(), steps, 3) != told(conform.Reference(), steps, 3)
    finally:
        adapter.close()


# ------------------------------------------------------------------ its process


def line(kind: str, number: int = 1, **body: Any) -> str:
    return json.dumps({"src": "c1", "dest": "s", "body": {"type": kind, "msg_id": number, **body}}) + "\n"


def served_as(tmp_path: Path, source: str, text: str, name: str = "") -> subprocess.CompletedProcess[str]:
    """What the server of an adapter in a file says to what is put into its stdin."""
    file = tmp_path / "my_adapter.py"
    file.write_text(f"from cutproof.checks.drivers.adapter import Adapter\n{source}")
    command = [*SERVER, f"{file}{name}"]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False)


MINE = """
class Mine(Adapter):
    def start(self, nodes, shards, seed): print("begins")
    def put(self, key, value): raise RuntimeError("no disk")
    def stop(self): print("stops")
"""


def test_what_an_adapter_prints_is_no_reply(tmp_path: Path) -> None:
    ran = served_as(tmp_path, MINE, line("init", **EXAMPLES["init"]))
    assert ran.returncode == 0
    assert [json.loads(reply)["body"]["type"] for reply in ran.stdout.splitlines()] == ["init_ok"]
    assert ran.stderr.splitlines() == ["begins", "stops"]


def test_what_an_adapter_raises_ends_it(tmp_path: Path) -> None:
    ran = served_as(
        tmp_path, MINE, line("init", **EXAMPLES["init"]) + line("put", 2, **EXAMPLES["put"]), ":Mine"
    )
    assert ran.returncode == 1 and ran.stdout.count("\n") == 1
    assert ran.stderr.rstrip().endswith("RuntimeError: no disk")


LAZY = """
class Mine(Adapter):
    def start(self, nodes, shards, seed): pass
"""


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("hello\n", "a line of stdin is no request: JSON is malformed"),
        ('{"src":"c1"}\n', "a line of stdin is no request: Object missing required field `dest`"),
        (line("advance")[:-1] * 40_000, "a line of stdin has more than 1,048,576 bytes"),
    ],
)
def test_a_line_that_can_have_no_reply_ends_it(tmp_path: Path, text: str, why: str) -> None:
    ran = served_as(tmp_path, LAZY, text)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith(f"cutproof: {why}") and ran.stderr.count("\n") == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_it(number: int) -> None:
    process = subprocess.Popen(REFERENCE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin and process.stdout
    with process:
        process.stdin.write(line("init", **EXAMPLES["init"]))
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["body"]["type"] == "init_ok"
        process.send_signal(number)
        assert process.wait(60) == 0


def test_an_end_of_the_reader_ends_it(tmp_path: Path) -> None:
    file = tmp_path / "my_adapter.py"
    file.write_text(f"from cutproof.checks.drivers.adapter import Adapter\n{LAZY}")
    process = subprocess.Popen([*SERVER, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin and process.stdout
    with process:
        process.stdout.close()
        process.stdin.write(line("init", **EXAMPLES["init"]))
        process.stdin.flush()
        assert process.wait(60) == 0


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ([], "say which adapter: python -m cutproof.checks.drivers.wire.server FILE.py:NAME"),
        (["there_is_none.py"], "there_is_none.py: No such file or directory"),
    ],
)
def test_what_is_no_adapter_is_refused(arguments: list[str], why: str) -> None:
    ran = subprocess.run([*SERVER, *arguments], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (2, f"cutproof: {why}\n")


def test_every_message_has_a_reply() -> None:
    assert all(reply.__name__ == f"{kind.__name__}Ok" for kind, reply in REPLIES.items())
