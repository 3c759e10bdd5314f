"""Moves, read by Python's integers, against the steps of the plain engine: in every state, of any protocol."""

from typing import Any

import pytest
from circuits import Planes
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from random_protocols import made, source

from cutproof.checks.engines.plain.explore import explore
from cutproof.checks.engines.plain.search import steps_of
from cutproof.checks.engines.zdd import events
from cutproof.checks.engines.zdd.events import Move, Step, moves_of
from cutproof.model.cutover.coordinator import build
from cutproof.model.cutover.scopes import parse_scope
from cutproof.model.language import action, count, family, guard, put, when
from cutproof.model.language.circuit import Layout, TooWide, Translation
from cutproof.model.language.codegen import compile_protocol
from cutproof.model.language.protocol import Protocol, State


class Reading:
    """What moves make of states."""

    def __init__(self, protocol: Protocol) -> None:
        self.protocol = protocol
        self.made = Translation(Layout(protocol))
        self.moves = moves_of(self.made)

    def _after(self, key: int, step: Step) -> int:
        planes = Planes(self.made.circuit, [key])
        (event,) = [e for e in step if planes.holds(e.condition, 0)]  # one, and no two
        for bit, value in event.put:
            key = key & ~(1 << bit) | value << bit
        return key

    def taken(self, state: State, move: Move) -> State | None:
        """Where a move leads."""
        layout = self.made.layout
        key, _ = layout.pack(state)
        if not Planes(self.made.circuit, [key]).holds(move.enabled, 0):
            return None
        for step in move.steps:
            key = self._after(key, step)
        return layout.unpack(key, 0)

    def leaves(self, state: State, move: Move) -> bool:
        """Whether it would leave a domain."""
        return Planes(self.made.circuit, [self.made.layout.pack(state)[0]]).holds(move.leaving, 0)


def agrees(protocol: Protocol, states: int) -> int:
    """How many steps were compared."""
    reading, compiled = Reading(protocol), compile_protocol(protocol)
    found, count = list(explore(protocol, properties=[]).states), 0
    for state in found[:: max(1, len(found) // states)]:
        expected = dict(steps_of(compiled, state))
        for move in reading.moves:
            assert reading.taken(state, move) == expected.get(move.transition)
            count += move.transition in expected
    return count


@examples(10, 600)
@given(seed=st.integers(0, 10**9))
def test_moves_are_the_steps_of_any_protocol(seed: int) -> None:
    agrees(made(source(seed)), 30)


@pytest.mark.parametrize("combinations", [1, events.COMBINATIONS])
@pytest.mark.parametrize("scope", ["writes=1,crashes=1", "writes=1,aborts=1,overlap=1"])
def test_moves_are_the_steps_of_the_cutover(
    monkeypatch: pytest.MonkeyPatch, scope: str, combinations: int
) -> None:
    """Also where every transition that changes two fields in more than one way is a sequence."""
    monkeypatch.setattr(events, "COMBINATIONS", combinations)
    protocol = build(parse_scope(scope))
    assert agrees(protocol, 40) > 100
    wide = [move for move in moves_of(Translation(Layout(protocol))) if len(move.steps) > 1]
    assert bool(wide) == (combinations == 1)


def test_fields_that_read_one_another_are_one_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three that hand on what they have, in a ring, and two that read the ring: these come first."""
    monkeypatch.setattr(events, "COMBINATIONS", 1)

    @action
    def turn(s: Any) -> Any:
        new = s.n
        for i in range(3):
            new = put(new, i, s.n[(i + 1) % 3])
        return when(guard("some", s.n[0] > 0)).then(n=new, most=s.n[2], total=s.n[0] + s.n[1])

    protocol = Protocol(
        "ring", {"n": family("i", of=count(0, 2)), "most": count(0, 2), "total": count(0, 4)}, [turn], [],
        indices={"i": range(3)}, initial={"n": [2, 1, 0]},
    )  # fmt: skip
    assert agrees(protocol, 100)
    (move,) = moves_of(Translation(Layout(protocol)))
    assert len(move.steps) == 3 and len(move.steps[-1]) == 27


def test_a_step_that_leaves_its_domain_is_told_and_not_taken() -> None:
    @action
    def up(s: Any) -> Any:
        return when(guard("low", s.n < 3)).then(n=s.n + 2)

    reading = Reading(Protocol("up", {"n": count(0, 3)}, [up], []))
    told = [(reading.taken((n,), reading.moves[0]), reading.leaves((n,), reading.moves[0])) for n in range(4)]
    assert told == [((2,), False), ((3,), False), (None, True), (None, False)]


def test_a_field_of_very_many_values_is_refused() -> None:
    @action
    def up(s: Any) -> Any:
        return when(guard("low", s.n < 99_999)).then(n=s.n + 1)

    protocol = Protocol("wide", {"n": count(0, 100_000)}, [up], [])
    with pytest.raises(TooWide, match=r"n: it can get 100,001 values, and 4,096 are told apart"):
        moves_of(Translation(Layout(protocol)))
