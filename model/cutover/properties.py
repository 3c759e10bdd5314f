"""Properties: what must never, what must sometimes, and what must always remain possible.

Losses are stated by rank, the order of issue, never by version: with broken versions "the version is not
below the highest acknowledged" is true while the write is lost. Only applied state is visible.
"""

from __future__ import annotations

from cutproof.model.cutover.anti_entropy import repairs_run
from cutproof.model.cutover.availability import AVAILABILITY
from cutproof.model.cutover.delivery import carried
from cutproof.model.cutover.endless import AT_LAST
from cutproof.model.cutover.mechanisms import ReplicaAck
from cutproof.model.cutover.safeguards import Harm
from cutproof.model.cutover.slot import (
    N,
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
    may_have_collected,
    newer,
    owner,
    ranks,
    served,
    source,
    stage,
    target,
)
from cutproof.model.language import (
    Operand,
    Property,
    all_of,
    always,
    any_of,
    can_always,
    constant,
    pick,
    sometimes,
)

LAW, LU, RD, SR, STK = (h.name for h in Harm)


def harms(s: S, doc: int, stored: Operand, shown_by: Operand) -> dict[str, Operand]:
    """The kinds of harm where a copy is below the acknowledged rank: what was promised, and what is there."""
    below = served(s, doc, stored) < s.acked[doc]
    promised, there = ~erases(s, doc, s.acked[doc]), is_put(s, doc, stored)
    return {
        LAW: ~(below & promised & ~there),
        LU: ~(below & promised & there) & ~shown_by,
        RD: ~(below & ~promised & there),
    }


@always
def no_lost_write(s: S, doc: int) -> dict[str, Operand]:
    """The owner serves what was acknowledged, or newer (where R must acknowledge, R does too)."""
    kinds = harms(s, doc, pick(s.stored, owner(s))[doc], pick(s.partial, owner(s))[doc])
    if s.scope.replica:
        there = s.stored[R][doc]
        excused = may_have_collected(s, doc, s.acked[doc], there)
        excused = excused | (s.mechanisms.replica_ack != ReplicaAck.REQUIRED)
        for kind, holds in harms(s, doc, there, s.partial[R][doc]).items():
            kinds[kind] = kinds[kind] & (excused | holds)
    return kinds


@always
def no_stale_read(s: S) -> dict[str, Operand]:
    """No read answers with less than was acknowledged when it was issued, through any router, in any phase."""
    return {SR: ~s.stale_read}


@always
def no_regress(s: S, doc: int) -> dict[str, Operand]:
    """What was once visible at the owner does not vanish, acknowledged or not."""
    return {SR: at_owner(s, doc) >= s.shown[doc]}


@always
def abort_safe(s: S, doc: int) -> dict[str, Operand]:
    """After an abort the owner is the source, it holds what was acknowledged, and the target answers nobody."""
    holds = served(s, doc, pick(s.stored, source(s))[doc]) >= s.acked[doc]
    closed = ~is_open(s, target(s))
    return {LAW: (s.phase != Phase.ABORTED) | (holds & closed)}


def is_open(s: S, node: Operand) -> Operand:
    """The node serves clients as the target of this migration: its fence is the ACTIVE one."""
    active = [e for e in epochs(s.scope) if stage(e) is Stage.ACTIVE]
    return any_of(*((pick(s.fence, node) == e) & (s.epoch <= e) for e in active))


@always
def single_owner(s: S) -> dict[str, Operand]:
    """The target is open to clients only after the source was fenced at the activation epoch."""
    return {SR: ~is_open(s, target(s)) | (pick(s.fence, source(s)) >= pick(s.fence, target(s)))}


@always
def cleanup_proved(s: S, doc: int) -> dict[str, Operand]:
    """The source is deleted only with a proof of this attempt, and the target holds what was sealed, or newer."""
    held = pick(s.stored, source(s))[doc]
    deleted = (s.phase == Phase.CLEANUP) & (held == 0) & (s.scanned[doc] != 0)
    covered = ~newer(s, doc, s.scanned[doc], pick(s.stored, target(s))[doc])
    return {LAW: (~deleted | covered) & ((s.phase != Phase.COMPLETE) | s.proof | s.clean)}


@always
def search_complete(s: S) -> dict[str, Operand]:
    """A search returns each document once, as it was when the search began or newer, or it fails."""
    return {SR: ~s.wrong_search}


def alive(s: S, doc: int) -> Operand:
    """A copy at or above the acknowledged rank from which anti-entropy may still repair the owner."""
    places = []
    for node in s.stored.items:
        is_replica = constant(True) if node is R else owner(s) == node
        undeleted = (source(s) == node) & in_phase(s, Phase.ACTIVATE, Phase.GRACE, Phase.CLEANUP)
        places.append((is_replica | undeleted) & (served(s, doc, s.stored[node][doc]) >= s.acked[doc]))
        for message in s.net[node][doc].items:
            waiting = (s.net[node][doc][message] > s.fence[node]) | (
                s.task[node][doc][message] == Task.QUEUED
            )
            places.append(is_replica & waiting & (carried(s, doc, message) >= s.acked[doc]))
    return any_of(*places)


