"""Delivery: what a node does with a message, written once for every kind of message.

A node *accepts* a message iff its epoch is not below the fence on arrival; it *applies* an accepted task
iff its version is above the stored one. Superseded and duplicate tasks succeed.
"""

from __future__ import annotations

from typing import Any

from cutproof.model.cutover.slot import (
    SWEPT,
    Node,
    R,
    S,
    Stage,
    Task,
    epochs,
    erases,
    may_be_earlier,
    newer,
    owner,
    rank_of,
    reachable,
    served,
    source,
    stage,
    target,
)
from cutproof.model.language import (
    Family,
    Operand,
    Step,
    action,
    all_of,
    any_of,
    choose,
    constant,
    guard,
    larger,
    pick,
    put,
    when,
)

Message = int | str
HOLDERS = ("page", "stray", "repair")  # messages that keep what they carry in a variable of their name


def carried(s: S, doc: int, message: Message) -> Operand:
    """The rank that a message carries."""
    if isinstance(message, int):
        return rank_of(s, doc, message)
    if message == "sweep":
        return constant(SWEPT)
    return getattr(s, "scanned" if message == "delta" else message)[doc]


def not_fenced(s: S, node: Node, message: Message, net: Operand) -> Operand:
    """The epoch of a message is not below the fence (`net` is 1 + the epoch)."""
    m = s.mechanisms
    obeys = m.fence_epoch
    if message in ("page", "delta", "stray"):
        obeys = m.command_epoch
    if message == "repair":
        obeys = m.repairs_fenced
    return ~obeys | (net > s.fence[node])


def open_to(s: S, node: Node, net: Operand) -> Operand:
    """A client's message of an ACTIVE epoch waits until the node was opened, by its fence at that epoch."""
    if node is R:
        return constant(True)
    closed = [(net == e + 1) & (s.fence[node] < e) for e in epochs(s.scope) if stage(e) is Stage.ACTIVE]
    return ~any_of(*closed)


def settled(s: S, node: Node, doc: int, message: Message, net: Operand, task: Any) -> dict[str, Family]:
    """The message's new `net` and `task`; a message that is gone is forgotten."""
    changes = {"net": put(s.net, (node, doc, message), net), "task": put(s.task, (node, doc, message), task)}
    if may_be_earlier(s.scope, message) and node is not R:
        queued = changes["task"][node][doc][message] == Task.QUEUED
        earlier = s.earlier[doc][message] & ((source(s) != node) | queued)
        changes["earlier"] = put(s.earlier, (doc, message), earlier)
    if message in HOLDERS:
        gone = (net == 0) & (changes["task"][node][doc][message] == Task.NONE)
        held = getattr(s, str(message))
        changes[str(message)] = put(held, doc, choose(gone, 0, held[doc]))
    if message == "stray":
        changes["stray_is_delta"] = put(s.stray_is_delta, doc, s.stray_is_delta[doc] & ~gone)
    return changes


def applied(s: S, node: Node, doc: int, message: Message) -> dict[str, Any]:
    """What applying the message changes on the node."""
    m, rank, stored = s.mechanisms, carried(s, doc, message), s.stored[node][doc]
    fresh = newer(s, doc, rank, stored)
    repair_lands = choose(m.delta_compares_versions, fresh, stored == 0)
    if isinstance(message, int):
        lands = fresh | ~m.apply_checks_version
    elif message == "delta":
        lands = repair_lands
    elif message == "stray":
        lands = choose(s.stray_is_delta[doc], repair_lands, fresh | ~m.copy_checks_version)
    elif message == "sweep":
        lands = fresh | ~m.sweep_tie_break
    elif message == "repair":
        blind = ~m.repair_honours_tombstones & erases(s, doc, stored)
        expiry = (rank == SWEPT) & ~m.expiry_of_winner_only if s.scope.sweep else constant(False)
        lands = fresh | ~m.repair_is_conditional | blind | expiry
    else:
        lands = fresh | ~m.copy_checks_version
    becomes = choose(erases(s, doc, rank) & ~m.tombstones, 0, rank)
    merged = pick(s.partial, source(s))[doc]
    if isinstance(message, int):
        merged = s.partial[node][doc] | (~m.whole_documents & (s.acked[doc] > stored) & (s.acked[doc] < rank))
    changes = {
        "stored": put(s.stored, (node, doc), choose(lands, becomes, stored)),
        "partial": put(s.partial, (node, doc), choose(lands, merged, s.partial[node][doc])),
        **seen(s, node, doc, rank, lands),
    }
    if s.scope.table and isinstance(message, int):
        settles = ~m.per_write_tracking & (target(s) == node)
        changes["missed"] = put(s.missed, doc, choose(settles, 0, s.missed[doc]))
    return changes


def seen(s: S, node: Node, doc: int, rank: Any, lands: Operand) -> dict[str, Any]:
    """What clients may see of it, where the node is the owner."""
    visible = (owner(s) == node) & lands
    comes_back = visible & (served(s, doc, s.stored[node][doc]) < s.acked[doc]) & (rank >= s.acked[doc])
    return {
        "healed": put(s.healed, doc, s.healed[doc] | comes_back),
        "shown": put(s.shown, doc, choose(visible, larger(s.shown[doc], rank), s.shown[doc])),
    }


