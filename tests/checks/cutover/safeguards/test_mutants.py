"""Mutants of effects: what is left out, kept or replaced, and nothing else."""

from __future__ import annotations

from enum import Enum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutproof.checks.cutover.safeguards.mutants import Kind, Mutant, mutants, next_to
from cutproof.model.cutover.coordinator import build
from cutproof.model.cutover.scopes import parse_scope
from cutproof.model.language import Domain, action, always, boolean, count, each, family, guard, when
from cutproof.model.language import expressions as ex
from cutproof.model.language.protocol import Field, Protocol


class Colour(Enum):
    RED = "red"
    GREEN = "green"
    BLUE = "blue"


@action
def move(s):
    """Several cells of a family, and two plain variables."""
    return when(guard("at rest", ~s.moving)).then(moving=True, at=each(s.at, s.n + 1), n=s.n + 1)


@action
def rest(s):
    """One effect."""
    return when(guard("moving", s.moving)).then(moving=False)


@always
def below(s):
    """Something to judge."""
    return s.n <= 3


SMALL = Protocol(
    "small",
    {"n": count(0, 3), "moving": boolean(), "at": family("side", "place", of=count(0, 3))},
    [rest, move],
    [below],
    indices={"side": ("left", "right"), "place": (0, 1)},
)


def updates(protocol: Protocol, name: str) -> dict[str, object]:
    found = next(t for t in protocol.transitions if t.action == name)
    return {cell.name: value for cell, value in found.updates}


def test_effects_are_named_in_the_order_of_the_actions_and_cells_that_differ_by_a_number_count_once() -> None:
    assert [str(m) for m in mutants([SMALL, SMALL])] == [
        "rest.moving left out", "rest.moving another value",
        "move.moving left out", "move.moving another value",
        "move.at left out", "move.at[left,0] kept in one cell", "move.at[right,0] kept in one cell",
        "move.at another value",
        "move.n left out", "move.n another value",
    ]  # fmt: skip


def test_what_is_left_out_is_gone_and_all_else_stays() -> None:
    whole, left = updates(SMALL, "move"), updates(Mutant("move", "at").of(SMALL), "move")
    assert left == {name: value for name, value in whole.items() if not name.startswith("at")}
    kept = updates(Mutant("move", "at", Kind.KEPT, "at[left,0]").of(SMALL), "move")
    assert kept == {name: value for name, value in whole.items() if name != "at[left,0]"}
    other = updates(Mutant("move", "n", Kind.NEXT).of(SMALL), "move")
    assert {n for n in whole if other[n] is not whole[n]} == {"n"}
    assert updates(Mutant("move", "n", Kind.NEXT).of(SMALL), "rest") == updates(SMALL, "rest")


@pytest.mark.parametrize(
    "mutant", [Mutant("rest", "n"), Mutant("go", "n"), Mutant("rest", "moving", Kind.KEPT, "moving")]
)
def test_what_is_not_there_is_refused(mutant: Mutant) -> None:
    with pytest.raises(ValueError, match="there is no"):
        mutant.of(SMALL)


@given(low=st.integers(0, 9), more=st.integers(1, 9), data=st.data())
def test_the_neighbour_is_another_value_of_the_domain(low: int, more: int, data: st.DataObject) -> None:
    value = data.draw(st.integers(low, low + more))
    cell = Field("n", "n", (), Domain(int, low, low + more))
    term = next_to(cell, ex.variable("m", low, low + more))
    found = ex.evaluate(term, {"m": value}, {})
    assert found == (value + 1 if value < low + more else value - 1)


def test_the_neighbour_of_a_boolean_is_the_other_one_and_of_a_member_the_next() -> None:
    truth = Field("b", "b", (), Domain(bool, 0, 1))
    assert next_to(truth, ex.TRUE) is ex.FALSE
    colour = Field("c", "c", (), Domain(Colour, 0, 2))
    assert [ex.evaluate(next_to(colour, ex.constant(i)), {}, {}) for i in range(3)] == [1, 2, 1]


def test_every_effect_of_the_cutover_can_be_mutated_in_a_scope_that_has_it() -> None:
    protocol = build(parse_scope("retry"))
    found = mutants([protocol])
    assert len(found) > 100 and len(set(found)) == len(found)
    for mutant in found:
        assert mutant.of(protocol).digest != protocol.digest, mutant
