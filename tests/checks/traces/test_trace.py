"""Traces: written, read back, refused when they are not what they say, and walked again."""

import json
import os
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from enum import Enum
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cutproof.checks.traces import itf
from cutproof.checks.traces.replay import Replay, replay
from cutproof.checks.traces.story import account, story
from cutproof.checks.traces.trace import (
    LIMIT,
    Trace,
    TraceError,
    from_bytes,
    from_path,
    read,
    to_bytes,
    write,
)
from cutproof.model.examples.two_phase_commit import two_phase_commit
from cutproof.model.language import (
    action,
    always,
    boolean,
    can_always,
    count,
    enumeration,
    family,
    guard,
    put,
    sometimes,
    when,
)
from cutproof.model.language.codegen import compile_protocol
from cutproof.model.language.protocol import Protocol, State

WHY = "One resource manager commits while another has aborted."
BROKEN = two_phase_commit(2).without_guard("commit", "all prepared")


def shortest(protocol: Protocol, wanted: Callable[[State], bool]) -> tuple[list[State], list[int]]:
    """A shortest path to a state that is wanted: states, and the numbers of the transitions between them."""
    successors = compile_protocol(protocol).successors
    parents: dict[State, tuple[State, int] | None] = {protocol.initial: None}
    todo = deque(parents)
    while todo:
        state = todo.popleft()
        if wanted(state):
            states, numbers = [state], list[int]()
            while (parent := parents[states[0]]) is not None:
                states.insert(0, parent[0])
                numbers.insert(0, parent[1])
            return states, numbers
        for number, after in successors(state):
            if after not in parents:
                parents[after] = (state, number)
                todo.append(after)
    raise AssertionError("not reachable")


def counterexample() -> Trace:
    judge = compile_protocol(BROKEN).judge
    return from_path(
        BROKEN,
        *shortest(BROKEN, lambda state: bool(judge(state))),
        why=WHY,
        property="consistent",
        safeguards_removed={"fence", "all prepared", "drain"},  # a set: its order must not show
        scope={"managers": 2},
        seed=7,
    )


TRACE = counterexample()


class Side(Enum):
    LEFT = "l"
    RIGHT = "r"


def rich() -> Protocol:
    """Every kind of value and index, negative integers, a fault, a property by harm, and every form."""

    @action
    def rise(s: Any, side: Side, slot: str) -> Any:
        """It goes up by one."""
        return when(guard("below", s.height[side][slot] < 0), guard("unlocked", ~s.locked)).then(
            height=put(s.height, (side, slot), s.height[side][slot] + 1),
            last=side,
        )

    @action(fault="jam")
    def lock(s: Any) -> Any:
        return when().then(locked=True)

    @action
    def burst(s: Any) -> Any:
        return when(guard("locked", s.locked)).then(total=s.total + 1)

    @always
    def low(s: Any, side: Side) -> Any:
        return {"too high": s.height[side]["a"] < -1, "far too high": s.height[side]["b"] < 0}

    @sometimes
    def locked(s: Any) -> Any:
        return s.locked

    @can_always
    def moves(s: Any) -> Any:
        return ~s.locked

    return Protocol(
        "rich",
        {
            "height": family("side", "slot", of=count(-3, 0)),
            "last": enumeration(Side),
            "locked": boolean(),
            "total": count(0, 1),
        },
        [rise, lock, burst],
        [low, locked, moves],
        indices={"side": Side, "slot": ("a", "b")},
    )


def path_of(protocol: Protocol, *labels: str) -> tuple[list[State], list[int]]:
    """The path that takes the transitions with these labels."""
    successors, states, numbers = compile_protocol(protocol).successors, [protocol.initial], []
    for label in labels:
        found = {str(protocol.transitions[n]): (n, after) for n, after in successors(states[-1])}
        numbers.append(found[label][0])
        states.append(found[label][1])
    return states, numbers


def rich_trace(*labels: str, **meta: Any) -> Trace:
    return from_path(rich(), *path_of(rich(), *labels), why="It happened.", **meta)


