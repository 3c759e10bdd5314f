"""Lines of logs mean what they say; what means nothing is refused with its line, whatever bytes there are."""

from __future__ import annotations

import io
import json
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from cutproof.checks.common.refusals import Wrong
from cutproof.checks.drivers.histories import records as recording
from cutproof.checks.drivers.logs import reading as reads
from cutproof.checks.drivers.logs.check import check
from cutproof.checks.drivers.logs.meaning import Meaning
from cutproof.checks.drivers.logs.reading import Log, Reading
from cutproof.checks.drivers.logs.search import Rules
from cutproof.model.language import (
    action,
    bag,
    boolean,
    count,
    each,
    enumeration,
    family,
    guard,
    put,
    queue,
    record,
    subset,
    when,
)
from cutproof.model.language.protocol import Protocol


class Node(Enum):
    A = "a"
    B = "b"


class Note(Enum):
    ASK = "ask"
    YES = "yes"


@action
def start(s, node, step):
    "A node starts."
    return when(guard("down", ~s.up[node])).then(up=put(s.up, node, True))


@action
def stop(s):
    "All stop."
    return when(guard("some up", s.up[Node.A] | s.up[Node.B])).then(up=each(s.up, False))


PROTOCOL = Protocol(
    name="kinds",
    indices={"node": (Node.A, Node.B), "step": (1, 2), "flag": (False, True)},
    variables={
        "up": family("node", of=boolean()),
        "level": count(-1, 3),
        "fixed": count(2, 2),
        "who": enumeration(Node),
        "grid": family("node", "step", of=count(0, 2)),
        "seen": subset(of=Note),
        "rows": subset(of=record(kind=Note, many=count(0, 1))),
        "mail": family("node", of=queue(of=record(kind=Note, hop=count(0, 2)), capacity=2)),
        "sack": bag(of=Note, most=2),
        "box": record(kind=Note, inner=queue(of=count(0, 2), capacity=2)),
    },
    actions=[start, stop],
    properties=[],
)
MEANING = Meaning(PROTOCOL)


def logs(text: str | bytes, **more: Any) -> list[Log]:
    data = text if isinstance(text, bytes) else text.encode()
    return Reading(MEANING, **more).logs(io.BytesIO(data), "l")


def explained(*lines: dict[str, Any]) -> bool:
    """Whether these lines can be explained from the initial state."""
    text = "".join(json.dumps(line) + "\n" for line in lines)
    return check(PROTOCOL, logs(text), Rules()).verdict == "accepted"


FIRST: list[tuple[dict[str, Any], dict[str, Any]]] = [  # what is true at the start, and what is not
    ({"up": {"A": False}}, {"up": {"A": True}}),
    ({"up": [False, False]}, {"up": [False, True]}),
    ({"up[A]": False, "up[B]": False}, {"up[A]": False, "up[B]": True}),
    ({"level": -1}, {"level": 0}),
    ({"fixed": 2}, {"level": 1, "fixed": 2}),
    ({"who": "A"}, {"who": "B"}),
    ({"grid": {"A": {"1": 0}, "B": [0, 0]}}, {"grid": {"A": {"1": 0}, "B": [0, 1]}}),
    ({"grid[A,2]": 0}, {"grid[A,2]": 1}),
    ({"grid[A]": {"2": 0}}, {"grid[A]": [0, 1]}),
    ({"grid[A][2]": 0}, {"grid[A, 2]": 1}),
    ({"seen": []}, {"seen": ["ASK"]}),
    ({"rows": []}, {"rows": [{"kind": "ASK", "many": 1}]}),
    ({"mail": {"B": []}}, {"mail": {"B": [{"kind": "ASK", "hop": 0}]}}),
    ({"mail[B]": []}, {"mail[B]": [{"kind": "YES", "hop": 2}]}),
    ({"sack": []}, {"sack": ["YES", "YES"]}),
    ({"box": {"kind": "ASK"}}, {"box": {"kind": "YES"}}),
    ({"box": {"inner": []}}, {"box": {"inner": [1]}}),
    ({}, {"level": 0, "up": {}}),
    ({"up": {}}, {"up": {"A": False}, "up[A]": True}),
]


@pytest.mark.parametrize(("true", "false"), FIRST)
def test_a_part_of_a_state_is_compared(true: dict[str, Any], false: dict[str, Any]) -> None:
    assert explained({"state": true})
    assert not explained({"state": false})
    if not any(name.startswith("up") for name in true):
        assert explained({"action": "start", "args": {"node": "A"}, "state": {**true, "up[A]": True}})
    refused = check(PROTOCOL, logs(json.dumps({"state": false})), Rules()).refusal
    assert refused is not None and refused.differs
    assert any(d.log != d.protocol for d in refused.differs)


