"""A program as an adapter: what it replies is told as an adapter tells it, and all runs share its process."""

from __future__ import annotations

import json
import os
import pickle
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from processes import ended

from cutproof.checks.drivers.adapter import Adapter, NotSupported, Read, Unavailable
from cutproof.checks.drivers.wire.client import OfCommand, adapter_of
from cutproof.checks.drivers.wire.envelope import CODES, DEFINITE
from cutproof.checks.drivers.wire.program import NotStarted, ProgramFailed

NODES = ["node-0", "node-1"]

# Each line of its stdin is answered by the lists of replies that a type has, in turn; the last one again and again.
SCRIPTED = """
import json, sys
replies, ids = json.loads(sys.argv[1]), {}
for line in sys.stdin:
    asked = json.loads(line)["body"]
    kind, number = asked["type"], asked["msg_id"]
    print(json.dumps(asked), file=sys.stderr, flush=True)
    turns = replies.get(kind, [[{}]])
    for reply in turns.pop(0) if len(turns) > 1 else turns[0]:
        to = ids[reply.pop("to")] if "to" in reply else number
        body = {"type": kind + "_ok", "in_reply_to": to, **reply}
        print(json.dumps({"src": "s", "dest": "c1", "body": body}))
    ids[kind] = number
    sys.stdout.flush()
"""
Make = Callable[..., Any]


@pytest.fixture
def make() -> Iterator[Make]:
    """Adapters that have begun a run, from the replies of a program."""
    made: list[OfCommand] = []

    def start(**replies: Any) -> Adapter:
        command = [sys.executable, "-ISc", SCRIPTED, json.dumps(replies)]
        made.append(adapter_of(command, seconds=60, grace=0.05))
        adapter: Adapter = made[-1]()
        adapter.start(NODES, 2, 5)
        return adapter

    yield start
    for adapter in made:
        adapter.close()


def error(code: int, **more: Any) -> Mapping[str, Any]:
    return {"type": "error", "code": code, **more}


def heard(adapter: Any) -> list[Any]:
    """What the program was asked, as it logged it; it fails first, since only then it is shown."""
    with pytest.raises(ProgramFailed) as caught:
        type(adapter).program.fail("the test ends")
    return [json.loads(line) for line in caught.value.stderr]


# ------------------------------------------------------------------ what clients are told


WRITES = {
    "put": ["k", "v"], "add": ["k", 2], "append": ["k", "v"], "put_if": ["k", None, "v"], "delete": ["k"],
}  # fmt: skip
OTHER = [code for code in (*CODES, 1000, -1) if code not in (10, 12)]


@pytest.mark.parametrize("method", WRITES)
def test_errors_of_writes_are_definite_or_not(make: Make, method: str) -> None:
    adapter = make(**{method: [[error(code)] for code in [*OTHER, 10]]})
    write = getattr(adapter, method)
    for code in OTHER:
        definite = "unequal" if method == "put_if" and code in (20, 21, 22) else "refused"
        assert write(*WRITES[method]) == (definite if code in DEFINITE else "failed"), code
    with pytest.raises(NotSupported):
        write(*WRITES[method])


def test_who_does_not_understand_has_failed(make: Make) -> None:
    adapter = make(put=[[error(12, text="what?")]])
    with pytest.raises(ProgramFailed, match=r"answered put with error 12 \(malformed request\): what\?"):
        adapter.put("k", "v")


def test_writes_are_acknowledged(make: Make) -> None:
    adapter = make()
    adapter.client = "client-2"
    assert adapter.put("k", "v") == adapter.delete("k") == adapter.add("n", 3) == "acknowledged"
    assert adapter.append("l", "i") == adapter.put_if("k", None, "w") == "acknowledged"
    put, delete, add, append, put_if = heard(adapter)[1:]
    assert put == {"type": "put", "msg_id": 2, "client": "client-2", "key": "k", "value": "v"}
    assert delete == {"type": "delete", "msg_id": 3, "client": "client-2", "key": "k"}
    assert add == {"type": "add", "msg_id": 4, "client": "client-2", "key": "n", "amount": 3}
    assert append == {"type": "append", "msg_id": 5, "client": "client-2", "key": "l", "item": "i"}
    assert put_if == {
        "type": "put_if",
        "msg_id": 6,
        "client": "client-2",
        "key": "k",
        "old": None,
        "new": "w",
    }


