"""The few functions through which a program that moves shards is driven."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

ACKNOWLEDGED, REFUSED, FAILED, PENDING, UNEQUAL = "acknowledged", "refused", "failed", "pending", "unequal"
STATUSES = (ACKNOWLEDGED, REFUSED, FAILED, PENDING)
COMPARED = (*STATUSES, UNEQUAL)  # what `put_if` may answer
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
    "skew": "the clock of the node goes wrong: it is ahead of all others",
    "restart": "the node restarts",
    "crash": "the coordinator of the migration crashes, and another takes over",
    "zombie": "a command of the coordinator that was sent long ago arrives once more",
    "abort": "an operator gives the migration up",
}
NODELESS = ("timeout", "stale", "crash", "zombie", "abort")  # faults that are about no node

Value = str | int | list[str]  # what a document holds: a text, a counter's number, a list's items


@dataclass(frozen=True)
class Read:
    """What a client read, where a read takes time: None for nothing."""

    value: Value | None


Answer = str | Callable[[], str]
Reading = Value | None | Callable[[], "Read | None"]


class NotSupported(Exception):
    """The system has no such thing: it is left out of the schedules, and the report says so."""


class Unavailable(Exception):
    """A read gets no answer now, or a migration can't begin. That is no fault: nothing wrong was shown."""


class Adapter:
    """Your system, driven. Override what it has; the rest is `NotSupported`. Each run makes one, without arguments.

    Nothing should happen by itself between two calls: what is under way goes on in `advance`. What happens all the same
    is judged too, but such a run may not be repeatable. Any other exception than those named here is reported as the
    adapter's failure. `versioned` says which reading of late writes is meant: see
    `histories/judge.py`. `ends_under_load` = False says that a migration may go on as long as clients write faster than
    it works; by default that is a failure. Documents are of three
    kinds, told by the names of their keys: those that are put and deleted ("doc-1"), counters ("counter-1"), and lists
    that are appended to ("list-1").

    `client` is set before each call that a client makes: who asks ("client-1", ...). Where each client has a router, or
    a connection, of its own, take the one of that name; where it means nothing, ignore it."""

    versioned: ClassVar[bool] = True
    ends_under_load: ClassVar[bool] = True
    client: str = "client-1"

    def start(self, nodes: Sequence[str], shards: int, seed: int) -> None:
        """A fresh and empty system in which the first node owns all shards; the others may come to own them.

        `seed` is for what the system draws, if it draws anything."""
        raise NotImplementedError(f"{type(self).__name__} has no start(): it is needed")

    # -------------------------------------------------- clients

    def put(self, key: str, value: str) -> Answer:
        """A client writes a document. Every value is written once.

        Returns "acknowledged", "refused" (it has no effect, ever), "failed" (nobody knows: it may have happened, and
        may yet), or "pending"; or a function that tells this when it is called, and is called until it is not "pending"
        any more."""
        raise NotImplementedError(f"{type(self).__name__} has no put(): it is needed")

    def delete(self, key: str) -> Answer:
        """A client deletes a document, be it there or not; returns as `put`."""
        raise NotSupported

    def put_if(self, key: str, old: str | None, new: str) -> Answer:
        """A client writes a document if it holds `old` (None: if it is not there), in one step.

        Returns as `put`, and "unequal" where it held something else: nothing was written."""
        raise NotSupported

    def add(self, key: str, amount: int) -> Answer:
        """A client adds to a counter, which begins at 0; returns as `put`."""
        raise NotSupported

    def append(self, key: str, item: str) -> Answer:
        """A client appends an item to a list, which begins empty; every item is appended once. Returns as `put`."""
        raise NotSupported

    def get(self, key: str) -> Reading:
        """What a client reads now: a text, a counter's number, a list's items; None for nothing.

        Where a read takes time: a function that is called until it returns not None but a `Read`. This raises, and
        that function may raise, Unavailable where the client gets no answer."""
        raise NotImplementedError(f"{type(self).__name__} has no get(): it is needed")

    def scan(self) -> Sequence[tuple[str, Value]]:
        """Every document that a client finds by searching all shards, as (key, value); one found twice stands there
        twice. Raises Unavailable as `get`."""
        raise NotSupported

    # -------------------------------------------------- migrations

    def begin_migration(self, node: str) -> None:
        """Begin to move all shards to a node. It is called only while `phase` is "idle", and never for the node that
        owns all of them already. From then on, before the first `advance`, `phase` says something else.

        This, `move`, `split` and `merge` raise Unavailable where it can't begin now: then nothing was begun."""
        raise NotSupported

    def move(self, shards: Sequence[int], node: str) -> None:
        """Begin to move some shards to a node. It may be called while other shards are on the move, never for a shard
        that is."""
        raise NotSupported

    def split(self, shard: int) -> int:
        """Begin to split a shard in two on its node. Returns the number of the new one, which no shard had before."""
        raise NotSupported

    def merge(self, shard: int, other: int) -> None:
        """Begin to merge another shard into this one. Both are on the same node, and neither is on the move."""
        raise NotSupported

    def advance(self) -> bool:
        """One small step of what is under way: a delivery, a task, a turn of the coordinator. False if nothing can
        go on."""
        raise NotSupported

    def phase(self) -> str:
        """Where the migration stands, in your words; "idle" before the first one and after each.

        Where several are under way, the words of all of them, in any form; "idle" only if there is none. If your words
        are those of `MigrationPhase`, their order is compared with the oracle's."""
        raise NotSupported

    # -------------------------------------------------- faults

    def inject(self, fault: str, node: str) -> None:
        """Let something of `FAULTS` go wrong, until `heal`. Where a fault means nothing now, do nothing.

        "stale" is about the client that `client` names, the rest of `NODELESS` about nobody: there `node` is any."""
        raise NotSupported

    def heal(self) -> None:
        """Nothing goes wrong from now on: nodes are reached and apply, deliveries arrive, clients know the owner."""

    # -------------------------------------------------- looking

    def observe(self) -> Mapping[str, Any]:
        """What it can show of itself, any of: "documents", key to value (None for nothing), as their owner has them;
        "owner", key to node; "nodes", node to key to value, as each holds them. What it does not tell is not judged,
        and "nodes" is only shown."""
        return {}

    def stop(self) -> None:
        """The run is over; it is called in any case."""
