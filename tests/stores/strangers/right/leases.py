"""Storage that all nodes share: who owns a shard has it in memory, and writes with the epoch of its ownership."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cutproof.checks.drivers.adapter import REFUSED, UNEQUAL, Answer, Unavailable, Value
from strangers.kit import Work
from strangers.rows import How, RowStore

LEASE = 8  # turns of the coordinator, after which an owner that does not answer has lost its lease


@dataclass
class Stored:
    """What the storage holds of a shard. A segment is a part of it that does not change any more."""

    owner: str
    epoch: int = 1
    segments: list[str] = field(default_factory=list)
    log: list[tuple[str, Value | None]] = field(default_factory=list)


@dataclass
class Opened:
    """A shard in a node's memory."""

    epoch: int
    rows: dict[str, Value]


@dataclass
class Job:
    """A hand-over's durable state."""

    shards: list[int]
    target: str
    phase: str = "close"
    term: int = 0


class Leases(RowStore):
    """A hand-over closes a shard on its owner, or waits for the lease to end; the storage's epoch decides who may
    write and read."""

    faults = ("cut", "pause", "fail", "lose", "delay", "duplicate", "stale", "restart", "crash", "zombie", "abort",
              "skew")  # fmt: skip

    def set_up(self) -> None:
        self.storage = {shard: Stored(self.names[0]) for shard in range(self.shards)}
        self.segments: dict[str, dict[str, Value | None]] = {}
        self.memory: dict[str, dict[int, Opened]] = {name: {} for name in self.names}
        self.behind: dict[str, dict[int, str]] = {}
        self.skewed: set[str] = set()

    # -------------------------------------------------- nodes

    def open(self, name: str, shard: int) -> None:
        """A node takes a shard into its memory."""
        stored = self.storage[shard]
        rows: dict[str, Value | None] = {}
        for segment in stored.segments:
            rows.update(self.segments.get(segment, {}))
        rows.update(stored.log)
        live = {key: value for key, value in rows.items() if value is not None}
        self.memory[name][shard] = Opened(stored.epoch, live)

    def opened(self, shard: int) -> Opened | None:
        """Where the client is served: nowhere, if the node that it asks does not own the shard."""
        stored = self.storage[shard]
        name = self.behind.get(self.client, {}).get(shard, stored.owner)
        if not self.reached(name):
            return None
        if name == stored.owner and shard not in self.memory[name] and not self.moving(shard):
            self.open(name, shard)
        return self.memory[name].get(shard)

    def moving(self, shard: int) -> bool:
        """Whether it is being handed over."""
        return any(shard in work.job.shards for work in self.works)

    def change(self, key: str, how: How) -> Answer:
        """The storage takes it first, if the epoch is that of now; then it is in memory."""
        shard = self.shard_of(key)
        opened = self.opened(shard)
        if opened is None or not self.may_write(shard, opened):
            return REFUSED
        said = self.write(opened.rows, key, how)
        if said != UNEQUAL:
            self.append_to_log(shard, opened, key)
        return said

    def may_write(self, shard: int, opened: Opened) -> bool:
        """Whether the storage takes writes of this epoch."""
        return opened.epoch == self.storage[shard].epoch

    def append_to_log(self, shard: int, opened: Opened, key: str) -> None:
        """The storage has it."""
        self.storage[shard].log.append((key, opened.rows.get(key)))

    def get(self, key: str) -> Value | None:
        shard = self.shard_of(key)
        opened = self.opened(shard)
        if opened is None or not self.may_read(shard, opened):
            raise Unavailable
        return opened.rows.get(key)

    def may_read(self, shard: int, opened: Opened) -> bool:
        """Whether a node that holds this epoch answers."""
        return opened.epoch == self.storage[shard].epoch

    # -------------------------------------------------- hand-over

    def begin_migration(self, node: str) -> None:
        self.move([s for s, stored in self.storage.items() if stored.owner != node], node)

    def move(self, shards: Sequence[int], node: str) -> None:
        if there := [s for s in shards if self.storage[s].owner != node]:
            self.begin(Job(there, node))

    def steps(self, job: Job) -> Iterator[Any]:
        """Close, assign, open; the former owner's rubbish goes."""
        if job.phase == "close":
            for shard in job.shards:
                yield "close"
                yield from self.close(job, shard)
            job.phase = "assign"
        if job.phase == "assign":
            yield "assign"
            for shard in job.shards:
                stored = self.storage[shard]
                stored.owner, stored.epoch = job.target, stored.epoch + 1
            job.phase = "open"
        if job.phase == "open":
            yield "open"
            for shard in job.shards:
                yield self.command(job, job.target, lambda shard=shard: self.open(job.target, shard))
            job.phase = "collect"
        if job.phase == "collect":
            yield "collect"
            self.collect(job)
        if job.phase == "undo":
            yield "undo"
            for shard in job.shards:
                owner = self.storage[shard].owner
                yield self.command(job, owner, lambda shard=shard, owner=owner: self.open(owner, shard))

    def close(self, job: Job, shard: int) -> Iterator[Any]:
        """The owner closes it; if it does not answer, its lease ends. A target that is ahead does not wait."""
        owner = self.storage[shard].owner
        message = self.command(job, owner, lambda: self.closed(owner, shard))
        for _ in range(LEASE if job.target not in self.skewed else 0):
            if message.state in ("done", "failed"):
                return
            yield "close"

    def closed(self, name: str, shard: int) -> None:
        """An owner closes a shard: what is in the log becomes a segment."""
        opened, stored = self.memory[name].pop(shard, None), self.storage[shard]
        if opened and opened.epoch == stored.epoch:
            self.roll(name, shard)

    def roll(self, name: str, shard: int) -> None:
        """The log becomes a segment."""
        stored = self.storage[shard]
        segment = f"{name}-{shard}-{stored.epoch}-{len(self.segments)}"
        self.segments[segment] = dict(stored.log)
        stored.segments.append(segment)
        stored.log = []

    def collect(self, job: Job) -> None:
        """Segments that nobody refers to go."""
        used = {segment for stored in self.storage.values() for segment in stored.segments}
        self.segments = {name: rows for name, rows in self.segments.items() if name in used}

    # -------------------------------------------------- faults

    def on_restart(self, node: str) -> None:
        """A node restarts with an empty memory."""
        self.memory[node].clear()
        super().on_restart(node)

    def on_stale(self, node: str) -> None:
        """A client goes on asking whom it asks now."""
        self.behind.setdefault(self.client, {shard: stored.owner for shard, stored in self.storage.items()})

    def on_skew(self, node: str) -> None:
        """Its clock is ahead."""
        self.skewed.add(node)

    def on_abort(self, node: str) -> None:
        """Before the shards are assigned the owner can open them again."""
        for work in self.works:
            if work.job.phase == "close":
                self.give_up(work)

    def give_up(self, work: Work) -> None:
        """A hand-over ends as it began."""
        work.job.phase = "undo"
        self.take_over(work)

    def heal(self) -> None:
        super().heal()
        self.behind.clear()
        self.skewed.clear()

    def observe(self) -> Mapping[str, Any]:
        held = {name: {k: v for opened in shards.values() for k, v in opened.rows.items()}
                for name, shards in self.memory.items()}  # fmt: skip
        return {"nodes": held}
