"""Runs made together are the runs made one by one, in everything that is reported: the plain walk is the judge."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from circuits import walked
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from places import TESTS
from random_protocols import made, source
from small_protocols import PROTOCOLS

from cutproof.checks.engines.simulate import together as module
from cutproof.checks.engines.simulate.choices import Moves
from cutproof.checks.engines.simulate.coverage import SAMPLE, Coverage, Seen
from cutproof.checks.engines.simulate.planes import GuardPlanes, States
from cutproof.checks.engines.simulate.schedulers import SCHEDULERS
from cutproof.checks.engines.simulate.simulate import TimeOver, simulate
from cutproof.checks.engines.simulate.together import Runs, Together, may_run_together
from cutproof.checks.engines.simulate.walk import Walker
from cutproof.checks.protocols.load import load
from cutproof.model.cutover.coordinator import cutover
from cutproof.model.cutover.policy import Policy, resolve
from cutproof.model.cutover.safeguards import AS_WRITTEN, HARDENED
from cutproof.model.cutover.scopes import SCOPES, parse_scope
from cutproof.model.examples.two_phase_commit import two_phase_commit
from cutproof.model.language import (
    Step,
    action,
    boolean,
    can_always,
    count,
    family,
    guard,
    leads_to,
    put,
    when,
)
from cutproof.model.language.codegen import compile_protocol
from cutproof.model.language.protocol import Protocol

MODES = st.sampled_from(sorted(SCHEDULERS))


@contextmanager
def at_once(fewest: int, most: int, alone: int = 0) -> Iterator[None]:
    """So many runs at once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "ALONE", alone)
        patch.setattr(module, "FEWEST", fewest)
        patch.setattr(module, "MOST", most)
        yield


def covered(
    protocol: Protocol, mode: str, seed: int, runs: int, steps: int, stop: bool, limit: int = SAMPLE
) -> tuple[Any, ...]:
    """All that some runs covered."""
    coverage, walker = Coverage(seen=Seen(limit)), Walker(protocol, SCHEDULERS[mode], seed, steps)
    making = Runs(walker)
    while coverage.runs < runs and not (stop and coverage.ended["violation"]):
        making.cover(coverage, coverage.runs, runs, stop)
    c = coverage
    seen = dict(sorted(c.seen.runs.items())), dict(sorted(c.seen.changed.items())), c.seen.level
    return dict(c.taken), dict(c.lengths), +c.ended, c.met, c.guards, walker.guards.covered, c.visits, seen


def equal(
    protocol: Protocol,
    mode: str,
    seed: int,
    runs: int,
    steps: int,
    stop: bool,
    most: int,
    limit: int = SAMPLE,
) -> tuple[Any, ...]:
    """What some runs covered, which is the same by batches of any size as one by one."""
    with at_once(1, most, alone=runs + 1):
        alone = covered(protocol, mode, seed, runs, steps, stop, limit)
    with at_once(1, most):
        together = covered(protocol, mode, seed, runs, steps, stop, limit)
    names = "taken", "lengths", "ended", "met", "guards", "guards", "visits", "seen"
    for name, one, two in zip(names, alone, together, strict=True):
        assert one == two, name
    return alone


@given(
    PROTOCOLS,
    MODES,
    st.integers(0, 10**9),
    st.integers(1, 30),
    st.integers(1, 40),
    st.booleans(),
    st.integers(1, 33),
)
def test_the_same_runs(
    protocol: Protocol, mode: str, seed: int, steps: int, runs: int, stop: bool, most: int
) -> None:
    equal(protocol, mode, seed, runs, steps, stop, most)


@pytest.mark.sampled(25)
@pytest.mark.parametrize("seed", range(200))
def test_the_same_runs_whatever_is_written(seed: int) -> None:
    protocol = made(source(seed))
    protocol.claims = tuple(c for c in protocol.claims if not c.cases)
    for mode in SCHEDULERS:
        equal(protocol, mode, seed, 25, 20, stop=bool(seed % 2), most=16)


