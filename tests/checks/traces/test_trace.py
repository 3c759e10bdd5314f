"""Traces: written, read back, and refused when they are not what they say."""

import json
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
import recorded
from recorded import BROKEN, HIGH, TRACE, WHY, Side, rich, rich_trace

from cutproof.checks.traces import itf
from cutproof.checks.traces.replay import replay
from cutproof.checks.traces.trace import (
    LIMIT,
    TraceError,
    from_bytes,
    from_path,
    read,
    to_bytes,
    write,
)

# ------------------------------------------------------------------ writing and reading


def test_what_is_written_is_read(tmp_path: Path) -> None:
    for number, trace in enumerate(
        [TRACE, rich_trace(*HIGH, "lock()"), rich_trace(policy={"side": Side.LEFT, "t": 1.5})]
    ):
        path = tmp_path / "deeper" / f"{number}.itf.json"
        write(trace, path)
        assert read(path) == trace
        assert path.read_bytes() == to_bytes(trace)
        assert path.read_bytes().endswith(b"}\n")
        assert os.listdir(path.parent).count(path.name) == 1
    assert len(os.listdir(tmp_path / "deeper")) == 3, "nothing else is left there"


def test_the_file_opens_with_why_and_is_in_the_format() -> None:
    text = to_bytes(rich_trace(*HIGH)).decode()
    assert text.startswith('{\n  "#meta": {\n    "why": "It happened.",\n    "format": "ITF",\n')
    whole = json.loads(text)
    assert list(whole) == ["#meta", "vars", "states"]
    assert whole["vars"] == ["height", "last", "locked", "total"]
    assert whole["#meta"]["version"] == 1
    assert whole["#meta"]["digest"] == rich().digest
    last = whole["states"][-1]
    assert last.pop("#meta") == {"index": 2, "action": "rise", "arguments": {"side": "RIGHT", "slot": "a"}}
    rows = [["LEFT", {"a": "-3", "b": "-3"}], ["RIGHT", {"a": "-1", "b": "-3"}]]
    assert last == {
        "height": {"#map": [[k, {"#map": [[i, {"#bigint": n}] for i, n in row.items()]}] for k, row in rows]},
        "last": "RIGHT",
        "locked": False,
        "total": {"#bigint": "0"},
    }
    assert all(
        len(line) <= itf.WIDTH + 2 for line in text.splitlines() if not line.startswith(" " * itf.VARIABLE)
    )


def test_indices_that_are_integers_are_big_integers() -> None:
    state = json.loads(to_bytes(TRACE))["states"][1]
    assert state["heard"] == {"#map": [[{"#bigint": "0"}, False], [{"#bigint": "1"}, False]]}
    assert TRACE.states[1]["heard"] == {0: False, 1: False}


