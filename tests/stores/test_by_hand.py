"""Each wrong store shows its defect in a short schedule, in which its right parent shows nothing wrong."""

import pytest
from by_hand import Hand
from schedules import SCHEDULES
from strangers import RIGHT, WRONG, parent

MOST_STEPS = 15


@pytest.mark.parametrize("wrong", WRONG, ids=lambda c: c.__name__)
def test_a_wrong_store_shows_its_defect(wrong):
    assert not Hand(wrong).perform(SCHEDULES[wrong.__name__])


@pytest.mark.parametrize("wrong", WRONG, ids=lambda c: c.__name__)
def test_its_right_parent_does_not(wrong):
    assert Hand(parent(wrong)).perform(SCHEDULES[wrong.__name__])


def test_every_wrong_store_has_a_schedule_of_few_steps():
    assert set(SCHEDULES) == {c.__name__ for c in WRONG}
    for name, schedule in SCHEDULES.items():
        assert len(schedule.replace(";", "\n").strip().splitlines()) <= MOST_STEPS, name


def test_every_wrong_store_says_what_is_wrong():
    for store in WRONG:
        assert all(vars(store).get(word) for word in ("bug", "source", "harm")), store
        assert store.__doc__ and parent(store) in RIGHT


def test_every_right_store_says_how_it_works():
    assert all(vars(store).get("__doc__") for store in RIGHT)
