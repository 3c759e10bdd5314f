"""The first part of the invariants (`__init__.py`): the record and its fences, and what may be under way."""

from __future__ import annotations

from cutproof.model.cutover.invariants.terms import (
    FROZEN,
    at_stage,
    may_go_to,
    messages,
    other_than,
    recorded,
    source_of,
)
from cutproof.model.cutover.slot import (
    MOVED,
    SEALED,
    SWEPT,
    N,
    O,
    Phase,
    R,
    S,
    Stage,
    Task,
    epochs,
    has_delta,
    in_phase,
    last_issued,
    may_be_earlier,
    policy_may_differ,
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
    constant,
    implies,
    pick,
)

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
    confirmed = (
        Phase.COPY,
        Phase.DRAIN_SOURCE,
        Phase.DRAIN_TARGET,
        Phase.DELTA,
        Phase.GRACE,
        Phase.CLEANUP,
        Phase.COMPLETE,
    )
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
    made = implies(s.proof, has_delta(s)) & implies(s.proof, in_phase(s, Phase.DELTA, *MOVED))
    return implies(in_phase(s, *MOVED), s.proof) & made


@always
def nothing_of_the_removed(s: S) -> Operand:
    """What happens only without a safeguard has not happened; another policy is in force only from the second begin."""
    another = s.epoch >= 4 if policy_may_differ(s.scope) else constant(False)
    never = [
        s.rival,
        s.switched_off & ~another,
        s.changed & (s.epoch == 0),
        s.blocked,
        s.clean,
        *(p for by_doc in s.partial for p in by_doc),
        *s.alone,
    ]
    versions = [v == r for by_rank in s.version for r, v in by_rank.items.items()]
    return all_of(*(~n for n in never), *versions)


# ------------------------------------------------------------------ 2. what is under way


@always
def views_were_recorded(s: S) -> Operand:
    """What is under way carries an epoch that the record had; an attempt that was activated was not aborted."""
    kept = [s.net[n][d][m] for n, d, m in messages(s)] + list(s.waits) + [s.reading]
    return all_of(*(recorded(s, k) for k in kept))


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
        found += [
            s.net[node][d][m] != v + 1 for v in epochs(s.scope) if node is not R and not may_go_to(s, node, v)
        ]
    return all_of(*found)


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
        holders = [by_doc[d] for by_doc in s.stored] + [
            s.acked[d],
            s.shown[d],
            s.page[d],
            s.scanned[d],
            s.stray[d],
            s.repair[d],
        ]
        swept = s.issued[d] >= 1 if s.scope.sweep else constant(False)
        last = s.sequencer if s.scope.others else s.issued[d]
        found += [(h <= last) | ((h == SWEPT) & swept) for h in holders]
        found.append(implies(s.waits[d] != 0, s.acked[d] < last_issued(s, d)))
        if s.scope.sweep:  # it is nobody's write
            found += [s.issued[d] != SWEPT, s.acked[d] != SWEPT]
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
        *(
            implies(s.task[n][d][m] == Task.DONE, (s.waits[d] != 0) & (s.issued[d] == m))
            for n, d, m in messages(s, "client")
        ),
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
    """What strays was a page or a repair once: it carries an epoch of the stages DUAL and SEALED, and goes to the
    target of that attempt."""
    found = []
    for n, d, m in messages(s, "stray"):
        kept = s.net[n][d][m]
        found.append(~at_stage(s, kept, Stage.IDLE, Stage.ACTIVE, kept=1))
        found += [kept != v + 1 for v in epochs(s.scope) if other_than(s, v) is not n]
    return all_of(*found)


@always
def applied_at_once(s: S) -> Operand:
    """Where nodes have no queue, nothing is queued."""
    if s.scope.queues:
        return constant(True)
    return all_of(*(s.task[n][d][m] != Task.QUEUED for n, d, m in messages(s)))


@always
def source_stays_drained(s: S) -> Operand:
    """From the drain on, the source has nothing queued: what is under way to it is below its fence."""
    found = [
        implies(in_phase(s, *FROZEN) & (source(s) == n), s.task[n][d][m] != Task.QUEUED)
        for n, d, m in messages(s)
        if n is not R
    ]
    if s.scope.others:
        found += [implies(in_phase(s, *FROZEN) & (source(s) == n), ~s.others_queued[n]) for n in (O, N)]
    return all_of(*found)


@always
def earlier_is_queued(s: S) -> Operand:
    """What the copy waits for is in the source's queue, in DUAL, with its fence up; and what is there that was sent to
    the source alone is waited for."""
    found = []
    fenced = pick(s.fence, source(s)) >= s.epoch
    for n, d, m in messages(s):
        if n is R:
            continue
        here, queued = source(s) == n, s.task[n][d][m] == Task.QUEUED
        found.append(implies(here & s.earlier[d][m], (s.phase == Phase.DUAL) & fenced & queued))
        if may_be_earlier(s.scope, m) and m in ranks(s.scope):
            early = (s.issued[d] == m) & at_stage(s, s.waits[d], Stage.IDLE, kept=1)
            waited_for = implies(here & queued & early & (s.phase == Phase.DUAL) & fenced, s.earlier[d][m])
            found.append(waited_for)
    if s.scope.others:
        queued = pick(s.others_queued, source(s))
        found.append(implies(s.others_earlier, (s.phase == Phase.DUAL) & fenced & queued))
    return all_of(*found)


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
        for v in epochs(s.scope):
            serves = other_than(s, v) if stage(v) is Stage.ACTIVE else source_of(s, v)
            if n is not serves:
                found.append(at != v + 1)
        if n is R:
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
