"""The slot: what there is to move, its variables, and how they are read.

A *slot* is one shard in one replica group. Its owner O is to be replaced by N, a node that holds no replica
of the shard; R holds a replica in another group. On the way back N is the source and O the target.

- *rank*: a write's place in the order of issue, per document. With a durable sequencer its version says the
  same. Where a document may expire, rank 2 is the sweep's delete: the version that it judged (rank 1) and a
  tie-break bit, so it lies between rank 1 and the next write.
- *copy*: a node stores for each document the rank that it applied last; 0 is nothing. A rank that erases is a
  tombstone.
- *epoch*: four for each attempt, of the stages IDLE, DUAL, SEALED, ACTIVE in that order, so that an epoch says
  what its owner and targets were. It only rises; "epoch + 1" of the protocol is the next one in use.
- *view*: the epoch of the record that a router last saw: any epoch that was ever recorded.
- *message*: what is on its way to one node about one document. `net` is 0, or 1 + the epoch that it carries;
  `task` says what the node made of it. Messages are the client's writes by rank, "page" (copy), "delta"
  (repair by the delta pass), "repair" (by anti-entropy), "sweep", and "stray": a page or a delta repair
  whose sender has given up, crashed or aborted. Other commands of the coordinator (fence, wipe, delete)
  carry nothing but their epoch; once sent they may land at any later time, so the record's history says
  which are under way.
- *earlier*: the source had accepted the message before its fence rose to the DUAL epoch, and has it in its queue yet.
  Said of tasks only while it matters: until the copy starts.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

from cutproof.model.cutover.scopes import Scope
from cutproof.model.language import (
    Domain,
    Family,
    FamilyDomain,
    Operand,
    all_of,
    any_of,
    boolean,
    choose,
    constant,
    count,
    enumeration,
    family,
    larger,
    pick,
    put,
)
from cutproof.model.language.expressions import UNBOUNDED

S = Any  # a view of the state: variables by name, `s.mechanisms`, `s.scope`


class Node(Enum):
    """The nodes by their parts in the first migration."""

    O = "old owner"  # noqa: E741  the letter that the protocol uses
    N = "new node"
    R = "replica"

    __hash__ = (
        object.__hash__
    )  # members are the only ones of their value, and an enumeration's own hash is slow


class Phase(Enum):
    """Where the migration stands, in the record."""

    IDLE = 0
    DUAL = 1
    COPY = 2
    SEAL = 3
    DRAIN_SOURCE = 4
    DRAIN_TARGET = 5
    DELTA = 6
    ACTIVATE = 7
    GRACE = 8
    CLEANUP = 9
    COMPLETE = 10
    ABORTED = 11


class Task(Enum):
    """What a node has made of a message, as far as the sender doesn't know yet."""

    NONE = "none"  # nothing, or the sender knows the outcome already
    QUEUED = "queued"  # accepted, not applied
    DONE = "done"  # succeeded: applied, superseded or duplicate


class Stage(Enum):
    """What an epoch says: who owns, and who is written to."""

    IDLE = 0
    DUAL = 1
    SEALED = 2
    ACTIVE = 3


O, N, R = Node.O, Node.N, Node.R  # noqa: E741
MOVING = (Phase.DUAL, Phase.COPY, Phase.SEAL, Phase.DRAIN_SOURCE, Phase.DRAIN_TARGET, Phase.DELTA)
MOVED = (Phase.ACTIVATE, Phase.GRACE, Phase.CLEANUP, Phase.COMPLETE)
SEALED = (Phase.SEAL, Phase.DRAIN_SOURCE, Phase.DRAIN_TARGET, Phase.DELTA)
SWEPT = 2  # the rank of the sweep's delete, where there is one


def stage(epoch: int) -> Stage:
    """The stage of an epoch."""
    return Stage(epoch % 4)


