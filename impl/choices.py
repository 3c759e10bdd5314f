"""Choices: everything that may happen next to a shard, and how each is done. Choosing is apart from doing.

The seeded scheduler, Hypothesis, an explorer and a replayed trace are choosers of one system. Actions have the names
that the specification gives them. What clients issue (writes, reads, searches) and what operators begin is not listed:
that comes from outside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from cutproof.impl import anti_entropy, commands, mover
from cutproof.impl.coordinator import (
    AskDocuments,
    AskQueries,
    AskQueue,
    AskTask,
    Command,
    Delete,
    Fence,
    Proceed,
    ReadBack,
    ReadPage,
    Wipe,
)
from cutproof.impl.copies import is_put
from cutproof.impl.node import Kind, Message, Replica
from cutproof.impl.record import LIVE, Phase
from cutproof.impl.shard import Shard
from cutproof.model.cutover.mechanisms import AntiEntropy


class Choice(NamedTuple):
    """One thing that may happen: an action, and what it is about. `fault` is the kind of fault, or empty."""

    action: str
    shard: Shard
    what: tuple[Any, ...] = ()
    fault: str = ""

    def __repr__(self) -> str:
        return f"{self.action}({', '.join(map(str, self.what))})"


def enabled(shard: Shard, now: float = 0.0) -> Iterator[Choice]:
    """What may happen next to a shard, faults included. `now` is in seconds, for what expires."""
    yield from _coordinator(shard)
    yield from _deliveries(shard)
    yield from requests(shard)
    yield from _anti_entropy(shard, now)
    yield from _faults(shard)


def step(choice: Choice) -> None:
    """Do it. The choice must be enabled."""
    DO[choice.action](choice.shard, *choice.what)


# ------------------------------------------------------------------ the coordinator

_PROCEED = {
    Phase.COPY: "start_copy", Phase.SEAL: "seal", Phase.DRAIN_SOURCE: "start_drain",
    Phase.ACTIVATE: "activate", Phase.GRACE: "start_grace", Phase.CLEANUP: "start_cleanup",
}  # fmt: skip
_QUEUES = {
    Phase.DUAL: "start_copy", Phase.DRAIN_SOURCE: "source_drained", Phase.DRAIN_TARGET: "target_drained",
}  # fmt: skip


def name_of(shard: Shard, command: Command) -> str:
    """The action that performing a command is, as the record stands."""
    record = shard.record
    match command:
        case Fence():
            return "raise_fence"
        case Wipe():
            return "wipe"
        case Delete():
            return "delete_source"
        case AskQueue():
            return _QUEUES[record.phase]
        case ReadPage(_, page, by_offset):
            if by_offset and page >= len(shard.at(command.node).listed()):
                return "seal"
            return "read_page" if record.phase is Phase.COPY else "scan"
        case AskTask(_, kind):
            known = (kind, command.page) in shard.at(command.node).results or _is_under_way(shard, command)
            if not known:
                return "page_is_gone"
            return "page_landed" if kind is Kind.PAGE else "repaired"
        case ReadBack():
            reaction = shard.coordinator.react(record, commands.answer(shard, command))
            return "prove" if reaction is not None and reaction.changes.get("proof") else "proof_fails"
        case AskQueries():
            return "start_cleanup"
        case AskDocuments():
            return "complete"
        case Proceed(to):
            return _PROCEED[to]
    raise TypeError(f"no command {command!r}")


def _is_under_way(shard: Shard, asked: AskTask) -> bool:
    return any(commands.is_page(m, shard, asked.kind, asked.page) for m in shard.network.under_way())


def _coordinator(shard: Shard) -> Iterator[Choice]:
    for command in mover.wants(shard):
        if mover.can_perform(shard, command):
            yield Choice(name_of(shard, command), shard, (command,))
    if mover.may_abort(shard):
        yield Choice("abort", shard)
    if shard.rival is not None and shard.record.phase in (Phase.DUAL, Phase.COPY):
        yield Choice("rival_activates", shard)


def _perform(shard: Shard, command: Command) -> None:
    mover.perform(shard, command)


# ------------------------------------------------------------------ deliveries and tasks


def _deliveries(shard: Shard) -> Iterator[Choice]:
    network = shard.network
    for message in network.under_way():
        replica = message.replica
        if replica.shard != shard.number:
            continue
        if message.queued:
            yield Choice("apply", shard, (message,))
            yield Choice("task_fails", shard, (message,), "failed task")
            continue
        if replica.is_fenced(message):
            if not replica.node.cut:
                yield Choice("refuse", shard, (message,))
        elif network.can_arrive(message):
            yield Choice("accept", shard, (message,))
            if message.kind is Kind.WRITE:
                yield Choice("accept_duplicate", shard, (message,), "duplicated")
        yield Choice("delivery_fails", shard, (message,), "failed delivery")
        yield Choice("delivery_is_lost", shard, (message,), "lost")


def _accept_duplicate(shard: Shard, message: Message) -> None:
    shard.network.duplicate(message)
    shard.network.accept(message)


# ------------------------------------------------------------------ clients


def requests(shard: Shard) -> Iterator[Choice]:
    """What may happen to clients' requests: answers, and steps of searches."""
    for write in shard.waiting:
        if write.enough[write.done]:
            yield Choice("acknowledge", shard, (write,))
        elif write.pending == 0:
            yield Choice("fail", shard, (write,))
        if write.pending:
            yield Choice("time_out", shard, (write,), "late")
    for write in shard.held:
        yield Choice("give_up", shard, (write,))
    for read in shard.reads:
        if shard.can_answer(read):
            yield Choice("answer_read", shard, (read,))
        elif not shard.admits(read.route.serving, read.route.epoch):
            yield Choice("refuse_read", shard, (read,))
    for search in shard.searches:
        for replica, place in search.places.items():
            if place >= 0:
                yield Choice("step_search", shard, (search, replica))
            elif not shard.admits(replica, search.epoch):
                yield Choice("refuse_search", shard, (search, replica))
            elif shard.would_admit(replica, search.epoch):
                yield Choice("admit_search", shard, (search, replica))


