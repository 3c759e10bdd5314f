"""What a run did to a client, in plain sentences: what it was promised, and what became of it."""

from __future__ import annotations

from cutproof.model.cutover.words.nouns import is_delete, listed, owner_of, write_of
from cutproof.model.language.picture import Loss
from cutproof.model.language.words import Run, Taken

STUCK = {  # what somebody was promised where something can never happen again
    "finish": ("A migration that has begun comes to an end, complete or aborted.", "It can never end"),
    "complete_at_last": ("A migration can be completed in the end.", "It can never be completed"),
    "writable_again": ("A client that writes gets its answer, and the next write is saved.",
                       "Clients wait for ever: no write of the document can be answered any more"),
    "readable_again": ("A client that reads gets its answer.", "No read can be answered any more"),
    "searchable_again": ("A search ends, and the next one is admitted.", "No search can end any more"),
    "begun_again": ("When a migration is over, the next one can begin.", "No other migration can ever begin"),
    "begun_ends": ("A migration that has begun ends, however long clients go on writing.",
                   "It need never end: the same steps can go round for ever"),
    "written_is_answered": ("A client that waits for the answer of its write gets one.",
                            "It may wait for ever: the same steps can go round"),
}  # fmt: skip


def loss_of(run: Run, violated: str) -> Loss | None:
    """What was promised, and what became of it; None of a property that is no promise to a client."""
    if violated in STUCK:
        promise, loss = STUCK[violated]
        return Loss(promise, f"{loss}. {stands(run)}")
    s = run.last
    t = run.steps[-1] if run.steps else Taken(run.protocol, "", {}, s, s)
    match violated:
        case "no_lost_write" | "no_permanent_loss" | "abort_safe":
            return _of_writes(run, t, "acked", "The client was told that {what} is saved.")
        case "no_regress":
            return _of_writes(run, t, "shown", "Clients have seen {what}, so it stays.")
        case "no_stale_read":
            least = write_of(t, 0, max([s["floor"], *(step.before["floor"] for step in run.steps[-1:])]))
            return Loss(
                f"The client was told that {least} of document 0 is saved before the read began, so a read shows it.",
                f"The read was answered with less than {least}. {stands(run)}",
            )
        case "search_complete":
            return Loss(
                "A search finds each document once, as it was when the search began or newer, or it fails.",
                f"The search was answered, and its answer is wrong. {stands(run)}",
            )
    return None


def _of_writes(run: Run, t: Taken, variable: str, promise: str) -> Loss:
    """What of the promised writes is gone, document by document."""
    s, owner = run.last, owner_of(run.last)
    said, became = list[str](), list[str]()
    for doc, rank in s[variable].items():
        if not rank:
            continue
        what, held = f"{write_of(t, doc, rank)} of document {doc}", s["stored"][owner][doc]
        said.append(promise.format(what=what))
        if fate := _fate(t, doc, rank, held, owner):
            became.append(fate)
        elif s["partial"][owner][doc]:
            became.append(f"{owner} lacks fields of document {doc} that were acknowledged.")
        elif short := [n for n in s["stored"] if s["stored"][n][doc] < rank and n != owner]:
            became.append(f"{owner} holds it, and it is missing on {listed(short)}, which must have it too.")
    return Loss(
        " ".join(said) or "What a client was told is saved stays.",
        f"{' '.join(became)} {stands(run)}".strip(),
    )


def _fate(t: Taken, doc: int, rank: int, held: int, owner: str) -> str:
    """What became of a write that the owner holds no more; empty where it holds it, or a newer one."""
    what, instead = write_of(t, doc, rank), write_of(t, doc, held)
    if is_delete(t, doc, rank) and held and held != rank and not is_delete(t, doc, held):
        return f"The deleted document {doc} is back: {owner} shows {instead}, which {what} had deleted."
    if not held:
        return f"{what[0].upper()}{what[1:]} of document {doc} is lost: {owner} holds nothing of it."
    if held != rank and held < rank:
        return (
            f"{what[0].upper()}{what[1:]} of document {doc} is lost: {owner} holds {instead}, which is older."
        )
    return ""


def stands(run: Run) -> str:
    """What the nodes hold in the end, and what a read shows now."""
    s = run.last
    t = run.steps[-1] if run.steps else Taken(run.protocol, "", {}, s, s)
    owner, many, parts = owner_of(s), len(s["acked"]) > 1, list[str]()
    for doc in s["acked"]:
        of = f" of document {doc}" if many else ""
        held = ", ".join(f"{node} holds {write_of(t, doc, docs[doc])}" for node, docs in s["stored"].items())
        rank = s["stored"][owner][doc]
        shows = "nothing" if is_delete(t, doc, rank) else write_of(t, doc, rank)
        parts.append(f"{held}{of}; a read now asks {owner} and shows {shows}.")
    return " ".join(parts)
