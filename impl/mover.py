"""Moving one shard: what operators and crashes do to a migration, and how what the coordinator wants is performed.

One call touches one node, or the record.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from cutproof.impl import anti_entropy, commands
from cutproof.impl.coordinator import (
    AskQueries,
    AskTask,
    Command,
    Coordinator,
    Delete,
    Fence,
    Proceed,
    ReadPage,
    Wipe,
    recovered,
)
from cutproof.impl.miroir import InvalidTransition, NotRepaired
from cutproof.impl.node import Kind, Message
from cutproof.impl.record import LIVE, MOVED, MOVING, Phase, Record, Stage, attempt_of, stage_of
from cutproof.impl.shard import Shard
from cutproof.model.cutover.mechanisms import Mechanisms

ENDED = frozenset({Phase.COMPLETE, Phase.ABORTED})
COORDINATORS = frozenset({Kind.PAGE, Kind.DELTA})

# ------------------------------------------------------------------ what operators do


def check_begin(
    shard: Shard, target: str, group: int = 0, source: str = "", under: Mechanisms | None = None
) -> None:
    """Whether a migration may begin. Raises InvalidTransition while one lives or a wipe is owed, ValueError where the
    target holds a replica of the shard: the empty start would wipe it, and NotRepaired where it would begin under
    another policy than the record's, that one counts on repairs, and no pass was clean since."""
    record = shard.record
    m = record.mechanisms
    if record.phase in LIVE or record.owes_wipe:
        raise InvalidTransition(shard.number, record.phase.value)
    if source and source not in record.members[group]:
        raise ValueError(
            f"{source} holds no replica of shard {shard.number}; choose one that does as the source"
        )
    held = [g for g, members in enumerate(record.members) if target in members]
    if group in held or (held and m.target_holds_no_replica):
        raise ValueError(f"{target} holds a replica of shard {shard.number} already; choose another target")
    another = shard.changed or under not in (None, m)
    if another and m.healed_before_next and anti_entropy.left_to_repair(shard):
        raise NotRepaired(shard.number)


def begin(shard: Shard, target: str, group: int = 0, source: str = "") -> None:
    """Record DUAL: from now on the shard moves from `source` (its owner in the group) to `target`.

    Raises as `check_begin`."""
    check_begin(shard, target, group, source)
    record = shard.record
    source = source or record.members[group][0]
    epoch = record.epoch + (1 if stage_of(record.epoch) is Stage.IDLE else 2)
    for replica in (shard.add_replica(group, target), shard.replicas[group, source]):
        replica.attempts.add(attempt_of(epoch))
    moves = (*record.moves[: attempt_of(epoch)], (source, target))
    shard.coordinator.fences = _others(record, source, target) if shard.collects else ()
    if shard.changed:  # the policy that somebody set since has no anti-entropy, but a delta pass
        shard.switched_off = True
        shard.change(record, mechanisms=replace(record.mechanisms, delta=True))
        record = shard.record
    shard.timed_out = shard.plans_another = False
    _note(shard, Fence(source, epoch), Fence(target, epoch))
    forgets = record.mechanisms.proof_of_this_attempt
    found = {"proof": record.proof and not forgets, "clean": record.clean and not forgets}
    shard.change(record, phase=Phase.DUAL, epoch=epoch, moves=moves, group=group, **found)


def _others(record: Record, *but: str) -> tuple[str, ...]:
    return tuple(name for members in record.members for name in members if name not in but)


def is_busy(shard: Shard) -> bool:
    """A migration lives, or the target of an aborted one is to be wiped yet."""
    record = shard.record
    return record.live or record.owes_wipe


def may_abort(shard: Shard) -> bool:
    """Before ACTIVATE."""
    return shard.record.phase in MOVING


