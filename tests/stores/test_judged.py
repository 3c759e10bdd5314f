"""What `conform` says of the strangers' stores: every wrong one is caught with the defaults, no right one is
accused."""

from __future__ import annotations

import sys
from typing import Any

import judged
import pytest
from strangers import RIGHT, WRONG

from cutproof.checks.cutover.conformance import conform
from cutproof.checks.cutover.conformance.reference import Reference
from cutproof.checks.drivers.wire.client import adapter_of

LONGEST = 15  # steps of a schedule
SEEDS = 50  # by night
DAY = 250  # runs of a right store by day: the tours, and the first of each part


@pytest.mark.sampled(9)
@pytest.mark.parametrize("store", WRONG, ids=lambda store: store.__name__)
def test_a_wrong_store_is_caught_by_a_short_schedule(store: Any) -> None:
    with pytest.raises(conform.NotConforming) as caught:
        conform.check(store)
    assert len(caught.value.schedule) <= LONGEST
    assert caught.value.whole
    again = conform.replay(caught.value.data, store)
    assert type(again) is type(caught.value)
    assert again.reason == caught.value.reason


@pytest.mark.sampled(23)
@pytest.mark.parametrize("store", WRONG, ids=lambda store: store.__name__)
def test_a_wrong_store_is_caught_over_the_wire(store: Any) -> None:
    program: Any = adapter_of([sys.executable, judged.__file__, "--serve", store.__name__])
    try:
        with pytest.raises(conform.NotConforming) as caught:
            conform.check(program)
    finally:
        program.close()
    assert len(caught.value.schedule) <= LONGEST


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("store", [*RIGHT, Reference], ids=lambda store: store.__name__)
def test_a_right_store_is_not_accused(store: Any, seed: int) -> None:
    conform.check(store, seed=seed, runs=DAY)


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(SEEDS))
@pytest.mark.parametrize("store", [*RIGHT, Reference], ids=lambda store: store.__name__)
def test_a_right_store_conforms_with_every_seed(store: Any, seed: int) -> None:
    report = conform.check(store, seed=seed)
    assert report.verdict == "conforms"
    assert report.counts["not decided"] == 0


def test_there_are_forty_wrong_ones_and_ten_right_ones() -> None:
    assert len(WRONG) >= 40
    assert len(RIGHT) >= 10
