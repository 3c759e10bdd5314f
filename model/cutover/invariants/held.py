"""The second part of the invariants (`__init__.py`): what each copy holds, and what clients were promised."""

from __future__ import annotations

from itertools import product

from cutproof.model.cutover.delivery import carried
from cutproof.model.cutover.invariants.terms import (
    collected,
    may_go_to,
    messages,
    other_than,
    source_of,
    unfenced,
)
from cutproof.model.cutover.mechanisms import Acknowledge, Cleanup, ReplicaAck, WritesWhileSealed
from cutproof.model.cutover.slot import (
    MOVED,
    SEALED,
    SWEPT,
    N,
    Node,
    O,
    Phase,
    R,
    S,
    Stage,
    Task,
    at_owner,
    epochs,
    erases,
    has_delta,
    in_phase,
    is_put,
    last_issued,
    may_have_collected,
    owner,
    rank_of,
    ranks,
    source,
    stage,
    target,
)
from cutproof.model.language import (
    Operand,
    all_of,
    always,
    any_of,
    choose,
    constant,
    implies,
    larger,
    pick,
)

# ------------------------------------------------------------------ 3. what each copy holds


def holds(s: S, doc: int, stored: Operand, rank: Operand) -> Operand:
    """The copy is at this rank or above, or is gone by a delete."""
    if not s.scope.collect:
        return stored >= rank
    deleted = erases(s, doc, rank) | may_have_collected(s, doc, rank, stored)
    return (stored >= rank) | (~is_put(s, doc, stored) & deleted)


@always
def outcomes_are_stored(s: S) -> Operand:
    """A write that succeeded on a node that acknowledges is stored there, or newer; where its shard was deleted since,
    at the owner."""
    found = []
    for node, d, m in messages(s, "client"):
        rank = rank_of(s, d, m)
        done, held = s.task[node][d][m] == Task.DONE, s.stored[node][d] >= rank
        held = held | (
            (s.shown[d] >= rank) & erases(s, d, s.shown[d]) if s.scope.collect else constant(False)
        )
        if node is R:  # where R's acknowledgement counts nothing is collected
            found.append(implies(done, held) | constant(s.scope.collect))
            continue
        deleted = (in_phase(s, Phase.CLEANUP, Phase.COMPLETE) & (source(s) == node)) | (
            s.epoch >= 4 if s.scope.back else constant(False)
        )
        if not (s.scope.back or s.scope.collect):
            found.append(implies(done & ~deleted, held))
        at_owner, moved = pick(s.stored, owner(s))[d] >= rank, in_phase(s, *MOVED)
        forgotten = collected(s, d) & (s.shown[d] >= rank)
        for v in epochs(s.scope):
            if may_go_to(s, node, v) and (node is source_of(s, v)) is (stage(v) is not Stage.ACTIVE):
                mine = done & (s.waits[d] == v + 1) & ~forgotten
                found += [
                    implies(mine & ~deleted, held),
                    implies(mine & moved, at_owner),
                    implies(mine & moved, at_owner | (pick(s.stored, source(s))[d] >= rank)),
                    implies(mine & ~moved, at_owner),
                    implies(mine & (source(s) == node), s.shown[d] >= rank),
                    implies(mine & unfenced(s), holds(s, d, pick(s.stored, source(s))[d], rank)),
                ]
    return all_of(*found)


@always
def copies_come_from_the_source(s: S) -> Operand:
    """What pages and strays carry is not above what the source holds; where it was deleted, not above the target."""
    found = []
    for d in s.page.items:
        there = choose(in_phase(s, *MOVED), pick(s.stored, target(s))[d], pick(s.stored, source(s))[d])
        if s.scope.collect:
            there = larger(there, s.shown[d])
        pages = [(s.net[n][d]["page"] != 0) | (s.task[n][d]["page"] != Task.NONE) for n in s.net.items]
        found += [implies(any_of(*pages), s.page[d] <= there), s.stray[d] <= there]
    return all_of(*found)


