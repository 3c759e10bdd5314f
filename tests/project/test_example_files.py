"""The protocols of docs/examples that somebody could begin from: they hold, and break as their texts say."""

import pytest
from places import ROOT

from cutproof.checks.engines.plain.explore import explore
from cutproof.checks.engines.verdict import Holds, Violated
from cutproof.checks.protocols.load import load
from cutproof.checks.protocols.registry import without_guards
from cutproof.model.language.protocol import Protocol


def example(file: str, **parameters: object) -> Protocol:
    return load(str(ROOT / "docs" / "examples" / f"{file}.py"), parameters).protocol


@pytest.mark.parametrize(
    ("file", "parameters", "states", "transitions", "depth"),
    [
        ("philosophers", {}, 320, 1_060, 13),
        ("philosophers", {"seats": 2}, 16, 26, 5),
        ("token_ring", {"stations": 2}, 1_064, 4_956, 28),
        ("chain_replication", {}, 993, 3_139, 16),
        ("chain_replication", {"nodes": 2, "writes": 1}, 35, 64, 6),
        ("leases", {}, 436, 1_588, 12),
        ("leases", {"clients": 3}, 1_736, 8_232, 13),
    ],
)
def test_they_hold_and_every_action_happens(
    file: str, parameters: dict[str, int], states: int, transitions: int, depth: int
) -> None:
    protocol = example(file, **parameters)
    found = explore(protocol)
    assert [v.property for v in found.verdicts if not isinstance(v, Holds)] == []
    assert found.never_fired == []
    assert (len(found.states), found.transitions, found.depth) == (states, transitions, depth)


@pytest.mark.parametrize(
    ("file", "guard", "broken", "steps"),
    [
        ("token_ring", "accept:not the one before", "one_token", 9),
        ("chain_replication", "acknowledge:is the tail", "acknowledged_is_everywhere", 2),
        ("leases", "arrive:not fenced off", "nothing_is_overwritten", 8),
    ],
)
def test_without_a_guard_they_break_as_they_say(file: str, guard: str, broken: str, steps: int) -> None:
    protocol = without_guards(example(file), [guard])
    assert (
        f'docs/examples/{file}.py --without-guard "{guard}"'
        in (ROOT / f"docs/examples/{file}.py").read_text()
    )
    (verdict,) = explore(protocol, properties=[broken], stop_at_first=True).verdicts
    assert isinstance(verdict, Violated) and verdict.path is not None
    assert verdict.path.steps == steps


def test_philosophers_with_the_same_hand_wait_for_one_another() -> None:
    protocol = example("philosophers", seats=3, same_hand=True)
    found = {v.form: v for v in explore(protocol).verdicts if isinstance(v, Violated)}
    assert set(found) == {"can_always", "deadlock"}
    path = found["deadlock"].path
    assert path is not None
    assert set(protocol.decode(path.states[-1])["at"].values()) == {protocol.decode(path.states[-1])["at"][0]}
