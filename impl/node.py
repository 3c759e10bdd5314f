"""Nodes: what a node holds of each shard, and what it does with a message. Written once for every kind of message.

A node *accepts* a message iff its epoch is not below the shard's fence on arrival, and queues it as a task; it
*applies* an accepted task iff its version is above the stored one. Superseded and duplicate tasks succeed.
Documents, queue and fence are durable; the fence only rises and outlives the documents.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import TYPE_CHECKING

from cutproof.impl.copies import Copy, is_newer, is_put
from cutproof.impl.documents import merge
from cutproof.impl.record import Stage, attempt_of, stage_of
from cutproof.impl.routing import key_hash
from cutproof.model.cutover.mechanisms import Mechanisms

if TYPE_CHECKING:
    from cutproof.impl.clients import Write
    from cutproof.impl.faults import Plan


class Kind(Enum):
    """What a message is. Its origin tag, for change feeds, is `client`, `migration` or `antientropy`."""

    WRITE = "client"
    PAGE = "migration"
    DELTA = "migration, delta pass"
    REPAIR = "antientropy"
    SWEEP = "antientropy, sweep"

    __hash__ = object.__hash__  # as of phases: an enumeration's own is slow


class Message:
    """What is on its way to one node: some copies, and the epoch of its sender.

    First it is under way (`queued` false), then the node has it in its queue. A client's write has one copy
    and its `write`, whose answer of this node is `bit`. `page` numbers a page of the coordinator. `behind` is the fence
    that the node had when it accepted the task."""

    __slots__ = (
        "abandoned",
        "behind",
        "bit",
        "copies",
        "epoch",
        "kind",
        "page",
        "queued",
        "replica",
        "write",
    )

    def __init__(
        self,
        kind: Kind,
        replica: Replica,
        copies: tuple[Copy, ...],
        epoch: int,
        write: Write | None = None,
        bit: int = 0,
        page: int = 0,
    ) -> None:
        self.kind = kind
        self.replica = replica
        self.copies = copies
        self.epoch = epoch
        self.write = write
        self.bit = bit
        self.page = page
        self.queued = False
        self.behind = 0
        self.abandoned = False  # its sender gave up on it, crashed or aborted

    def __repr__(self) -> str:
        what = ", ".join(map(repr, self.copies[:3])) + ("..." if len(self.copies) > 3 else "")
        return f"{self.kind.name.lower()} of {what} to {self.replica.node.name} in epoch {self.epoch}"


class Rules:
    """The switches of the mechanisms that a node looks at for every message, read once."""

    __slots__ = ("acks_applied", "mechanisms", "obeys", "plain")

    def __init__(self, mechanisms: Mechanisms) -> None:
        m = self.mechanisms = mechanisms
        self.acks_applied = m.ack_after_applied
        self.plain = m.apply_checks_version and m.tombstones and m.whole_documents
        self.obeys = {
            Kind.WRITE: m.fence_epoch,
            Kind.SWEEP: m.fence_epoch,
            Kind.PAGE: m.command_epoch,
            Kind.DELTA: m.command_epoch,
            Kind.REPAIR: m.repairs_fenced,
        }


class Replica:
    """What one node holds of one shard in one group."""

    __slots__ = (
        "attempts", "documents", "doubled", "fence", "fields_missing", "group", "node", "owns", "pages", "queue",
        "results", "rules", "shard",
    )  # fmt: skip

    def __init__(self, node: Node, group: int, shard: int, rules: Rules, pages: int) -> None:
        self.node = node
        self.group = group
        self.shard = shard
        self.rules = rules
        self.pages = pages
        self.documents: dict[str, Copy] = {}
        self.fence = 0
        self.queue: dict[Message, None] = {}
        self.doubled: dict[Write, None] = {}  # whose message was duplicated: the same task may come again
        self.attempts: set[int] = set()  # the attempts whose source or target it is
        self.owns = False  # clients read from here, the record says
        self.results: dict[
            tuple[Kind, int], tuple[Copy, ...]
        ] = {}  # pages applied, until the coordinator asks
        self.fields_missing: set[str] = set()  # ghost: documents that lack acknowledged fields

    # -------------------------------------------------- messages

    def is_fenced(self, message: Message) -> bool:
        """The message's epoch is below the fence: it is refused."""
        return message.epoch < self.fence and self.rules.obeys[message.kind]

    def is_open(self, epoch: int) -> bool:
        """A client's request of an ACTIVE epoch waits until the nodes of that attempt have its fence."""
        return (
            self.fence >= epoch
            or stage_of(epoch) is not Stage.ACTIVE
            or attempt_of(epoch) not in self.attempts
        )

    def would_land(self, kind: Kind, copy: Copy, stored: Copy | None) -> bool:
        """Whether applying the copy replaces what is stored."""
        m, fresh = self.rules.mechanisms, is_newer(copy, stored)
        match kind:
            case Kind.WRITE:
                return fresh or not m.apply_checks_version
            case Kind.DELTA:
                return fresh if m.delta_compares_versions else stored is None
            case Kind.SWEEP:
                return fresh or not m.sweep_tie_break
            case Kind.REPAIR:
                blind = not m.repair_honours_tombstones and stored is not None and stored.content is None
                expiry = bool(copy.version[2]) and not m.expiry_of_winner_only
                return fresh or not m.repair_is_conditional or blind or expiry
        return fresh or not m.copy_checks_version

    def becomes(self, copy: Copy, stored: Copy | None) -> Copy | None:
        """What is stored once the copy has landed."""
        m = self.rules.mechanisms
        if copy.content is None:
            return copy if m.tombstones else None
        if m.whole_documents or stored is None or stored.content is None:
            return copy
        merged = merge(stored.content, copy.content)  # a node that gets partial updates merges them itself
        return Copy(copy.key, copy.version, merged, copy.order, copy.history, copy.expires)

    # -------------------------------------------------- commands of the coordinator

    def page(self, number: int) -> tuple[Copy, ...]:
        """A page: the copies whose keys lie in this range of the key space, tombstones too, in key order."""
        pages = self.pages
        found = [c for c in self.documents.values() if c.history.place * pages >> 64 == number]
        return tuple(sorted(found, key=lambda c: c.key))

    def listed(self) -> list[Copy]:
        """The documents that are there, in key order: what a page by offset counts in."""
        return sorted(
            (c for c in self.documents.values() if is_put(c)), key=lambda c: _place(c.key, self.pages)
        )

    def empty(self) -> None:
        """Delete all of the shard."""
        self.documents.clear()
        self.fields_missing.clear()

    def accepted(self, below: int | None = None) -> list[Message]:
        """The queued tasks, or those alone that it accepted before its fence rose to this epoch."""
        return [m for m in self.queue if below is None or m.behind < below]

    def tasks(self, kinds: Iterable[Kind]) -> list[Message]:
        """The queued tasks of these kinds."""
        wanted = set(kinds)
        return [m for m in self.queue if m.kind in wanted]

    def __repr__(self) -> str:
        return f"shard {self.shard} on {self.node.name}: {len(self.documents)} documents, fence {self.fence}"


def page_of(key: str, pages: int) -> int:
    """The range of the key space that a key lies in. Keys are ordered by their hash, so that ranges are even."""
    return key_hash(key) * pages >> 64


def _place(key: str, pages: int) -> tuple[int, str]:
    return page_of(key, pages), key


class Node:
    """One machine: its replicas by (group, shard), and whether it can be reached."""

    __slots__ = ("cut", "name", "plan", "replicas", "task_plan")

    def __init__(self, name: str) -> None:
        self.name = name
        self.cut = False
        self.plan: Plan | None = None  # what goes wrong with deliveries to it
        self.task_plan: Plan | None = None  # ... and with the tasks that it accepted
        self.replicas: dict[tuple[int, int], Replica] = {}

    def __repr__(self) -> str:
        return f"node {self.name}" + (", cut off" if self.cut else "")
