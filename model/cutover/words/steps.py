"""What a step did."""

from __future__ import annotations

from collections.abc import Callable

from cutproof.model.cutover.words.nouns import about, epoch_of, listed, owner_of, target_of, write_of
from cutproof.model.language.words import Taken

# ------------------------------------------------------------------ clients and deliveries


def dispatched(t: Taken) -> str:
    """A client's write goes out: what its router knows, and to whom it sends."""
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
    """What a client is told of its write, or that it waits no longer."""
    a = t.arguments
    what = f"{write_of(t, a['doc'], a['rank'])} of document {a['doc']}"
    return {
        "acknowledge": f"The client is told that {what} succeeded.",
        "fail": f"The client is told that {what} failed.",
        "time_out": f"The client gives up waiting for {what}, which may still land.",
    }[t.action]


def accepted(t: Taken) -> str:
    """A node accepts a message, and queues it or applies it."""
    a = t.arguments
    again = ", and a copy of it is still on its way" if t.action == "accept_duplicate" else ""
    if t.after["task"][a["node"]][a["doc"]][a["message"]] == "QUEUED":
        return f"{a['node']} accepts {about(t)} and queues it{again}."
    return landed(t, "accepts and applies")[:-1] + f"{again}."


def landed(t: Taken, verb: str = "applies") -> str:
    """A node applies something: what it held, and what it holds now."""
    node, doc = t.arguments["node"], t.arguments["doc"]
    held, holds = t.before["stored"][node][doc], t.after["stored"][node][doc]
    if held == holds:
        return f"{node} {verb} {about(t)}: no change, it holds {write_of(t, doc, held)}."
    return f"{node} {verb} {about(t)}: it held {write_of(t, doc, held)}, now {write_of(t, doc, holds)}."


def ended(verb: str) -> Callable[[Taken], str]:
    """The sentence of a message with which something happens, by its verb."""
    return lambda t: f"{about(t)[0].upper()}{about(t)[1:]} {verb.format(**t.arguments)}."


def read_begins(t: Taken) -> str:
    """A client begins to read: through which router, and what it must be shown at least."""
    stale = f" through a router that believes {epoch_of(t.arguments['view'])}" if "stale" in t.action else ""
    least = (
        f"{write_of(t, 0, t.after['floor'])} is acknowledged"
        if t.after["floor"]
        else "nothing is acknowledged yet"
    )
    return f"A client reads document 0{stale}; {least}."


def read_answered(t: Taken) -> str:
    """A read is answered or refused."""
    if t.action == "refuse_read":
        return "The read is refused: its epoch is below the fence."
    least = write_of(t, 0, t.before["floor"])
    if t.after["stale_read"] and not t.before["stale_read"]:
        return f"The read is answered with less than {least}, which was acknowledged before it began."
    return f"The read is answered with {least} or newer." if t.before["floor"] else "The read is answered."


def search_begins(t: Taken) -> str:
    """A client begins a search: through which router, and on which nodes."""
    stale = f" through a router that believes {epoch_of(t.arguments['view'])}" if "stale" in t.action else ""
    to = listed([node for node, at in t.after["search"].items() if at])
    return f"A client searches all documents{stale}: it is sent to {to}."


def searched(t: Taken) -> str:
    """A search looks at one document on one node."""
    node, doc = t.arguments["node"], t.arguments["doc"]
    held = write_of(t, doc, t.before["stored"][node][doc])
    found = f"The search looks at document {doc} on {node}, which holds {held}"
    wrong = t.after["wrong_search"] and not t.before["wrong_search"]
    return f"{found}{'; with that its answer is wrong' if wrong else ''}."


# ------------------------------------------------------------------ the coordinator, repairs and faults


def begun(t: Taken) -> str:
    """A migration begins."""
    s = t.after
    return (
        f"A migration from {s['source']} to {target_of(s)} begins: DUAL is recorded, {epoch_of(s['epoch'])}."
    )


def fenced(t: Taken) -> str:
    """A node raises its fence, perhaps by a command that lands late."""
    node, epoch = t.arguments.get("node", t.arguments.get("pair")), t.arguments["epoch"]
    opens = ", and opens to clients" if epoch % 4 == 3 and node == target_of(t.after) else ""
    late = "A late command lands: " if t.action == "late_fence" else ""
    return f"{late}{node} raises its fence to {epoch_of(epoch)}{opens}."


def read_out(t: Taken) -> str:
    """The coordinator reads a document at the source, and sends it as a page or as a repair."""
    doc, what = t.arguments["doc"], "page" if t.action == "read_page" else "repair"
    held, node = t.before["stored"][t.before["source"]][doc], t.before["source"]
    if not held:
        return f"{node} holds nothing of document {doc}, so there is no {what} to send."
    return f"Document {doc} is read at {node} ({write_of(t, doc, held)}) and sent to {target_of(t.before)} as a {what}."