def test_a_read_shows_a_value(make: Make) -> None:
    values: list[Any] = ["text", 7, ["a", "b"], [], None]
    adapter = make(get=[[{"value": value}] for value in values])
    assert [adapter.get("k") for _ in values] == values


@pytest.mark.parametrize("value", [1.5, True, {"a": 1}, [1], [None]])
def test_what_is_no_value_is_said(make: Make, value: Any) -> None:
    with pytest.raises(ProgramFailed, match="is not a reply: Expected"):
        make(get=[[{"value": value}]]).get("k")


def test_a_read_without_a_value_is_said(make: Make) -> None:
    with pytest.raises(ProgramFailed, match="missing required field `value`"):
        make().get("k")


def test_a_read_without_an_answer_is_unavailable(make: Make) -> None:
    codes = [0, 1, 11, 13, 14, 22, 1000]
    adapter = make(get=[[error(code)] for code in codes], scan=[[error(code)] for code in codes])
    for _ in codes:
        for read in (lambda: adapter.get("k"), adapter.scan):
            with pytest.raises(Unavailable):
                read()


def test_no_such_key_is_nothing(make: Make) -> None:
    assert make(get=[[error(20)]]).get("k") is None


def test_a_scan_shows_documents(make: Make) -> None:
    documents = [["a", "1"], ["a", "1"], ["n", 2], ["l", ["x"]]]
    assert [*map(list, make(scan=[[{"documents": documents}]]).scan())] == documents


# ------------------------------------------------------------------ what goes on


@pytest.mark.parametrize(
    ("late", "told"),
    [({}, "acknowledged"), (error(11), "refused"), (error(13), "failed"), (error(10), "refused")],
)
def test_a_write_that_goes_on_is_told_later(make: Make, late: Mapping[str, Any], told: str) -> None:
    reply = {"type": "put_ok", **late, "to": "put"}
    adapter = make(put=[[{"type": "pending"}]], advance=[[{"went": True}], [reply, {"went": True}]])
    status = adapter.put("k", "v")
    assert status() == "pending"
    adapter.advance()
    assert status() == "pending"
    adapter.advance()
    assert status() == status() == told


@pytest.mark.parametrize(
    ("late", "shows"), [({"value": "v"}, Read("v")), ({"value": None}, Read(None)), (error(20), Read(None))]
)
def test_a_read_that_goes_on_is_told_later(make: Make, late: Mapping[str, Any], shows: Read) -> None:
    reply = {"type": "get_ok", **late, "to": "get"}
    adapter = make(get=[[{"type": "pending"}]], advance=[[reply, {"went": True}]])
    read = adapter.get("k")
    assert read() is None
    adapter.advance()
    assert read() == shows


def test_a_read_that_goes_on_may_get_no_answer(make: Make) -> None:
    adapter = make(get=[[{"type": "pending"}]], advance=[[{**error(11), "to": "get"}, {"went": True}]])
    read = adapter.get("k")
    adapter.advance()
    with pytest.raises(Unavailable):
        read()


@pytest.mark.parametrize("late", [{"type": "get_ok", "value": None}, {"type": "stop_ok"}])
def test_another_answer_in_the_end_is_said(make: Make, late: Mapping[str, Any]) -> None:
    adapter = make(put=[[{"type": "pending"}]], advance=[[{**late, "to": "put"}, {"went": True}]])
    status = adapter.put("k", "v")
    adapter.advance()
    with pytest.raises(ProgramFailed, match="answered put in the end with"):
        status()


