"""A primary that forwards: while a shard moves, it sends every write to the next primary before it acknowledges it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

from cutproof.checks.drivers.adapter import ACKNOWLEDGED, FAILED, IDLE, REFUSED, Answer, Unavailable, Value
from strangers.kit import Ticket, Work
from strangers.rows import How, RowStore


class Row(NamedTuple):
    """What a document holds, and the primary's number of the operation that made it so."""

    number: int
    value: Value | None


@dataclass
class Copy:
    """A shard on a node: what it holds, its term, and whether it is the primary's."""

    rows: dict[str, Row] = field(default_factory=dict)
    term: int = 0
    primary: bool = False
    number: int = 0

    def apply(self, key: str, row: Row) -> None:
        """The higher number wins; deleted documents are kept as such."""
        if key not in self.rows or self.rows[key].number < row.number:
            self.rows[key] = row


@dataclass
class Job:
    """A relocation's durable state."""

    shards: list[int]  # those that are still to go, one after the other
    source: str
    target: str
    phase: str = "recover"
    aborted: bool = False
    term: int = 0

    @property
    def shard(self) -> int:
        """The one that goes now."""
        return self.shards[0] if self.shards else -1


class Mirror(RowStore):
    """A copy that misses an operation is thrown out, and the relocation begins anew. For the hand-over the primary lets
    what is under way arrive, while operations wait. Routers remember; a node that is not the primary sends them on."""

    versioned: ClassVar[bool] = False
    faults = ("cut", "pause", "fail", "lose", "delay", "timeout", "stale", "crash", "zombie", "abort")

    def set_up(self) -> None:
        self.copies: dict[str, dict[int, Copy]] = {name: {} for name in self.names}
        self.primaries = dict.fromkeys(range(self.shards), self.names[0])
        for shard in range(self.shards):
            self.copies[self.names[0]][shard] = Copy(term=1, primary=True)
        self.in_sync: dict[int, str] = {}  # the copy that every operation is forwarded to
        self.under_way: dict[int, int] = dict.fromkeys(
            range(self.shards), 0
        )  # operations that are being forwarded
        self.blocked: set[int] = set()
        self.parked: list[tuple[int, Callable[[], None]]] = []
        self.behind: dict[str, dict[int, str]] = {}

    # -------------------------------------------------- clients

    def change(self, key: str, how: How) -> Answer:
        """A request goes to whom the router knows as the primary."""
        ticket, shard = self.ticket(), self.shard_of(key)
        name = self.behind.get(self.client, self.primaries)[shard]
        self.network.send(name, lambda: self.receive(name, key, how, ticket),
                          failed=lambda: ticket.tell(FAILED), task=True)  # fmt: skip
        return ticket

    def receive(self, name: str, key: str, how: How, ticket: Ticket) -> None:
        """The primary performs it; while it hands over, it waits. Another node refuses it."""
        shard = self.shard_of(key)
        copy = self.copies[name].get(shard)
        if copy is None or not copy.primary:
            ticket.tell(REFUSED)
        elif shard in self.blocked:
            self.parked.append((shard, lambda: self.receive(self.primaries[shard], key, how, ticket)))
        else:
            self.perform(shard, copy, key, how, ticket)

    def perform(self, shard: int, copy: Copy, key: str, how: How, ticket: Ticket) -> None:
        """The primary numbers an operation, performs it, and forwards what came of it."""
        rows = {} if key not in copy.rows or copy.rows[key].value is None else {key: copy.rows[key].value}
        said = self.write(rows, key, how)
        if said != ACKNOWLEDGED:
            ticket.tell(said)
            return
        copy.number += 1
        row = Row(copy.number, rows.get(key))
        copy.apply(key, row)
        if shard in self.in_sync:
            self.forward(shard, key, row, ticket)
        else:
            ticket.tell(ACKNOWLEDGED)

    def forward(self, shard: int, key: str, row: Row, ticket: Ticket) -> None:
        """The copy that is in sync has to have it before the client hears of it."""
        mirror, term = self.in_sync[shard], self.copies[self.primaries[shard]][shard].term
        self.under_way[shard] += 1

        def arrived() -> None:
            self.under_way[shard] -= 1
            copy = self.copies[mirror].get(shard)
            if copy and self.takes(copy, term):
                copy.apply(key, row)
                copy.number = max(copy.number, row.number)
            ticket.tell(ACKNOWLEDGED)

        def failed() -> None:
            self.under_way[shard] -= 1
            self.missed(shard, mirror)
            ticket.tell(ACKNOWLEDGED)

        self.network.send(mirror, arrived, failed=failed, task=True)

    def takes(self, copy: Copy, term: int) -> bool:
        """Whether a copy takes what a primary of that term forwards."""
        return not copy.primary and copy.term <= term

    def missed(self, shard: int, mirror: str) -> None:
        """A copy that missed an operation is out, and its relocation begins anew."""
        if self.in_sync.get(shard) == mirror:
            for work in self.works:
                if work.job.shard == shard and work.job.phase in ("recover", "hand over"):
                    self.unblock(work.job)
                    work.job.phase = "recover"
                    self.in_sync.pop(shard, None)
                    self.take_over(work)

    def get(self, key: str) -> Value | None:
        shard = self.shard_of(key)
        name = self.behind.get(self.client, self.primaries)[shard]
        copy = self.copies[name].get(shard)
        if not self.reached(name) or copy is None or not self.answers(copy):
            raise Unavailable
        return copy.rows[key].value if key in copy.rows else None

    def answers(self, copy: Copy) -> bool:
        """Whether a copy answers reads."""
        return copy.primary

    def scan(self) -> Sequence[tuple[str, Value]]:
        found = []
        for name, copies in self.copies.items():
            for copy in copies.values():
                if self.is_searched(copy):
                    if not self.reached(name):
                        raise Unavailable
                    found += [(k, row.value) for k, row in sorted(copy.rows.items()) if row.value is not None]
        return found

    def is_searched(self, copy: Copy) -> bool:
        """Whether a search asks a copy."""
        return copy.primary

    # -------------------------------------------------- relocation

    def begin_migration(self, node: str) -> None:
        self.move([s for s, name in self.primaries.items() if name != node], node)

    def move(self, shards: Sequence[int], node: str) -> None:
        for source in sorted({self.primaries[s] for s in shards} - {node}):
            self.begin(Job([s for s in shards if self.primaries[s] == source], source, node))

    def steps(self, job: Job) -> Iterator[Any]:
        """Shard by shard; the rest stays after an abort."""
        while job.shards:
            yield from self.steps_of_one(job)
            job.shards.pop(0)
            if job.aborted:
                return
            job.phase = "recover"

    def steps_of_one(self, job: Job) -> Iterator[Any]:
        """Recover, hand over, clean up."""
        if job.phase == "recover":
            yield "recover"
            yield self.command(
                job, job.target, lambda: self.copies[job.target].update({job.shard: Copy(term=1)})
            )
            self.in_sync[job.shard] = job.target
            yield from self.recover(job)
            job.phase = "hand over"
        if job.phase == "hand over":
            yield "hand over"
            yield self.command(job, job.source, lambda: self.blocked.add(job.shard))
            yield lambda: not self.under_way[job.shard]
            yield self.command(job, job.target, lambda: self.promote(job))
        if job.phase == "clean up":
            self.unblock(job)
            yield "clean up"
            yield self.command(job, job.source, lambda: self.copies[job.source].pop(job.shard, None) and None)
        if job.phase == "undo":
            yield "undo"
            yield self.command(job, job.target, lambda: self.copies[job.target].pop(job.shard, None) and None)

    def recover(self, job: Job) -> Iterator[Any]:
        """The copy gets what the primary has: what is forwarded meanwhile has a higher number."""
        source = self.copies[job.source][job.shard]
        for key, row in sorted(source.rows.items()):
            yield lambda: self.reached(job.source)
            yield self.command(job, job.target, lambda key=key, row=row: self.recovered(job, key, row))

    def recovered(self, job: Job, key: str, row: Row) -> None:
        """The copy takes one document."""
        copy = self.copies[job.target][job.shard]
        copy.apply(key, row)
        copy.number = max(copy.number, row.number)

    def promote(self, job: Job) -> None:
        """The copy is the primary, in a new term; the former one is a primary no more."""
        old, new = self.copies[job.source][job.shard], self.copies[job.target][job.shard]
        new.term, new.primary = old.term + 1, True
        new.number = max(new.number, old.number)
        self.demote(old)
        self.primaries[job.shard] = job.target
        self.in_sync.pop(job.shard, None)
        job.phase = "clean up"

    def demote(self, copy: Copy) -> None:
        """It serves nobody."""
        copy.primary = False

    def unblock(self, job: Job) -> None:
        """Operations that waited go on, at the primary."""
        self.blocked.discard(job.shard)
        parked, self.parked = self.parked, []
        for shard, receive in parked:
            if shard == job.shard:
                receive()
            else:
                self.parked.append((shard, receive))

    # -------------------------------------------------- faults

    def on_stale(self, node: str) -> None:
        """A client's router stays behind."""
        self.behind.setdefault(self.client, dict(self.primaries))

    def on_abort(self, node: str) -> None:
        """The primary stays."""
        for work in self.works:
            work.job.aborted = True
            if work.job.phase in ("recover", "hand over"):
                self.give_up(work)

    def give_up(self, work: Work) -> None:
        """A relocation ends as it began."""
        work.job.phase = "undo"
        self.in_sync.pop(work.job.shard, None)
        self.unblock(work.job)
        self.take_over(work)

    def heal(self) -> None:
        super().heal()
        self.behind.clear()

    def observe(self) -> Mapping[str, Any]:
        held = {name: {k: row.value for copy in copies.values() for k, row in copy.rows.items()}
                for name, copies in self.copies.items()}  # fmt: skip
        assert self.phase() != IDLE or not self.parked
        return self.shown(held, lambda key: self.primaries[self.shard_of(key)])
