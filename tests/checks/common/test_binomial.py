"""Exact binomial bounds, held against SciPy's own test."""

from __future__ import annotations

from math import isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from cutproof.checks.common.binomial import interval, needed, upper


@given(st.integers(0, 60), st.integers(0, 5_000))
def test_bounds_are_those_of_clopper_and_pearson(lost: int, kept: int) -> None:
    of = lost + kept
    if of == 0:
        return
    one = binomtest(lost, of, alternative="less").proportion_ci(0.95, "exact").high
    two = binomtest(lost, of).proportion_ci(0.95, "exact")
    assert isclose(upper(lost, of), one, rel_tol=1e-6)
    low, high = interval(lost, of)
    assert isclose(low, two.low, rel_tol=1e-6, abs_tol=1e-12)
    assert isclose(high, two.high, rel_tol=1e-6)


def test_zero_of_a_million_is_not_fewer_than_one() -> None:
    assert 2.99e-6 < upper(0, 1_000_000) < 3.0e-6


@given(st.floats(1e-9, 0.9))
def test_so_many_are_needed_and_not_one_fewer(rate: float) -> None:
    many = needed(rate)
    assert upper(0, many) < rate
    assert many == 1 or upper(0, many - 1) >= rate * (1 - 1e-9)


def test_the_claim_takes_three_million() -> None:
    assert needed(1e-6) == 2_995_731


@pytest.mark.parametrize(("lost", "of"), [(-1, 5), (6, 5), (1, 0)])
def test_counts_that_cannot_be_are_refused(lost: int, of: int) -> None:
    with pytest.raises(ValueError, match="between 0 and all"):
        upper(lost, of)
    with pytest.raises(ValueError, match="between 0 and all"):
        interval(lost, of)


@pytest.mark.parametrize("rate", [0.0, 1.0, -1.0, 2.0])
def test_a_rate_to_be_shown_is_between_zero_and_one(rate: float) -> None:
    with pytest.raises(ValueError, match="out of range"):
        needed(rate)
