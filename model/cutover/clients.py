"""Clients: writes, reads and searches, each through a router that acts on some view of the record.

A view is any epoch that the record ever had. The current one is the ordinary case; an older one is a stale
router. Per document a client issues its next write when the previous one was answered; an error means
"outcome unknown".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cutproof.model.cutover.delivery import open_to
from cutproof.model.cutover.mechanisms import Acknowledge, ReplicaAck, WritesWhileSealed
from cutproof.model.cutover.slot import (
    N,
    Node,
    O,
    Phase,
    R,
    S,
    Stage,
    Task,
    epochs,
    erases,
    falls_short,
    is_put,
    other,
    rank_of,
    ranks,
    reachable,
    source_in,
    stage,
    was_recorded,
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
    each,
    guard,
    pick,
    put,
    when,
)

# ------------------------------------------------------------------ writes


def targets(s: S, view: int) -> dict[Node, Operand]:
    """Which nodes a write goes to, as its router sees the record (step 1: every write to both while dual)."""
    here, m = source_in(s, view), s.mechanisms
    copied = (s.phase == Phase.COPY) & (s.cursor == s.scope.documents) & (s.epoch == view)
    chosen: dict[Node, Operand] = {R: constant(True)} if s.scope.replica else {}
    for node in (O, N):
        match stage(view):
            case Stage.IDLE:
                chosen[node] = here == node
            case Stage.DUAL:
                chosen[node] = (here == node) | m.dual_until_seal | ~copied
            case Stage.SEALED:
                both = m.writes_while_sealed == WritesWhileSealed.BOTH
                chosen[node] = (here == node) | both
            case Stage.ACTIVE:
                chosen[node] = other(here) == node
    return chosen


def dispatch(s: S, doc: int, rank: int, erases: bool, view: int, slow: bool, *guards: Any) -> Step | None:
    """Draw a version and send the write to its targets. The version's epoch is the record's, not the view's."""
    if erases and rank == 1:
        return None  # there is nothing to delete yet
    net: Family = s.net
    chosen = targets(s, view)
    for node, goes in chosen.items():
        net = put(net, (node, doc, rank), choose(goes, view + 1, net[node][doc][rank]))
    previous = max((r for r in (0, *ranks(s.scope)) if r < rank), default=0)
    drawn = choose(s.mechanisms.sequencer_durable, rank, previous) if slow else constant(rank)
    changes: dict[str, Any] = {
        "issued": put(s.issued, doc, rank),
        "waits": put(s.waits, doc, view + 1),
        "alone": put(s.alone, doc, to_source_alone(view, chosen)),
        "erased": put(s.erased, (doc, rank), erases),
        "version": put(s.version, (doc, rank), drawn),
        "net": net,
    }
    if s.scope.others:
        changes["sequencer"] = changes["drawn"] = s.sequencer + 1
    if s.scope.collect:
        changes["born"] = put(s.born, (doc, rank), s.epoch)
    return when(
        guard("previous write answered", s.waits[doc] == 0),
        guard("next in order", s.issued[doc] == previous),
        guard("nothing under way", _in_order(s, doc, previous)),
        guard("writers are not held", not_held(s, view)),
        guard("the migration has begun", constant(s.scope.before) | (s.phase != Phase.IDLE)),
        *guards,
    ).then(**changes)


def _in_order(s: S, doc: int, previous: int) -> Operand:
    return ~_under_way(s, doc, previous) if s.scope.orderly and previous else constant(True)


def to_source_alone(view: int, chosen: dict[Node, Operand]) -> Operand:
    """Dual writing, yet only the source was sent to: dual writing had ended for this shard."""
    return ~all_of(chosen[O], chosen[N]) if stage(view) is Stage.DUAL else constant(False)


def not_held(s: S, view: int) -> Operand:
    """SEAL: writers wait."""
    if stage(view) is not Stage.SEALED:
        return constant(True)
    return s.mechanisms.writes_while_sealed != WritesWhileSealed.BLOCK


def current(s: S, view: int) -> Operand:
    """A router knows the record. Where the routing was reverted, the epoch says nothing: nobody does."""
    reverted = (s.phase == Phase.ABORTED) if stage(view) is Stage.ACTIVE else constant(False)
    return (s.epoch == view) & (s.mechanisms.roll_forward_only | ~reverted)


@action
def write(s: S, doc: int, rank: int, erases: bool, view: int) -> Step | None:
    """A router that knows the record dispatches a client's write."""
    return dispatch(s, doc, rank, erases, view, False, guard("the view is current", current(s, view)))


@action(fault="stale router")
def write_by_stale_router(s: S, doc: int, rank: int, erases: bool, view: int) -> Step | None:
    """A router that knows an older record dispatches a client's write."""
    recorded = was_recorded(s, view)
    if recorded is None or not s.scope.stale:
        return None
    return dispatch(
        s,
        doc,
        rank,
        erases,
        view,
        False,
        guard("the view is old", s.epoch > view),
        guard("recorded", recorded),
    )


