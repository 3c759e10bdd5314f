"""Arrows: sent, on the way, arrived, lost, refused, copied, late, moved to another field."""

from typing import Any

import pytest

from cutproof.checks.engines.plain.search import inside
from cutproof.checks.traces.trace import from_path
from cutproof.checks.views import make
from cutproof.checks.views.drawing import Drawing
from cutproof.model.language import Arrow, Message, Picture, action, always, count, family, guard, put, when
from cutproof.model.protocol import Protocol


def _step(name: str, old: int, new: int, field: str = "wire") -> Any:
    def step(s: Any, line: int) -> Any:
        """Something happens to what is on the wire."""
        wire = getattr(s, field)
        return when(guard("there", wire[line] == old)).then(**{field: put(wire, line, new)})

    step.__name__ = name
    return action(step)


@action
def give_up(s: Any, line: int) -> Any:
    return when(guard("waits", s.wire[line] == 1)).then(
        wire=put(s.wire, line, 0), stray=put(s.stray, line, 1)
    )


@action
def say(s: Any) -> Any:
    return when(guard("always", s.wire[0] >= 0)).then(wire=s.wire)


@always
def well(s: Any) -> Any:
    return s.wire[0] < 3


WIRE = Message("ann", "bob", "hello {line}", lost=("lose",), refused=("refuse",), failed=("fail",), copied=("copy",),
               late=("give_up",))  # fmt: skip
PROTOCOL = Protocol(
    "wires", {"wire": family("line", of=count(0, 3)), "stray": family("line", of=count(0, 1))},
    [_step("send", 0, 1), _step("take", 1, 0), _step("lose", 1, 0), _step("refuse", 1, 0), _step("fail", 1, 0),
     _step("copy", 1, 1), give_up, _step("land", 1, 0, "stray"), say],
    [well], {"line": (0, 1)},
    picture=Picture(lanes={"ann": (), "bob": ["wire", "stray"]}, arrows={"say": Arrow("bob", "ann", "well")},
                    at={"say": "bob"}, messages={"wire": WIRE, "stray": WIRE}),
)  # fmt: skip


def drawn(*calls: str) -> Drawing:
    numbers = {str(t): n for n, t in enumerate(PROTOCOL.transitions)}
    states, taken = [PROTOCOL.initial], list[int]()
    for call in calls:
        taken.append(numbers[call])
        states.append(dict(inside(PROTOCOL, states[-1]))[numbers[call]])
    return make.of_trace(from_path(PROTOCOL, states, taken, why="By hand."), PROTOCOL)


def told(drawing: Drawing) -> list[tuple[Any, ...]]:
    return [(a.text, a.sent, a.arrives, a.fate, a.late) for a in drawing.arrows]


@pytest.mark.parametrize(
    ("end", "fate"), [("take", "arrives"), ("lose", "lost"), ("refuse", "refused"), ("fail", "failed")]
)
def test_a_message_ends_as_its_last_step_says(end: str, fate: str) -> None:
    assert told(drawn("send(line=1)", "say()", f"{end}(line=1)")) == [
        ("hello 1", 1, 3, fate, False),
        ("well", 2, 2, "arrives", False),
    ]


def test_a_message_without_an_end_is_under_way() -> None:
    assert told(drawn("send(line=0)", "say()"))[0] == ("hello 0", 1, None, "under way", False)


def test_a_copy_arrives_and_stays_on_its_way() -> None:
    assert told(drawn("send(line=0)", "copy(line=0)", "take(line=0)")) == [
        ("hello 0", 1, 2, "arrives", False),
        ("hello 0", 1, 3, "arrives", False),
    ]


def test_what_nobody_waits_for_is_late_and_the_same_message_in_another_field() -> None:
    assert told(drawn("send(line=0)", "send(line=1)", "give_up(line=0)", "take(line=1)", "say()")) == [
        ("hello 0", 1, None, "under way", True),
        ("hello 1", 2, 4, "arrives", False),
        ("well", 5, 5, "arrives", False),
    ]  # fmt: skip


def test_a_lane_shows_its_variables_and_what_else_could_be_done() -> None:
    found = drawn("send(line=0)")
    assert [lane.name for lane in found.lanes] == ["ann", "bob"]
    assert found.steps[1].standing[1] == (
        ("wire, line 0", "1"), ("wire, line 1", "0"), ("stray, line 0", "0"), ("stray, line 1", "0"),
    )  # fmt: skip
    can = {found.calls[n]: guard for n, guard in found.steps[1].choices.items()}
    assert can["take(line=0)"] == -1 and found.guards[can["send(line=0)"]] == "there"
