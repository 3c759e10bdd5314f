"""Clients' requests, and the routes by which routers send them.

A route is what a router makes of one state of the record: where a write goes, whose success is an acknowledgement,
and who is read from. A router that knows an older record uses an older route.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import TYPE_CHECKING

from cutproof.impl.copies import Copy
from cutproof.impl.record import Record, Stage, stage_of
from cutproof.impl.routing import quorum
from cutproof.model.cutover.mechanisms import Acknowledge, Mechanisms, ReplicaAck, WritesWhileSealed

if TYPE_CHECKING:
    from cutproof.impl.node import Replica


class Status(Enum):
    """How a client's request stands."""

    HELD = "held"  # not sent yet: the shard is sealed, or another write of the document is under way
    WAITING = "waiting"
    ACKNOWLEDGED = "acknowledged"
    FAILED = "failed"  # the outcome is unknown: a part of it may have been, or may yet be, applied
    REFUSED = "refused"  # nothing of it was or will be applied
    TIMED_OUT = "timed out"  # as FAILED; something is still under way


class Route:
    """Where the writes of one epoch go.

    `sends` are (replica, bit); `enough[mask]` is whether the success of these bits is an acknowledgement, and
    `short[mask]` how many replica groups did not acknowledge. `serving` is read from. With `held`, writers wait."""

    __slots__ = ("enough", "epoch", "held", "sends", "serving", "short", "stage", "written")

    def __init__(self, epoch: int, targets: list[Replica], serving: Replica, held: bool) -> None:
        self.epoch = epoch
        self.stage = stage_of(epoch)
        self.sends = tuple((replica, 1 << i) for i, replica in enumerate(targets))
        self.serving = serving
        self.held = held
        self.written = len(targets)
        self.enough: list[bool] = []
        self.short: list[int] = []

    def judge(self, enough: Callable[[set[str]], bool], short: Callable[[set[str]], int]) -> None:
        """Work out what each set of successes is worth."""
        for mask in range(1 << len(self.sends)):
            names = {f"{replica.group}/{replica.node.name}" for replica, bit in self.sends if mask & bit}
            self.enough.append(enough(names))
            self.short.append(short(names))


def route_of(record: Record, replicas: Mapping[tuple[int, str], Replica], alone: bool = False) -> Route:
    """The route that the record says. `alone`: dual writing has ended for this shard while the epoch is still DUAL."""
    m, stage, moving = record.mechanisms, stage_of(record.epoch), bool(record.target)
    names = [(group, name) for group, members in enumerate(record.members) for name in members]
    target, home = (record.group, record.target), record.members[0]
    dual = (stage is Stage.DUAL and not alone) or (
        stage is Stage.SEALED and m.writes_while_sealed is WritesWhileSealed.BOTH
    )
    if moving and dual and target not in names:
        names.append(target)
    serving = (0, home[0])
    if stage is Stage.DUAL and not m.one_owner_record:
        serving = target
    held = stage is Stage.SEALED and m.writes_while_sealed is WritesWhileSealed.BLOCK
    route = Route(record.epoch, [replicas[n] for n in names], replicas[serving], held)
    route.judge(*_rule(record, m, stage, alone))
    return route


def _rule(
    record: Record, m: Mechanisms, stage: Stage, alone: bool
) -> tuple[Callable[[set[str]], bool], Callable[[set[str]], int]]:
    """What an acknowledgement needs: in the home group its owner, a quorum, and the source of a live migration."""

    def group_has(done: set[str], group: int) -> bool:
        members = record.members[group]
        needed = {f"{group}/{members[0]}"}
        if record.group == group and stage in (Stage.DUAL, Stage.SEALED):
            needed.add(f"{group}/{record.source}")
        return needed <= done and sum(f"{group}/{n}" in done for n in members) >= quorum(len(members))

    def home_has(done: set[str]) -> bool:
        here = group_has(done, 0)
        if stage is not Stage.DUAL or record.group != 0:
            return here
        on_target = f"0/{record.target}" in done
        if m.acknowledge is Acknowledge.ALL:
            here = here and (on_target or alone)
        return here or (on_target and not (m.ack_needs_source and m.one_owner_record))

    others = range(1, len(record.members))

    def enough(done: set[str]) -> bool:
        if m.replica_ack is ReplicaAck.REQUIRED:
            return home_has(done) and all(group_has(done, g) for g in others)
        if m.replica_ack is ReplicaAck.COUNTS:
            return home_has(done) or any(group_has(done, g) for g in others)
        return home_has(done)

    def short(done: set[str]) -> int:
        return sum(not group_has(done, g) for g in range(len(record.members)))

    return enough, short


class Write:
    """A client's write: what it wrote, and what its router knows of it.

    `done` are the bits of the replicas whose success is known, `pending` counts the messages that are under way."""

    __slots__ = ("alone", "copy", "done", "due", "enough", "pending", "refusals", "route", "status")

    def __init__(self, copy: Copy, route: Route) -> None:
        self.copy = copy
        self.route = route
        self.enough = route.enough
        self.alone = False  # dual writing had ended: it went to the source alone
        self.done = 0
        self.pending = 0
        self.refusals = 0
        self.due = False  # an answer can be given
        self.status = Status.WAITING

    @property
    def answered(self) -> bool:
        """The client has its answer."""
        return self.status not in (Status.WAITING, Status.HELD)

    @property
    def acknowledged(self) -> bool:
        """The client was told that it succeeded."""
        return self.status is Status.ACKNOWLEDGED

    @property
    def degraded(self) -> bool:
        """It was acknowledged, and by now some replica group has not (Miroir's degraded write)."""
        return self.acknowledged and self.route.short[self.done] > 0

    def __repr__(self) -> str:
        return f"write {self.copy!r}, {self.status.value}"


class Read:
    """A read of one document by a route; `floor` is what was acknowledged when it was issued."""

    __slots__ = ("answer", "floor", "key", "route", "status")

    def __init__(self, key: str, route: Route, floor: int) -> None:
        self.key = key
        self.route = route
        self.floor = floor
        self.status = Status.WAITING
        self.answer: Copy | None = None

    def __repr__(self) -> str:
        return f"read of {self.key} in epoch {self.route.epoch}, {self.status.value}"


class Search:
    """A search over all documents of a shard. On each node that it was sent to it waits to be admitted, then runs.

    `places` maps a node to -1 while it is under way, then to the number of the page that it looks at next."""

    __slots__ = ("epoch", "floors", "found", "places", "status")

    def __init__(self, epoch: int, nodes: list[Replica], floors: dict[str, int]) -> None:
        self.epoch = epoch
        self.places: dict[Replica, int] = dict.fromkeys(nodes, -1)
        self.floors = floors
        self.found: dict[str, Copy] = {}
        self.status = Status.WAITING

    def __repr__(self) -> str:
        return f"search in epoch {self.epoch}, {self.status.value}, {len(self.found)} found"
