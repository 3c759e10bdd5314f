"""What things are called: a rank, a message, an epoch, and the parts of the nodes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cutproof.model.cutover.slot import MOVED, SWEPT, Stage
from cutproof.model.language.words import Taken

State = Mapping[str, Any]
STAGES = [stage.name for stage in Stage]
PLAIN_MOVED = [phase.name for phase in MOVED]


def write_of(t: Taken, doc: int, rank: int) -> str:
    """What a rank is: `write 1`, `delete 2`, the sweep's delete, or nothing."""
    if not rank:
        return "nothing"
    if t.protocol.scope.sweep and rank == SWEPT:
        return "the sweep's delete"
    return f"{'delete' if t.after['erased'][doc].get(rank) else 'write'} {rank}"


def is_delete(t: Taken, doc: int, rank: int) -> bool:
    """Whether the operation of a rank deletes the document."""
    return "delete" in write_of(t, doc, rank)


def message_of(t: Taken, doc: int, message: int | str, state: State | None = None) -> str:
    """What is under way about a document, with what it carries."""
    s = state or t.before
    match message:
        case "page":
            return f"the page ({write_of(t, doc, s['page'][doc])})"
        case "delta":
            return f"the repair of the delta pass ({write_of(t, doc, s['scanned'][doc])})"
        case "repair":
            return f"the repair by anti-entropy ({write_of(t, doc, s['repair'][doc])})"
        case "stray":
            kind = "repair of the delta pass" if s["stray_is_delta"][doc] else "page"
            return f"a {kind} whose sender is gone ({write_of(t, doc, s['stray'][doc])})"
        case "sweep":
            return "the sweep's delete"
        case _:
            return write_of(t, doc, int(message))


def about(t: Taken, state: State | None = None) -> str:
    """The message of a delivery, and its document."""
    return (
        f"{message_of(t, t.arguments['doc'], t.arguments['message'], state)} of document {t.arguments['doc']}"
    )


def epoch_of(epoch: int) -> str:
    """An epoch with what it says."""
    return f"epoch {epoch} ({STAGES[epoch % 4]})"


def target_of(s: State) -> str:
    """The node that the migration moves to."""
    return "N" if s["source"] == "O" else "O"


def owner_of(s: State) -> str:
    """Who owns the slot by the record."""
    return target_of(s) if s["phase"] in PLAIN_MOVED else str(s["source"])


def listed(names: list[str]) -> str:
    """`O, N and R`."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1] if names else ""))) or "nobody"
