"""Runs that go on for ever: what is fair, what never comes, and the lasso that shows it, replayed."""

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from whole_runs import CASES, backfill, claims, comes, graph, lock, served, unfair

from cutproof.checks.engines.exploration import Limits
from cutproof.checks.engines.fast import explore as fast
from cutproof.checks.engines.lasso import fair_round, put_off
from cutproof.checks.engines.plain.explore import explore
from cutproof.checks.engines.verdict import Holds, Unknown, Violated, exit_code, word
from cutproof.checks.traces.replay import replay
from cutproof.checks.traces.story import account, story
from cutproof.checks.traces.trace import Step, from_bytes, to_bytes
from cutproof.model.language import LanguageError, action, can_always, leads_to
from cutproof.model.language.data import from_data, to_data
from cutproof.model.language.protocol import Protocol

VIOLATED = [name for name, case in CASES.items() if isinstance(explore(case()).verdicts[0], Violated)]


def cycles(protocol: Protocol) -> list[str]:
    """The verdicts on cycles of *can always*, by both engines, which must be the same with the same lasso."""
    one, two = (engine(protocol).verdicts[-1] for engine in (explore, fast.explore))
    assert getattr(one, "path", None) == getattr(two, "path", None)
    return [one.form, word(one), word(two)]


def test_a_round_may_have_steps_by_choice_on_it() -> None:
    """A step that somebody owes and one by choice undo each other for ever."""
    for marked, said in ((False, "violated"), (True, "holds")):
        protocol = claims(backfill(marked), can_always, lambda s: s.done)
        assert cycles(protocol) == ["cycle", said, said]


def test_what_is_only_said_to_be_possible_has_no_cycle() -> None:
    asked = claims(backfill(False), can_always, lambda s: s.done)
    possible = claims(backfill(False), can_always(cycles=False), lambda s: s.done)
    assert possible.digest != asked.digest and "can_always (no cycles) claim" in possible.text()
    for protocol in (possible, from_data(to_data(possible))):
        found = [engine(protocol).verdicts for engine in (explore, fast.explore)]
        assert [[(v.form, word(v)) for v in each] for each in found] == [
            [("can_always", "holds"), ("deadlock", "holds")]
        ] * 2
    both = asked.judged_by(
        [*asked.properties, *(replace(p, name="other", cycles=False) for p in asked.properties)]
    )
    for engine in (explore, fast.explore):
        assert [(v.form, v.property) for v in engine(both).verdicts if v.form == "cycle"] == [
            ("cycle", "claim")
        ]
    with pytest.raises(LanguageError, match="write cycles=False"):
        can_always(cycles=0)(_step)  # type: ignore[call-overload]


def test_a_cycle_is_reproduced_unless_it_puts_off_a_fair_step() -> None:
    protocol = claims(backfill(False), can_always, lambda s: s.done)
    found = replay(explore(protocol).verdicts[-1].trace(), protocol)
    assert found.reproduced and found.checked.endswith("by a fair round where it is never true")
    steps = {"fair_turn": [(0, 1), (1, 0)], "unfair_out": [(0, 2), (1, 2)]}
    lax = claims(graph(steps), can_always, lambda s: s.at == 2)
    trace = explore(lax).verdicts[-1].trace()
    assert replay(trace, lax).reproduced
    strict = claims(graph(steps), can_always, lambda s: s.at == 2)
    strict.transitions = tuple(replace(t, marked_unfair=False) for t in strict.transitions)
    assert not replay(trace, strict).reproduced


def test_a_round_that_puts_off_a_fair_step_is_no_cycle() -> None:
    steps = {"fair_turn": [(0, 1), (1, 0)], "fair_out": [(0, 2), (1, 2)]}
    assert cycles(claims(graph(steps), can_always, lambda s: s.at == 2))[1:] == ["holds", "holds"]
    steps = {"fair_turn": [(0, 1), (1, 0)], "unfair_out": [(0, 2), (1, 2)]}
    assert cycles(claims(graph(steps), can_always, lambda s: s.at == 2))[1:] == ["violated", "violated"]


def test_a_round_of_faults_is_no_cycle() -> None:
    steps = {"fair_go": [(0, 1)], "fault_back": [(1, 0)], "fair_out": [(1, 2)]}
    assert cycles(claims(graph(steps), can_always, lambda s: s.at == 2))[1:] == ["holds", "holds"]


def test_a_lasso_takes_every_fair_step_that_its_states_do_not_disable() -> None:
    """The shortest round would put one off: the lasso goes a longer way."""
    steps = {"fair_turn": [(0, 1), (1, 0)], "fair_on": [(0, 2), (1, 2)], "choice_back": [(2, 0)]}
    (verdict,) = explore(comes(graph(steps), 3)).verdicts
    assert isinstance(verdict, Violated) and verdict.path is not None
    taken = {verdict.protocol.transitions[n].action for n in verdict.path.transitions}  # type: ignore[union-attr]
    assert "fair_on" in taken
    assert cycles(claims(graph(steps), can_always, lambda s: s.at == 3))[1:] == ["violated", "violated"]