def abort(shard: Shard) -> None:
    """Give the attempt up: the owner stays, the epoch rises, writers go on. The target will be wiped before any retry.

    Raises InvalidTransition after ACTIVATE: from there on a migration only goes forward."""
    record = shard.record
    if record.phase not in MOVING:
        raise InvalidTransition(shard.number, record.phase.value)
    epoch = 4 * (attempt_of(record.epoch) + 1)
    set_adrift(shard)
    if record.mechanisms.wipe_before_retry:
        _note(shard, Wipe(record.target, epoch))
    shard.costs.migrations_aborted += 1
    cursor = 0 if record.mechanisms.abort_forgets_cursor else record.cursor
    proof = record.proof and not record.mechanisms.proof_of_this_attempt
    shard.change(record, phase=Phase.ABORTED, epoch=epoch, cursor=cursor, proof=proof, scanned={})


def revert_routing(shard: Shard) -> None:
    """Point routers back at the source after ACTIVATE. There is no such step: a rollback is a migration back.

    Raises InvalidTransition, unless the safeguard `roll_forward_only` is removed."""
    record = shard.record
    if record.mechanisms.roll_forward_only or record.phase not in (Phase.ACTIVATE, Phase.GRACE):
        raise InvalidTransition(shard.number, record.phase.value)
    shard.change(record, phase=Phase.ABORTED, members=_members(shard, record.target, record.source))


def begin_another(shard: Shard) -> bool:
    """Somebody begins a second migration of the shard; whether it began. One at a time is the rule: it is refused.

    Without `one_migration_per_shard` the first, once proved, goes on under a record of its own."""
    record = shard.record
    if record.mechanisms.one_migration_per_shard:
        return False
    shard.rival = record
    epoch = 4 * (attempt_of(record.epoch) + 1) + Stage.DUAL
    moves = (*record.moves, record.moves[-1])
    for replica in (shard.at(record.source), shard.at(record.target)):
        replica.attempts.add(attempt_of(epoch))
    _note(shard, Fence(record.source, epoch), Fence(record.target, epoch))
    shard.change(record, phase=Phase.DUAL, epoch=epoch, moves=moves, cursor=0, proof=False, scanned={})
    return True


def rival_activates(shard: Shard) -> None:
    """The first of two overlapping migrations changes the owner, by its own record."""
    record, rival = shard.record, shard.rival
    assert rival is not None
    shard.rival = None
    set_adrift(shard)
    _note(shard, Fence(record.source, record.epoch + 2), Fence(record.target, record.epoch + 2))
    shard.change(
        record, phase=Phase.ACTIVATE, epoch=record.epoch + 2, cursor=0,
        members=_members(shard, rival.source, rival.target),
    )  # fmt: skip


def _members(shard: Shard, old: str, new: str) -> tuple[tuple[str, ...], ...]:
    record = shard.record
    members = list(record.members)
    members[record.group] = tuple(new if n == old else n for n in members[record.group])
    return tuple(members)


# ------------------------------------------------------------------ crashes


def set_adrift(shard: Shard, kinds: frozenset[Kind] = COORDINATORS) -> None:
    """Whoever sent these pages forgets them; they are still on their way."""
    shard.coordinator.awaits = None
    keep = shard.network.strays
    strays = [m for m in shard.network.under_way() if m.abandoned and m.replica.shard == shard.number]
    for message in shard.network.under_way():
        if message.kind not in kinds or message.abandoned or message.replica.shard != shard.number:
            continue
        if keep is not None and sum(s.page == message.page for s in strays) >= keep:
            shard.network.lose(message)
        else:
            message.abandoned = True
    for replica in shard.replicas.values():
        for kind, page in list(replica.results):
            if kind in kinds:
                del replica.results[kind, page]


def crash(shard: Shard) -> None:
    """The coordinator crashes and another recovers from the record: what was in memory is gone."""
    record = shard.record
    set_adrift(shard)
    if shard.table is not None:
        shard.table.missed.clear()
    shard.coordinator = Coordinator(shard.pages, shard.coordinator.fences)
    changes = recovered(record)
    if not record.mechanisms.durable_record:
        # Nothing of the phase was written down: the old owner owns again, in the epoch before the attempt.
        changes = {"phase": Phase.IDLE, "epoch": 4 * attempt_of(record.epoch), "cursor": 0, "proof": False}
        changes["scanned"] = record.scanned if record.phase in MOVED else {}
        if record.phase in MOVED:
            changes["members"] = _members(shard, record.target, record.source)
    shard.change(record, **changes)


