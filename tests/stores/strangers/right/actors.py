"""Each document is an actor that lives on one node: it is put to sleep, sent, and woken elsewhere, one by one. Clients
send again until they are answered; what an actor has done already it remembers by the request's number."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from cutproof.checks.drivers.adapter import Answer, Unavailable, Value
from strangers.kit import Ticket, Work
from strangers.rows import How, RowStore


@dataclass
class Actor:
    """A document, and what it has answered to which request."""

    rows: dict[str, Value] = field(default_factory=dict)
    answers: dict[int, str] = field(default_factory=dict)

    def copy(self) -> Actor:
        """The same, apart."""
        return Actor(dict(self.rows), dict(self.answers))


@dataclass
class Node:
    """The actors that a node holds, those that it has put to sleep, and requests that wait for them to be sent."""

    actors: dict[str, Actor] = field(default_factory=dict)
    asleep: set[str] = field(default_factory=set)
    parked: list[tuple[str, Callable[[], None]]] = field(default_factory=list)


@dataclass
class Job:
    """A migration's durable state: who is on the way now."""

    shards: list[int]
    target: str
    flying: str = ""
    source: str = ""
    aborted: bool = False
    term: int = 0


class Actors(RowStore):
    """A directory knows where each actor lives. After an abort those that have gone stay where they are."""

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
        self.owners = dict.fromkeys(range(self.shards), self.names[0])
        self.directory: dict[str, str] = {}
        self.requests = 0

    # -------------------------------------------------- clients

    def change(self, key: str, how: How) -> Answer:
        """Send a request, until it is answered or the client gives up."""
        ticket = self.ticket()
        self.requests += 1
        self.ask(self.place(key), key, how, self.requests, ticket)
        return ticket

    def place(self, key: str) -> str:
        """Where an actor lives; a new one where its shard is going."""
        shard = self.shard_of(key)
        going = [work.job.target for work in self.works if shard in work.job.shards and not work.job.aborted]
        return self.directory.setdefault(key, (going or [self.owners[shard]])[0])

    def ask(self, name: str, key: str, how: How, number: int, ticket: Ticket) -> None:
        """A request goes to a node; if that fails it is sent again."""

        def again() -> None:
            if ticket.status == "pending":
                self.ask(self.place(key), key, how, number, ticket)

        self.network.send(name, lambda: self.receive(name, key, how, number, ticket), failed=again,
                          accept=lambda: self.arrives(name, key, number), task=True)  # fmt: skip

    def arrives(self, name: str, key: str, number: int) -> bool:
        """A request is queued."""
        return True

    def receive(self, name: str, key: str, how: How, number: int, ticket: Ticket) -> None:
        """An actor answers, or the request is sent on to where it lives; if it sleeps, when it has been sent."""
        node, lives = self.nodes[name], self.directory[key]
        if lives != name:
            self.ask(lives, key, how, number, ticket)
        elif key in node.asleep:
            node.parked.append((key, lambda: self.ask(self.directory[key], key, how, number, ticket)))
        else:
            ticket.tell(self.answer(node.actors.setdefault(key, Actor()), key, how, number))

    def answer(self, actor: Actor, key: str, how: How, number: int) -> str:
        """What an actor answers: to what it has answered before, the same."""
        if number not in actor.answers:
            actor.answers[number] = self.write(actor.rows, key, how)
        return actor.answers[number]

    def get(self, key: str) -> Value | None:
        name = self.directory.get(key, self.owners[self.shard_of(key)])
        if not self.reached(name):
            raise Unavailable
        return self.nodes[name].actors.get(key, Actor()).rows.get(key)

    # -------------------------------------------------- the migration

    def begin_migration(self, node: str) -> None:
        away = {self.shard_of(key) for key, lives in self.directory.items() if lives != node}
        self.move([s for s, owner in self.owners.items() if owner != node or s in away], node)

    def move(self, shards: Sequence[int], node: str) -> None:
        self.begin(Job([*shards], node))

    def steps(self, job: Job) -> Iterator[Any]:
        """Actor by actor; who was on the way arrives first."""
        while key := job.flying or self.next_one(job):
            if not job.flying:
                job.flying, job.source = key, self.directory[key]
            source = self.nodes[job.source]
            if self.directory[key] != job.target:
                yield "sleep"
                yield self.command(job, job.source, lambda key=key, source=source: self.sleep(source, key))
                yield "send"
                actor = self.packed(source.actors.get(key, Actor()))
                yield self.command(job, job.target, lambda key=key, actor=actor: self.wake(job, key, actor))
            yield "forget"
            yield self.command(job, job.source, lambda key=key, source=source: self.forget(source, key))
            job.flying = ""
        if not job.aborted:
            self.owners.update(dict.fromkeys(job.shards, job.target))

    def next_one(self, job: Job) -> str:
        """Who goes next."""
        if job.aborted:
            return ""
        return next((k for k, name in sorted(self.directory.items())
                     if self.shard_of(k) in job.shards and name != job.target), "")  # fmt: skip

    def sleep(self, node: Node, key: str) -> None:
        """An actor answers nobody until it has been sent."""
        node.asleep.add(key)

    def packed(self, actor: Actor) -> Actor:
        """What is sent of an actor."""
        return actor.copy()

    def wake(self, job: Job, key: str, actor: Actor) -> None:
        """An actor lives here now."""
        self.nodes[job.target].actors[key] = actor
        self.nodes[job.target].asleep.discard(key)
        self.directory[key] = job.target

    def forget(self, node: Node, key: str) -> None:
        """The former node sends on what has come in between."""
        node.actors.pop(key, None)
        node.asleep.discard(key)
        parked, node.parked = node.parked, []
        for one, send in parked:
            if one == key:
                send()
            else:
                node.parked.append((one, send))

    # -------------------------------------------------- faults

    def on_abort(self, node: str) -> None:
        """Whoever is on the way arrives; the rest stays."""
        for work in self.works:
            self.give_up(work)

    def give_up(self, work: Work) -> None:
        """A migration stops."""
        work.job.aborted = True
        self.take_over(work)

    def observe(self) -> Mapping[str, Any]:
        held = {
            n: {k: v for a in node.actors.values() for k, v in a.rows.items()}
            for n, node in self.nodes.items()
        }
        return self.shown(held, lambda key: self.directory[key])
