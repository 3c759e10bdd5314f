"""Strengthening invariants: why the cutover is safe, in clauses that every step keeps.

A property alone is seldom inductive: a state that satisfies it and cannot occur may lead to one that violates it. These
clauses say what else is true of every state that does occur. Together with the properties they hold at the start, are
kept by every action, and imply every *always* property (`checks/prove.py` has Z3 show that). Read in order they are the
argument of the protocol:

1. what the record says of itself, and of fences; 2. what may be under way, and for whom; 3. what each copy holds;
4. what clients were promised.
"""

from __future__ import annotations

from cutproof.model.delivery import carried
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
from cutproof.model.mechanisms import Acknowledge, Cleanup, ReplicaAck
from cutproof.model.slot import (
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
    in_phase,
    is_put,
    last_issued,
    owner,
    rank_of,
    ranks,
    source,
    stage,
    target,
)

FROZEN = (Phase.DRAIN_TARGET, Phase.DELTA, *MOVED)  # the source has drained: its copy changes no more


def at_stage(s: S, epoch: Operand, *stages: Stage, kept: int = 0) -> Operand:
    """The epoch is of one of these stages. `kept` is what is added to it where it is kept (1 in messages)."""
    return any_of(*(epoch == e + kept for e in epochs(s.scope) if stage(e) in stages))


def messages(s: S, *kinds: str) -> list[tuple[object, int, object]]:
    """Every node, document and message; of these kinds if any are named ("client" for the clients' writes)."""
    chosen = {*kinds} - {"client"} | ({*ranks(s.scope)} if "client" in kinds else set())
    return [
        (n, d, m)
        for n, by_doc in s.net.items.items()
        for d, by_message in by_doc.items.items()
        for m in by_message.items
        if not kinds or m in chosen
    ]


# ------------------------------------------------------------------ 1. the record and the fences


@always
def phase_fits_epoch(s: S) -> Operand:
    """The epoch says the stage that the phase is in."""
    stages = {
        Stage.IDLE: (Phase.IDLE, Phase.ABORTED),
        Stage.DUAL: (Phase.DUAL, Phase.COPY),
        Stage.SEALED: SEALED,
        Stage.ACTIVE: MOVED,
    }
    fits = [at_stage(s, s.epoch, one) == in_phase(s, *phases) for one, phases in stages.items()]
    first = (s.epoch == 0) == (s.phase == Phase.IDLE)
    aborted = (s.phase != Phase.ABORTED) | (s.epoch <= 4 * s.scope.aborts)
    return all_of(first, aborted, *fits)


@always
def fences_follow_the_record(s: S) -> Operand:
    """No fence is above the record's epoch."""
    return all_of(*(fence <= s.epoch for fence in s.fence))


@always
def fences_confirmed_before(s: S) -> Operand:
    """Copying, draining and the delta begin only when O and N have confirmed the fence; so does the grace."""
    pair = [s.fence[O], s.fence[N]]
    now = all_of(*(f >= s.epoch for f in pair))
    before = all_of(*(f + 1 >= s.epoch for f in pair))
    confirmed = (Phase.COPY, Phase.DRAIN_SOURCE, Phase.DRAIN_TARGET, Phase.DELTA, Phase.GRACE, Phase.CLEANUP, Phase.COMPLETE)
    return implies(in_phase(s, *confirmed), now) & implies(in_phase(s, *SEALED, *MOVED), before)


@always
def wiped_before_retry(s: S) -> Operand:
    """A new attempt begins only when N has confirmed the wipe of the last one; the way back, when both were fenced."""
    if s.scope.back:
        return implies(s.epoch >= 4, all_of(*(fence >= 3 for fence in (s.fence[O], s.fence[N]))))
    return all_of(*(implies(s.epoch > e, s.fence[N] >= e) for e in epochs(s.scope) if e % 4 == 0))


@always
def opened_after_the_source_was_fenced(s: S) -> Operand:
    """Where the target has the ACTIVE fence, the source has it too."""
    opened = in_phase(s, *MOVED) & (pick(s.fence, target(s)) >= s.epoch)
    return implies(opened, pick(s.fence, source(s)) >= s.epoch)


@always
def there_and_back(s: S) -> Operand:
    """The first attempts are from O; where there is a way back, the second is from N."""
    return (s.source == O) if not s.scope.back else ((s.source == N) == (s.epoch >= 4))


@always
def cursor_counts_in_copy_and_delta(s: S) -> Operand:
    """The cursor is in use in COPY and DELTA only."""
    return (s.cursor == 0) | in_phase(s, Phase.COPY, Phase.DELTA)


