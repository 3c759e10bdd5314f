"""Random runs of protocols with claims of whole runs: told where a run rests with something pending, and only there."""

import pytest
from brute_force import World
from whole_runs import CASES, comes, graph, lock, served

from cutproof.checks.engines.simulate.simulate import simulate
from cutproof.checks.traces.replay import replay


@pytest.mark.parametrize("name", CASES)
def test_what_is_told_is_true_and_is_reproduced(name: str) -> None:
    protocol = CASES[name]()
    found = simulate(protocol, runs=50, steps=40).found
    if found is not None:
        (verdict,) = World(protocol).verdicts()
        assert verdict[3] == "violated" and found.path is not None
        assert replay(found.trace(), protocol).reproduced


def test_a_run_that_rests_too_early_is_found_and_one_that_may_not_rest_goes_on() -> None:
    early = simulate(comes(graph({"fair_go": [(0, 1), (1, 2)]}), 3), runs=1)
    assert early.found is not None and early.exit_code == 13
    late = simulate(comes(graph({"fair_go": [(0, 1), (1, 2)]}), 2), runs=20)
    assert late.found is None and late.exit_code == 0


def test_a_run_that_goes_round_for_ever_is_not_seen() -> None:
    found = simulate(served(lock(by_turn=False)), runs=200)
    assert found.found is None and found.coverage.steps


def test_what_is_asked_for_at_the_start_counts_in_each_initial_state() -> None:
    protocol = comes(graph({"fair_go": [(0, 2)]}, several=True), 2)
    assert simulate(protocol, runs=30).found is not None
