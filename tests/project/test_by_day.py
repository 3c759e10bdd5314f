"""What is left to the night: of each test something is run by day, and by night everything is."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from places import ROOT

Choice = Callable[[list[tuple[str, int]]], list[bool]]
NAMES = st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=30, unique=True)


@given(names=NAMES, k=st.integers(1, 12))
def test_of_the_cases_of_a_test_one_in_k_is_run_by_day_and_never_none(
    sample_by_day: Choice, names: list[str], k: int
) -> None:
    left = sample_by_day([(name, k) for name in names])
    by_day = {name for name, night in zip(names, left, strict=True) if not night}
    assert len(by_day) == max(1, -(-len(names) // k))
    again = sample_by_day([(name, k) for name in reversed(names)])
    assert by_day == {name for name, night in zip(reversed(names), again, strict=True) if not night}


@given(number=st.integers())
def test_what_draws_is_drawn_again_by_night(request: pytest.FixtureRequest, number: int) -> None:
    """Hypothesis itself marks it."""
    assert request.node.get_closest_marker("hypothesis") is not None
    assert "-m 'nightly or hypothesis' --hypothesis-profile nightly" in (ROOT / "Makefile").read_text("utf-8")
