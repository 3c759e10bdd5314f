"""What a proof says of each property: never more than was proved, and a run where there is one."""

from typing import Any

import pytest
import z3
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from cutproof.checks.engines.plain.explore import explore
from cutproof.checks.engines.proof.bounded import Search
from cutproof.checks.engines.proof.induction import Proof, conditional
from cutproof.checks.engines.proof.judge import NO_MEASURE, judge
from cutproof.checks.engines.verdict import Holds, Unknown, Violated
from cutproof.checks.traces.replay import replay
from cutproof.model.cutover.coordinator import build, cutover
from cutproof.model.cutover.policy import Policy, resolve
from cutproof.model.cutover.scopes import SCOPES, parse_scope
from cutproof.model.examples.two_phase_commit import two_phase_commit
from cutproof.model.language import (
    Property,
    action,
    always,
    boolean,
    can_always,
    constant,
    count,
    guard,
    sometimes,
    when,
)
from cutproof.model.language.expressions import UNBOUNDED
from cutproof.model.language.protocol import Protocol


@action
def rise(s: Any) -> Any:
    return when(guard("room", s.x < 6)).then(x=s.x + 2)


@action
def ring(s: Any) -> Any:
    return when(guard("at the top", s.x == 6)).then(bell=True)


@always
def never_five(s: Any) -> Any:
    return s.x != 5


@always
def never_four(s: Any) -> Any:
    return s.x != 4


@always
def no_early_bell(s: Any) -> Any:
    return ~s.bell | (s.x == 6)


@always
def is_even(s: Any) -> Any:
    return (s.x == 0) | (s.x == 2) | (s.x == 4) | (s.x == 6)


@sometimes
def rung(s: Any) -> Any:
    return s.bell


@can_always
def top(s: Any) -> Any:
    return s.x == 6


def counter(*properties: Property, **more: Any) -> Protocol:
    variables = {"x": count(0, 8), "bell": boolean()}
    return Protocol("counter", variables, [rise, ring], properties, **more)


def said(found: Any) -> dict[str, str]:
    return {v.property: type(v).__name__ for v in found.verdicts}


def test_with_its_invariants_everything_is_proved() -> None:
    found = judge(
        counter(
            never_five, no_early_bell, rung, top, invariants=[is_even], measure=lambda s: constant(8) - s.x
        )
    )
    assert said(found) == {"never_five": "Holds", "no_early_bell": "Holds", "top": "Holds"}
    assert found.code == 0 and not found.wrong
    assert all(v.protocol is not None and v.checked == "counter" for v in found.verdicts)


def test_without_them_a_bounded_search_says_how_far_it_saw() -> None:
    found = judge(counter(never_five), steps=7)
    [verdict] = found.verdicts
    assert isinstance(verdict, Unknown) and found.code == 3 and verdict.depth == 7
    assert verdict.reason == (
        "induction does not show it; no counterexample within 7 steps (bounded search, not a proof)"
    )


def test_what_is_violated_has_a_shortest_run_that_replays() -> None:
    found = judge(counter(never_five, never_four))
    assert said(found) == {"never_five": "Unknown", "never_four": "Violated"} and found.code == 12
    verdict = found.verdicts[1]
    assert isinstance(verdict, Violated) and verdict.path and verdict.path.steps == 2
    assert verdict.protocol is not None and replay(verdict.trace(), verdict.protocol).reproduced


def test_what_does_not_need_the_clause_that_breaks_is_proved_all_the_same() -> None:
    found = judge(counter(never_five, never_four, no_early_bell, invariants=[is_even]))
    assert said(found) == {"never_five": "Holds", "never_four": "Violated", "no_early_bell": "Holds"}


def test_an_invariant_that_a_run_violates_is_called_wrong() -> None:
    @always
    def low(s: Any) -> Any:
        return s.x < 4

    found = judge(counter(never_five, invariants=[is_even, low]))
    assert said(found) == {"never_five": "Holds"}
    [wrong] = found.wrong
    assert wrong.property == "low" and wrong.path and wrong.path.steps == 2 and found.code == 12


def test_an_invariant_that_is_only_too_weak_is_refuted_and_not_called_wrong() -> None:
    found = judge(counter(never_five, invariants=[never_five_again]))
    assert not found.wrong and found.code == 12 and said(found) == {"never_five": "Unknown"}


@always
def never_five_again(s: Any) -> Any:
    return s.x != 5


def test_without_a_measure_an_end_is_not_proved() -> None:
    found = judge(counter(no_early_bell, top, invariants=[is_even]))
    assert said(found) == {"no_early_bell": "Holds", "top": "Unknown"} and found.code == 3
    assert isinstance(found.verdicts[1], Unknown) and found.verdicts[1].reason == NO_MEASURE


def test_a_measure_that_does_not_fall_proves_nothing() -> None:
    found = judge(counter(top, invariants=[is_even], measure=lambda s: s.x))
    assert said(found) == {"top": "Unknown"}
    with pytest.raises(ValueError, match="below zero"):
        judge(counter(top, invariants=[is_even], measure=lambda s: s.x - 1))