def ranks(scope: Scope) -> tuple[int, ...]:
    """The ranks of the client's writes."""
    return tuple(r + (scope.sweep and r >= SWEPT) for r in range(1, scope.writes + 1))


def epochs(scope: Scope) -> range:
    """Every epoch that the record can have; the last one is the abort of the last attempt, where it may abort."""
    return range(4 * scope.attempts + (scope.aborts == scope.attempts))


def indices(scope: Scope) -> dict[str, tuple[Any, ...]]:
    """What the families are indexed by, and what the arguments of actions range over."""
    nodes = (O, N, R) if scope.replica else (O, N)
    carried = (
        ["page", "delta"] + ["stray"] * scope.strays + ["repair"] * scope.repairs + ["sweep"] * scope.sweep
    )
    return {
        "doc": tuple(range(scope.documents)),
        "node": nodes,
        "to": nodes,
        "pair": (O, N),
        "rank": ranks(scope),
        "message": (*ranks(scope), *carried),
        "epoch": tuple(epochs(scope)),
        "view": tuple(epochs(scope)),
        "erases": (False, True) if scope.deletes else (False,),
    }


def variables(scope: Scope) -> dict[str, Domain | FamilyDomain]:
    """Every variable, within a scope; one value each where its dimension is off."""
    top, last = max(*ranks(scope), SWEPT if scope.sweep else 0), epochs(scope)[-1]
    issued = count(0, top)
    if scope.others:
        top = UNBOUNDED
    rank, seen = count(0, top), last + 1  # a view that is `seen` is kept as 1 + its epoch, 0 is none

    def possible(node: Node, message: object) -> bool:
        """Pages and delta repairs go to the target; R gets the rest too."""
        return message not in ("page", "delta", "stray") or node is N or (node is O and scope.back)

    return {
        # the record
        "phase": enumeration(Phase),
        "epoch": count(0, last),
        "source": Domain(Node, 0, int(scope.back)),
        "cursor": count(0, scope.documents),  # documents copied, or repaired by the delta
        "proof": boolean(),
        "clean": boolean(),  # an anti-entropy pass that read the source ended clean after ACTIVATE
        # the nodes
        "stored": family("node", "doc", of=rank),
        "fence": family(
            "node", of=lambda node: count(0, last, varies=node is not R or fences_replicas(scope))
        ),
        # messages
        "net": family("node", "doc", "message", of=lambda n, d, m: count(0, seen, varies=possible(n, m))),
        "task": family("node", "doc", "message", of=lambda n, d, m: enumeration(Task, varies=possible(n, m))),
        "earlier": family("doc", "message", of=lambda d, m: boolean(varies=may_be_earlier(scope, m))),
        "page": family("doc", of=rank),  # what the page holds
        "scanned": family(
            "doc", of=rank
        ),  # what the delta pass read at the source: its repair, and the proof
        "stray": family("doc", of=count(0, top, varies=scope.strays)),
        "stray_is_delta": family("doc", of=boolean(varies=scope.strays)),  # a repair of the delta, not a page
        "repair": family("doc", of=count(0, top, varies=scope.repairs)),
        # the clients
        "issued": family("doc", of=issued),
        "waits": family(
            "doc", of=count(0, seen)
        ),  # 0, or 1 + the view of the write that waits for its answer
        "alone": family("doc", of=boolean()),  # dual writing had ended: the write went to the source alone
        "erased": family("doc", "rank", of=lambda d, r: boolean(varies=scope.deletes and r > 1)),  # deletes
        "version": family("doc", "rank", of=lambda d, r: Domain(int, r - (scope.skew and r > 1), r)),
        "born": family("doc", "rank", of=count(0, last, varies=scope.collect)),  # the version's epoch
        "reading": count(0, seen, varies=scope.reads),  # 0, or 1 + the view of the read that is under way
        "floor": count(0, top, varies=scope.reads),
        "search": family("node", of=count(0, seen + scope.documents, varies=scope.searches)),
        "search_floor": family("doc", of=count(0, top, varies=scope.searches)),
        "found": family("doc", of=boolean(varies=scope.searches)),
        # ghosts: what a client was promised or shown
        "acked": family("doc", of=rank),
        "shown": family("doc", of=rank),
        "healed": family("doc", of=boolean()),  # what was missing came back, without a newer acknowledgement
        "stale_read": boolean(varies=scope.reads),
        "wrong_search": boolean(varies=scope.searches),
        "partial": family("node", "doc", of=boolean()),  # the copy lacks fields that were acknowledged
        # faults that last, and what exists only without a safeguard
        "cut": family("pair", of=boolean(varies=scope.partitions)),
        "rival": boolean(varies=scope.overlap),  # an earlier migration goes on under a record of its own
        "switched_off": boolean(varies=scope.policy_change),
        "changed": boolean(varies=policy_may_differ(scope)),  # the next begins without anti-entropy
        "missed": family("doc", of=count(0, top, varies=scope.table)),  # table: applied on O, failed on N
        "blocked": boolean(varies=scope.table),  # table: an entry of another migration that never settles
        **(environment_variables() if scope.others else {}),
    }