HIGH = ("rise(side=RIGHT, slot=a)", "rise(side=RIGHT, slot=a)")


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
        "sys.stdout.buffer.write(m.to_bytes(m.counterexample()) + m.to_bytes(m.rich_trace(*m.HIGH)))"
    )
    found = set()
    for seed in ("0", "1", "4711"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        run = subprocess.run(
            [sys.executable, "-c", program, __file__], env=environment, capture_output=True, check=True
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
    "a loop": (setting("loop", to=0), "$.loop: is not used here: a trace is one finite path"),
    "params": (setting("params", to=["a"]), "$.params: is not used here"),
    "state without meta": (without(*STATE, "#meta"), "$.states[1]: has no '#meta'"),
    "state without action": (
        without(*STATE, "#meta", "action"),
        "$.states[1].#meta: Object missing required",
    ),
    "wrong index": (setting(*STATE, "#meta", "index", to=3), "$.states[1].#meta.index: is 3, not 1"),
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


def test_every_truncation_is_refused() -> None:
    for end in range(0, len(GOOD) - 2, 7):
        with pytest.raises(TraceError):
            from_bytes(GOOD[:end], "x")


def test_a_huge_file_is_refused_without_being_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "huge.itf.json"
    with path.open("wb") as file:
        file.truncate(2**30)
    monkeypatch.setattr("builtins.open", lambda *_: pytest.fail("the file was opened"))
    with pytest.raises(TraceError, match=r"holds 1,073,741,824 bytes; a trace has at most 16,777,216"):
        read(path)


def test_bytes_over_the_limit_are_refused() -> None:
    with pytest.raises(TraceError, match="holds more than the 16,777,216 bytes"):
        from_bytes(b" " * (LIMIT + 1), "x")


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, reason in [
        (tmp_path / "nothing", "No such file or directory"),
        (tmp_path, "is a folder"),
        (tmp_path / "pipe", "is not a regular file"),
        (tmp_path / ("n" * 1000), "File name too long"),
        (Path("/dev/zero"), "is not a regular file"),
        (Path("a\0b"), "is a name that no file can have"),
    ]:
        with pytest.raises(TraceError) as caught:
            read(path)
        assert str(caught.value).endswith(f": {reason}")
        assert str(caught.value).isprintable()


# ------------------------------------------------------------------ walking again


def both(trace: Trace, protocol: Protocol, **options: Any) -> tuple[Replay, str]:
    result = replay(trace, protocol, **options)
    return result, "\n".join(account(result, sentences=True))


def with_meta(trace: Trace, **changes: Any) -> Trace:
    return replace(trace, meta=msgspec.structs.replace(trace.meta, **changes))


def test_a_counterexample_is_reproduced() -> None:
    result, text = both(TRACE, BROKEN)
    assert result.reproduced
    assert result.notes == ()
    assert [str(w.step) for w in result.walked] == ["commit()", "choose_to_abort(rm=0)", "obey_commit(rm=1)"]
    assert [str(c) for c in result.walked[0].changes] == [
        "tm: INIT -> COMMITTED",
        "said_commit: False -> True",
    ]
    assert text.splitlines() == [
        WHY,
        "",
        "protocol two_phase_commit; property consistent; without all prepared, drain, fence; "
        "scope managers=2; seed 7",
        "",
        "  1. commit()",
        "    The transaction manager commits once every resource manager prepared.",
        "       tm: INIT -> COMMITTED",
        "       said_commit: False -> True",
        "  2. choose_to_abort(rm=0)",
        "    A working resource manager aborts on its own; it says nothing.",
        "       rm[0]: WORKING -> ABORTED",
        "  3. obey_commit(rm=1)",
        "    A resource manager is told to commit.",
        "       rm[1]: WORKING -> COMMITTED",
        "reproduced: the path can be walked, and after it consistent is false",
    ]
    without_end = text.splitlines()[:-1]
    assert story(TRACE, {a.name: a.sentence for a in BROKEN.actions}) == without_end
    assert story(TRACE) == [
        line for line in without_end if not line.startswith("    ") or line.startswith("     ")
    ]


def test_a_guard_that_is_false_is_named_with_what_was_enabled() -> None:
    sound = two_phase_commit(2)
    result, text = both(with_meta(TRACE, digest=sound.digest), sound)
    assert not result.reproduced
    assert result.walked == ()
    found = result.divergence
    assert found is not None
    assert (found.number, found.false_guards) == (1, ("all prepared",))
    assert found.enabled[:2] == ("abort()", "prepare(rm=0)")
    assert "not reproduced: step 1, commit(), is not enabled: 'all prepared' false" in text
    assert text.endswith(
        "enabled instead: abort(), prepare(rm=0), prepare(rm=1), choose_to_abort(rm=0), choose_to_abort(rm=1)"
    )


def test_a_state_that_differs_is_named() -> None:
    wrong = ({**TRACE.states[1], "tm": "ABORTED", "heard": {0: True, 1: False}}, *TRACE.states[2:])
    result, text = both(replace(TRACE, states=(TRACE.states[0], *wrong)), BROKEN)
    assert result.divergence is not None
    assert (result.divergence.number, len(result.walked)) == (1, 1)
    assert [(d.field, d.recorded, d.specified) for d in result.divergence.differences] == [
        ("tm", "ABORTED", "COMMITTED"),
        ("heard[0]", True, False),
    ]
    assert text.endswith(
        "not reproduced: step 1, commit(), the states after it differ\n"
        "    tm: the trace has ABORTED, the specification COMMITTED\n"
        "    heard[0]: the trace has True, the specification False"
    )


def test_an_initial_state_that_differs_is_named() -> None:
    wrong = replace(TRACE, states=({**TRACE.states[0], "tm": "ABORTED"}, *TRACE.states[1:]))
    result, text = both(wrong, BROKEN)
    assert result.divergence is not None
    assert result.divergence.number == 0
    assert "after step 0 the initial states differ" in text


def test_a_path_after_which_the_property_holds_is_not_reproduced() -> None:
    short = replace(TRACE, states=TRACE.states[:-1], steps=TRACE.steps[:-1])
    result, text = both(short, BROKEN)
    assert not result.reproduced
    assert text.endswith("not reproduced: after step 2 it is not so that consistent is false")


def test_a_changed_specification_is_said_and_its_actions_count() -> None:
    other = two_phase_commit(2).without_guard("commit", "all prepared").without_guard("prepare", "working")
    result, text = both(TRACE, other)
    assert result.reproduced
    assert result.notes == (
        "the specification has changed since (or the trace was edited); only the actions were replayed",
    )
    assert "note: the specification has changed since" in text
    wrong = replace(TRACE, states=({**TRACE.states[0], "tm": "ABORTED"}, *TRACE.states[1:]))
    result, _ = both(wrong, other)
    assert result.reproduced
    assert (
        result.notes[1]
        == "its states differ, first after step 0: tm: the trace has ABORTED, the specification INIT"
    )
    bigger = two_phase_commit(3).without_guard("commit", "all prepared")
    result, _ = both(TRACE, bigger)
    assert result.reproduced
    assert result.notes[1] == "its variables are others now, so the states were not compared"


def with_step(number: int, **changes: Any) -> Trace:
    steps = list(TRACE.steps)
    steps[number - 1] = msgspec.structs.replace(steps[number - 1], **changes)
    return replace(TRACE, steps=tuple(steps))


def with_state(number: int, **changes: Any) -> Trace:
    states = list(TRACE.states)
    states[number] = {**states[number], **changes}
    return replace(TRACE, states=tuple(states))


MEANINGLESS = [
    (with_step(1, action="comit"), "$.states[1].#meta: no action 'comit'; did you mean commit"),
    (with_step(1, arguments={"rm": 0}), "$.states[1].#meta: commit takes (), not (rm)"),
    (with_step(2, arguments={"rm": 2}), "$.states[2].#meta: choose_to_abort has no rm 2; there are 0, 1"),
    (with_step(2, arguments={"rm": False}), "$.states[2].#meta: choose_to_abort has no rm False"),
    (with_state(1, tm="FINE"), "$.states[1]: tm is 'FINE', which is not in INIT | COMMITTED | ABORTED"),
    (with_state(1, heard={0: 1, 1: False}), "$.states[1]: heard[0] is 1, which is not in False | True"),
    (with_state(1, heard={0: True}), "$.states[1]: heard[1] is missing"),
    (with_state(0, heard={"0": True}), "$.states[0]: heard"),
    (with_meta(TRACE, property="consistant"), "$.#meta: no property 'consistant'; did you mean consistent?"),
    (with_meta(TRACE, harm="great"), "$.#meta: consistent has no harm 'great'"),
    (with_meta(TRACE, protocol="paxos"), "is of the protocol 'paxos', not 'two_phase_commit'"),
]


@pytest.mark.parametrize(("trace", "reason"), MEANINGLESS, ids=[reason for _, reason in MEANINGLESS])
def test_names_that_mean_nothing_are_refused(trace: Trace, reason: str) -> None:
    with pytest.raises(TraceError) as caught:
        replay(trace, BROKEN, "file.itf.json")
    assert str(caught.value).startswith("file.itf.json: ")
    assert reason in str(caught.value)


def test_each_form_says_what_was_checked() -> None:
    ended = "the path can be walked"
    for trace, checked in [
        (rich_trace(*HIGH, property="low", harm="too high"), f"{ended}, and after it low is false"),
        (rich_trace(*HIGH, property="low"), f"{ended}, and after it low is false"),
        (rich_trace("lock()", property="locked"), f"{ended}, and after it locked is true"),
        (
            rich_trace("lock()", property="moves"),
            f"{ended}; that moves is out of reach after it takes an exploration",
        ),
        (
            rich_trace("lock()", "burst()", property="domain"),
            f"{ended}, and after it an action leaves its domain",
        ),
        (
            rich_trace("lock()", "lock()", property="moves", form="cycle"),
            f"{ended}, and after it a state has come back",
        ),
        (rich_trace(*HIGH), ended),
    ]:
        result = replay(trace, rich())
        assert result.reproduced
        assert result.checked == checked
    for trace in [
        rich_trace(*HIGH, property="low", harm="far too high"),
        rich_trace(*HIGH, property="locked"),
        rich_trace("lock()", property="domain"),
        rich_trace("lock()", property="moves", form="cycle"),
        rich_trace(*HIGH, property="moves", form="deadlock"),
    ]:
        assert not replay(trace, rich()).reproduced
    assert (
        "; harm: too high" in account(replay(rich_trace(*HIGH, property="low", harm="too high"), rich()))[-1]
    )


def test_a_deadlock_is_where_nothing_changes() -> None:
    done = [f"obey_abort(rm={i})" for i in (0, 1)]
    protocol = two_phase_commit(2)
    path = path_of(protocol, "abort()", *done)
    result = replay(from_path(protocol, *path, why=WHY, property="deadlock", form="deadlock"), protocol)
    assert result.reproduced
    assert result.checked.endswith("nothing can change")


def test_a_step_that_leaves_its_domain_ends_the_walk() -> None:
    trace = rich_trace("lock()", "burst()")
    longer = replace(trace, states=(*trace.states, trace.states[-1]), steps=(*trace.steps, trace.steps[-1]))
    found = replay(longer, rich()).divergence
    assert found is not None
    assert (found.number, found.reason) == (3, "sets total to 2, which is outside 0..1")


def test_a_step_that_folding_dropped_can_never_happen() -> None:
    protocol = rich()
    fewer = object.__new__(Protocol)
    fewer.__dict__.update(protocol.__dict__)
    fewer.transitions = tuple(t for t in protocol.transitions if t.action != "lock")
    found = replay(rich_trace("lock()"), fewer).divergence
    assert found is not None
    assert found.reason == "can never happen with these safeguards and this policy"


def test_messages_begin_with_the_name_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match=r"^\?\[31m"):
        from_bytes(b"", "\x1b[31m")
