"""Words of the invariants: stages, messages, and which views there are."""

from __future__ import annotations

from typing import Any

from cutproof.model.cutover.slot import (
    MOVED,
    N,
    Node,
    O,
    Phase,
    S,
    Stage,
    epochs,
    erases,
    in_phase,
    is_put,
    owner,
    ranks,
    source,
    stage,
)
from cutproof.model.language import (
    Operand,
    all_of,
    any_of,
    constant,
    implies,
    pick,
)

FROZEN = (Phase.DRAIN_TARGET, Phase.DELTA, *MOVED)  # the source has drained: its copy changes no more


def at_stage(s: S, epoch: Operand, *stages: Stage, kept: int = 0) -> Operand:
    """The epoch is of one of these stages. `kept` is what is added to it where it is kept (1 in messages)."""
    return any_of(*(epoch == e + kept for e in epochs(s.scope) if stage(e) in stages))


def messages(s: S, *kinds: str) -> list[tuple[Node, int, Any]]:
    """Every node, document and message; of these kinds if any are named ("client" for the clients' writes)."""
    chosen = {*kinds} - {"client"} | ({*ranks(s.scope)} if "client" in kinds else set())
    return [
        (n, d, m)
        for n, by_doc in s.net.items.items()
        for d, by_message in by_doc.items.items()
        for m in by_message.items
        if not kinds or m in chosen
    ]


def recorded(s: S, kept: Operand) -> Operand:
    """A view, kept as 1 + its epoch, that the record had."""
    activated = [implies(kept == v + 1, (s.epoch == v) | (s.epoch > v + 1 if s.scope.back else constant(False)))
                 for v in epochs(s.scope) if stage(v) is Stage.ACTIVE]  # fmt: skip
    return all_of(kept <= s.epoch + 1, *activated)


def source_of(s: S, view: int) -> Node:
    """The node that the attempt of a view moves from."""
    return N if s.scope.back and view >= 4 else O


def other_than(s: S, view: int) -> Node:
    """The node that the attempt of a view moves to."""
    return O if source_of(s, view) is N else N


def may_go_to(s: S, node: object, view: int) -> bool:
    """Whether a write of a view goes to O or N at all."""
    return stage(view) in (
        (Stage.IDLE, Stage.DUAL) if node is source_of(s, view) else (Stage.DUAL, Stage.ACTIVE)
    )


def unfenced(s: S) -> Operand:
    """The source may still answer readers: the target is not open yet."""
    return ~in_phase(s, *MOVED) | (pick(s.fence, source(s)) < s.epoch)


def collected(s: S, doc: int) -> Operand:
    """The owner has forgotten the delete that was shown last (it may hold an older tombstone)."""
    if not s.scope.collect:
        return constant(False)
    held = pick(s.stored, owner(s))[doc]
    return (held < s.shown[doc]) & ~is_put(s, doc, held) & erases(s, doc, s.shown[doc])
