"""What random runs covered, counted by hand: every run is walked again by the plain interpreter."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_protocols import PROTOCOLS

from cutproof.checks.engines.plain.search import inside
from cutproof.checks.engines.simulate import walk
from cutproof.checks.engines.simulate.coverage import SEVERAL, Coverage, Seen
from cutproof.checks.engines.simulate.guards import Blocked
from cutproof.checks.engines.simulate.schedulers import SCHEDULERS
from cutproof.checks.engines.simulate.simulate import simulate
from cutproof.checks.engines.simulate.walk import DEADLOCK, LIMIT, Run, Walker
from cutproof.model.examples.two_phase_commit import two_phase_commit
from cutproof.model.language import Operand, Step, action, always, boolean, count, guard, when
from cutproof.model.language import expressions as ex
from cutproof.model.language.data import from_data, to_data
from cutproof.model.language.protocol import Protocol, State

MODES = st.sampled_from(sorted(SCHEDULERS))


def walked(walker: Walker, runs: int, stop: bool = False) -> list[Run]:
    return [walker.run(number, stop) for number in range(runs)]


def states_of(walker: Walker, run: Run) -> list[State]:
    return [walker.compiled.unpack(state) for state in run.states]


def outcomes(protocol: Protocol, state: State) -> list[list[bool]]:
    """By transition, which of its guards are true."""
    values = protocol.named(state)
    return [[bool(ex.evaluate(g, values, {})) for _, g in t.guards] for t in protocol.transitions]


@given(PROTOCOLS, MODES, st.integers(0, 10**9), st.integers(1, 12))
def test_every_run_is_one_of_the_protocol(protocol: Protocol, mode: str, seed: int, steps: int) -> None:
    walker = Walker(protocol, SCHEDULERS[mode], seed, steps)
    for run in walked(walker, 3):
        states = states_of(walker, run)
        assert states[0] in protocol.initials
        for here, number, there in zip(states, run.transitions, states[1:], strict=False):
            assert (number, there) in inside(protocol, here) and here != there
        moving = [after for _, after in inside(protocol, states[-1]) if after != states[-1]]
        assert run.ended == (LIMIT if moving else DEADLOCK)
        assert len(run.transitions) == steps or not moving


@given(PROTOCOLS, MODES, st.integers(0, 10**9))
def test_what_was_covered_is_what_counting_gives(protocol: Protocol, mode: str, seed: int) -> None:
    found = simulate(protocol, runs=7, steps=9, seed=seed, mode=mode, stop_at_first=False)
    walker = Walker(protocol, SCHEDULERS[mode], seed, 9)
    runs = walked(walker, 7)
    coverage, been = found.coverage, [set(run.states) for run in runs]
    assert coverage.taken == Counter(n for run in runs for n in run.transitions)
    assert coverage.lengths == Counter(len(run.transitions) for run in runs)
    assert coverage.ended == Counter(run.ended for run in runs)
    times = Counter(state for states in been for state in states)
    assert coverage.seen.distinct == len(times) and coverage.visits == times.total()
    assert coverage.seen.once == sum(n == 1 for n in times.values())
    assert coverage.seen.alone == sum(any(times[state] == 1 for state in states) for states in been)
    for i, claim in enumerate(protocol.claims):
        if claim.form == "sometimes":
            reached = [
                run.number
                for run in runs
                if any(ex.evaluate(claim.holds, protocol.named(s), {}) for s in states_of(walker, run))
            ]
            assert (coverage.met[i].run if i in coverage.met else None) == min(reached, default=None)


@given(PROTOCOLS, MODES, st.integers(0, 10**9))
def test_guards_are_judged_in_every_state_that_was_met(protocol: Protocol, mode: str, seed: int) -> None:
    found = simulate(protocol, runs=5, steps=9, seed=seed, mode=mode, stop_at_first=False)
    walker = Walker(protocol, SCHEDULERS[mode], seed, 9)
    met = {state for run in walked(walker, 5) for state in states_of(walker, run)}
    enabled, true, alone = set[str](), set[tuple[str, str]](), set[tuple[str, str]]()
    for state in met:
        for transition, values in zip(protocol.transitions, outcomes(protocol, state), strict=True):
            names = [(transition.action, name) for name, _ in transition.guards]
            true |= {name for name, value in zip(names, values, strict=True) if value}
            if all(values):
                enabled.add(transition.action)
            if values.count(False) == 1:
                alone.add(names[values.index(False)])
    guards = {a.name: dict.fromkeys(n for t in protocol.transitions if t.action == a.name for n, _ in t.guards)
              for a in protocol.actions}  # fmt: skip
    assert found.never_enabled == [
        Blocked(
            action,
            tuple(n for n in names if (action, n) in alone),
            tuple(n for n in names if (action, n) not in true),
            False,
        )
        for action, names in guards.items()
        if action not in enabled
    ]
    idle = [(a, n) for a, names in guards.items() if a in enabled for n in names if (a, n) not in alone]
    assert found.guards.idle == idle


@given(
    PROTOCOLS,
    MODES,
    st.integers(0, 99),
    st.lists(st.integers(0, 2), min_size=1, max_size=12),
    st.integers(1, 40),
)
def test_runs_in_any_portions_by_any_worker_add_up(
    protocol: Protocol, mode: str, seed: int, owners: list[int], limit: int
) -> None:
    """Portion p is made by worker `owners[p]`, which gets the protocol as data; the numbers of runs grow with p."""
    whole, one = Coverage(), Walker(protocol, SCHEDULERS[mode], seed, 8)
    parts = Coverage()
    whole.seen.limit = parts.seen.limit = limit
    workers = [
        (Walker(from_data(to_data(protocol)), SCHEDULERS[mode], seed, 8), Coverage()) for _ in range(3)
    ]
    for _, covered in workers:
        covered.seen.limit = limit
    number = 0
    for portion, owner in enumerate(owners):
        walker, covered = workers[owner]
        for _ in range(1 + portion % 3):
            whole.add(one.run(number, False), one)
            covered.add(walker.run(number, False), walker)
            number += 1
        parts.merge(covered.taken_apart())
    assert (parts.seen.runs, parts.seen.level) == (whole.seen.runs, whole.seen.level)
    parts.seen = whole.seen
    assert parts == whole


@given(st.lists(st.lists(st.integers(0, 2000), max_size=60), max_size=12), st.integers(1, 200))
def test_of_many_states_a_sample_is_kept_that_stands_for_all(runs: list[list[int]], limit: int) -> None:
    seen, every = Seen(limit), dict[int, int]()
    for number, states in enumerate(runs):
        seen.add(set(states), number)
        for state in set(states):
            every[state] = SEVERAL if state in every else number
    assert len(seen.runs) <= limit
    assert seen.exact == (len(every) <= limit)
    assert seen.runs.items() <= every.items()  # what is kept is known as well as if all were
    if seen.exact:
        assert seen.runs == every


def test_a_sample_estimates_how_many_states_there_are() -> None:
    seen = Seen(2_000)
    for run in range(100):
        states = range(1_000 * run, 1_000 * run + 1_500)  # every second half is met twice
        seen.add([state << 9 | 5 for state in states], run)
    assert seen.distinct == pytest.approx(100_500, rel=0.1)
    assert seen.once == pytest.approx(51_000, rel=0.1)


def test_what_is_remembered_has_a_limit_and_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = simulate(two_phase_commit(3), runs=50, seed=3)
    monkeypatch.setattr(walk, "KNOWN", 5)
    monkeypatch.setattr(walk, "BITS", 10)
    small = simulate(two_phase_commit(3), runs=50, seed=3)
    assert (small.coverage.taken, small.coverage.guards) == (plain.coverage.taken, plain.coverage.guards)
    assert small.coverage.seen.runs == plain.coverage.seen.runs


def test_guards_are_judged_where_another_action_leaves_its_domain() -> None:
    @action
    def burst(s: Any) -> Step:
        """It leaves its domain."""
        return when(guard("low", s.x >= 0)).then(x=s.x + 3)

    @action
    def other(s: Any) -> Step:
        """It reads something else."""
        return when(guard("up", s.up), guard("not up", ~s.left)).then(left=s.up)

    @always
    def fine(s: Any) -> Operand:
        """It is."""
        return s.x < 3

    protocol = Protocol(
        "burst", {"x": count(0, 2), "up": boolean(), "left": boolean()}, [burst, other], [fine]
    )
    found = simulate(protocol, runs=2, stop_at_first=False)
    assert found.found and found.found.property == "domain" and "sets x to 3" in found.found.detail
    assert found.never_enabled == [Blocked("other", ("up",), ("up",), False)]