@always
def landed_pages_are_stored(s: S) -> Operand:
    """A page, or a repair of the delta, that was applied is on N, or newer."""
    return all_of(
        *(
            implies(s.task[n][d][m] == Task.DONE, s.stored[n][d] >= carried(s, d, m))
            for n, d, m in messages(s, "page", "delta")
        )
    )


@always
def scanned_is_what_the_source_holds(s: S) -> Operand:
    """In DELTA what was scanned is what the source holds, until its deletion in CLEANUP."""
    found = []
    for d in s.scanned.items:
        held = pick(s.stored, source(s))[d]
        same = s.scanned[d] == held
        some = any_of(
            *((s.net[n][d]["delta"] != 0) | (s.task[n][d]["delta"] != Task.NONE) for n in s.net.items)
        )
        found += [
            implies((s.phase == Phase.DELTA) & ((s.scanned[d] != 0) | (s.cursor > d)), same),
            implies(some, s.scanned[d] != 0),
            implies((s.phase == Phase.DELTA) & (s.cursor > d), pick(s.stored, target(s))[d] >= s.scanned[d]),
            implies(in_phase(s, Phase.ACTIVATE, Phase.GRACE), same),
            implies(s.phase == Phase.CLEANUP, same | (held == 0)),
            implies(s.phase == Phase.COMPLETE, held == 0),
            implies(~in_phase(s, Phase.DELTA, Phase.ACTIVATE, Phase.GRACE, Phase.CLEANUP), s.scanned[d] == 0),
        ]
    return all_of(*found)


@always
def proved_is_held(s: S) -> Operand:
    """The proof: N holds what was scanned, or newer."""
    covered = all_of(*(pick(s.stored, target(s))[d] >= s.scanned[d] for d in s.scanned.items))
    at_the_end = (s.phase != Phase.DELTA) | (s.cursor == s.scope.documents)
    return implies(s.proof, covered & at_the_end)


# ------------------------------------------------------------------ 4. what clients were promised


@always
def versions_are_born_in_order(s: S, doc: int) -> Operand:
    """A version's epoch is the record's when it was drawn: it rises with the rank, and no message carries a
    later one."""
    if not s.scope.collect:
        return constant(True)
    born, found = s.born[doc], []
    for r, epoch in born.items.items():
        found.append(epoch <= s.epoch)
        found += [implies(s.issued[doc] >= later, epoch <= born[later]) for later in born.items if later > r]
        found += [s.net[n][doc][r] <= epoch + 1 for n in s.net.items]
        found.append(implies(s.issued[doc] == r, s.waits[doc] <= epoch + 1))
    return all_of(*found)


@always
def wiped_is_empty(s: S) -> Operand:
    """After an abort, N is empty once it has confirmed the wipe, and accepts nothing that was sent before."""
    wiped, found = (s.phase == Phase.ABORTED) & (s.fence[N] >= s.epoch), []
    found += [implies(wiped, held == 0) for held in s.stored[N]]
    for n, d, m in messages(s):
        if n is N:
            found.append(implies(wiped, s.task[n][d][m] == Task.NONE))
    if s.scope.others:
        found.append(implies(wiped, ~s.others_queued[N]))
    return all_of(*found) if s.scope.aborts else constant(True)


@always
def forgotten_behind_fences(s: S, doc: int) -> Operand:
    """A delete is forgotten when no migration lives: after an abort, when it was born before it, or at the end. What
    N has accepted since its wipe was born after the wipe."""
    if not s.scope.collect:
        return constant(True)
    born = [implies(s.shown[doc] == r, s.born[doc][r] < 4) for r in s.born[doc].items]
    if s.scope.sweep:
        born.append(implies(s.shown[doc] == SWEPT, s.born[doc][1] < 4))
    found = [implies(collected(s, doc), (s.phase == Phase.COMPLETE) | ((s.epoch >= 4) & all_of(*born)))]
    for r, epoch in s.born[doc].items.items():
        found.append(implies((s.fence[N] >= 4) & (s.task[N][doc][r] != Task.NONE), epoch >= 4))
    return all_of(*found)