def test_nothing_of_the_run_before_is_answered(make: Make) -> None:
    adapter = make(put=[[{"type": "pending"}]], advance=[[{"type": "put_ok", "to": "put"}, {"went": True}]])
    adapter.put("k", "v")
    adapter.start(NODES, 2, 5)
    with pytest.raises(ProgramFailed, match="replied to message 2"):
        adapter.advance()


# ------------------------------------------------------------------ migrations, faults, looking


def test_the_phase_rides_along(make: Make) -> None:
    adapter = make(
        begin_migration=[[{"phase": "copy"}]],
        advance=[[{"went": True, "phase": "seal"}], [{"went": True}]],
        phase=[[error(10)]],
        fault=[[{"phase": "idle"}]],
    )
    adapter.begin_migration("node-1")
    assert adapter.phase() == "copy"
    adapter.advance()
    assert adapter.phase() == "seal"
    adapter.advance()
    assert adapter.phase() == "seal"  # it was not told, and can't be asked: where it last was
    adapter.inject("cut", "node-0")
    assert adapter.phase() == "idle"
    assert [asked["type"] for asked in heard(adapter)].count("phase") == 1


def test_a_phase_that_is_told_now_and_then_is_asked_for_in_between(make: Make) -> None:
    adapter = make(
        begin_migration=[[{"phase": "copy"}]], phase=[[{"phase": "idle"}]], advance=[[{"went": True}]]
    )
    adapter.begin_migration("node-1")
    assert adapter.phase() == "copy"
    adapter.advance()
    assert adapter.phase() == "idle"


def test_a_migration_that_cannot_begin_now_is_declined(make: Make) -> None:
    adapter = make(begin_migration=[[error(11)]])
    with pytest.raises(Unavailable):
        adapter.begin_migration("node-1")


def test_the_phase_is_asked_for_where_it_does_not(make: Make) -> None:
    adapter = make(advance=[[{"went": False}]], phase=[[{"phase": "copy"}], [{"phase": "idle"}]])
    adapter.begin_migration("node-1")
    assert adapter.phase() == "copy"
    assert adapter.advance() is False
    assert adapter.phase() == "idle"


def test_moves_splits_and_merges(make: Make) -> None:
    adapter = make(split=[[{"shard": 2}]], phase=[[error(10)]])
    adapter.move([0, 1], "node-1")
    assert adapter.split(1) == 2
    adapter.merge(1, 2)
    assert heard(adapter)[1:] == [
        {"type": "move", "msg_id": 2, "shards": [0, 1], "node": "node-1"},
        {"type": "split", "msg_id": 3, "shard": 1},
        {"type": "merge", "msg_id": 4, "shard": 1, "other": 2},
    ]
    adapter.start(NODES, 2, 0)
    adapter.merge(0, 1)
    with pytest.raises(NotSupported):
        adapter.phase()


def test_a_fault_that_it_has_not_is_asked_for_once(make: Make) -> None:
    adapter = make(fault=[[error(10)], [{}]])
    for _ in range(2):
        with pytest.raises(NotSupported):
            adapter.inject("pause", "node-0")
    adapter.client = "client-3"
    adapter.inject("stale", "node-1")
    adapter.heal()
    _, pause, stale, heal = heard(adapter)
    assert pause["fault"] == "pause"
    assert stale == {"type": "fault", "msg_id": 3, "fault": "stale", "node": "node-1", "client": "client-3"}
    assert heal["type"] == "heal"


def test_what_it_says_that_it_has_is_all_that_it_is_asked(make: Make) -> None:
    adapter = make(init=[[{"operations": ["put", "fault"], "faults": ["cut"], "versioned": False}]])
    assert type(adapter).versioned is adapter.versioned is False
    assert adapter.put("k", "v") == "acknowledged"
    adapter.inject("cut", "node-0")
    for call in (
        lambda: adapter.get("k"),
        lambda: adapter.inject("pause", "node-0"),
        adapter.advance,
        adapter.scan,
    ):
        with pytest.raises(NotSupported):
            call()
    adapter.heal()
    adapter.stop()
    assert adapter.observe() == {}
    assert [asked["type"] for asked in heard(adapter)] == ["init", "put", "fault"]