def environment_variables() -> dict[str, Domain | FamilyDomain]:
    """What there is only where one write is tracked, and all others are an environment."""
    return {
        "sequencer": count(0, UNBOUNDED),  # the last version that was drawn
        "drawn": count(0, UNBOUNDED),  # the tracked write's
        "other": count(0, UNBOUNDED),  # which version the next step of the environment is about
        "others_queued": family("node", of=boolean()),
        "others_earlier": boolean(),
    }


def initial(scope: Scope) -> dict[str, Any]:
    """Every variable starts at its first value, but each rank is its own version until a clock says otherwise."""
    sets = indices(scope)
    return {"version": Family("doc", {d: Family("rank", {r: r for r in sets["rank"]}) for d in sets["doc"]})}


# ------------------------------------------------------------------ reading the state


def in_phase(s: S, *phases: Phase) -> Operand:
    """The record is in one of these phases."""
    return any_of(*(s.phase == p for p in phases))


def source(s: S) -> Operand:
    """The node that the migration moves from."""
    return s.source


def target(s: S) -> Operand:
    """The node that the migration moves to."""
    return choose(s.source == O, N, O)


def owner(s: S) -> Operand:
    """Who owns the slot: the record says."""
    return choose(in_phase(s, *MOVED), target(s), source(s))


def source_in(s: S, view: int) -> Operand:
    """The source of the migration that a view saw. Attempt 0 is from O; with a way back, attempt 1 may be from N."""
    return s.source if s.scope.back and view >= 4 else constant(O)


def rank_of(s: S, doc: int, rank: int) -> Operand:
    """The place of a client's write in the order of issue: its number, or where others write too, its version."""
    return s.drawn if s.scope.others else constant(rank)


def last_issued(s: S, doc: int) -> Operand:
    """The rank of the last write that was issued and is told apart."""
    return s.drawn if s.scope.others else s.issued[doc]


def other(node: Operand) -> Operand:
    """The other one of O and N."""
    return choose(node == O, N, O)


def was_recorded(s: S, view: int) -> Operand | None:
    """Whether the record ever had this epoch; None where it never can."""
    attempt = view // 4
    if stage(view) is Stage.IDLE and attempt > s.scope.aborts:
        return None  # reached only by aborting
    now = (s.epoch >= view) & (s.epoch < 4 * (attempt + 1))
    if view == Stage.ACTIVE.value and s.scope.back and s.scope.overlap:
        # Where a second migration overlapped, attempt 0 was never activated; its source is still O then.
        return (s.epoch >= view) & ((s.epoch < 4) | (s.source == N))
    if stage(view) in (Stage.IDLE, Stage.DUAL) or s.scope.back:
        return s.epoch >= view
    return now  # an aborted attempt may never have been sealed; its later views are left out


