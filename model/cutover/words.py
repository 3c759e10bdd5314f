"""How stories speak of the cutover: what a step did, what a change means, and how things stand at the end.

Everything here is over plain values (`model/language/words.py`): members of enumerations are their names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cutproof.model.cutover.safeguards import Harm
from cutproof.model.cutover.slot import MOVED, SWEPT, Stage
from cutproof.model.language.words import Changed, Run, Taken, Words

State = Mapping[str, Any]
STAGES = [stage.name for stage in Stage]
PLAIN_MOVED = [phase.name for phase in MOVED]

# ------------------------------------------------------------------ nouns


def write_of(t: Taken, doc: int, rank: int) -> str:
    """What a rank is: `write 1`, `delete 2`, the sweep's delete, or nothing."""
    if not rank:
        return "nothing"
    if t.protocol.scope.sweep and rank == SWEPT:
        return "the sweep's delete"
    return f"{'delete' if t.after['erased'][doc].get(rank) else 'write'} {rank}"


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


# ------------------------------------------------------------------ steps of clients


def dispatched(t: Taken) -> str:
    a, s = t.arguments, t.after
    doc, rank, view = a["doc"], a["rank"], a["view"]
    to = [n for n, docs in s["net"].items() if docs[doc][rank] != t.before["net"][n][doc][rank]]
    act = "deletes" if a["erases"] else "writes"
    router = {
        "write": "its router knows the record",
        "write_by_stale_router": f"its router still believes {epoch_of(view)} and",
        "write_by_slow_clock": "its router's clock is slow, so the version is too low; it",
    }[t.action]
    joined = router if router.endswith(("and", "it")) else f"{router} and"
    return f"A client {act} document {doc} ({write_of(t, doc, rank)}): {joined} sends it to {listed(to)}."


def told(t: Taken) -> str:
    a = t.arguments
    what = f"{write_of(t, a['doc'], a['rank'])} of document {a['doc']}"
    return {
        "acknowledge": f"The client is told that {what} succeeded.",
        "fail": f"The client is told that {what} failed.",
        "time_out": f"The client gives up waiting for {what}, which may still land.",
    }[t.action]


def accepted(t: Taken) -> str:
    a = t.arguments
    again = ", and a copy of it is still on its way" if t.action == "accept_duplicate" else ""
    if t.after["task"][a["node"]][a["doc"]][a["message"]] == "QUEUED":
        return f"{a['node']} accepts {about(t)} and queues it{again}."
    return landed(t, "accepts and applies")[:-1] + f"{again}."


def landed(t: Taken, verb: str = "applies") -> str:
    node, doc = t.arguments["node"], t.arguments["doc"]
    held, holds = t.before["stored"][node][doc], t.after["stored"][node][doc]
    if held == holds:
        return f"{node} {verb} {about(t)}: no change, it holds {write_of(t, doc, held)}."
    return f"{node} {verb} {about(t)}: it held {write_of(t, doc, held)}, now {write_of(t, doc, holds)}."


def ended(verb: str) -> Callable[[Taken], str]:
    return lambda t: f"{about(t)[0].upper()}{about(t)[1:]} {verb.format(**t.arguments)}."


def read_begins(t: Taken) -> str:
    stale = f" through a router that believes {epoch_of(t.arguments['view'])}" if "stale" in t.action else ""
    least = (
        f"{write_of(t, 0, t.after['floor'])} is acknowledged"
        if t.after["floor"]
        else "nothing is acknowledged yet"
    )
    return f"A client reads document 0{stale}; {least}."


def read_answered(t: Taken) -> str:
    if t.action == "refuse_read":
        return "The read is refused: its epoch is below the fence."
    least = write_of(t, 0, t.before["floor"])
    if t.after["stale_read"] and not t.before["stale_read"]:
        return f"The read is answered with less than {least}, which was acknowledged before it began."
    return f"The read is answered with {least} or newer." if t.before["floor"] else "The read is answered."


def search_begins(t: Taken) -> str:
    stale = f" through a router that believes {epoch_of(t.arguments['view'])}" if "stale" in t.action else ""
    return f"A client searches all documents{stale}: it is sent to {listed([n for n, at in t.after['search'].items() if at])}."