def test_a_step_out_of_a_domain_proves_nothing() -> None:
    loose = counter(never_five, invariants=[is_even]).without_guard("rise", "room")
    assert said(judge(loose)) == {"never_five": "Unknown"}

    @action
    def overflow(s: Any) -> Any:
        return when().then(y=s.y + 1)

    @always
    def at_rest(s: Any) -> Any:
        return ~s.bell

    # no clause speaks of what leaves its domain, and exploring does not know either
    beside = Protocol("beside", {"bell": boolean(), "y": count(0, 2)}, [overflow], [at_rest])
    assert said(judge(beside)) == {"at_rest": "Unknown"}
    assert isinstance(explore(beside).verdicts[0], Unknown)


def test_what_is_asked_for_alone_is_judged_alone() -> None:
    protocol = counter(never_five, never_four, no_early_bell, invariants=[is_even])
    assert said(judge(protocol, only=["no_early_bell"])) == {"no_early_bell": "Holds"}
    assert judge(protocol, only=["rung"]).code == 3  # nothing is claimed that a proof could be of


def test_a_variable_without_a_bound_has_no_bounded_search() -> None:
    @action
    def up(s: Any) -> Any:
        return when().then(x=s.x + 2)

    found = judge(Protocol("long", {"x": count(0, UNBOUNDED)}, [up], [never_five]))
    [verdict] = found.verdicts
    assert (
        isinstance(verdict, Unknown) and "there is no bounded search: an unbounded variable" in verdict.reason
    )


@pytest.mark.parametrize("most", [UNBOUNDED, 2**63, 2**200])
def test_nothing_is_less_than_a_number_for_having_no_bound(most: int) -> None:
    @action
    def up(s: Any) -> Any:
        return when().then(x=s.x + 2)

    @always
    def never_so_large(s: Any) -> Any:
        return (s.x < most) & (s.x + 1 < most) & ~(most - s.x < -most)

    assert said(judge(Protocol("long", {"x": count(0, UNBOUNDED)}, [up], [never_so_large]))) == {
        "never_so_large": "Unknown"
    }


def test_the_counterexample_that_is_shown_is_the_nearest_to_the_start() -> None:
    @action
    def swap(s: Any) -> Any:
        return when(guard("room", s.x > 1)).then(x=s.y, y=s.x)

    @always
    def in_order(s: Any) -> Any:
        return (s.x <= s.y) | s.bell

    variables = {"x": count(0, 9), "y": count(0, 9), "bell": boolean(), "idle": count(-3, 3)}
    protocol = Protocol("swapped", variables, [swap], [in_order], initial={"idle": 2})
    found = []
    for asked_before in (0, 1, 7):
        proof = Proof(protocol)
        for number in range(asked_before):
            proof.solver.push()
            proof.solver.add(proof.symbols.variable("y") > number)
            assert str(proof.solver.check()) == "sat"
            proof.solver.pop()
        found.append(proof.step("swap").ask(to_show=True).counterexample)
    assert found[0] and found[0] == found[1] == found[2]
    assert found[0].state == {"x": 2, "y": 3, "bell": 0, "idle": 2}


def test_a_time_out_is_not_an_answer() -> None:
    found = judge(build(SCOPES["reads_and_faults"]), only=["no_lost_write"], time_out=0.001, steps=0)
    assert set(said(found).values()) == {"Unknown"} and found.code == 3
    assert any(a.said == "unknown" for a in found.answers)


def test_the_cutover_is_judged_as_any_other() -> None:
    assert {type(v) for v in judge(build(parse_scope("base"))).verdicts} == {Holds}
    broken = judge(build(parse_scope("base"), None, ("fence_epoch",)), steps=1)
    assert broken.code == 12 and any(a.said == "refuted" for a in broken.answers)


@examples(8)
@given(limit=st.integers(0, 8), step=st.integers(1, 3), banned=st.integers(0, 8))
def test_it_says_what_exploring_says(limit: int, step: int, banned: int) -> None:
    @action
    def add(s: Any) -> Any:
        return when(guard("room", s.x < limit)).then(x=s.x + step)

    @always
    def not_that(s: Any) -> Any:
        return s.x != banned

    protocol = Protocol("adding", {"x": count(0, 12)}, [add], [not_that])
    [proved], [explored] = judge(protocol, steps=12).verdicts, explore(protocol).verdicts
    if isinstance(proved, Violated):
        assert isinstance(explored, Violated) and proved.path and explored.path
        assert proved.path.steps == explored.path.steps
    else:
        assert isinstance(explored, Holds)


# ------------------------------------------------------------------ what it stands on


def test_what_only_follows_from_unproved_clauses_is_said_to() -> None:
    protocol = counter(never_five, never_four)
    answers = [o.ask() for o in Proof(protocol).obligations()]
    assert [a.said for a in answers if a.kind == "property"] == ["proved", "proved"]
    told = conditional(answers)
    assert [(a.said, a.proved) for a in told if a.kind == "property"] == [("conditional", False)] * 2
    assert {a.reason for a in told if a.kind == "property"} == {
        "follows from the clauses, which are not proved"
    }
    sound = [o.ask() for o in Proof(counter(never_five, invariants=[is_even])).obligations()]
    assert conditional(sound) == sound


def test_a_search_takes_a_protocol_without_mechanisms() -> None:
    [found] = Search(two_phase_commit(2).without_guard("commit", "all prepared"), [None]).run(5).found
    assert found.property == "consistent" and found.path.steps == 3 and found.records == (0,)
    records = [resolve(Policy(), ("fence_epoch",)), resolve(Policy())]
    assert (
        str(z3.simplify(Search(cutover(parse_scope("writes=1")), records).symbols.is_one_of(records)))
        != "True"
    )
