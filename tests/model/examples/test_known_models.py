"""The explorer against counts that others have published, from other tools; each example names its source."""

from dataclasses import replace

import pytest

from cutproof.checks.engines.plain.explore import explore
from cutproof.checks.engines.verdict import Holds, Violated
from cutproof.model.examples.barrier import barrier
from cutproof.model.examples.dijkstra_mutex import dijkstra_mutex
from cutproof.model.examples.two_phase_commit import two_phase_commit
from cutproof.model.language.protocol import Protocol


@pytest.mark.parametrize(
    ("protocol", "states", "transitions", "depth"),
    [
        (two_phase_commit(3), 288, 1_145, 10),
        (two_phase_commit(5), 8_832, 58_145, 16),
        (barrier(6), 29_279, 104_514, 92),
        (dijkstra_mutex(3), 90_883, 282_810, 54),
    ],
    ids=lambda value: value.name if isinstance(value, Protocol) else None,
)
def test_published_counts(protocol: Protocol, states: int, transitions: int, depth: int) -> None:
    found = explore(protocol, properties=[c.property for c in protocol.claims if c.form != "can_always"])
    assert (len(found.states), found.transitions, found.depth) == (states, transitions, depth)
    assert all(isinstance(v, Holds) for v in found.verdicts)
    assert found.never_fired == []


def test_every_action_fires_as_often_as_in_the_published_run() -> None:
    """TLC's coverage, by line of Lamport's text; what it counts in two branches of one step is added up."""
    assert explore(dijkstra_mutex(3), properties=["alone"]).coverage == {
        "choose_first": 3,  # the start states
        "wish": 13_773,
        "ask": 31_878 + 23_001,
        "step_back": 31_878,
        "look_up": 27_594,
        "weigh": 852 + 8_790,
        "take_turn": 6_648,
        "retry": 17_496,
        "claim": 41_709,
        "compare": 13_782 + 23_676,
        "enter": 7_416,
        "leave": 7_416,
        "give_up_claim": 7_416,
        "give_up_wish": 9_717,
        "come_again": 9_765,
    }


@pytest.mark.parametrize(
    ("protocol", "action", "guard", "broken", "steps"),
    [
        (two_phase_commit(3), "commit", "all prepared", "consistent", 3),
        (barrier(3), "lock", "lock is free", "one_holds_the_lock", 4),
        (dijkstra_mutex(2), "enter", "looked at all", "alone", 15),
    ],
    ids=lambda value: value.name if isinstance(value, Protocol) else None,
)
def test_without_a_guard_they_are_wrong(
    protocol: Protocol, action: str, guard: str, broken: str, steps: int
) -> None:
    found = explore(protocol.without_guard(action, guard), properties=[broken], stop_at_first=True)
    (verdict,) = (v for v in found.verdicts if v.property == broken)
    assert isinstance(verdict, Violated)
    assert verdict.path is not None and verdict.path.steps == steps


def test_somebody_enters_because_steps_are_fair() -> None:
    """Lamport's liveness needs weak fairness, and says so: without it, who only asks can keep others out."""
    found = explore(dijkstra_mutex(2), properties=["somebody_enters"])
    assert [type(v) for v in found.verdicts] == [Holds, Holds, Holds]
    lax = dijkstra_mutex(2)
    lax.transitions = tuple(replace(t, marked_unfair=True) for t in lax.transitions)
    can, deadlock, cycle = explore(lax, properties=["somebody_enters"]).verdicts
    assert isinstance(can, Holds) and isinstance(deadlock, Holds)
    assert isinstance(cycle, Violated) and cycle.path is not None and cycle.path.loop is not None