def outcome(s: S, doc: int, message: Message) -> Any:
    """A task that is over is DONE while its sender waits for it, else nothing."""
    if isinstance(message, int):
        return choose((s.waits[doc] != 0) & (s.issued[doc] == message), Task.DONE, Task.NONE)
    return Task.DONE if message in ("page", "delta") else Task.NONE


def failed(s: S, node: Node, doc: int, message: Message) -> dict[str, Any]:
    """What the sender makes of an error: a page is read again, a failed dual write enters the table."""
    changes: dict[str, Any] = {}
    if message == "page":
        changes["cursor"] = choose(s.mechanisms.failed_page_is_retried, s.cursor, s.scope.documents)
    if s.scope.table and isinstance(message, int):
        changes["missed"] = put(s.missed, doc, choose(target(s) == node, message, s.missed[doc]))
    return changes


def arrives(s: S, node: Node, doc: int, message: Message) -> list[Any]:
    """The guards of an arrival that is accepted."""
    net = s.net[node][doc][message]
    return [guard("under way", net != 0), *takes(s, node, message, net)]


def takes(s: S, node: Node, message: Message, net: Operand) -> list[Any]:
    """The guards of an arrival that are the node's: it would accept such a message, with this `net`."""
    guards = [
        guard("reachable", reachable(s, node)),
        guard("epoch not below the fence", not_fenced(s, node, message, net)),
    ]
    if isinstance(message, int) or message == "sweep":
        guards.append(guard("open to clients", open_to(s, node, net)))
    return guards


def taken(s: S, node: Node, doc: int, message: Message, net: Any) -> dict[str, Any]:
    """What accepting changes: it is queued, or without queues applied at once."""
    if s.scope.queues:
        return settled(s, node, doc, message, net, Task.QUEUED)
    return {**applied(s, node, doc, message), **settled(s, node, doc, message, net, outcome(s, doc, message))}


@action
def accept(s: S, node: Node, doc: int, message: Message) -> Step:
    """A message arrives and is queued (without queues: applied at once)."""
    return when(*arrives(s, node, doc, message)).then(**taken(s, node, doc, message, constant(0)))


@action(fault="duplicated")
def accept_duplicate(s: S, node: Node, doc: int, message: Message) -> Step | None:
    """A client's write arrives, and will arrive again. (A page that lands twice is a page and a stray.)"""
    if not s.scope.duplicates or not isinstance(message, int):
        return None
    return when(*arrives(s, node, doc, message)).then(
        **taken(s, node, doc, message, s.net[node][doc][message])
    )


@action
def refuse(s: S, node: Node, doc: int, message: Message) -> Step:
    """A message of an epoch below the fence is refused."""
    return when(
        guard("under way", s.net[node][doc][message] != 0),
        guard("reachable", reachable(s, node)),
        guard("epoch below the fence", ~not_fenced(s, node, message, s.net[node][doc][message])),
    ).then(
        **failed(s, node, doc, message),
        **settled(s, node, doc, message, constant(0), s.task[node][doc][message]),
    )


@action
def apply(s: S, node: Node, doc: int, message: Message) -> Step | None:
    """A node applies a task that it accepted."""
    if not s.scope.queues:
        return None
    net = s.net[node][doc][message]
    return when(guard("queued", s.task[node][doc][message] == Task.QUEUED)).then(
        **applied(s, node, doc, message), **settled(s, node, doc, message, net, outcome(s, doc, message))
    )


@action(fault="failed task")
def task_fails(s: S, node: Node, doc: int, message: Message) -> Step | None:
    """A task that was accepted fails."""
    if not (s.scope.queues and s.scope.failing_tasks):
        return None
    net = s.net[node][doc][message]
    return when(guard("queued", s.task[node][doc][message] == Task.QUEUED)).then(
        **failed(s, node, doc, message), **settled(s, node, doc, message, net, Task.NONE)
    )


@action(fault="failed delivery")
def delivery_fails(s: S, node: Node, doc: int, message: Message) -> Step | None:
    """A delivery fails, and the sender is told."""
    if not s.scope.failures:
        return None
    return when(guard("under way", s.net[node][doc][message] != 0)).then(
        **failed(s, node, doc, message),
        **settled(s, node, doc, message, constant(0), s.task[node][doc][message]),
    )


@action(fault="lost")
def delivery_is_lost(s: S, node: Node, doc: int, message: Message) -> Step | None:
    """A message is lost, and nobody is told."""
    if not s.scope.losses:
        return None
    return when(guard("under way", s.net[node][doc][message] != 0)).then(
        **settled(s, node, doc, message, constant(0), s.task[node][doc][message])
    )


def queue_is_empty(s: S, node: Node) -> Operand:
    """Everything that the node accepted has been applied or has failed."""
    others = [~s.others_queued[node]] if s.scope.others else []
    return all_of(*(task != Task.QUEUED for by_message in s.task[node] for task in by_message), *others)


ACTIONS = (accept, accept_duplicate, refuse, apply, task_fails, delivery_fails, delivery_is_lost)
