"""The twin: the reference implementation within a scope of the specification.

`Twin` is the implementation, small: one shard, the nodes O, N and R, and clients that do what the scope lets them. It
lists what may happen next by the specification's names; `abstraction.py` maps its state to the specification's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import Enum
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

from cutproof.checks.cutover.reference import snapshots
from cutproof.checks.cutover.reference.abstraction import MACHINES, N, Names, O, R
from cutproof.checks.traces.trace import Step
from cutproof.impl import anti_entropy, choices, mover
from cutproof.impl.choices import Choice
from cutproof.impl.clients import Write
from cutproof.impl.coordinator import Delete, Fence, ReadPage, Wipe
from cutproof.impl.copies import Copy
from cutproof.impl.network import Network
from cutproof.impl.node import Message, Node, Replica
from cutproof.impl.record import Phase, Stage, attempt_of, stage_of
from cutproof.impl.shard import Shard
from cutproof.impl.state import state_of
from cutproof.impl.table import Table
from cutproof.model.cutover.mechanisms import Mechanisms
from cutproof.model.cutover.scopes import Scope
from cutproof.model.cutover.slot import policy_may_differ

# Steps of the implementation that change nothing that the specification speaks of.
STUTTERS = {
    "page_is_gone": "the coordinator learns that a page which it waits for was lost or cleared away",
}

# Which bound of the scope lets a fault happen.
BOUNDS = {
    "failed task": "failing_tasks", "failed delivery": "failures", "lost": "losses", "duplicated": "duplicates",
    "late": "late", "crash": "crashes", "zombie": "zombies", "restart": "restarts", "partition": "partitions",
    "overlap": "overlap", "policy change": "policy_change", "other migration": "table",
}  # fmt: skip


class Move(NamedTuple):
    """Something that may happen: its name in the specification, and how the implementation does it."""

    step: Step
    do: Callable[[], None]

    def __str__(self) -> str:
        return str(self.step)

    @property
    def stutters(self) -> bool:
        """It changes nothing that the specification speaks of."""
        return self.step.action in STUTTERS


class Twin:
    """The implementation within a scope, under the same mechanisms as the specification."""

    def __init__(
        self,
        scope: Scope,
        mechanisms: Mechanisms,
        make_names: Callable[[Scope, Mechanisms], Names] = Names,
    ) -> None:
        self.scope, self.mechanisms = scope, mechanisms
        self.off = {fault for fault, bound in BOUNDS.items() if not getattr(scope, bound)}
        self.names = names = make_names(scope, mechanisms)
        network = Network(seed=0, queues=scope.queues)
        network.strays = int(scope.strays)
        nodes = {name: Node(name) for name in MACHINES.values()}
        members = ((MACHINES[O],), (names.third,)) if scope.replica else ((MACHINES[O],),)
        table = Table(mechanisms) if scope.table else None
        self.shard = Shard(
            0, network, members, nodes, mechanisms, scope.documents, collects=scope.collect, table=table
        )
        self.shard.add_replica(0, MACHINES[N])
        self.shard.plans_another = policy_may_differ(scope)
        network.shards.append(self.shard)

    # -------------------------------------------------- what may happen

    def enabled(self) -> dict[str, Move]:
        """What may happen next within the scope, by the specification's names; stuttering steps too."""
        found: dict[str, Move] = {}
        for about, do in self._moves():
            step = self.label(about) if isinstance(about, Choice) else about
            name = str(step)
            assert name not in found, f"two choices are {name}"
            found[name] = Move(step, do)
        return found

    def do(self, position: int) -> None:
        """Take the move of this position among those that are `enabled`."""
        next(islice(self._moves(), position, None))[1]()

    def _moves(self) -> Iterator[tuple[Choice | Step, Callable[[], None]]]:
        for choice in choices.enabled(self.shard):
            if self._within(choice):
                yield choice, partial(choices.step, choice)
        yield from self._outside()

    def _within(self, choice: Choice) -> bool:
        """Whether the scope lets it happen."""
        if choice.fault in self.off:
            return False
        scope, shard = self.scope, self.shard
        match choice.action:
            case "abort":
                return shard.record.epoch < 4 * scope.aborts
            case "page_times_out":
                awaits = shard.coordinator.awaits
                strays = {m.page for m in shard.network.under_way() if m.abandoned}
                return scope.strays and awaits is not None and awaits[1] not in strays
            case "late_fence":
                return stage_of(choice.what[0].epoch) is Stage.DUAL
            case "late_delete":
                return scope.back
            case "restart":
                replica = choice.what[0]
                searched = any(replica in s.places for s in shard.searches)
                return self._is_pair(replica) and (searched if scope.searches else not replica.node.cut)
            case "cut_off":
                return self._is_pair(choice.what[0]) and not any(n.cut for n in shard.nodes.values())
            case "heal":
                return self._is_pair(choice.what[0])
            case "repair":
                return scope.repairs
            case "repair_expired":
                return scope.repairs and scope.sweep
            case "sweep":
                return scope.sweep
            case "begin_another":
                return self._overlaps()
            case "give_up":
                return False
        return True

    def _is_pair(self, replica: Replica) -> bool:
        return self.names.node_of(replica) is not R

    def _overlaps(self) -> bool:
        record, scope = self.shard.record, self.scope
        if record.mechanisms.one_migration_per_shard:
            return True
        room = record.epoch < 4 * (scope.attempts - 1)
        return record.phase is Phase.DELTA and record.proof and room and self.shard.rival is None

    def _outside(self) -> Iterator[tuple[Step, Callable[[], None]]]:
        """What comes from clients and operators."""
        shard, scope = self.shard, self.scope
        record = shard.record
        if self._may_begin():
            yield Step("begin", {}), self._begin
        views = [
            v
            for v in shard.store_of_record.history
            if (v == record.epoch and not self._reverted())
            or (scope.stale and v != record.epoch and self._seen(v))
        ]
        if scope.before or record.phase is not Phase.IDLE:
            for doc in range(scope.documents):
                yield from self._writes(doc, views)
        for doc in range(scope.documents) if scope.endless else ():
            for rank in self._finished(doc):
                yield Step("forget", {"doc": doc, "rank": rank}), partial(self._forget, doc, rank)
        for view in views:
            stale = "_by_stale_router" if view != record.epoch else ""
            if scope.reads and not shard.reads:
                yield Step(f"read{stale}", {"view": view}), partial(self._read, view)
            if scope.searches and not shard.searches:
                yield Step(f"search{stale}", {"view": view}), partial(self._search, view)

    def _reverted(self) -> bool:
        """An operator reverted the routing: what a router makes of the epoch is left out, as in the specification."""
        return self.shard.record.phase is Phase.ABORTED and stage_of(self.shard.record.epoch) is Stage.ACTIVE

    def _seen(self, view: int) -> bool:
        """Views of an aborted attempt after its DUAL are left out, as in the specification; so are those above a record
        that went back, which only a record that is not durable does."""
        if view > self.shard.record.epoch:
            return False
        early = stage_of(view) in (Stage.IDLE, Stage.DUAL)
        return early or self.scope.back or attempt_of(view) == attempt_of(self.shard.record.epoch)

    def _may_begin(self) -> bool:
        record, scope = self.shard.record, self.scope
        if record.epoch > 4 * (scope.attempts - 1):
            return False
        if record.phase is Phase.ABORTED:
            return stage_of(record.epoch) is Stage.IDLE and not record.owes_wipe
        waits = self.mechanisms.healed_before_next and self.shard.changed
        healed = not (waits and anti_entropy.left_to_repair(self.shard))
        return record.phase is Phase.IDLE or (record.phase is Phase.COMPLETE and scope.back and healed)

    def _begin(self) -> None:
        record = self.shard.record
        back = record.phase is Phase.COMPLETE
        source, target = (record.target, record.source) if back else (MACHINES[O], MACHINES[N])
        mover.begin(self.shard, target, source=source)
        self.shard.plans_another = policy_may_differ(self.scope)

    def _writes(self, doc: int, views: list[int]) -> Iterator[tuple[Step, Callable[[], None]]]:
        shard, scope = self.shard, self.scope
        history = shard.history(self.names.keys[doc])
        if history.waiting:
            return
        number = len(history.operations)
        if number >= scope.writes:
            return
        rank = self.names.ranks[number]
        if scope.orderly and any(
            m.write is not None and m.copies[0].key == self.names.keys[doc] for m in shard.network.under_way()
        ):
            return
        for erases in (False, True) if scope.deletes and rank > 1 else (False,):
            for view in views:
                if shard.routes[view].held:
                    continue
                about: dict[str, bool | int | str] = {
                    "doc": doc,
                    "rank": rank,
                    "erases": erases,
                    "view": view,
                }
                if view != shard.record.epoch:
                    yield Step("write_by_stale_router", about), partial(self._write, about)
                    continue
                yield Step("write", about), partial(self._write, about)
                if scope.skew and rank > 1:
                    yield Step("write_by_slow_clock", about), partial(self._write, about, slow=True)

    def _write(self, about: dict[str, Any], slow: bool = False) -> None:
        shard, rank, key = self.shard, about["rank"], self.names.keys[about["doc"]]
        expires = 0.0 if self.scope.sweep and rank == 1 else None
        content = None if about["erases"] else {f"field-{rank}": rank}
        shard.submit(key, content, expires, shard.routes[about["view"]], slow)

    def _finished(self, doc: int) -> list[int]:
        """The ranks of the writes before the last of which nothing is known any more, but that they were issued."""
        shard, key = self.shard, self.names.keys[doc]
        history = shard.history(key)
        copies = [history.acked, history.shown, shard.record.scanned.get(key)]
        for replica in shard.replicas.values():
            copies += [replica.documents.get(key), *(c for page in replica.results.values() for c in page)]
        copies += [c for message in shard.network.under_way() for c in message.copies]
        known = {c.order for c in copies if c is not None and c.key == key}
        known |= {read.floor for read in shard.reads if read.key == key}
        return [place for place, o in enumerate(history.operations[:-1], 1) if o.order not in known]

    def _forget(self, doc: int, rank: int) -> None:
        del self.shard.history(self.names.keys[doc]).operations[rank - 1]

    def _read(self, view: int) -> None:
        self.shard.read(self.names.keys[0], self.shard.routes[view])

    def _search(self, view: int) -> None:
        self.shard.search(self.shard.routes[view])

    # -------------------------------------------------- names

    def label(self, choice: Choice) -> Step:
        """The specification's name of a choice, with its arguments."""
        action, what = choice.action, choice.what
        about = self._about(action, what)
        return Step(action, {k: v._name_ if isinstance(v, Enum) else v for k, v in about.items()})

    def _about(self, action: str, what: tuple[Any, ...]) -> dict[str, Any]:
        shard = self.shard
        if action in STUTTERS:
            return {"of": str(what[0])}
        match what:
            case (Message() as message,):
                copy = message.copies[0]
                return {
                    "node": self.names.node_of(message.replica),
                    "doc": self.names.doc_of(copy),
                    "message": self.names.message_name(message),
                }
            case (Write() as write,):
                about = {"doc": self.names.doc_of(write.copy), "rank": self.names.rank_of(write.copy)}
                return about if action == "time_out" else {**about, "view": write.route.epoch}
            case (Fence() as command,):
                node = self.names.node_of(shard.at(command.node))
                return {"pair" if action == "late_fence" else "node": node, "epoch": command.epoch}
            case (Wipe() as command,):
                return {"epoch": command.epoch}
            case (Delete() as command,):
                return {} if action == "late_delete" else {"pair": self.names.node_of(shard.at(command.node))}
            case (ReadPage() as command,) if action in ("read_page", "scan"):
                if command.by_offset:
                    return {"doc": self.names.doc_of(shard.at(command.node).listed()[command.page])}
                return {"doc": command.page}
        match action:
            case "page_landed" | "repaired":
                return {"doc": self.names.doc_of(self._awaited()[0])}
            case "page_times_out":
                return {"doc": self.names.doc_of(self._awaited()[0])}
            case "answer_read" | "refuse_read":
                return {"view": what[0].route.epoch}
            case "admit_search" | "refuse_search":
                return {"node": self.names.node_of(what[1]), "view": what[0].epoch}
            case "step_search":
                return {"node": self.names.node_of(what[1]), "doc": what[0].places[what[1]]}
            case "repair" | "repair_expired" | "sweep":
                found = what[0]
                between: dict[str, Any] = {
                    "node": self.names.node_of(found.here),
                    "to": self.names.node_of(found.to),
                    "doc": self.names.doc_of(found.copy),
                }
                return {**between, "view": shard.record.epoch} if action == "sweep" else between
            case "collect":
                return {"node": self.names.node_of(what[0]), "doc": self.names.keys.index(what[1])}
            case "restart" | "cut_off" | "heal":
                return {"pair": self.names.node_of(what[0])}
        return {}

    def _awaited(self) -> tuple[Copy, ...]:
        """What is in the page that the coordinator waits for."""
        awaits = self.shard.coordinator.awaits
        assert awaits is not None
        for replica in self.shard.replicas.values():
            if awaits in replica.results:
                return replica.results[awaits]
        return next(
            m.copies for m in self.shard.network.under_way() if (m.kind, m.page) == awaits and not m.abandoned
        )

    def abstract(self) -> dict[str, Any]:
        """The state of the specification that the implementation is in."""
        return self.names.abstract(self.shard)

    # -------------------------------------------------- keeping

    def save(self) -> bytes:
        """The implementation as it is, to be taken up again."""
        return snapshots.saved(self.shard)

    def load(self, saved: bytes) -> None:
        """Take up what was saved."""
        self.shard = snapshots.loaded(saved)

    def key(self) -> tuple[Any, ...]:
        """What tells two states of the implementation apart."""
        return state_of(self.shard)
