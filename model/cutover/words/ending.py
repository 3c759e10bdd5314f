"""How things stand at the end: what clients were told, what each node holds, what a read shows now."""

from __future__ import annotations

from cutproof.model.cutover.words.nouns import epoch_of, owner_of, write_of
from cutproof.model.language.words import Run, Taken


def _answers(run: Run, doc: int) -> str:
    """What the clients of a document were told, in the order of issue; of what was forgotten, nothing."""
    said: dict[int, str] = {}
    for t in run.steps:
        if t.arguments.get("doc") != doc or "rank" not in t.arguments:
            continue
        rank = t.arguments["rank"]
        if t.action == "forget":  # the later ones move down
            said = {r - (r > rank): word for r, word in said.items() if r != rank}
            continue
        said[rank] = {"acknowledge": "succeeded", "fail": "failed", "time_out": "no answer"}.get(
            t.action, "no answer yet"
        )
    names = {rank: write_of(run.steps[-1], doc, rank) for rank in said}
    return ", ".join(f"{names[rank]}: {word}" for rank, word in said.items()) or "nothing was written"


def ending(run: Run) -> list[list[str]]:
    """By document: what clients were told, what each node holds, and what a read shows now."""
    s, docs = run.last, list(run.last["acked"])
    t = run.steps[-1] if run.steps else Taken(run.protocol, "", {}, s, s)
    owner = owner_of(s)
    rows = [["at the end", *(f"document {d}" for d in docs)]]
    rows.append(["clients were told", *(_answers(run, d) for d in docs)])
    for node in s["stored"]:
        part = " (owner)" if node == owner else ""
        rows.append([f"{node}{part} holds", *(write_of(t, d, s["stored"][node][d]) for d in docs)])
    rows.append([f"a read of {owner} shows", *(_shown(t, d, s["stored"][owner][d]) for d in docs)])
    if any(seen := [s["shown"][d] for d in docs]) and seen != [s["stored"][owner][d] for d in docs]:
        rows.append(["clients had seen", *(write_of(t, d, s["shown"][d]) for d in docs)])
    for variable, what in (("stale_read", "a read"), ("wrong_search", "a search")):
        if s[variable]:
            rows.append([what, "was answered wrongly", *("" for _ in docs[1:])])
    rows.append(["the record says", f"{s['phase']}, {epoch_of(s['epoch'])}", *("" for _ in docs[1:])])
    return rows


def _shown(t: Taken, doc: int, rank: int) -> str:
    what = write_of(t, doc, rank)
    return "nothing" if "delete" in what else what