@pytest.mark.parametrize("name", VIOLATED)
def test_every_lasso_is_written_read_and_reproduced(name: str) -> None:
    protocol = CASES[name]()
    (verdict,) = explore(protocol).verdicts
    assert isinstance(verdict, Violated) and exit_code([verdict]) == 13
    trace = verdict.trace()
    assert trace.loop == verdict.path.loop and from_bytes(to_bytes(trace), "trace") == trace  # type: ignore[union-attr]
    found = replay(trace, protocol)
    assert found.reproduced
    assert any("for ever" in line for line in story(trace)) and any(
        "for ever" in line for line in account(found)
    )
    if not protocol.initial_choices:  # or actions alone do not say where they begin
        assert replay(type(trace)(trace.meta, (), (), trace.steps), protocol).reproduced


def test_a_lasso_that_is_not_one_is_not_reproduced() -> None:
    protocol = served(lock(by_turn=False))
    (verdict,) = explore(protocol).verdicts
    trace = verdict.trace()
    assert trace.loop == 1

    def said(other: Protocol, loop: int, steps: int | None = None) -> str:
        cut = None if steps is None else steps + 1
        short = type(trace)(trace.meta, trace.variables, trace.states[:cut], trace.steps[:steps], loop=loop)
        return replay(short, other).verdict

    assert said(protocol, 1) == "reproduced"
    assert said(protocol, 0) == "not reproduced"  # it does not close
    assert said(protocol, 2, 2) == "not reproduced"  # nobody may rest there
    steps = {"fair_turn": [(0, 1), (1, 0)], "unfair_out": [(0, 2), (1, 2)]}
    lax = comes(graph(steps), 2)
    (verdict,) = explore(lax).verdicts
    assert replay(verdict.trace(), lax).verdict == "reproduced"
    strict = comes(graph(steps), 2)
    strict.transitions = tuple(replace(t, marked_unfair=False) for t in strict.transitions)
    assert replay(verdict.trace(), strict).verdict == "not reproduced"  # a step is put off
    faulty = comes(graph({"fault_turn": [(0, 1), (1, 0)]}), 2)
    turns = (Step("fault_turn", {}), Step("fault_turn", {}))
    around = type(trace)(msgspec.structs.replace(verdict.trace().meta, digest=""), (), (), turns, loop=0)
    assert replay(around, faulty).verdict == "not reproduced"  # faults end


def test_what_was_not_all_seen_is_unknown() -> None:
    (verdict,) = explore(served(lock(by_turn=True)), limits=Limits(states=3)).verdicts
    assert isinstance(verdict, Unknown) and "limit" in verdict.reason


def test_fairness_is_part_of_what_a_protocol_is() -> None:
    protocol = served(lock(by_turn=True))
    assert lock(by_turn=True).digest != unfair(lock(by_turn=True), "leave").digest
    assert "case claim c=0" in protocol.text()
    for each in (protocol, unfair(served(lock(by_turn=True)))):
        again = from_data(to_data(each))
        assert [t.fair for t in again.transitions] == [t.fair for t in each.transitions]
    again = from_data(to_data(protocol))
    assert isinstance(explore(again).verdicts[0], Holds)


def test_what_cannot_be_meant_is_refused() -> None:
    with pytest.raises(LanguageError, match="return two conditions"):
        claims(graph({"fair_go": [(0, 1)]}), leads_to, lambda s: s.at == 0)
    for kind in ({"fault": "crash"}, {"choice": True}):
        with pytest.raises(LanguageError, match="leave out fair=False"):
            action(fair=False, **kind)(_step)  # type: ignore[call-overload]
    with pytest.raises(LanguageError, match="write fair=False"):
        action(fair=0)(_step)  # type: ignore[call-overload]


def _step(s: object) -> None:
    return None


def test_a_fair_round_is_refused_by_one_step_that_is_put_off() -> None:
    protocol = graph({"fair_turn": [(0, 1), (1, 0)], "fair_out": [(0, 2), (1, 2)]})
    ways = {0: [(0, 1), (1, 2)], 1: [(0, 0), (1, 2)], 2: []}
    assert put_off([0, 1], ways.__getitem__, protocol.transitions) == {1}
    assert put_off([2], ways.__getitem__, protocol.transitions) == set()
    fair = graph({"fair_turn": [(0, 1), (1, 0)], "choice_out": [(0, 2), (1, 2)]})
    assert fair_round(0, {0, 1}.__contains__, ways.__getitem__, fair.transitions) == ((1, 0), (0, 0))


def test_a_trace_file_and_its_loop(tmp_path: Path) -> None:
    (verdict,) = explore(CASES["two steps, each possible now and then"]()).verdicts
    verdict.save(tmp_path / "lasso.itf.json")
    text = (tmp_path / "lasso.itf.json").read_text()
    assert '"loop": 0' in text
