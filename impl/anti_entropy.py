"""Anti-entropy: passes that compare replicas and repair the lower copy; sweeps; tombstones (plan §13.8).

The highest version wins, tombstones count, and expiry is judged on the winner only: it becomes the delete of a sweep. A
repair carries its epoch. From SEAL to ACTIVATE none touches the source or the target, afterwards none touches the
source, and the target is no source of repairs before ACTIVATE.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cutproof.impl.copies import Copy, is_newer, is_put
from cutproof.impl.fingerprints import Fingerprint, differences
from cutproof.impl.node import Kind, Message, Replica
from cutproof.impl.record import MOVED, Phase, Record, Stage
from cutproof.impl.shard import Shard
from cutproof.model.cutover.mechanisms import Acknowledge, AntiEntropy, Cleanup, ReplicaAck, WritesWhileSealed

OPEN = frozenset({Phase.DUAL, Phase.COPY})
SOURCE_OPEN = OPEN | {Phase.IDLE, Phase.ABORTED}
TARGET_OPEN = OPEN | {Phase.GRACE, Phase.CLEANUP, Phase.COMPLETE}
QUIET = frozenset({Phase.IDLE, Phase.ABORTED, Phase.COMPLETE})


@dataclass(frozen=True, slots=True)
class Repair:
    """A difference that a pass found: `copy`, which `here` holds (or what its expiry makes of it), is to go to `to`."""

    here: Replica
    to: Replica
    copy: Copy
    expired: bool = False


def runs(shard: Shard) -> bool:
    """Anti-entropy repairs, and nobody has switched it off."""
    return shard.record.mechanisms.anti_entropy is AntiEntropy.REPAIR and not shard.switched_off


def is_read(shard: Shard, replica: Replica) -> bool:
    """Whether a pass may take this replica's copies for a source of repairs."""
    record = shard.record
    part = part_of(record, replica)
    if part == "source":
        return record.phase is not Phase.COMPLETE
    if part == "target":
        early = not record.mechanisms.repairs_fenced and record.phase in OPEN
        return record.phase in MOVED or early
    return part == "member"


def is_written(shard: Shard, replica: Replica) -> bool:
    """Whether a pass may repair this replica."""
    record, phase = shard.record, shard.record.phase
    free = not record.mechanisms.repairs_fenced
    match part_of(record, replica):
        case "source":
            return free or phase in SOURCE_OPEN
        case "target":
            return phase in TARGET_OPEN or (free and phase not in (Phase.IDLE, Phase.ABORTED))
        case part:
            return part == "member"


def part_of(record: Record, replica: Replica) -> str:
    """What a replica is to the migration: its source, its target, another member, or empty for none of these."""
    if replica.group == record.group and record.target:
        if replica.node.name == record.source:
            return "source"
        if replica.node.name == record.target:
            return "target"
    return "member" if replica.node.name in record.members[replica.group] else ""


def under_way(shard: Shard) -> bool:
    """A repair or a sweep is under way."""
    kinds = (Kind.REPAIR, Kind.SWEEP)
    return any(m.kind in kinds and m.replica.shard == shard.number for m in shard.network.under_way())


# ------------------------------------------------------------------ a pass


def find(shard: Shard, now: float) -> Iterator[Repair]:
    """What a pass would repair now: roots are compared, then buckets, then documents."""
    if not runs(shard):
        return
    yield from _differing(shard)
    yield from _expired(shard, now)


def report(shard: Shard) -> list[Repair]:
    """What a pass finds, whether it repairs or only alerts (`auto_repair = false`)."""
    return list(_differing(shard)) if shard.record.mechanisms.anti_entropy is not AntiEntropy.OFF else []


def _reachable(shard: Shard) -> list[Replica]:
    return [r for _, r in sorted(shard.replicas.items()) if not r.node.cut]


def _differing(shard: Shard) -> Iterator[Repair]:
    blind = not shard.mechanisms.repair_honours_tombstones
    replicas, prints = _reachable(shard), dict[int, Fingerprint]()
    written = [r for r in replicas if is_written(shard, r)]
    for here in replicas:
        for to in written if is_read(shard, here) else ():
            if here is to:
                continue
            for key in differences(here.documents, to.documents, prints).keys:
                high, low = here.documents.get(key), to.documents.get(key)
                if low is None and shard.collects and may_collect(shard, here, key):
                    continue  # to send it, and to forget it there, would go on for ever
                resurrects = blind and is_put(high) and low is not None and low.content is None
                if high is not None and (is_newer(high, low) or resurrects):
                    yield Repair(here, to, high)


def expired(copy: Copy | None, now: float) -> bool:
    """The document's time is over (`_miroir_expires_at`)."""
    return copy is not None and copy.content is not None and copy.expires is not None and copy.expires <= now


def swept(copy: Copy) -> Copy:
    """The delete of a sweep: the version that it judged and a tie-break bit, so that it beats nothing newer."""
    epoch, number, _ = copy.version
    return Copy(copy.key, (epoch, number, 1), None, copy.order + 1, copy.history)