def test_the_same_bytes_in_every_process() -> None:
    program = (
        "import sys, importlib.util as u; s = u.spec_from_file_location('t', sys.argv[1]);"
        "m = u.module_from_spec(s); s.loader.exec_module(m);"
        "from cutproof.checks.traces.trace import to_bytes;"
        "sys.stdout.buffer.write(to_bytes(m.counterexample()) + to_bytes(m.rich_trace(*m.HIGH)))"
    )
    found = set()
    for seed in ("0", "1", "4711"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        run = subprocess.run(
            [sys.executable, "-c", program, recorded.__file__],
            env=environment,
            capture_output=True,
            check=True,
        )
        found.add(run.stdout)
    assert found == {to_bytes(TRACE) + to_bytes(rich_trace(*HIGH))}


def test_another_file_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "a.itf.json"
    write(TRACE, path)
    write(TRACE, path)
    other = rich_trace(*HIGH)
    with pytest.raises(TraceError, match="another file is there; remove it"):
        write(other, path)
    assert read(path) == TRACE
    write(other, path, overwrite=True)
    assert read(path) == other
    with pytest.raises(TraceError, match="is a folder"):
        write(TRACE, tmp_path, overwrite=True)


def test_what_would_not_be_read_back_is_not_written(tmp_path: Path) -> None:
    for wrong in [
        replace(TRACE, states=({**TRACE.states[0], "tm": 1.5}, *TRACE.states[1:])),
        replace(TRACE, states=({**TRACE.states[0], "tm": "two\nlines"}, *TRACE.states[1:])),
        replace(TRACE, meta=msgspec.structs.replace(TRACE.meta, why="a\x1b[31m colour")),
        replace(TRACE, meta=msgspec.structs.replace(TRACE.meta, policy={"t": float("nan")})),
    ]:
        with pytest.raises(TraceError):
            write(wrong, tmp_path / "wrong.itf.json")
    assert os.listdir(tmp_path) == []


def test_a_path_has_one_state_more_than_steps() -> None:
    with pytest.raises(ValueError, match="1 states do not enclose 1 transitions"):
        from_path(BROKEN, [BROKEN.initial], [0], why=WHY)


# ------------------------------------------------------------------ files that are refused


def changed(change: Callable[[dict[str, Any]], object]) -> bytes:
    whole = json.loads(to_bytes(TRACE))
    change(whole)
    return json.dumps(whole).encode()


def setting(*path: Any, to: Any) -> bytes:
    def change(whole: dict[str, Any]) -> None:
        inside: Any = whole
        for key in path[:-1]:
            inside = inside[key]
        inside[path[-1]] = to

    return changed(change)


def without(*path: Any) -> bytes:
    def change(whole: dict[str, Any]) -> None:
        inside: Any = whole
        for key in path[:-1]:
            inside = inside[key]
        del inside[path[-1]]

    return changed(change)


GOOD = to_bytes(TRACE)
STATE = ("states", 1)
DEPTH = 100_000

TM = "$.states[1].tm"
KINDS = f"{TM}: Expected `bool | str | object | array`, got"

REFUSED: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "$: is not JSON: Input data was truncated"),
    "truncated": (GOOD[:-200], "$: is not JSON: Input data was truncated"),
    "not json": (b"It was a dark and stormy night.", "$: is not JSON"),
    "two values": (GOOD + b"{}", "$: is not JSON"),
    "a list": (b"[]", "$: Expected `object`, got `array`"),
    "a number": (b"1", "$: Expected `object`, got `int`"),
    "null": (b"null", "$: Expected `object`, got `null`"),
    "byte order mark": (b"\xef\xbb\xbf" + GOOD, "$: is not JSON"),
    "not utf-8": (GOOD.replace(b"INIT", b"\xff\xfe"), "is not UTF-8 (invalid start byte)"),
    "another version": (
        setting("#meta", "version", to=2),
        "$.#meta.version: is 2; this program reads",
    ),
    "another version, shape": (
        b'{"#meta": {"version": 2}}',
        "$.#meta.version: is 2; this program reads",
    ),
    "version a text": (setting("#meta", "version", to="1"), "$.#meta.version: Expected `int`, got `str`"),
    "no version": (without("#meta", "version"), "$.#meta: Object missing required field `version`"),
    "no meta": (without("#meta"), "$: Object missing required field `#meta`"),
    "no why": (without("#meta", "why"), "$.#meta: Object missing required field `why`"),
    "no digest": (without("#meta", "digest"), "$.#meta: Object missing required field `digest`"),
    "why a number": (setting("#meta", "why", to=1), "$.#meta.why: Expected `str`, got `int`"),
    "why of two lines": (setting("#meta", "why", to="a\nb"), "$.#meta.why: is not one line"),
    "why that recolours": (
        setting("#meta", "why", to="\x1b[31m"),
        "$.#meta.why: is not one line",
    ),
    "policy a list": (setting("#meta", "policy", to=[]), "$.#meta.policy: Expected `object`, got `array`"),
    "policy nested": (setting("#meta", "policy", to={"a": {}}), "$.#meta.policy[...]: Expected"),
    "unknown form": (setting("#meta", "form", to="never"), "$.#meta.form: Invalid enum value 'never'"),
    "no vars": (without("vars"), "$: Object missing required field `vars`"),
    "vars twice": (setting("vars", to=["tm", "tm"]), "$.vars: names a variable twice"),
    "vars with a sign": (
        setting("vars", to=["#tm"]),
        "$.vars: names a variable twice, or one that begins with #",
    ),
    "no states": (without("states"), "$: Object missing required field `states`"),
    "states empty": (setting("states", to=[]), "$.states: is empty"),
    "states an object": (setting("states", to={}), "$.states: Expected `array`, got `object`"),
    "a state a list": (setting("states", 1, to=[]), "$.states[1]: Expected `object`, got `array`"),
    "a loop": (setting("loop", to=99), "$.loop: is 99; it is the number of a state, the first being 0"),
    "params": (setting("params", to=["a"]), "$.params: is not used here"),
    "state without meta": (without(*STATE, "#meta"), "$.states[1]: has no '#meta'"),
    "state without action": (
        without(*STATE, "#meta", "action"),
        "$.states[1].#meta: Object missing required",
    ),
    "index falls": (setting(*STATE, "#meta", "index", to=3), "$.states[2].#meta.index: is 2, after 3"),
    "index below": (
        setting("states", 0, "#meta", "index", to=-1),
        "$.states[0].#meta.index: is -1, after -1",
    ),
    "index a text": (
        setting(*STATE, "#meta", "index", to="1"),
        "$.states[1].#meta.index: Expected `int | null`",
    ),
    "argument a list": (
        setting(*STATE, "#meta", "arguments", to={"a": []}),
        "$.states[1].#meta.arguments[...]",
    ),
    "variable missing": (without(*STATE, "tm"), "$.states[1]: has no 'tm'"),
    "variable too many": (
        setting(*STATE, "tmm", to=True),
        "$.states[1]: has 'tmm', which is not",
    ),
    "a bare integer": (
        setting(*STATE, "tm", to=1),
        f"{KINDS} `int`",
    ),
    "a fraction": (
        setting(*STATE, "tm", to=1.5),
        f"{KINDS} `float`",
    ),
    "null value": (
        setting(*STATE, "tm", to=None),
        f"{KINDS} `null`",
    ),
    "a list value": (
        setting(*STATE, "tm", to=[]),
        "tm is [], which is not in",
    ),
    "a list with nonsense": (setting(*STATE, "tm", to=[True, [1.5]]), f"{TM}[1][0]: Expected"),
    "a text of two lines in a list": (setting(*STATE, "tm", to=["a\nb"]), f"{TM}[0]: is not one line"),
    "a set": (setting(*STATE, "tm", to={"#set": []}), "tm is (), which is not in"),
    "a member twice": (
        setting(*STATE, "tm", to={"#set": ["a", "b", "a"]}),
        f"{TM}: has a member of a set twice",
    ),
    "a tuple": (setting(*STATE, "tm", to={"#tup": []}), f"{TM}: Object contains unknown field `#tup`"),
    "a record": (setting(*STATE, "tm", to={"a": "b"}), f"{TM}: Object contains unknown field `a`"),
    "an empty object": (
        setting(*STATE, "tm", to={}),
        f"{TM}: is neither a boolean, a text, a list, a #bigint",
    ),
    "both": (setting(*STATE, "tm", to={"#bigint": "1", "#map": []}), f"{TM}: is neither"),
    "map not of pairs": (
        setting(*STATE, "tm", to={"#map": [["a"]]}),
        f"{TM}.#map[0]: Expected `array` of",
    ),
    "map an object": (setting(*STATE, "tm", to={"#map": {}}), f"{TM}.#map: Expected `array | null`"),
    "an index twice": (
        setting(*STATE, "tm", to={"#map": [["a", True]] * 2}),
        f"{TM}: has the index 'a' twice",
    ),
    "a map as an index": (
        setting(*STATE, "tm", to={"#map": [[{"#map": []}, True]]}),
        "has a map as an index",
    ),
    "a list as an index": (setting(*STATE, "tm", to={"#map": [[[], True]]}), "has a collection as an index"),
    **{
        f"bigint {digits!r}": (
            setting(*STATE, "tm", to={"#bigint": digits}),
            f"{TM}.#bigint: is not an integer of at most 39 digits",
        )
        for digits in ["", "-", "1.0", "1e3", " 1", "1\n", "+1", "01", "-0", "0x1", "1_0", "\u0663", "9" * 40]
    },
    "bigint a number": (
        setting(*STATE, "tm", to={"#bigint": 1}),
        f"{TM}.#bigint: Expected `str | null`",
    ),
    "deep nonsense": (b"[" * DEPTH, "$: "),
    "deep meta": (b'{"#meta": ' * DEPTH, "is nested too deeply"),
    "deep value": (
        GOOD.replace(b'"INIT"', b'{"#map": [["a", ' * DEPTH + b"true" + b"]]}" * DEPTH, 1),
        "$: is nested too deeply",
    ),
    "deep lists": (GOOD.replace(b'"INIT"', b"[" * DEPTH + b"]" * DEPTH, 1), "$"),
    "deep but readable": (
        GOOD.replace(b'"INIT"', b'{"#map": [["a", ' * 300 + b"true" + b"]]}" * 300, 1),
        "is unknown",
    ),
}


