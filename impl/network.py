"""The network: deliveries, what nodes make of them, and what goes wrong with them.

Everything that is under way is in one list, `pool`: messages to nodes, tasks that nodes have accepted, and writes whose
client can be answered. A chooser picks one and says what becomes of it; this module does it. The seeded scheduler
(`tick`) is such a chooser: every pick is uniform, and faults strike by the plans of `faults.py`.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

from cutproof.impl.clients import Status, Write
from cutproof.impl.copies import Copy, History, order_of
from cutproof.impl.node import Kind, Message, Replica

if TYPE_CHECKING:
    from cutproof.impl.shard import Shard

NO_LIMIT = 10**12  # steps
WAITING = Status.WAITING  # looked up for every step: through the enumeration it takes five times as long


class Network:
    """All that is under way. `queues` false: a node applies what it accepts at once."""

    def __init__(self, seed: int, queues: bool = True) -> None:
        self.random = Random(seed)
        self.queues = queues
        self.pool: list[Message | Write] = []
        self.aside: list[Message] = []  # what can't arrive for now: the node is cut off, or not open yet
        self.shards: list[Shard] = []
        self.steps = 0
        self.strays: int | None = None  # abandoned pages that are kept under way for each page; None: all
        self.answers: list[Write] = []  # answered since somebody last looked

    # -------------------------------------------------- sending

    def send(self, message: Message) -> None:
        """Put a message under way."""
        self.pool.append(message)

    def drop(self, message: Message) -> None:
        """The message is not under way any more."""
        where: list[Any] = self.aside if message in self.aside else self.pool
        where.remove(message)

    def under_way(self) -> list[Message]:
        """Every message, in the order in which they were sent as far as that is known."""
        return [m for m in self.pool if m.__class__ is Message] + self.aside

    def reconsider(self) -> None:
        """Something was opened or healed: what was put aside may arrive."""
        self.pool += self.aside
        self.aside.clear()

    # -------------------------------------------------- what a node makes of a message

    def can_arrive(self, message: Message) -> bool:
        """The node can be reached, and is open to it."""
        replica = message.replica
        if replica.node.cut:
            return False
        client = message.kind in (Kind.WRITE, Kind.SWEEP)
        return not client or message.epoch <= replica.fence or replica.is_open(message.epoch)

    def accept(self, message: Message) -> None:
        """The node takes the task into its queue; the same write is queued only once."""
        replica, write = message.replica, message.write
        if replica.doubled and write in replica.doubled:
            assert write is not None
            write.done &= ~message.bit  # asked for the task, the node tells of the latest
            if any(m.write is write for m in replica.queue):
                self.pool.remove(message)
                self._settle(message)
                return
        message.queued, message.behind = True, replica.fence
        replica.queue[message] = None
        if not replica.rules.acks_applied and write is not None and write.status is WAITING:
            write.done |= message.bit
            self._due(write)
        if not self.queues:
            self.apply(message)

    def apply(self, message: Message) -> None:
        """The node applies a task of its queue."""
        self.pool.remove(message)
        self._apply(message)

    def _apply(self, message: Message) -> None:
        replica, write = message.replica, message.write
        shard = self.shards[replica.shard]
        del replica.queue[message]
        if write is not None:
            copy = message.copies[0]
            if not replica.rules.plain:
                shard.store(replica, Kind.WRITE, copy)
            elif (stored := replica.documents.get(copy.key)) is None or copy.version > stored.version:
                replica.documents[copy.key] = copy
                if replica.owns:
                    shard.becomes_visible(copy, stored)
            write.pending -= 1
            if write.status is WAITING:
                write.done |= message.bit
                if not write.due and (write.pending == 0 or write.enough[write.done]):  # as `_due`
                    write.due = True
                    self.pool.append(write)
            if shard.table is not None:
                shard.table.applied(shard, message)
            return
        for copy in message.copies:
            shard.store(replica, message.kind, copy)
        if message.kind in (Kind.PAGE, Kind.DELTA) and not message.abandoned:
            replica.results[message.kind, message.page] = message.copies

    def refuse(self, message: Message) -> None:
        """The node refuses a message of an epoch below its fence, and the sender is told."""
        if message.write is not None:
            message.write.refusals += 1
        self._error(message)

    # -------------------------------------------------- faults

    def fail(self, message: Message) -> None:
        """The delivery fails, or the accepted task does; the sender is told."""
        message.replica.queue.pop(message, None)
        write = message.write
        if message.queued and write is not None and write.status is WAITING:
            write.done &= ~message.bit
        self._error(message)

    def lose(self, message: Message) -> None:
        """The message is lost, and nobody is told."""
        message.replica.queue.pop(message, None)
        self.drop(message)
        self._settle(message)

    def duplicate(self, message: Message) -> Message:
        """The message will arrive once more. The node will look whether it has the task already."""
        if message.write is not None:
            message.replica.doubled[message.write] = None
        again = Message(
            message.kind, message.replica, message.copies, message.epoch, message.write, message.bit
        )
        again.page, again.abandoned = message.page, message.abandoned
        if message.write is not None:
            message.write.pending += 1
        self.send(again)
        return again

    def forget_queue(self, replica: Replica) -> None:
        """The node's queue is cleared, and with it what it would tell of its tasks."""
        for message in list(replica.queue):
            del replica.queue[message]
            self.pool.remove(message)
            self._settle(message)
        for write in self.shards[replica.shard].waiting:
            for target, bit in write.route.sends:
                if target is replica and write.done & bit:
                    write.done &= ~bit
                    self._due(write)
        replica.results.clear()

    def _error(self, message: Message) -> None:
        shard = self._shard(message)
        self.drop(message)
        if message.kind in (Kind.PAGE, Kind.DELTA) and not message.abandoned:
            shard.coordinator_hears_of_failure(message)
        if shard.table is not None and message.write is not None:
            shard.table.failed(shard, message)
        self._settle(message)

    def _settle(self, message: Message) -> None:
        write = message.write
        if write is not None:
            write.pending -= 1
            if write.status is WAITING:
                self._due(write)

    def _due(self, write: Write) -> None:
        """An answer can be given: the write is among the things that may happen."""
        if not write.due and (write.pending == 0 or write.enough[write.done]):
            write.due = True
            self.pool.append(write)

    def _shard(self, message: Message) -> Shard:
        return self.shards[message.replica.shard]

    # -------------------------------------------------- the seeded scheduler

    def tick(self) -> None:
        """One thing that is under way goes on: the scheduler's step. Raises IndexError where nothing is."""
        self.tick_until(len(self.pool) - 1, 1)

    def tick_until(self, left: int, most: int = NO_LIMIT) -> None:
        """Steps of the scheduler until no more than `left` things are under way, `most` at most."""
        pool, draw = self.pool, self.random.random
        while most and len(pool) > left:
            most -= 1
            self.steps += 1
            i = int(draw() * len(pool))
            item = pool[i]
            if item.__class__ is Message and not item.queued:
                self._arrive(i, item)
                continue
            if item.__class__ is Message:
                plan = item.replica.node.task_plan
                if plan is not None and plan.strikes(item):
                    self.fail(item)
                    continue
            last = pool.pop()  # it is taken out; the order of the pool means nothing
            if last is not item:
                pool[i] = last
            if item.__class__ is Message:
                self._apply(item)
            elif item.__class__ is Write:
                item.due = False
                self.shards[item.copy.history.shard].answer(item)

    def _arrive(self, i: int, message: Message) -> None:
        replica, pool = message.replica, self.pool
        # As `can_arrive`, at once where nothing is in the way.
        if replica.node.cut or (message.epoch > replica.fence and not self.can_arrive(message)):
            last = pool.pop()
            if last is not message:
                pool[i] = last
            self.aside.append(message)
            return
        plan = replica.node.plan
        if plan is not None and plan.strikes(message):
            plan.strike(self, message)
            return
        if message.epoch < replica.fence and replica.is_fenced(message):
            self.refuse(message)
        else:
            self.accept(message)


def falls_short(copy: Copy | None, history: History, order: int) -> bool:
    """A client is served less than this order, and no delete that was collected explains it."""
    nothing = copy is None or copy.content is None
    return served(copy, history.shown) < order and not (nothing and history.collected >= order)


def served(copy: Copy | None, shown: Copy | None) -> int:
    """The order that a client is served: nothing counts as the delete that was last shown, if one was, and a tombstone
    as what it deleted if that is newer."""
    nothing = copy is None or copy.content is None
    if nothing and shown is not None and shown.content is None:
        return max(shown.order, order_of(copy))
    return order_of(copy)