def searched(t: Taken) -> str:
    node, doc = t.arguments["node"], t.arguments["doc"]
    found = f"The search looks at document {doc} on {node}, which holds {write_of(t, doc, t.before['stored'][node][doc])}"
    wrong = t.after["wrong_search"] and not t.before["wrong_search"]
    return f"{found}{'; with that its answer is wrong' if wrong else ''}."


# ------------------------------------------------------------------ steps of the coordinator


def begun(t: Taken) -> str:
    s = t.after
    return (
        f"A migration from {s['source']} to {target_of(s)} begins: DUAL is recorded, {epoch_of(s['epoch'])}."
    )


def fenced(t: Taken) -> str:
    node, epoch = t.arguments.get("node", t.arguments.get("pair")), t.arguments["epoch"]
    opens = ", and opens to clients" if epoch % 4 == 3 and node == target_of(t.after) else ""
    late = "A late command lands: " if t.action == "late_fence" else ""
    return f"{late}{node} raises its fence to {epoch_of(epoch)}{opens}."


def read_out(t: Taken) -> str:
    doc, what = t.arguments["doc"], "page" if t.action == "read_page" else "repair"
    held, node = t.before["stored"][t.before["source"]][doc], t.before["source"]
    if not held:
        return f"{node} holds nothing of document {doc}, so there is no {what} to send."
    return f"Document {doc} is read at {node} ({write_of(t, doc, held)}) and sent to {target_of(t.before)} as a {what}."


def activated(t: Taken) -> str:
    return f"{owner_of(t.after)} becomes the owner in one step of the record: {epoch_of(t.after['epoch'])}."


def emptied(t: Taken) -> str:
    node = {"wipe": "N", "late_wipe": "N", "late_delete": "O"}.get(t.action) or t.arguments["pair"]
    had = [f"{write_of(t, d, rank)} of document {d}" for d, rank in t.before["stored"][node].items() if rank]
    late = "A late command lands: " if t.action.startswith("late") else ""
    return f"{late}{node} deletes all that it holds: {listed(had) if had else 'nothing'}."


def aborted(t: Taken) -> str:
    return f"The migration is aborted: {owner_of(t.after)} stays the owner, {epoch_of(t.after['epoch'])}."


def crashed(t: Taken) -> str:
    return f"The coordinator crashes, and another goes on from the record: {t.after['phase']}."


def repair_sent(t: Taken) -> str:
    a = t.arguments
    low, high = (write_of(t, a["doc"], t.before["stored"][a[n]][a["doc"]]) for n in ("to", "node"))
    sends = write_of(t, a["doc"], t.after["repair"][a["doc"]])
    return f"A pass finds {low} on {a['to']} and {high} on {a['node']} (document {a['doc']}), and sends {sends} to {a['to']}."