def test_what_it_shows_of_itself(make: Make) -> None:
    shown = {"documents": {"k": "v", "n": 2, "d": None}, "nodes": {"node-0": {"k": "v"}}}
    assert make(observe=[[shown]]).observe() == shown
    assert make(observe=[[error(10)]]).observe() == {}


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ({"type": "put_ok"}, "answered advance with put_ok, not with advance_ok"),
        ({"type": "pending"}, "answered advance with pending, not with advance_ok"),
        (error(11, text="no"), r"answered advance with error 11 \(temporarily unavailable\): no"),
        ({}, "missing required field `went`"),
        ({"went": 1}, "Expected `bool`, got `int`"),
        ({"went": True, "phase": 3}, "Expected `str | null`, got `int`"),
    ],
)
def test_another_answer_is_said(make: Make, reply: Mapping[str, Any], said: str) -> None:
    with pytest.raises(ProgramFailed, match=said):
        make(advance=[[reply]]).advance()


# ------------------------------------------------------------------ runs and their process


def test_runs_share_a_process(make: Make) -> None:
    adapter = make()
    adapter.stop()
    other = type(adapter)()
    other.start(NODES, 3, 9)
    init, stop, reset = heard(adapter)
    assert init == {"type": "init", "msg_id": 1, "version": 1, "nodes": NODES, "shards": 2, "seed": 5}
    assert stop["type"] == "stop"
    assert reset == {"type": "reset", "msg_id": 3, "nodes": NODES, "shards": 3, "seed": 9}


def pid(adapter: Any) -> int:
    program = type(adapter).program
    assert program
    return program.pid


def test_who_cannot_be_reset_is_started_anew(make: Make) -> None:
    adapter = make(reset=[[error(10)]])
    before = pid(adapter)
    adapter.start(NODES, 2, 5)
    assert ended(before) and pid(adapter) != before
    assert adapter.put("k", "v") == "acknowledged"


def test_after_a_failure_the_next_run_has_a_new_process(make: Make) -> None:
    adapter = make()
    with pytest.raises(ProgramFailed):
        adapter.get("k")
    before = pid(adapter)
    with pytest.raises(ProgramFailed):
        adapter.put("k", "v")
    adapter.stop()
    other = type(adapter)()
    other.start(NODES, 2, 5)
    assert other.put("k", "v") == "acknowledged" and pid(other) != before


def test_another_process_has_a_program_of_its_own(make: Make) -> None:
    adapter = make()
    if not (child := os.fork()):
        before = pid(adapter)
        adapter.start(NODES, 2, 5)
        alone = pid(adapter) != before and adapter.put("k", "v") == "acknowledged"
        type(adapter).close()
        os._exit(not alone)
    assert os.waitpid(child, 0)[1] == 0
    assert adapter.put("k", "v") == "acknowledged"


def test_classes_are_pickled_by_their_command(tmp_path: Path) -> None:
    made = adapter_of(["./store", "--fast"], seconds=3, folder=tmp_path)
    again = pickle.loads(pickle.dumps(made))
    assert again.command == ("./store", "--fast") and again.options == made.options
    assert again.__name__ == "./store --fast"


@pytest.mark.parametrize(
    ("replies", "said"),
    [
        ([[error(10)]], "answered init with not supported"),
        ([[{"version": 2}]], "speaks version 2 of the protocol; this is version 1"),
        ([[error(14, text="disk full")]], r"answered init with error 14 \(abort\): disk full"),
    ],
)
def test_who_cannot_begin_is_said(make: Make, replies: Any, said: str) -> None:
    with pytest.raises(ProgramFailed, match=said):
        make(init=replies)


def test_what_is_not_there_cannot_begin() -> None:
    with pytest.raises(NotStarted, match="no-such-program cannot be started: No such file"):
        adapter_of(["./no-such-program"])().start(NODES, 2, 5)