def test_arguments_are_named_as_a_driver_names_them() -> None:
    up = {"action": "start", "state": {"up[B]": True}}
    for args in ({}, {"node": "B"}, {"node": "B", "step": 2}, {"step": "1"}):
        assert explained({**up, "args": args}), args
        assert explained({**up, "arguments": args}), args
    assert not explained({**up, "args": {"node": "A"}})
    assert not explained(up, {"action": "start", "args": {"node": "B"}})
    assert explained(up, {"action": "start"}, {"action": "stop"})
    assert explained({"action": "?", "args": {"node": "B"}, "state": {"up[B]": True}})
    assert not explained({"action": "?"}, {"action": "?", "args": {"node": "B"}, "state": {"up[B]": False}})


def test_null_is_nothing() -> None:
    (log,) = logs(
        '{"action": "stop", "args": null, "state": null}\n\n{"action": null, "state": {"level": 0}}'
    )
    assert log.numbers == [1, 3]
    assert [event.numbers is None for event in log.events] == [False, True]


LINE = '{"action": "start", "args": {"node": "A"}}\n'


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "l:1: Input data was truncated"),
        (LINE + "\nstarted A", "l:3: JSON is malformed: invalid character (byte 0); a log has an object in JSON on"
                               " each line"),
        ("[]", "l:1: Expected `object`, got `array`; a log has an object in JSON on each line"),
        ('{"event": "start"}', "l:1: has neither an action nor a state"),
        ('{"action": null}', "l:1: has neither an action nor a state"),
        ('{"action": 3}', "l:1: action: Expected `str | null`, got `int`"),
        ('{"action": "strat"}', "l:1: kinds has no action 'strat'; did you mean start?"),
        ('{"action": "elect"}', "l:1: kinds has no action 'elect'; there are start, stop"),
        ('{"action": "start", "args": []}', "l:1: args: Expected `object | null`, got `array`"),
        ('{"action": "start", "args": {}, "arguments": {}}', "l:1: has args and arguments: one of them is enough"),
        ('{"action": "start", "args": {"nod": "A"}}', "l:1: start has no argument 'nod'; did you mean node?"),
        ('{"action": "start", "args": {"x": "A"}}', "l:1: start has no argument 'x'; it takes node, step"),
        ('{"action": "stop", "args": {"x": 1}}', "l:1: stop has no argument 'x'; it takes no arguments"),
        ('{"action": "start", "args": {"node": "C"}}', "l:1: start has no node 'C'; there are A, B"),
        ('{"action": "start", "args": {"step": true}}', "l:1: start has no step True; there are 1, 2"),
        ('{"action": "start", "args": {"step": 1.0}}', "l:1: start has no step 1.0; there are 1, 2"),
        ('{"args": {"step": 1}, "state": {"level": 0}}', "l:1: has args and no action"),
        ('{"state": 4}', "l:1: state: Expected `object | null`, got `int`"),
        ('{"state": {"levle": 4}}', "l:1: state: there is no 'levle'; did you mean level?"),
        ('{"state": {"up[C]": true}}', "l:1: state: there is no 'up[C]'; did you mean up[B] or up[A]?"),
        ('{"state": {"level[0]": 1}}', "l:1: state: there is no 'level[0]'; level has no index"),
        ('{"state": {"level": 4}}', "l:1: state: level is 4, which the protocol cannot have: -1..3"),
        ('{"state": {"level": true}}', "l:1: state: level is True, which the protocol cannot have: -1..3"),
        ('{"state": {"level": 1.0}}', "l:1: state: level is 1.0, which the protocol cannot have: -1..3"),
        ('{"state": {"level": NaN}}', "l:1: JSON is malformed"),
        ('{"state": {"level": 1e999}}', "l:1: state: Number out of range"),
        ('{"state": {"level": null}}', "l:1: state: level is None, which the protocol cannot have: -1..3"),
        ('{"state": {"fixed": 3}}', "l:1: state: fixed is 3, which the protocol cannot have: 2..2"),
        ('{"state": {"who": "a"}}', "l:1: state: who is 'a', which the protocol cannot have: A | B"),
        ('{"state": {"up": true}}', "l:1: state: up is True; it needs an object by index, or a list"),
        ('{"state": {"up": [true]}}', "l:1: state: up has 1 values; it needs one for each of A, B"),
        ('{"state": {"up": {"C": true}}}', "l:1: state: up has no index 'C'; there are A, B"),
        ('{"state": {"up": {"A": 1}}}', "l:1: state: up[A] is 1, which the protocol cannot have: False | True"),
        ('{"state": {"seen": ["NO"]}}', "l:1: state: seen: 'NO' is no member of set of"),
        ('{"state": {"seen": 1}}', "l:1: state: seen: 1 is no set"),
        ('{"state": {"mail": {"A": [1]}}}', "l:1: state: mail[A]: 1 is no record of kind, hop"),
        ('{"state": {"mail": {"A": [{"kind": "ASK", "hop": 3}]}}}', "l:1: state: mail[A]: mail[A,0,hop] is 3, which"),
        ('{"state": {"mail": {"A": [1, 2, 3]}}}', "l:1: state: mail[A]: [1, 2, 3] is no list of at most 2 values"),
        ('{"state": {"sack": ["ASK", "ASK", "ASK"]}}', "l:1: state: sack: sack[ASK] is 3, which"),
        ('{"state": {"box": {"knid": "ASK"}}}', "l:1: state: box has no field 'knid'; did you mean kind?"),
        ('{"state": {"box": 3}}', "l:1: state: box: 3 is no record of kind, inner"),
        ('{"state": ' + "[" * 5000 + "]" * 5000 + "}", "l:1: "),
        ('{"state": {"seen": ' + "[" * 5000 + "]" * 5000 + "}}", "l:1: "),
        (b"\xff\xfe", "l:1: JSON is malformed: invalid character (byte 0)"),
        (b'{"action": "\xff"}', "l:1: "),
        ('{"action": "' + "a" * 5000 + '"}', "l:1: kinds has no action 'aaa"),
        ('{"action": "\\u001b[2J"}', "l:1: kinds has no action '\\x1b[2J'"),
    ],
)  # fmt: skip
def test_what_means_nothing_is_refused_with_its_line(text: str | bytes, reason: str) -> None:
    with pytest.raises(Wrong) as refused:
        logs(text)
    said = str(refused.value)
    assert said.startswith(reason) and len(said) < 600 and said.isprintable()