@action(fault="clock skew")
def write_by_slow_clock(s: S, doc: int, rank: int, erases: bool, view: int) -> Step | None:
    """A router whose clock is slow dispatches a client's write; a durable sequencer does not ask the clock."""
    if not s.scope.skew or rank == 1:  # the first write has no version to fall behind
        return None
    return dispatch(s, doc, rank, erases, view, True, guard("the view is current", current(s, view)))


def may_acknowledge(s: S, doc: int, rank: int, view: int) -> Operand:
    """The write of a client succeeded where it must."""
    m = s.mechanisms
    task = {n: s.task[n][doc][rank] for n in s.net.items}
    done = {n: (t == Task.DONE) | (~m.ack_after_applied & (t == Task.QUEUED)) for n, t in task.items()}
    return suffices(s, view, done, s.alone[doc])


def suffices(s: S, view: int, done: Mapping[Node, Operand], alone: Operand) -> Operand:
    """Acknowledged means: the task succeeded on the owner. Policies ask for more, or for less. `done` says where it
    succeeded, `alone` that it went to the source alone."""
    m, here = s.mechanisms, source_in(s, view)
    on_source, on_target = choose(here == O, done[O], done[N]), choose(here == O, done[N], done[O])
    match stage(view):
        case Stage.DUAL:
            both = (on_source & on_target) | (on_source & alone)
            slot = choose(m.acknowledge == Acknowledge.ALL, both, on_source)
            slot = slot | (on_target & (~m.ack_needs_source | ~m.one_owner_record))
        case Stage.ACTIVE:
            slot = on_target
        case _:
            slot = on_source
    if not s.scope.replica:
        return slot
    return choose(
        m.replica_ack == ReplicaAck.REQUIRED,
        slot & done[R],
        slot | ((m.replica_ack == ReplicaAck.COUNTS) & done[R]),
    )


def answered(s: S, doc: int, rank: int) -> dict[str, Any]:
    """The client has its answer and the router forgets the outcomes that it saw."""
    task: Family = s.task
    for node in s.net.items:
        seen = task[node][doc][rank]
        task = put(task, (node, doc, rank), choose(seen == Task.DONE, Task.NONE, seen))
    return {"waits": put(s.waits, doc, 0), "alone": put(s.alone, doc, False), "task": task}


@action
def acknowledge(s: S, doc: int, rank: int, view: int) -> Step:
    """The router sees the task succeed where it must, and the client gets its acknowledgement."""
    return when(
        guard("waits for this write", (s.waits[doc] == view + 1) & (s.issued[doc] == rank)),
        guard("succeeded where it must", may_acknowledge(s, doc, rank, view)),
    ).then(acked=put(s.acked, doc, rank_of(s, doc, rank)), **answered(s, doc, rank))


def _under_way(s: S, doc: int, rank: int) -> Operand:
    return any_of(*((s.net[n][doc][rank] != 0) | (s.task[n][doc][rank] == Task.QUEUED) for n in s.net.items))


@action
def fail(s: S, doc: int, rank: int, view: int) -> Step:
    """Every target has answered, not as it must: the client gets an error."""
    return when(
        guard("waits for this write", (s.waits[doc] == view + 1) & (s.issued[doc] == rank)),
        guard("nothing under way", ~_under_way(s, doc, rank)),
        guard("did not succeed where it must", ~may_acknowledge(s, doc, rank, view)),
    ).then(**answered(s, doc, rank))


@action(fault="late")
def time_out(s: S, doc: int, rank: int) -> Step | None:
    """The client gives up waiting; what is under way may land after anything."""
    if not s.scope.late:
        return None
    return when(
        guard("waits for this write", (s.waits[doc] != 0) & (s.issued[doc] == rank)),
        guard("something under way", _under_way(s, doc, rank)),
    ).then(**answered(s, doc, rank))


# ------------------------------------------------------------------ reads (of document 0)


def serving(s: S, view: int) -> Operand:
    """The node that a router of this view reads from: the owner, and the record says who that is."""
    here = source_in(s, view)
    if stage(view) is Stage.ACTIVE:
        return other(here)
    if stage(view) is Stage.DUAL:
        return choose(s.mechanisms.one_owner_record, here, other(here))
    return here


def _begin_read(s: S, view: int, *guards: Any) -> Step:
    return when(guard("no read under way", s.reading == 0), *guards).then(reading=view + 1, floor=s.acked[0])


@action(choice=True)
def read(s: S, view: int) -> Step | None:
    """A client reads; what was acknowledged by now is the floor of the answer."""
    return _begin_read(s, view, guard("the view is current", current(s, view))) if s.scope.reads else None


@action(fault="stale router")
def read_by_stale_router(s: S, view: int) -> Step | None:
    """A client reads through a router that knows an older record."""
    recorded = was_recorded(s, view)
    if recorded is None or not (s.scope.reads and s.scope.stale):
        return None
    return _begin_read(s, view, guard("the view is old", s.epoch > view), guard("recorded", recorded))


def _admits(s: S, node: Operand, view: int) -> Operand:
    return ~s.mechanisms.fence_epoch | (pick(s.fence, node) <= view)


