"""Faults: what goes wrong besides deliveries (those are in `delivery.py`).

A coordinator that is down is a coordinator that takes no step, so a crash and the recovery are one action: what
was in memory is gone, and another coordinator goes on from the durable record.
"""

from __future__ import annotations

from typing import Any

from cutproof.model.cutover.clients import ended
from cutproof.model.cutover.mechanisms import AntiEntropy
from cutproof.model.cutover.progress import nothing_earlier
from cutproof.model.cutover.slot import (
    MOVED,
    MOVING,
    SEALED,
    N,
    Node,
    O,
    Phase,
    S,
    Stage,
    Task,
    epochs,
    in_phase,
    now_shown,
    reachable,
    stage,
)
from cutproof.model.language import (
    Operand,
    Step,
    action,
    all_of,
    any_of,
    choose,
    each,
    guard,
    put,
    when,
)

# ------------------------------------------------------------------ commands whose sender is gone


def outstanding(s: S, node: Node, doc: int, message: str) -> Operand:
    """The message is on its way, or accepted and not applied."""
    return (s.net[node][doc][message] != 0) | (s.task[node][doc][message] == Task.QUEUED)


def set_adrift(s: S, kinds: tuple[str, ...] = ("page", "delta")) -> dict[str, Any]:
    """The coordinator forgets its page or repair. If nothing else strays, it is still on its way; else it is lost."""
    net, task, page, stray, is_delta = s.net, s.task, s.page, s.stray, s.stray_is_delta
    for node in (N, O) if s.scope.back else (N,):
        for doc in range(s.scope.documents):
            if s.scope.strays:
                free = all_of(*(~outstanding(s, n, doc, "stray") for n in (O, N)))
                for kind in kinds:
                    moves = free & outstanding(s, node, doc, kind)
                    held = s.page[doc] if kind == "page" else s.scanned[doc]
                    queued = s.task[node][doc][kind] == Task.QUEUED
                    stray = put(stray, doc, choose(moves, held, stray[doc]))
                    is_delta = put(is_delta, doc, choose(moves, kind == "delta", is_delta[doc]))
                    old_net, old_task = net[node][doc]["stray"], task[node][doc]["stray"]
                    net = put(net, (node, doc, "stray"), choose(moves, s.net[node][doc][kind], old_net))
                    now = choose(queued, Task.QUEUED, Task.NONE)
                    task = put(task, (node, doc, "stray"), choose(moves, now, old_task))
            for kind in kinds:
                net = put(net, (node, doc, kind), 0)
                task = put(task, (node, doc, kind), Task.NONE)
    return {"net": net, "task": task, "page": each(page, 0), "stray": stray, "stray_is_delta": is_delta}


@action(fault="late")
def page_times_out(s: S, doc: int) -> Step | None:
    """The coordinator gives up on a page, which is still on its way, and will read it again."""
    if not (s.scope.late and s.scope.strays):
        return None
    return when(
        guard("a page under way", any_of(*(outstanding(s, n, doc, "page") for n in (O, N)))),
        guard("nothing strays", all_of(*(~outstanding(s, n, doc, "stray") for n in (O, N)))),
    ).then(**set_adrift(s, ("page",)))