def activated(t: Taken) -> str:
    """The owner changes."""
    return f"{owner_of(t.after)} becomes the owner in one step of the record: {epoch_of(t.after['epoch'])}."


def emptied(t: Taken) -> str:
    """A node deletes what it holds, perhaps by a command that lands late."""
    node = {"wipe": "N", "late_wipe": "N", "late_delete": "O"}.get(t.action) or t.arguments["pair"]
    had = [f"{write_of(t, d, rank)} of document {d}" for d, rank in t.before["stored"][node].items() if rank]
    late = "A late command lands: " if t.action.startswith("late") else ""
    return f"{late}{node} deletes all that it holds: {listed(had) if had else 'nothing'}."


def aborted(t: Taken) -> str:
    """The migration is aborted."""
    return f"The migration is aborted: {owner_of(t.after)} stays the owner, {epoch_of(t.after['epoch'])}."


def crashed(t: Taken) -> str:
    """The coordinator crashes."""
    return f"The coordinator crashes, and another goes on from the record: {t.after['phase']}."


def repair_sent(t: Taken) -> str:
    """An anti-entropy pass finds a difference, and repairs it."""
    a = t.arguments
    low, high = (write_of(t, a["doc"], t.before["stored"][a[n]][a["doc"]]) for n in ("to", "node"))
    sends = write_of(t, a["doc"], t.after["repair"][a["doc"]])
    found = f"A pass finds {low} on {a['to']} and {high} on {a['node']} (document {a['doc']})"
    return f"{found}, and sends {sends} to {a['to']}."


def sealed(t: Taken) -> str:
    """The seal is recorded."""
    return f"The seal is recorded, {epoch_of(t.after['epoch'])}: writers wait, and nothing is written twice any more."


def swept(t: Taken) -> str:
    """A sweep finds an expired document."""
    a = t.arguments
    return f"A sweep finds write 1 of document {a['doc']} expired on {a['node']}, and sends its delete to {a['to']}."


def another(t: Taken) -> str:
    """Somebody begins a second migration, which is refused or not."""
    if t.after["rival"] == t.before["rival"]:
        return "Somebody begins a second migration of the slot, and is refused."
    return f"A second migration begins beside the first, which goes on by its own record: {epoch_of(t.after['epoch'])}."


STEPS: dict[str, str | Callable[[Taken], str]] = {
    "begin": begun, "raise_fence": fenced, "late_fence": fenced, "read_page": read_out, "scan": read_out,
    "start_copy": "Both nodes confirmed their fences: the copy begins.",
    "page_landed": "The coordinator sees that the page of document {doc} was applied.",
    "seal": sealed,
    "start_drain": "The coordinator waits for what the source has accepted.",
    "source_drained": lambda t: f"{t.before['source']} has nothing queued; now {target_of(t.before)} is waited for.",
    "target_drained": lambda t: f"{target_of(t.before)} has nothing queued: the delta pass begins.",
    "repaired": "The coordinator sees that the repair of document {doc} was applied.",
    "prove": lambda t: f"{target_of(t.before)} is read back and holds what was scanned: that is recorded as the proof.",
    "proof_fails": lambda t: f"{target_of(t.before)} lacks something that was scanned: the delta pass starts again.",
    "activate": activated, "rival_activates": activated,
    "start_grace": "Both nodes confirmed their fences: the longest query is waited for.",
    "clean_pass": lambda t: (
        f"An anti-entropy pass that began after {t.before['source']} was fenced found nothing on it that "
        f"{target_of(t.before)} lacks."
    ),
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
    "read": read_begins, "read_by_stale_router": read_begins,
    "answer_read": read_answered, "refuse_read": read_answered,
    "search": search_begins, "search_by_stale_router": search_begins, "step_search": searched,
    "admit_search": "{node} admits the search, which now runs to its end there.",
    "refuse_search": "{node} refuses the search, whose epoch is below the fence: it fails as a whole.",
    "repair": repair_sent, "repair_expired": repair_sent,
    "sweep": swept, "begin_another": another,
    "collect": "{node} forgets its tombstone of document {doc}.",
    "page_times_out": "The coordinator gives up on the page of document {doc}, which is still on its way.",
    "crash": crashed, "cut_off": "{pair} is cut off from everybody.", "heal": "{pair} can be reached again.",
    "restart": "{pair} restarts: what it stores survives, a running search does not.",
    "revert_routing": lambda t: f"An operator points the routers back at {t.after['source']}.",
}  # fmt: skip
