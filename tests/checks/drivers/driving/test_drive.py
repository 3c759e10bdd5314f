"""Any protocol, driven: a program that is the protocol is never accused, one that is wrong at one edge always is."""

from functools import partial
from random import Random
from typing import Any

import pytest
from commit_program import Driver, model
from examples import examples
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st
from mirror import Mirror, Wrong
from random_protocols import made, source

from cutproof.checks.drivers.driving import drive as driving
from cutproof.checks.drivers.driving.drive import drive
from cutproof.checks.drivers.driving.driver import Unfit
from cutproof.checks.drivers.driving.outcome import ALLOWS, DIFFERS, ERRED, REFUSES
from cutproof.checks.engines.plain.explore import explore
from cutproof.checks.engines.plain.search import inside
from cutproof.model.language.protocol import Protocol

PHASES = (Phase.explicit, Phase.generate)  # a smaller seed is no smaller protocol
KINDS = {"differs": DIFFERS, "refuses": REFUSES, "allows": ALLOWS, "raises": ERRED}


def stays_inside(protocol: Protocol) -> bool:
    """Whether no step leaves its domain."""
    return not explore(protocol, properties=[]).cut


@given(seed=st.integers(0, 10**9))
@settings(examples(2, 300), phases=PHASES)
def test_a_program_that_is_the_protocol_is_not_accused(seed: int) -> None:
    protocol = made(source(seed))
    found = drive(protocol, partial(Mirror, protocol), refusals=True)
    assert found.failure is None
    assert found.covered == found.edges
    assert found.exit_code == (0 if found.edges else 3)
    drawn = drive(protocol, partial(Mirror, protocol), runs=20, refusals=True)
    assert drawn.failure is None
    assert drawn.covered <= (found.edges or 0)


@given(seed=st.integers(0, 10**9), how=st.sampled_from(list(KINDS)))
@settings(examples(10, 1000), phases=PHASES)
def test_one_wrong_edge_is_found_at_it(seed: int, how: str) -> None:
    protocol, rng = made(source(seed)), Random(seed)
    assume(stays_inside(protocol))
    found = explore(protocol, properties=[])
    edges = [(s, n, after) for s in found.states for n, after in inside(protocol, s)]
    taken = {(s, n) for s, n, _ in edges}
    others = [(s, n) for s in found.states for n in range(len(protocol.transitions)) if (s, n) not in taken]
    assume(edges and (others or how != "allows"))
    state, number, after = rng.choice(edges)
    instead = next((s for s in found.states if s != after), None)
    if how == "allows":
        state, number = rng.choice(others)
    assume(how != "differs" or instead is not None)
    driven = drive(protocol, partial(Mirror, protocol, Wrong(state, number, how, instead)), refusals=True)
    failure = driven.failure
    assert failure is not None
    assert failure.kind == KINDS[how]
    assert driven.exit_code == (4 if how == "raises" else 12)
    assert failure.failing is not None
    assert driven.walking.numbers[failure.failing] == number
    at = failure.states[-1] if failure.attempt is not None else failure.states[-2]
    assert at == state
    depth = found.path_to(list(found.states).index(state)).steps
    assert len(failure.transitions) == depth + (failure.attempt is None)  # none is shorter


def test_run_n_of_a_seed_is_the_same_whatever_the_budget() -> None:
    fault = partial(Driver, "a second commit is an error")
    few, many = (drive(model(), fault, runs=runs, seed=3) for runs in (300, 2000))
    assert few.failure == many.failure
    assert few.failure is not None
    other = drive(model(), fault, runs=2000, seed=4)
    assert other.failure is not None
    assert other.found_after != few.found_after


@pytest.mark.parametrize("runs", [None, 30])
def test_shards_together_are_all_runs(runs: int | None) -> None:
    whole = drive(model(), Driver, runs=runs)
    parts = [drive(model(), Driver, runs=runs, shard=(i, 3)) for i in range(3)]
    assert sum(p.runs for p in parts) == whole.runs
    assert sum(p.steps for p in parts) == whole.steps
    assert all(0 < p.covered < whole.covered for p in parts)