# ------------------------------------------------------------------ anti-entropy


def _anti_entropy(shard: Shard, now: float) -> Iterator[Choice]:
    if not anti_entropy.under_way(shard):
        for found in anti_entropy.find(shard, now):
            yield Choice("repair_expired" if found.expired else "repair", shard, (found,))
        for found in anti_entropy.find_sweeps(shard, now):
            yield Choice("sweep", shard, (found,))
    if anti_entropy.may_end_clean(shard):
        yield Choice("clean_pass", shard)
    if shard.collects:
        for replica in shard.replicas.values():
            for key, copy in list(replica.documents.items()):
                if not is_put(copy) and anti_entropy.may_collect(shard, replica, key):
                    yield Choice("collect", shard, (replica, key))


# ------------------------------------------------------------------ faults


def _faults(shard: Shard) -> Iterator[Choice]:
    record = shard.record
    awaits = shard.coordinator.awaits
    if awaits is not None and awaits[0] is Kind.PAGE and _is_under_way(shard, AskTask("", *awaits)):
        yield Choice("page_times_out", shard, (), "late")
    for command in shard.sent:
        if commands.lands_late(shard, command):
            yield Choice(LATE[type(command)], shard, (command,), "zombie")
    for replica in shard.replicas.values():
        yield Choice("restart", shard, (replica,), "restart")
        yield Choice(
            "heal" if replica.node.cut else "cut_off",
            shard,
            (replica,),
            "" if replica.node.cut else "partition",
        )
    if record.phase in LIVE:
        yield Choice("crash", shard, (), "crash")
        yield Choice("begin_another", shard, (), "overlap")
    lives = record.phase in LIVE or (shard.plans_another and record.phase is Phase.COMPLETE)
    is_on = record.mechanisms.anti_entropy is not AntiEntropy.OFF and not shard.switched_off
    if lives and is_on and not shard.changed:
        yield Choice("change_policy", shard, (), "policy change")
    if not record.mechanisms.roll_forward_only and record.phase in (Phase.ACTIVATE, Phase.GRACE):
        yield Choice("revert_routing", shard, (), "routing revert")
    table = shard.table
    if table is not None and not table.mechanisms.per_migration_tracking:
        if table.missed:
            yield Choice("other_migration_ends", shard, (), "other migration")
        if not table.blocked:
            yield Choice("other_migration_hangs", shard, (), "other migration")