@always
def nothing_returns(s: S, doc: int) -> Operand:
    """Once the owner has forgotten a delete, nothing older is left: not stored, not queued, not above a fence."""
    if not s.scope.collect:
        return constant(True)
    found, deleted = [], s.shown[doc]
    for n in s.stored.items:
        held = s.stored[n][doc]
        reads = constant(True) if n is R else matters(s, n)
        found.append(implies(reads, (held >= deleted) | ~is_put(s, doc, held)))
        for m in s.net[n][doc].items:
            rank = carried(s, doc, m)
            older = (rank != 0) & (rank < deleted) & ~erases(s, doc, rank)
            refused = s.net[n][doc][m] <= s.fence[n]
            found.append(implies(reads & older, (s.task[n][doc][m] != Task.QUEUED) & refused))
    return implies(collected(s, doc), all_of(*found))


@always
def promised_is_at_the_owner(s: S) -> Operand:
    """What was acknowledged is at the owner; until the source is fenced by ACTIVATE, at the source too."""
    found = []
    for d in s.acked.items:
        last, at_source = last_issued(s, d), pick(s.stored, source(s))[d]
        found += [
            s.shown[d] >= s.acked[d],
            (pick(s.stored, owner(s))[d] >= s.shown[d]) | collected(s, d),
            implies(unfenced(s), holds(s, d, at_source, s.acked[d]) | collected(s, d)),
            in_phase(s, *MOVED) | collected(s, d) | (s.shown[d] == pick(s.stored, owner(s))[d]),
            ~(in_phase(s, *MOVED) | collected(s, d)) | (s.shown[d] == at_owner(s, d)),
            *(
                implies((s.waits[d] == v + 1) & (s.stored[other_than(s, v)][d] >= last), s.shown[d] >= last)
                for v in epochs(s.scope)
                if stage(v) is Stage.ACTIVE
            ),
        ]
    return all_of(*found)


@always
def both_hold_what_both_acknowledge(s: S) -> Operand:
    """Where O and N must acknowledge, N holds what was promised once its page has landed, or R does where R counts.
    What O alone acknowledged before the dual writes began had been applied when its page was read. Nothing rests on it
    where a delta finds all that was accepted."""
    m, found = s.mechanisms, []
    by_delta = has_delta(s) & m.drain_waits_for_applied & (m.writes_while_sealed == WritesWhileSealed.BLOCK)
    unneeded = (m.acknowledge != Acknowledge.ALL) | by_delta
    for d in s.acked.items:
        copied = in_phase(s, *SEALED, *MOVED) | ((s.phase == Phase.COPY) & (s.cursor > d))
        n = pick(s.stored, target(s))[d]
        page = pick(s.task, target(s))[d]["page"]
        reading = (s.phase == Phase.COPY) & ((pick(s.net, target(s))[d]["page"] != 0) | (page != Task.NONE))
        promised = [(s.acked[d], replica_counts(s, d))]
        for r in ranks(s.scope):
            early = any_of(*(s.waits[d] == v + 1 for v in epochs(s.scope) if stage(v) is Stage.IDLE)) & (
                s.issued[d] == r
            )
            done = early & (pick(s.task, source(s))[d][r] == Task.DONE)
            promised.append((choose(done, rank_of(s, d, r), constant(0)), constant(False)))
            settled = implies(
                early & in_phase(s, Phase.COPY, *SEALED, *MOVED), pick(s.task, source(s))[d][r] != Task.QUEUED
            )
            found.append(settled)
        for rank, at_replica in promised:
            found.append(unneeded | implies(copied, (n >= rank) | at_replica))
            found.append(unneeded | implies(reading, (larger(n, s.page[d]) >= rank) | at_replica))
    return all_of(*found)


