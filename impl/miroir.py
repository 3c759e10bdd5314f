"""The names that Miroir people know: phases, shard states, errors, configurations and the checks of them (plan §13)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from cutproof.model.cutover.mechanisms import Acknowledge, AntiEntropy, Cleanup, ReplicaAck, WritesWhileSealed
from cutproof.model.cutover.policy import DrainOnTimeout, Policy, Rollback, seed_gate, sound_gate

Gate = Callable[[Policy], str | None]
GATES: dict[str, Gate] = {"sound": sound_gate, "seed": seed_gate}


class MigrationPhase(Enum):
    """The phases, in order."""

    COMPUTING_ASSIGNMENTS = "ComputingAssignments"
    DUAL_WRITE_MIGRATING = "DualWriteMigrating"
    CUTOVER_BEGIN = "CutoverBegin"
    CUTOVER_DRAINING = "CutoverDraining"
    CUTOVER_DELTA_PASS = "CutoverDeltaPass"
    CUTOVER_ACTIVATE = "CutoverActivate"
    CUTOVER_CLEANUP = "CutoverCleanup"
    COMPLETE = "Complete"
    FAILED = "Failed"


# ------------------------------------------------------------------ shard states


@dataclass(frozen=True, slots=True)
class Pending:
    """Nothing is copied yet."""


@dataclass(frozen=True, slots=True)
class Migrating:
    """Pages are copied."""

    docs_copied: int
    pages_remaining: int


@dataclass(frozen=True, slots=True)
class MigrationComplete:
    """Every page is copied; the cutover has not begun."""

    docs_copied: int


@dataclass(frozen=True, slots=True)
class Draining:
    """Sealed: what was accepted is being applied."""

    in_flight_count: int
    docs_copied: int


@dataclass(frozen=True, slots=True)
class DeltaPass:
    """What the target lacks is repaired."""

    docs_copied: int
    delta_docs_copied: int


@dataclass(frozen=True, slots=True)
class Active:
    """The target owns the shard."""


@dataclass(frozen=True, slots=True)
class Failed:
    """Given up; the source owns the shard."""

    phase: MigrationPhase
    reason: str


ShardState = Pending | Migrating | MigrationComplete | Draining | DeltaPass | Active | Failed

# ------------------------------------------------------------------ errors


class MigrationError(Exception):
    """A migration can't be begun, or can't go on. It can be sent from one process to another."""

    def __reduce__(self) -> tuple[Any, ...]:
        made = tuple(
            v for k, v in vars(self).items() if not k.startswith("__")
        )  # what the class was called with
        return (type(self), made if type(self).__init__ is not Exception.__init__ else self.args)


class UnsafeCutover(MigrationError):
    """The gate refuses the policy: acknowledged writes may be lost, or the migration may never finish."""


class UnsafeCutoverNoAntiEntropy(UnsafeCutover):
    """The refusal that the seed knows."""

    def __init__(self) -> None:
        super().__init__(
            "anti-entropy is disabled and delta pass is skipped — documents may be lost at cutover"
        )


class DrainTimeout(MigrationError):
    """`left` writes were still in flight when the drain took too long."""

    def __init__(self, left: int) -> None:
        self.left = left
        super().__init__(f"drain timed out with {left} writes in flight; the attempt was given up, retry it")


class InvalidTransition(MigrationError):
    """The shard is not where this step begins."""

    def __init__(self, shard: int, current: str) -> None:
        self.shard, self.current = shard, current
        super().__init__(f"shard {shard} is in {current}: this step does not begin there")


class NotRepaired(MigrationError):
    """The policy in the shard's record counts on repairs, and they are not done: no other may replace it yet."""

    def __init__(self, shard: int) -> None:
        self.shard = shard
        super().__init__(
            f"shard {shard}: its last policy left something to be repaired, and no pass was clean since; settle() and "
            "repair() until nothing is sent, then begin under another policy"
        )


class NotFound(MigrationError):
    """There is no such migration."""

    def __init__(self, migration: int) -> None:
        self.migration = migration
        super().__init__(f"no migration {migration}")


class DeltaPassFailed(MigrationError):
    """The delta pass of a shard could not prove that the target covers the source."""

    def __init__(self, shard: int, reason: str) -> None:
        self.shard, self.reason = shard, reason
        super().__init__(f"delta pass of shard {shard} failed: {reason}")


# ------------------------------------------------------------------ configurations


@dataclass(frozen=True, slots=True)
class AntiEntropyConfig:
    """Plan §13.8. `shards_per_pass` 0 is all of them."""

    enabled: bool = True
    auto_repair: bool = True
    schedule_cron: str = "0 */6 * * *"
    shards_per_pass: int = 0
    max_read_concurrency: int = 2
    fingerprint_batch_size: int = 1000
    updated_at_field: str = "_miroir_updated_at"


@dataclass(frozen=True, slots=True)
class MigrationConfig:
    """What an operator sets for migrations; `drain_timeout` is in seconds, `replicas` is whether RF * RG > 1."""

    skip_delta_pass: bool = False
    drain_timeout: float = 30.0
    drain_on_timeout: DrainOnTimeout = DrainOnTimeout.ABORT
    cutover_writes: WritesWhileSealed = WritesWhileSealed.BLOCK
    cleanup: Cleanup = Cleanup.AFTER_PROOF
    rollback: Rollback = Rollback.REVERSE_MIGRATION
    acknowledge: Acknowledge = Acknowledge.SOURCE
    replica_ack: ReplicaAck = ReplicaAck.NONE
    replicas: bool = True


def policy_from(ae: AntiEntropyConfig, migration: MigrationConfig) -> Policy:
    """The policy that two configurations make together. Raises ValueError as `Policy`."""
    acts = AntiEntropy.REPAIR if ae.auto_repair else AntiEntropy.ALERT
    return Policy(
        skip_delta_pass=migration.skip_delta_pass,
        drain_on_timeout=migration.drain_on_timeout,
        cutover_writes=migration.cutover_writes,
        cleanup=migration.cleanup,
        rollback=migration.rollback,
        acknowledge=migration.acknowledge,
        anti_entropy=acts if ae.enabled else AntiEntropy.OFF,
        replicas=migration.replicas,
        replica_ack=migration.replica_ack,
    )


def check_policy(policy: Policy, gate: Gate = sound_gate) -> None:
    """Raises UnsafeCutover, or UnsafeCutoverNoAntiEntropy, where the gate refuses the policy."""
    reason = gate(policy)
    if reason is None:
        return
    if reason.startswith(UnsafeCutoverNoAntiEntropy.__name__):
        raise UnsafeCutoverNoAntiEntropy
    raise UnsafeCutover(reason)


def validate_migration_safety(
    ae: AntiEntropyConfig, migration: MigrationConfig, gate: Gate = sound_gate
) -> None:
    """Miroir's check before a migration, answered by the sound gate, or by another one of `GATES`.

    Raises UnsafeCutover, or UnsafeCutoverNoAntiEntropy."""
    check_policy(policy_from(ae, migration), gate)


def migration_warning_if_ae_disabled(enabled: bool) -> str | None:
    """What an operator is told who runs without anti-entropy; None if it is on."""
    if enabled:
        return None
    return (
        "anti-entropy is disabled: the delta pass is the sole mechanism that brings to the new node what it missed; "
        "do not skip it"
    )