@pytest.mark.parametrize(("data", "reason"), REFUSED.values(), ids=REFUSED)
def test_a_file_that_is_not_a_trace_is_refused(data: bytes, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.itf.json"
    path.write_bytes(data)
    with pytest.raises(TraceError) as caught:
        replay(read(path), BROKEN, str(path))
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert reason in message
    assert message.isprintable()
    assert len(message) < 400


def actions(**changes: Any) -> bytes:
    """The smallest file of actions, changed."""
    return json.dumps({"#meta": {"protocol": "p"}, "steps": [{"action": "a"}], **changes}).encode()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (actions(states=[]), "$: has steps and states"),
        (actions(vars=[]), "$: Object contains unknown field `vars`"),
        (actions(steps={}), "$.steps: Expected `array`, got `object`"),
        (actions(steps=[{}]), "$.steps[0]: Object missing required field `action`"),
        (actions(steps=[{"action": "a", "args": {}}]), "$.steps[0]: Object contains unknown field `args`"),
        (actions(steps=[{"action": "a", "arguments": {"x": []}}]), "$.steps[0].arguments[...]: Expected"),
        (actions(steps=[{"action": "a\x1b[31m"}]), "$.steps[0].action: is not one line of plain text"),
        (actions(**{"#meta": {}}), "$.#meta: Object missing required field `protocol`"),
        (
            actions(**{"#meta": {"protocol": "p", "safeguards_removed": []}}),
            "$.#meta: Object contains unknown field",
        ),
        (actions(**{"#meta": {"protocol": "p", "version": 9}}), "$.#meta.version: is 9; this program reads"),
        (
            actions(**{"#meta": {"protocol": "p", "form": "never"}}),
            "$.#meta.form: Invalid enum value 'never'",
        ),
    ],
)
def test_a_file_of_actions_is_read_as_strictly(data: bytes, reason: str) -> None:
    with pytest.raises(TraceError) as caught:
        from_bytes(data, "x")
    assert (
        str(caught.value).startswith("x: ")
        and reason in str(caught.value)
        and str(caught.value).isprintable()
    )


