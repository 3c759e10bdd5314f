"""Safeguards: every mechanism that makes the cutover safe, by name, each removable on its own.

`HARDENED` is all of them; `AS_WRITTEN` is what the seed's design and code have. Where its texts are undefined
or contradict each other, they are read in the seed's favour, so that what is still violated is beyond
argument.

O is the old owner of a shard, N the new node. The seal is the moment from which writers wait; the scan is the
last reading of O, by the delta pass.
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

    `rule` says what it is, in one sentence; `without` what happens when it is missing; `harms` what that does
    to a client, the main one first; `seed` whether the seed's design or code has it ("yes", "no",
    "undefined", "contradictory"); `answers` the bugs of real systems at this very point, divided by "; ",
    or is empty."""

    name: str
    rule: str
    without: str
    harms: tuple[Harm, ...]
    seed: str
    answers: str = ""


LAW, LU, RD, SR, STK = Harm

_TABLE = (
    Safeguard(
        "delta_always",
        "Before the owner changes, a delta pass always compares all of O with N and repairs what N lacks.",
        "The pass runs only if a table of failed writes has an entry, and a write that it does "
        "not list goes away with O.",
        (LAW,),
        "no",
    ),
    Safeguard(
        "delta_compares_versions",
        "To the delta pass a copy on N counts as present only if its version is not below that on O.",
        "Any copy on N counts as present, so N goes on to serve an old value, or a document that "
        "was deleted on O.",
        (LU, RD),
        "no",
    ),
    Safeguard(
        "copy_checks_version",
        "A page of the copy writes a document only where N holds no newer version of it.",
        "A page that was read before an update lands after it, and puts the old value back.",
        (LU,),
        "no",
    ),
    Safeguard(
        "apply_checks_version",
        "A node applies a task only if its version is above the stored one; an older task counts "
        "as superseded.",
        "A write that had timed out arrives late and overwrites a newer one that was acknowledged meanwhile.",
        (LU, RD),
        "no",
        "Elasticsearch #25827: replay of the log applied an index operation older than the document's delete",
    ),
    Safeguard(
        "tombstones",
        "A delete leaves a tombstone with its version, which is copied, compared and repaired "
        "like a document.",
        "A delete leaves no trace, so a page read before it, or a copy on the node that missed "
        "it, brings the document back.",
        (RD,),
        "no",
    ),
    Safeguard(
        "tombstone_gc_waits",
        "A tombstone is collected only while no migration is live, nothing older is stored "
        "anywhere and fences refuse the rest.",
        "The tombstone is gone when a write older than the delete arrives, and nothing tells the "
        "node to ignore it.",
        (RD,),
        "no",
        "Scylla #21090: tombstones were collected on the receiving node before the data they shadow arrived",
    ),
    Safeguard(
        "sequencer_durable",
        "Versions come from one durable sequencer per shard, never from a router's clock, and "
        "none is issued twice.",
        "A slow clock, a stale view or a restart gives a new write an old version, and it loses "
        "to the value it should replace.",
        (LU,),
        "no",
    ),
    Safeguard(
        "whole_documents",
        "Nodes receive whole documents, since partial updates are merged before they are sent.",
        "A node that missed one partial update merges the next one, and two copies of equal "
        "version differ in content.",
        (LU, STK),
        "no",
    ),
    Safeguard(
        "ack_after_applied",
        "A write is acknowledged when its task has been applied, not when it has been queued.",
        "The client hears of success while the task still waits in the queue, and then the task fails.",
        (LAW,),
        "no",
    ),
    Safeguard(
        "ack_needs_source",
        "While writes go to both nodes, none is acknowledged before it has succeeded on O.",
        "A write that N alone holds is acknowledged, stays invisible on O, and is wiped when the "
        "migration aborts.",
        (LAW, SR),
        "undefined",
        "Qdrant #3013: a replica still in transfer took updates alone, and recovery then overwrote them",
    ),
    Safeguard(
        "fence_epoch",
        "Reads and writes carry the epoch that their router saw, and a node refuses those below "
        "its durable fence.",
        "O accepts and acknowledges a late write, or one from a router with an old view, after O "
        "was scanned for the last time.",
        (LAW,),
        "no",
        "MongoDB SERVER-77506: transactions mismatched data and shard version, missing reads and "
        "writes on moved chunks",
    ),
    Safeguard(
        "drain_waits_for_fences",
        "The drain starts only after both O and N have confirmed the fence of the sealed epoch.",
        "The seal is recorded but O has not heard of it, and O accepts one more write behind the scan.",
        (LAW,),
        "no",
    ),
    Safeguard(
        "drain_waits_for_applied",
        "The drain ends only when O and N have applied or failed all they had accepted, and no "
        "time-out forces it.",
        "The delta pass reads O while an accepted write still waits in its queue, and that write "
        "never reaches N.",
        (LAW,),
        "no",
        "Vitess #9481: transactions open on the source committed after writes were switched, and were lost; "
        "Vitess #16563: the position to catch up to was read before writes in progress had finished",
    ),
    Safeguard(
        "fence_outlives_data",
        "A node's fence for a shard survives the deletion of the shard's data, a wipe and a restart.",
        "O forgets its fence together with the data, and accepts and acknowledges a late write "
        "that nobody will read.",
        (LAW,),
        "no",
    ),
    Safeguard(
        "command_epoch",
        "Each command of the coordinator carries its epoch, and a node refuses one that is below its fence.",
        "A wipe, page or deletion whose sender crashed or gave up lands in a later attempt and "
        "destroys live data.",
        (LAW,),
        "no",
        "CockroachDB #36611: a delayed snapshot of an older range overwrote the data of a newer one; "
        "FoundationDB #11934: leftovers of a failed attempt to start a shard move wrote into its retry; "
        "Scylla #17682: writes streamed by a failed migration could race the clean-up of its target",
    ),
    Safeguard(
        "seal_blocks_writes",
        "From the seal until the owner changes no write is accepted: writers wait, or get an error.",
        "What is written during drain and delta goes to O behind the scan, and is deleted with O.",
        (LAW,),
        "contradictory",
        "gh-ost #653: on MySQL 5.6.41 a blocked INSERT was seen to run before the RENAME; "
        "OpenSearch #5848: the handoff became asynchronous, so blocked writes were released "
        "before it had finished",
    ),
    Safeguard(
        "source_fenced_before_open",
        "N serves no client before O has confirmed the fence of the new epoch.",
        "N acknowledges a write while a router that has not heard of the change still reads the "
        "old value from O.",
        (SR,),
        "no",
        "Dgraph #4496: around a tablet move both groups served read-only transactions whose data they lacked",
    ),
    Safeguard(
        "dual_until_seal",
        "Every write goes to both nodes until the seal, for all shards alike.",
        "Dual writing stops for a shard when its copy ends, and what is written from then until "
        "the seal is on O alone.",
        (LAW,),
        "no",
    ),
    Safeguard(
        "dual_before_copy",
        "The copy starts only after both nodes have confirmed the epoch in which every write goes to both.",
        "A document is read for the copy, then updated on O alone, and the update never reaches N.",
        (LAW,),
        "yes",
        "Qdrant #5271: an empty difference set up no forwarding, so updates made meanwhile were missed",
    ),
    Safeguard(
        "per_write_tracking",
        "An acknowledgement settles the one write that it belongs to, not every write of the same document.",
        "Another write of the document clears the entry of one that failed on N, and nobody "
        "repairs that one.",
        (LAW, LU),
        "no",
    ),
    Safeguard(
        "per_migration_tracking",
        "Each migration has a table of its own for the writes that are under way.",
        "All migrations share a table: one that ends erases another's failed writes, one that "
        "hangs blocks another's drain.",
        (LAW, STK),
        "no",
    ),
    Safeguard(
        "durable_record",
        "Owner, phase, epoch, cursor and proof are kept in one durable record that only a "
        "compare-and-set changes.",
        "A crash makes the coordinator forget how far it had come, and its successor skips or "
        "repeats the wrong steps.",
        (LAW, STK),
        "no",
    ),
    Safeguard(
        "keyset_paging",
        "The next page of the copy starts after the last key that was read, never at a numeric offset.",
        "A delete during the copy moves all later documents up by one, and the next page skips a document.",
        (LAW,),
        "no",
    ),
    Safeguard(
        "failed_page_is_retried",
        "A page that fails is read again, and only the end of the keys ends the copy.",
        "An error is taken for the end of the data, and the rest of the shard is never copied.",
        (LAW,),
        "undefined",
    ),
    Safeguard(
        "wipe_before_retry",
        "After an abort N raises its fence, clears documents and queue, and confirms it before "
        "another attempt begins.",
        "What the aborted attempt left on N passes for copied data in the next one, and a document "
        "that was deleted since comes back.",
        (RD, LU),
        "no",
        "Scylla #16752: replay of the commit log could bring back data of a cleaned-up tablet",
    ),
    Safeguard(
        "one_owner_record",
        "Who owns a shard is read from the durable record and from nowhere else.",
        "Routers derive the owner from the list of members, and a node that has just joined "
        "serves before it holds the data.",
        (LAW, SR),
        "no",
        "Valkey #2724: a failover's epoch bump can reclaim a moved slot whose keys are being deleted",
    ),
    Safeguard(
        "target_holds_no_replica",
        "N must not hold a replica of the shard that it is about to receive.",
        "N is emptied for a clean start, and with it goes a live replica, perhaps the last to "
        "hold an acknowledged write.",
        (LAW,),
        "no",
    ),
    Safeguard(
        "cleanup_needs_proof",
        "O's data is deleted only after a recorded proof that N has applied, for each document, "
        "what O held or newer.",
        "O is deleted although N has merely accepted its repairs, and what N then fails to apply is nowhere.",
        (LAW,),
        "no",
    ),
    Safeguard(
        "roll_forward_only",
        "Once the owner has changed, the only way back is another migration, from N to O.",
        "An operator points the routers back at O, which has none of the writes that N has "
        "acknowledged since.",
        (LAW, STK),
        "no",
    ),
    Safeguard(
        "one_migration_per_shard",
        "A shard has at most one live migration, and a second one is refused.",
        "The first of two migrations changes the owner on a proof that is older than the writes "
        "the second let in.",
        (LAW, STK),
        "no",
    ),
    Safeguard(
        "repairs_fenced",
        "Anti-entropy writes neither node from the seal to the change of owner nor O after it, "
        "and reads N only after it.",
        "A background repair changes O behind the scan, or spreads what a half-filled N holds.",
        (SR, LU, RD),
        "no",
    ),
    Safeguard(
        "repair_is_conditional",
        "A repair is applied only where its version is above the stored one.",
        "Anti-entropy reads one copy, a client writes the other, and the repair overwrites what "
        "the client wrote.",
        (LU,),
        "no",
    ),
    Safeguard(
        "repair_honours_tombstones",
        "To anti-entropy a tombstone is a version like any other, and a newer delete beats an "
        "older document.",
        "One replica missed a delete, and repair restores the document from there on all the others.",
        (RD,),
        "no",
    ),
    Safeguard(
        "expiry_of_winner_only",
        "Anti-entropy judges expiry on the newest copy alone, and deletes by the version of that copy.",
        "One stale copy has expired, and for its sake a repair deletes a document that was renewed.",
        (LAW,),
        "no",
    ),
    Safeguard(
        "sweep_tie_break",
        "A sweep's delete has the version of the copy that it judged and one bit more: it beats "
        "that copy and nothing newer.",
        "The delete of an expired copy also beats a renewal that the sweep has never seen.",
        (LAW,),
        "no",
    ),
    Safeguard(
        "grace_before_cleanup",
        "Clean-up waits until every query that was running on O when O confirmed its fence has ended.",
        "Documents are deleted under a query that still runs on O, and its answer has holes.",
        (SR,),
        "no",
    ),
    Safeguard(
        "search_filters_owned",
        "A node answers a search only for the shards that it owns in the search's epoch.",
        "During the move a search reads both copies, and returns documents twice or after their delete.",
        (SR,),
        "no",
    ),
    Safeguard(
        "copy_waits_for_applied",
        "The copy starts only after O has applied all that it accepted before its fence rose.",
        "A write that was sent to O alone is applied behind the page that was read, and only a "
        "delta pass would still find it.",
        (LAW,),
        "no",
        "gh-ost #1038: an INSERT logged before capture began but committed after the range read was lost; "
        "Qdrant #8103: a transfer left out updates that were still pending in the source's queue",
    ),
    Safeguard(
        "gc_fences_every_replica",
        "A tombstone is collected only when every replica, not just the collecting one, is fenced above its epoch.",
        "A late write lands on a replica that is not fenced yet, and a repair brings the deleted document back.",
        (RD,),
        "no",
    ),
    Safeguard(
        "gc_waits_for_repairs",
        "A tombstone is collected only when no repair is under way.",
        "A repair that was read before the delete lands after the collection, and its document returns.",
        (RD,),
        "no",
    ),
    Safeguard(
        "gc_waits_for_applied",
        "A tombstone is collected only when no replica has an accepted task for the document still to apply.",
        "A write older than the delete waits in a queue, is applied after the collection, and "
        "its document returns.",
        (RD,),
        "no",
    ),
    Safeguard(
        "policy_is_recorded",
        "The policy is copied into the record when a migration begins, and that copy rules until another begins.",
        "Somebody switches anti-entropy off before the clean-up, and a loss that it was meant to heal stays.",
        (LAW,),
        "no",
    ),
    Safeguard(
        "healed_before_next",
        "Where a policy counts on repairs, a migration begins under another only when nothing is left to be repaired.",
        "The next migration begins under a policy without anti-entropy, and a loss that it was meant to heal stays.",
        (LAW,),
        "no",
    ),
    Safeguard(
        "copy_waits_for_earlier_alone",
        "For the copy O need not apply what it accepts once its fence is up, since all of that goes to both nodes.",
        "The copy waits for a moment at which nothing at all is queued on O, and while clients go on writing that "
        "moment may never come.",
        (STK,),
        "no",
    ),
    Safeguard(
        "abort_forgets_cursor",
        "An abort forgets the cursor together with what it counted, and the next attempt copies from the start.",
        "N was wiped, but the next attempt copies from where the aborted one had come to, and skips what is before.",
        (LAW,),
        "undefined",
        "Cassandra #5003: a second decommission passed over what the first, given up, had already streamed; "
        "Qdrant #7787: after an aborted transfer the next one skipped changes that had never arrived",
    ),
    Safeguard(
        "proof_of_this_attempt",
        "A proof, or a clean pass, counts only for the attempt in which it was made: an abort or a begin forgets it.",
        "The next attempt activates by the proof of an earlier one, and what was written in between is not on N.",
        (LAW,),
        "undefined",
    ),
)

SAFEGUARDS: dict[str, Safeguard] = {s.name: s for s in _TABLE}
HARDENED: frozenset[str] = frozenset(SAFEGUARDS)
AS_WRITTEN: frozenset[str] = frozenset(s.name for s in _TABLE if s.seed != "no")
