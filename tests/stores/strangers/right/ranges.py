"""Ranges of tokens that move, split and merge; conditional writes in two steps, with an intent between them."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cutproof.checks.drivers.adapter import ACKNOWLEDGED, FAILED, REFUSED, UNEQUAL, Answer, Unavailable, Value
from strangers.kit import Ticket, Work
from strangers.rows import RowStore

TOKENS = 1_000


def token(key: str) -> int:
    """Where a document stands in the order of the ranges."""
    return zlib.crc32(key.encode()) % TOKENS


@dataclass
class Replica:
    """What a node holds of a range: documents, and by key who is about to write it."""

    rows: dict[str, Value] = field(default_factory=dict)
    intents: dict[str, int] = field(default_factory=dict)

    def copy(self) -> Replica:
        """The same, apart."""
        return Replica(dict(self.rows), dict(self.intents))


@dataclass
class Range:
    """The record of a range: which tokens, and on which node. A frozen one takes no writes for a while."""

    spans: list[tuple[int, int]]  # each from the first token up to, and without, the second
    owner: str
    frozen: bool = False

    def holds(self, key: str) -> bool:
        """Whether a document is in it."""
        return any(low <= token(key) < high for low, high in self.spans)


@dataclass
class Job:
    """A move, a split or a merge: its durable state."""

    word: str
    shards: list[int]
    target: str = ""
    other: int = -1
    frozen: int = -1
    aborted: bool = False
    term: int = 0


class Ranges(RowStore):
    """A range is frozen while it is copied, cut in two, or joined to another. Who writes on a condition leaves an
    intent first, which goes wherever the range goes; others wait for it."""

    faults = ("cut", "pause", "fail", "lose", "delay", "timeout", "crash", "zombie", "abort")

    def set_up(self) -> None:
        size = TOKENS // self.shards
        ends = [n * size for n in range(self.shards)] + [TOKENS]
        self.ranges = {n: Range([(ends[n], ends[n + 1])], self.names[0]) for n in range(self.shards)}
        self.replicas: dict[str, dict[int, Replica]] = {name: {} for name in self.names}
        self.replicas[self.names[0]] = {n: Replica() for n in self.ranges}
        self.held: list[tuple[str, Callable[[], str | None], Ticket]] = []
        self.parked: list[Callable[[], None]] = []  # second steps that wait for a frozen range
        self.intents = 0

    # -------------------------------------------------- clients

    def where(self, key: str) -> int:
        """The range that a document is in."""
        return next(n for n, one in self.ranges.items() if one.holds(key))

    def replica(self, key: str) -> Replica | None:
        """Where a document is served; None if that node can't be reached."""
        number = self.where(key)
        owner = self.ranges[number].owner
        return self.replicas[owner][number] if self.reached(owner) else None

    def change(self, key: str, how: Callable[[Any], Any]) -> Answer:
        """Change a document, after whoever is about to write it."""

        def act() -> str:
            replica = self.replica(key)
            return self.write(replica.rows, key, how) if replica else REFUSED

        return self.in_turn(key, act)

    def in_turn(self, key: str, act: Callable[[], str | None]) -> Answer:
        """Do something when the range is not frozen, and nobody has an intent. `act` may leave the answer to later."""
        ticket = self.ticket()
        self.held.append((key, act, ticket))
        self.go_on()
        return ticket if ticket.status == "pending" else ticket.status

    def waits(self, key: str) -> bool:
        """Whether writers of a document have to wait."""
        replica = self.replica(key)
        return self.ranges[self.where(key)].frozen or (replica is not None and key in replica.intents)

    def go_on(self) -> None:
        """Who need not wait any more goes on."""
        parked, self.parked = self.parked, []
        for send in parked:
            send()
        held, self.held = self.held, []
        for key, act, ticket in held:
            if self.waits(key):
                self.held.append((key, act, ticket))
            elif (said := act()) is not None:
                ticket.tell(said)

    def put_if(self, key: str, old: str | None, new: str) -> Answer:
        """An intent first, the write in another step."""
        self.intents += 1
        number, ticket = self.intents, Ticket()

        def act() -> str | None:
            replica = self.replica(key)
            if replica is None:
                return REFUSED
            if replica.rows.get(key) != old:
                return UNEQUAL
            replica.intents[key] = number
            self.commit(key, number, new, ticket)
            return None

        said = self.in_turn(key, act)
        if isinstance(said, str):
            return said
        return lambda: ticket.status if ticket.status != "pending" else said()

    def commit(self, key: str, number: int, new: str, ticket: Ticket) -> None:
        """The second step goes to where the range now is, again and again until it is taken."""
        owner = self.ranges[self.where(key)].owner

        def run() -> None:
            one, replica = self.ranges[self.where(key)], self.replicas[owner].get(self.where(key))
            if one.frozen or one.owner != owner or replica is None:
                self.parked.append(lambda: self.commit(key, number, new, ticket))
                if not one.frozen:
                    self.go_on()
                return
            ticket.tell(self.committed(replica, key, number, new))
            self.go_on()

        self.network.send(owner, run, failed=lambda: self.commit(key, number, new, ticket), task=True)
        self.tickets.append(ticket)

    def committed(self, replica: Replica, key: str, number: int, new: str) -> str:
        """The write itself, if the intent is still there."""
        if replica.intents.get(key) != number:
            return FAILED
        del replica.intents[key]
        replica.rows[key] = new
        return ACKNOWLEDGED

    def get(self, key: str) -> Value | None:
        replica = self.replica(key)
        if replica is None:
            raise Unavailable
        return replica.rows.get(key)

    def scan(self) -> Sequence[tuple[str, Value]]:
        found = []
        for number, one in sorted(self.ranges.items()):
            if not self.reached(one.owner):
                raise Unavailable
            found += sorted(self.replicas[one.owner][number].rows.items())
        return found

    # -------------------------------------------------- moves, splits, merges

    def begin_migration(self, node: str) -> None:
        self.move([n for n, one in self.ranges.items() if one.owner != node], node)

    def move(self, shards: Sequence[int], node: str) -> None:
        if there := [n for n in shards if n in self.ranges]:  # a merge may have ended in spite of an abort
            self.begin(Job("move", there, node))

    def split(self, shard: int) -> int:
        new = max(self.ranges) + 1 + sum(work.job.word == "split" for work in self.works)
        self.begin(Job("split", [shard], other=new))
        return new

    def merge(self, shard: int, other: int) -> None:
        self.begin(Job("merge", [shard], other=other))

    def steps(self, job: Job) -> Iterator[Any]:
        """Range by range; an abort leaves the rest as it is."""
        yield job.word
        if job.word == "move":
            yield from self.moves(job)
        else:
            yield from self.freeze(job, job.shards[0])
            if job.word == "merge":
                yield from self.freeze(job, job.other)
            owner = self.ranges[job.shards[0]].owner
            run = self.cut_in_two if job.word == "split" else self.join
            yield self.command(job, owner, lambda: run(job))
        self.thaw(job)

    def freeze(self, job: Job, number: int) -> Iterator[Any]:
        """A range takes no writes."""
        if number in self.ranges:
            yield self.command(
                job, self.ranges[number].owner, lambda: setattr(self.ranges[number], "frozen", True)
            )

    def thaw(self, job: Job) -> None:
        """The ranges of a job take writes."""
        for number in (*job.shards, job.other):
            if number in self.ranges:
                self.ranges[number].frozen = False
        self.go_on()

    def moves(self, job: Job) -> Iterator[Any]:
        """Freeze, copy, switch."""
        for number in list(job.shards):
            one = self.ranges[number]
            if job.aborted or one.owner == job.target:
                continue
            yield from self.freeze(job, number)
            source = one.owner
            yield "copy"
            into = Replica()
            yield lambda source=source: self.reached(source)
            everything = self.packed(number, self.replicas[source][number])
            for key in sorted({*everything.rows, *everything.intents}):
                yield self.command(
                    job, job.target, lambda key=key, into=into, all=everything: copy_one(key, all, into)
                )
            yield "switch"
            yield self.command(
                job, job.target, lambda number=number, into=into: self.switch(job, number, into)
            )
            one.frozen = False
            self.go_on()
            yield self.command(job, source, lambda number=number, source=source: self.drop(source, number))

    def packed(self, number: int, replica: Replica) -> Replica:
        """What is copied of a range."""
        return replica.copy()

    def switch(self, job: Job, number: int, into: Replica) -> None:
        """The target has the range."""
        self.replicas[job.target][number] = into
        self.ranges[number].owner = job.target

    def drop(self, name: str, number: int) -> None:
        """A node forgets a range that it has not."""
        if self.ranges[number].owner != name:
            self.replicas[name].pop(number, None)

    def cut_in_two(self, job: Job) -> None:
        """The upper half becomes a range of its own: from the middle document on, or from the middle token."""
        one = self.ranges[job.shards[0]]
        if job.other in self.ranges:
            return
        tokens = sorted(token(key) for key in self.replicas[one.owner][job.shards[0]].rows)
        low, high = one.spans[-1]
        inside = [t for t in tokens if low < t < high]
        at = inside[len(inside) // 2] if inside else (low + high) // 2
        self.ranges[job.other] = Range([(at, high)], one.owner)
        one.spans[-1] = (low, at)
        lower = self.replicas[one.owner][job.shards[0]]
        self.replicas[one.owner][job.other] = self.upper(lower, at, high)
        for key in [k for k in lower.rows if not one.holds(k)]:
            del lower.rows[key]
        for key in [k for k in lower.intents if not one.holds(k)]:
            del lower.intents[key]

    def upper(self, replica: Replica, low: int, high: int) -> Replica:
        """What the new range gets."""
        return Replica({k: v for k, v in replica.rows.items() if low <= token(k) < high},
                       {k: n for k, n in replica.intents.items() if low <= token(k) < high})  # fmt: skip

    def join(self, job: Job) -> None:
        """The other range's documents and tokens are this one's."""
        one, other = self.ranges[job.shards[0]], self.ranges.pop(job.other, None)
        if other is None:
            return
        mine, theirs = self.replicas[one.owner][job.shards[0]], self.replicas[one.owner].pop(job.other)
        one.spans += other.spans
        mine.rows.update(theirs.rows)
        mine.intents.update(theirs.intents)

    # -------------------------------------------------- faults

    def on_timeout(self, node: str) -> None:
        """Who has left no intent goes away, and is told that nothing happened."""
        held, self.held = self.held, []
        for *_, ticket in held:
            ticket.tell(REFUSED)
        super().on_timeout(node)

    def on_abort(self, node: str) -> None:
        """Moves stop; what is copied is thrown away."""
        for work in self.works:
            if work.job.word == "move":
                self.give_up(work)

    def give_up(self, work: Work) -> None:
        """A move stops."""
        work.job.aborted = True
        self.take_over(work)

    def observe(self) -> Mapping[str, Any]:
        held = {name: {k: v for replica in replicas.values() for k, v in replica.rows.items()}
                for name, replicas in self.replicas.items()}  # fmt: skip
        return self.shown(held, lambda key: self.ranges[self.where(key)].owner)


def copy_one(key: str, out: Replica, into: Replica) -> None:
    """One document of a range, and the intent on it."""
    if key in out.rows:
        into.rows[key] = out.rows[key]
    if key in out.intents:
        into.intents[key] = out.intents[key]
