"""What the coordinator can see: confirmations, outcomes, and what the delta pass has read.

Each confirmation, once true, stays true while the coordinator waits for it, so its guards may look at several.
"""

from __future__ import annotations

from itertools import product
from typing import Any

from cutproof.model.cutover import anti_entropy
from cutproof.model.cutover.delivery import queue_is_empty
from cutproof.model.cutover.slot import (
    N,
    Node,
    O,
    Phase,
    S,
    Task,
    epochs,
    has_delta,
    is_put,
    may_be_earlier,
    ranks,
    reachable,
    source,
    target,
    version,
)
from cutproof.model.language import Operand, any_of, choose, constant, each, guard, pick, put


def documents(s: S) -> range:
    """The documents of the scope."""
    return range(s.scope.documents)


def confirmed(s: S, node: Operand) -> Operand:
    """The node has confirmed the fence at the record's epoch."""
    return pick(s.fence, node) >= s.epoch


def at(s: S, node: Operand, condition: Any) -> Operand:
    """`condition(n)` for the node n that an operand names."""
    return any_of(*((node == n) & condition(n) for n in (O, N)))


def drained(s: S, node: Operand) -> Operand:
    """Everything that the node accepted has been applied or has failed."""
    return at(s, node, lambda n: queue_is_empty(s, n))


def applied_earlier(s: S, node: Operand) -> Operand:
    """Everything that the source accepted before its fence rose to the record's epoch was applied or has failed."""
    left = [at for by_message in s.earlier for at in by_message]
    others = [s.others_earlier] if s.scope.others else []
    return drained(s, node) | (confirmed(s, node) & ~any_of(*left, *others))


def up(s: S, node: Operand) -> Operand:
    """The node can be reached."""
    return at(s, node, lambda n: reachable(s, n))


def earlier_at_fence(s: S, node: Node) -> dict[str, Any]:
    """What the source has in its queue when it raises its fence to the DUAL epoch: the copy waits for that."""
    m = s.mechanisms
    waited_for = m.copy_waits_for_applied & m.copy_waits_for_earlier_alone
    marks = waited_for & (source(s) == node) & (s.phase == Phase.DUAL)
    earlier = s.earlier
    for d, kind in product(documents(s), s.earlier[0].items):
        if may_be_earlier(s.scope, kind):
            queued = s.task[node][d][kind] == Task.QUEUED
            earlier = put(earlier, (d, kind), choose(marks, queued, s.earlier[d][kind]))
    changes: dict[str, Any] = {"earlier": earlier}
    if s.scope.others:
        changes["others_earlier"] = choose(marks, s.others_queued[node], s.others_earlier)
    return changes


def nothing_earlier(s: S) -> dict[str, Any]:
    """No copy waits any more for what was accepted before."""
    earlier = s.earlier
    for d in documents(s):
        earlier = put(earlier, d, each(s.earlier[d], False))
    return {"earlier": earlier, **({"others_earlier": False} if s.scope.others else {})}


def may_begin(s: S, after_complete: Operand) -> list[Any]:
    """The guards of a begin, but for the scope's bounds: `after_complete` says whether one may follow a Complete."""
    m = s.mechanisms
    wiped = (s.fence[N] >= s.epoch) | ~m.wipe_before_retry
    again = (s.phase == Phase.COMPLETE) & after_complete
    healed = ~anti_entropy.counts_on_repairs(s) | ~anti_entropy.left_to_repair(s)
    aborted = (s.phase == Phase.ABORTED) & any_of(*(s.epoch == e for e in epochs(s.scope) if e % 4 == 0))
    return [
        guard("no live migration", (s.phase == Phase.IDLE) | (aborted & wiped) | again),
        guard("nothing is left to repair before another policy", ~s.changed | healed | ~m.healed_before_next),
    ]


def task_at_target(s: S, doc: int, message: str) -> Operand:
    """What the target made of the coordinator's message."""
    return pick(s.task, target(s))[doc][message]


def fences_confirmed(s: S) -> Operand:
    """O and N have confirmed the fence at the record's epoch."""
    return confirmed(s, source(s)) & confirmed(s, target(s))


def table_is_settled(s: S) -> Operand:
    """A delta that trusts the seed's table waits for it: no write that is still under way, no entry of others."""
    if not s.scope.table:
        return constant(True)
    pending = [pick(s.net, target(s))[d][r] != 0 for d in documents(s) for r in ranks(s.scope)]
    return s.mechanisms.delta_always | ~any_of(s.blocked, *pending)


def listed_before(s: S, doc: int) -> Operand:
    """How many documents an offset page lists before this one."""
    total = constant(0)
    for d in range(doc):
        total = total + choose(is_put(s, d, pick(s.stored, source(s))[d]), constant(1), constant(0))
    return total


def delta_runs(s: S) -> Operand:
    """Always; without that rule, only if the table shows a write that succeeded on O and failed on N."""
    table = any_of(*(missed != 0 for missed in s.missed))
    return has_delta(s) & (s.mechanisms.delta_always | table)


def target_covers(s: S, doc: int) -> Operand:
    """N >= what was scanned: by version, and at equal versions by content. Not equality: N may hold more."""
    m, held, scanned = s.mechanisms, pick(s.stored, target(s))[doc], s.scanned[doc]
    same = pick(s.partial, source(s))[doc] == pick(s.partial, target(s))[doc]
    content = same | (held != scanned)
    by_version = (version(s, doc, held) >= version(s, doc, scanned)) & content
    return choose(m.delta_compares_versions, by_version, (scanned == 0) | (held != 0))


def all_scanned(s: S) -> Operand:
    """The delta pass has been through every document, or there is none to run."""
    return (s.cursor == s.scope.documents) | ~delta_runs(s)


def emptied(s: S, node: Node, fence: Any) -> dict[str, Any]:
    """What a node changes that deletes all of the shard."""
    return {
        "stored": put(s.stored, node, each(s.stored[node], 0)),
        "partial": put(s.partial, node, each(s.partial[node], False)),
        "fence": put(s.fence, node, fence),
    }