def replica_counts(s: S, doc: int) -> Operand:
    """R's acknowledgement counts, and R holds what was acknowledged."""
    if not s.scope.replica:
        return constant(False)
    return (s.mechanisms.replica_ack == ReplicaAck.COUNTS) & (s.stored[R][doc] >= s.acked[doc])


@always
def a_copy_survives(s: S, doc: int) -> Operand:
    """What was acknowledged is somewhere that lasts: at R where R must acknowledge; else at the owner, or at the
    source until it is deleted, or at R where R counts. Deleted without a proof, the source had been compared by a
    clean pass."""
    m, acked = s.mechanisms, s.acked[doc]
    here, there = pick(s.stored, source(s))[doc], pick(s.stored, target(s))[doc]
    kept = choose(in_phase(s, *MOVED), (there >= acked) | (here >= acked), here >= acked) | replica_counts(
        s, doc
    )
    covered = implies(
        in_phase(s, Phase.CLEANUP, Phase.COMPLETE) & (m.cleanup == Cleanup.AFTER_CLEAN_PASS) & ~has_delta(s),
        s.clean,
    )
    compared = implies(s.clean, there >= here) & implies(
        s.clean, in_phase(s, Phase.GRACE, Phase.CLEANUP, Phase.COMPLETE)
    )
    found = [kept | collected(s, doc), covered, compared]
    if s.scope.replica:
        found.append(
            (m.replica_ack != ReplicaAck.REQUIRED) | (s.stored[R][doc] >= acked) | constant(s.scope.collect)
        )
    return all_of(*found)


def matters(s: S, node: Node) -> Operand:
    """What the node holds may be served, or sent to others, from now on: it is the owner, the source, or a target that
    was wiped."""
    wiped = s.fence[node] >= 4 if s.scope.aborts else constant(False)
    return (owner(s) == node) | (source(s) == node) | ((target(s) == node) & wiped)


@always
def the_replica_keeps_its_word(s: S, doc: int) -> Operand:
    """Where R must acknowledge, what it applied is there, or newer, or was collected there with a newer delete. Then no
    migration lives, and R and the owner refuse what is older."""
    if not (s.scope.replica and s.scope.collect):
        return constant(True)
    held, word = s.stored[R][doc], [s.acked[doc]]
    for r in ranks(s.scope):
        waiting = (s.waits[doc] != 0) & (s.issued[doc] == r) & (s.task[R][doc][r] == Task.DONE)
        word.append(choose(waiting, rank_of(s, doc, r), constant(0)))
    found = []
    for rank in word:
        gone = ~is_put(s, doc, held) & (may_have_collected(s, doc, rank, held) | erases(s, doc, rank))
        found += [
            (held >= rank) | gone,
            implies(held < rank, (s.phase == Phase.COMPLETE) | (s.epoch >= 4)),
        ]
        for n in (O, N):
            there = s.stored[n][doc]
            found.append(implies((held < rank) & matters(s, n), (there >= rank) | ~is_put(s, doc, there)))
        for n, m in product(s.net.items, s.net[R][doc].items):
            serves = constant(True) if n is R else matters(s, n)
            older = is_put(s, doc, carried(s, doc, m)) & (carried(s, doc, m) < rank)
            refused = (s.task[n][doc][m] != Task.QUEUED) & (s.net[n][doc][m] <= s.fence[n])
            found.append(implies((held < rank) & serves & older, refused))
    return (s.mechanisms.replica_ack != ReplicaAck.REQUIRED) | all_of(*found)


@always
def floors_are_promises(s: S) -> Operand:
    """The floor of a read, or of a search, is not above what is acknowledged by now."""
    return all_of(s.floor <= s.acked[0], *(s.search_floor[d] <= s.acked[d] for d in s.acked.items))