def test_a_file_of_actions_needs_its_protocol_alone() -> None:
    trace = from_bytes(actions(), "x")
    assert (trace.meta.protocol, trace.meta.property, trace.meta.digest) == ("p", "", "")
    assert (trace.variables, trace.states, [str(s) for s in trace.steps]) == ((), (), ["a()"])


def test_indices_are_computed_and_gaps_are_seen() -> None:
    def no_index(whole: dict[str, Any]) -> None:
        for state in whole["states"]:
            del state["#meta"]["index"]

    def left_out(whole: dict[str, Any]) -> None:
        del whole["states"][2]

    assert from_bytes(changed(no_index), "x") == TRACE
    edited = from_bytes(changed(left_out), "x")
    assert edited.gaps and not TRACE.gaps
    assert edited.steps == (TRACE.steps[0], TRACE.steps[2])


def test_every_truncation_is_refused() -> None:
    for end in range(0, len(GOOD) - 2, 7):
        with pytest.raises(TraceError):
            from_bytes(GOOD[:end], "x")


def test_a_huge_file_is_refused_without_being_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.itf.json"
    with path.open("wb") as file:
        file.truncate(2**30)
    tracemalloc.start()
    try:
        with pytest.raises(TraceError, match=r"holds 1,073,741,824 bytes; it may have 16,777,216 at most"):
            read(path)
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


def test_bytes_over_the_limit_are_refused() -> None:
    with pytest.raises(TraceError, match="holds more than the 16,777,216 bytes"):
        from_bytes(b" " * (LIMIT + 1), "x")


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, reason in [
        (tmp_path / "nothing", "No such file or directory"),
        (tmp_path, "is a folder"),
        (tmp_path / "pipe", "is a pipe, not a file"),
        (tmp_path / ("n" * 1000), "File name too long"),
        (Path("/dev/zero"), "is a device, not a file"),
        (Path("a\0b"), "is a name that no file can have"),
    ]:
        with pytest.raises(TraceError) as caught:
            read(path)
        assert str(caught.value).endswith(f": {reason}")
        assert str(caught.value).isprintable()
