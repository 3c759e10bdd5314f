"""Replays: traces walked again on a protocol, and what each of them shows."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorded import BROKEN, HIGH, TRACE, WHY, path_of, rich, rich_trace

from cutproof.checks.engines.exploration import Limits
from cutproof.checks.traces.replay import Replay, replay
from cutproof.checks.traces.story import account, story
from cutproof.checks.traces.trace import Trace, TraceError, from_bytes, from_path, plain, to_bytes
from cutproof.model.examples.two_phase_commit import two_phase_commit
from cutproof.model.language import action, can_always, count, guard, when
from cutproof.model.language.codegen import compile_protocol
from cutproof.model.language.protocol import Protocol

# ------------------------------------------------------------------ walking again


def both(trace: Trace, protocol: Protocol, **options: Any) -> tuple[Replay, str]:
    result = replay(trace, protocol, **options)
    return result, "\n".join(account(result))


def with_meta(trace: Trace, **changes: Any) -> Trace:
    return replace(trace, meta=msgspec.structs.replace(trace.meta, **changes))


def test_a_counterexample_is_reproduced() -> None:
    result, text = both(TRACE, BROKEN)
    assert result.reproduced
    assert result.notes == ()
    assert [str(w.step) for w in result.walked] == ["commit()", "choose_to_abort(rm=0)", "obey_commit(rm=1)"]
    assert [str(c) for c in result.walked[0].changes] == [
        "tm: INIT -> COMMITTED",
        "said_commit: False -> True",
    ]
    assert text.splitlines() == [
        WHY,
        "",
        "protocol two_phase_commit; property consistent; without all prepared, drain, fence; "
        "scope managers=2; seed 7",
        "",
        "  1. commit()",
        "    The transaction manager commits once every resource manager prepared.",
        "       tm: INIT -> COMMITTED",
        "       said_commit: False -> True",
        "  2. choose_to_abort(rm=0)",
        "    A working resource manager aborts on its own; it says nothing.",
        "       rm 0: WORKING -> ABORTED",
        "  3. obey_commit(rm=1)",
        "    A resource manager is told to commit.",
        "       rm 1: WORKING -> COMMITTED",
        "",
        "             at the end                      at the start",
        "rm           rm 0: ABORTED, rm 1: COMMITTED  WORKING",
        "tm           COMMITTED                       INIT",
        "said_commit  True                            False",
        "",
        "false at the end: consistent: No two resource managers decide differently.",
        "reproduced: the path can be walked, and after it consistent is false",
    ]
    assert story(TRACE, BROKEN) == text.splitlines()[:-1]


def test_a_guard_that_is_false_is_named_with_what_was_enabled() -> None:
    sound = two_phase_commit(2)
    result, text = both(with_meta(TRACE, digest=sound.digest), sound)
    assert not result.reproduced
    assert result.walked == ()
    found = result.divergence
    assert found is not None
    assert (found.number, found.false_guards) == (1, ("all prepared",))
    assert found.enabled[:2] == ("abort()", "prepare(rm=0)")
    assert "not reproduced: step 1, commit(), is not enabled: 'all prepared' false" in text
    assert text.endswith(
        "enabled instead: abort(), prepare(rm=0), prepare(rm=1), choose_to_abort(rm=0), choose_to_abort(rm=1)"
    )


def test_a_state_that_differs_is_named() -> None:
    wrong = ({**TRACE.states[1], "tm": "ABORTED", "heard": {0: True, 1: False}}, *TRACE.states[2:])
    result, text = both(replace(TRACE, states=(TRACE.states[0], *wrong)), BROKEN)
    assert result.divergence is not None
    assert (result.divergence.number, len(result.walked)) == (1, 1)
    assert [(d.field, d.recorded, d.specified) for d in result.divergence.differences] == [
        ("tm", "ABORTED", "COMMITTED"),
        ("heard[0]", True, False),
    ]
    assert text.endswith(
        "not reproduced: step 1, commit(), the states after it differ\n"
        "    tm: the trace has ABORTED, the specification COMMITTED\n"
        "    heard[0]: the trace has True, the specification False"
    )


def test_an_initial_state_that_differs_is_named() -> None:
    wrong = replace(TRACE, states=({**TRACE.states[0], "tm": "ABORTED"}, *TRACE.states[1:]))
    result, text = both(wrong, BROKEN)
    assert result.divergence is not None
    assert result.divergence.number == 0
    assert "after step 0 the initial states differ" in text


def test_a_path_after_which_the_property_holds_is_not_reproduced() -> None:
    short = replace(TRACE, states=TRACE.states[:-1], steps=TRACE.steps[:-1])
    result, text = both(short, BROKEN)
    assert not result.reproduced
    assert text.endswith("not reproduced: after step 2 it is not so that consistent is false")


def test_a_changed_specification_is_said_and_its_actions_count() -> None:
    other = two_phase_commit(2).without_guard("commit", "all prepared").without_guard("prepare", "working")
    result, text = both(TRACE, other)
    assert result.reproduced
    assert result.notes == (
        "the specification has changed since (or the trace was edited); only the actions were replayed",
    )
    assert "note: the specification has changed since" in text
    wrong = replace(TRACE, states=({**TRACE.states[0], "tm": "ABORTED"}, *TRACE.states[1:]))
    result, _ = both(wrong, other)
    assert result.reproduced
    assert (
        result.notes[1]
        == "its states differ, first after step 0: tm: the trace has ABORTED, the specification INIT"
    )
    bigger = two_phase_commit(3).without_guard("commit", "all prepared")
    result, _ = both(TRACE, bigger)
    assert result.reproduced
    assert result.notes[1] == "its variables are others now, so the states were not compared"


def with_step(number: int, **changes: Any) -> Trace:
    steps = list(TRACE.steps)
    steps[number - 1] = msgspec.structs.replace(steps[number - 1], **changes)
    return replace(TRACE, steps=tuple(steps))


def with_state(number: int, **changes: Any) -> Trace:
    states = list(TRACE.states)
    states[number] = {**states[number], **changes}
    return replace(TRACE, states=tuple(states))


MEANINGLESS = [
    (with_step(1, action="comit"), "$.states[1].#meta: no action 'comit'; did you mean commit"),
    (with_step(1, arguments={"rm": 0}), "$.states[1].#meta: commit takes (), not (rm)"),
    (with_step(2, arguments={"rm": 2}), "$.states[2].#meta: choose_to_abort has no rm 2; there are 0, 1"),
    (with_step(2, arguments={"rm": False}), "$.states[2].#meta: choose_to_abort has no rm False"),
    (with_state(1, tm="FINE"), "$.states[1]: tm is 'FINE', which is not in INIT | COMMITTED | ABORTED"),
    (with_state(1, heard={0: 1, 1: False}), "$.states[1]: heard[0] is 1, which is not in False | True"),
    (with_state(1, heard={0: True}), "$.states[1]: heard[1] is missing"),
    (with_state(0, heard={"0": True}), "$.states[0]: heard"),
    (with_meta(TRACE, property="consistant"), "$.#meta: no property 'consistant'; did you mean consistent?"),
    (with_meta(TRACE, harm="great"), "$.#meta: consistent has no harm 'great'"),
    (with_meta(TRACE, protocol="paxos"), "is of the protocol 'paxos', not 'two_phase_commit'"),
]


@pytest.mark.parametrize(("trace", "reason"), MEANINGLESS, ids=[reason for _, reason in MEANINGLESS])
def test_names_that_mean_nothing_are_refused(trace: Trace, reason: str) -> None:
    with pytest.raises(TraceError) as caught:
        replay(trace, BROKEN, "file.itf.json")
    assert str(caught.value).startswith("file.itf.json: ")
    assert reason in str(caught.value)


def test_each_form_says_what_was_checked() -> None:
    ended = "the path can be walked"
    for trace, checked in [
        (rich_trace(*HIGH, property="low", harm="too high"), f"{ended}, and after it low is false"),
        (rich_trace(*HIGH, property="low"), f"{ended}, and after it low is false"),
        (rich_trace("lock()", property="locked"), f"{ended}, and after it locked is true"),
        (
            rich_trace("lock()", "burst()", property="domain"),
            f"{ended}, and after it an action leaves its domain",
        ),
        (rich_trace(*HIGH), ended),
    ]:
        result = replay(trace, rich())
        assert result.reproduced
        assert result.checked == checked
    for trace in [
        rich_trace(*HIGH, property="low", harm="far too high"),
        rich_trace(*HIGH, property="locked"),
        rich_trace("lock()", property="domain"),
        rich_trace("lock()", property="moves", form="cycle"),
        rich_trace("lock()", "lock()", property="moves", form="cycle"),  # a round of faults
        rich_trace(*HIGH, property="moves", form="deadlock"),
    ]:
        assert not replay(trace, rich()).reproduced
    assert (
        "; harm: too high" in account(replay(rich_trace(*HIGH, property="low", harm="too high"), rich()))[-1]
    )


def test_a_deadlock_is_where_nothing_changes() -> None:
    done = [f"obey_abort(rm={i})" for i in (0, 1)]
    protocol = two_phase_commit(2)
    path = path_of(protocol, "abort()", *done)
    result = replay(from_path(protocol, *path, why=WHY, property="deadlock", form="deadlock"), protocol)
    assert result.reproduced
    assert result.checked.endswith("nothing can change")


def test_a_step_that_leaves_its_domain_ends_the_walk() -> None:
    trace = rich_trace("lock()", "burst()")
    longer = replace(trace, states=(*trace.states, trace.states[-1]), steps=(*trace.steps, trace.steps[-1]))
    found = replay(longer, rich()).divergence
    assert found is not None
    assert (found.number, found.reason) == (3, "sets total to 2, which is outside 0..1")


def test_a_step_that_folding_dropped_can_never_happen() -> None:
    protocol = rich()
    fewer = object.__new__(Protocol)
    fewer.__dict__.update(protocol.__dict__)
    fewer.transitions = tuple(t for t in protocol.transitions if t.action != "lock")
    found = replay(rich_trace("lock()"), fewer).divergence
    assert found is not None
    assert found.reason == "can never happen with these safeguards and this policy"


def test_messages_begin_with_the_name_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match=r"^\?\[31m"):
        from_bytes(b"", "\x1b[31m")


# ------------------------------------------------------------------ what must stay possible


def road(top: int = 5, home: int = 5) -> Protocol:
    """Steps to 2, and from there by a fault alone."""

    @action
    def go(s: Any) -> Any:
        return when(guard("below 2", s.at < 2)).then(at=s.at + 1)

    @action(fault="jump")
    def jump(s: Any) -> Any:
        return when(guard("at 2", s.at == 2)).then(at=top)

    @can_always
    def home_again(s: Any) -> Any:
        return s.at == home

    return Protocol("road", {"at": count(0, top)}, [go, jump], [home_again])


def on_the_road(*labels: str) -> Trace:
    return from_path(road(), *path_of(road(), *labels), why="Lost.", property="home_again")


@pytest.mark.parametrize(("steps", "states"), [(0, "3 states"), (1, "2 states"), (2, "1 state")])
def test_what_is_out_of_reach_is_explored(steps: int, states: str) -> None:
    result, text = both(on_the_road(*["go()"] * steps), road())
    assert result.verdict == "reproduced" and result.fixed is False
    assert f"home_again is out of reach: {states}, by every step that is owed, and true in none" in text


def test_what_can_be_reached_is_not_reproduced() -> None:
    for protocol in (road().without_guard("go", "below 2"), road(home=2)):
        result, text = both(on_the_road("go()"), protocol)
        assert result.verdict == "not reproduced" and result.fixed is True
        assert (
            text.splitlines()[-1]
            == "not reproduced: after step 1 it is not so that home_again is out of reach"
        )
    assert not replay(on_the_road("go()", "go()", "jump()"), road()).reproduced


def test_what_was_not_explored_to_its_end_is_not_judged() -> None:
    result = replay(on_the_road("go()"), road(), limits=Limits(states=1))
    assert (result.verdict, result.reproduced, result.fixed) == ("not judged", False, None)
    assert result.checked.endswith("is not known: the limit of 1 states was reached")
    assert account(result)[-1].startswith(
        "not judged: the path can be walked; whether home_again is out of reach"
    )
    beyond = road(top=3, home=3).without_guard("go", "below 2")
    assert replay(on_the_road("go()"), beyond).verdict == "not reproduced", (
        "home is found before the domain ends"
    )
    result = replay(rich_trace("lock()", property="moves"), rich())
    assert (
        result.verdict == "not judged"
        and "a step leaves its domain: burst() sets total to 2" in result.unjudged
    )


# ------------------------------------------------------------------ edited by hand


def alone(trace: Trace, **meta: Any) -> Trace:
    """The actions of a trace as a file of them alone would have it."""
    about = {"protocol": trace.meta.protocol, "property": trace.meta.property, **meta}
    steps = [{"action": s.action, "arguments": s.arguments} for s in trace.steps]
    return from_bytes(json.dumps({"#meta": about, "steps": steps}).encode(), "x")


def test_a_file_of_actions_alone_is_walked() -> None:
    result, text = both(alone(TRACE), BROKEN)
    assert result.reproduced
    assert result.notes == ("the file holds actions alone, so no states were compared",)
    assert text.splitlines()[0] == "A run written by hand."
    stuck = replay(alone(on_the_road("go()")), road())
    assert "out of reach: 2 states" in stuck.checked, "the form is that of the property"
    with pytest.raises(TraceError, match=r"\$\.steps\[1\]: choose_to_abort has no rm 7; there are 0, 1"):
        wrong = TRACE.steps[1]
        steps = (TRACE.steps[0], msgspec.structs.replace(wrong, arguments={"rm": 7}))
        replay(replace(alone(TRACE), steps=steps), BROKEN)


@given(st.lists(st.integers(0, 99), max_size=12))
def test_actions_alone_walk_as_the_whole_trace_does(choices: list[int]) -> None:
    protocol = two_phase_commit(3)
    successors, states, numbers = compile_protocol(protocol).successors, [protocol.initial], list[int]()
    for choice in choices:
        if found := successors(states[-1]):
            number, after = found[choice % len(found)]
            numbers.append(number)
            states.append(after)
    trace = from_path(protocol, states, numbers, why="A walk.")
    whole, bare = replay(trace, protocol), replay(alone(trace), protocol)
    assert whole.reproduced and bare.reproduced
    assert whole.states == bare.states == tuple(plain(protocol.decode(s)) for s in states)
    assert whole.parted is None


def test_a_step_left_out_by_hand_needs_no_renumbering() -> None:
    whole = json.loads(to_bytes(rich_trace(*HIGH, "lock()", property="low")))
    del whole["states"][1]
    result, text = both(from_bytes(json.dumps(whole).encode(), "x"), rich())
    assert [str(w.step) for w in result.walked] == ["rise(side=RIGHT, slot=a)", "lock()"]
    assert "note: by their indices some states were left out" in text
    assert text.splitlines()[-1] == "not reproduced: after step 2 it is not so that low is false"


# ------------------------------------------------------------------ is it fixed


def test_a_fault_is_fixed_where_its_run_ends_well_or_is_refused() -> None:
    sound = two_phase_commit(2)
    short = replace(TRACE, states=TRACE.states[:-1], steps=TRACE.steps[:-1])
    assert replay(TRACE, BROKEN).fixed is False
    assert replay(short, BROKEN).fixed is True, "every step was taken, and nothing is wrong"
    assert replay(TRACE, sound).fixed is True, "after the recorded states a guard refuses"


def test_a_trace_that_cannot_be_performed_says_nothing_of_a_fault() -> None:
    sound = two_phase_commit(2)
    other = with_state(0, tm="ABORTED")
    assert replay(other, sound).fixed is None, "the runs part before the step that is refused"
    assert replay(alone(TRACE), sound).fixed is None, "nobody knows where they part"
    assert replay(replace(TRACE, gaps=True), sound).fixed is None
    fewer = object.__new__(Protocol)
    fewer.__dict__.update(sound.__dict__)
    fewer.transitions = tuple(t for t in sound.transitions if t.action != "commit")
    assert replay(TRACE, fewer).fixed is None, "no guard refuses what is not there"