@action(fault="crash")
def crash(s: S) -> Step | None:
    """The coordinator crashes and another recovers: DUAL and COPY go on at the cursor, drain and delta are redone."""
    if not s.scope.crashes:
        return None
    kept, redo = s.mechanisms.durable_record, in_phase(s, Phase.DRAIN_SOURCE, Phase.DRAIN_TARGET, Phase.DELTA)
    started = s.epoch
    for epoch in epochs(s.scope):
        started = choose(s.epoch == epoch, 4 * (epoch // 4), started)
    changes: dict[str, Any] = {
        **set_adrift(s),
        "phase": choose(kept, choose(redo, Phase.SEAL, s.phase), Phase.IDLE),
        "epoch": choose(kept, s.epoch, started),
        "cursor": choose(kept & ~redo, s.cursor, 0),
        "proof": s.proof & in_phase(s, *MOVED) & kept,
        "scanned": choose(in_phase(s, *MOVED), s.scanned, each(s.scanned, 0)),
    }
    if s.scope.table:
        changes["missed"] = each(s.missed, 0)  # the table is in memory
    return when(
        guard("a migration lives", in_phase(s, *MOVING, Phase.ACTIVATE, Phase.GRACE, Phase.CLEANUP))
    ).then(**changes)


def wiped(s: S, fence: Any) -> dict[str, Any]:
    """N raises its fence and clears documents and queue."""
    task, page, stray, is_delta, repair = s.task, s.page, s.stray, s.stray_is_delta, s.repair
    for doc, by_message in s.task[N].items.items():
        page = put(page, doc, choose(s.net[N][doc]["page"] == 0, 0, s.page[doc]))
        if s.scope.repairs:
            repair = put(repair, doc, choose(by_message["repair"] == Task.QUEUED, 0, s.repair[doc]))
        for message in by_message.items:
            task = put(task, (N, doc, message), Task.NONE)
        if s.scope.strays:
            gone = s.net[N][doc]["stray"] == 0
            stray = put(stray, doc, choose(gone, 0, s.stray[doc]))
            is_delta = put(is_delta, doc, s.stray_is_delta[doc] & ~gone)
    return {
        "stored": put(s.stored, N, each(s.stored[N], 0)),
        "partial": put(s.partial, N, each(s.partial[N], False)),
        "fence": put(s.fence, N, fence),
        "task": task,
        "stray": stray,
        "page": page,
        "stray_is_delta": is_delta,
        "repair": repair,
        **({"others_queued": put(s.others_queued, N, False)} if s.scope.others else {}),
    }


@action(fault="zombie")
def late_wipe(s: S, epoch: int) -> Step | None:
    """The wipe of an aborted attempt lands (again) on N, after anything."""
    if not s.scope.zombies or stage(epoch) is not Stage.IDLE or epoch == 0 or epoch > 4 * s.scope.aborts:
        return None
    low = s.fence[N] <= epoch
    return when(
        guard("was sent", (s.epoch >= epoch) & s.mechanisms.wipe_before_retry),
        guard("first wiped in time", s.fence[N] >= epoch),
        guard("epoch not below the fence", low | ~s.mechanisms.command_epoch),
        guard("reachable", reachable(s, N)),
    ).then(**wiped(s, choose(low, epoch, s.fence[N])))


@action(fault="zombie")
def late_delete(s: S) -> Step | None:
    """The clean-up of the first migration lands again on O, during or after the way back."""
    if not (s.scope.zombies and s.scope.back):
        return None
    return when(
        guard("was sent", s.source == N),
        guard("epoch not below the fence", (s.fence[O] <= 3) | ~s.mechanisms.command_epoch),
        guard("holds something", any_of(*(stored != 0 for stored in s.stored[O]))),
        guard("reachable", reachable(s, O)),
    ).then(
        stored=put(s.stored, O, each(s.stored[O], 0)),
        partial=put(s.partial, O, each(s.partial[O], False)),
    )


@action(fault="zombie")
def late_fence(s: S, pair: Node, epoch: int) -> Step | None:
    """The fence of an earlier attempt, or of an earlier step, lands now."""
    if not s.scope.zombies or stage(epoch) is not Stage.DUAL:
        return None
    return when(
        guard("was sent", s.epoch > epoch),
        guard("rises", s.fence[pair] < epoch),
        guard("reachable", reachable(s, pair)),
    ).then(fence=put(s.fence, pair, epoch))


# ------------------------------------------------------------------ nodes


@action(fault="restart")
def restart(s: S, pair: Node) -> Step | None:
    """A node restarts: documents, queue and fence survive, a running search does not."""
    if not s.scope.restarts:
        return None
    if not s.scope.searches:
        return when(guard("reachable", reachable(s, pair))).then()
    return when(guard("runs a search", s.search[pair] != 0)).then(**ended(s))


@action(fault="partition")
def cut_off(s: S, pair: Node) -> Step | None:
    """A node is cut off from everybody."""
    if not s.scope.partitions:
        return None
    return when(guard("connected", ~any_of(*s.cut))).then(cut=put(s.cut, pair, True))


@action
def heal(s: S, pair: Node) -> Step | None:
    """The partition heals."""
    if not s.scope.partitions:
        return None
    return when(guard("cut off", s.cut[pair])).then(cut=put(s.cut, pair, False))


# ------------------------------------------------------------------ operators, and other migrations


@action(fault="overlap")
def begin_another(s: S) -> Step | None:
    """Somebody begins a second migration of the slot. It is refused; else the first goes on under its own record."""
    if not s.scope.overlap:
        return None
    alone = s.mechanisms.one_migration_per_shard
    proved, room = (s.phase == Phase.DELTA) & s.proof, s.epoch < 4 * (s.scope.attempts - 1)
    begun = when(
        guard("a migration lives", in_phase(s, *MOVING, Phase.ACTIVATE, Phase.GRACE, Phase.CLEANUP)),
        guard("refused, or the first is about to activate", alone | (proved & room & ~s.rival)),
    )
    if s.scope.attempts == 1:
        return begun.then()
    return begun.then(
        rival=s.rival | ~alone,
        phase=choose(alone, s.phase, Phase.DUAL),
        epoch=choose(alone, s.epoch, choose(in_phase(s, *SEALED), s.epoch + 3, s.epoch)),
        cursor=choose(alone, s.cursor, 0),
        proof=s.proof & alone,
        scanned=choose(alone, s.scanned, each(s.scanned, 0)),
    )


@action
def rival_activates(s: S) -> Step | None:
    """The first of two overlapping migrations activates, by its own record."""
    if not (s.scope.overlap and s.scope.attempts > 1):
        return None
    return when(
        guard("proved", s.rival), guard("the second dual writes", in_phase(s, Phase.DUAL, Phase.COPY))
    ).then(
        rival=False,
        phase=Phase.ACTIVATE,
        epoch=s.epoch + 2,
        cursor=0,
        shown=now_shown(s),
        **set_adrift(s),
        **nothing_earlier(s),
    )


@action(fault="policy change")
def change_policy(s: S) -> Step | None:
    """Somebody switches anti-entropy off while a migration lives, or after it where another may follow. The record's
    copy of the policy rules until that one begins."""
    if not s.scope.policy_change:
        return None
    ended = (Phase.COMPLETE,) if s.scope.back else ()
    return when(
        guard("a migration lives", in_phase(s, *MOVING, Phase.ACTIVATE, Phase.GRACE, Phase.CLEANUP, *ended)),
        guard(
            "anti-entropy is on",
            (s.mechanisms.anti_entropy != AntiEntropy.OFF) & ~s.switched_off & ~s.changed,
        ),
    ).then(switched_off=~s.mechanisms.policy_is_recorded, changed=s.scope.back)


@action(fault="routing revert")
def revert_routing(s: S) -> Step:
    """After ACTIVATE an operator points the routers back at O. There is no such step: a rollback is a migration."""
    return when(
        guard("not forbidden", ~s.mechanisms.roll_forward_only),
        guard("activated", in_phase(s, Phase.ACTIVATE, Phase.GRACE)),
    ).then(phase=Phase.ABORTED)


@action(fault="other migration")
def other_migration_ends(s: S) -> Step | None:
    """A migration of another shard ends and erases the table that it shares with this one."""
    if not s.scope.table:
        return None
    return when(
        guard("one table for all", ~s.mechanisms.per_migration_tracking),
        guard("has entries", any_of(*(m != 0 for m in s.missed))),
    ).then(missed=each(s.missed, 0))


@action(fault="other migration")
def other_migration_hangs(s: S) -> Step | None:
    """A migration of another shard leaves an entry in the shared table that never settles."""
    if not s.scope.table:
        return None
    return when(
        guard("one table for all", ~s.mechanisms.per_migration_tracking), guard("free", ~s.blocked)
    ).then(blocked=True)


ACTIONS = (
    page_times_out, crash, late_wipe, late_delete, late_fence, restart, cut_off, heal, begin_another,
    rival_activates, change_policy, revert_routing, other_migration_ends, other_migration_hangs,
)  # fmt: skip