def _expired(shard: Shard, now: float) -> Iterator[Repair]:
    winner_only = shard.mechanisms.expiry_of_winner_only
    replicas = _reachable(shard)
    readable = [r for r in shard.replicas.values() if is_read(shard, r)]
    for here in replicas:
        for copy in [
            c
            for c in here.documents.values()
            if c.expires is not None and expired(c, now) and is_read(shard, here)
        ]:
            wins = not any(is_newer(r.documents.get(copy.key), copy) for r in readable)
            if winner_only and not wins:
                continue
            delete = swept(copy)
            for to in replicas:
                low = to.documents.get(copy.key)
                below = is_newer(delete, low) or not winner_only
                gone = low is not None and low.version == delete.version
                if is_written(shard, to) and below and not gone:
                    yield Repair(here, to, delete, expired=True)


def send(shard: Shard, repair: Repair) -> None:
    """Send what a pass found. It carries the epoch, and is conditional: a newer copy wins."""
    shard.network.send(Message(Kind.REPAIR, repair.to, (repair.copy,), shard.record.epoch))
    shard.costs.documents_repaired_by_anti_entropy += 1


def may_end_clean(shard: Shard) -> bool:
    """A pass that began after the source's fence and read it finds nothing left to repair on the target."""
    record = shard.record
    m = record.mechanisms
    waits = m.cleanup is Cleanup.AFTER_CLEAN_PASS and not m.delta
    on = m.anti_entropy is not AntiEntropy.OFF and not shard.switched_off
    if not (waits and on and record.phase is Phase.GRACE and not record.clean):
        return False
    held = shard.at(record.target).documents
    return not any(is_newer(c, held.get(c.key)) for c in shard.at(record.source).documents.values())


def counts_on_repairs(shard: Shard) -> bool:
    """The record's policy lets the owner lack what a pass brings back later (the strict gate refuses it for that)."""
    m = shard.record.mechanisms
    sealed = m.drain_waits_for_applied and m.writes_while_sealed is WritesWhileSealed.BLOCK
    at_owner = m.acknowledge is not Acknowledge.ANY and m.replica_ack is not ReplicaAck.COUNTS
    return runs(shard) and not (m.delta and sealed and at_owner)


def left_to_repair(shard: Shard) -> bool:
    """The policy counts on repairs, and no pass was clean since: one finds a copy above the owner's, or a replica was
    not fenced, or has not applied all that it accepted (what it applies later may be acknowledged by that)."""
    if not counts_on_repairs(shard):
        return False
    owner = shard.owner
    for replica in shard.replicas.values():
        if part_of(shard.record, replica) == "member" and replica is not owner:
            above = any(is_newer(c, owner.documents.get(c.key)) for c in replica.documents.values())
            if replica.fence < shard.record.epoch or replica.queue or above:
                return True
    return False


def end_clean(shard: Shard) -> None:
    """The pass is recorded as clean."""
    shard.change(shard.record, clean=True)


# ------------------------------------------------------------------ sweeps


def find_sweeps(shard: Shard, now: float) -> Iterator[Repair]:
    """What a sweep would delete: copies that it judges expired, here or elsewhere."""
    if shard.route.stage is Stage.SEALED:
        return
    for here in shard.replicas.values():
        for copy in [
            c
            for c in here.documents.values()
            if c.expires is not None and expired(c, now) and is_read(shard, here)
        ]:
            for to, _ in shard.route.sends:
                yield Repair(here, to, swept(copy), expired=True)


def send_sweep(shard: Shard, found: Repair) -> None:
    """Send a sweep's delete, as a client's write of the current epoch."""
    shard.network.send(Message(Kind.SWEEP, found.to, (found.copy,), shard.route.epoch))


# ------------------------------------------------------------------ collection of tombstones


def may_collect(shard: Shard, replica: Replica, key: str) -> bool:
    """A tombstone may be forgotten: no live migration, a clean pass over all replicas, each fenced above its epoch, and
    nothing left that could bring back what it deleted: no older copy, no accepted task, no repair under way."""
    stored = replica.documents.get(key)
    if stored is None or stored.content is not None or not is_read(shard, replica):
        return False
    m = shard.mechanisms
    if not m.tombstone_gc_waits:
        return True
    if shard.record.phase not in QUIET or (under_way(shard) and m.gc_waits_for_repairs):
        return False
    for other in shard.replicas.values():
        if not is_read(shard, other):
            continue
        copy = other.documents.get(key)
        clean = copy is None or copy.version >= stored.version
        fenced = other.fence > stored.version[0] or (other is not replica and not m.gc_fences_every_replica)
        idle = not m.gc_waits_for_applied or not any(c.key == key for t in other.queue for c in t.copies)
        if not (clean and fenced and idle):
            return False
    return True


def collect(replica: Replica, key: str) -> None:
    """The node forgets a tombstone."""
    copy = replica.documents.pop(key)
    copy.history.collected = max(copy.history.collected, copy.order)
