"""The few functions through which a foreign implementation is driven, and the reference implementation behind them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from cutproof.checks.judge import ACKNOWLEDGED, PENDING, REFUSED, UNKNOWN
from cutproof.impl import Cluster, Status
from cutproof.impl import Unavailable as ClusterUnavailable
from cutproof.impl.miroir import MigrationPhase

FAULTS = ("cut", "fail", "lose", "delay", "duplicate", "crash", "restart")

Value = Mapping[str, Any]


class NotSupported(Exception):
    """The system has no such thing: it is left out, and the report says so."""


class Unavailable(Exception):
    """A read can't be answered now. That is no fault: nothing wrong was shown."""


class Adapter:
    """Your system, driven. Override what it has; what you leave is `NotSupported`. One adapter is made for each run.

    Nothing may happen by itself between two calls: what is under way goes on in `advance`, or all results are luck.
    `versioned` says which operation wins (see `judge.py`)."""

    versioned: ClassVar[bool] = True

    def start(self, nodes: list[str], shards: int, seed: int) -> None:
        """A fresh, empty system of these nodes. `seed` draws what the system draws, if it draws anything."""
        raise NotImplementedError

    def put(self, number: int, key: str, value: Value) -> str:
        """A client writes a whole document; `number` is the operation's. Returns "acknowledged", "refused" (it never
        happens), "unknown" (it may have happened, or may yet), or "pending": then `outcome` is asked later."""
        raise NotImplementedError

    def delete(self, number: int, key: str) -> str:
        """A client deletes a document; returns as `put`."""
        raise NotSupported

    def outcome(self, number: int) -> str:
        """What has become of a pending operation by now, as `put` says it."""
        raise NotSupported

    def get(self, key: str) -> Value | None:
        """What a client reads now: the document, or None. Raises Unavailable where it gets no answer."""
        raise NotImplementedError

    def begin_migration(self, node: str) -> None:
        """A node joins, and what it shall own begins to move there; only called while `phase` is "idle"."""
        raise NotSupported

    def advance(self) -> bool:
        """One step of what is under way: a delivery, a task, a turn of the coordinator. False if nothing can go on."""
        raise NotSupported

    def phase(self) -> str:
        """Where the migration stands, in your words; "idle" before the first and after each."""
        raise NotSupported

    def inject(self, fault: str, node: str) -> None:
        """Let something of `FAULTS` go wrong: *cut* the node off; *fail* (with an error) or *lose* a part of the
        deliveries to it, *delay* them until after their client gave up, *duplicate* them; *crash* the coordinator, so
        that another recovers; *restart* the node."""
        raise NotSupported

    def heal(self) -> None:
        """Nothing goes wrong from now on: nodes are reached again, deliveries arrive."""

    def observe(self) -> Mapping[str, Any]:
        """What it can show of itself. `documents` maps keys to what their owner holds (None for nothing)."""
        return {}

    def stop(self) -> None:
        """The run is over."""


_OUTCOMES = {
    Status.ACKNOWLEDGED: ACKNOWLEDGED, Status.REFUSED: REFUSED, Status.FAILED: UNKNOWN, Status.TIMED_OUT: UNKNOWN,
    Status.WAITING: PENDING, Status.HELD: PENDING,
}  # fmt: skip
_OVER = (MigrationPhase.COMPLETE, MigrationPhase.FAILED)


class Reference(Adapter):
    """The reference implementation as an adapter: what the others are compared with, and an example of every method.

    `without` removes safeguards, for those who want to see one missed."""

    without: ClassVar[Iterable[str]] = ()

    def start(self, nodes: list[str], shards: int, seed: int) -> None:
        self.cluster = Cluster(nodes, shards, rf=1, seed=seed, without=self.without, gate=None, pages=2)
        self.writes: dict[int, Any] = {}

    def put(self, number: int, key: str, value: Value) -> str:
        self.writes[number] = self.cluster.submit(key, value)
        return self.outcome(number)

    def delete(self, number: int, key: str) -> str:
        self.writes[number] = self.cluster.submit(key, None)
        return self.outcome(number)

    def outcome(self, number: int) -> str:
        return _OUTCOMES[self.writes[number].status]

    def get(self, key: str) -> Value | None:
        try:
            return self.cluster.get(key)
        except ClusterUnavailable as error:
            raise Unavailable(str(error)) from None

    def begin_migration(self, node: str) -> None:
        self.cluster.move(range(len(self.cluster.shards)), node)

    def advance(self) -> bool:
        return self.cluster.step()

    def phase(self) -> str:
        migrations = self.cluster.migrations
        if not migrations or migrations[-1].phase in _OVER:
            return "idle"
        return migrations[-1].phase.value

    def inject(self, fault: str, node: str) -> None:
        faults = self.cluster.faults
        match fault:
            case "crash":
                faults.crash()
            case "cut" | "restart":
                getattr(faults, fault)(node)
            case _:
                getattr(faults, fault)(node, rate=0.3)

    def heal(self) -> None:
        for node in self.cluster.nodes:
            self.cluster.faults.heal(node)
            self.cluster.faults.plan(node)

    def observe(self) -> Mapping[str, Any]:
        shards = self.cluster.shards
        held = {key: copy for s in shards for key, copy in s.owner.documents.items()}
        documents = {k: None if c.content is None else dict(c.content) for k, c in sorted(held.items())}
        return {"documents": documents, "owner": {s.number: s.record.owner for s in shards}}