@pytest.mark.sampled(4)
@pytest.mark.parametrize("file", sorted((TESTS / "protocols").glob("*.py")), ids=lambda path: path.stem)
def test_the_same_runs_of_protocols_of_others(file: Path) -> None:
    protocol = load(str(file)).protocol
    protocol.claims = tuple(c for c in protocol.claims if not c.cases)
    for mode in SCHEDULERS:
        equal(protocol, mode, 3, 40, 40, stop=False, most=64)


@pytest.mark.sampled(20)
@pytest.mark.parametrize("written", [False, True], ids=["hardened", "as written"])
@pytest.mark.parametrize("scope", SCOPES)
def test_the_same_runs_of_every_scope(scope: str, written: bool) -> None:
    off = sorted(HARDENED - AS_WRITTEN) if written else []
    protocol = cutover(parse_scope(scope)).resolve(resolve(Policy(), off))
    for mode in SCHEDULERS:
        equal(protocol, mode, 7, 60, 60, stop=written, most=64)


@pytest.mark.parametrize("mode", SCHEDULERS)
def test_longer_than_a_round_of_the_generators(mode: str) -> None:
    @action
    def flip(s: Any, i: int) -> Step:
        return when().then(b=put(s.b, i, ~s.b[i]))

    protocol = Protocol("flips", {"b": family("i", of=boolean())}, [flip], [], indices={"i": range(3)})
    equal(protocol, mode, 2, 5, 700, stop=False, most=4)


@pytest.mark.parametrize("fields", [1, 3, 5])
def test_states_of_many_words_and_values_that_gates_compute(fields: int) -> None:
    """Sums of fields of 30 bits, whose bits lie elsewhere in what is kept than on planes."""

    @action
    def add_up(s: Any, i: int, j: int) -> Step:
        fits = guard("fits", s.n[i] + s.n[j] + 12_345 < 2**30 - 7)
        return when(fits).then(n=put(s.n, i, s.n[i] + s.n[j] + 12_345), turn=~s.turn)

    @action
    def less(s: Any, i: int) -> Step:
        return when(guard("turn", s.turn), guard("room", s.n[i] > 99)).then(n=put(s.n, i, s.n[i] - 100))

    protocol = Protocol(
        "wide",
        {"n": family("i", of=count(-7, 2**30 - 8)), "turn": boolean()},
        [add_up, less],
        [],
        indices={"i": range(fields), "j": range(fields)},
    )
    assert equal(protocol, "uniform", 1, 40, 60, stop=False, most=64)[0]


@examples(8)
@given(st.integers(0, 10**6), st.integers(1, 60))
def test_the_same_sample_of_states(seed: int, limit: int) -> None:
    assert equal(two_phase_commit(3), "uniform", seed, 60, 100, stop=False, most=32, limit=limit)[-1][2]


@given(PROTOCOLS)
def test_guards_are_seen_as_by_the_walker(protocol: Protocol) -> None:
    walker, states = Walker(protocol, SCHEDULERS["uniform"], 0, 1), walked(protocol, 30)
    for state in states:
        walker._look(walker.compiled.pack(state))
    read = States(protocol)
    keys = read.keys(states)
    assert GuardPlanes(read).covered(keys) == walker.guards.covered
    assert read.packed(keys) == [compile_protocol(protocol).pack(state) for state in states]


@pytest.mark.parametrize("mode", SCHEDULERS)
def test_the_first_run_that_violates_ends_them(mode: str) -> None:
    """Of a batch many violate, and later runs after fewer steps."""
    protocol = two_phase_commit(3).without_guard("commit", "all prepared")
    for seed in range(8):
        ended = equal(protocol, mode, seed, 64, 100, stop=True, most=64)[2]
        assert ended["violation"] == 1


@pytest.mark.parametrize("mode", SCHEDULERS)
def test_where_an_action_leaves_its_domain_nothing_is_said_to_be_stuck(mode: str) -> None:
    """As the plain walk has it: what can always happen is judged where all steps are whole."""

    @action
    def up(s: Any) -> Step:
        return when(guard("set", s.b)).then(n=s.n + 1)

    @action
    def begin(s: Any) -> Step:
        return when(guard("not set", ~s.b)).then(b=True)

    @can_always
    def back(s: Any) -> Any:
        return s.n == 0

    protocol = Protocol("up", {"n": count(0, 2), "b": boolean()}, [up, begin], [back])
    assert set(equal(protocol, mode, 0, 20, 8, stop=False, most=7)[3]) == {-1}
    equal(protocol, mode, 0, 20, 8, stop=True, most=7)


