"""Paths made short: still a violation, none of its steps to spare, and the shortest where that is said."""

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from small_protocols import PROTOCOLS

from cutproof.checks.engines.plain.explore import explore
from cutproof.checks.engines.plain.search import inside
from cutproof.checks.engines.simulate.schedulers import uniform
from cutproof.checks.engines.simulate.walk import Walker
from cutproof.checks.engines.verdict import Path, Violated
from cutproof.checks.traces.replay import DOMAIN, replay
from cutproof.checks.traces.shrink import shorten, shorten_trace
from cutproof.checks.traces.trace import from_path
from cutproof.model.examples.two_phase_commit import two_phase_commit
from cutproof.model.language import (
    Operand,
    Step,
    action,
    always,
    boolean,
    count,
    expressions,
    family,
    guard,
    put,
    when,
)  # fmt: skip
from cutproof.model.language.protocol import Protocol, State


def violations(protocol: Protocol, seed: int) -> list[tuple[str, str, Path]]:
    """Long paths to violations: property, form and the path, which may have violated before its end."""
    walker = Walker(protocol, uniform, seed, 30)
    found = dict[int, Path]()
    for run in (walker.run(number, False) for number in range(10)):
        for step, place in run.told:
            states = tuple(map(walker.compiled.unpack, run.states[: step + 1]))
            found.update(dict.fromkeys(walker.violates(place), Path(states, tuple(run.transitions[:step]))))
    claims = protocol.claims
    about = {i: (claims[i].property, claims[i].form) if i >= 0 else (DOMAIN, "always") for i in found}
    return [(*about[i], path) for i, path in found.items()]


def wrong(protocol: Protocol, name: str, form: str, state: State) -> bool:
    """By the plain interpreter: whether a state shows the violation."""
    values = protocol.named(state)
    enabled = [t for t in protocol.transitions if expressions.evaluate(t.enabled, values, {})]
    possible = inside(protocol, state)
    if name == DOMAIN:
        return len(possible) < len(enabled)
    holds = all(expressions.evaluate(c.holds, values, {}) for c in protocol.claims if c.property == name)
    if form == "always":
        return not holds
    owed = [n for n, after in possible if after != state and protocol.transitions[n].owed]
    return not holds and not owed and len(possible) == len(enabled)


def walked(protocol: Protocol, state: State, numbers: tuple[int, ...], lenient: bool) -> State | None:
    """Where some steps lead, one after the other; None if one is not possible, unless those may be passed over."""
    for number in numbers:
        after = dict(inside(protocol, state)).get(number)
        if after is None and not lenient:
            return None
        state = state if after is None else after
    return state


@given(PROTOCOLS, st.integers(0, 10**9), st.sampled_from([1, 30, 20_000]), st.sampled_from([1, 40]))
def test_what_is_left_is_a_violation_and_none_of_it_to_spare(
    protocol: Protocol, seed: int, start: int, around: int
) -> None:
    found = violations(protocol, seed)
    assume(found)
    for name, form, path in found:
        short = shorten(protocol, path, name, form, start=start, around=around)
        numbers, steps = short.path.transitions, short.path.steps
        assert steps <= path.steps
        start_state = short.path.states[0]
        assert start_state in protocol.initials
        assert walked(protocol, start_state, numbers, False) == short.path.states[-1]
        assert wrong(protocol, name, form, short.path.states[-1])
        assert not any(wrong(protocol, name, form, s) for s in short.path.states[:-1])
        for left_out in range(steps):
            less = numbers[:left_out] + numbers[left_out + 1 :]
            for lenient in (False, True):
                end = walked(protocol, start_state, less, lenient)
                assert end is None or not wrong(protocol, name, form, end)
        assert shorten(protocol, path, name, form, start=start, around=around) == short


@given(PROTOCOLS, st.integers(0, 10**9), st.sampled_from([1, 5, 12, 30, 20_000]))
def test_where_it_is_said_to_be_the_shortest_it_is(protocol: Protocol, seed: int, start: int) -> None:
    explored = {(v.property, v.form): v for v in explore(protocol, cycles=False).verdicts}
    found = [(n, f, p) for n, f, p in violations(protocol, seed) if f == "always"]
    assume(found)
    for name, form, path in found:
        verdict = explored[name, form]
        assert isinstance(verdict, Violated) and verdict.path
        short = shorten(protocol, path, name, form, start=start)
        assert short.path.steps >= verdict.path.steps
        if short.shortest:
            assert short.path.steps == verdict.path.steps
        if start == 20_000:
            assert short.shortest and short.path == verdict.path


