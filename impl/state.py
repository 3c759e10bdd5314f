"""The state of a shard as one plain value: two shards that will behave alike have equal ones."""

from __future__ import annotations

from typing import Any

from cutproof.impl.copies import Copy, order_of
from cutproof.impl.node import Message
from cutproof.impl.record import Stage, stage_of
from cutproof.impl.shard import Shard

Plain = tuple[Any, ...]


def state_of(shard: Shard) -> Plain:
    """Everything that matters for what the shard does next, and for what is promised of it; hashable and ordered."""
    record, coordinator = shard.record, shard.coordinator
    return (
        (
            record.phase.value, record.epoch, record.members, record.moves, record.group, record.cursor,
            record.proof, record.clean, tuple(sorted(record.confirmed.items())),
            tuple(_copy(c) for _, c in sorted(record.scanned.items())), tuple(shard.store_of_record.history),
        ),
        (coordinator.awaits and (coordinator.awaits[0].name, coordinator.awaits[1]),
         shard.sequencer.last, shard.sequencer.epoch),
        tuple(_replica(shard, at) for at in sorted(shard.replicas)),
        tuple(sorted(_message(m) for m in shard.network.under_way() if m.replica.shard == shard.number)),
        tuple(sorted(_write(w) for w in shard.waiting)),
        tuple(_history(shard, key) for key in sorted(shard.histories)),
        tuple((r.key, r.route.epoch, r.floor) for r in shard.reads),
        tuple(
            (s.epoch, tuple((r.node.name, p) for r, p in s.places.items()), tuple(sorted(s.floors.items())),
             tuple(sorted(s.found)))
            for s in shard.searches
        ),
        (shard.rival is not None, shard.switched_off, shard.changed, shard.stale_reads > 0, shard.wrong_searches > 0,
         len(shard.held)),
        () if shard.table is None else (tuple(sorted(shard.table.missed.items())), shard.table.blocked),
        tuple(map(str, shard.sent)),
    )  # fmt: skip


def _copy(copy: Copy | None) -> Plain:
    if copy is None:
        return ()
    content = copy.content
    return (
        copy.key,
        copy.version,
        copy.order,
        () if content is None else tuple(sorted(map(repr, content.items()))),
    )


def _replica(shard: Shard, at: tuple[int, str]) -> Plain:
    replica = shard.replicas[at]
    documents = tuple(_copy(c) for _, c in sorted(replica.documents.items()))
    results = tuple(
        sorted((k.name, page, tuple(map(_copy, copies))) for (k, page), copies in replica.results.items())
    )
    return (*at, replica.fence, replica.node.cut, documents, results, tuple(sorted(replica.fields_missing)))


def _message(message: Message) -> Plain:
    return (
        message.kind.name, message.replica.group, message.replica.node.name, message.epoch, message.page,
        message.queued, message.abandoned, is_earlier(message), tuple(map(_copy, message.copies)),
        -1 if message.write is None else message.bit,
    )  # fmt: skip


def is_earlier(message: Message) -> bool:
    """The task was accepted before the node's fence rose to a DUAL epoch: that is asked about before the copy, and by
    nobody later."""
    fence = message.replica.fence
    return message.queued and message.behind < fence and stage_of(fence) is Stage.DUAL


def _write(write: Any) -> Plain:
    return (_copy(write.copy), write.route.epoch, write.done, write.pending, write.refusals, write.alone)


def _history(shard: Shard, key: str) -> Plain:
    history = shard.histories[key]
    operations = tuple(_copy(c) for c in history.operations)
    return (
        key,
        history.issued,
        order_of(history.acked),
        order_of(history.shown),
        history.collected,
        history.healed,
        operations,
    )
