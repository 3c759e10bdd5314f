"""All other clients, as an environment: one write is tracked among any number of others, and versions have no bound.

Only in scopes with `others`. The tracked write is any write: what is proved of it holds of each. The others need not
be told apart. At any time one of them may have a message on its way, of any view that a router could have; it arrives
where that view writes to, is accepted by the rule that every message obeys, and is applied, with any version that the
sequencer has drawn, older or newer than the tracked one. Which version that is, a counter says that others turn
(`other`): it rises by one or starts again at any time, so it may have any value. This is more than real clients do (a
version may be applied twice, or at a node alone), and every real run is among it; `checks/cutover/proofs/tracked.py`
holds that against the explicit protocol.
"""

from __future__ import annotations

from cutproof.model.cutover.clients import not_held, targets
from cutproof.model.cutover.delivery import open_to, seen
from cutproof.model.cutover.slot import Node, S, Stage, reachable, source, stage
from cutproof.model.language import Step, action, choose, constant, guard, put, when


@action(choice=True)
def others_draw(s: S) -> Step | None:
    """Another client's write is given the next version."""
    return (
        when(guard("anything goes", constant(True))).then(sequencer=s.sequencer + 1)
        if s.scope.others
        else None
    )


@action(choice=True)
def other_rises(s: S) -> Step | None:
    """The next step may be of a later one of the others."""
    if not s.scope.others:
        return None
    return when(guard("was drawn", s.other < s.sequencer)).then(other=s.other + 1)


@action(choice=True)
def other_again(s: S) -> Step | None:
    """The next step may be of any of them again."""
    return when(guard("not at the start", s.other != 0)).then(other=0) if s.scope.others else None


@action(choice=True)
def others_arrive(s: S, node: Node, view: int) -> Step | None:
    """A write of another client, sent with some view, arrives and is queued."""
    chosen = targets(s, view)
    if not s.scope.others or node not in chosen:
        return None
    # What was sent earlier may arrive in any later phase, and goes by what its router knew when it was sent.
    goes = constant(True) if stage(view) is Stage.DUAL else chosen[node]
    m = s.mechanisms
    return when(
        guard("recorded", s.epoch >= view),
        guard("writers are not held", not_held(s, view)),
        guard("a target", goes),
        guard("reachable", reachable(s, node)),
        guard("epoch not below the fence", ~m.fence_epoch | (s.fence[node] <= view)),
        guard("open to clients", open_to(s, node, constant(view + 1))),
    ).then(others_queued=put(s.others_queued, node, True))


@action(choice=True)
def others_apply(s: S, node: Node) -> Step | None:
    """A node applies a queued write of another client: it lands if its version is above what is stored."""
    if not s.scope.others:
        return None
    m, stored, partial = s.mechanisms, s.stored[node][0], s.partial[node][0]
    lands = (s.other > stored) | ~m.apply_checks_version
    merged = partial | (~m.whole_documents & (s.acked[0] > stored) & (s.acked[0] < s.other))
    return when(
        guard("queued", s.others_queued[node]),
        guard("a write of the others", (s.other != 0) & (s.other != s.drawn)),
    ).then(
        stored=put(s.stored, (node, 0), choose(lands, s.other, stored)),
        partial=put(s.partial, (node, 0), choose(lands, merged, partial)),
        **seen(s, node, 0, s.other, lands),
    )


@action
def others_are_done(s: S, node: Node) -> Step | None:
    """The last queued write of the others has been applied, or has failed."""
    if not s.scope.others:
        return None
    return when(guard("queued", s.others_queued[node])).then(
        others_queued=put(s.others_queued, node, False), others_earlier=s.others_earlier & (source(s) != node)
    )


@action
def earlier_others_are_done(s: S) -> Step | None:
    """Of the others' writes the last one that the source accepted before its fence rose was applied, or failed."""
    if not s.scope.others:
        return None
    return when(guard("queued since before", s.others_earlier)).then(others_earlier=False)


ACTIONS = (
    others_draw, other_rises, other_again, others_arrive, others_apply, others_are_done, earlier_others_are_done,
)  # fmt: skip
