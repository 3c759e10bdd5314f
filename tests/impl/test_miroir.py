"""The names that Miroir people know, and the checks of configurations."""

import pickle

import pytest

from cutproof.impl import miroir
from cutproof.impl.miroir import (
    GATES,
    AntiEntropyConfig,
    DeltaPassFailed,
    DrainTimeout,
    InvalidTransition,
    MigrationConfig,
    MigrationError,
    MigrationPhase,
    NotFound,
    UnsafeCutover,
    UnsafeCutoverNoAntiEntropy,
    migration_warning_if_ae_disabled,
    policy_from,
    validate_migration_safety,
)
from cutproof.model.cutover.mechanisms import Acknowledge, AntiEntropy, ReplicaAck
from cutproof.model.cutover.policy import Policy


def test_the_phases_are_those_of_the_seed_in_order() -> None:
    assert [p.value for p in MigrationPhase] == [
        "ComputingAssignments", "DualWriteMigrating", "CutoverBegin", "CutoverDraining", "CutoverDeltaPass",
        "CutoverActivate", "CutoverCleanup", "Complete", "Failed",
    ]  # fmt: skip


def test_the_defaults_are_the_default_policy() -> None:
    assert policy_from(AntiEntropyConfig(), MigrationConfig()) == Policy()
    validate_migration_safety(AntiEntropyConfig(), MigrationConfig())


def test_the_defaults_are_miroirs() -> None:
    ae, migration = AntiEntropyConfig(), MigrationConfig()
    assert (ae.enabled, ae.auto_repair, ae.schedule_cron) == (True, True, "0 */6 * * *")
    assert (ae.shards_per_pass, ae.max_read_concurrency, ae.fingerprint_batch_size) == (0, 2, 1000)
    assert ae.updated_at_field == "_miroir_updated_at"
    assert (migration.skip_delta_pass, migration.drain_timeout) == (False, 30.0)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (AntiEntropyConfig(), AntiEntropy.REPAIR),
        (AntiEntropyConfig(auto_repair=False), AntiEntropy.ALERT),
        (AntiEntropyConfig(enabled=False), AntiEntropy.OFF),
        (AntiEntropyConfig(enabled=False, auto_repair=False), AntiEntropy.OFF),
    ],
)
def test_enabled_does_not_mean_that_it_repairs(config: AntiEntropyConfig, expected: AntiEntropy) -> None:
    assert policy_from(config, MigrationConfig()).anti_entropy is expected


def test_the_seeds_refusal_keeps_its_name_and_text() -> None:
    with pytest.raises(UnsafeCutoverNoAntiEntropy) as caught:
        validate_migration_safety(AntiEntropyConfig(enabled=False), MigrationConfig(skip_delta_pass=True))
    assert str(caught.value) == (
        "anti-entropy is disabled and delta pass is skipped — documents may be lost at cutover"
    )


def test_the_sound_gate_refuses_what_the_seeds_accepts() -> None:
    alone = MigrationConfig(skip_delta_pass=True)
    validate_migration_safety(AntiEntropyConfig(), alone, GATES["seed"])
    with pytest.raises(UnsafeCutover, match="skip_delta_pass"):
        validate_migration_safety(AntiEntropyConfig(), alone)
    with pytest.raises(UnsafeCutover, match="acknowledge"):
        validate_migration_safety(AntiEntropyConfig(), MigrationConfig(acknowledge=Acknowledge.ANY))


def test_knobs_that_exclude_each_other_are_refused() -> None:
    with pytest.raises(ValueError):
        policy_from(AntiEntropyConfig(), MigrationConfig(replicas=False, replica_ack=ReplicaAck.REQUIRED))


def test_who_runs_without_anti_entropy_is_warned() -> None:
    assert migration_warning_if_ae_disabled(True) is None
    assert "sole mechanism" in str(migration_warning_if_ae_disabled(False))


def test_errors_say_what_they_are_about() -> None:
    assert str(miroir.DrainTimeout(3)).startswith("drain timed out with 3 writes in flight")
    assert str(miroir.InvalidTransition(7, "seal")) == "shard 7 is in seal: this step does not begin there"
    assert str(miroir.NotFound(2)) == "no migration 2"
    assert str(miroir.DeltaPassFailed(1, "why")) == "delta pass of shard 1 failed: why"
    assert all(
        issubclass(e, miroir.MigrationError)
        for e in (miroir.DrainTimeout, miroir.InvalidTransition, miroir.NotFound, UnsafeCutoverNoAntiEntropy)
    )


@pytest.mark.parametrize(
    "error",
    [
        MigrationError("why"), UnsafeCutover("why"), UnsafeCutoverNoAntiEntropy(), DrainTimeout(3),
        InvalidTransition(1, "dual"), NotFound(2), DeltaPassFailed(1, "why"),
    ],
)  # fmt: skip
def test_errors_can_be_sent_between_processes(error: MigrationError) -> None:
    """Also by Dask, which changes how any error is sent: with its notes."""
    error.add_note("a note")
    sent = pickle.loads(pickle.dumps(error))
    del error.__notes__
    about = {k: v for k, v in vars(sent).items() if k != "__notes__"}
    assert (type(sent), str(sent), about) == (type(error), str(error), vars(error))
