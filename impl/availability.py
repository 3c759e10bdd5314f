"""Availability: what clients would ask in vain, although nothing is going on that could change it.

Looked at, not tried: the rules of routers, nodes and operators are asked what they would do, and nothing is sent, so
that looking disturbs nothing and may be done at any time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cutproof.impl import anti_entropy, mover
from cutproof.impl.clients import Read, Write
from cutproof.impl.miroir import InvalidTransition, NotRepaired
from cutproof.impl.node import Kind, Message
from cutproof.impl.shard import Shard


@dataclass(frozen=True, slots=True)
class Unserved:
    """What is asked of a shard in vain: "write", "read", "search" by a client whose router knows the record, "answer"
    of one that waits already, or "begin" of the next migration; and why."""

    shard: int
    asked: str
    why: str

    def __str__(self) -> str:
        return f"{self.asked} of shard {self.shard}: {self.why}"


def unserved(shard: Shard, now: float = 0.0) -> Iterator[Unserved]:
    """What is asked in vain, and stays so: nothing where a node is cut off (heal it first), or something goes on.
    `now` is in seconds, for what expires."""
    found = list(_refused(shard))
    if found and not any(r.node.cut for r in shard.replicas.values()) and not goes_on(shard, now):
        yield from found


def goes_on(shard: Shard, now: float) -> bool:
    """Something is under way, or the coordinator or anti-entropy has something to do that it can do."""
    network = shard.network
    for item in network.pool:
        if (item.copy.history.shard if isinstance(item, Write) else item.replica.shard) == shard.number:
            return True
    driven = mover.is_busy(shard) or mover.owes_fences(shard)
    if driven and any(mover.can_perform(shard, command) for command in mover.wants(shard)):
        return True
    return anti_entropy.may_end_clean(shard) or any(anti_entropy.find(shard, now))


def _refused(shard: Shard) -> Iterator[Unserved]:
    route, number = shard.route, shard.number
    waiting = len(shard.waiting) + len(shard.held) + len(shard.reads) + len(shard.searches)
    if waiting:
        yield Unserved(
            number, "answer", f"{waiting} client{'s wait' if waiting > 1 else ' waits'} for an answer"
        )
    if route.held:
        yield Unserved(number, "write", "writers are held")
    elif not route.enough[_would_accept(shard)]:
        yield Unserved(number, "write", "too few nodes would accept it")
    if not shard.can_answer(Read("", route, 0)):
        yield Unserved(number, "read", f"{route.serving.node.name} would not answer")
    for replica in shard.searched(route):
        if not shard.would_admit(replica, route.epoch):
            yield Unserved(number, "search", f"{replica.node.name} would not admit it")
    try:
        mover.check_begin(shard, "")
    except InvalidTransition:
        why = "the aborted one was not wiped" if shard.record.owes_wipe else "one lives"
        yield Unserved(number, "begin", why)
    except NotRepaired:
        yield Unserved(number, "begin", "something is left to repair")


def _would_accept(shard: Shard) -> int:
    """The bits of the nodes that would accept a write by the current route."""
    mask, epoch = 0, shard.route.epoch
    for replica, bit in shard.route.sends:
        message = Message(Kind.WRITE, replica, (), epoch)
        if shard.network.can_arrive(message) and not replica.is_fenced(message):
            mask |= bit
    return mask