LATE = {Fence: "late_fence", Wipe: "late_wipe", Delete: "late_delete"}


def _page_times_out(shard: Shard) -> None:
    mover.set_adrift(shard, frozenset({Kind.PAGE}))


def _restart(shard: Shard, replica: Replica) -> None:
    """Documents, queue and fence survive, a running search does not."""
    for search in [s for s in shard.searches if replica in s.places]:
        shard.fail_search(search)


def _cut(shard: Shard, replica: Replica) -> None:
    replica.node.cut = True


def _heal(shard: Shard, replica: Replica) -> None:
    replica.node.cut = False
    shard.network.reconsider()


def _change_policy(shard: Shard) -> None:
    """Somebody switches anti-entropy off. The record's copy of the policy rules until another migration begins."""
    shard.switched_off = not shard.record.mechanisms.policy_is_recorded
    shard.changed = shard.plans_another


def _other_ends(shard: Shard) -> None:
    assert shard.table is not None
    shard.table.another_ends()


def _other_hangs(shard: Shard) -> None:
    assert shard.table is not None
    shard.table.blocked = True


_COMMANDS = (
    "start_copy", "seal", "start_drain", "activate", "start_grace", "start_cleanup", "source_drained",
    "target_drained", "raise_fence", "wipe", "delete_source", "read_page", "scan", "page_landed",
    "page_is_gone", "repaired", "prove", "proof_fails", "complete",
)  # fmt: skip

DO: dict[str, Callable[..., Any]] = {
    **dict.fromkeys(_COMMANDS, _perform),
    "abort": mover.abort,
    "rival_activates": mover.rival_activates,
    "accept": lambda shard, message: shard.network.accept(message),
    "accept_duplicate": _accept_duplicate,
    "refuse": lambda shard, message: shard.network.refuse(message),
    "apply": lambda shard, message: shard.network.apply(message),
    "task_fails": lambda shard, message: shard.network.fail(message),
    "delivery_fails": lambda shard, message: shard.network.fail(message),
    "delivery_is_lost": lambda shard, message: shard.network.lose(message),
    "acknowledge": Shard.acknowledge,
    "fail": Shard.fail,
    "time_out": Shard.time_out,
    "give_up": Shard.give_up,
    "answer_read": Shard.answer_read,
    "refuse_read": Shard.refuse_read,
    "admit_search": Shard.admit_search,
    "refuse_search": lambda shard, search, replica: shard.fail_search(search),
    "step_search": Shard.step_search,
    "repair": anti_entropy.send,
    "repair_expired": anti_entropy.send,
    "sweep": anti_entropy.send_sweep,
    "clean_pass": anti_entropy.end_clean,
    "collect": lambda shard, replica, key: anti_entropy.collect(replica, key),
    "page_times_out": _page_times_out,
    "late_fence": commands.land_late,
    "late_wipe": commands.land_late,
    "late_delete": commands.land_late,
    "restart": _restart,
    "cut_off": _cut,
    "heal": _heal,
    "crash": mover.crash,
    "begin_another": mover.begin_another,
    "change_policy": _change_policy,
    "revert_routing": mover.revert_routing,
    "other_migration_ends": _other_ends,
    "other_migration_hangs": _other_hangs,
}
