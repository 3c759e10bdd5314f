"""A slot moves key by key, while both nodes serve it: who is asked for a key that has gone sends the client on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cutproof.checks.drivers.adapter import REFUSED, Answer, Unavailable, Value
from strangers.kit import Ticket
from strangers.rows import How, RowStore


@dataclass
class Slot:
    """Who serves a slot: its owner, and whom that sends clients on to while the slot moves."""

    owner: str
    target: str = ""
    flying: set[str] = field(default_factory=set)  # keys under way


@dataclass
class Job:
    """A migration's durable state."""

    slots: list[int]
    source: str
    target: str
    term: int = 0
    word: str = "move"


class Slots(RowStore):
    """Key by key. A key under way is locked; the source deletes it when the target has confirmed it. An operation on
    a key that the source has not goes to the target. An abort turns round: what has gone comes back."""

    faults = (
        "cut",
        "pause",
        "fail",
        "lose",
        "delay",
        "duplicate",
        "timeout",
        "stale",
        "restart",
        "crash",
        "abort",
    )

    def set_up(self) -> None:
        self.nodes: dict[str, dict[str, Value]] = {name: {} for name in self.names}
        self.slots = {slot: Slot(self.names[0]) for slot in range(self.shards)}
        self.held: list[tuple[str, How, Ticket]] = []
        self.behind: dict[str, dict[int, str]] = {}  # whom the clients that are behind ask first

    # -------------------------------------------------- clients

    def change(self, key: str, how: How) -> Answer:
        """Change a key where it is; one that is under way is waited for."""
        if key in self.slots[self.shard_of(key)].flying:
            self.held.append((key, how, self.ticket()))
            return self.held[-1][2]
        return self.perform(key, how)

    def perform(self, key: str, how: How) -> str:
        """The node that serves a key changes it."""
        name = self.serving(key)
        return self.write(self.nodes[name], key, how) if name else REFUSED

    def serving(self, key: str) -> str:
        """Who serves a key, after all redirections; nobody if one that is asked can't be reached."""
        number = self.shard_of(key)
        slot = self.slots[number]
        asked = [self.behind.get(self.client, {}).get(number, slot.owner)]
        if asked[0] != slot.owner:
            asked.append(slot.owner)
        if self.asks(number, key):
            asked.append(slot.target)
        return asked[-1] if all(self.reached(name) for name in asked) else ""

    def asks(self, number: int, key: str) -> bool:
        """Whether the owner sends a client on to the target: the key is not here."""
        slot = self.slots[number]
        return bool(slot.target) and key not in self.nodes[slot.owner]

    def get(self, key: str) -> Value | None:
        name = self.serving(key)
        if not name:
            raise Unavailable
        return self.nodes[name].get(key)

    def scan(self) -> Sequence[tuple[str, Value]]:
        found = []
        for slot, name in [(n, s.owner) for n, s in self.slots.items()] + [
            (n, s.target) for n, s in self.slots.items()
        ]:
            if name and not self.reached(name):
                raise Unavailable
            held = self.nodes[name] if name else {}
            found += [
                (k, v) for k, v in held.items() if self.shard_of(k) == slot and self.listed(slot, name, k)
            ]
        return found

    def listed(self, number: int, name: str, key: str) -> bool:
        """Whether a node names a key in a search: the target does not name one that is under way."""
        return name == self.slots[number].owner or key not in self.slots[number].flying

    # -------------------------------------------------- the migration

    def begin_migration(self, node: str) -> None:
        self.move([n for n, slot in self.slots.items() if slot.owner != node], node)

    def move(self, shards: Sequence[int], node: str) -> None:
        for source in sorted({self.slots[n].owner for n in shards} - {node}):
            self.begin(Job([n for n in shards if self.slots[n].owner == source], source, node))

    def steps(self, job: Job) -> Iterator[Any]:
        """Slot by slot: what was under way when another began is brought to its end first."""
        yield job.word
        for number in job.slots:
            slot = self.slots[number]
            for key in sorted(slot.flying):
                yield from self.fly(job, slot, key)
            if slot.target and slot.target != job.target:
                slot.owner, slot.target = slot.target, slot.owner
            if not slot.target:
                if slot.owner == job.target:
                    continue
                yield self.command(job, slot.owner, lambda slot=slot: setattr(slot, "target", job.target))
            while key := self.next_key(number):
                yield from self.fly(job, slot, key)
            yield self.command(job, job.target, lambda slot=slot: self.own(slot, job.target))

    def next_key(self, number: int) -> str | None:
        """A key that the owner still has."""
        held = self.nodes[self.slots[number].owner]
        return next((k for k in sorted(held) if self.shard_of(k) == number), None)

    def own(self, slot: Slot, node: str) -> None:
        """All keys have gone: the target owns the slot."""
        slot.owner, slot.target = node, ""

    def fly(self, job: Job, slot: Slot, key: str) -> Iterator[Any]:
        """One key goes over."""
        yield lambda: self.reached(slot.owner)
        if key not in self.nodes[slot.owner]:
            slot.flying.discard(key)
            return
        slot.flying.add(key)
        value = self.nodes[slot.owner][key]
        yield self.command(job, slot.target, lambda: self.nodes[slot.target].update({key: value}))
        yield self.command(job, slot.owner, lambda: self.landed(slot, key))

    def landed(self, slot: Slot, key: str) -> None:
        """The source deletes a key, and who waits for it goes on."""
        self.nodes[slot.owner].pop(key, None)
        slot.flying.discard(key)
        self.go_on(key)

    def go_on(self, key: str) -> None:
        """Who waits for a key goes on."""
        held, self.held = self.held, []
        for one, how, ticket in held:
            if one == key:
                ticket.tell(self.perform(key, how))
            else:
                self.held.append((one, how, ticket))

    # -------------------------------------------------- faults

    def on_timeout(self, node: str) -> None:
        """Who waits for a key goes away, and is told that nothing happened."""
        held, self.held = self.held, []
        for *_, ticket in held:
            ticket.tell(REFUSED)

    def on_stale(self, node: str) -> None:
        """A client goes on asking whom it asks now."""
        self.behind.setdefault(self.client, {number: slot.owner for number, slot in self.slots.items()})

    def on_abort(self, node: str) -> None:
        """What has gone comes back."""
        for work in self.works:
            if work.job.word == "move":
                self.turn_round(work)

    def turn_round(self, work: Any) -> None:
        """The migration goes the other way."""
        work.job.source, work.job.target, work.job.word = work.job.target, work.job.source, "move back"
        self.take_over(work)

    def heal(self) -> None:
        super().heal()
        self.behind.clear()

    def observe(self) -> Mapping[str, Any]:
        return self.shown(self.nodes, lambda key: self.slots[self.shard_of(key)].target if self.asks(
            self.shard_of(key), key) else self.slots[self.shard_of(key)].owner)  # fmt: skip