# ------------------------------------------------------------------ the coordinator's hands


def wants(shard: Shard) -> list[Command]:
    """What the coordinator would have done now."""
    _look_at_table(shard)
    record = shard.record
    wanted = shard.coordinator.wants(record)
    if shard.plans_another and record.phase in ENDED:
        wanted += [Fence(n, record.epoch) for n in _others(record, record.source, record.target)]
    return wanted


def owes_fences(shard: Shard) -> bool:
    """An operator waits for the next migration, and a replica that can be reached is not fenced for it."""
    waits = shard.plans_another and shard.record.phase in ENDED
    return waits and any(can_perform(shard, command) for command in wants(shard))


def can_perform(shard: Shard, command: Command) -> bool:
    """The node can be reached, and something would come of it."""
    match command:
        case Fence(node, epoch):
            replica = shard.at(node)
            news = replica.fence < epoch or shard.record.confirmed.get(node, 0) < epoch
            return news and not replica.node.cut
        case Wipe(node):
            return not shard.at(node).node.cut
        case Delete(node, epoch):
            replica = shard.at(node)
            return not replica.node.cut and (epoch >= replica.fence or not shard.mechanisms.command_epoch)
        case ReadPage(node, _, False):
            return not shard.at(node).node.cut  # it is read once, when the command is performed
        case AskTask() | AskQueries() | Proceed():
            reachable = True
        case _:
            reachable = not shard.at(command.node).node.cut
    _look_at_table(shard)
    return reachable and shard.coordinator.react(shard.record, commands.answer(shard, command)) is not None


def perform(shard: Shard, command: Command) -> bool:
    """Perform a command, and what the coordinator makes of what it brought back; whether anything came of it."""
    if not can_perform(shard, command):
        return False
    record = shard.record
    match command:
        case Fence(node, epoch):
            commands.raise_fence(shard, shard.at(node), epoch)
        case Wipe(node, epoch):
            commands.wipe(shard, shard.at(node), epoch)
        case Delete(node):
            commands.delete(shard, shard.at(node))
            return True
    event = commands.answer(shard, command)
    if isinstance(command, AskTask):
        shard.at(command.node).results.pop((command.kind, command.page), None)
    _look_at_table(shard)
    reaction = shard.coordinator.react(record, event)
    if reaction is None:
        return True
    changed = shard.change(record, **reaction.changes)
    assert changed, "only one coordinator drives a shard at a time"
    shard.coordinator.awaits = reaction.awaits
    if reaction.send is not None:
        _send(shard, *reaction.send)
    new = shard.record
    if new.epoch != record.epoch:
        _note(shard, Fence(new.source, new.epoch), Fence(new.target, new.epoch))
    if new.phase is Phase.CLEANUP and record.phase is not Phase.CLEANUP:
        _note(shard, Delete(new.source, new.epoch))
    return True


def _send(shard: Shard, kind: Kind, page: int, copies: tuple[Any, ...]) -> None:
    record = shard.record
    shard.network.send(Message(kind, shard.at(record.target), copies, record.epoch, page=page))
    shard.costs.pages_sent += 1
    if kind is Kind.PAGE:
        shard.costs.documents_copied += len(copies)
    else:
        held = shard.at(record.target).documents
        shard.costs.documents_repaired_by_delta += sum(
            c.key not in held or held[c.key].version < c.version for c in copies
        )


def _look_at_table(shard: Shard) -> None:
    shard.coordinator.tracked = shard.table is not None and shard.table.shows(shard)


def _note(shard: Shard, *sent: Fence | Wipe | Delete) -> None:
    """Once sent, a command may land at any later time."""
    shard.sent += [command for command in sent if command not in shard.sent]