def answers(s: S, view: int) -> list[Any]:
    """The guards of an answer that are the node's: it would answer a read of this view."""
    node = serving(s, view)
    opened = pick(s.fence, node) >= view if stage(view) is Stage.ACTIVE else constant(True)
    return [
        guard("epoch not below the fence", _admits(s, node, view)),
        guard("open to clients", opened),
        guard("reachable", all_of(*((node != n) | reachable(s, n) for n in (O, N)))),
    ]


@action
def answer_read(s: S, view: int) -> Step | None:
    """The node answers, if the read's epoch is not below its fence and it is open to clients."""
    if not s.scope.reads:
        return None
    stale = falls_short(s, 0, pick(s.stored, serving(s, view))[0], s.floor)
    return when(guard("under way", s.reading == view + 1), *answers(s, view)).then(
        reading=0, floor=0, stale_read=s.stale_read | stale
    )


@action
def refuse_read(s: S, view: int) -> Step | None:
    """The node refuses a read of an epoch below its fence."""
    if not s.scope.reads:
        return None
    return when(
        guard("under way", s.reading == view + 1),
        guard("epoch below the fence", ~_admits(s, serving(s, view), view)),
    ).then(reading=0, floor=0)


# ------------------------------------------------------------------ searches


def _begin_search(s: S, view: int, *guards: Any) -> Step:
    """A search goes to every node; a node answers for the shards that the router's view says it owns."""
    asked = {n: choose(goes, view + 1, s.search[n]) for n, goes in asks(s, view).items()}
    return when(guard("no search under way", all_of(*(at == 0 for at in s.search))), *guards).then(
        search=Family(s.search.index, {n: asked.get(n, constant(0)) for n in s.search.items}),
        search_floor=s.acked,
    )


def asks(s: S, view: int) -> dict[Node, Operand]:
    """Which nodes answer a search of this view: the owner, or where nobody filters, all that may hold the shard."""
    return {n: (serving(s, view) == n) | ~s.mechanisms.search_filters_owned for n in (O, N)}


@action(choice=True)
def search(s: S, view: int) -> Step | None:
    """A client searches all documents."""
    return (
        _begin_search(s, view, guard("the view is current", current(s, view))) if s.scope.searches else None
    )


@action(fault="stale router")
def search_by_stale_router(s: S, view: int) -> Step | None:
    """A client searches through a router that knows an older record."""
    recorded = was_recorded(s, view)
    if recorded is None or not (s.scope.searches and s.scope.stale):
        return None
    return _begin_search(s, view, guard("the view is old", s.epoch > view), guard("recorded", recorded))


def admits(s: S, node: Node, view: int, net: Operand) -> list[Any]:
    """The guards of an admission that are the node's: it would admit a search of this view (`net` is 1 + the view)."""
    return [
        guard("epoch not below the fence", ~s.mechanisms.fence_epoch | (s.fence[node] <= view)),
        guard("open to clients", open_to(s, node, net)),
        guard("reachable", reachable(s, node)),
    ]


@action
def admit_search(s: S, node: Node, view: int) -> Step | None:
    """A node admits a search whose epoch is not below its fence; from now on it runs to its end."""
    if not s.scope.searches or node is R:
        return None
    return when(guard("under way", s.search[node] == view + 1), *admits(s, node, view, s.search[node])).then(
        search=put(s.search, node, len(epochs(s.scope)) + 1)
    )


def ended(s: S) -> dict[str, Any]:
    """No search is under way any more."""
    return {
        "search": each(s.search, 0),
        "search_floor": each(s.search_floor, 0),
        "found": each(s.found, False),
    }


@action
def refuse_search(s: S, node: Node, view: int) -> Step | None:
    """A node refuses a search of an epoch below its fence, and the search fails whole."""
    if not s.scope.searches or node is R:
        return None
    return when(
        guard("under way", s.search[node] == view + 1),
        guard("epoch below the fence", s.mechanisms.fence_epoch & (s.fence[node] > view)),
    ).then(**ended(s))


@action
def step_search(s: S, node: Node, doc: int) -> Step | None:
    """A running search looks at the next document of a node."""
    if not s.scope.searches or node is R:
        return None
    running, stored = len(epochs(s.scope)) + 1, s.stored[node][doc]
    present = is_put(s, doc, stored)
    low = falls_short(s, doc, stored, s.search_floor[doc])
    hole = s.mechanisms.search_filters_owned & ~erases(s, doc, s.search_floor[doc])
    wrong = s.wrong_search | (present & (s.found[doc] | low)) | (~present & low & hole)
    last = doc == s.scope.documents - 1
    after = put(s.search, node, 0 if last else running + doc + 1)
    over = all_of(*(at == 0 for at in after))
    return when(guard("looks at this document", s.search[node] == running + doc)).then(
        wrong_search=wrong,
        search=after,
        found=choose(over, each(s.found, False), put(s.found, doc, s.found[doc] | present)),
        search_floor=choose(over, each(s.search_floor, 0), s.search_floor),
    )


ACTIONS = (
    write, write_by_stale_router, write_by_slow_clock, acknowledge, fail, time_out,
    read, read_by_stale_router, answer_read, refuse_read,
    search, search_by_stale_router, admit_search, refuse_search, step_search,
)  # fmt: skip
