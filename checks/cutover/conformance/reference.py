"""The reference implementation as an adapter: what others are compared with, and an example of every method."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from random import Random
from typing import Any, ClassVar

from cutproof.checks.drivers.adapter import (
    ACKNOWLEDGED,
    FAILED,
    IDLE,
    PENDING,
    REFUSED,
    Adapter,
    Answer,
    Unavailable,
    Value,
)
from cutproof.impl import Cluster, Status, choices, mover
from cutproof.impl import cluster as clusters
from cutproof.impl.clients import Write
from cutproof.impl.node import Message
from cutproof.impl.shard import Shard

_STATUS = {
    Status.ACKNOWLEDGED: ACKNOWLEDGED, Status.REFUSED: REFUSED, Status.FAILED: FAILED, Status.TIMED_OUT: FAILED,
    Status.WAITING: PENDING, Status.HELD: PENDING,
}  # fmt: skip
HASTE = (0.2, 0.5, 0.9)  # how often the coordinator is preferred to the messages; drawn for each run


class Reference(Adapter):
    """The reference implementation as an adapter: what others are compared with, and an example of every method.

    It draws its steps itself: a fault can strike exactly one delivery, and a hasty coordinator overtake what is in
    flight.
    `without` removes safeguards, for those who want to see one missed."""

    without: ClassVar[Iterable[str]] = ()

    def start(self, nodes: Sequence[str], shards: int, seed: int) -> None:
        self.cluster = Cluster(nodes[:1], shards, rf=1, seed=seed, without=self.without, gate=None, pages=2)
        self.random = Random(seed)
        self.haste = self.random.choice(HASTE)
        self.struck: list[tuple[str, str]] = []  # (fault, node): what the next delivery meets
        self.delayed: set[Message] = set()
        self.paused: set[str] = set()
        self.doubled: set[Write] = set()
        self.behind: set[str] = (
            set()
        )  # clients whose router goes on with what it knew, or whose clock is slow

    # -------------------------------------------------- clients

    def put(self, key: str, value: str) -> Answer:
        write = self.cluster.submit(key, {"value": value}, router=self._router())
        return lambda: self._status(write)

    def delete(self, key: str) -> Answer:
        write = self.cluster.submit(key, None, router=self._router())
        return lambda: self._status(write)

    def _status(self, write: Write) -> str:
        """Of a write that was duplicated, "refused" only means that one of its messages was: it may have happened."""
        status = _STATUS[write.status]
        return FAILED if status == REFUSED and write in self.doubled else status

    def get(self, key: str) -> str | None:
        shard, router = self.cluster.shard(key), self._router()
        read = shard.read(key, self.cluster.views.get(router, {}).get(shard.number))
        if not shard.can_answer(read):
            shard.refuse_read(read)
            raise Unavailable
        shard.answer_read(read)
        return _value(read.answer)

    def scan(self) -> Sequence[tuple[str, Value]]:
        try:
            found = self.cluster.search()
        except clusters.Unavailable as error:
            raise Unavailable from error
        return [(key, str(document["value"])) for key, document in found.items()]

    def _router(self) -> str:
        """Each client has a router; those that are neither stale nor slow are all alike."""
        return self.client if self.client in self.behind else ""

    # -------------------------------------------------- the migration

    def begin_migration(self, node: str) -> None:
        elsewhere = [s.number for s in self.cluster.shards if s.record.owner != node]
        self.cluster.move(elsewhere, node)

    def phase(self) -> str:
        if not any(mover.is_busy(shard) for shard in self.cluster.shards):
            return IDLE
        return self.cluster.migrations[-1].phase.value

    def advance(self) -> bool:
        shards, carried = self.cluster.shards, list(self._carried())
        turns: list[tuple[Callable[..., Any], Any, Any]] = [
            (mover.perform, shard, command)
            for shard in shards if mover.is_busy(shard)
            for command in mover.wants(shard) if mover.can_perform(shard, command)
        ]  # fmt: skip
        for shard in shards:
            due = (w for w in shard.waiting if w.enough[w.done] or not w.pending)
            turns += [(Shard.answer, shard, write) for write in due]
        if not turns and not carried:
            return False
        hasty = self.random.random() < self.haste
        if turns and (hasty or not carried):
            do, shard, what = self.random.choice(turns)
            do(shard, what)
        else:
            self._carry(self.random.choice(carried))
        return True

    def _carried(self) -> Iterator[Message]:
        """Messages that may arrive, and tasks that may be applied."""
        network = self.cluster.network
        for message in network.under_way():
            node = message.replica.node
            if message.queued:
                if node.name not in self.paused:
                    yield message
            elif message in self.delayed or node.cut:
                continue
            elif message.replica.is_fenced(message) or network.can_arrive(message):
                yield message

    def _carry(self, message: Message) -> None:
        network = self.cluster.network
        if message.queued:
            network.apply(message)
        elif message.replica.is_fenced(message):
            network.refuse(message)
        else:
            self._arrive(message, self._strikes(message))

    def _arrive(self, message: Message, fault: str) -> None:
        network = self.cluster.network
        match fault:
            case "fail":
                network.fail(message)
            case "lose":
                network.lose(message)
            case "delay":
                self.delayed.add(message)
            case "duplicate":
                if message.write is not None:
                    self.doubled.add(message.write)
                network.duplicate(message)
                network.accept(message)
            case _:
                network.accept(message)

    def _strikes(self, message: Message) -> str:
        """The fault that meets this delivery, or nothing."""
        for fault, node in self.struck:
            once = fault != "duplicate" or message.write is not None
            if node == message.replica.node.name and once:
                self.struck.remove((fault, node))
                return fault
        return ""

    # -------------------------------------------------- faults

    def inject(self, fault: str, node: str) -> None:
        cluster = self.cluster
        if node not in cluster.nodes:
            return
        match fault:
            case "cut" | "restart":
                getattr(cluster.faults, fault)(node)
            case "pause":
                self.paused.add(node)
            case "fail" | "lose" | "delay" | "duplicate":
                self.struck.append((fault, node))
            case "crash":
                cluster.faults.crash()
            case "stale":
                self.behind.add(self.client)
                cluster.faults.stale(self.client)
            case "skew":
                self.behind.add(self.client)
                cluster.faults.skew(self.client)
            case "timeout":
                self._give_up()
            case "abort" if self.phase() != IDLE:
                cluster.migrations[-1].abort()
            case "zombie":
                late = [c for s in cluster.shards for c in choices.enabled(s) if c.fault == "zombie"]
                for choice in late[:1]:
                    cluster.step(choice)

    def _give_up(self) -> None:
        for shard in self.cluster.shards:
            for write in [*shard.waiting]:
                shard.time_out(write)
            held: list[Write] = [*shard.held]
            for write in held:
                shard.give_up(write)

    def heal(self) -> None:
        self.struck.clear()
        self.delayed.clear()
        self.paused.clear()
        for node in self.cluster.nodes:
            self.cluster.faults.heal(node)
        for client in sorted(self.behind):
            self.cluster.faults.refresh(client)
        self.behind.clear()

    # -------------------------------------------------- looking

    def observe(self) -> Mapping[str, Any]:
        shards = self.cluster.shards
        keys = sorted(key for shard in shards for key in shard.histories)
        owners = {key: self.cluster.shard(key).owner for key in keys}
        return {
            "documents": {key: _value(owner.documents.get(key)) for key, owner in owners.items()},
            "owner": {key: owner.node.name for key, owner in owners.items()},
        }


def _value(copy: Any) -> str | None:
    return None if copy is None or copy.content is None else str(copy.content["value"])
