"""States that merge in any order: registers by a hybrid clock, counters by a part for each node."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from cutproof.checks.drivers.adapter import ACKNOWLEDGED, REFUSED, Answer, Unavailable, Value
from strangers.kit import Store, Ticket, Work

AHEAD = 1_000  # how far a clock goes wrong


class Stamped(NamedTuple):
    """A register: when it was written, by whom, and what; deleted, it has no value."""

    stamp: int
    node: str
    value: str | None


class Part(NamedTuple):
    """What one node has added to a counter, and how often."""

    count: int
    amount: int


@dataclass
class Node:
    """What a node holds. `last` is the highest stamp that it has seen."""

    registers: dict[str, Stamped] = field(default_factory=dict)
    parts: dict[str, dict[str, Part]] = field(default_factory=dict)
    last: int = 0


@dataclass
class Job:
    """A migration's durable state."""

    shards: list[int]
    source: str
    target: str
    phase: str = "exchange"
    frozen: bool = False
    term: int = 0


class Merged(Store):
    """States are exchanged once while clients write, and once while they wait. A stamp is higher than all that its
    node has seen, whatever its clock says."""

    faults = (
        "cut",
        "pause",
        "fail",
        "lose",
        "delay",
        "duplicate",
        "timeout",
        "crash",
        "zombie",
        "abort",
        "skew",
    )

    def set_up(self) -> None:
        self.nodes = {name: Node() for name in self.names}
        self.owners = dict.fromkeys(range(self.shards), self.names[0])
        self.ahead: dict[str, int] = {}
        self.held: list[tuple[str, str, Any, Ticket]] = []

    # -------------------------------------------------- clients

    def put(self, key: str, value: str | None) -> Answer:
        return self.change("write", key, value)

    def delete(self, key: str) -> Answer:
        return self.put(key, None)

    def add(self, key: str, amount: int) -> Answer:
        return self.change("increase", key, amount)

    def change(self, word: str, key: str, what: Any) -> Answer:
        """The owner changes its state, or has the client wait while it is frozen."""
        shard = self.shard_of(key)
        if self.is_frozen(shard):
            self.held.append((word, key, what, self.ticket()))
            return self.held[-1][3]
        if not self.reached(self.owners[shard]):
            return REFUSED
        getattr(self, word)(self.owners[shard], key, what)
        return ACKNOWLEDGED

    def is_frozen(self, shard: int) -> bool:
        """Whether writers wait."""
        return any(work.job.frozen and shard in work.job.shards for work in self.works)

    def write(self, name: str, key: str, value: str | None) -> None:
        """A node writes a register."""
        self.merge_register(self.nodes[name], key, Stamped(self.stamp(name), name, value))

    def increase(self, name: str, key: str, amount: int) -> None:
        """A node adds to its own part of a counter."""
        parts = self.nodes[name].parts.setdefault(key, {})
        own = parts.get(name, Part(0, 0))
        parts[name] = Part(own.count + 1, own.amount + amount)

    def clock(self, name: str) -> int:
        """What a node's clock says."""
        return self.turn + self.ahead.get(name, 0)

    def stamp(self, name: str) -> int:
        """A stamp for what a node writes now."""
        return max(self.clock(name), self.nodes[name].last + 1)

    def get(self, key: str) -> Value | None:
        name = self.owners[self.shard_of(key)]
        if not self.reached(name):
            raise Unavailable
        return self.shown_by(name).get(key)

    def shown_by(self, name: str) -> dict[str, Value]:
        """What a node's state means."""
        node = self.nodes[name]
        registers: dict[str, Value] = {k: r.value for k, r in node.registers.items() if r.value is not None}
        return registers | {k: sum(part.amount for part in parts.values()) for k, parts in node.parts.items()}

    # -------------------------------------------------- merging

    def merge_register(self, node: Node, key: str, theirs: Stamped) -> None:
        """The later one stays."""
        node.last = max(node.last, theirs.stamp)
        if key not in node.registers or node.registers[key][:2] < theirs[:2]:
            node.registers[key] = theirs

    def merge_parts(self, name: str, key: str, theirs: Mapping[str, Part]) -> None:
        """Of each part the one that was added to more often stays."""
        mine = self.nodes[name].parts.setdefault(key, {})
        for node, part in theirs.items():
            if part.count > mine.get(node, Part(0, 0)).count:
                mine[node] = part

    # -------------------------------------------------- the migration

    def begin_migration(self, node: str) -> None:
        self.move([s for s, owner in self.owners.items() if owner != node], node)

    def move(self, shards: Sequence[int], node: str) -> None:
        for source in sorted({self.owners[s] for s in shards} - {node}):
            self.begin(Job([s for s in shards if self.owners[s] == source], source, node))

    def steps(self, job: Job) -> Iterator[Any]:
        """Exchange, freeze, exchange, switch, forget."""
        if job.phase == "exchange":
            yield "exchange"
            yield from self.exchange(job)
            job.phase = "freeze"
        if job.phase == "freeze":
            yield "freeze"
            yield self.command(job, job.source, lambda: setattr(job, "frozen", True))
            yield from self.exchange(job)
            yield self.command(job, job.target, lambda: self.take(job))
        self.thaw(job)
        yield "forget"
        loser = job.target if job.phase == "undo" else job.source
        yield self.command(job, loser, lambda: self.forget(loser, job))

    def exchange(self, job: Job) -> Iterator[Any]:
        """Key by key, the source's state goes to the target."""
        source, target = self.nodes[job.source], self.nodes[job.target]
        for key in sorted(k for k in {*source.registers, *source.parts} if self.shard_of(k) in job.shards):
            yield lambda: self.reached(job.source)
            if key in source.registers:
                state = source.registers[key]
                yield self.command(job, job.target, lambda k=key, s=state: self.merge_register(target, k, s))
            else:
                parts = dict(source.parts[key])
                yield self.command(job, job.target, lambda k=key, p=parts: self.merge_parts(job.target, k, p))

    def take(self, job: Job) -> None:
        """The target owns the shards."""
        self.owners.update(dict.fromkeys(job.shards, job.target))
        job.phase = "forget"

    def thaw(self, job: Job) -> None:
        """Writers go on."""
        job.frozen = False
        held, self.held = self.held, []
        for word, key, what, ticket in held:
            if self.is_frozen(self.shard_of(key)):
                self.held.append((word, key, what, ticket))
            else:
                getattr(self, word)(self.owners[self.shard_of(key)], key, what)
                ticket.tell(ACKNOWLEDGED)

    def forget(self, name: str, job: Job) -> None:
        """A node forgets the shards."""
        node = self.nodes[name]
        for state in (node.registers, node.parts):
            for key in [k for k in state if self.shard_of(k) in job.shards]:
                del state[key]

    # -------------------------------------------------- faults

    def on_timeout(self, node: str) -> None:
        """Who waits goes away, and is told that nothing happened."""
        held, self.held = self.held, []
        for *_, ticket in held:
            ticket.tell(REFUSED)

    def on_skew(self, node: str) -> None:
        """A clock is ahead."""
        self.ahead[node] = AHEAD

    def on_abort(self, node: str) -> None:
        """The owner stays."""
        for work in self.works:
            if work.job.phase in ("exchange", "freeze"):
                self.give_up(work)

    def give_up(self, work: Work) -> None:
        """A migration ends as it began."""
        work.job.phase = "undo"
        self.take_over(work)

    def heal(self) -> None:
        super().heal()
        self.ahead.clear()

    def observe(self) -> Mapping[str, Any]:
        held = {name: self.shown_by(name) for name in self.names}
        owners = {key: self.owners[self.shard_of(key)] for rows in held.values() for key in rows}
        return {"documents": {k: held[o].get(k) for k, o in owners.items()}, "owner": owners, "nodes": held}
