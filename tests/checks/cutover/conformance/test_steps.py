"""Schedules as data and as files: written, read back, and refused where they are damaged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutproof.checks.common.refusals import Wrong
from cutproof.checks.cutover.conformance import steps
from cutproof.checks.cutover.conformance.steps import Found, Schedule, Step
from cutproof.checks.drivers.adapter import FAULTS

PIECES = (b"", b"\xff", b"[[[[", b"{", b"9" * 30, b"null", b"-1", b'"', b"1e999", b"\x00")
KEYS = st.sampled_from(["doc-0", "doc-12", "ä"])
CLIENTS = st.sampled_from(["", "client-1", "client-2"])
STEPS = st.one_of(
    st.builds(Step, st.sampled_from([*steps.REGISTER, "get"]), key=KEYS, client=CLIENTS),
    st.builds(Step, st.just("add"), key=st.just("counter-0"), client=CLIENTS),
    st.builds(Step, st.just("append"), key=st.just("list-0"), client=CLIENTS),
    st.builds(Step, st.just("put_if"), key=KEYS, matches=st.booleans()),
    st.builds(Step, st.just("advance"), times=st.integers(1, steps.MOST)),
    st.builds(Step, st.just("begin_migration"), hop=st.integers(1, 2)),
    st.builds(Step, st.just("move"), shards=st.tuples(st.integers(0, 9)), hop=st.integers(1, 2)),
    st.builds(Step, st.just("merge"), shards=st.tuples(st.integers(0, 9), st.integers(0, 9))),
    st.builds(
        Step, st.just("fault"), fault=st.sampled_from(list(FAULTS)), role=st.integers(0, 2), client=CLIENTS
    ),
    st.just(Step("heal")),
    st.just(Step("scan")),
)
SCHEDULES = st.builds(
    Schedule, st.lists(STEPS, max_size=12).map(tuple), seed=st.integers(0, 2**63 - 1), shards=st.integers(1, 9),
    found=st.none() | st.builds(Found, st.text(max_size=9), st.text(max_size=9), st.integers(0, 9)),
    system=st.text(max_size=9), told=st.lists(st.text(max_size=9), max_size=3).map(tuple),
)  # fmt: skip


@given(SCHEDULES)
def test_a_schedule_is_read_back_as_it_was(schedule: Schedule) -> None:
    text = steps.text(schedule)
    assert steps.parsed(text.encode(), "it") == schedule
    assert steps.text(steps.parsed(text.encode(), "it")) == text
    assert steps.looks_like_one(text.encode())


@given(SCHEDULES, st.data())
def test_broken_bytes_are_refused_in_one_line_or_are_a_schedule(
    schedule: Schedule, data: st.DataObject
) -> None:
    text = bytearray(steps.text(schedule).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text) - 1))
        piece = data.draw(
            st.sampled_from([b"", b"\xff", b"[[[[", b"{", b"9" * 30, b"null", b"-1", b'"', b"1e999", b"\x00"])
        )
        text[at : at + data.draw(st.integers(0, 9))] = piece
    try:
        read = steps.parsed(bytes(text), "it")
    except Wrong as error:
        assert str(error).startswith("it: ")
        assert "\n" not in str(error)
    else:
        assert all(isinstance(step, Step) for step in read.steps)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_in_one_line(data: bytes) -> None:
    with pytest.raises(Wrong, match=r"^it: "):
        steps.parsed(data, "it")


HEAD = {"format": steps.FORMAT}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({**HEAD, "steps": [{"do": "put"}]}, "put needs a key"),
        ({**HEAD, "steps": [{"do": "put", "key": "counter-0"}]}, "put of 'counter-0': counters are added to"),
        ({**HEAD, "steps": [{"do": "append", "key": "doc-0"}]}, "append of 'doc-0'"),
        ({**HEAD, "steps": [{"do": "move", "shards": [-3]}]}, "shards have numbers from 0"),
        ({**HEAD, "steps": [{"do": "advance"}]}, "advance needs times"),
        ({**HEAD, "steps": [{"do": "advance", "times": 10**9}]}, "advance needs times"),
        ({**HEAD, "steps": [{"do": "fault", "fault": "flood"}]}, "'flood' is no fault"),
        ({**HEAD, "steps": [{"do": "merge", "shards": [1]}]}, "merge needs two shards"),
        ({**HEAD, "steps": [{"do": "dance"}]}, "Invalid enum value 'dance'"),
        ({**HEAD, "steps": [{"do": "heal", "why": 1}]}, "unknown field `why`"),
        ({**HEAD, "steps": [], "shards": 0}, "$.shards"),
        ({**HEAD, "steps": [], "seed": "x"}, "$.seed"),
        ({**HEAD, "steps": [{"do": "heal"}] * 10_001}, "10,000 are the most"),
        ({"steps": []}, "missing required field `format`"),
        ({"format": "another", "steps": []}, "$.format"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(content: dict[str, Any], said: str) -> None:
    with pytest.raises(Wrong) as caught:
        steps.parsed(json.dumps(content).encode(), "it.json")
    assert said in str(caught.value)


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(Wrong, match=r"^it: "):
        steps.parsed(b'{"format": "cutproof-schedule-1", "steps": ' + b"[" * 100_000, "it")


def test_a_file_is_never_lost(tmp_path: Path) -> None:
    one, other = Schedule((Step("heal"),)), Schedule((Step("scan"),))
    file = tmp_path / "new" / "one.schedule.json"
    steps.write(file, one)
    steps.write(file, one)
    with pytest.raises(FileExistsError):
        steps.write(file, other)
    assert steps.read(file) == one
    steps.write(file, other, overwrite=True)
    assert steps.read(file) == other
    assert [f.name for f in file.parent.iterdir()] == [file.name]


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    for name in (tmp_path, tmp_path / "none", "a\0b"):
        with pytest.raises(Wrong):
            steps.read(name)
