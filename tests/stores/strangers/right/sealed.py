"""Stop, copy, go on: a shard is sealed, sent and opened elsewhere, one after the other; nodes know what they serve."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cutproof.checks.drivers.adapter import REFUSED, Answer, Unavailable, Value
from strangers.kit import Ticket, Work
from strangers.rows import How, RowStore


@dataclass
class Node:
    """What a node holds, which shards it serves, and for which of them writers wait."""

    rows: dict[str, Value] = field(default_factory=dict)
    active: set[int] = field(default_factory=set)
    sealed: set[int] = field(default_factory=set)


@dataclass
class Job:
    """A migration's durable state: the shards that are still to go, and whether the first of them has been given up
    by its source already."""

    shards: list[int]
    source: str
    target: str
    given: bool = False
    aborted: bool = False
    term: int = 0
    cursor: str = ""


class Sealed(RowStore):
    """Writers wait while their shard is copied. Routers remember where a shard was, and ask all nodes anew when they
    are refused there."""

    faults = (
        "cut",
        "pause",
        "fail",
        "lose",
        "delay",
        "duplicate",
        "timeout",
        "stale",
        "crash",
        "zombie",
        "abort",
    )

    def set_up(self) -> None:
        self.nodes = {name: Node() for name in self.names}
        self.nodes[self.names[0]].active.update(range(self.shards))
        self.held: list[tuple[str, How, Ticket]] = []
        self.routers: dict[str, dict[int, str]] = {}
        self.behind: set[str] = set()  # clients whose routers learn nothing now

    # -------------------------------------------------- clients

    def find(self, shard: int) -> str:
        """Who serves a shard, by asking all nodes; nobody if none that can be reached says so."""
        return next(
            (n for n in reversed(self.names) if self.reached(n) and shard in self.nodes[n].active), ""
        )

    def route(self, key: str) -> str:
        """Where the client's router sends a request, and is answered."""
        shard = self.shard_of(key)
        router = self.routers.setdefault(self.client, {})
        name = router.get(shard) or self.find(shard)
        if name and shard not in self.nodes[name].active and self.client not in self.behind:
            name = self.find(shard)
        if not name or not self.reached(name):
            return ""
        router[shard] = name
        return name

    def change(self, key: str, how: How) -> Answer:
        """Change a document where the router finds it, or wait there for the seal."""
        name, shard = self.route(key), self.shard_of(key)
        if not name or shard not in self.nodes[name].active:
            return REFUSED
        if shard in self.nodes[name].sealed:
            self.held.append((key, how, self.ticket()))
            return self.held[-1][2]
        return self.write(self.nodes[name].rows, key, how)

    def get(self, key: str) -> Value | None:
        name = self.route(key)
        if not name or not self.answers(name, self.shard_of(key)):
            raise Unavailable
        return self.nodes[name].rows.get(key)

    def answers(self, name: str, shard: int) -> bool:
        """Whether a node answers reads of a shard."""
        return shard in self.nodes[name].active

    def scan(self) -> Sequence[tuple[str, Value]]:
        found = []
        for shard in range(self.shards):
            name = self.find(shard)
            if not name:
                raise Unavailable
            found += [(k, v) for k, v in sorted(self.nodes[name].rows.items()) if self.shard_of(k) == shard]
        return found

    # -------------------------------------------------- the migration

    def owner(self, shard: int) -> str:
        """Who serves a shard, reached or not."""
        return next((n for n in reversed(self.names) if shard in self.nodes[n].active), "")

    def begin_migration(self, node: str) -> None:
        self.move([s for s in range(self.shards) if self.owner(s) != node], node)

    def move(self, shards: Sequence[int], node: str) -> None:
        for source in sorted({self.owner(s) for s in shards} - {node}):
            self.begin(Job([s for s in shards if self.owner(s) == source], source, node))

    def steps(self, job: Job) -> Iterator[Any]:
        """Shard by shard."""
        source, target = self.nodes[job.source], self.nodes[job.target]
        while job.shards and not (job.aborted and not job.given):
            shard = job.shards[0]
            if not job.given:
                yield "seal"
                yield self.command(job, job.source, lambda shard=shard: source.sealed.add(shard))
                yield "copy"
                yield self.command(job, job.target, lambda shard=shard: self.drop(job.target, shard))
                yield from self.copy(job, shard)
                yield "switch"
                yield self.command(job, job.source, lambda shard=shard: self.give(job, shard))
            yield "open"
            yield self.command(job, job.target, lambda shard=shard: target.active.add(shard))
            source.sealed.discard(shard)
            self.go_on()
            yield self.command(job, job.source, lambda shard=shard: self.drop(job.source, shard))
            job.shards.pop(0)
            job.given, job.cursor = False, ""
        if job.shards:
            yield "undo"
            yield self.command(job, job.source, lambda: source.sealed.difference_update(job.shards))
            self.go_on()

    def copy(self, job: Job, shard: int) -> Iterator[Any]:
        """Document by document, in the order of the keys."""
        self.turn_back(job)
        while True:
            yield lambda: self.reached(job.source)
            rows = self.nodes[job.source].rows
            key = next((k for k in sorted(rows) if self.shard_of(k) == shard and k > self.cursor(job)), None)
            if key is None:
                return
            row = {key: rows[key]}
            yield self.command(job, job.target, lambda row=row: self.nodes[job.target].rows.update(row))
            self.pass_on(job, key)

    def give(self, job: Job, shard: int) -> None:
        """The source gives a shard away: from now on it belongs to the target."""
        self.nodes[job.source].active.discard(shard)
        job.given = True

    def turn_back(self, job: Job) -> None:
        """The copy of a shard begins."""
        job.cursor = ""

    def cursor(self, job: Job) -> str:
        """The key that was copied last."""
        return job.cursor

    def pass_on(self, job: Job, key: str) -> None:
        """A key has been copied."""
        job.cursor = key

    def drop(self, name: str, shard: int) -> None:
        """A node forgets a shard."""
        rows = self.nodes[name].rows
        for key in [k for k in rows if self.shard_of(k) == shard]:
            del rows[key]

    def go_on(self) -> None:
        """Who waited for a seal that is gone goes on, where the shard is."""
        held, self.held = self.held, []
        for key, how, ticket in held:
            owner = self.owner(self.shard_of(key))
            if not owner or self.shard_of(key) in self.nodes[owner].sealed:
                self.held.append((key, how, ticket))
            else:
                ticket.tell(self.write(self.nodes[owner].rows, key, how))

    # -------------------------------------------------- faults

    def on_timeout(self, node: str) -> None:
        """Who waits for a seal goes away, and is told that nothing happened."""
        held, self.held = self.held, []
        for *_, ticket in held:
            ticket.tell(REFUSED)

    def on_stale(self, node: str) -> None:
        """A client's router learns nothing now."""
        router = self.routers.setdefault(self.client, {})
        for shard in range(self.shards):
            router.setdefault(shard, self.owner(shard))
        self.behind.add(self.client)

    def on_abort(self, node: str) -> None:
        """What has been given up goes on; the rest stays."""
        for work in self.works:
            if not work.job.aborted:
                self.give_up(work)

    def give_up(self, work: Work) -> None:
        """A migration stops."""
        work.job.aborted = True
        self.take_over(work)

    def heal(self) -> None:
        super().heal()
        self.behind.clear()
        self.routers.clear()

    def observe(self) -> Mapping[str, Any]:
        held = {name: node.rows for name, node in self.nodes.items()}
        if not all(self.owner(shard) for shard in range(self.shards)):
            return {"nodes": held}
        return self.shown(held, lambda key: self.owner(self.shard_of(key)))
