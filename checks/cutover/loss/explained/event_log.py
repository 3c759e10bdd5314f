"""Event logs: what happened to each document of a cluster, told in the specification's vocabulary.

    log = EventLog(cluster)           # before the migration begins
    ...                               # run it
    log.of("doc-7")                   # the events that concern one document

A migration is deterministic from its seed: one that lost something is run again with a log, which draws nothing and
changes nothing. What is recorded is seen from outside: calls on this cluster's own network and shards, and what the
record became. Nothing is patched for others, and `detach` leaves the cluster as it was. While a log is attached the
cluster can't be snapshotted.

Three words are not in the specification: `page_is_doubled` (a page will arrive twice), `copy_ends` (an error was read
as the end of the data, with pages yet to come), and names of nodes that have no part in the shard's migration.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cutproof.checks.cutover.loss.explained.events import (
    ANSWERS,
    SILENT,
    TABLE,
    Entry,
    Event,
    about_of,
    action_of,
    answered,
    node_name,
)
from cutproof.checks.cutover.reference.abstraction import CARRIED
from cutproof.impl.anti_entropy import is_read
from cutproof.impl.choices import Choice
from cutproof.impl.clients import Write
from cutproof.impl.cluster import Cluster
from cutproof.impl.node import Kind, Message, Replica, page_of
from cutproof.impl.record import Phase, Record
from cutproof.impl.shard import Shard


@dataclass(slots=True)
class _Seen:
    """What was last seen of a replica."""

    fence: int = 0
    cut: bool = False
    holds: bool = False


@dataclass(slots=True)
class _Watch:
    """What was last seen of a shard."""

    coordinator: object
    replicas: dict[Replica, _Seen] = field(default_factory=dict)
    awaited: dict[str, Any] = field(default_factory=dict)  # which documents the last page is of


class EventLog:
    """Records what happens to a cluster from now on."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self._entries: list[Entry] = []
        self._numbers: dict[Message, int] = {}  # of messages of the coordinator and of anti-entropy
        self._watched = {shard: _Watch(shard.coordinator) for shard in cluster.shards}
        self._wrapped: list[tuple[object, str]] = []
        self._doubled: Message | None = None  # a write that is accepted next, and will arrive again
        self._doubling = self._hearing = self._muted = False
        self._look()
        self._entries.clear()
        network = cluster.network
        for name in ("accept", "_apply", "refuse", "fail", "lose"):
            self._wrap(network, name, self._message(name.strip("_")))
        self._wrap(network, "send", self._sent)
        self._wrap(network, "reconsider", lambda: None)
        self._wrap(network, "forget_queue", self._wiped)
        self._wrap_around(network, "duplicate", self._duplicated)
        for shard in cluster.shards:
            self._wrap(shard, "_dispatch", self._dispatched)
            for name in ANSWERS:
                self._wrap(shard, name, self._answer(name))
            self._wrap(shard, "change", self._change(shard))
            self._wrap_around(shard, "coordinator_hears_of_failure", self._hears)
        self._wrap_around(cluster, "_turn", self._turned)
        self._wrap_around(cluster, "step", self._stepped)

    def detach(self) -> None:
        """Record nothing more."""
        self._look()
        for owner, name in self._wrapped:
            del vars(owner)[name]
        self._wrapped.clear()

    def of(self, key: str) -> list[Event]:
        """The events that concern one document: of its messages and pages, and what its shard's coordinator did."""
        self._look()
        shard = self.cluster.shard(key)
        page = page_of(key, shard.pages)
        mine = (e for e in self._entries if e.shard is shard and e.concerns(key, page))
        return [
            Event(
                e.action,
                {k: node_name(shard, v) if isinstance(v, Replica) else v for k, v in e.about.items()},
                e.epoch,
            )
            for e in mine
        ]

    # -------------------------------------------------- attaching

    def _wrap(self, owner: object, name: str, before: Callable[..., None]) -> None:
        """What `before` sees of a call is recorded, then the call is made."""

        def seen(call: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
            before(*arguments, **named)
            return call(*arguments, **named)

        self._wrap_around(owner, name, seen)

    def _wrap_around(self, owner: object, name: str, around: Callable[..., Any]) -> None:
        call = getattr(owner, name)

        def wrapped(*arguments: Any, **named: Any) -> Any:
            self._look()
            return around(call, *arguments, **named)

        vars(owner)[name] = wrapped
        self._wrapped.append((owner, name))

    def _add(self, shard: Shard, action: str, about: dict[str, Any] | None = None, **more: Any) -> None:
        if not self._muted:
            more.setdefault("epoch", shard.record.epoch)
            self._entries.append(Entry(shard, action, about or {}, **more))

    # -------------------------------------------------- what is seen only by looking

    def _look(self) -> None:
        """Fences that rose, nodes that were cut off or healed, and documents that were deleted, since the last look."""
        for shard, watch in self._watched.items():
            for replica in shard.replicas.values():
                seen, now = watch.replicas.get(replica), replica.node.cut
                if seen is None:
                    seen = watch.replicas[replica] = _Seen()
                if now is not seen.cut:
                    self._add(shard, "cut_off" if now else "heal", {"pair": replica})
                if replica.fence > seen.fence:
                    self._add(shard, "raise_fence", {"node": replica, "epoch": replica.fence})
                deleted = seen.holds and not replica.documents and shard.record.phase is Phase.CLEANUP
                if replica.fence < seen.fence or deleted:
                    self._add(shard, "delete_source", {"pair": replica})
                seen.fence, seen.cut, seen.holds = replica.fence, now, bool(replica.documents)

    def _turned(self, call: Callable[..., bool], shard: Shard) -> bool:
        done = call(shard)
        self._look()
        return done

    def _stepped(self, call: Callable[..., bool], choice: Choice | None = None) -> bool:
        """Choices are done by name, some of them past the methods that are watched."""
        if choice is None:
            return call()
        if choice.action in (*SILENT, *ANSWERS, *TABLE):
            about, where = about_of(choice)
            self._add(choice.shard, choice.action, about, **where)
        self._muted = choice.action in SILENT
        try:
            done = call(choice)
            self._look()
        finally:
            self._muted = False
        return done

    # -------------------------------------------------- messages

    def _shard(self, message: Message) -> Shard:
        return self.cluster.network.shards[message.replica.shard]

    def _name(self, message: Message) -> dict[str, Any]:
        if message.write is not None:
            return {"node": message.replica, "message": message.copies[0].order // 2}
        kind = "stray" if message.abandoned else CARRIED[message.kind]
        return {"node": message.replica, "message": kind, "number": self._number(message)}

    def _number(self, message: Message) -> int:
        return self._numbers.setdefault(message, len(self._numbers) + 1)

    def _message(self, name: str) -> Callable[[Message], None]:
        def happens(message: Message) -> None:
            if name == "lose" and message.queued:
                return  # a crash forgets it, where few may stray
            action = name
            if name == "accept" and message is self._doubled:
                action = "accept_duplicate"
            elif name == "fail":
                action = "task_fails" if message.queued else "delivery_fails"
            elif name == "lose":
                action = "delivery_is_lost"
            self._doubled = None
            self._add(self._shard(message), action, self._name(message), copies=message.copies)

        return happens

    def _duplicated(self, call: Callable[..., Message], message: Message) -> Message:
        self._doubling = True
        again = call(message)
        self._doubling = False
        if message.write is not None:
            self._doubled = message
        elif message.kind is Kind.PAGE:
            about = {"number": self._number(message), "again": self._number(again)}
            self._add(self._shard(message), "page_is_doubled", about, copies=message.copies)
        return again

    def _sent(self, message: Message) -> None:
        shard = self._shard(message)
        watch = self._watched[shard]
        if self._doubling:
            return
        if message.kind in (Kind.PAGE, Kind.DELTA):
            action = "read_page" if message.kind is Kind.PAGE else "scan"
            by_key = message.kind is Kind.DELTA or shard.record.mechanisms.keyset_paging
            watch.awaited = {"page": message.page} if by_key else {"copies": message.copies}
            self._add(shard, action, {"number": self._number(message)}, **watch.awaited)
            return
        copy = message.copies[0]
        holders = [r for r in shard.replicas.values() if r.documents.get(copy.key) is copy and not r.node.cut]
        here = next((r for r in holders if is_read(shard, r)), message.replica)
        action = "sweep" if message.kind is Kind.SWEEP else "repair_expired" if copy.version[2] else "repair"
        about = {"node": here, "to": message.replica, "number": self._number(message)}
        self._add(shard, action, about, key=copy.key)

    def _wiped(self, replica: Replica) -> None:
        """Called by the wipe, once it has raised the fence: the look took that for a fence."""
        shard = self.cluster.network.shards[replica.shard]
        last = self._entries[-1] if self._entries else None
        if last is not None and last.about == {"node": replica, "epoch": shard.record.epoch}:
            self._entries.pop()  # no fence is raised at the epoch of an abort
        self._add(shard, "wipe", {"epoch": shard.record.epoch})

    # -------------------------------------------------- clients

    def _dispatched(self, write: Write, route: Any, history: Any) -> None:
        copy, shard = write.copy, self.cluster.network.shards[history.shard]
        earlier = [c.version for c in history.operations if c is not copy]
        action = "write"
        if route.epoch != shard.record.epoch:
            action = "write_by_stale_router"
        elif earlier and copy.version <= earlier[-1]:
            action = "write_by_slow_clock"  # by whatever went wrong with the sequencer
        about = {"rank": copy.order // 2, "erases": copy.content is None, "view": route.epoch}
        self._add(shard, action, about, key=copy.key)

    def _answer(self, action: str) -> Callable[[Write], None]:
        def answers(write: Write) -> None:
            copy = write.copy
            shard = self.cluster.network.shards[copy.history.shard]
            self._add(shard, action, answered(write), key=copy.key)

        return answers

    # -------------------------------------------------- the record

    def _hears(self, call: Callable[..., None], message: Message) -> None:
        self._hearing = True
        call(message)
        self._hearing = False

    def _change(self, shard: Shard) -> Callable[..., None]:
        def changes(expected: Record, **new: Any) -> None:
            epoch = new.get("epoch", expected.epoch)
            if self._hearing:
                if "cursor" in new:
                    by_key = expected.mechanisms.keyset_paging
                    self._add(shard, "copy_ends", page=expected.cursor if by_key else None, onwards=True)
                return
            watch = self._watched[shard]
            if shard.coordinator is not watch.coordinator:
                watch.coordinator = shard.coordinator
                self._add(shard, "crash", epoch=epoch)
            elif action := action_of(expected, new):
                nodes = zip(("source", "target"), new["moves"][-1], strict=True) if action == "begin" else ()
                group = new.get("group", expected.group)
                self._add(shard, action, {k: shard.replicas[group, n] for k, n in nodes}, epoch=epoch)
            elif "cursor" in new:
                self._page(shard, expected, new)

        return changes

    def _page(self, shard: Shard, expected: Record, new: Mapping[str, Any]) -> None:
        """The cursor moved: a page was counted, or there was nothing to send, or all is to be scanned again."""
        copying = expected.phase is Phase.COPY
        if shard.coordinator.awaits is not None:
            self._add(shard, "page_landed" if copying else "repaired", **self._watched[shard].awaited)
        elif not copying and new["cursor"] == 0:
            self._add(shard, "proof_fails")
        else:
            self._add(shard, "read_page" if copying else "scan", {"number": 0}, page=expected.cursor)
