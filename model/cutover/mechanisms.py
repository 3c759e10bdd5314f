"""Mechanisms: what actually runs, resolved from a policy and the safeguards that were removed.

The protocol, and every implementation of it, reads only this record (see `policy.resolve`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class WritesWhileSealed(Enum):
    """What happens to a write between SEAL and ACTIVATE."""

    BLOCK = "block"
    SOURCE = "source_only"
    BOTH = "dual"


class Cleanup(Enum):
    """What the deletion of the source waits for."""

    AFTER_PROOF = "after_proof"
    IMMEDIATE = "immediate"
    AFTER_CLEAN_PASS = "after_clean_pass"


class Acknowledge(Enum):
    """Who must have applied a dual write before it is acknowledged."""

    SOURCE = "source"
    ALL = "all"
    ANY = "any"


class AntiEntropy(Enum):
    """What a pass does with a difference that it finds."""

    OFF = "off"
    ALERT = "alert"
    REPAIR = "repair"


class ReplicaAck(Enum):
    """What the acknowledgement of another replica is worth."""

    NONE = "none"
    COUNTS = "counts"
    REQUIRED = "required"


@dataclass(frozen=True)
class Mechanisms:
    """What runs. The first part is one switch a safeguard; the second is chosen by the policy."""

    delta_always: bool = True
    delta_compares_versions: bool = True
    copy_checks_version: bool = True
    apply_checks_version: bool = True
    tombstones: bool = True
    tombstone_gc_waits: bool = True
    sequencer_durable: bool = True
    whole_documents: bool = True
    ack_after_applied: bool = True
    ack_needs_source: bool = True
    fence_epoch: bool = True
    drain_waits_for_fences: bool = True
    drain_waits_for_applied: bool = True
    fence_outlives_data: bool = True
    command_epoch: bool = True
    seal_blocks_writes: bool = True
    source_fenced_before_open: bool = True
    dual_until_seal: bool = True
    dual_before_copy: bool = True
    per_write_tracking: bool = True
    per_migration_tracking: bool = True
    durable_record: bool = True
    keyset_paging: bool = True
    failed_page_is_retried: bool = True
    wipe_before_retry: bool = True
    one_owner_record: bool = True
    target_holds_no_replica: bool = True
    cleanup_needs_proof: bool = True
    roll_forward_only: bool = True
    one_migration_per_shard: bool = True
    repairs_fenced: bool = True
    repair_is_conditional: bool = True
    repair_honours_tombstones: bool = True
    expiry_of_winner_only: bool = True
    sweep_tie_break: bool = True
    grace_before_cleanup: bool = True
    search_filters_owned: bool = True
    # found by this model, see docs/findings.md
    copy_waits_for_applied: bool = True
    gc_fences_every_replica: bool = True
    gc_waits_for_repairs: bool = True
    gc_waits_for_applied: bool = True
    policy_is_recorded: bool = True
    healed_before_next: bool = True
    copy_waits_for_earlier_alone: bool = True
    abort_forgets_cursor: bool = True
    proof_of_this_attempt: bool = True
    # chosen by the policy
    delta: bool = True
    writes_while_sealed: WritesWhileSealed = WritesWhileSealed.BLOCK
    cleanup: Cleanup = Cleanup.AFTER_PROOF
    acknowledge: Acknowledge = Acknowledge.SOURCE
    anti_entropy: AntiEntropy = AntiEntropy.REPAIR
    replica_ack: ReplicaAck = ReplicaAck.NONE
