"""A log for each shard, shipped to a follower; the leader changes when the follower is in step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

from cutproof.checks.drivers.adapter import ACKNOWLEDGED, Answer, Unavailable, Value
from strangers.kit import Store, Ticket, Work

BATCH = 2  # entries in one fetch


class Entry(NamedTuple):
    """An entry of a log: the producer's number of it, and what it does to a document."""

    number: int
    key: str
    word: str  # put, delete, append
    value: str


Log = list[Entry]


@dataclass
class Node:
    """The logs that a node holds."""

    logs: dict[int, Log] = field(default_factory=dict)
    producers: dict[int, set[int]] = field(default_factory=dict)  # numbers that are not looked up in the log


@dataclass
class Job:
    """A hand-over's durable state."""

    shards: list[int]  # those that are still to go, one after the other
    source: str
    target: str
    phase: str = "fetch"
    aborted: bool = False
    term: int = 0

    @property
    def shard(self) -> int:
        """The one that goes now."""
        return self.shards[0] if self.shards else -1


class Lists(Store):
    """Producers number what they send, and send it again until it is answered. A write is acknowledged, and shown,
    when all that are in step have it. What the old leader had alone is sent again to the new one."""

    versioned: ClassVar[bool] = False
    faults = (
        "cut",
        "pause",
        "fail",
        "lose",
        "delay",
        "duplicate",
        "timeout",
        "restart",
        "crash",
        "zombie",
        "abort",
    )

    def set_up(self) -> None:
        self.nodes = {name: Node() for name in self.names}
        self.leaders = dict.fromkeys(range(self.shards), self.names[0])
        for shard in range(self.shards):
            self.nodes[self.names[0]].logs[shard] = []
        self.in_step: dict[int, str] = {}  # the follower whom an acknowledgement waits for
        self.floor: dict[int, int] = {}  # what was committed when it joined
        self.waiting: list[tuple[Entry, Ticket]] = []
        self.numbers = 0

    # -------------------------------------------------- clients

    def put(self, key: str, value: str) -> Answer:
        return self.produce(key, "put", value)

    def delete(self, key: str) -> Answer:
        return self.produce(key, "delete", "")

    def append(self, key: str, item: str) -> Answer:
        return self.produce(key, "append", item)

    def produce(self, key: str, word: str, value: str) -> Answer:
        """A producer sends an entry until it is answered."""
        self.numbers += 1
        ticket = self.ticket()
        self.ask(Entry(self.numbers, key, word, value), ticket)
        return ticket

    def ask(self, entry: Entry, ticket: Ticket) -> None:
        """Send an entry to the leader, and again if that fails."""
        name = self.leaders[self.shard_of(entry.key)]

        def again() -> None:
            if ticket.status == "pending":
                self.ask(entry, ticket)

        self.network.send(name, lambda: self.receive(name, entry, ticket), failed=again, task=True)

    def receive(self, name: str, entry: Entry, ticket: Ticket) -> None:
        """A leader appends what it has not; another node sends it on."""
        shard = self.shard_of(entry.key)
        if name != self.leaders[shard]:
            self.ask(entry, ticket)
            return
        if not self.is_known(self.nodes[name], shard, entry):
            self.take(self.nodes[name], shard, entry)
        self.waiting.append((entry, ticket))
        self.acknowledge(shard)

    def is_known(self, node: Node, shard: int, entry: Entry) -> bool:
        """Whether a producer's number is in the log."""
        return any(one.number == entry.number for one in node.logs[shard])

    def take(self, node: Node, shard: int, entry: Entry) -> None:
        """The leader appends."""
        node.logs[shard].append(entry)

    def committed(self, shard: int) -> Log:
        """What all that are in step have of a log."""
        log = self.nodes[self.leaders[shard]].logs[shard]
        follower = self.in_step.get(shard)
        if not follower:
            return log
        return log[: max(self.floor[shard], len(self.nodes[follower].logs[shard]))]

    def acknowledge(self, shard: int) -> None:
        """Tell those whose entries all that are in step have."""
        have = {entry.number for entry in self.committed(shard)}
        waiting, self.waiting = self.waiting, []
        for entry, ticket in waiting:
            if self.shard_of(entry.key) == shard and entry.number in have:
                ticket.tell(ACKNOWLEDGED)
            else:
                self.waiting.append((entry, ticket))

    def get(self, key: str) -> Value | None:
        shard = self.shard_of(key)
        if not self.reached(self.leaders[shard]):
            raise Unavailable
        return folded(self.visible(shard)).get(key)

    def visible(self, shard: int) -> Log:
        """What clients are shown of a log."""
        return self.committed(shard)

    # -------------------------------------------------- hand-over

    def begin_migration(self, node: str) -> None:
        self.move([s for s, leader in self.leaders.items() if leader != node], node)

    def move(self, shards: Sequence[int], node: str) -> None:
        for source in sorted({self.leaders[s] for s in shards} - {node}):
            self.begin(Job([s for s in shards if self.leaders[s] == source], source, node))

    def steps(self, job: Job) -> Iterator[Any]:
        """Shard by shard; the rest stays after an abort."""
        while job.shards:
            yield from self.steps_of_one(job)
            job.shards.pop(0)
            if job.aborted:
                return
            job.phase = "fetch"

    def steps_of_one(self, job: Job) -> Iterator[Any]:
        """Fetch what is there, be in step, lead."""
        log = self.nodes[job.source].logs.get(job.shard, [])
        if job.phase == "fetch":
            yield "fetch"
            yield self.command(job, job.target, lambda: self.follow(job))
            yield from self.fetch(job, len(log))
            yield "join"
            self.in_step[job.shard], self.floor[job.shard], job.phase = job.target, len(log), "in step"
        if job.phase == "in step":
            yield "in step"
            yield from self.fetch(job, len(log))
            yield self.command(job, job.source, lambda: self.lead(job))
        if job.phase == "drop":
            self.send_again(job.shard)
            yield "drop"
            yield self.command(job, job.source, lambda: self.drop(job.source, job.shard))
        if job.phase == "undo":
            yield "undo"
            yield self.command(job, job.target, lambda: self.drop(job.target, job.shard))

    def follow(self, job: Job) -> None:
        """The target begins with an empty log."""
        self.nodes[job.target].logs[job.shard] = []

    def fetch(self, job: Job, end: int) -> Iterator[Any]:
        """The follower fetches from where its log ends, up to there."""
        mine, theirs = self.nodes[job.target].logs[job.shard], self.nodes[job.source].logs[job.shard]
        while (begin := self.fetched(mine, theirs)) < end:
            yield lambda: self.reached(job.source)
            batch = theirs[begin : begin + BATCH]
            yield self.command(job, job.target, lambda batch=batch: mine.extend(batch))
            self.acknowledge(job.shard)

    def fetched(self, mine: Log, theirs: Log) -> int:
        """From where on the follower asks."""
        return len(mine)

    def lead(self, job: Job) -> None:
        """The follower leads: what it has was committed, and what it lacks was not."""
        self.leaders[job.shard] = job.target
        self.in_step.pop(job.shard, None)
        job.phase = "drop"

    def send_again(self, shard: int) -> None:
        """Who was not acknowledged by the old leader asks the new one."""
        waiting, self.waiting = self.waiting, []
        for entry, ticket in waiting:
            if self.shard_of(entry.key) != shard:
                self.waiting.append((entry, ticket))
            elif ticket.status == "pending":
                self.ask(entry, ticket)

    def drop(self, name: str, shard: int) -> None:
        """A node forgets a log."""
        self.nodes[name].logs.pop(shard, None)

    # -------------------------------------------------- faults

    def on_abort(self, node: str) -> None:
        """The leader stays, and waits for nobody."""
        for work in self.works:
            work.job.aborted = True
            if work.job.phase in ("fetch", "in step"):
                self.give_up(work)

    def give_up(self, work: Work) -> None:
        """A hand-over ends as it began."""
        work.job.phase = "undo"
        self.in_step.pop(work.job.shard, None)
        self.acknowledge(work.job.shard)
        self.take_over(work)

    def observe(self) -> Mapping[str, Any]:
        held = {
            n: {k: v for log in node.logs.values() for k, v in folded(log).items()}
            for n, node in self.nodes.items()
        }
        keys = sorted({key for rows in held.values() for key in rows})
        return {"owner": {key: self.leaders[self.shard_of(key)] for key in keys}, "nodes": held}


def folded(log: Log) -> dict[str, Value]:
    """What a log makes of the documents."""
    rows: dict[str, Any] = {}
    for entry in log:
        if entry.word == "put":
            rows[entry.key] = entry.value
        elif entry.word == "delete":
            rows.pop(entry.key, None)
        else:
            rows.setdefault(entry.key, []).append(entry.value)
    return rows
