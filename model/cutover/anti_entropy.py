"""Anti-entropy, sweeps and the collection of tombstones (plan §13.8).

A pass compares copies and repairs the lower one with the higher. The highest version wins, tombstones
count, expiry is judged on the winner only and becomes a conditional tombstone. A repair carries its epoch:
none touches O or N from SEAL to ACTIVATE, nor O afterwards, and N is no source before ACTIVATE.
"""

from __future__ import annotations

from typing import Any

from cutproof.model.cutover import clients
from cutproof.model.cutover.mechanisms import Acknowledge, AntiEntropy, Cleanup, ReplicaAck, WritesWhileSealed
from cutproof.model.cutover.slot import (
    MOVED,
    SWEPT,
    Node,
    Phase,
    R,
    S,
    Stage,
    Task,
    erases,
    has_delta,
    idle,
    in_phase,
    is_put,
    newer,
    owner,
    reachable,
    source,
    stage,
    target,
    version,
)
from cutproof.model.language import (
    Operand,
    Step,
    action,
    all_of,
    any_of,
    constant,
    guard,
    pick,
    put,
    when,
)

OPEN = (Phase.DUAL, Phase.COPY)


def repairs_run(s: S) -> Operand:
    """Anti-entropy repairs, and nobody has switched it off."""
    return (s.mechanisms.anti_entropy == AntiEntropy.REPAIR) & ~s.switched_off


def is_read(s: S, node: Node) -> Operand:
    """Whether a pass may take this node's copy for a source of repairs."""
    if node is R:
        return constant(True)
    is_source = (source(s) == node) & ~in_phase(s, Phase.COMPLETE)
    is_target = (target(s) == node) & (
        in_phase(s, *MOVED) | (~s.mechanisms.repairs_fenced & in_phase(s, *OPEN))
    )
    return is_source | is_target


def is_written(s: S, node: Node) -> Operand:
    """Whether a pass may repair this node's copy."""
    if node is R:
        return constant(True)
    free = ~s.mechanisms.repairs_fenced
    is_source = (source(s) == node) & (in_phase(s, Phase.IDLE, Phase.ABORTED, *OPEN) | free)
    is_target = (target(s) == node) & (
        in_phase(s, *OPEN) | in_phase(s, Phase.GRACE, Phase.CLEANUP, Phase.COMPLETE)
    )
    return is_source | is_target | (free & (target(s) == node) & ~in_phase(s, Phase.IDLE, Phase.ABORTED))


def counts_on_repairs(s: S) -> Operand:
    """The record's policy lets the owner lack what a pass brings back later (the strict gate refuses it for that)."""
    m = s.mechanisms
    without = ~has_delta(s) | ~m.drain_waits_for_applied | (m.writes_while_sealed != WritesWhileSealed.BLOCK)
    elsewhere = (m.acknowledge == Acknowledge.ANY) | (m.replica_ack == ReplicaAck.COUNTS)
    return repairs_run(s) & (without | elsewhere)


def left_to_repair(s: S) -> Operand:
    """No pass was clean since: one finds a copy above the owner's, or R was not fenced, or has not applied all that it
    accepted (what R applies later may be acknowledged by that)."""
    if not s.scope.replica:
        return constant(False)
    found = [s.fence[R] < s.epoch]
    for d in range(s.scope.documents):
        found += [task == Task.QUEUED for task in s.task[R][d]]
        found.append(newer(s, d, s.stored[R][d], pick(s.stored, owner(s))[d]))
    return any_of(*found)


def no_repair_under_way(s: S) -> Operand:
    """One repair or sweep at a time: they are what a pass does in the background."""
    kinds = ["repair"] * s.scope.repairs + ["sweep"] * s.scope.sweep
    return all_of(*(idle(s, d, kind) for d in range(s.scope.documents) for kind in kinds))


def _send(s: S, to: Node, doc: int, rank: Any) -> dict[str, Any]:
    return {
        "repair": put(s.repair, doc, rank),
        "net": put(s.net, (to, doc, "repair"), s.epoch + 1),
    }


@action
def repair(s: S, node: Node, to: Node, doc: int) -> Step | None:
    """A pass finds that one copy is below another, and sends the higher one to the lower, by version."""
    if not s.scope.repairs or node is to:
        return None
    high, low = s.stored[node][doc], s.stored[to][doc]
    blind = ~s.mechanisms.repair_honours_tombstones & is_put(s, doc, high) & erases(s, doc, low)
    return when(
        guard("repairs are on", repairs_run(s)),
        guard("a source", is_read(s, node)),
        guard("may be repaired", is_written(s, to)),
        guard("one copy is below the other", newer(s, doc, high, low) | blind),
        guard("not a tombstone that may go", (low != 0) | ~may_forget(s, node, doc)),
        guard("no repair under way", no_repair_under_way(s)),
        guard("reachable", reachable(s, node) & reachable(s, to)),
    ).then(**_send(s, to, doc, high))


