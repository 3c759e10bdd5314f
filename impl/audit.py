"""The audit: what became of every acknowledged operation, counted where clients read, and whether they are served.

Kinds of loss: LAW, an acknowledged put, and nothing (or an older tombstone) is served; LU, an acknowledged put, and an
older put is served; RD, an acknowledged delete, and a put is served. A loss is *permanent* where no repair can come,
and *healed* where what was missing came back without a newer acknowledgement.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cutproof.impl import anti_entropy
from cutproof.impl.availability import Unserved, unserved
from cutproof.impl.copies import Copy, History, order_of
from cutproof.impl.network import served
from cutproof.impl.node import Replica
from cutproof.impl.record import Phase
from cutproof.impl.shard import Shard


@dataclass(frozen=True, slots=True)
class Entry:
    """One document of which something was acknowledged: the last such operation, and what each replica holds now.

    `kind` is empty, or how the operation was lost; `replicas` maps the name of a node to its copy, None for nothing."""

    key: str
    acknowledged: Copy
    served: Copy | None
    replicas: dict[str, Copy | None]
    kind: str
    permanent: bool
    healed: bool


@dataclass(frozen=True, slots=True)
class Audit:
    """What became of the acknowledged operations. `documents` has every document with an acknowledged operation,
    `unserved` what clients and operators ask in vain although nothing goes on that could change it."""

    documents: tuple[Entry, ...]
    acknowledged: int
    stale_reads: int
    wrong_searches: int
    unserved: tuple[Unserved, ...] = ()

    @property
    def lost(self) -> tuple[Entry, ...]:
        """The documents whose last acknowledged operation is not served."""
        return tuple(e for e in self.documents if e.kind)

    @property
    def healed(self) -> tuple[Entry, ...]:
        """The documents that were once lost, and came back."""
        return tuple(e for e in self.documents if e.healed)

    @property
    def clean(self) -> bool:
        """Nothing that was promised is missing, no client was shown something old, and nobody waits for ever."""
        return not (self.lost or self.stale_reads or self.wrong_searches or self.unserved)

    def kinds(self) -> Counter[str]:
        """How many documents were lost, by kind."""
        return Counter(e.kind for e in self.lost)

    def __str__(self) -> str:
        lost = ", ".join(f"{n} {kind}" for kind, n in sorted(self.kinds().items())) or "none"
        operations, documents = ("" if n == 1 else "s" for n in (self.acknowledged, len(self.documents)))
        acked = f"{self.acknowledged} operation{operations} acknowledged"
        text = f"{acked} on {len(self.documents)} document{documents}; lost: {lost}"
        return text + (f"; in vain: {'; '.join(map(str, self.unserved))}" if self.unserved else "")


def audit(shards: Iterable[Shard], now: float = 0.0) -> Audit:
    """Look at every shard as it is now (`now` in seconds, for what expires)."""
    shards = list(shards)
    return Audit(
        tuple(entry for shard in shards for entry in entries(shard)),
        sum(s.costs.acknowledged for s in shards),
        sum(s.stale_reads for s in shards),
        sum(s.wrong_searches for s in shards),
        tuple(found for s in shards for found in unserved(s, now)),
    )


def entries(shard: Shard) -> Iterator[Entry]:
    """The documents of a shard with something acknowledged, in order of their ids."""
    held = {r.node.name: r.documents for _, r in sorted(shard.replicas.items())}
    for key, history in sorted(shard.histories.items()):
        if history.acked is not None:
            kind = loss(shard, history)
            replicas = {name: documents.get(key) for name, documents in held.items()}
            stored = shard.owner.documents.get(key)
            lasting = bool(kind) and is_permanent(shard, history)
            yield Entry(key, history.acked, stored, replicas, kind, lasting, history.healed)


def loss(shard: Shard, history: History, replica: Replica | None = None) -> str:
    """How the last acknowledged operation is lost at the owner (or at a replica); empty if it is not."""
    replica = replica or shard.owner
    stored, promised = replica.documents.get(history.key), history.acked
    if promised is None:
        return ""
    if served(stored, history.shown) >= promised.order:
        return "LU" if history.key in replica.fields_missing else ""
    there = stored is not None and stored.content is not None
    if promised.content is None:
        return "RD" if there else ""
    if not there and history.collected >= promised.order:  # deleted since, and that is forgotten
        return ""
    return "LU" if there else "LAW"


def is_permanent(shard: Shard, history: History) -> bool:
    """No repair can come, or nothing is left to repair from: neither a replica that a pass may read or that will
    apply what is on its way to it, nor the source before its deletion."""
    if not anti_entropy.runs(shard):
        return True
    needed = order_of(history.acked)
    record = shard.record
    for replica in shard.replicas.values():
        part = anti_entropy.part_of(record, replica)
        lasts = part == "member" or replica is shard.owner
        undeleted = part == "source" and record.phase in (Phase.ACTIVATE, Phase.GRACE, Phase.CLEANUP)
        if (lasts or undeleted) and served(replica.documents.get(history.key), history.shown) >= needed:
            return False
        if lasts and _is_coming(shard, replica, history.key, needed):
            return False
    return True


def _is_coming(shard: Shard, replica: Replica, key: str, needed: int) -> bool:
    return any(
        m.replica is replica
        and (m.queued or m.epoch >= replica.fence)
        and any(c.key == key and c.order >= needed for c in m.copies)
        for m in shard.network.under_way()
    )