@always
def proof_until_activated(s: S) -> Operand:
    """The owner changes only with a proof, and only a delta makes one."""
    made = implies(s.proof, s.mechanisms.delta) & implies(s.proof, in_phase(s, Phase.DELTA, *MOVED))
    return implies(in_phase(s, *MOVED), s.proof) & made


@always
def nothing_of_the_removed(s: S) -> Operand:
    """What happens only without a safeguard has not happened."""
    never = [s.rival, s.switched_off, s.blocked, s.clean, *(p for by_doc in s.partial for p in by_doc), *s.alone]
    versions = [v == r for by_rank in s.version for r, v in by_rank.items.items()]
    return all_of(*(~n for n in never), *versions)


# ------------------------------------------------------------------ 2. what is under way


@always
def views_were_recorded(s: S) -> Operand:
    """What is under way carries an epoch that the record had; an attempt that was activated was not aborted."""
    kept = [s.net[n][d][m] for n, d, m in messages(s)] + list(s.waits) + [s.reading]
    return all_of(*(recorded(s, k) for k in kept))


def recorded(s: S, kept: Operand) -> Operand:
    """A view, kept as 1 + its epoch, that the record had."""
    activated = [implies(kept == v + 1, (s.epoch == v) | (s.epoch > v + 1 if s.scope.back else constant(False)))
                 for v in epochs(s.scope) if stage(v) is Stage.ACTIVE]  # fmt: skip
    return all_of(kept <= s.epoch + 1, *activated)


@always
def nobody_writes_while_sealed(s: S) -> Operand:
    """No client's write carries an epoch of the SEALED stage; nor do sweeps, and repairs of O or N."""
    kept = [s.net[n][d][m] for n, d, m in messages(s, "client", "sweep")] + list(s.waits)
    kept += [s.net[n][d][m] for n, d, m in messages(s, "repair") if n is not R]
    return all_of(*(~at_stage(s, k, Stage.SEALED, kept=1) for k in kept))


@always
def writes_go_to_their_targets(s: S) -> Operand:
    """A write is on its way to O from the stages IDLE and DUAL, to N from DUAL and ACTIVE; sweeps and repairs too."""
    found = []
    for node, d, m in messages(s, "client", "sweep", "repair"):
        found += [s.net[node][d][m] != v + 1 for v in epochs(s.scope) if node is not R and not may_go_to(s, node, v)]
    return all_of(*found)


def source_of(s: S, view: int) -> Node:
    """The node that the attempt of a view moves from."""
    return N if s.scope.back and view >= 4 else O


def other_than(s: S, view: int) -> Node:
    """The node that the attempt of a view moves to."""
    return O if source_of(s, view) is N else N


def may_go_to(s: S, node: object, view: int) -> bool:
    """Whether a write of a view goes to O or N at all."""
    return stage(view) in ((Stage.IDLE, Stage.DUAL) if node is source_of(s, view) else (Stage.DUAL, Stage.ACTIVE))


@always
def only_what_was_issued(s: S) -> Operand:
    """Nothing is under way, queued, stored, promised or shown that was not issued."""
    found = []
    for node, d, m in messages(s, "client"):
        exists = (s.net[node][d][m] != 0) | (s.task[node][d][m] != Task.NONE)
        found.append(implies(exists, s.issued[d] >= m))
    for node, d, m in messages(s, "sweep"):
        exists = (s.net[node][d][m] != 0) | (s.task[node][d][m] != Task.NONE)
        found.append(implies(exists, s.issued[d] >= 1))
    for d in s.issued.items:
        holders = [by_doc[d] for by_doc in s.stored] + [s.acked[d], s.shown[d], s.page[d], s.scanned[d], s.stray[d], s.repair[d]]
        swept = s.issued[d] >= 1 if s.scope.sweep else constant(False)
        last = s.sequencer if s.scope.others else s.issued[d]
        found += [(h <= last) | ((h == SWEPT) & swept) for h in holders]
        found.append(implies(s.waits[d] != 0, s.acked[d] < last_issued(s, d)))
    if s.scope.others:
        found += [(s.drawn == 0) == (s.issued[0] == 0), s.drawn <= s.sequencer, s.other <= s.sequencer]
        found.append((s.acked[0] == 0) | (s.acked[0] == s.drawn))
    return all_of(*found)


