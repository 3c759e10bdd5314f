"""Registers without versions: what arrives is written. The owner changes first, and documents are pulled after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from cutproof.checks.drivers.adapter import ACKNOWLEDGED, FAILED, Answer, Unavailable
from strangers.kit import Message, Store, Ticket


@dataclass
class Node:
    """What a node holds, which shards it owns, and from whom it still pulls. A deleted document that may still be
    pulled has the value None."""

    rows: dict[str, str | None] = field(default_factory=dict)
    owned: set[int] = field(default_factory=set)
    pulls: dict[int, str] = field(default_factory=dict)
    parked: list[Callable[[], None]] = field(default_factory=list)  # requests for what it has given away


@dataclass
class Job:
    """A migration's durable state."""

    shards: list[int]
    source: str
    target: str
    term: int = 0
    flipped: bool = False
    pulled: bool = False


class Register(Store):
    """A write takes effect when it arrives at the owner, however late; a former owner sends it on. Who does not hold a
    document yet asks the former owner."""

    versioned: ClassVar[bool] = False
    faults = ("cut", "pause", "fail", "lose", "delay", "timeout", "stale", "crash", "zombie")

    def set_up(self) -> None:
        self.nodes = {name: Node() for name in self.names}
        self.nodes[self.names[0]].owned.update(range(self.shards))
        self.owners = dict.fromkeys(range(self.shards), self.names[0])
        self.behind: dict[str, dict[int, str]] = {}

    # -------------------------------------------------- clients

    def put(self, key: str, value: str | None) -> Answer:
        ticket = self.ticket()
        known = self.behind.get(self.client, self.owners)
        self.ask(known[self.shard_of(key)], key, value, ticket)
        return ticket

    def delete(self, key: str) -> Answer:
        return self.put(key, None)

    def ask(self, name: str, key: str, value: str | None, ticket: Ticket) -> None:
        """Send a write to a node."""
        self.network.send(name, lambda: self.receive(name, key, value, ticket),
                          failed=lambda: ticket.tell(FAILED), task=True)  # fmt: skip

    def receive(self, name: str, key: str, value: str | None, ticket: Ticket) -> None:
        """A node performs a write, or sends it on to the owner."""
        node, shard = self.nodes[name], self.shard_of(key)
        if self.performs(node, shard):
            self.store(node, key, value)
            ticket.tell(ACKNOWLEDGED)
        elif self.owners[shard] == name:
            node.parked.append(lambda: self.ask(self.owners[shard], key, value, ticket))
        else:
            self.ask(self.owners[shard], key, value, ticket)

    def performs(self, node: Node, shard: int) -> bool:
        """Whether a node performs what it is asked."""
        return shard in node.owned

    def store(self, node: Node, key: str, value: str | None) -> None:
        """Write; a delete is remembered as long as the document may still be pulled."""
        if value is None and self.shard_of(key) not in node.pulls:
            node.rows.pop(key, None)
        else:
            node.rows[key] = value

    def get(self, key: str) -> str | None:
        shard = self.shard_of(key)
        known = self.behind.get(self.client, self.owners)[shard]
        owner = self.owners[shard]
        if not all(self.reached(n) for n in (known, owner)) or shard not in self.nodes[owner].owned:
            raise Unavailable
        return self.look(self.nodes[owner], key)

    def look(self, node: Node, key: str) -> str | None:
        """What the owner answers: it may have to ask the former one."""
        source = node.pulls.get(self.shard_of(key))
        if source is None or key in node.rows:
            return node.rows.get(key)
        if not self.reached(source):
            raise Unavailable
        return self.nodes[source].rows.get(key)

    # -------------------------------------------------- the migration

    def begin_migration(self, node: str) -> None:
        self.move([s for s, owner in self.owners.items() if owner != node], node)

    def move(self, shards: Sequence[int], node: str) -> None:
        for source in sorted({self.owners[s] for s in shards} - {node}):
            self.begin(Job([s for s in shards if self.owners[s] == source], source, node))

    def steps(self, job: Job) -> Iterator[Any]:
        """The owner changes, everything is pulled, the former owner forgets it."""
        source, target = self.nodes[job.source], self.nodes[job.target]
        if not job.flipped:
            yield "change"
            yield self.command(job, job.source, lambda: source.owned.difference_update(job.shards))
            yield self.command(job, job.target, lambda: self.take(job))
            self.owners.update(dict.fromkeys(job.shards, job.target))
            job.flipped = True
        parked, source.parked = source.parked, []
        for send in parked:
            send()
        if not job.pulled:
            yield "pull"
            for key in sorted(k for k in source.rows if self.shard_of(k) in job.shards):
                yield lambda: self.reached(job.source)
                yield self.pull(job, key, source.rows.get(key))
            yield self.command(job, job.target, lambda: self.pulled(target, job))
        yield "forget"
        yield self.command(job, job.source, lambda: self.forget(source, job))

    def take(self, job: Job) -> None:
        """The target owns the shards, and pulls what it is asked for."""
        node = self.nodes[job.target]
        node.owned.update(job.shards)
        node.pulls.update(dict.fromkeys(job.shards, job.source))

    def pull(self, job: Job, key: str, value: str | None) -> Message:
        """One document comes over, unless the target knows better."""
        rows = self.nodes[job.target].rows
        return self.command(job, job.target, lambda: rows.setdefault(key, value) and None)

    def pulled(self, node: Node, job: Job) -> None:
        """There is nothing more to pull."""
        job.pulled = True
        for shard in job.shards:
            node.pulls.pop(shard, None)
        for key in [
            k for k, value in node.rows.items() if value is None and self.shard_of(k) not in node.pulls
        ]:
            del node.rows[key]

    def forget(self, node: Node, job: Job) -> None:
        """The former owner forgets it."""
        for key in [k for k in node.rows if self.shard_of(k) in job.shards]:
            del node.rows[key]

    # -------------------------------------------------- faults

    def on_stale(self, node: str) -> None:
        """A client goes on asking whom it asks now."""
        self.behind.setdefault(self.client, dict(self.owners))

    def heal(self) -> None:
        super().heal()
        self.behind.clear()

    def observe(self) -> Mapping[str, Any]:
        keys = sorted({key for node in self.nodes.values() for key in node.rows})
        return {"owner": {key: self.owners[self.shard_of(key)] for key in keys},
                "nodes": {name: dict(node.rows) for name, node in self.nodes.items()}}  # fmt: skip
