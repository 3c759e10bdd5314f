"""The seed's table of writes in flight: what a delta pass trusts that does not always run.

The hardened protocol keeps no such table. It exists so that a system that does can be measured.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cutproof.impl.node import Kind, Message
from cutproof.model.cutover.mechanisms import Mechanisms

if TYPE_CHECKING:
    from cutproof.impl.shard import Shard


class Table:
    """Writes that failed on the target, by shard and document. In memory: a crash forgets it."""

    __slots__ = ("blocked", "mechanisms", "missed")

    def __init__(self, mechanisms: Mechanisms) -> None:
        self.mechanisms = mechanisms
        self.missed: dict[tuple[int, str], int] = {}  # the order of the write that failed
        self.blocked = False  # an entry of another migration that never settles

    def failed(self, shard: Shard, message: Message) -> None:
        """A write was refused or failed."""
        if message.replica.node.name == shard.record.target:
            copy = message.copies[0]
            self.missed[shard.number, copy.key] = copy.order

    def applied(self, shard: Shard, message: Message) -> None:
        """A write was applied. Tracked by document id, it settles whatever is known of that document."""
        if message.replica.node.name == shard.record.target and not self.mechanisms.per_write_tracking:
            self.missed.pop((shard.number, message.copies[0].key), None)

    def shows(self, shard: Shard) -> bool:
        """Whether a write of this shard succeeded on the source alone, as far as the table knows."""
        return any(number == shard.number for number, _ in self.missed)

    def is_settled(self, shard: Shard) -> bool:
        """No write to the target is still under way, and no entry of another migration is open."""
        target = shard.record.target
        pending = any(
            m.kind is Kind.WRITE and not m.queued and m.replica.shard == shard.number
            and m.replica.node.name == target
            for m in shard.network.under_way()
        )  # fmt: skip
        return not (self.blocked or pending)

    def another_ends(self) -> None:
        """A migration of another shard ends, and erases the table that all share."""
        self.missed.clear()
