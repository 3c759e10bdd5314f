"""Transitions as cases: what they make of a state is what the plain engine says, whatever fields are fast."""

from pathlib import Path
from random import Random
from typing import Any

import pytest
from circuits import Reading, judged, some_fast, walked
from hypothesis import given
from hypothesis import strategies as st
from places import TESTS
from random_protocols import made, source
from small_protocols import PROTOCOLS

from cutproof.checks.protocols.load import load
from cutproof.model.cutover.coordinator import cutover
from cutproof.model.cutover.policy import Policy, resolve
from cutproof.model.cutover.safeguards import AS_WRITTEN, HARDENED
from cutproof.model.cutover.scopes import SCOPES, SMALL_SCOPES, parse_scope
from cutproof.model.language import (
    Operand,
    Step,
    action,
    always,
    boolean,
    choose,
    constant,
    count,
    guard,
    put,
    when,
)
from cutproof.model.language import family as family_of
from cutproof.model.language.circuit import NO, Effect, Layout, Translation, possible
from cutproof.model.language.circuit.cases import WAYS
from cutproof.model.language.circuit.layout import WORD
from cutproof.model.language.protocol import Protocol, State


def whatever_is_fast(protocol: Protocol, states: list[State], seed: int = 0) -> None:
    """Hold the cases against the interpreter with no, one and several fast fields."""
    rng = Random(seed)
    for most in (0, 1, 3):
        judged(protocol, states, some_fast(protocol, rng, most))


@given(PROTOCOLS, st.integers(0, 99))
def test_small_protocols(protocol: Protocol, seed: int) -> None:
    whatever_is_fast(protocol, walked(protocol, 40), seed)


@pytest.mark.sampled(20)
@pytest.mark.parametrize("seed", range(200))
def test_whatever_is_written(seed: int) -> None:
    protocol = made(source(seed))
    whatever_is_fast(protocol, walked(protocol, 60), seed)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("file", sorted((TESTS / "protocols").glob("*.py")), ids=lambda path: path.stem)
def test_protocols_of_others(file: Path) -> None:
    protocol = load(str(file)).protocol
    whatever_is_fast(protocol, walked(protocol, 60), 3)


@pytest.mark.sampled(15)
@pytest.mark.parametrize("written", [False, True], ids=["hardened", "as written"])
@pytest.mark.parametrize("scope", [*SCOPES, *SMALL_SCOPES])
def test_every_scope(scope: str, written: bool) -> None:
    off = sorted(HARDENED - AS_WRITTEN) if written else []
    protocol = cutover(parse_scope(scope)).resolve(resolve(Policy(), off))
    whatever_is_fast(protocol, walked(protocol, 80), 5)


# ------------------------------------------------------------------ bits at the ends of words

FULL = 2**32 - 1


def counters(fields: int = 5, high: int = FULL, by: int = 1) -> Protocol:
    """Each may grow or shrink while there is room; `swap` puts sums that only gates can say."""

    @action
    def grow(s: Any, i: int) -> Step:
        return when(guard("room", s.n[i] <= high - by)).then(n=put(s.n, i, s.n[i] + by))

    @action
    def shrink(s: Any, i: int) -> Step:
        return when(guard("some", s.n[i] >= by), guard("set", s.flag)).then(n=put(s.n, i, s.n[i] - by))

    @action
    def grow_all(s: Any) -> Step:
        return when(guard("room", s.n[0] < high), guard("more", s.n[1] < high)).then(
            n=put(put(s.n, 0, s.n[0] + 1), 1, s.n[1] + 1), flag=~s.flag
        )

    @action
    def add_up(s: Any, i: int) -> Step:
        """One is the sum of two others, the next goes on by one: gates, and a sum beside them."""
        after, third = (i + 1) % fields, (i + 2) % fields
        total = s.n[i] + s.n[after] - s.n[third]
        return when(guard("room", s.n[after] < high), guard("fits", (total >= 0) & (total <= high))).then(
            n=put(put(s.n, i, total), after, s.n[after] + 1)
        )

    @action
    def add_up_unchecked(s: Any, i: int) -> Step:
        return when(guard("set", s.flag)).then(n=put(s.n, i, s.n[i] + s.n[(i + 1) % fields]))

    @always
    def apart(s: Any) -> Operand:
        return (s.n[0] != s.n[1]) | s.flag

    return Protocol(
        name="counters",
        indices={"i": range(fields)},
        variables={"n": family_of("i", of=count(0, high)), "flag": boolean()},
        actions=[grow, shrink, grow_all, add_up, add_up_unchecked],
        properties=[apart],
    )


