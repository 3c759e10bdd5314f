"""How far it is to the end of everything: a number that some step, which nobody needs a fault for, makes smaller.

It is why a migration can always finish, and clients can always be served again: from every state that satisfies the
invariants and is not at such an end, one of the steps that are owed lowers it (`checks/engines/proof/induction.py` has
Z3 show that), and it is never below zero.
"""

from __future__ import annotations

from cutproof.model.cutover.mechanisms import Cleanup
from cutproof.model.cutover.slot import (
    N,
    O,
    Phase,
    R,
    S,
    Task,
    epochs,
    has_delta,
    ranks,
    source,
    target,
)
from cutproof.model.language import Operand, all_of, choose, constant, pick

PHASE, CUT, FENCE, DOCUMENT, STAGE = (
    100_000,
    20_000,
    1_000,
    200,
    40,
)  # weights: each outweighs all that follow


def weight(condition: Operand, points: int) -> Operand:
    """So many points where the condition holds."""
    return choose(condition, constant(points), constant(0))


def distance(s: S) -> Operand:
    """The phases that are left; within a phase what its end waits for: fences, pages or repairs, queues, searches."""
    total = constant(0)
    for phase in Phase:
        left = Phase.COMPLETE.value + 1 if phase is Phase.ABORTED else Phase.COMPLETE.value - phase.value
        total = total + weight(s.phase == phase, PHASE * left)
    for node in (O, N):
        total = total + weight(s.cut[node], CUT) + weight(s.fence[node] < s.epoch, FENCE)
        if s.scope.others:
            total = (
                total + weight(s.others_queued[node], 1) + weight((source(s) == node) & s.others_earlier, 1)
            )
        for by_message in s.task[node]:
            for task in by_message:
                total = total + weight(task == Task.QUEUED, 1)
    total = total + unanswered(s)
    for d in range(s.scope.documents):
        total = total + unread(s, d, Phase.COPY, "page") + unread(s, d, Phase.DELTA, "delta")
        held = pick(s.stored, source(s))[d] != 0
        total = total + weight((s.phase == Phase.CLEANUP) & held, DOCUMENT)
    total = total + weight((s.phase == Phase.DELTA) & ~s.proof, 1)
    if s.scope.searches:
        total = total + searching(s)
    if s.scope.repairs:
        total = total + unclean(s)
    return total


def unclean(s: S) -> Operand:
    """Where the clean-up waits for a clean pass: what a pass has to repair before, and the repair that is under way."""
    m, total = s.mechanisms, weight(~s.clean, 1)
    waits = (s.phase == Phase.GRACE) & ~has_delta(s) & (m.cleanup == Cleanup.AFTER_CLEAN_PASS)
    for d in range(s.scope.documents):
        here, there = pick(s.stored, source(s))[d], pick(s.stored, target(s))[d]
        sent = pick(s.net, target(s))[d]["repair"] == s.epoch + 1
        comes = (s.repair[d] >= here) & (sent | (pick(s.task, target(s))[d]["repair"] == Task.QUEUED))
        total = total + weight((there < here) & ~comes, DOCUMENT)
        for node in s.net.items:
            total = total + weight(s.net[node][d]["repair"] != 0, STAGE)
            total = total + weight(s.task[node][d]["repair"] == Task.QUEUED, 1)
    return choose(waits, total, constant(0))


def unanswered(s: S) -> Operand:
    """Clients that wait: their writes arrive, are applied (counted with all tasks), and are answered; so are reads."""
    total = weight(s.reading != 0, 1) if s.scope.reads else constant(0)
    for d, waits in s.waits.items.items():
        total = total + weight(waits != 0, 1)
        for node in s.net.items:
            for r in ranks(s.scope):
                total = total + weight(s.net[node][d][r] != 0, 2)
                if node is R:  # of O and N all tasks are counted
                    total = total + weight(s.task[R][d][r] == Task.QUEUED, 1)
    return total


def unread(s: S, doc: int, phase: Phase, kind: str) -> Operand:
    """What is left to do for one document that is copied, or repaired: it is read, accepted, applied, and counted."""
    task = pick(s.task, target(s))[doc][kind]
    waits = all_of(s.phase == phase, s.cursor <= doc)
    here = s.cursor == doc
    stage = weight(task == Task.QUEUED, STAGE) + weight(pick(s.net, target(s))[doc][kind] != 0, 2 * STAGE)
    none = (task == Task.NONE) & (pick(s.net, target(s))[doc][kind] == 0)
    return choose(
        waits,
        constant(STAGE) + choose(here, stage, constant(0)) + weight(none | ~here, 3 * STAGE),
        constant(0),
    )


def searching(s: S) -> Operand:
    """A search: a node admits or refuses it, and looks at one document after the other."""
    left, running = constant(0), len(epochs(s.scope)) + 1
    for at in s.search:
        left = left + weight((at != 0) & (at < running), s.scope.documents + 1)
        for d in range(s.scope.documents):
            left = left + weight(at == running + d, s.scope.documents - d)
    return left
