"""A snapshot and a log of changes, replayed beside it; a short lock at the end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from cutproof.checks.drivers.adapter import ACKNOWLEDGED, REFUSED, UNEQUAL, Answer, Unavailable, Value
from strangers.kit import Message, Ticket, Work
from strangers.rows import How, RowStore


class Row(NamedTuple):
    """What a node holds of a document, and the number of the change that made it; a deleted one has no value."""

    number: int
    value: Value | None


class Change(NamedTuple):
    """An entry of the log."""

    key: str
    row: Row
    old: Value | None


@dataclass
class Node:
    """One database. All that it holds is durable."""

    rows: dict[str, Row] = field(default_factory=dict)
    number: int = 0

    def value(self, key: str) -> Value | None:
        """What a document holds."""
        return self.rows[key].value if key in self.rows else None


@dataclass
class Job:
    """A migration's durable state, with the source's log of what changed since it was registered."""

    shards: list[int]
    source: str
    target: str
    phase: str = "register"
    cursor: str = ""
    end: str = ""  # the last key of the copy: new ones are in the log
    term: int = 0  # of its coordinator: what an older one sent is not obeyed
    captures: bool = False
    locked: bool = False
    log: list[Change] = field(default_factory=list)
    more: dict[str, Any] = field(default_factory=dict)  # of those that do it otherwise


class ChangeLog(RowStore):
    """Rows are copied page by page while changes are replayed; the number of the change decides which is newer.
    The last changes are replayed under a lock, for which writers wait."""

    faults = ("cut", "pause", "fail", "lose", "delay", "duplicate", "timeout", "crash", "zombie", "abort")

    def set_up(self) -> None:
        self.nodes = {name: Node() for name in self.names}
        self.owners = dict.fromkeys(range(self.shards), self.names[0])
        self.held: list[tuple[str, How, Ticket]] = []

    # -------------------------------------------------- clients

    def change(self, key: str, how: How) -> Answer:
        """Change a document where it is, or wait for the lock."""
        if self.locked(key):
            ticket = self.ticket()
            self.held.append((key, how, ticket))
            return ticket
        owner = self.owners[self.shard_of(key)]
        return self.perform(owner, key, how) if self.reached(owner) else REFUSED

    def perform(self, name: str, key: str, how: How) -> str:
        """A node changes a document, and its log tells of it."""
        node = self.nodes[name]
        old = node.value(key)
        new = how(old)
        if new == UNEQUAL:
            return UNEQUAL
        node.number += 1
        row = Row(node.number, new)
        if new is None:
            node.rows.pop(key, None)
        else:
            node.rows[key] = row
        for job in self.jobs(key):
            if job.source == name and job.captures and self.captured(job, key):
                job.log.append(Change(key, row, old))
        return ACKNOWLEDGED

    def captured(self, job: Job, key: str) -> bool:
        """Whether the log is to tell of it."""
        return True

    def jobs(self, key: str) -> list[Job]:
        """The migrations that a document is part of."""
        return [work.job for work in self.works if self.shard_of(key) in work.job.shards]

    def locked(self, key: str) -> bool:
        """Whether writers wait."""
        return any(job.locked for job in self.jobs(key))

    def get(self, key: str) -> Value | None:
        owner = self.owners[self.shard_of(key)]
        if not self.reached(owner):
            raise Unavailable
        return self.nodes[owner].value(key)

    def scan(self) -> Sequence[tuple[str, Value]]:
        return [(k, r.value) for name in self.names for k, r in self.visible(name) if r.value is not None]

    def visible(self, name: str) -> list[tuple[str, Row]]:
        """What a search finds on a node: of the shards that it owns."""
        if name in self.owners.values() and not self.reached(name):
            raise Unavailable
        return [
            (k, r) for k, r in sorted(self.nodes[name].rows.items()) if self.owners[self.shard_of(k)] == name
        ]

    # -------------------------------------------------- the migration

    def begin_migration(self, node: str) -> None:
        self.move([s for s, owner in self.owners.items() if owner != node], node)

    def move(self, shards: Sequence[int], node: str) -> None:
        for source in sorted({self.owners[s] for s in shards} - {node}):
            job = Job([s for s in shards if self.owners[s] == source], source, node)
            self.begin(job)

    def steps(self, job: Job) -> Iterator[Any]:
        """From the phase of the record on: a coordinator that takes over begins there."""
        if job.phase == "register":
            yield "register"
            yield self.command(job, job.target, lambda: self.drop(job.target, job))
            yield self.command(job, job.source, lambda: self.register(job))
            job.phase = "copy"
        if job.phase == "copy":
            yield "copy"
            yield from self.copy(job)
            job.phase = "catch up"
        if job.phase == "catch up":
            yield "catch up"
            yield from self.replay(job, len(job.log))
            job.phase = "lock"
        if job.phase == "lock":
            yield "lock"
            yield from self.lock(job)
            yield from self.replay(job, len(job.log))
            yield self.command(job, job.target, lambda: self.open(job))
            self.owners.update(dict.fromkeys(job.shards, job.target))
            self.unlock(job)
            job.phase = "clean up"
        if job.phase == "clean up":
            yield "clean up"
            yield self.command(job, job.source, lambda: self.drop(job.source, job))
        if job.phase == "undo":
            yield "undo"
            yield self.command(job, job.source, lambda: self.unlock(job))
            yield self.command(job, job.target, lambda: self.drop(job.target, job))

    def register(self, job: Job) -> None:
        """From now on the source's log tells of the shards."""
        job.captures, job.end = True, max(self.keys(job), default="")

    def lock(self, job: Job) -> Iterator[Any]:
        """Writers wait from now on."""
        yield self.command(job, job.source, lambda: setattr(job, "locked", True))

    def unlock(self, job: Job) -> None:
        """Writers go on, where the shard now is."""
        job.locked = job.captures = False
        held, self.held = self.held, []
        for key, how, ticket in held:
            if self.locked(key):
                self.held.append((key, how, ticket))
            else:
                ticket.tell(self.perform(self.owners[self.shard_of(key)], key, how))

    def copy(self, job: Job) -> Iterator[Any]:
        """Page by page; while one is under way, changes are replayed."""
        while True:
            yield lambda: self.reached(job.source)
            key = self.next_key(job)
            if key is None:
                return
            row = self.row(job, key)
            page = self.command(job, job.target, lambda key=key, row=row: self.land(job, key, row))
            while page.state != "done":
                if page.state in ("failed", "lost"):
                    page = self.page_failed(page)
                elif job.log:
                    yield from self.replay(job, len(job.log))
                else:
                    yield lambda page=page: page.state in ("done", "failed", "lost") or job.log
            self.copied(job, key)

    def keys(self, job: Job) -> list[str]:
        """What the source holds of the shards, in the order of the copy."""
        return sorted(k for k in self.nodes[job.source].rows if self.shard_of(k) in job.shards)

    def next_key(self, job: Job) -> str | None:
        """The key that is copied next."""
        return next((k for k in self.keys(job) if job.cursor < k <= job.end), None)

    def row(self, job: Job, key: str) -> Row:
        """What is copied of it."""
        return self.nodes[job.source].rows[key]

    def copied(self, job: Job, key: str) -> None:
        """So far the copy has come."""
        job.cursor = key

    def page_failed(self, page: Message) -> Message:
        """It is sent again."""
        return self.network.again(page)

    def land(self, job: Job, key: str, row: Row) -> None:
        """The target takes a row of a page, or of the log, if it has nothing newer. Of a deleted one it keeps the
        number."""
        rows = self.nodes[job.target].rows
        if key not in rows or rows[key].number < row.number:
            rows[key] = row

    def replay(self, job: Job, count: int) -> Iterator[Any]:
        """So many changes, all in one message."""
        if batch := job.log[:count]:
            yield self.command(job, job.target, lambda: [self.redo(job, change) for change in batch] and None)
            for change in batch:
                self.replayed(job, change)

    def redo(self, job: Job, change: Change) -> None:
        """The target does what a change did."""
        self.land(job, change.key, change.row)

    def replayed(self, job: Job, change: Change) -> None:
        """That one is done."""
        job.log.remove(change)

    def open(self, job: Job) -> None:
        """The target has everything: it counts on from the source's number, and forgets what is deleted."""
        target = self.nodes[job.target]
        target.number = max(target.number, self.nodes[job.source].number)
        for key in [k for k, row in target.rows.items() if row.value is None]:
            if self.shard_of(key) in job.shards:
                del target.rows[key]

    def drop(self, name: str, job: Job) -> None:
        """A node forgets the shards."""
        rows = self.nodes[name].rows
        for key in [k for k in rows if self.shard_of(k) in job.shards]:
            del rows[key]

    # -------------------------------------------------- faults

    def on_timeout(self, node: str) -> None:
        """Who waits for the lock goes away, and is told that nothing happened."""
        held, self.held = self.held, []
        for *_, ticket in held:
            ticket.tell(REFUSED)

    def on_abort(self, node: str) -> None:
        """Before the switch a migration can be given up."""
        for work in self.works:
            if work.job.phase not in ("clean up", "undo"):
                self.give_up(work)

    def give_up(self, work: Work) -> None:
        """Give a migration up."""
        work.job.phase = "undo"
        self.take_over(work)

    def observe(self) -> Mapping[str, Any]:
        shown = {n: {k: r.value for k, r in sorted(node.rows.items())} for n, node in self.nodes.items()}
        owners = {k: self.owners[self.shard_of(k)] for held in shown.values() for k in sorted(held)}
        return {"documents": {k: shown[o].get(k) for k, o in owners.items()}, "owner": owners, "nodes": shown}
