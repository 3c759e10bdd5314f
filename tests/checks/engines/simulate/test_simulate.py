"""Random runs: what they find is there, and is the same however they are made."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_protocols import PROTOCOLS

from cutproof.checks.common.binomial import upper
from cutproof.checks.engines.plain.explore import explore
from cutproof.checks.engines.simulate import processes
from cutproof.checks.engines.simulate import simulate as module
from cutproof.checks.engines.simulate.coverage import Coverage
from cutproof.checks.engines.simulate.estimate import unseen
from cutproof.checks.engines.simulate.schedulers import SCHEDULERS
from cutproof.checks.engines.simulate.simulate import Simulation, simulate
from cutproof.checks.engines.verdict import Violated
from cutproof.checks.traces.replay import replay
from cutproof.checks.traces.trace import from_path
from cutproof.model.examples.dijkstra_mutex import dijkstra_mutex
from cutproof.model.examples.two_phase_commit import two_phase_commit
from cutproof.model.language import action, always, count, guard, sometimes, when
from cutproof.model.language.protocol import Protocol

MODES = st.sampled_from(sorted(SCHEDULERS))
BROKEN = two_phase_commit(3).without_guard("commit", "all prepared")
RARE = two_phase_commit(3).without_guard("commit", "undecided")


def told(found: Simulation) -> tuple[Any, ...]:
    """Everything that is reported, but for seconds."""
    c = found.coverage
    violations = [
        (v.property, v.form, v.harm, v.states, v.transitions, v.path, v.detail) for v in found.violations
    ]
    seen = (c.seen.distinct, c.seen.once, c.seen.alone, c.seen.exact)
    counts = (c.taken, c.lengths, c.ended, c.visits, c.met, c.guards)
    return violations, seen, counts, found.never_enabled, found.guards.idle, found.sometimes, found.exit_code


# ------------------------------------------------------------------ what is found


@given(PROTOCOLS, MODES, st.integers(0, 10**9))
def test_what_is_found_is_violated_and_replays(protocol: Protocol, mode: str, seed: int) -> None:
    explored = {
        (v.property, v.form, v.harm): isinstance(v, Violated)
        for v in explore(protocol, cycles=False).verdicts
    }
    found = simulate(protocol, runs=20, steps=20, seed=seed, mode=mode, stop_at_first=False)
    for violated in found.violations:
        assert explored[violated.property, violated.form, violated.harm]
        assert violated.path is not None
        trace = from_path(protocol, violated.path.states, violated.path.transitions, why="w",
                          property=violated.property, form=violated.form, harm=violated.harm)  # fmt: skip
        assert replay(trace, protocol).reproduced
    first = simulate(protocol, runs=20, steps=20, seed=seed, mode=mode)
    assert bool(first.violations) == bool(found.violations)
    assert first.exit_code == (
        max(first.exit_code, 12) if first.violations else 0 if first.coverage.steps else 3
    )
    if first.found:
        assert first.found.path == found.violations[0].path


@given(PROTOCOLS, MODES, st.integers(0, 10**9), st.integers(1, 20))
def test_a_larger_budget_only_adds(protocol: Protocol, mode: str, seed: int, runs: int) -> None:
    few = simulate(protocol, runs=runs, steps=10, seed=seed, mode=mode)
    many = simulate(protocol, runs=runs + 15, steps=10, seed=seed, mode=mode)
    if few.violations:
        assert told(few) == told(many)
    else:
        assert not many.violations or many.coverage.runs > runs
        assert few.coverage.taken <= many.coverage.taken


def test_every_short_run_is_made_at_some_time() -> None:
    """Of all runs of two steps none is impossible in any mode."""
    protocol = two_phase_commit(2)
    for mode in SCHEDULERS:
        found = simulate(protocol, runs=3_000, steps=2, mode=mode)
        assert found.coverage.seen.distinct == sum(1 for _ in states_within(protocol, 2)), mode


def states_within(protocol: Protocol, steps: int) -> Iterator[int]:
    from cutproof.model.language.codegen import compile_protocol

    compiled = compile_protocol(protocol)
    level = seen = {compiled.pack(protocol.initial)}
    for _ in range(steps):
        level = {after for state in level for _, after in compiled.successors_packed(state)}
        seen = seen | level
    yield from seen


def test_a_violation_in_some_mode_is_found_and_short() -> None:
    for mode in SCHEDULERS:
        found = simulate(BROKEN, runs=1_000, mode=mode)
        assert found.exit_code == 12 and found.found and found.found.path and found.found.path.steps == 3


# ------------------------------------------------------------------ the same runs, however they are made


@pytest.mark.parametrize("portion", [0.001, 0.05])
def test_worker_processes_change_nothing(portion: float, monkeypatch: pytest.MonkeyPatch) -> None:
    protocol = dijkstra_mutex(2)
    alone = simulate(protocol, runs=400, seed=5, mode="uniform")
    monkeypatch.setattr(module, "ALONE", 0.0)
    monkeypatch.setattr(module, "WORTH", 0.0)
    monkeypatch.setattr(processes, "PORTION", portion)
    assert told(simulate(protocol, runs=400, seed=5, mode="uniform", workers=2)) == told(alone)


def test_worker_processes_make_many_runs_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    protocol = two_phase_commit(3)
    alone = simulate(protocol, runs=3_000, seed=4)
    monkeypatch.setattr(module, "ALONE", 0.0)
    monkeypatch.setattr(module, "WORTH", 0.0)
    monkeypatch.setattr(processes, "PORTION", 5.0)
    assert told(simulate(protocol, runs=3_000, seed=4, workers=2)) == told(alone)


def test_in_processes_the_first_violation_ends_the_runs_too(monkeypatch: pytest.MonkeyPatch) -> None:
    alone = simulate(RARE, seed=2, mode="pct")
    assert alone.coverage.runs > 3 and alone.violations
    monkeypatch.setattr(processes, "PORTION", 0.001)
    monkeypatch.setattr(module, "ALONE", 0.0)
    monkeypatch.setattr(module, "WORTH", 0.0)
    assert told(simulate(RARE, seed=2, mode="pct", workers=2)) == told(alone)


def test_the_same_in_every_process() -> None:
    text = (
        "from cutproof.checks.engines.simulate.simulate import simulate\n"
        "from cutproof.model.examples.two_phase_commit import two_phase_commit\n"
        "c = simulate(two_phase_commit(3), runs=30, seed=9).coverage\n"
        "print(sorted(c.taken.items()), sorted(c.seen.runs.items()), c.guards)"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", text],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1")
    }
    assert len(said) == 1 and b"[" in said.pop()


# ------------------------------------------------------------------ limits, and what cannot be judged


def test_seconds_alone_are_a_budget_and_with_runs_a_limit() -> None:
    within = simulate(dijkstra_mutex(3), seconds=0.2)
    assert within.exit_code == 0 and not within.ended and within.coverage.runs > 0
    cut = simulate(dijkstra_mutex(3), seconds=0.2, runs=10**9)
    assert cut.exit_code == 3 and "0.2 seconds" in cut.ended


def test_a_long_run_is_cut_off_and_left_out() -> None:
    cut = simulate(dijkstra_mutex(3), seconds=0.2, steps=10**9)
    assert cut.coverage.runs == 0 == cut.coverage.steps and cut.exit_code == 3


def test_an_interrupt_tells_what_was_covered() -> None:
    asked: list[int] = []

    def progress(runs: int, steps: int, states: int) -> None:
        if not asked:
            asked.append(runs)
            os.kill(os.getpid(), signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        found = simulate(dijkstra_mutex(3), runs=10**9, progress=progress)
    finally:
        signal.signal(signal.SIGINT, before)
    assert found.interrupted and found.exit_code == 3
    assert found.coverage.runs >= asked[0] > 0


def test_where_nothing_can_happen_nothing_was_exercised() -> None:
    @action
    def never(s: Any) -> Any:
        """It needs what never is."""
        return when(guard("two", s.x == 2)).then(x=0)

    @always
    def low(s: Any) -> Any:
        """It stays low."""
        return s.x < 2

    still = Protocol("still", {"x": count(0, 2)}, [never], [low])
    found = simulate(still, runs=10)
    assert found.exit_code == 3 and found.coverage.ended["deadlock"] == 10
    assert [(b.action, b.alone, b.never) for b in found.never_enabled] == [("never", ("two",), ("two",))]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"mode": "fair"}, "no mode 'fair'; there are uniform,"),
        ({"runs": 0}, "runs=0: is below 1"),
        ({"steps": 0}, "steps=0: is below 1"),
        ({"seed": -1}, "seed=-1: is below 0"),
        ({"workers": 0}, "workers=0: is below 1"),
        ({"seconds": 0.0}, "seconds=0: is not above 0"),
        ({"properties": ["consistant"]}, "no property consistant"),
    ],
)
def test_what_cannot_be_meant_is_refused(options: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        simulate(BROKEN, **options)


# ------------------------------------------------------------------ what was not seen


def chain(length: int) -> Protocol:
    """From each place a step on, or off the chain for good: a run comes to place n with the chance 2**-n."""

    @action
    def on(s: Any) -> Any:
        """One further."""
        return when(guard("on the chain", ~(s.x == 0)), guard("not at the end", s.x < length)).then(x=s.x + 1)

    @action
    def off(s: Any) -> Any:
        """Off the chain."""
        return when(guard("on the chain", ~(s.x == 0))).then(x=0)

    @sometimes
    def end(s: Any) -> Any:
        """The end is reached."""
        return s.x == length

    return Protocol("chain", {"x": count(0, length)}, [on, off], [end], initial={"x": 1})


@pytest.mark.parametrize("runs", [5, 20, 100])
def test_what_is_estimated_of_a_chain_is_so_on_average(runs: int) -> None:
    """The mean over many seeds beside the exact expectation: the states that run N is the first in, after N - 1."""
    chances = [0.5**n for n in range(12)] + [
        1.0
    ]  # that a run comes to the places 1 to 12 of the chain, and off it
    exact = sum(p * (1 - p) ** (runs - 1) for p in chances)
    covered = [simulate(chain(12), runs=runs, seed=seed, mode="uniform").coverage for seed in range(400)]
    guesses = [guess for coverage in covered if (guess := unseen(coverage))]
    assert sum(guess.states for guess in guesses) / 400 == pytest.approx(exact, rel=0.2)
    for coverage, guess in zip(covered, guesses, strict=True):  # the share is of the states that a run is in
        assert guess.share * coverage.visits / runs == pytest.approx(guess.states)


def test_the_bound_is_that_of_so_many_runs_without_any() -> None:
    found = unseen(simulate(two_phase_commit(2), runs=100).coverage)
    assert found and found.bound == upper(0, 100) and 0 <= (found.chance or 0) <= 1
    assert unseen(Coverage()) is None


def test_progress_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE", 0.0)
    said: list[tuple[int, int, int]] = []
    simulate(two_phase_commit(2), runs=5, progress=lambda *numbers: said.append(numbers))
    assert [runs for runs, _, _ in said] == [0, 1, 2, 3, 4]