STEPS: dict[str, str | Callable[[Taken], str]] = {
    "begin": begun, "raise_fence": fenced, "late_fence": fenced, "read_page": read_out, "scan": read_out,
    "start_copy": "Both nodes confirmed their fences: the copy begins.",
    "page_landed": "The coordinator sees that the page of document {doc} was applied.",
    "seal": lambda t: f"The seal is recorded, {epoch_of(t.after['epoch'])}: writers wait, and nothing is written twice.",
    "start_drain": "The coordinator waits for what the source has accepted.",
    "source_drained": lambda t: f"{t.before['source']} has nothing queued; now {target_of(t.before)} is waited for.",
    "target_drained": lambda t: f"{target_of(t.before)} has nothing queued: the delta pass begins.",
    "repaired": "The coordinator sees that the repair of document {doc} was applied.",
    "prove": lambda t: f"{target_of(t.before)} is read back and holds what was scanned: that is recorded as the proof.",
    "proof_fails": lambda t: f"{target_of(t.before)} lacks something that was scanned: the delta pass starts again.",
    "activate": activated, "rival_activates": activated,
    "start_grace": "Both nodes confirmed their fences: the longest query is waited for.",
    "start_cleanup": lambda t: f"The clean-up of {t.before['source']} is recorded.",
    "delete_source": emptied, "wipe": emptied, "late_wipe": emptied, "late_delete": emptied,
    "complete": lambda t: f"{t.before['source']} holds nothing any more: the migration is complete.",
    "abort": aborted,
    "accept": accepted, "accept_duplicate": accepted, "apply": landed,
    "refuse": ended("is refused by {node}: its epoch is below the fence"),
    "task_fails": ended("fails on {node} after it was accepted"),
    "delivery_fails": ended("does not reach {node}, and its sender is told"),
    "delivery_is_lost": ended("is lost on its way to {node}, and nobody is told"),
    "write": dispatched, "write_by_stale_router": dispatched, "write_by_slow_clock": dispatched,
    "acknowledge": told, "fail": told, "time_out": told,
    "read": read_begins, "read_by_stale_router": read_begins, "answer_read": read_answered, "refuse_read": read_answered,
    "search": search_begins, "search_by_stale_router": search_begins, "step_search": searched,
    "admit_search": "{node} admits the search, which now runs to its end there.",
    "refuse_search": "{node} refuses the search, whose epoch is below the fence: it fails as a whole.",
    "repair": repair_sent, "repair_expired": repair_sent,
    "sweep": lambda t: f"A sweep finds write 1 of document {t.arguments['doc']} expired on {t.arguments['node']}, and sends "
                       f"its delete to {t.arguments['to']}.",
    "collect": "{node} forgets its tombstone of document {doc}.",
    "page_times_out": "The coordinator gives up on the page of document {doc}, which is still on its way.",
    "crash": crashed, "cut_off": "{pair} is cut off from everybody.", "heal": "{pair} can be reached again.",
    "restart": "{pair} restarts: what it stores survives, a running search does not.",
    "revert_routing": lambda t: f"An operator points the routers back at {t.after['source']}.",
}  # fmt: skip


# ------------------------------------------------------------------ changes


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


VARIABLES: dict[str, str | Callable[[Changed], str]] = {
    "epoch": lambda c: f"{epoch_of(c.old)} -> {epoch_of(c.new)}",
    "source": "the source is {new} now",
    "cursor": "documents done in this pass: {old} -> {new}",
    "proof": lambda c: "there is a proof" if c.new else "there is no proof any more",
    "clean": lambda c: "an anti-entropy pass ended clean" if c.new else "no pass was clean since",
    "stored": _stored,
    "fence": lambda c: f"fence of {c.where['node']}: {epoch_of(c.old)} -> {epoch_of(c.new)}",
    "net": _sent, "task": _task, "waits": _waits,
    "page": _rank("page"), "scanned": _rank("the scan found"), "repair": _rank("repair"), "stray": _rank("stray"),
    "stray_is_delta": "", "issued": "", "erased": "", "born": "", "version": "version of write {rank} of document {doc}: {new}",
    "alone": lambda c: "dual writing had ended: it goes to the source alone" if c.new else "",
    "reading": "", "floor": "", "search": "", "search_floor": "", "found": "",
    "acked": _rank("acknowledged to clients"), "shown": _rank("clients may have seen"),
    "healed": "", "partial": "{node} lacks fields of document {doc} that were acknowledged: {new}",
    "stale_read": "a read was stale", "wrong_search": "a search was wrong",
}  # fmt: skip


# ------------------------------------------------------------------ the end


def _answers(run: Run, doc: int) -> str:
    """What the clients of a document were told, in the order of issue."""
    said: dict[int, str] = {}
    for t in run.steps:
        if t.arguments.get("doc") != doc or "rank" not in t.arguments:
            continue
        word = {"acknowledge": "succeeded", "fail": "failed", "time_out": "no answer"}.get(
            t.action, "no answer yet"
        )
        said[t.arguments["rank"]] = f"{write_of(t, doc, t.arguments['rank'])}: {word}"
    return ", ".join(said.values()) or "nothing was written"


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
    rows.append(["the record says", f"{s['phase']}, {epoch_of(s['epoch'])}", *("" for _ in docs[1:])])
    return rows


def _shown(t: Taken, doc: int, rank: int) -> str:
    what = write_of(t, doc, rank)
    return "nothing" if "delete" in what else what


WORDS = Words(
    steps=STEPS,
    variables=VARIABLES,
    harms={harm.name: harm.value for harm in Harm},
    ending=ending,
)
