"""A migration as one thing, under Miroir's names."""

from __future__ import annotations

import pytest

from cutproof.impl import Cluster, choices
from cutproof.impl.migration import in_flight
from cutproof.impl.miroir import (
    Active,
    DeltaPass,
    Draining,
    Failed,
    InvalidTransition,
    Migrating,
    MigrationComplete,
    MigrationPhase,
    Pending,
)
from cutproof.impl.node import Kind, Message
from cutproof.impl.record import Phase


def moving() -> Cluster:
    cluster = Cluster(["old"], 1, seed=2, pages=3)
    for i in range(12):
        cluster.put(f"doc-{i}", {"n": i})
    cluster.move([0], "new")
    return cluster


@pytest.mark.parametrize(
    ("phase", "name", "state"),
    [
        (Phase.DUAL, MigrationPhase.DUAL_WRITE_MIGRATING, Pending),
        (Phase.COPY, MigrationPhase.DUAL_WRITE_MIGRATING, Migrating),
        (Phase.SEAL, MigrationPhase.CUTOVER_BEGIN, Draining),
        (Phase.DRAIN_SOURCE, MigrationPhase.CUTOVER_DRAINING, Draining),
        (Phase.DELTA, MigrationPhase.CUTOVER_DELTA_PASS, DeltaPass),
        (Phase.ACTIVATE, MigrationPhase.CUTOVER_ACTIVATE, Active),
        (Phase.CLEANUP, MigrationPhase.CUTOVER_CLEANUP, Active),
        (Phase.COMPLETE, MigrationPhase.COMPLETE, Active),
    ],
)
def test_phases_and_states_have_miroirs_names(phase: Phase, name: MigrationPhase, state: type) -> None:
    cluster = moving()
    migration = cluster.migrations[0]
    cluster.run_until(lambda: cluster.shards[0].record.phase is phase)
    assert migration.phase is name
    assert isinstance(migration.states()[0], state)
    assert name.value in repr(migration)
    assert migration.complete == (phase is Phase.COMPLETE)


def test_while_it_copies_it_says_how_much_is_left() -> None:
    cluster = moving()
    cluster.run_until(lambda: cluster.shards[0].record.cursor == 1)
    copied = cluster.costs.documents_copied
    assert cluster.migrations[0].states() == {0: Migrating(copied, 2)}
    assert 0 < copied < 12


def test_in_flight_are_the_writes_of_the_shard() -> None:
    cluster = Cluster(["old"], 2)
    first, second = cluster.shards
    for n in range(3):
        first.submit(f"a{n}", {})
    second.submit("b", {})
    first.network.send(Message(Kind.REPAIR, first.owner, (), 0))
    assert (in_flight(first), in_flight(second)) == (3, 1)


def test_a_migration_that_was_taken_back_is_not_complete() -> None:
    cluster = moving()
    migration = cluster.migrations[0]
    cluster.run_until(migration.finished)
    back = migration.back()
    cluster.run_until(back.finished)
    assert back.complete
    assert not migration.complete


def test_it_begins_for_all_of_its_shards_or_for_none() -> None:
    cluster = Cluster(["old"], 2)
    migration = cluster.move([0, 1], "new")
    migration.abort()
    wipe = next(c for c in choices.enabled(cluster.shards[0]) if c.action == "wipe")
    cluster.step(wipe)  # the other shard's is owed yet
    with pytest.raises(InvalidTransition, match="shard 1 is in aborted"):
        migration.retry()
    assert [s.record.phase for s in cluster.shards] == [Phase.ABORTED, Phase.ABORTED]


def test_everything_copied_and_not_sealed_has_a_name_of_its_own() -> None:
    cluster = moving()
    cluster.run_until(lambda: cluster.shards[0].record.cursor == 3)
    assert cluster.migrations[0].states() == {0: MigrationComplete(12)}


def test_an_aborted_one_has_failed() -> None:
    cluster = moving()
    cluster.migrations[0].abort()
    assert cluster.migrations[0].phase is MigrationPhase.FAILED
    assert cluster.migrations[0].states() == {0: Failed(MigrationPhase.FAILED, "aborted")}


def test_nothing_to_move_is_complete_at_once() -> None:
    cluster = Cluster(["old"], 1)
    migration = cluster.move([], "new")
    assert migration.finished()
    assert migration.complete
    assert migration.phase is MigrationPhase.COMPLETE
    with pytest.raises(ValueError, match="a way back leads to one node"):
        migration.back()


def test_begun_again_after_its_end_it_moves_nothing() -> None:
    cluster = moving()
    migration = cluster.migrations[0]
    cluster.run_until(migration.finished)
    migration.begin()
    assert migration.complete