class Part(Driver):
    """A driver without a method for some actions."""

    obey_abort = obey_commit = None  # type: ignore[assignment]

    def obay_abort(self, rm: int) -> None:
        """Misspelt."""


def test_an_action_without_a_method_is_left_out_and_counted() -> None:
    found = drive(model(), Part)
    assert found.undriven == {"obey_commit": "", "obey_abort": "; did you mean obay_abort?"}
    assert found.failure is None
    assert found.covered == found.edges
    assert found.left_out > 0
    assert "obey_abort" not in found.taken


def test_too_many_states_are_drawn() -> None:
    found = drive(model(), Driver, states=100, steps=7)
    assert found.edges is None
    assert found.why_drawn == "there are more than 100 states"
    assert found.runs == driving.RUNS
    assert found.outcome == "nothing found"


def test_the_seconds_end_it_and_say_so() -> None:
    found = drive(model(), Driver, seconds=1e-9)
    assert (found.outcome, found.exit_code) == ("cut off", 3)
    assert "1e-09 seconds" in found.ended


def test_an_interrupt_says_what_was_covered() -> None:
    class Interrupted(Driver):
        steps = 0

        def obey_commit(self, rm: int) -> bool:
            Interrupted.steps += 1
            if Interrupted.steps > 20:
                raise KeyboardInterrupt
            return super().obey_commit(rm)

    found = drive(model(), Interrupted)
    assert found.interrupted
    assert found.exit_code == 3
    assert 0 < found.covered < (found.edges or 0)


class OwnStart(Mirror):
    """It begins where it begins."""

    start = None  # type: ignore[assignment]


def test_without_start_only_the_programs_own_beginning_is_driven() -> None:
    protocol = next(p for p in (made(source(seed)) for seed in range(100)) if len(p.initials) > 1)
    found = drive(protocol, partial(OwnStart, protocol))
    assert (found.begun, found.beginnings) == (1, len(protocol.initials))
    assert found.failure is None

    class Elsewhere(OwnStart):
        def state(self) -> dict[str, Any]:
            hidden = next(s for s in explore(protocol, properties=[]).states if s not in protocol.initials)
            return protocol.decode(hidden)

    assert drive(protocol, partial(Elsewhere, protocol)).failure is not None


def test_what_cannot_be_repeated_is_no_finding() -> None:
    class Moody(Driver):
        runs = 0

        def __init__(self) -> None:
            super().__init__()
            Moody.runs += 1

        def prepare(self, rm: int) -> bool:
            return Moody.runs != 5 and super().prepare(rm)

    found = drive(model(), Moody)
    assert (found.outcome, found.exit_code) == ("the driver failed", 4)
    assert found.failure is not None
    assert "came out otherwise" in found.failure.reason
    assert "the program refuses what the model allows" in found.failure.reason


def test_numbers_that_mean_nothing_are_refused() -> None:
    for wrong in (
        {"runs": 0},
        {"steps": 0},
        {"seed": -1},
        {"shard": (2, 2)},
        {"mode": "quick"},
        {"states": 0},
    ):
        with pytest.raises(ValueError, match=next(iter(wrong)).removesuffix("s")):
            drive(model(), Driver, **wrong)


def test_a_driver_that_cannot_drive_this_is_refused() -> None:
    class Nothing:
        def state(self) -> dict[str, Any]:
            return {}

    class Stateless:
        def prepare(self, rm: int) -> None: ...

    class Otherwise(Driver):
        def prepare(self, resource: int) -> bool:  # type: ignore[override]
            return True

    for driver, said in ((Nothing, "no method for any action"), (Stateless, r"no state\(\)"),
                         (Otherwise, r"write def prepare\(self, rm\)")):  # fmt: skip
        with pytest.raises(Unfit, match=said):
            drive(model(), driver)