@action
def repair_expired(s: S, node: Node, to: Node, doc: int) -> Step | None:
    """A pass finds that the winner has expired, and sends the sweep's delete for it."""
    if not (s.scope.repairs and s.scope.sweep):
        return None
    readable = [(n, s.stored[n][doc]) for n in s.stored.items]
    below = newer(s, doc, constant(SWEPT), s.stored[to][doc])
    wins = all_of(*(~is_read(s, n) | ~newer(s, doc, other, constant(1)) for n, other in readable))
    return when(
        guard("repairs are on", repairs_run(s)),
        guard("a source", is_read(s, node)),
        guard("may be repaired", is_written(s, to)),
        guard("a copy that may expire", s.stored[node][doc] == 1),
        guard("the winner", wins | ~s.mechanisms.expiry_of_winner_only),
        guard("a copy below that", below | ~s.mechanisms.expiry_of_winner_only),
        guard("not deleted there", s.stored[to][doc] != SWEPT),
        guard("no repair under way", no_repair_under_way(s)),
        guard("reachable", reachable(s, node) & reachable(s, to)),
    ).then(**_send(s, to, doc, SWEPT))


@action
def clean_pass(s: S) -> Step | None:
    """A pass that began after O's fence and read O found nothing left to repair on N."""
    m = s.mechanisms
    below = [
        newer(s, d, pick(s.stored, source(s))[d], pick(s.stored, target(s))[d])
        for d in range(s.scope.documents)
    ]
    return when(
        guard("clean-up waits for it", (m.cleanup == Cleanup.AFTER_CLEAN_PASS) & ~has_delta(s)),
        guard("anti-entropy runs", (m.anti_entropy != AntiEntropy.OFF) & ~s.switched_off),
        guard("grace", (s.phase == Phase.GRACE) & ~s.clean),
        guard("nothing to repair", ~any_of(*below)),
    ).then(clean=True)


# ------------------------------------------------------------------ expiry and sweeps


@action(choice=True)
def sweep(s: S, node: Node, to: Node, doc: int, view: int) -> Step | None:
    """A sweep judges a copy expired (rank 1 may expire at any time, a later write renews it) and has it deleted,
    here or elsewhere, by that copy's version and a tie-break bit."""
    chosen = clients.targets(s, view)
    if not s.scope.sweep or stage(view) is Stage.SEALED or to not in chosen:
        return None
    return when(
        guard("the view is current", s.epoch == view),
        guard("a copy that may expire", s.stored[node][doc] == 1),
        guard("a source", is_read(s, node)),
        guard("a target", chosen[to]),
        guard("no sweep under way", no_repair_under_way(s)),
    ).then(net=put(s.net, (to, doc, "sweep"), view + 1))


# ------------------------------------------------------------------ collection of tombstones


def is_forgettable(s: S, here: Node, doc: int, rank: Operand) -> Operand:
    """A clean pass over all replicas, each of them fenced above the tombstone's epoch, with nothing left that could
    bring back what it deleted: no older copy, no accepted task, no repair under way."""
    m = s.mechanisms
    conditions = [no_repair_under_way(s) | ~m.gc_waits_for_repairs]
    for node in s.stored.items:
        stored = s.stored[node][doc]
        clean = (stored == 0) | (version(s, doc, stored) >= version(s, doc, rank))
        applied = all_of(*(task != Task.QUEUED for task in s.task[node][doc])) | ~m.gc_waits_for_applied
        fenced = fenced_above(s, node, doc, rank)
        if node is not here:
            fenced = fenced | ~m.gc_fences_every_replica
        conditions.append(~is_read(s, node) | (clean & fenced & applied))
    return all_of(*conditions)


def fenced_above(s: S, node: Node, doc: int, rank: Operand) -> Operand:
    """The node's fence is above the epoch of the tombstone's version: nothing older is accepted any more."""
    born = [(rank == r) & (s.fence[node] > s.born[doc][r]) for r in s.born[doc].items]
    if s.scope.sweep:
        born.append((rank == SWEPT) & (s.fence[node] > s.born[doc][1]))
    return any_of(*born)


def may_forget(s: S, node: Node, doc: int) -> Operand:
    """The node holds a tombstone and may forget it now. It is not sent then to where there is nothing: the two would
    chase each other for ever."""
    if not s.scope.collect:
        return constant(False)
    waits = s.mechanisms.tombstone_gc_waits
    quiet = in_phase(s, Phase.IDLE, Phase.ABORTED, Phase.COMPLETE)
    stored = s.stored[node][doc]
    safe = quiet & is_forgettable(s, node, doc, stored)
    return erases(s, doc, stored) & is_read(s, node) & (safe | ~waits)


@action
def collect(s: S, node: Node, doc: int) -> Step | None:
    """A node forgets a tombstone: with no live migration, after a clean pass, fenced above its epoch."""
    if not s.scope.collect:
        return None
    waits = s.mechanisms.tombstone_gc_waits
    quiet = in_phase(s, Phase.IDLE, Phase.ABORTED, Phase.COMPLETE)
    stored = s.stored[node][doc]
    return when(
        guard("a tombstone", erases(s, doc, stored)),
        guard("a replica", is_read(s, node)),
        guard("no live migration", quiet | ~waits),
        guard("nothing can return", is_forgettable(s, node, doc, stored) | ~waits),
    ).then(stored=put(s.stored, (node, doc), 0))


ACTIONS = (repair, repair_expired, clean_pass, sweep, collect)
