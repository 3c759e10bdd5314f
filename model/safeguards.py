"""Safeguards: every mechanism that makes the cutover safe, by name, each removable on its own.

`HARDENED` is all of them; `AS_WRITTEN` is what the seed's design and code have. Where its texts are undefined
or contradict each other, they are read in the seed's favour, so that what is still violated is beyond argument.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Harm(Enum):
    """What is done to a client."""

    LAW = "lost acknowledged write"
    LU = "lost update"
    RD = "resurrected delete"
    SR = "stale or partial read"
    STK = "stuck"


@dataclass(frozen=True)
class Safeguard:
    """One mechanism.

    `rule` says what it is, in one sentence; `without` what happens when it is missing; `harms` what that does to a
    client; `seed` whether the seed's design or code has it ("yes", "no", "undefined", "contradictory");
    `answers` the bugs of real systems at this very point, or is empty."""

    name: str
    rule: str
    without: str
    harms: tuple[Harm, ...]
    seed: str
    answers: str = ""


LAW, LU, RD, SR, STK = Harm

_TABLE = (
    Safeguard("delta_always", "", "", (), ""),
    Safeguard("delta_compares_versions", "", "", (), ""),
    Safeguard("copy_checks_version", "", "", (), ""),
    Safeguard("apply_checks_version", "", "", (), ""),
    Safeguard("tombstones", "", "", (), ""),
    Safeguard("tombstone_gc_waits", "", "", (), ""),
    Safeguard("sequencer_durable", "", "", (), ""),
    Safeguard("whole_documents", "", "", (), ""),
    Safeguard("ack_after_applied", "", "", (), ""),
    Safeguard("ack_needs_source", "", "", (), ""),
    Safeguard("fence_epoch", "", "", (), ""),
    Safeguard("drain_waits_for_fences", "", "", (), ""),
    Safeguard("drain_waits_for_applied", "", "", (), ""),
    Safeguard("fence_outlives_data", "", "", (), ""),
    Safeguard("command_epoch", "", "", (), ""),
    Safeguard("seal_blocks_writes", "", "", (), ""),
    Safeguard("source_fenced_before_open", "", "", (), ""),
    Safeguard("dual_until_seal", "", "", (), ""),
    Safeguard("dual_before_copy", "", "", (), ""),
    Safeguard("per_write_tracking", "", "", (), ""),
    Safeguard("per_migration_tracking", "", "", (), ""),
    Safeguard("durable_record", "", "", (), ""),
    Safeguard("keyset_paging", "", "", (), ""),
    Safeguard("failed_page_is_retried", "", "", (), ""),
    Safeguard("wipe_before_retry", "", "", (), ""),
    Safeguard("one_owner_record", "", "", (), ""),
    Safeguard("target_holds_no_replica", "", "", (), ""),
    Safeguard("cleanup_needs_proof", "", "", (), ""),
    Safeguard("roll_forward_only", "", "", (), ""),
    Safeguard("one_migration_per_shard", "", "", (), ""),
    Safeguard("repairs_fenced", "", "", (), ""),
    Safeguard("repair_is_conditional", "", "", (), ""),
    Safeguard("repair_honours_tombstones", "", "", (), ""),
    Safeguard("expiry_of_winner_only", "", "", (), ""),
    Safeguard("sweep_tie_break", "", "", (), ""),
    Safeguard("grace_before_cleanup", "", "", (), ""),
    Safeguard("search_filters_owned", "", "", (), ""),
    Safeguard("copy_waits_for_applied", "", "", (), ""),
    Safeguard("gc_waits_for_repairs", "", "", (), ""),
    Safeguard("gc_waits_for_applied", "", "", (), ""),
    Safeguard("policy_is_recorded", "", "", (), ""),
)

SAFEGUARDS: dict[str, Safeguard] = {s.name: s for s in _TABLE}
HARDENED: frozenset[str] = frozenset(SAFEGUARDS)
AS_WRITTEN: frozenset[str] = frozenset(s.name for s in _TABLE if s.seed != "no")
