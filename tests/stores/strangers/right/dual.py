"""Writes to both sides: versions, tombstones, fences by epoch, a copy in key order, and a delta before the switch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from cutproof.checks.drivers.adapter import ACKNOWLEDGED, FAILED, REFUSED, Answer, Unavailable
from strangers.kit import Message, Store, Ticket, Work


class Copy(NamedTuple):
    """A document as a node holds it: deleted, it has no value."""

    version: int
    value: str | None


class Node:
    """A node. What it applies, and its fences, are durable; its queue is the network's."""

    def __init__(self) -> None:
        self.documents: dict[str, Copy] = {}
        self.fences: dict[int, int] = {}

    def version(self, key: str) -> int:
        """The version that it holds of a document."""
        return self.documents[key].version if key in self.documents else 0

    def apply(self, key: str, what: Copy) -> None:
        """The higher version wins."""
        if what.version > self.version(key):
            self.documents[key] = what


@dataclass
class Record:
    """Who owns a shard: durable, and the only place where that is said."""

    owner: str
    target: str = ""  # who is written to beside it
    epoch: int = 1
    sealed: bool = False  # writers wait
    closed: bool = False  # nobody is served


@dataclass
class Job:
    """A migration's durable state."""

    shards: list[int]
    target: str
    phase: str = "wipe"
    cursor: str = ""
    end: str = ""  # the last key of the copy: new ones come by themselves
    term: int = 0


@dataclass
class Write:
    """A write on its way to one node or two."""

    key: str
    copy: Copy
    epoch: int
    owner: str
    nodes: list[str]
    ticket: Ticket
    replies: dict[str, str] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)  # who has accepted it


