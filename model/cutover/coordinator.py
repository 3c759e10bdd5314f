"""The cutover: the coordinator's steps, in the order of the protocol. The file to read first.

    IDLE -> DUAL -> COPY -> SEAL -> DRAIN -> DELTA -> ACTIVATE -> GRACE -> CLEANUP -> COMPLETE
                \\______________ abort, wipe N, retry ______________/ (ACTIVATE is the commit point)

O owns a slot and N shall. While clients keep writing: every write goes to both (DUAL), what was there before
is copied (COPY), writers are held (SEAL), what was accepted is applied (DRAIN), what N still lacks is repaired
and the result proved (DELTA), the owner changes in one compare-and-set (ACTIVATE), queries on O end (GRACE),
O's data goes (CLEANUP). The words are in `slot.py`; what a node does with a message in `delivery.py`;
what clients do in `clients.py`; anti-entropy in `anti_entropy.py`; what goes wrong in `faults.py`.

Two rules:
- One action touches one node, or the record, or one client. What crosses between them is a message. The
  exceptions: a guard of the coordinator may look at several confirmations at once, since each, once true,
  stays true; anti-entropy compares two copies when it picks one to repair (its repair is conditional); and a
  clean pass, before a tombstone is collected, is one look at all replicas (behind their fences nothing older
  is accepted, and its guards exclude the rest).
- What is dead in a phase is cleared by the action that ends it: left alone, it multiplies states for nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from cutproof.model.cutover import anti_entropy, clients, delivery, endless, environment, faults, properties
from cutproof.model.cutover.invariants import INVARIANTS
from cutproof.model.cutover.invariants.distance import distance
from cutproof.model.cutover.mechanisms import Cleanup, Mechanisms
from cutproof.model.cutover.policy import Policy, resolve
from cutproof.model.cutover.progress import (
    all_scanned,
    applied_earlier,
    confirmed,
    delta_runs,
    documents,
    drained,
    earlier_at_fence,
    emptied,
    fences_confirmed,
    listed_before,
    may_begin,
    nothing_earlier,
    target_covers,
    task_at_target,
    up,
)
from cutproof.model.cutover.scopes import Scope
from cutproof.model.cutover.slot import (
    MOVING,
    SEALED,
    N,
    Node,
    Phase,
    R,
    S,
    Stage,
    Task,
    fences_replicas,
    has_delta,
    idle,
    in_phase,
    indices,
    initial,
    is_put,
    now_shown,
    other,
    ranks,
    reachable,
    source,
    stage,
    target,
    variables,
)
from cutproof.model.cutover.words import PICTURE, WORDS
from cutproof.model.language import (
    Step,
    action,
    all_of,
    any_of,
    choose,
    constant,
    each,
    guard,
    pick,
    put,
    when,
)
from cutproof.model.language.protocol import Protocol

# ------------------------------------------------------------------ 0. RECORD, 1. DUAL


@action
def begin(s: S) -> Step:
    """DUAL is recorded: O != N, N holds no replica, and after an abort N was wiped. After Complete: the way back."""
    limit, kept = 4 * (s.scope.attempts - 1), ~s.mechanisms.proof_of_this_attempt
    return when(
        *may_begin(s, after_complete=constant(s.scope.back)),
        guard("within the scope", s.epoch <= limit),
    ).then(
        phase=Phase.DUAL,
        epoch=choose(s.phase == Phase.COMPLETE, s.epoch + 2, s.epoch + 1),
        source=choose(s.phase == Phase.COMPLETE, other(s.source), s.source),
        proof=s.proof & kept,
        clean=s.clean & kept,
        switched_off=s.switched_off | s.changed,
    )


@action
def raise_fence(s: S, node: Node, epoch: int) -> Step | None:
    """A fence lands: durable, only rising. N opens to clients by its ACTIVE fence, after O confirmed its own."""
    if stage(epoch) is Stage.IDLE or (node is R and not fences_replicas(s.scope)):
        return None
    opens = constant(True)
    if stage(epoch) is Stage.ACTIVE and node is not R:
        opens = (source(s) == node) | confirmed(s, source(s)) | ~s.mechanisms.source_fenced_before_open
    ended = constant(True)
    if node is R and not s.scope.collect:  # for a clean pass between two migrations
        ended = s.phase == Phase.COMPLETE
    changes: dict[str, Any] = {"fence": put(s.fence, node, epoch)}
    if node is not R and stage(epoch) is Stage.DUAL:
        changes |= earlier_at_fence(s, node)
    if s.scope.replica and node is not R and stage(epoch) is Stage.DUAL:
        # The "empty start". N's machine holds R's replica where nobody checked that it holds none.
        empties = (target(s) == node) & ~s.mechanisms.target_holds_no_replica
        changes["stored"] = put(s.stored, R, choose(empties, each(s.stored[R], 0), s.stored[R]))
    return when(
        guard("recorded", (s.epoch == epoch) & ended),
        guard("rises", s.fence[node] < epoch),
        guard("the source is fenced before the target opens", opens),
        guard("reachable", reachable(s, node)),
    ).then(**changes)


# ------------------------------------------------------------------ 2. COPY


@action
def start_copy(s: S) -> Step:
    """O and N confirmed the fence, and O applied what it had accepted before its own rose. What it accepts since then
    goes to both nodes: from here on dual writes cover it, and to wait for it might take for ever."""
    m = s.mechanisms
    applied = choose(m.copy_waits_for_earlier_alone, applied_earlier(s, source(s)), drained(s, source(s)))
    return when(
        guard("dual writing", s.phase == Phase.DUAL),
        guard("fences confirmed", fences_confirmed(s) | ~m.dual_before_copy),
        guard("the source applied what it accepted", applied | ~m.copy_waits_for_applied),
        guard("reachable", up(s, source(s)) | ~m.copy_waits_for_applied),
    ).then(phase=Phase.COPY)


@action
def read_page(s: S, doc: int) -> Step:
    """The next page is read from O, in key order, and sent to N; where O holds nothing there is nothing to send."""
    stored, keyset = pick(s.stored, source(s))[doc], s.mechanisms.keyset_paging
    by_offset = is_put(s, doc, stored) & (listed_before(s, doc) == s.cursor)
    sends = stored != 0
    return when(
        guard("copying", s.phase == Phase.COPY),
        guard("next page", choose(keyset, s.cursor == doc, by_offset)),
        guard("no page under way", all_of(*(idle(s, d, "page") for d in documents(s)))),
        guard("not landed yet", all_of(*(task_at_target(s, d, "page") == Task.NONE for d in documents(s)))),
        guard("reachable", up(s, source(s))),
    ).then(
        page=put(s.page, doc, stored),
        net=put(s.net, (target(s), doc, "page"), choose(sends, s.epoch + 1, 0)),
        cursor=choose(sends, s.cursor, s.cursor + 1),
    )


@action
def page_landed(s: S, doc: int) -> Step:
    """The coordinator sees that the page was applied, and saves the cursor."""
    gone = pick(s.net, target(s))[doc]["page"] == 0
    return when(
        guard("copying", s.phase == Phase.COPY),
        guard("applied", task_at_target(s, doc, "page") == Task.DONE),
        guard("not at the end", s.cursor < s.scope.documents),
    ).then(
        cursor=s.cursor + 1,
        task=put(s.task, (target(s), doc, "page"), Task.NONE),
        page=put(s.page, doc, choose(gone, 0, s.page[doc])),
    )


# ------------------------------------------------------------------ 3. SEAL, 4. DRAIN


@action
def seal(s: S) -> Step:
    """Everything is copied: writers are held, and dual writing ends here and only here."""
    d = s.scope.documents
    ended = choose(s.mechanisms.keyset_paging, s.cursor == d, listed_before(s, d) <= s.cursor)
    return when(
        guard("copying", s.phase == Phase.COPY),
        guard("every page landed", ended | (s.cursor == d)),
        guard("no page under way", all_of(*(idle(s, doc, "page") for doc in range(d)))),
        guard("no page to count", all_of(*(task_at_target(s, doc, "page") == Task.NONE for doc in range(d)))),
    ).then(phase=Phase.SEAL, epoch=s.epoch + 1, cursor=0)


@action
def start_drain(s: S) -> Step:
    """O and N confirmed the fence: nothing of the dual epoch is accepted any more."""
    return when(
        guard("sealed", s.phase == Phase.SEAL),
        guard("fences confirmed", fences_confirmed(s) | ~s.mechanisms.drain_waits_for_fences),
    ).then(phase=Phase.DRAIN_SOURCE)


@action
def source_drained(s: S) -> Step:
    """Everything that O accepted was applied or failed (with a table: and every entry of it is settled)."""
    settled = drained(s, source(s))
    if s.scope.table:
        pending = [pick(s.net, target(s))[d][r] != 0 for d in documents(s) for r in ranks(s.scope)]
        settled = settled & (s.mechanisms.delta_always | ~any_of(s.blocked, *pending))
    return when(
        guard("draining O", s.phase == Phase.DRAIN_SOURCE),
        guard("queue empty", settled | ~s.mechanisms.drain_waits_for_applied),
        guard("reachable", up(s, source(s))),
    ).then(phase=Phase.DRAIN_TARGET)


@action
def target_drained(s: S) -> Step:
    """Everything that N accepted was applied or failed."""
    return when(
        guard("draining N", s.phase == Phase.DRAIN_TARGET),
        guard("queue empty", drained(s, target(s)) | ~s.mechanisms.drain_waits_for_applied),
        guard("reachable", up(s, target(s))),
    ).then(phase=Phase.DELTA)


# ------------------------------------------------------------------ 5. DELTA


@action
def scan(s: S, doc: int) -> Step:
    """O, now immutable, is read again, and what it holds (tombstones too) is sent to N as a repair by version."""
    stored = pick(s.stored, source(s))[doc]
    sends = stored != 0
    return when(
        guard("delta pass", s.phase == Phase.DELTA),
        guard("runs", delta_runs(s)),
        guard("next document", s.cursor == doc),
        guard("no repair under way", idle(s, doc, "delta") & (task_at_target(s, doc, "delta") == Task.NONE)),
        guard("reachable", up(s, source(s))),
    ).then(
        scanned=put(s.scanned, doc, stored),
        net=put(s.net, (target(s), doc, "delta"), choose(sends, s.epoch + 1, 0)),
        cursor=choose(sends, s.cursor, s.cursor + 1),
    )


@action
def repaired(s: S, doc: int) -> Step:
    """The coordinator sees that the repair was applied; without proof, that it was accepted is enough."""
    task = task_at_target(s, doc, "delta")
    accepted = (task == Task.QUEUED) & ~s.mechanisms.cleanup_needs_proof
    return when(
        guard("delta pass", s.phase == Phase.DELTA),
        guard("this document", s.cursor == doc),
        guard("applied", (task == Task.DONE) | accepted),
    ).then(
        cursor=s.cursor + 1,
        task=put(s.task, (target(s), doc, "delta"), choose(task == Task.DONE, Task.NONE, task)),
    )


@action
def prove(s: S) -> Step:
    """N is read back and found to hold at least what was scanned: the proof is recorded."""
    every = all_of(*(target_covers(s, doc) for doc in documents(s)))
    return when(
        guard("delta pass", s.phase == Phase.DELTA),
        guard("by a delta", has_delta(s)),
        guard("all scanned", all_scanned(s)),
        guard("not proved yet", ~s.proof),
        guard("N covers O", every | ~delta_runs(s)),
        guard("reachable", up(s, target(s))),
    ).then(proof=True)


@action
def proof_fails(s: S) -> Step:
    """N lacks something that was scanned: the delta starts again."""
    every = all_of(*(target_covers(s, doc) for doc in documents(s)))
    return when(
        guard("delta pass", s.phase == Phase.DELTA),
        guard("a proof is needed", s.mechanisms.cleanup_needs_proof),
        guard("all scanned", s.cursor == s.scope.documents),
        guard("not proved yet", ~s.proof),
        guard("N does not cover O", ~every),
        guard("reachable", up(s, target(s))),
    ).then(cursor=0, scanned=each(s.scanned, 0))


# ------------------------------------------------------------------ 6. ACTIVATE, 7. GRACE, 8. CLEANUP


@action
def activate(s: S) -> Step:
    """The commit point: in one compare-and-set the owner becomes N. N serves nobody before O is fenced."""
    m = s.mechanisms
    unproved = ~has_delta(s) | (~m.cleanup_needs_proof & all_scanned(s))
    return when(
        guard("delta pass", s.phase == Phase.DELTA),
        guard("proved", s.proof | unproved),
    ).then(phase=Phase.ACTIVATE, epoch=s.epoch + 1, cursor=0, shown=now_shown(s))


@action
def start_grace(s: S) -> Step:
    """O confirmed the fence and N is open: from now on the longest query is waited for."""
    return when(
        guard("activated", s.phase == Phase.ACTIVATE),
        guard("fences confirmed", fences_confirmed(s)),
    ).then(phase=Phase.GRACE)


@action
def start_cleanup(s: S) -> Step:
    """Queries on O have ended and there is a proof: the clean-up is recorded before the first deletion."""
    m = s.mechanisms
    proved = s.proof | ~m.cleanup_needs_proof
    proved = (
        proved
        | (~has_delta(s) & (m.cleanup == Cleanup.IMMEDIATE))
        | (s.clean & (m.cleanup == Cleanup.AFTER_CLEAN_PASS))
    )
    return when(
        guard("grace", s.phase == Phase.GRACE),
        guard("no query on O", (pick(s.search, source(s)) == 0) | ~m.grace_before_cleanup),
        guard("proved", proved),
    ).then(phase=Phase.CLEANUP)


@action
def delete_source(s: S, pair: Node) -> Step:
    """The deletion lands on O, with the epoch. The fence stays."""
    return when(
        guard("cleaning up", s.phase == Phase.CLEANUP),
        guard("the source", source(s) == pair),
        guard("epoch not below the fence", ~s.mechanisms.command_epoch | (s.fence[pair] <= s.epoch)),
        guard("reachable", reachable(s, pair)),
    ).then(**emptied(s, pair, choose(s.mechanisms.fence_outlives_data, s.fence[pair], 0)))


@action
def complete(s: S) -> Step:
    """O confirms that it holds nothing of the shard."""
    scanned, proved = s.scanned, s.mechanisms.cleanup_needs_proof & s.mechanisms.proof_of_this_attempt
    for doc in documents(s):  # without a proof a repair may be queued yet, and it carries what was scanned
        scanned = put(scanned, doc, choose(proved, 0, scanned[doc]))
    return when(
        guard("cleaning up", s.phase == Phase.CLEANUP),
        guard("O is empty", all_of(*(stored == 0 for stored in pick(s.stored, source(s))))),
        guard("reachable", up(s, source(s))),
    ).then(phase=Phase.COMPLETE, scanned=scanned)


# ------------------------------------------------------------------ ABORT


@action
def abort(s: S) -> Step | None:
    """Before ACTIVATE: owner stays O, the epoch rises, writers are released. N will be wiped before any retry."""
    if not s.scope.aborts:
        return None
    return when(
        guard("before activation", in_phase(s, *MOVING)),
        guard("within the scope", s.epoch < 4 * s.scope.aborts),
    ).then(
        phase=Phase.ABORTED,
        epoch=choose(in_phase(s, *SEALED), s.epoch + 2, s.epoch + 3),
        cursor=choose(s.mechanisms.abort_forgets_cursor, 0, s.cursor),
        proof=s.proof & ~s.mechanisms.proof_of_this_attempt,
        **{**faults.set_adrift(s), "scanned": each(s.scanned, 0), **nothing_earlier(s)},
    )


@action
def wipe(s: S, epoch: int) -> Step | None:
    """N raises its fence and clears documents and queue. N is the target of every attempt that may abort."""
    if stage(epoch) is not Stage.IDLE or epoch == 0 or epoch > 4 * s.scope.aborts:
        return None
    return when(
        guard("aborted", (s.phase == Phase.ABORTED) & (s.epoch == epoch)),
        guard("not wiped yet", s.fence[N] < epoch),
        guard("asked for", s.mechanisms.wipe_before_retry),
        guard("reachable", reachable(s, N)),
    ).then(**faults.wiped(s, epoch))


COORDINATOR = (
    begin, raise_fence, start_copy, read_page, page_landed, seal, start_drain, source_drained, target_drained,
    scan, repaired, prove, proof_fails, activate, start_grace, start_cleanup, delete_source, complete, abort, wipe,
)  # fmt: skip


@lru_cache(maxsize=8)
def cutover(scope: Scope) -> Protocol:
    """The protocol within a scope, its mechanisms not chosen yet: `cutover(scope).resolve(mechanisms)`."""
    return Protocol(
        name="cutover",
        indices=indices(scope),
        variables=variables(scope),
        initial=initial(scope),
        actions=(
            *COORDINATOR,
            *delivery.ACTIONS,
            *clients.ACTIONS,
            *anti_entropy.ACTIONS,
            *faults.ACTIONS,
            *(environment.ACTIONS if scope.others else ()),
            *(endless.ACTIONS if scope.endless else ()),
        ),
        properties=properties.PROPERTIES,
        mechanisms=Mechanisms,
        scope=scope,
        invariants=INVARIANTS,
        measure=distance,
        words=WORDS,
        picture=PICTURE,
    )


def build(scope: Scope, policy: Policy | None = None, removed: Iterable[str] = ()) -> Protocol:
    """The cutover within a scope, under a policy, without some safeguards: ready to explore."""
    return cutover(scope).resolve(resolve(policy or Policy(), removed))
