"""Faults by plan: what the seeded scheduler lets go wrong with deliveries to a node, and with the tasks it accepted.

A plan strikes by a rate, drawn from the scheduler's own random numbers, or every so many deliveries, which needs none.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from cutproof.impl import mover
from cutproof.impl.clients import Status
from cutproof.impl.node import Message, Node

if TYPE_CHECKING:
    from cutproof.impl.cluster import Cluster
    from cutproof.impl.network import Network
    from cutproof.impl.shard import Shard

KINDS = ("fail", "lose", "delay", "duplicate")


class Plan:
    """`rates` by kind of fault, each from 0 to 1, together at most 1; `every` n-th delivery fails, 0 for none."""

    __slots__ = ("count", "every", "random", "rates", "struck", "total")

    def __init__(self, random: Random, every: int = 0, **rates: float) -> None:
        for kind, rate in rates.items():
            if kind not in KINDS:
                raise ValueError(f"unknown fault {kind!r}: there are {', '.join(KINDS)}")
            if not 0 <= rate <= 1:
                raise ValueError(f"{kind}={rate} is out of range: a rate is from 0 to 1")
        if every < 0 or sum(rates.values()) > 1:
            raise ValueError("a plan has rates of at most 1 together, and every=0 or more")
        self.random = random
        self.every = every
        self.rates = rates
        self.total = sum(rates.values())
        self.count = 0
        self.struck = ""

    def strikes(self, message: Message) -> bool:
        """Whether this delivery goes wrong; `strike` says how."""
        if self.every:
            self.count += 1
            if self.count % self.every == 0:
                self.struck = "fail"
                return True
        if self.total and (drawn := self.random.random()) < self.total:
            for kind, rate in self.rates.items():
                drawn -= rate
                if drawn < 0:
                    self.struck = kind
                    return kind != "delay" or (message.write is not None and not message.write.answered)
        return False

    def strike(self, network: Network, message: Message) -> None:
        """Let it go wrong."""
        match self.struck:
            case "fail":
                network.fail(message)
            case "lose":
                network.lose(message)
            case "duplicate":
                if message.replica.is_fenced(message):  # a fence holds for whatever arrives, however often
                    network.refuse(message)
                    return
                network.duplicate(message)
                network.accept(message)
            case "delay" if message.write is not None and message.write.status is Status.WAITING:
                # The client gives up; the message stays under way and may land after anything.
                network.shards[message.replica.shard].time_out(message.write)


class Faults:
    """What can be made to go wrong with a cluster. A name that no node has is refused by ValueError."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster

    def _node(self, name: str) -> Node:
        if name not in self.cluster.nodes:
            raise ValueError(f"no node {name!r}: there are {', '.join(sorted(self.cluster.nodes))}")
        return self.cluster.nodes[name]

    def _shard(self, number: int) -> Shard:
        shards = self.cluster.shards
        if not 0 <= number < len(shards):
            raise ValueError(f"no shard {number}: there are 0 to {len(shards) - 1}")
        return shards[number]

    def cut(self, node: str) -> None:
        """Cut a node off from everybody."""
        self._node(node).cut = True

    def heal(self, node: str) -> None:
        """End the partition."""
        self._node(node).cut = False
        self.cluster.network.reconsider()

    def fail(self, node: str, *, rate: float = 0.0, every: int = 0, tasks: bool = False) -> None:
        """Deliveries to a node (with `tasks`: the tasks that it accepted) fail, and the sender is told."""
        if tasks:
            self._node(node).task_plan = Plan(self.cluster.network.random, every, fail=rate)
        else:
            self.plan(node, every=every, fail=rate)

    def lose(self, node: str, rate: float) -> None:
        """Deliveries to a node are lost, and nobody is told."""
        self.plan(node, lose=rate)

    def delay(self, node: str, rate: float) -> None:
        """The client gives up on a write that goes to a node; what is under way may land after anything."""
        self.plan(node, delay=rate)

    def duplicate(self, node: str, rate: float) -> None:
        """Deliveries to a node arrive again."""
        self.plan(node, duplicate=rate)

    def plan(self, node: str, *, every: int = 0, **rates: float) -> None:
        """Several at once: `plan("n", fail=0.01, lose=0.01)`. No rates: nothing goes wrong any more."""
        plan = Plan(self.cluster.network.random, every, **rates)
        self._node(node).plan = plan if plan.total or plan.every else None

    def crash(self, shard: int | None = None) -> None:
        """The coordinators crash (or that of one shard), and others recover from the records."""
        for found in self.cluster.shards if shard is None else [self._shard(shard)]:
            if found.record.live:
                mover.crash(found)

    def restart(self, node: str) -> None:
        """A node restarts: documents, queue and fences survive, running searches do not."""
        for replica in self._node(node).replicas.values():
            shard = self.cluster.shards[replica.shard]
            for search in [s for s in shard.searches if replica in s.places]:
                shard.fail_search(search)

    def restart_sequencer(self, shard: int) -> None:
        """The sequencer of a shard restarts from what it stored durably."""
        self._shard(shard).sequencer.restart()

    def stale(self, router: str) -> None:
        """A router goes on with what it knows of the records now."""
        self.cluster.views[router] = {s.number: s.route for s in self.cluster.shards}

    def refresh(self, router: str) -> None:
        """A router learns what the records say, and its clock is set. Writers that it held, because it still took a
        shard for sealed, go on: nothing else may ever happen to that shard."""
        self.cluster.views.pop(router, None)
        self.cluster.slow.discard(router)
        for shard in self.cluster.shards:
            if shard.held and not shard.route.held:
                shard.release()

    def skew(self, router: str) -> None:
        """The clock of a router is slow. A durable sequencer does not ask it."""
        self.cluster.slow.add(router)
