"""The sentence that says why something was lost, made from the steps of a trace and nothing else.

An acknowledged delete failed on its way to N, the delta pass was skipped, and N, now the owner, has the document.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cutproof.model.cutover.slot import MOVED, Phase
from cutproof.model.language.protocol import Protocol, State

States = Sequence[Mapping[str, int]]
QUEUED = 1  # the code of `Task.QUEUED`
FATES = {
    "delivery_fails": "failed on its way to {}",
    "delivery_is_lost": "was lost on its way to {}",
    "refuse": "was refused by {}",
    "task_fails": "was accepted by {}, where its task failed",
    "accept": "was accepted by {} and not applied yet",
    "accept_duplicate": "was accepted by {} and not applied yet",
}
CARRIERS = {
    "page": "by a page that was read before",
    "stray": "by something older that an earlier coordinator had sent",
    "delta": "by the delta pass",
    "repair": "by a repair of anti-entropy",
}


def reason_of(protocol: Protocol, path: Sequence[State], labels: Sequence[str], delta: bool) -> str:
    """Why the last state of a path has lost an acknowledged write; `delta`: the policy has a delta pass."""
    states = [protocol.named(state) for state in path]
    last, rank = states[-1], states[-1]["acked[0]"]
    moved = list(Phase)[last["phase"]] in MOVED
    source, target = "NO" if last["source"] else "ON"
    node = target if moved else source
    if last[f"stored[{node},0]"] >= rank and not last[f"partial[{node},0]"]:
        node = "R"  # the owner is in order: R had to acknowledge too
    word = "delete" if last.get(f"erased[0,{rank}]") else "put"
    parts = [f"An acknowledged {word} {_fate(states, labels, node, rank)}"]
    if moved and node != "R" and any(s[f"net[{source},0,{rank}]"] for s in states):
        parts.append(_delta_pass(states, labels, source, rank, delta))
    now = ", now the owner," if moved and node != "R" else ", the owner," if node != "R" else ""
    return ", ".join(filter(None, parts)) + f", and {node}{now} has {_has(last, node, rank)}."


def _has(last: Mapping[str, int], node: str, rank: int) -> str:
    stored = last[f"stored[{node},0]"]
    if stored >= rank:
        return "a copy that lacks fields of it"
    if not stored:
        return "nothing of it"
    if last.get(f"erased[0,{stored}]"):
        return "an older delete"
    return "the document" if last.get(f"erased[0,{rank}]") else "an older put"


def _fate(states: States, labels: Sequence[str], node: str, rank: int) -> str:
    """What became of the write on a node."""
    stored = [s[f"stored[{node},0]"] for s in states]
    there = [i for i, held in enumerate(stored) if held == rank]
    if there and stored[-1] == rank:
        return f"was merged on {node} into a copy that lacked what came before it"
    if there:
        return _undone(labels[there[-1]], node)
    about = f"(node={node}, doc=0, message={rank})"
    mine = [label.removesuffix(about) for label in labels if label.endswith(about)]
    if "apply" in mine:
        at = len(labels) - 1 - labels[::-1].index(f"apply{about}")
        return f"was taken for an old one by {node}" if stored[at + 1] else f"left no tombstone on {node}"
    if mine:
        return FATES[mine[-1]].format(node)
    if any(s[f"net[{node},0,{rank}]"] for s in states):
        return f"has not reached {node}"
    if any(s["page[0]"] == rank for s in states):
        about = f"(node={node}, doc=0, message=page)"
        page = [label.removesuffix(about) for label in labels if label.endswith(about)]
        if not page or page[-1] in FATES:
            return "was in a page that " + (FATES[page[-1]] if page else "has not reached {}").format(node)
    return f"was not sent to {node}"


def _undone(label: str, node: str) -> str:
    """How a copy that a node had is gone, by the step after which it was."""
    action, _, about = label.partition("(")
    if action in ("wipe", "late_wipe"):
        return f"was wiped from {node}"
    if action in ("delete_source", "late_delete"):
        return f"was deleted from {node} by a clean-up"
    if action == "collect":
        return f"was forgotten by {node}, its tombstone collected"
    if action == "apply":
        message = about.rpartition("message=")[2].rstrip(")")
        return f"was overwritten on {node} {CARRIERS.get(message, 'by an older write that came late')}"
    return f"is gone from {node}"


def _delta_pass(states: States, labels: Sequence[str], source: str, rank: int, delta: bool) -> str:
    """What the delta pass did about it."""
    if not delta:
        return "the delta pass was skipped"
    scans = [i for i, label in enumerate(labels) if label.startswith("scan(")]
    if not scans:
        return "no delta pass ran"
    about = f"apply(node={source}, doc=0, message={rank})"
    if about not in labels:
        return f"{source} never applied it"
    applied = labels.index(about)
    if applied < scans[-1] and not states[scans[-1]][f"stored[{source},0]"]:
        return f"the delta pass found no tombstone on {source}"
    if applied > scans[-1]:
        return f"the delta pass had read {source} before {source} applied it"
    return (
        "the delta pass did not repair it"
        if _acted(labels, scans[-1])
        else "the delta pass repaired nothing yet"
    )


def _acted(labels: Sequence[str], scan: int) -> bool:
    return any(label.startswith("apply(") and "message=delta" in label for label in labels[scan:])