def test_a_way_round_is_taken_where_no_step_can_be_left_out() -> None:
    @action
    def climb(s: Any) -> Step:
        """One up."""
        return when(guard("not at the top", s.x < 9)).then(x=s.x + 1)

    @action
    def jump(s: Any) -> Step:
        """From one to just below the top."""
        return when(guard("at one", s.x == 1)).then(x=8)

    @always
    def below(s: Any) -> Operand:
        """Never at the top."""
        return s.x < 9

    protocol = Protocol("ladder", {"x": count(0, 9)}, [climb, jump], [below])
    path = Path(tuple((x,) for x in range(10)), (0,) * 9)
    assert shorten(protocol, path, "below", "always", start=1, around=1).path == path
    by_a_way = shorten(protocol, path, "below", "always", start=1)
    assert by_a_way.path.transitions == (0, 1, 0) and not by_a_way.shortest
    assert shorten(protocol, path, "below", "always").shortest


def test_what_lies_beyond_the_states_that_were_looked_at_is_not_said_to_be_longer() -> None:
    @action
    def climb(s: Any) -> Step:
        """One up."""
        return when(guard("not at the top", s.x < 9)).then(x=s.x + 1)

    @action
    def jump(s: Any, to: int) -> Step:
        """From one to a place further on."""
        return when(guard("at one", s.x == 1)).then(x=to)

    @always
    def below(s: Any) -> Operand:
        """Never at the top."""
        return s.x < 9

    protocol = Protocol("ways", {"x": count(0, 9)}, [climb, jump], [below], {"to": (7, 8)})
    path = Path(tuple((x,) for x in (0, 1, 7, 8, 9)), (0, 1, 0, 0))  # the way by 8 has one step less
    for start, steps, shortest in ((1, 4, False), (5, 4, False), (20, 3, True)):
        short = shorten(protocol, path, "below", "always", start=start, around=1)
        assert (short.path.steps, short.shortest) == (steps, shortest)


def test_steps_that_matter_not_are_left_out_one_by_one() -> None:
    @action
    def rise(s: Any, i: int) -> Step:
        """One of many goes up."""
        return when(guard("down", ~s.up[i])).then(up=put(s.up, i, True))

    @always
    def not_these(s: Any) -> Operand:
        """Never the second, the fifth and the sixth."""
        return ~(s.up[1] & s.up[4] & s.up[5])

    protocol = Protocol("many", {"up": family("i", of=boolean())}, [rise], [not_these], {"i": range(8)})
    states = [protocol.initial]
    for n in range(8):
        states.append((*states[-1][:n], 1, *states[-1][n + 1 :]))
    path = Path(tuple(states), tuple(range(8)))  # it is violated after six steps, and at the end
    assert shorten(protocol, path, "not_these", "always", start=1, around=1).path.transitions == (1, 4, 5)


def test_a_trace_of_any_engine_is_made_short() -> None:
    protocol = two_phase_commit(3).without_guard("commit", "all prepared")
    for name, form, path in violations(protocol, 3):
        if form != "always":
            continue
        trace = from_path(protocol, path.states, path.transitions, why="Why.", property=name, seed=3)
        short = shorten_trace(trace, protocol)
        assert (short.meta, len(short.steps)) == (trace.meta, 3)
        assert replay(short, protocol).reproduced
        return
    raise AssertionError("nothing was found")


def test_what_shows_nothing_by_its_last_state_is_refused() -> None:
    protocol = two_phase_commit(3)
    path = Path((protocol.initial,), ())
    with pytest.raises(ValueError, match="consistent: the path does not end where it is violated"):
        shorten(protocol, path, "consistent", "always")
    for name, form in (("decided", "cycle"), ("nothing", "always"), ("all_commit", "sometimes")):
        with pytest.raises(ValueError, match=f"{form} {name}: not shown by the last state"):
            shorten(protocol, path, name, form)
    trace = from_path(protocol, path.states, path.transitions, why="Why.", property="consistent")
    with pytest.raises(ValueError, match="another specification"):
        shorten_trace(trace, two_phase_commit(2))