@given(st.data(), st.sampled_from([FULL, 2**31, 2**62 + 5, 2**20 - 1, 5000]), st.sampled_from([1, 2, 77]))
def test_sums_at_the_ends_of_words(data: st.DataObject, high: int, by: int) -> None:
    protocol = counters(high=high, by=by)
    values = st.one_of(st.sampled_from([0, 1, high - 1, high, high // 2]), st.integers(0, high))
    states = [
        tuple(data.draw(values if f.domain.high > 1 else st.integers(0, 1)) for f in protocol.fields)
        for _ in range(12)
    ]
    for fast in ([], ["flag"]):
        judged(protocol, states, fast)


def test_gates_say_a_value_where_its_ways_are_too_many() -> None:
    reading = Reading(Translation(Layout(counters())), [])
    assert any(case.effect.computed and case.effect.add for case in reading.cases)
    layout = reading.layout
    assert layout.words == 3 and any(p.offset + p.width == WORD for p in layout.places.values())


def several(fields: int = 5) -> Protocol:
    """One step that changes many fields, each in several ways: more than are told apart together."""

    @action
    def turn(s: Any) -> Step:
        new = s.n
        for i in range(fields):
            x, y = s.n[i], s.n[(i + 1) % fields]
            new = put(
                new, i, choose(y == 0, x + 1, choose(y == 1, x - 1, choose(y == 2, constant(3), constant(0))))
            )
        return when(guard("some", s.n[0] != s.n[2])).then(n=new)

    variables = {"n": family_of("i", of=count(0, 5))}
    return Protocol(
        "several", variables, [turn], [], indices={"i": range(fields)}, initial={"n": [0, 1, 2, 3, 4]}
    )


def test_ways_together_are_limited() -> None:
    protocol, rng = several(), Random(2)
    states = [tuple(rng.randint(0, 5) for _ in protocol.fields) for _ in range(60)]
    reading = judged(protocol, states)
    assert any(case.effect.computed for case in reading.cases) and len(reading.cases) <= WAYS
    judged(protocol, states, ["n[1]", "n[3]"])


def test_ways_of_one_field_are_limited() -> None:
    @action
    def turn(s: Any) -> Step:
        new = s.n
        for i in range(50):
            new = choose(s.at == i, constant(i * 7 % 51), new)
        return when(guard("room", s.at < 50)).then(n=new, at=s.at + 1)

    protocol = Protocol("ways", {"n": count(0, 50), "at": count(0, 50)}, [turn], [])
    reading = judged(protocol, [(n, at) for n in (0, 7, 50) for at in range(51)])
    assert len(reading.cases) == 1 and reading.cases[0].effect.computed


# ------------------------------------------------------------------ what a case is


def test_the_example_in_the_docstring() -> None:
    @action
    def take(s: Any) -> Step:
        return when(guard("some are left", s.left > 0)).then(left=s.left - 1, held=True)

    protocol = Protocol("shop", {"left": count(0, 3), "held": boolean()}, [take], [], initial={"left": 3})
    one, whole = Reading(Translation(Layout(protocol)), []), (1 << WORD) - 1
    assert [(c.mask, c.shift, c.effect) for c in one.cases] == [(1, 0, Effect(whole - 4, 4, whole))]
    two = Reading(Translation(Layout(protocol, ["held"])), [])
    assert [(c.mask, c.shift, c.effect) for c in two.cases] == [
        (0b01, 1, Effect(whole, 0, whole)),
        (0b10, 0, Effect(whole, 0, whole)),
    ]


def test_a_step_that_leaves_its_domain_is_told_and_not_taken() -> None:
    @action
    def up(s: Any) -> Step:
        return when(guard("set", s.flag)).then(n=s.n + 2)

    @action
    def down(s: Any) -> Step:
        return when().then(n=s.n - 1, flag=True)

    protocol = Protocol("leaving", {"n": count(-1, 2), "flag": boolean()}, [up, down], [])
    states = [(n, flag) for n in range(-1, 3) for flag in (0, 1)]
    for fast in ([], ["flag"], ["n"], ["n", "flag"]):
        reading = judged(protocol, states, fast)
        assert [reading.leaves(i) for i in range(8)] == [[1], [1], [], [], [], [0], [], [0]]


@given(PROTOCOLS)
def test_equal_cases_are_one_and_none_is_empty(protocol: Protocol) -> None:
    layout = Layout(protocol, some_fast(protocol, Random(4)))
    reading = Reading(Translation(layout), [])
    cases = [(c.transition, c.condition, c.shift, c.effect) for c in reading.cases]
    assert len(set(cases)) == len(cases)
    everything = [*reading.cases, *reading.leaving, *reading.told]
    assert all(one.condition != NO and 0 < one.mask <= layout.everything for one in everything)


@given(PROTOCOLS)
def test_a_circuit_is_the_same_each_time(protocol: Protocol) -> None:
    fast = some_fast(protocol, Random(1))
    one, two = (Reading(made, []) for made in (Translation(Layout(protocol, fast)) for _ in range(2)))
    assert (one.cases, one.leaving, one.told) == (two.cases, two.leaving, two.told)
    assert list(possible(protocol)) == [f.name for f in protocol.fields]