def reachable(s: S, node: Node) -> Operand:
    """The node is not cut off."""
    return ~s.cut[node] if node is not R else constant(True)


def erases(s: S, doc: int, rank: Operand) -> Operand:
    """Whether the operation of this rank deletes the document."""
    deletes = [(rank == r) & s.erased[doc][r] for r in ranks(s.scope)]
    return any_of(*deletes, rank == SWEPT) if s.scope.sweep else any_of(*deletes)


def version(s: S, doc: int, rank: Operand) -> Operand:
    """The version that an operation was given; 0 for nothing. Without skew it is the rank."""
    if not s.scope.skew:
        return rank
    result: Operand = rank
    for r in ranks(s.scope):
        result = choose(rank == r, s.version[doc][r], result)
    return result


def newer(s: S, doc: int, rank: Operand, stored: Operand) -> Operand:
    """The version of the rank is above that of the stored one."""
    return version(s, doc, rank) > version(s, doc, stored)


def is_put(s: S, doc: int, stored: Operand) -> Operand:
    """A document is there: not nothing, and not a tombstone."""
    return (stored != 0) & ~erases(s, doc, stored)


def served(s: S, doc: int, stored: Operand) -> Operand:
    """The rank that a client is served: nothing counts as the delete that was last shown, if one was, and a
    tombstone as what it deleted if that is newer."""
    nothing = ~is_put(s, doc, stored)
    return choose(nothing & erases(s, doc, s.shown[doc]), larger(s.shown[doc], stored), stored)


def may_have_collected(s: S, doc: int, rank: Operand, stored: Operand) -> Operand:
    """A copy serves nothing, and a delete newer than this rank was issued: its tombstone may have been collected there.
    That delete need not be what the owner showed last: that may be newer still, or a replica had the delete alone."""
    if not s.scope.collect:
        return constant(False)
    newer = [(rank < r) & (s.issued[doc] >= r) & s.erased[doc][r] for r in ranks(s.scope)]
    swept = [rank == 1] if s.scope.sweep else []
    return ~is_put(s, doc, stored) & any_of(*newer, *swept)


def falls_short(s: S, doc: int, stored: Operand, rank: Operand) -> Operand:
    """A client is served less than this rank, and no delete explains it."""
    return (served(s, doc, stored) < rank) & ~may_have_collected(s, doc, rank, stored)


def may_be_earlier(scope: Scope, message: object) -> bool:
    """The source may have such a message in its queue when its fence rises; the copy then waits for it."""
    return scope.queues and message not in ("page", "delta")


def policy_may_differ(scope: Scope) -> bool:
    """A second migration may begin under another policy."""
    return scope.policy_change and scope.back


def fences_replicas(scope: Scope) -> bool:
    """The coordinator fences other replicas too: where tombstones are collected, and before a migration that may begin
    under another policy."""
    return scope.collect or policy_may_differ(scope)


def has_delta(s: S) -> Operand:
    """The record's policy has a delta pass. One without anti-entropy, set between two migrations, has: else the gate
    would refuse it."""
    changed = s.switched_off if policy_may_differ(s.scope) else constant(False)
    return s.mechanisms.delta | changed


def at_owner(s: S, doc: int) -> Operand:
    """The rank that the owner serves."""
    return served(s, doc, pick(s.stored, owner(s))[doc])


def now_shown(s: S) -> Any:
    """What has been visible once the target owns the slot."""
    shown = s.shown
    for doc in range(s.scope.documents):
        shown = put(shown, doc, larger(s.shown[doc], served(s, doc, pick(s.stored, target(s))[doc])))
    return shown


def idle(s: S, doc: int, message: str) -> Operand:
    """No such message is under way, and no node works on one."""
    return all_of(
        *((s.net[n][doc][message] == 0) & (s.task[n][doc][message] != Task.QUEUED) for n in s.net.items)
    )
