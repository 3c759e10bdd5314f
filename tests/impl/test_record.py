"""The durable parts: one record a shard, changed by compare-and-set, and its sequencer."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutproof.impl.record import Phase, Record, RecordStore, Sequencer, Stage, attempt_of, stage_of
from cutproof.model.cutover.mechanisms import Mechanisms

IDLE = Record(Phase.IDLE, 0, (("a", "b"), ("c",)))
MOVING = IDLE.with_(phase=Phase.DUAL, epoch=5, moves=(("a", "n"), ("a", "n")))


def test_an_epoch_says_attempt_and_stage() -> None:
    assert [stage_of(e) for e in range(4)] == list(Stage) == [0, 1, 2, 3]
    assert [attempt_of(e) for e in (0, 3, 4, 9)] == [0, 0, 1, 2]


def test_a_record_knows_owner_source_and_target() -> None:
    assert (IDLE.owner, IDLE.source, IDLE.target, IDLE.live) == ("a", "a", "", False)
    assert (MOVING.owner, MOVING.source, MOVING.target, MOVING.live) == ("a", "a", "n", True)


def test_a_confirmation_counts_from_the_epoch_on() -> None:
    confirmed = MOVING.with_(confirmed={"a": 5, "n": 4})
    assert confirmed.has_confirmed("a")
    assert not confirmed.has_confirmed("a", "n")


def test_of_epoch_0_there_is_nothing_to_confirm_and_of_epoch_1_there_is() -> None:
    assert IDLE.has_confirmed("a", "b", "c")
    assert not IDLE.with_(epoch=1).has_confirmed("a")


@pytest.mark.parametrize(
    ("phase", "epoch", "confirmed", "owes"),
    [
        (Phase.ABORTED, 4, {}, True),
        (Phase.ABORTED, 4, {"n": 4}, False),
        (Phase.ABORTED, 3, {}, False),  # a reverted route, not an aborted attempt
        (Phase.DUAL, 4, {}, False),
    ],
)
def test_a_wipe_is_owed_after_an_abort(
    phase: Phase, epoch: int, confirmed: dict[str, int], owes: bool
) -> None:
    record = MOVING.with_(phase=phase, epoch=epoch, confirmed=confirmed)
    assert record.owes_wipe is owes
    lax = replace(Mechanisms(), wipe_before_retry=False)
    assert not record.with_(mechanisms=lax).owes_wipe


def test_only_who_knows_the_record_as_it_is_changes_it() -> None:
    store = RecordStore(IDLE)
    first = IDLE.with_(phase=Phase.DUAL, epoch=1)
    assert store.compare_and_set(IDLE, first)
    assert not store.compare_and_set(IDLE, IDLE.with_(epoch=9))
    assert not store.compare_and_set(IDLE.with_(phase=Phase.DUAL, epoch=1), IDLE)  # equal, but not the one
    assert store.value is first
    assert store.history == [0, 1]


def test_the_history_has_each_epoch_once_in_order() -> None:
    store = RecordStore(IDLE)
    for epoch in (1, 1, 4, 2):
        store.compare_and_set(store.value, store.value.with_(epoch=epoch))
    assert store.history == [0, 1, 2]  # the record went back to before 4


@given(st.lists(st.none() | st.integers(0, 9), max_size=40))
def test_a_durable_sequencer_never_gives_a_version_twice_nor_a_lower_one(steps: list[int | None]) -> None:
    """None is a restart; a number is a draw in that epoch."""
    sequencer, given_out = Sequencer(), []
    for step in steps:
        if step is None:
            sequencer.restart()
        else:
            given_out.append(sequencer.draw(step))
    assert given_out == sorted(set(given_out))


def test_a_restart_goes_on_behind_what_was_reserved() -> None:
    sequencer = Sequencer()
    for _ in range(Sequencer.BLOCK):
        sequencer.draw(1)
    assert sequencer.reserved == Sequencer.BLOCK
    assert sequencer.draw(1) == (1, Sequencer.BLOCK + 1, 0)
    assert sequencer.reserved == 2 * Sequencer.BLOCK
    sequencer.restart()
    assert sequencer.draw(1) == (1, 2 * Sequencer.BLOCK + 1, 0)


def test_without_durability_a_restart_or_a_slow_clock_gives_a_version_twice() -> None:
    sequencer = Sequencer(durable=False)
    first = sequencer.draw(7)
    assert first == (0, 1, 0)
    assert sequencer.draw(7, slow=True) == first
    sequencer.restart()
    assert sequencer.draw(7) == first
    assert Sequencer().draw(7, slow=True) == (7, 1, 0)  # a durable one asks no clock
