"""How the cutover is drawn: who takes part, who says what to whom, and what is shown of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cutproof.model.cutover.words.losses import loss_of
from cutproof.model.cutover.words.nouns import epoch_of, message_of, owner_of, target_of, write_of
from cutproof.model.language.picture import Arrow, Message, Now, Picture
from cutproof.model.language.words import Changed, Taken

CLIENT, ROUTER, COORDINATOR, REPAIRS, OPERATOR = "client", "router", "coordinator", "anti-entropy", "operator"


# ------------------------------------------------------------------ what is shown of each


def _named(now: Now) -> Taken:
    """Something by which writes are named in this state."""
    return Taken(now.protocol, "", {}, now.state, now.state)


def _by_document(now: Now, texts: Mapping[int, str]) -> str:
    told = {doc: text for doc, text in texts.items() if text}
    if len(texts) == 1:
        return next(iter(told.values()), "")
    return ", ".join(f"document {doc}: {text}" for doc, text in told.items())


def _client(now: Now) -> dict[str, str]:
    t, s = _named(now), now.state
    told = {d: f"{write_of(t, d, rank)} saved" if rank else "" for d, rank in s["acked"].items()}
    waits = {d: "its write" if view else "" for d, view in s["waits"].items()}
    return {"was told": _by_document(now, told), "waits for": _by_document(now, waits)}


def _node(now: Now) -> dict[str, str]:
    t, s, node = _named(now), now.state, now.where["node"]
    queued = [
        message_of(t, d, m, s)
        for d, tasks in s["task"][node].items()
        for m, task in tasks.items()
        if task == "QUEUED"
    ]
    cut = node in s["cut"] and s["cut"][node]
    return {
        "holds": _by_document(now, {d: write_of(t, d, rank) for d, rank in s["stored"][node].items()}),
        "fence": epoch_of(s["fence"][node]),
        "queued": ", ".join(queued),
        "part": "owner" if node == owner_of(s) else "",
        "reachable": "no" if cut else "",
    }


def _coordinator(now: Now) -> dict[str, str]:
    s = now.state
    return {"record": f"{s['phase']}, {epoch_of(s['epoch'])}", "proof": "yes" if s["proof"] else ""}


# ------------------------------------------------------------------ what is said


def _of(t: Taken, what: str) -> str:
    """With the document, where there are several."""
    return f"{what}, document {t.arguments['doc']}" if len(t.before["acked"]) > 1 else what


def _a_write(t: Taken) -> str:
    return _of(t, write_of(t, t.arguments["doc"], t.arguments["rank"]))


def _held(t: Taken) -> str:
    doc = t.arguments["doc"]
    return _of(t, f"holds {write_of(t, doc, t.before['stored'][t.before['source']][doc])}")


def _source(t: Taken) -> str:
    return str(t.before["source"])


def _target(t: Taken) -> str:
    return target_of(t.before)


def _fence(t: Taken) -> str:
    return f"fence: {epoch_of(t.arguments['epoch']).removeprefix('epoch ')}"


def _sender(c: Changed) -> str:
    message = c.where["message"]
    if message in ("repair", "sweep"):
        return REPAIRS
    return ROUTER if isinstance(message, int) else COORDINATOR


def _under_way(c: Changed) -> str:
    state = c.step.after if c.new else c.step.before
    return message_of(c.step, c.where["doc"], c.where["message"], state)


def _is_late(t: Taken, where: Mapping[str, Any]) -> bool:
    """Whether a step leaves nobody who waits for such a message."""
    doc, message = t.arguments.get("doc", where["doc"]), where["message"]
    if t.action == "time_out":
        return doc == where["doc"] and message == t.arguments["rank"]
    ours = message in ("page", "delta", "stray") and doc == where["doc"]
    return ours and t.action in ("page_times_out", "crash", "abort")


_WRITE = Arrow(CLIENT, ROUTER, _a_write)
_READ_OUT = Arrow(_source, COORDINATOR, _held)
ARROWS = {
    "write": _WRITE, "write_by_stale_router": _WRITE, "write_by_slow_clock": _WRITE,
    "acknowledge": Arrow(ROUTER, CLIENT, lambda t: f"{_a_write(t)}: saved"),
    "fail": Arrow(ROUTER, CLIENT, lambda t: f"{_a_write(t)}: failed"),
    "read": Arrow(CLIENT, ROUTER, "read document 0"), "read_by_stale_router": Arrow(CLIENT, ROUTER, "read document 0"),
    "answer_read": Arrow(ROUTER, CLIENT, "what was read"), "refuse_read": Arrow(ROUTER, CLIENT, "refused", "refused"),
    "search": Arrow(CLIENT, ROUTER, "search"), "search_by_stale_router": Arrow(CLIENT, ROUTER, "search"),
    "admit_search": Arrow(ROUTER, "{node}", "search"),
    "refuse_search": Arrow(ROUTER, "{node}", "search", "refused"),
    "raise_fence": Arrow(COORDINATOR, "{node}", _fence),
    "late_fence": Arrow(COORDINATOR, "{pair}", _fence, "late"),
    "read_page": _READ_OUT, "scan": _READ_OUT,
    "page_landed": Arrow(_target, COORDINATOR, "page applied"),
    "repaired": Arrow(_target, COORDINATOR, "repair applied"),
    "source_drained": Arrow(_source, COORDINATOR, "nothing queued"),
    "target_drained": Arrow(_target, COORDINATOR, "nothing queued"),
    "prove": Arrow(_target, COORDINATOR, "read back: the same"),
    "proof_fails": Arrow(_target, COORDINATOR, "read back: it lacks something"),
    "delete_source": Arrow(COORDINATOR, "{pair}", "delete all"),
    "wipe": Arrow(COORDINATOR, "N", "delete all"), "late_wipe": Arrow(COORDINATOR, "N", "delete all", "late"),
    "late_delete": Arrow(COORDINATOR, "O", "delete all", "late"),
    "complete": Arrow(_source, COORDINATOR, "empty"),
}  # fmt: skip

_OPERATORS = (
    "begin_another", "change_policy", "revert_routing", "other_migration_ends", "other_migration_hangs",
)  # fmt: skip
_COORDINATORS = (
    "begin", "raise_fence", "late_fence", "start_copy", "read_page", "page_landed", "seal", "start_drain",
    "source_drained", "target_drained", "scan", "repaired", "prove", "proof_fails", "activate", "start_grace",
    "start_cleanup", "delete_source", "complete", "abort", "wipe", "late_wipe", "late_delete", "crash",
    "page_times_out", "rival_activates",
)  # fmt: skip
_CLIENTS = ("write", "write_by_stale_router", "write_by_slow_clock", "read", "read_by_stale_router", "search",
            "search_by_stale_router", "acknowledge", "fail", "time_out", "answer_read", "refuse_read")  # fmt: skip
AT = {
    **dict.fromkeys(_COORDINATORS, COORDINATOR),
    **dict.fromkeys(_OPERATORS, OPERATOR),
    **dict.fromkeys(_CLIENTS, CLIENT),
    **dict.fromkeys(("repair", "repair_expired", "sweep", "clean_pass"), REPAIRS),
    **dict.fromkeys(("cut_off", "heal", "restart"), "{pair}"),
}

PICTURE = Picture(
    lanes={
        CLIENT: _client,
        ROUTER: (),
        "{node}": _node,
        COORDINATOR: _coordinator,
        REPAIRS: (),
        OPERATOR: (),
    },
    titles={
        CLIENT: "who reads and writes",
        ROUTER: "sends to whom the record names",
        "O": "old node",
        "N": "new node",
        "R": "replica",
        COORDINATOR: "moves the shard",
        REPAIRS: "compares nodes, and repairs",
        OPERATOR: "a person, or another migration",
    },
    at=AT,
    arrows=ARROWS,
    messages={
        "net": Message(
            _sender, "{node}", _under_way, lost=("delivery_is_lost",), failed=("delivery_fails",),
            refused=("refuse",), copied=("accept_duplicate",), late=_is_late,
        )
    },
    loss=loss_of,
)  # fmt: skip