@always
def one_view_a_write(s: S) -> Operand:
    """The write that waits for its answer is under way with the view that it was sent with."""
    found = []
    for node, d, m in messages(s, "client"):
        mine = (s.waits[d] != 0) & (s.issued[d] == m)
        found.append(implies(mine & (s.net[node][d][m] != 0), s.net[node][d][m] == s.waits[d]))
        astray = [s.waits[d] == v + 1 for v in epochs(s.scope) if node is not R and not may_go_to(s, node, v)]
        found.append(implies(mine & any_of(*astray), s.task[node][d][m] == Task.NONE))
        if s.scope.back and node is O:
            old = (s.epoch >= 4) & any_of(*(s.waits[d] == v + 1 for v in range(3)))
            found.append(implies(mine & old, s.task[node][d][m] != Task.QUEUED))
    return all_of(*found)


@always
def outcomes_are_waited_for(s: S) -> Operand:
    """The outcome of a write is kept while somebody waits for it; that of a repair, a sweep or a stray never."""
    return all_of(
        *(s.task[n][d][m] != Task.DONE for n, d, m in messages(s, "repair", "sweep", "stray")),
        *(implies(s.task[n][d][m] == Task.DONE, (s.waits[d] != 0) & (s.issued[d] == m)) for n, d, m in messages(s, "client"))
    )


@always
def accepted_only_when_open(s: S) -> Operand:
    """A write of the ACTIVE stage that N has accepted was accepted after N had opened."""
    found = []
    for node, d, m in messages(s, "client"):
        if node is R:
            continue
        mine = (s.task[node][d][m] != Task.NONE) & (s.issued[d] == m)
        found += [
            implies(mine & (s.waits[d] == v + 1), s.fence[node] >= v)
            for v in epochs(s.scope)
            if stage(v) is Stage.ACTIVE and node is not source_of(s, v)
        ]
    return all_of(*found)


@always
def pages_while_copying(s: S) -> Operand:
    """A page is under way in COPY only, with the present epoch; a repair of the delta in DELTA only."""
    found = []
    for node, d, m in messages(s, "page", "delta"):
        phase = Phase.COPY if m == "page" else Phase.DELTA
        moving, landed = s.net[node][d][m] != 0, s.task[node][d][m] != Task.NONE
        found += [implies(moving | landed, (s.phase == phase) & (target(s) == node)), ~(moving & landed)]
        found += [implies(moving, s.net[node][d][m] == s.epoch + 1), implies(moving | landed, s.cursor == d)]
    return all_of(*found)


@always
def strays_were_sent(s: S) -> Operand:
    """What strays was a page or a repair once: it carries an epoch of the stages DUAL and SEALED."""
    kept = [s.net[n][d][m] for n, d, m in messages(s, "stray")]
    return all_of(*(~at_stage(s, k, Stage.IDLE, Stage.ACTIVE, kept=1) for k in kept))


@always
def applied_at_once(s: S) -> Operand:
    """Where nodes have no queue, nothing is queued."""
    if s.scope.queues:
        return constant(True)
    return all_of(*(s.task[n][d][m] != Task.QUEUED for n, d, m in messages(s)))


@always
def source_stays_drained(s: S) -> Operand:
    """From the drain on, the source has nothing queued: what is under way to it is below its fence."""
    found = [implies(in_phase(s, *FROZEN) & (source(s) == n), s.task[n][d][m] != Task.QUEUED) for n, d, m in messages(s) if n is not R]
    if s.scope.others:
        found += [implies(in_phase(s, *FROZEN) & (source(s) == n), ~s.others_queued[n]) for n in (O, N)]
    return all_of(*found)


# ------------------------------------------------------------------ 3. what each copy holds


@always
def outcomes_are_stored(s: S) -> Operand:
    """A write that succeeded on a node that acknowledges is stored there, or newer; where its shard was deleted since,
    at the owner."""
    found = []
    for node, d, m in messages(s, "client"):
        rank = rank_of(s, d, m)
        done, held = s.task[node][d][m] == Task.DONE, s.stored[node][d] >= rank
        held = held | ((s.shown[d] >= rank) & erases(s, d, s.shown[d]) if s.scope.collect else constant(False))
        if node is R:  # where R's acknowledgement counts nothing is collected
            found.append(implies(done, held) | constant(s.scope.collect))
            continue
        deleted = (in_phase(s, Phase.CLEANUP, Phase.COMPLETE) & (source(s) == node)) | (s.epoch >= 4 if s.scope.back else constant(False))
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
                    implies(mine & unfenced(s), pick(s.stored, source(s))[d] >= rank),
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
        *(implies(s.task[n][d][m] == Task.DONE, s.stored[n][d] >= carried(s, d, m)) for n, d, m in messages(s, "page", "delta"))
    )