def lost(s: S, doc: int) -> Operand:
    """The owner serves less than was acknowledged, and no delete explains it."""
    here = pick(s.stored, owner(s))[doc]
    kinds = harms(s, doc, here, pick(s.partial, owner(s))[doc])
    return ~all_of(*kinds.values()) & ~may_have_collected(s, doc, s.acked[doc], here)


@always
def no_permanent_loss(s: S, doc: int) -> dict[str, Operand]:
    """What was acknowledged is there, or a copy of it survives and a repair can come."""
    return {LAW: ~lost(s, doc) | (repairs_run(s) & alive(s, doc))}


# ------------------------------------------------------------------ what must always remain possible


@can_always
def finish(s: S) -> dict[str, Operand]:
    """Complete or Aborted can be reached once faults stop."""
    return {STK: in_phase(s, Phase.COMPLETE, Phase.ABORTED)}


@can_always
def complete_at_last(s: S) -> dict[str, Operand]:
    """With the aborts used up, Complete can be reached (an abort alone hides a delta that never proves itself)."""
    aborts_left = s.epoch < 4 * s.scope.aborts
    none_left = constant(s.scope.aborts == s.scope.attempts) & (s.phase == Phase.ABORTED)
    return {STK: (s.phase == Phase.COMPLETE) | aborts_left | none_left}


# ------------------------------------------------------------------ what must sometimes happen


@sometimes
def completes(s: S) -> Operand:
    """A migration completes with everything written and acknowledged."""
    last = max(ranks(s.scope), default=0)
    return all_of(s.phase == Phase.COMPLETE, *(a == last for a in s.acked))


@sometimes
def delta_repairs(s: S) -> Operand:
    """The delta pass sends N what N lacks."""
    needed = [
        (s.phase == Phase.DELTA)
        & (s.scanned[d] != 0)
        & newer(s, d, s.scanned[d], pick(s.stored, target(s))[d])
        for d in range(s.scope.documents)
    ]
    return any_of(*needed)


@sometimes
def retried(s: S) -> Operand | None:
    """An attempt is aborted, and the next one completes."""
    return (s.phase == Phase.COMPLETE) & (s.epoch > 4) if s.scope.aborts and s.scope.attempts > 1 else None


@sometimes
def drain_waits(s: S) -> Operand | None:
    """The drain finds something accepted that is not applied."""
    if not s.scope.queues:
        return None
    return (s.phase == Phase.DRAIN_SOURCE) & any_of(
        *((s.task[n][d][r] == Task.QUEUED) & (source(s) == n)
          for n in (O, N) for d in range(s.scope.documents) for r in ranks(s.scope))
    )  # fmt: skip


@sometimes
def write_is_fenced(s: S) -> Operand:
    """A write arrives below the fence."""
    return any_of(
        *((s.net[n][d][r] != 0) & (s.net[n][d][r] <= s.fence[n])
          for n in (O, N) for d in range(s.scope.documents) for r in ranks(s.scope))
    )  # fmt: skip


@sometimes
def read_is_refused(s: S) -> Operand | None:
    """A read arrives at a source that is fenced."""
    return (s.reading != 0) & (s.reading <= s.fence[O]) if s.scope.reads else None


@sometimes
def owner_lags(s: S) -> Operand | None:
    """N holds more than the owner: a proof by equality would never come."""
    if not s.scope.failing_tasks and not s.scope.late:
        return None
    above = [newer(s, d, pick(s.stored, target(s))[d], s.scanned[d]) for d in range(s.scope.documents)]
    return (s.phase == Phase.DELTA) & any_of(*above) & s.proof


@sometimes
def tombstone_collected(s: S) -> Operand | None:
    """A tombstone is collected at the owner."""
    if not s.scope.collect:
        return None
    return any_of(
        *((pick(s.stored, owner(s))[d] == 0) & erases(s, d, s.shown[d]) for d in range(s.scope.documents))
    )


def phase_is_reached(phase: Phase) -> Property:
    """A *sometimes* for one phase."""

    def reached(s: S) -> Operand | None:
        if phase is Phase.ABORTED and not s.scope.aborts:
            return None
        return in_phase(s, phase)

    reached.__name__ = f"reaches_{phase.name.lower()}"
    reached.__doc__ = f"A migration is in {phase.name}."
    return sometimes(reached)


LIVELY = (finish, complete_at_last, *AVAILABILITY)  # what must always remain possible

PROPERTIES = (
    no_lost_write, no_stale_read, no_regress, abort_safe, single_owner, cleanup_proved, search_complete,
    no_permanent_loss, *LIVELY, *AT_LAST,
    completes, delta_repairs, retried, drain_waits, write_is_fenced, read_is_refused, owner_lags,
    tombstone_collected, *(phase_is_reached(p) for p in Phase),
)  # fmt: skip
