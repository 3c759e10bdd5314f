"""The Hypothesis machine: it finds what is wrong, shrinks it, leaves a trace, and is as many tests as asked for."""

import unittest
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from commit_program import Driver, model
from mirror import Mirror
from random_protocols import made, source

from cutproof.checks.drivers import machine
from cutproof.checks.drivers.driving.driver import InProcess
from cutproof.checks.drivers.driving.outcome import NotAsModelled
from cutproof.checks.drivers.driving.recorded import perform_again
from cutproof.checks.drivers.driving.walking import Walking
from cutproof.checks.traces.trace import read


def names_of(made: Any) -> list[str]:
    return unittest.TestLoader().getTestCaseNames(made.TestCase) or ["runTest"]


def run(made: Any) -> None:
    for name in names_of(made):
        getattr(made.TestCase(name), name)()


def test_what_is_right_passes_and_most_edges_are_taken(tmp_path: Path) -> None:
    made = machine(model(), Driver, runs=40, refusals=True, folder=tmp_path)
    run(made)
    assert len(made.edges) > 50
    assert not list(tmp_path.iterdir())


def test_what_is_wrong_is_shrunk_and_its_trace_performed_again(tmp_path: Path) -> None:
    fault = partial(Driver, "a second abort begins anew")
    with pytest.raises(NotAsModelled) as found:
        run(machine(model(), fault, runs=40, folder=tmp_path))
    assert [s.partition("(")[0] for s in found.value.schedule] == ["abort", "obey_abort", "obey_abort"]
    (file,) = tmp_path.iterdir()
    assert found.value.saved == str(file)
    subject = InProcess(fault, model())
    again = perform_again(read(file), Walking(model(), subject.driven), subject)
    assert again is not None
    assert again.transitions == found.value.failure.transitions
    assert perform_again(read(file), Walking(model(), subject.driven), InProcess(Driver, model())) is None


def test_so_many_tests_as_shards_each_with_draws_of_its_own() -> None:
    one, four = (machine(model(), Driver, runs=8, shards=n, folder=None) for n in (1, 4))
    assert names_of(one) == ["runTest"]
    assert names_of(four) == [f"test_shard_{i}_of_4" for i in range(1, 5)]
    grown = []
    for name in names_of(four):
        getattr(four.TestCase(name), name)()
        grown.append(len(four.edges))
    assert grown == sorted(set(grown))  # each took edges that the ones before did not


def test_the_same_arguments_draw_the_same() -> None:
    def edges(seed: int) -> set[Any]:
        made = machine(model(), Driver, runs=5, seed=seed, folder=None)
        run(made)
        return made.edges

    assert edges(0) == edges(0)
    assert edges(0) != edges(1)


def test_any_initial_state_and_dead_ends() -> None:
    protocol = next(p for p in (made(source(seed)) for seed in range(100)) if len(p.initials) > 1)
    drawn = machine(protocol, partial(Mirror, protocol), runs=20, folder=None)
    run(drawn)
    assert drawn.edges


def test_numbers_that_mean_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="1 at least"):
        machine(model(), Driver, shards=0)
