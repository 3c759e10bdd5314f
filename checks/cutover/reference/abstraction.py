"""The map from the reference implementation to the specification: one function, the one place to get right.

`Names` says which node, document, rank and message of the specification something of the implementation is;
`Names.abstract` is the state of the specification that a shard of the implementation is in.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from cutproof.impl.clients import Read, Write
from cutproof.impl.copies import Copy, History, order_of
from cutproof.impl.node import Kind, Message, Replica, page_of
from cutproof.impl.shard import Shard
from cutproof.impl.state import is_earlier
from cutproof.model.cutover.mechanisms import Mechanisms
from cutproof.model.cutover.scopes import Scope
from cutproof.model.cutover.slot import Node, Phase, Task, epochs, indices, ranks

O, N, R = Node.O, Node.N, Node.R  # noqa: E741
MACHINES = {O: "old-0", N: "new-0", R: "replica-0"}
CARRIED = {Kind.PAGE: "page", Kind.DELTA: "delta", Kind.REPAIR: "repair", Kind.SWEEP: "sweep"}


@cache
def key_of(doc: int, documents: int) -> str:
    """A document id in the range of the key space that stands for the document `doc`."""
    return next(k for i in range(10_000) if page_of(k := f"doc-{i}", documents) == doc)


def place_of(order: int, history: History) -> int:
    """The place of an order among the operations of its document that are not forgotten; 0 of nothing."""
    return sum(operation.order <= order for operation in history.operations)


class Names:
    """What things of the implementation are called in the specification, within a scope."""

    def __init__(self, scope: Scope, mechanisms: Mechanisms) -> None:
        self.scope, self.mechanisms = scope, mechanisms
        self.ranks, self.sets = ranks(scope), indices(scope)
        self.keys = [key_of(d, scope.documents) for d in range(scope.documents)]
        # Where nobody checks it, R's replica is on the machine that N will be.
        self.third = MACHINES[R] if mechanisms.target_holds_no_replica else MACHINES[N]
        self.places = {(0, MACHINES[O]): O, (0, MACHINES[N]): N, (1, self.third): R}

    def node_of(self, replica: Replica) -> Node:
        """Which node of the specification a replica is."""
        return self.places[replica.group, replica.node.name]

    def doc_of(self, copy: Copy) -> int:
        """Which document of the specification a copy is of."""
        return self.keys.index(copy.key)

    def rank(self, order: int) -> int:
        """The rank of an order: with a sweep, 2 is the sweep's delete."""
        if self.scope.sweep:
            return order - 1 if order in (2, 3) else order // 2 + (order > 3)
        return order // 2

    def rank_of(self, copy: Copy | None) -> int:
        """The rank of a copy, 0 of nothing: where clients never stop, its place among those that are not forgotten."""
        if copy is None or not self.scope.endless:
            return self.rank(order_of(copy))
        return place_of(copy.order, copy.history)

    def message_name(self, message: Message) -> int | str:
        """A client's write by its rank, others by their kind."""
        if message.write is not None:
            return self.rank_of(message.copies[0])
        return "stray" if message.abandoned else CARRIED[message.kind]

    # -------------------------------------------------- the map

    def abstract(self, shard: Shard) -> dict[str, Any]:
        """The state of the specification that the implementation is in."""
        scope = self.scope
        record, sets = shard.record, self.sets
        docs = range(scope.documents)
        nodes = {n: shard.replicas[at] for at, n in self.places.items() if n in sets["node"]}
        histories = {d: shard.history(self.keys[d]) for d in docs}
        operations = {d: dict(zip(self.ranks, histories[d].operations, strict=False)) for d in docs}
        waiting = {self.doc_of(w.copy): w for w in shard.waiting}
        reading = shard.reads[0] if shard.reads else None
        search = shard.searches[0] if shard.searches else None
        held = {
            n: {d: self.rank_of(replica.documents.get(self.keys[d])) for d in docs}
            for n, replica in nodes.items()
        }
        values: dict[str, Any] = {
            "phase": Phase[record.phase.name],
            "epoch": record.epoch,
            "source": N if record.source == MACHINES[N] else O,
            "cursor": min(record.cursor, scope.documents),
            "proof": record.proof,
            "clean": record.clean,
            "stored": held,
            "fence": {n: replica.fence for n, replica in nodes.items()},
            "scanned": {d: self.rank_of(record.scanned.get(self.keys[d])) for d in docs},
            "issued": {d: max(operations[d], default=0) for d in docs},
            "waits": {d: 1 + waiting[d].route.epoch if d in waiting else 0 for d in docs},
            "alone": {d: d in waiting and waiting[d].alone for d in docs},
            "erased": {
                d: {r: r in operations[d] and operations[d][r].content is None for r in sets["rank"]}
                for d in docs
            },
            "version": {d: {r: self._version(operations[d].get(r), r) for r in sets["rank"]} for d in docs},
            "born": {
                d: {
                    r: operations[d][r].version[0] if scope.collect and r in operations[d] else 0
                    for r in sets["rank"]
                }
                for d in docs
            },
            "reading": 1 + reading.route.epoch if reading else 0,
            "floor": self._floor(reading, histories[0]),
            "search": {n: self._place(search, nodes[n]) for n in nodes},
            "search_floor": {d: self.rank(search.floors.get(self.keys[d], 0)) if search else 0 for d in docs},
            "found": {d: search is not None and self.keys[d] in search.found for d in docs},
            "acked": {d: self.rank_of(histories[d].acked) for d in docs},
            "shown": {d: self.rank_of(histories[d].shown) for d in docs},
            "healed": {d: histories[d].healed for d in docs},
            "stale_read": shard.stale_reads > 0,
            "wrong_search": shard.wrong_searches > 0,
            "partial": {n: {d: self.keys[d] in nodes[n].fields_missing for d in docs} for n in nodes},
            "cut": {n: nodes[n].node.cut for n in (O, N)},
            "rival": shard.rival is not None,
            "switched_off": shard.switched_off,
            "changed": shard.changed,
            "missed": {
                d: self.rank(shard.table.missed.get((0, self.keys[d]), 0)) if shard.table else 0 for d in docs
            },
            "blocked": bool(shard.table and shard.table.blocked),
        }
        return {**values, **self._messages(shard, nodes, waiting, sets)}

    def _floor(self, reading: Read | None, history: History) -> int:
        if reading is None:
            return 0
        return place_of(reading.floor, history) if self.scope.endless else self.rank(reading.floor)

    def _version(self, copy: Copy | None, rank: int) -> int:
        """Without skew the version of a rank is the rank."""
        if copy is None or not self.scope.skew or self.mechanisms.sequencer_durable:
            return rank
        return copy.version[1]

    def _place(self, search: Any, replica: Replica) -> int:
        if search is None or replica not in search.places:
            return 0
        place = search.places[replica]
        return 1 + search.epoch if place < 0 else len(epochs(self.scope)) + 1 + place

    def _messages(
        self, shard: Shard, nodes: dict[Node, Replica], waiting: dict[int, Write], sets: dict[str, Any]
    ) -> dict[str, Any]:
        docs = range(self.scope.documents)
        net = {n: {d: dict.fromkeys(sets["message"], 0) for d in docs} for n in nodes}
        task = {n: {d: dict.fromkeys(sets["message"], Task.NONE) for d in docs} for n in nodes}
        carried = {name: dict.fromkeys(docs, 0) for name in ("page", "stray", "repair")}
        earlier = {d: dict.fromkeys(sets["message"], False) for d in docs}
        record, m = shard.record, self.mechanisms
        source = N if record.source == MACHINES[N] else O
        waits_for_earlier = (
            m.copy_waits_for_applied
            and m.copy_waits_for_earlier_alone
            and record.phase.name in ("IDLE", "DUAL")
            and nodes[source].fence >= record.epoch
        )
        strays_of_delta = dict.fromkeys(docs, False)
        for doc, write in waiting.items():
            for replica, bit in write.route.sends:
                if write.done & bit:
                    task[self.node_of(replica)][doc][self.rank_of(write.copy)] = Task.DONE
        for replica in nodes.values():
            for (kind, _), copies in replica.results.items():
                for copy in copies:
                    doc = self.doc_of(copy)
                    task[self.node_of(replica)][doc][CARRIED[kind]] = Task.DONE
                    if kind is Kind.PAGE:
                        carried["page"][doc] = self.rank_of(copy)
        for message in shard.network.under_way():
            node, name = self.node_of(message.replica), self.message_name(message)
            for copy in message.copies:
                doc = self.doc_of(copy)
                earlier[doc][name] |= node is source and waits_for_earlier and is_earlier(message)
                if message.queued:
                    task[node][doc][name] = Task.QUEUED
                else:
                    net[node][doc][name] = 1 + message.epoch
                if name in carried:
                    carried[str(name)][doc] = self.rank_of(copy)
                if name == "stray":
                    strays_of_delta[doc] = message.kind is Kind.DELTA
        return {"net": net, "task": task, "earlier": earlier, **carried, "stray_is_delta": strays_of_delta}
