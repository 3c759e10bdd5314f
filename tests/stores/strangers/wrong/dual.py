"""Dual writes gone wrong."""

from __future__ import annotations

from typing import Any

from cutproof.checks.drivers.adapter import ACKNOWLEDGED
from strangers.right.dual import Copy, Dual, Job, Node, Write


class DeltaOfWhatIsAbsent(Dual):
    """The delta asks which keys the target lacks."""

    bug = "the delta writes only keys that the target has not; an older copy counts as present"
    source = "protocol: delta_compares_versions"
    harm = "lost update"

    def lacks(self, target: Node, key: str, what: Copy) -> bool:
        return key not in target.documents


class NoTombstones(Dual):
    """A delete removes the entry."""

    bug = "a delete that fails on the target leaves no trace on the source, and the delta only adds"
    source = "protocol: tombstones"
    harm = "resurrected delete"

    def apply(self, name: str, write: Write) -> None:
        super().apply(name, write)
        if write.copy.value is None:
            self.nodes[name].documents.pop(write.key, None)


class TombstonesCollectedEarly(Dual):
    """An idle store compacts itself."""

    bug = (
        "tombstones are collected when nothing is under way but what is late; the late write lands after that"
    )
    source = "protocol: tombstone_gc_waits (scylla#6600)"
    harm = "resurrected delete"

    def advance(self) -> bool:
        if super().advance():
            return True
        collected = False
        for node in self.nodes.values():
            for key in [k for k, c in node.documents.items() if c.value is None]:
                collected = True
                del node.documents[key]
        return collected


class NoFence(Dual):
    """Nodes take every write that arrives."""

    bug = "a write that comes late, or from a router that is behind, is taken by the old owner"
    source = "protocol: fence_epoch"
    harm = "lost acknowledged write"

    def accept(self, name: str, write: Write) -> bool:
        return True


class AcknowledgedOnArrival(Dual):
    """Queued is done."""

    bug = "a write is acknowledged when the owner has queued it; a restart forgets the queue"
    source = "protocol: ack_after_applied"
    harm = "lost acknowledged write"

    def accept(self, name: str, write: Write) -> bool:
        taken = super().accept(name, write)
        if taken and name == write.owner:
            write.ticket.tell(ACKNOWLEDGED)
        return taken


class AnySideAcknowledges(Dual):
    """The first answer counts."""

    bug = "the target alone acknowledges a write that failed on the owner"
    source = "protocol: ack_needs_source"
    harm = "lost acknowledged write"

    def reply(self, name: str, write: Write, said: str) -> None:
        if said == ACKNOWLEDGED:
            write.ticket.tell(said)
        super().reply(name, write, said)


class DrainOfNothing(Dual):
    """The drain trusts the fence."""

    bug = "the delta reads the owner before it has applied what it accepted"
    source = "protocol: drain_waits_for_applied"
    harm = "lost acknowledged write"

    def drained(self, job: Job) -> bool:
        return True


class CommandsWithoutEpoch(Dual):
    """Nodes obey every coordinator."""

    bug = "a wipe of a coordinator that is gone arrives once more, when the target is the owner"
    source = "protocol: command_epoch (temporal#12016)"
    harm = "lost acknowledged write"

    def order(self, name: str, shard: int, run: Any) -> Any:
        message = super().order(name, shard, run)
        message.accept = lambda: True
        return message


class HeldWritesInMemory(Dual):
    """Whoever waits for the switch waits in the coordinator."""

    bug = "the coordinator crashes while writers wait for the switch, and nobody remembers them"
    source = "protocol: durable_record"
    harm = "writes pending for ever"

    def on_crash(self, node: str) -> None:
        self.held.clear()
        super().on_crash(node)


class SealKeptByAbort(Dual):
    """An abort forgets to let writers go on."""

    bug = "a migration that is given up while sealed stays sealed for writers"
    source = "arangodb#12476"
    harm = "refused for ever"

    def enter(self, job: Job, phase: str, **changes: Any) -> None:
        if phase == "undo":
            changes.pop("sealed")
        super().enter(job, phase, **changes)

    def release(self, job: Job) -> None:
        if job.phase != "undo":
            super().release(job)


class FencesInMemory(Dual):
    """A node that restarts asks nobody."""

    bug = "a restart forgets the fence, and a late write is accepted behind the delta's scan"
    source = "protocol: fence_outlives_data (scylla#12989)"
    harm = "lost acknowledged write"

    def on_restart(self, node: str) -> None:
        self.nodes[node].fences.clear()
        super().on_restart(node)


class OwnerByMembership(Dual):
    """Who is written to is read there first."""

    bug = "reads go to the target as soon as it is written to, before it has a copy of everything"
    source = "protocol: one_owner_record"
    harm = "stale read"

    def get(self, key: str) -> str | None:
        target = self.view(key).target
        if not target:
            return super().get(key)
        found = self.nodes[target].documents.get(key)
        return found.value if found else None
