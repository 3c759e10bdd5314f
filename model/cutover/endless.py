"""Clients that never stop: what a bounded number of writes cannot show, whether a migration ends while they go on.

Only in scopes with `endless`. A client whose write was answered issues its next one, and so on for ever. The graph
stays finite, since what is finished is forgotten: a write that nothing speaks of any more (no copy, message, task,
promise or floor) leaves its rank, and all later ones move down by one. Order is all that ranks are compared by, and it
is kept. So what is bounded is not how many writes there are, but how many are told apart at one time.

A run that goes on for ever is fair as everywhere (`model/language/actions.py`). A write moves down at most as often as
there are earlier ones, and then keeps its rank: a step that it waits for is not put off by that.
"""

from __future__ import annotations

from typing import Any

from cutproof.model.cutover.slot import MOVED, MOVING, Phase, S, Task, in_phase, ranks
from cutproof.model.language import Family, Operand, Step, action, all_of, choose, guard, leads_to, put, when

# Variables that hold a rank for each document; `stored` has one for each node too, `floor` is of document 0.
HELD = ("page", "scanned", "stray", "repair", "issued", "acked", "shown")


def unspoken_of(s: S, doc: int, rank: int) -> Operand:
    """Nothing is known of this write any more: no copy, message, task, promise or floor is of it."""
    holders = [by_doc[doc] for by_doc in s.stored] + [getattr(s, name)[doc] for name in HELD]
    if doc == 0:
        holders.append(s.floor)
    sent = [(s.net[n][doc][rank] == 0) & (s.task[n][doc][rank] == Task.NONE) for n in s.net.items]
    return all_of(*(held != rank for held in holders), *sent)


@action
def forget(s: S, doc: int, rank: int) -> Step | None:
    """A finished write that nothing speaks of any more is forgotten; the later ones move down, and leave room."""
    if not s.scope.endless:
        return None

    def down(held: Operand) -> Operand:
        return choose(held > rank, held - 1, held)

    changes: dict[str, Any] = {name: put(getattr(s, name), doc, down(getattr(s, name)[doc])) for name in HELD}
    stored: Family = s.stored
    for node in stored.items:
        stored = put(stored, (node, doc), down(stored[node][doc]))
    changes["stored"] = stored
    if doc == 0 and s.scope.reads:
        changes["floor"] = down(s.floor)
    return when(
        guard("a later one was issued", s.issued[doc] > rank),
        guard("nothing speaks of it", unspoken_of(s, doc, rank)),
    ).then(**changes, **moved_down(s, doc, rank))


def moved_down(s: S, doc: int, rank: int) -> dict[str, Any]:
    """The messages and tasks of later writes, each in the place of the one before it; the last place is free."""
    net, task, earlier = s.net, s.task, s.earlier
    for here in ranks(s.scope) if s.scope.queues else ():
        if here >= rank:
            last = here == ranks(s.scope)[-1]
            earlier = put(earlier, (doc, here), False if last else s.earlier[doc][here + 1])
    for node in net.items:
        for here in ranks(s.scope):
            if here < rank:
                continue
            last = here == ranks(s.scope)[-1]
            net = put(net, (node, doc, here), 0 if last else s.net[node][doc][here + 1])
            task = put(task, (node, doc, here), Task.NONE if last else s.task[node][doc][here + 1])
    return {"net": net, "task": task, "earlier": earlier}


# ------------------------------------------------------------------ what comes at last


@leads_to
def begun_ends(s: S) -> tuple[Operand, Operand] | None:
    """A migration that has begun ends, Complete or Aborted, however long clients go on writing."""
    if not s.scope.endless:
        return None
    live = in_phase(s, *MOVING, *MOVED) & (s.phase != Phase.COMPLETE)
    return live, in_phase(s, Phase.COMPLETE, Phase.ABORTED)


@leads_to
def written_is_answered(s: S, doc: int) -> tuple[Operand, Operand] | None:
    """A client that waits for the answer of its write gets one, with or without a migration."""
    return (s.waits[doc] != 0, s.waits[doc] == 0) if s.scope.endless else None


ACTIONS = (forget,)
AT_LAST = (begun_ends, written_is_answered)