@always
def scanned_is_what_the_source_holds(s: S) -> Operand:
    """In DELTA what was scanned is what the source holds, until its deletion in CLEANUP."""
    found = []
    for d in s.scanned.items:
        held = pick(s.stored, source(s))[d]
        same = s.scanned[d] == held
        some = any_of(*((s.net[n][d]["delta"] != 0) | (s.task[n][d]["delta"] != Task.NONE) for n in s.net.items))
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


def unfenced(s: S) -> Operand:
    """The source may still answer readers: the target is not open yet."""
    return ~in_phase(s, *MOVED) | (pick(s.fence, source(s)) < s.epoch)


def collected(s: S, doc: int) -> Operand:
    """The owner has forgotten the delete that was shown last (it may hold an older tombstone)."""
    if not s.scope.collect:
        return constant(False)
    held = pick(s.stored, owner(s))[doc]
    return (held < s.shown[doc]) & ~is_put(s, doc, held) & erases(s, doc, s.shown[doc])


@always
def versions_are_born_in_order(s: S, doc: int) -> Operand:
    """A version's epoch is the record's when it was drawn: it rises with the rank, and no message carries a later one."""
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
    """A delete is forgotten when no migration lives: after an abort, when it was born before it, or at the end. What N has
    accepted since its wipe was born after the wipe."""
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
        reads, moving_to, held = constant(True), constant(False), s.stored[n][doc]
        if n is not R:
            moving_to = (owner(s) != n) & (target(s) == n) & (s.fence[n] >= 4 if s.scope.aborts else constant(False))
            reads = (owner(s) == n) | moving_to
        found.append(implies(reads, (held >= deleted) | ~is_put(s, doc, held)))
        found.append(implies(moving_to, (held == 0) | (held > deleted)))
        for m in s.net[n][doc].items:
            rank = carried(s, doc, m)
            older = (rank != 0) & ((rank < deleted) & ~erases(s, doc, rank) | (moving_to & (rank == deleted)))
            refused = s.net[n][doc][m] <= s.fence[n]
            found.append(implies(reads & older, (s.task[n][doc][m] != Task.QUEUED) & refused))
    return implies(collected(s, doc), all_of(*found))


@always
def promised_is_at_the_owner(s: S) -> Operand:
    """What was acknowledged is at the owner; until the source is fenced by ACTIVATE, at the source too."""
    found = []
    for d in s.acked.items:
        last = last_issued(s, d)
        found += [
            s.shown[d] >= s.acked[d],
            (pick(s.stored, owner(s))[d] >= s.shown[d]) | collected(s, d),
            implies(unfenced(s), (pick(s.stored, source(s))[d] >= s.acked[d]) | collected(s, d)),
            in_phase(s, *MOVED) | collected(s, d) | (s.shown[d] == pick(s.stored, owner(s))[d]),
            ~(in_phase(s, *MOVED) | collected(s, d)) | (s.shown[d] == at_owner(s, d)),
            *(implies((s.waits[d] == v + 1) & (s.stored[other_than(s, v)][d] >= last), s.shown[d] >= last)
              for v in epochs(s.scope) if stage(v) is Stage.ACTIVE),
        ]
    return all_of(*found)


@always
def both_hold_what_both_acknowledge(s: S) -> Operand:
    """Where O and N must acknowledge, N holds what was promised once its page has landed, or R does where R counts. What
    O alone acknowledged before the dual writes began had been applied when its page was read."""
    m, found = s.mechanisms, []
    for d in s.acked.items:
        copied = in_phase(s, *SEALED, *MOVED) | ((s.phase == Phase.COPY) & (s.cursor > d))
        n = pick(s.stored, target(s))[d]
        page = pick(s.task, target(s))[d]["page"]
        reading = (s.phase == Phase.COPY) & ((pick(s.net, target(s))[d]["page"] != 0) | (page != Task.NONE))
        promised = [(s.acked[d], replica_counts(s, d))]
        for r in ranks(s.scope):
            early = any_of(*(s.waits[d] == v + 1 for v in epochs(s.scope) if stage(v) is Stage.IDLE)) & (s.issued[d] == r)
            done = early & (pick(s.task, source(s))[d][r] == Task.DONE)
            promised.append((choose(done, rank_of(s, d, r), constant(0)), constant(False)))
            settled = implies(early & in_phase(s, Phase.COPY, *SEALED, *MOVED), pick(s.task, source(s))[d][r] != Task.QUEUED)
            found.append(settled)
        for rank, at_replica in promised:
            found.append((m.acknowledge != Acknowledge.ALL) | implies(copied, (n >= rank) | at_replica))
            found.append((m.acknowledge != Acknowledge.ALL) | implies(reading, (larger(n, s.page[d]) >= rank) | at_replica))
    return all_of(*found)


