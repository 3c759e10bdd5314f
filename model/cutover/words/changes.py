"""What a change of a field means; what the sentence of a step says already is not told again."""

from __future__ import annotations

from collections.abc import Callable

from cutproof.model.cutover.words.nouns import epoch_of, message_of, write_of
from cutproof.model.language.words import Changed


def _sent(c: Changed) -> str:
    node, doc, message = c.where["node"], c.where["doc"], c.where["message"]
    what = f"{message_of(c.step, doc, message, c.step.after if c.new else c.step.before)} of document {doc}"
    return (
        f"{what} is under way to {node}, {epoch_of(c.new - 1)}"
        if c.new
        else f"{what} is not under way to {node} any more"
    )


def _task(c: Changed) -> str:
    what = message_of(c.step, c.where["doc"], c.where["message"])
    state = {"NONE": "settled", "QUEUED": "accepted, not applied", "DONE": "applied"}[c.new]
    return f"{what} of document {c.where['doc']} on {c.where['node']}: {state}"


def _stored(c: Changed) -> str:
    old, new = (write_of(c.step, c.where["doc"], rank) for rank in (c.old, c.new))
    return f"{c.where['node']} holds {new} of document {c.where['doc']} (before: {old})"


def _rank(text: str) -> Callable[[Changed], str]:
    return lambda c: f"{text}, document {c.where['doc']}: {write_of(c.step, c.where['doc'], c.new)}"


def _waits(c: Changed) -> str:
    doc = c.where["doc"]
    return (
        f"a client waits for the answer about document {doc}"
        if c.new
        else f"no client waits about document {doc}"
    )


def _earlier(c: Changed) -> str:
    doc = c.where["doc"]
    return (
        f"the copy waits for {message_of(c.step, doc, c.where['message'])} of document {doc}" if c.new else ""
    )


def _partial(c: Changed) -> str:
    word = "lacks fields" if c.new else "has every field"
    return f"{c.where['node']} {word} of document {c.where['doc']} that was acknowledged"


VARIABLES: dict[str, str | Callable[[Changed], str]] = {
    "epoch": lambda c: f"{epoch_of(c.old)} -> {epoch_of(c.new)}",
    "source": "the source is {new} now",
    "cursor": "documents done in this pass: {old} -> {new}",
    "proof": lambda c: "there is a proof" if c.new else "there is no proof any more",
    "clean": lambda c: "an anti-entropy pass ended clean" if c.new else "no pass was clean since",
    "stored": _stored,
    "fence": lambda c: f"fence of {c.where['node']}: {epoch_of(c.old)} -> {epoch_of(c.new)}",
    "net": _sent, "task": _task, "earlier": _earlier, "waits": _waits,
    "page": _rank("page"), "scanned": _rank("the scan found"), "repair": _rank("repair"), "stray": _rank("stray"),
    "stray_is_delta": "", "issued": "", "erased": "", "born": "",
    "version": "version of write {rank} of document {doc}: {new}",
    "alone": lambda c: "dual writing had ended: it goes to the source alone" if c.new else "",
    "reading": "", "floor": "", "search": "", "search_floor": "", "found": "",
    "acked": _rank("acknowledged to clients"), "shown": _rank("clients may have seen"),
    "healed": "", "partial": _partial,
    "cut": "",
    "rival": lambda c: "two migrations live" if c.new else "one migration lives",
    "switched_off": lambda c: "anti-entropy is off, for this migration too" if c.new else "anti-entropy is on",
    "changed": lambda c: "the next migration begins without anti-entropy" if c.new else "",
    "missed": _rank("the table's entry: applied on the source, failed on the target"),
    "blocked": "the table has an entry that never settles",
    "stale_read": "a read was stale", "wrong_search": "a search was wrong",
}  # fmt: skip