def test_lines_of_ignored_actions_are_passed_over_and_other_fields_are_named() -> None:
    reading = Reading(MEANING, ["heartbeat"])
    text = '{"action": "heartbeat", "args": {"any": 1}, "state": {"thing": 2}}\n{"ts": 1, "action": "stop"}\n'
    (log,) = reading.logs(io.BytesIO(text.encode()), "l")
    assert (log.numbers, reading.passed_over, list(reading.unused)) == ([2], 1, ["ts"])


def test_one_file_may_be_the_logs_of_several_nodes() -> None:
    lines = [
        {"action": "stop", "node": "a"},
        {"action": "start", "node": 2},
        {"action": "start", "node": "a"},
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    first, second = logs(text, node="node")
    assert (first.numbers, second.numbers) == ([1, 3], [2])
    with pytest.raises(Wrong, match="l:2: has no field 'node', which is to say whose line it is"):
        logs(text.replace('"node": 2', '"no": 2'), node="node")


def test_bounds_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reads, "MOST", 2)
    with pytest.raises(Wrong, match="l:3: is one event too many: there may be 2"):
        logs(LINE * 3)
    monkeypatch.setattr(recording, "LONGEST", 60)
    with pytest.raises(Wrong, match="l:1: is longer than 60 bytes"):
        logs('{"action": "' + "x" * 100)


def test_files_that_are_none_are_refused(tmp_path: Path) -> None:
    for path, reason in (
        (tmp_path / "none", "No such file"),
        (tmp_path, "is a folder"),
        ("a\0b", "is a name"),
    ):
        with pytest.raises(Wrong, match=reason):
            Reading(MEANING).file(str(path))


# ------------------------------------------------------------------ broken bytes

GOOD = "".join(
    json.dumps({"action": "start", "args": {"node": "A"}, "state": true}) + "\n" for true, _ in FIRST
)
PIECES = st.sampled_from(
    [b"{", b"}", b"[", b"]", b'"', b":", b",", b"\x00", b"\xff", b"\n", b"null", b"-", b"1e999", b"NaN", b"\\u", b"9"]
)  # fmt: skip
CUTS = st.lists(
    st.tuples(st.floats(0, 1, exclude_max=True), PIECES | st.binary(max_size=6)), min_size=1, max_size=3
)


@examples(150)
@given(CUTS, st.integers(0, len(FIRST) - 1))
def test_broken_bytes_are_refused_or_read(cuts: list[tuple[float, bytes]], number: int) -> None:
    data = GOOD.splitlines()[number].encode()
    for place, new in cuts:
        at = int(place * len(data))
        data = data[:at] + new + data[at + max(1, len(new) - 1) :]
    try:
        check(PROTOCOL, logs(data), Rules())
    except Wrong as error:
        assert str(error).startswith("l:") and str(error).isprintable()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 5) | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["A", "ASK", "kind", "", "1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["A", "kind", "1", "hop"]), inner),
    max_leaves=6,
)  # fmt: skip
NAMES = st.sampled_from(
    [*PROTOCOL.variables, "up[A]", "mail[B]", "grid[A]", "box[kind]", "seen[ASK]", "rows[x]"]
)


@examples(150)
@given(st.dictionaries(NAMES, JSON, max_size=3))
def test_any_value_in_any_place_is_refused_or_read(state: dict[str, Any]) -> None:
    try:
        check(PROTOCOL, logs(json.dumps({"state": state})), Rules())
    except Wrong as error:
        assert str(error).startswith("l:1: state: ")
