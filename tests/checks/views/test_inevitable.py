"""The step after which a bad end was inevitable, held against all runs of small protocols."""

from typing import Any

import pytest

from cutproof.checks.engines.plain.explore import explore
from cutproof.checks.engines.verdict import Violated, run_of
from cutproof.checks.traces.counterexample import trace_of
from cutproof.checks.views import inevitable, make
from cutproof.model.language import action, always, can_always, count, eventually, guard, when
from cutproof.model.protocol import Protocol


@action
def step(s: Any) -> Any:
    return when(guard("before the fork", s.at < 3)).then(at=s.at + 1)


@action
def left(s: Any) -> Any:
    return when(guard("at the fork", s.at == 3)).then(at=4)


@action
def right(s: Any) -> Any:
    return when(guard("at the fork", s.at == 3)).then(at=6)


@action
def fall(s: Any) -> Any:
    return when(guard("on the left", s.at == 4)).then(at=5)


@action(fault="push")
def pushed(s: Any) -> Any:
    return when(guard("at the start", s.at == 0)).then(at=4)


@always
def standing(s: Any) -> Any:
    """Nobody has fallen."""
    return s.at != 5


@can_always
def arrives(s: Any) -> Any:
    """The right one can be reached."""
    return s.at == 6


@eventually
def arrives_at_last(s: Any) -> Any:
    return s.at == 6


def road(*actions: Any, properties: Any = (standing,)) -> Protocol:
    return Protocol("road", {"at": count(0, 6)}, list(actions), list(properties))


def drawn(protocol: Protocol, name: str, most: int = 100) -> Any:
    verdict = next(v for v in explore(protocol).verdicts if isinstance(v, Violated) and v.property == name)
    assert run_of(verdict) is not None
    return make.of_trace(trace_of(verdict), protocol, most=most).verdict


def test_it_is_the_step_that_leaves_the_fork() -> None:
    verdict = drawn(road(step, left, right, fall), "standing")
    assert (verdict.inevitable, verdict.since) == (4, 5)
    assert "Until then a run could avoid it, going on with right()" in verdict.after


def test_without_a_fork_it_is_so_from_the_beginning() -> None:
    verdict = drawn(road(step, left, fall), "standing")
    assert verdict.inevitable == 0 and verdict.after == "It was inevitable from the beginning."


def test_faults_are_not_counted_on() -> None:
    verdict = drawn(road(step, right, fall, pushed), "standing")
    assert verdict.inevitable == 1 and "going on with step()" in verdict.after


def test_a_fault_that_would_help_is_not_counted_on() -> None:
    @action(fault="wind")
    def rescued(s: Any) -> Any:
        return when(guard("on the left", s.at == 4)).then(at=6)

    assert drawn(road(step, left, right, fall, rescued), "standing").inevitable == 4


def test_going_round_for_ever_avoids_it() -> None:
    @action
    def back(s: Any) -> Any:
        return when(guard("on the left", s.at == 4)).then(at=3)

    verdict = drawn(road(step, left, fall, back), "standing")
    assert verdict.inevitable == 5


def test_of_what_can_come_no_more_it_is_the_first_step_after_which_it_cannot() -> None:
    verdict = drawn(road(step, left, right, fall, properties=[arrives]), "arrives")
    assert verdict.inevitable == 4 and verdict.form == "can_always"


def test_of_what_never_comes_too() -> None:
    verdict = drawn(road(step, left, right, fall, properties=[arrives_at_last]), "arrives_at_last")
    assert verdict.inevitable == 4 and verdict.form == "eventually"


def test_where_the_search_is_cut_off_that_is_said() -> None:
    @action
    def wander(s: Any, to: int) -> Any:
        return when(guard("before the fork", (s.at < 3) & (s.far < 50))).then(far=s.far + to)

    protocol = Protocol(
        "far",
        {"at": count(0, 6), "far": count(0, 60)},
        [step, left, fall, wander],
        [standing],
        {"to": (1, 2, 3)},
    )
    verdict = drawn(protocol, "standing", most=20)
    assert verdict.inevitable == 2 or "is not known" in verdict.after or "at the latest" in verdict.after
    assert "20 states were looked at" in verdict.after
    assert "from the beginning" in drawn(protocol, "standing", most=10_000).after


@pytest.mark.parametrize("last", [3, 4])
def test_a_deadlock_is_inevitable_where_every_way_ends_in_it(last: int) -> None:
    protocol = road(step, left, right, fall)
    states = [(n,) for n in range(last + 1)] + ([(5,)] if last == 4 else [(6,)])
    found = inevitable.of_deadlock(protocol, states)
    assert found.step == 0  # every way ends somewhere
