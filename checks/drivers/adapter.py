"""The few functions through which a program that moves shards is driven."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

ACKNOWLEDGED, REFUSED, FAILED, PENDING = "acknowledged", "refused", "failed", "pending"
STATUSES = (ACKNOWLEDGED, REFUSED, FAILED, PENDING)
IDLE = "idle"

FAULTS = {
    "cut": "nobody reaches the node",
    "pause": "the node accepts, but applies nothing of it",
    "fail": "the next delivery to the node fails, and its sender is told",
    "lose": "the next delivery to the node is lost, and nobody is told",
    "delay": "the next delivery to the node stays on its way; its client goes on waiting",
    "duplicate": "the next delivery to the node arrives once more, later",
    "timeout": "clients give up waiting for what is pending; it may still happen",
    "stale": "some clients go on with what they know now of who owns what",
    "restart": "the node restarts",
    "crash": "the coordinator of the migration crashes, and another takes over",
    "zombie": "a command of the coordinator that was sent long ago arrives once more",
    "abort": "an operator gives the migration up",
}

Answer = str | Callable[[], str]


class NotSupported(Exception):
    """The system has no such thing: it is left out of the schedules, and the report says so."""


class Unavailable(Exception):
    """A read gets no answer now. That is no fault: nothing wrong was shown."""


class Adapter:
    """Your system, driven. Override what it has; the rest is `NotSupported`. Each run makes one, without arguments.

    Nothing should happen by itself between two calls: what is under way goes on in `advance`. What happens all the same
    is judged too, but such a run may not be repeatable. Any other exception than those named here is reported as the
    adapter's failure. `versioned` says which reading of late writes is meant: see `judge.py`."""

    versioned: ClassVar[bool] = True

    def start(self, nodes: Sequence[str], shards: int, seed: int) -> None:
        """A fresh and empty system in which the first node owns all shards; the others may come to own them.

        `seed` is for what the system draws, if it draws anything."""
        raise NotImplementedError(f"{type(self).__name__} has no start(): it is needed")

    def put(self, key: str, value: str) -> Answer:
        """A client writes a document. Every value is written once.

        Returns "acknowledged", "refused" (it has no effect, ever), "failed" (nobody knows: it may have happened, and
        may yet), or "pending"; or a function that tells this when it is called, and is called until it is not "pending"
        any more."""
        raise NotImplementedError(f"{type(self).__name__} has no put(): it is needed")

    def delete(self, key: str) -> Answer:
        """A client deletes a document, be it there or not; returns as `put`."""
        raise NotSupported

    def get(self, key: str) -> str | None:
        """What a client reads now; None for nothing. Raises Unavailable where it gets no answer."""
        raise NotImplementedError(f"{type(self).__name__} has no get(): it is needed")

    def begin_migration(self, node: str) -> None:
        """Begin to move all shards to a node. It is not called while `phase` is not "idle"."""
        raise NotSupported

    def advance(self) -> bool:
        """One small step of what is under way: a delivery, a task, a turn of the coordinator. False if nothing can
        go on."""
        raise NotSupported

    def phase(self) -> str:
        """Where the migration stands, in your words; "idle" before the first one and after each.

        If your words are those of `MigrationPhase`, their order is compared with the oracle's."""
        raise NotSupported

    def inject(self, fault: str, node: str) -> None:
        """Let something of `FAULTS` go wrong, until `heal`. Where a fault means nothing now, do nothing."""
        raise NotSupported

    def heal(self) -> None:
        """Nothing goes wrong from now on: nodes are reached and apply, deliveries arrive, clients know the owner."""

    def observe(self) -> Mapping[str, Any]:
        """What it can show of itself, any of: "documents", key to value (None for nothing), as their owner has them;
        "owner", key to node. What it does not tell is not judged."""
        return {}

    def stop(self) -> None:
        """The run is over; it is called in any case."""


# ------------------------------------------------------------------ the reference