class Dual(Store):
    """Dual writes, as a careful team writes them. Each client has a router, which may be behind; nodes refuse by epoch
    what comes from one."""

    faults = ("cut", "pause", "fail", "lose", "delay", "duplicate", "timeout", "stale", "restart", "crash", "zombie",
              "abort")  # fmt: skip

    def set_up(self) -> None:
        self.nodes = {name: Node() for name in self.names}
        self.records = {shard: Record(self.names[0]) for shard in range(self.shards)}
        self.views: dict[str, dict[int, Record]] = {}  # of the routers that are behind
        self.held: list[tuple[str, str | None, Ticket]] = []  # writes that wait for the switch
        self.oldest: dict[int, Message] = {}  # the oldest command about each shard
        self.sequence = 0

    # -------------------------------------------------- clients

    def view(self, key: str) -> Record:
        """What the client's router knows of the shard."""
        shard = self.shard_of(key)
        return self.views.get(self.client, self.records)[shard]

    def put(self, key: str, value: str | None) -> Answer:
        ticket = self.ticket()
        self.dispatch(key, value, ticket)
        return ticket

    def delete(self, key: str) -> Answer:
        return self.put(key, None)

    def dispatch(self, key: str, value: str | None, ticket: Ticket, view: Record | None = None) -> None:
        """Send a write to whom it concerns, or hold it."""
        view = view or self.view(key)
        if view.sealed:
            self.held.append((key, value, ticket))
            return
        self.sequence += 1
        nodes = [view.owner, view.target] if view.target else [view.owner]
        write = Write(key, Copy(self.sequence, value), view.epoch, view.owner, nodes, ticket)
        for name in nodes:
            self.network.send(
                name,
                lambda name=name: self.apply(name, write),
                accept=lambda name=name: self.accept(name, write),
                failed=lambda name=name: self.reply(name, write, FAILED),
                task=True,
            )

    def accept(self, name: str, write: Write) -> bool:
        """Whether a node takes a write that arrives: not if it is of an epoch that is over."""
        if write.epoch < self.nodes[name].fences.get(self.shard_of(write.key), 0):
            if name not in write.taken:  # an earlier copy of it may be in the queue
                self.reply(name, write, REFUSED)
            return False
        write.taken.add(name)
        return True

    def apply(self, name: str, write: Write) -> None:
        """A node applies a write that it has accepted."""
        self.nodes[name].apply(write.key, write.copy)
        self.reply(name, write, ACKNOWLEDGED)

    def reply(self, name: str, write: Write, said: str) -> None:
        """The owner's answer counts. It is refused only if all refuse it; otherwise nobody knows."""
        if write.replies.get(name) != ACKNOWLEDGED:
            write.replies[name] = said
        if write.replies.get(write.owner) == ACKNOWLEDGED:
            write.ticket.tell(ACKNOWLEDGED)
        elif len(write.replies) == len(write.nodes):
            write.ticket.tell(REFUSED if set(write.replies.values()) == {REFUSED} else FAILED)

    def get(self, key: str) -> str | None:
        view = self.view(key)
        node = self.nodes[view.owner]
        if view.closed or not self.reached(view.owner) or view.epoch < node.fences.get(self.shard_of(key), 0):
            raise Unavailable
        found = node.documents.get(key)
        return found.value if found else None

    # -------------------------------------------------- the migration

    def begin_migration(self, node: str) -> None:
        self.move([s for s, record in self.records.items() if record.owner != node], node)

    def move(self, shards: Sequence[int], node: str) -> None:
        for source in sorted({self.records[s].owner for s in shards} - {node}):
            self.begin(Job([s for s in shards if self.records[s].owner == source], node))

    def steps(self, job: Job) -> Iterator[Any]:
        """From the phase of the record on: a coordinator that takes over begins there."""
        if job.phase == "wipe":
            yield "wipe"
            yield from self.wipe(job)
            self.enter(job, "dual", target=job.target)
        if job.phase == "dual":
            yield "dual"
            yield from self.fence(job)
            job.phase, job.end = "copy", max(self.keys(self.sides(job)[0], job), default="")
        if job.phase == "copy":
            yield "copy"
            yield from self.copy(job)
            self.enter(job, "drain", sealed=True, target="")
        if job.phase == "drain":
            yield "drain"
            yield from self.fence(job)
            yield lambda: self.drained(job)
            yield "delta"
            yield from self.delta(job)
            self.switch(job)
        if job.phase == "activate":
            yield "activate"
            yield from self.fence(job)
            for shard in job.shards:
                yield self.order(job.target, shard, self.collection(job.target, shard))
            self.release(job)
            job.phase = "cleanup"
        if job.phase == "cleanup":
            yield "cleanup"
            for name in (n for n in self.names if n != job.target):
                for shard in job.shards:
                    yield self.order(name, shard, lambda name=name, shard=shard: self.empty(name, shard))
        if job.phase == "undo":
            yield "undo"
            yield from self.fence(job)
            yield lambda: not self.network.queued(job.target)
            yield from self.wipe(job)

    def drained(self, job: Job) -> bool:
        """Whether both sides have applied what they accepted."""
        return not any(self.network.queued(name) for name in self.sides(job))

    def sides(self, job: Job) -> list[str]:
        """The nodes of a migration, as it began."""
        return [*self.names] if job.phase == "activate" else [self.records[job.shards[0]].owner, job.target]

    def enter(self, job: Job, phase: str, **changes: Any) -> None:
        """A new phase: everything of the old one has an older epoch."""
        job.phase = phase
        for shard in job.shards:
            record = self.records[shard]
            record.epoch += 1
            for name, value in changes.items():
                setattr(record, name, value)

    def switch(self, job: Job) -> None:
        """The target owns the shards. It serves nobody before the old owner is fenced."""
        self.enter(job, "activate", owner=job.target, closed=True)

    def release(self, job: Job) -> None:
        """Clients may write again; those that wait do."""
        for shard in job.shards:
            self.records[shard].sealed = self.records[shard].closed = False
        self.go_on()

    def go_on(self) -> None:
        """Writes that waited are sent, if they may be."""
        held, self.held = self.held, []
        for key, value, ticket in held:
            self.dispatch(key, value, ticket, self.records[self.shard_of(key)])

    def order(self, name: str, shard: int, run: Any) -> Message:
        """A command of the coordinator: it carries the epoch, and obeys the fence."""
        epoch, node = self.records[shard].epoch, self.nodes[name]
        message = self.network.send(name, run, accept=lambda: epoch >= node.fences.get(shard, 0))
        self.oldest.setdefault(shard, message)
        return message

    def fence(self, job: Job) -> Iterator[Message]:
        """Both sides refuse from now on what is of an older epoch."""
        for name in self.sides(job):
            for shard in job.shards:
                epoch, fences = self.records[shard].epoch, self.nodes[name].fences
                yield self.order(name, shard, lambda f=fences, s=shard, e=epoch: f.update({s: e}))

    def wipe(self, job: Job) -> Iterator[Message]:
        """The target holds nothing of the shards."""
        for shard in job.shards:
            yield self.order(job.target, shard, lambda shard=shard: self.empty(job.target, shard))

    def keys(self, name: str, job: Job) -> list[str]:
        """What a node holds of the shards that are on the move."""
        return sorted(k for k in self.nodes[name].documents if self.shard_of(k) in job.shards)

    def copy(self, job: Job) -> Iterator[Any]:
        """Page by page, in the order of the keys, after the cursor."""
        source = self.sides(job)[0]
        while True:
            yield lambda: self.reached(source)
            keys = [k for k in self.keys(source, job) if job.cursor < k <= job.end]
            if not keys:
                return
            yield self.page(job, source, keys[0])
            job.cursor = keys[0]

    def page(self, job: Job, source: str, key: str) -> Message:
        """One document goes to the target."""
        what = self.nodes[source].documents[key]
        return self.order(job.target, self.shard_of(key), lambda: self.nodes[job.target].apply(key, what))

    def delta(self, job: Job) -> Iterator[Any]:
        """The source does not change any more: what the target lacks goes there."""
        source, target = self.nodes[self.sides(job)[0]], self.nodes[job.target]
        yield lambda: all(self.reached(name) for name in self.sides(job))
        for key, what in sorted(source.documents.items()):
            if self.shard_of(key) in job.shards and self.lacks(target, key, what):
                yield self.page(job, self.sides(job)[0], key)

    def lacks(self, target: Node, key: str, what: Copy) -> bool:
        """Whether the target needs this."""
        return target.version(key) < what.version

    def collection(self, name: str, shard: int) -> Callable[[], None]:
        """Tombstones of until now go: whatever they are needed against is fenced."""
        documents, now = self.nodes[name].documents, self.sequence

        def collect() -> None:
            for key, what in list(documents.items()):
                if what.value is None and what.version <= now and self.shard_of(key) == shard:
                    del documents[key]

        return collect

    def empty(self, name: str, shard: int) -> None:
        """A node drops what it has of a shard."""
        documents = self.nodes[name].documents
        for key in [k for k in documents if self.shard_of(k) == shard]:
            del documents[key]

    # -------------------------------------------------- faults

    def on_stale(self, node: str) -> None:
        """The router of a client stays behind."""
        self.views.setdefault(self.client, {s: copy(record) for s, record in self.records.items()})

    def on_timeout(self, node: str) -> None:
        """What was never sent is refused."""
        held, self.held = self.held, []
        for *_, ticket in held:
            ticket.tell(REFUSED)
        super().on_timeout(node)

    def on_abort(self, node: str) -> None:
        """Before the switch a migration can be given up: the owner stays, and writers go on."""
        for work in self.works:
            if work.job.phase in ("wipe", "dual", "copy", "drain"):
                self.give_up(work)

    def give_up(self, work: Work) -> None:
        """Give a migration up."""
        self.enter(work.job, "undo", target="", sealed=False)
        self.take_over(work)
        self.release(work.job)

    def on_zombie(self, node: str) -> None:
        """The oldest commands of all arrive once more."""
        for message in self.oldest.values():
            self.network.again(message, late=True)

    def heal(self) -> None:
        super().heal()
        self.views.clear()
        self.go_on()

    def observe(self) -> Mapping[str, Any]:
        shown = {n: {k: c.value for k, c in sorted(node.documents.items())} for n, node in self.nodes.items()}
        keys = sorted({k for held in shown.values() for k in held})
        owners = {k: self.records[self.shard_of(k)].owner for k in keys}
        return {"documents": {k: shown[o].get(k) for k, o in owners.items()}, "owner": owners, "nodes": shown}