def replica_counts(s: S, doc: int) -> Operand:
    """R's acknowledgement counts, and R holds what was acknowledged."""
    if not s.scope.replica:
        return constant(False)
    return (s.mechanisms.replica_ack == ReplicaAck.COUNTS) & (s.stored[R][doc] >= s.acked[doc])


@always
def a_copy_survives(s: S, doc: int) -> Operand:
    """What was acknowledged is somewhere that lasts: at R where R must acknowledge; else at the owner, or at the source until it
    is deleted, or at R where R counts. Deleted without a proof, the source had been compared by a clean pass."""
    m, acked = s.mechanisms, s.acked[doc]
    here, there = pick(s.stored, source(s))[doc], pick(s.stored, target(s))[doc]
    kept = choose(in_phase(s, *MOVED), (there >= acked) | (here >= acked), here >= acked) | replica_counts(s, doc)
    covered = implies(in_phase(s, Phase.CLEANUP, Phase.COMPLETE) & (m.cleanup == Cleanup.AFTER_CLEAN_PASS) & ~m.delta, s.clean)
    compared = implies(s.clean, there >= here) & implies(s.clean, in_phase(s, Phase.GRACE, Phase.CLEANUP, Phase.COMPLETE))
    found = [kept | collected(s, doc), covered, compared]
    if s.scope.replica:
        found.append((m.replica_ack != ReplicaAck.REQUIRED) | (s.stored[R][doc] >= acked) | constant(s.scope.collect))
    return all_of(*found)


@always
def floors_are_promises(s: S) -> Operand:
    """The floor of a read, or of a search, is not above what is acknowledged by now."""
    return all_of(s.floor <= s.acked[0], *(s.search_floor[d] <= s.acked[d] for d in s.acked.items))


@always
def one_search_at_a_time(s: S) -> Operand:
    """One node answers a search, the one that its view says owns the slot; what is found was looked at before."""
    if not s.scope.searches:
        return constant(True)
    running = len(epochs(s.scope)) + 1
    found = []
    for n, at in s.search.items.items():
        found.append((at == 0) | all_of(*(other == 0 for m, other in s.search.items.items() if m is not n)))
        found.append((at >= running) | recorded(s, at))
        if n is not R:
            served_by_source = (source(s) == n) | ~at_stage(s, at, Stage.IDLE, Stage.DUAL, Stage.SEALED, kept=1)
            served_by_target = (source(s) != n) | ~at_stage(s, at, Stage.ACTIVE, kept=1)
            found += [served_by_source, served_by_target]
        else:
            found.append(at == 0)
    for d, here in s.found.items.items():
        found.append(implies(here, any_of(*(at > running + d for at in s.search))))
    return all_of(*found)


@always
def searches_end_before_cleanup(s: S) -> Operand:
    """A search that was admitted runs on a node that holds what was promised when it began, until it ends."""
    if not s.scope.searches:
        return constant(True)
    running, found = len(epochs(s.scope)) + 1, []
    for n, at in s.search.items.items():
        if n is R:
            continue
        at_source = (source(s) == n) & ~in_phase(s, Phase.CLEANUP, Phase.COMPLETE)
        at_target = (source(s) != n) & in_phase(s, *MOVED)
        holds = all_of(*(s.stored[n][d] >= floor for d, floor in s.search_floor.items.items()))
        found.append(implies(at >= running, (at_source | at_target) & holds))
    return all_of(*found)


INVARIANTS = (
    one_search_at_a_time, searches_end_before_cleanup,
    phase_fits_epoch, there_and_back, fences_follow_the_record, fences_confirmed_before, wiped_before_retry,
    opened_after_the_source_was_fenced, cursor_counts_in_copy_and_delta, proof_until_activated, nothing_of_the_removed,
    views_were_recorded, nobody_writes_while_sealed, writes_go_to_their_targets, only_what_was_issued, one_view_a_write,
    outcomes_are_waited_for, accepted_only_when_open, pages_while_copying, strays_were_sent, applied_at_once, source_stays_drained, outcomes_are_stored,
    copies_come_from_the_source, landed_pages_are_stored, scanned_is_what_the_source_holds, proved_is_held,
    promised_is_at_the_owner, both_hold_what_both_acknowledge,
    a_copy_survives, floors_are_promises, wiped_is_empty,
    versions_are_born_in_order, forgotten_behind_fences, nothing_returns,
)  # fmt: skip
