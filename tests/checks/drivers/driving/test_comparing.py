"""States compared: every form in which a program may say the same, and what differs is named."""

from enum import Enum
from random import Random
from typing import Any

import pytest
from examples import examples
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st
from random_protocols import made, source

from cutproof.checks.drivers.driving.comparing import Comparing
from cutproof.checks.drivers.driving.driver import DriverFailed
from cutproof.checks.drivers.driving.program import in_json
from cutproof.checks.traces.trace import plain
from cutproof.model.language import bag, boolean, count, enumeration, family, queue, record, subset
from cutproof.model.language.protocol import Protocol

Kind = Enum("Kind", "ASK YES")
EVERY = Protocol(
    "every",
    {
        "flag": boolean(), "n": count(0, 3), "kind": enumeration(Kind), "heap": family("node", of=count(0, 3)),
        "seen": family("node", "item", of=boolean()), "up": subset("node"), "net": bag(of=Kind, most=2),
        "inbox": family("node", of=queue(of=Kind, capacity=2)), "vote": record(term=count(0, 3), by="node"),
    },
    [], [], {"node": [0, 1], "item": ["a", "b"]},
    initial={"up": {1}, "net": [Kind.YES, Kind.ASK], "inbox": [[Kind.ASK, Kind.YES], []], "vote": {"term": 2, "by": 1}},
)  # fmt: skip
COMPARING, STATE = Comparing(EVERY), plain(EVERY.decode(EVERY.initial))


def differences(**program: Any) -> list[str]:
    return list(map(str, COMPARING.differences(STATE, program)))


@pytest.mark.parametrize(
    "same",
    [
        {"flag": False, "n": 0, "kind": Kind.ASK}, {"kind": "ASK"}, {}, {"heap": [0, 0]}, {"heap": (0, 0)},
        {"heap": {1: 0}}, {"heap": {"1": 0}}, {"seen": [[False, False], {"b": False}]},
        {"up": {1}}, {"up": [1]}, {"up": frozenset({1})},
        {"net": ["YES", "ASK"]}, {"net": [Kind.ASK, Kind.YES]}, {"inbox": [["ASK", Kind.YES], ()]},
        {"inbox": {0: ["ASK", "YES"]}}, {"vote": {"term": 2}}, {"vote": {"by": 1, "term": 2}},
    ],
)  # fmt: skip
def test_one_state_in_many_forms(same: dict[str, Any]) -> None:
    assert differences(**same) == []


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"flag": True}, "flag: the model has False, the program True"),
        ({"flag": 0}, "flag: the model has False, the program 0"),
        ({"n": None}, "n: the model has 0, the program None"),
        ({"heap": [0, 2]}, "heap[1]: the model has 0, the program 2"),
        ({"seen": [[False, False], [True, False]]}, "seen[1,a]: the model has False, the program True"),
        ({"up": [0]}, "up: the model has {1}, the program {0}"),
        ({"net": ["ASK", "ASK"]}, "net: "),
        ({"inbox": [["YES", "ASK"], []]}, "inbox[0]: the model has [ASK, YES], the program [YES, ASK]"),
        ({"vote": {"term": 3}}, "vote[term]: the model has 2, the program 3"),
    ],
)
def test_what_differs_is_named(other: dict[str, Any], said: str) -> None:
    (found,) = differences(**other)
    assert found.startswith(said)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"flagg": True}, "'flagg', which is no variable; did you mean flag"),
        ({"heap": [0]}, "heap has 1 values; it needs 2"),
        ({"heap": 3}, "heap is a int; it needs a dictionary by index, or a list"),
        ({"heap": {2: 0}}, r"heap\[2\] is unknown; there are 0, 1"),
        ({"heap": {True: 0}}, r"heap\[True\] is unknown"),
        ({"n": object()}, "the object"),
        ({"vote": 3}, "vote is a int; it needs a dictionary"),
        ({"vote": {"turm": 3}}, r"vote\[turm\] is unknown; did you mean term"),
    ],
)
def test_what_means_nothing_is_the_drivers_failure(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(DriverFailed, match=said):
        differences(**wrong)


@given(seed=st.integers(0, 10**9))
@settings(examples(15), phases=(Phase.explicit, Phase.generate))
def test_any_state_equals_itself_in_python_and_in_json_and_no_other(seed: int) -> None:
    protocol, rng = made(source(seed)), Random(seed)
    comparing = Comparing(protocol)
    state = tuple(rng.randint(f.domain.low, f.domain.high) for f in protocol.fields)
    decoded = protocol.decode(state)
    assert comparing.differences(plain(decoded), decoded) == ()
    assert comparing.differences(plain(decoded), in_json(plain(decoded))) == ()
    assume(protocol.fields)
    place = rng.randrange(len(state))
    field = protocol.fields[place]
    other = field.domain.low + (state[place] + 1 - field.domain.low) % (
        field.domain.high - field.domain.low + 1
    )
    changed = (*state[:place], other, *state[place + 1 :])
    found = comparing.differences(plain(decoded), protocol.decode(changed))
    assert [d.field.partition("[")[0] for d in found] == [field.variable]