def test_of_moves_with_the_highest_priority_the_first_is_taken() -> None:
    lanes, steps = np.array([0, 0, 0, 2, 2]), np.array([0, 1, 2, 1, 2])
    moves = Moves(lanes, steps, np.array([0, 3]), np.array([3, 2]))
    order = np.array([[0.1, 0.7, 0.7], [0.9, 0.9, 0.9], [0.5, 0.5, 0.5]])
    assert moves.best(order).tolist() == [1, 3]
    assert moves.runs.tolist() == [0, 2]
    assert moves.only(np.array([True, False, True, False, True])).starts.tolist() == [0, 2]


# ------------------------------------------------------------------ when


def test_claims_of_whole_runs_are_left_to_the_plain_walk() -> None:
    @leads_to
    def closes(s: Any) -> Any:
        return s.open, ~s.open

    @action
    def turn(s: Any) -> Step:
        return when().then(open=~s.open)

    for claims in ([], [closes]):
        protocol = Protocol("door", {"open": boolean()}, [turn], claims)
        assert may_run_together(Walker(protocol, SCHEDULERS["pos"], 0, 9)) != bool(claims)


def test_a_field_wider_than_a_word_is_left_to_the_plain_walk() -> None:
    @action
    def climb(s: Any) -> Step:
        return when(guard("room", s.n < 2**59)).then(n=s.n + 1)

    for high, fits in ((2**64 - 1, True), (2**64, False)):
        protocol = Protocol("wide", {"n": count(0, high)}, [climb], [])
        assert may_run_together(Walker(protocol, SCHEDULERS["pos"], 0, 9)) == fits
        assert simulate(protocol, runs=600, steps=3).coverage.steps == 1800


def test_a_scheduler_of_ones_own_is_left_to_the_plain_walk() -> None:
    walker = Walker(two_phase_commit(2), lambda protocol, steps, random: lambda moves: moves[0], 0, 9)
    assert not may_run_together(walker)
    coverage = Coverage()
    with at_once(1, 9):
        assert Runs(walker).cover(coverage, 0, 9, False) == coverage.runs == 1


def test_few_runs_and_long_ones_are_made_one_by_one() -> None:
    runs = Together(Walker(two_phase_commit(2), SCHEDULERS["pos"], 0, 100))
    assert runs.most(0, 10**6) == module.MOST and runs.most(0, module.FEWEST) == module.FEWEST
    assert runs.most(0, module.FEWEST - 1) == 0
    assert runs.most(2**32 - 5, 1000) == 0, "beyond the numbers that are seeded together"
    assert Together(Walker(two_phase_commit(2), SCHEDULERS["pos"], 0, 10**6)).most(0, 10**6) == 0


def test_what_ends_it_in_between_leaves_nothing() -> None:
    calls = 0

    def look() -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise TimeOver

    coverage, walker = Coverage(), Walker(two_phase_commit(3), SCHEDULERS["pos"], 0, 100)
    with at_once(1, 64), pytest.raises(TimeOver):
        Runs(walker).cover(coverage, 0, 64, False, look)
    assert not coverage.runs and not coverage.steps and not coverage.seen.runs and not coverage.met


def test_simulations_are_made_together_where_that_pays(monkeypatch: pytest.MonkeyPatch) -> None:
    made_together = list[int]()
    cover = Together.cover

    def noted(self: Together, coverage: Coverage, first: int, last: int, *rest: Any) -> None:
        made_together.append(last - first)
        cover(self, coverage, first, last, *rest)

    monkeypatch.setattr(Together, "cover", noted)
    simulate(two_phase_commit(2), runs=module.ALONE + module.FEWEST - 1)
    assert not made_together
    found = simulate(two_phase_commit(2), runs=3_000)
    assert made_together == [256, 512, 1024, 1008] and found.coverage.runs == 3_000
    with at_once(10, 50):
        assert simulate(two_phase_commit(2), runs=130).coverage.runs == 130
    assert made_together[4:] == [10, 20, 40, 50, 10]
