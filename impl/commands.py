"""What a command of the coordinator does to a node, and what a question brings back.

The coordinator touches nothing; here are its hands, and `mover.py` says when they move.
"""

from __future__ import annotations

from cutproof.impl.coordinator import (
    AskDocuments,
    AskQueries,
    AskQueue,
    AskTask,
    Command,
    Confirmed,
    Delete,
    DocumentsTold,
    Event,
    Fence,
    HeldThere,
    PageRead,
    Proceed,
    QueriesTold,
    QueueTold,
    ReadBack,
    ReadPage,
    TaskTold,
    Wipe,
)
from cutproof.impl.node import Kind, Message, Replica
from cutproof.impl.record import Phase, Stage, attempt_of, stage_of
from cutproof.impl.shard import Shard

# ------------------------------------------------------------------ what is brought back


def answer(shard: Shard, command: Command) -> Event:
    """What a command brings back; nothing is changed by asking."""
    match command:
        case Fence(node, epoch) | Wipe(node, epoch):
            return Confirmed(node, epoch)
        case AskQueue(node, below):
            left = shard.at(node).accepted(below)
            return QueueTold(node, not left and _is_settled(shard))
        case ReadPage(node, page, by_offset):
            replica = shard.at(node)
            if by_offset:
                listed = replica.listed()
                return PageRead(page, tuple(listed[page : page + 1]), ended=page >= len(listed))
            return PageRead(page, replica.page(page))
        case AskTask(node, kind, page):
            replica = shard.at(node)
            sent = [m.queued for m in shard.network.under_way() if is_page(m, shard, kind, page)]
            return TaskTold(kind, page, (kind, page) in replica.results, True in sent, False in sent)
        case ReadBack(node):
            replica = shard.at(node)
            unequal = frozenset(
                key for key, copy in shard.record.scanned.items()
                if (held := replica.documents.get(key)) is not None
                and held.version == copy.version and held.content != copy.content
            )  # fmt: skip
            return HeldThere(replica.documents, unequal)
        case AskQueries(node):
            replica = shard.at(node)
            return QueriesTold(not any(replica in s.places for s in shard.searches))
        case AskDocuments(node):
            return DocumentsTold(not shard.at(node).documents)
        case Proceed():
            return command
    raise TypeError(f"no command {command!r}")


def is_page(message: Message, shard: Shard, kind: Kind, page: int) -> bool:
    """The message is this page of the shard, and somebody waits for it."""
    mine = message.kind is kind and message.page == page and message.replica.shard == shard.number
    return mine and not message.abandoned


def _is_settled(shard: Shard) -> bool:
    draining = shard.record.phase is Phase.DRAIN_SOURCE
    trusts = shard.table is not None and not shard.record.mechanisms.delta_always
    return not (draining and trusts) or shard.table.is_settled(shard)  # type: ignore[union-attr]


# ------------------------------------------------------------------ what is done


def raise_fence(shard: Shard, replica: Replica, epoch: int) -> None:
    """A node raises its fence to an epoch, if that is higher; what waited for it may arrive."""
    replica.fence = max(replica.fence, epoch)
    record = shard.record
    starts = replica is shard.at(record.target) and stage_of(epoch) is Stage.DUAL
    if starts and not record.mechanisms.target_holds_no_replica:
        # The "empty start": deletion by shard, of whatever else the machine holds of it.
        for (group, number), other in replica.node.replicas.items():
            if number == shard.number and group != replica.group:
                other.documents.clear()
    shard.network.reconsider()


def wipe(shard: Shard, replica: Replica, epoch: int) -> None:
    """Raise the fence; clear documents and queue."""
    replica.fence = max(replica.fence, epoch)
    replica.empty()
    shard.network.forget_queue(replica)


def delete(shard: Shard, replica: Replica) -> None:
    """Delete all documents of the shard. The fence stays."""
    replica.empty()
    if not shard.mechanisms.fence_outlives_data:
        replica.fence = 0


def lands_late(shard: Shard, command: Fence | Wipe | Delete) -> bool:
    """Whether a command that was sent in the past would be obeyed now."""
    replica, record = shard.at(command.node), shard.record
    if replica.node.cut:
        return False
    obeys = shard.mechanisms.command_epoch
    match command:
        case Fence(_, epoch):
            return record.epoch > epoch > replica.fence
        case Wipe(_, epoch):
            first = replica.fence >= epoch or record.confirmed.get(command.node, 0) >= epoch
            return first and (replica.fence <= epoch or not obeys)
        case Delete(_, epoch):
            ended = record.moves and attempt_of(record.epoch) > attempt_of(epoch)
            return bool(ended and replica.documents) and (replica.fence <= epoch or not obeys)


def land_late(shard: Shard, command: Fence | Wipe | Delete) -> None:
    """A command of the past lands now, once more."""
    replica = shard.at(command.node)
    match command:
        case Fence(_, epoch):
            replica.fence = max(replica.fence, epoch)
        case Wipe(_, epoch):
            wipe(shard, replica, epoch)
        case Delete():
            replica.empty()
