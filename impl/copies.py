"""Copies: what an operation wrote, and what is remembered of each document for the audit.

A client's operation is a put (a whole JSON document) or a delete (a tombstone). It becomes a `Copy`: never
changed once it is made, stored by nodes and carried by messages.

- *version*: (epoch, number, tie-break). The epoch is the record's, the number comes from the shard's sequencer, and
  the tie-break is 1 for the delete of a sweep: it beats the copy that the sweep judged and nothing newer.
- *order*: the place in the order of issue of its document: 2, 4, 6... for the operations of clients, one more than the
  judged copy's for a sweep's delete. Losses are judged by order, never by version: with broken versions "the
  version is not below the highest acknowledged" is true while the write is lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cutproof.impl.documents import digest
from cutproof.impl.routing import key_hash

Version = tuple[int, int, int]
Content = Mapping[str, Any]


class History:
    """What was promised and shown of one document. Orders as above; 0 is nothing."""

    __slots__ = (
        "acked", "collected", "healed", "issued", "key", "operations", "place", "shard", "shown", "waiting",
    )  # fmt: skip

    def __init__(self, key: str, shard: int) -> None:
        self.key = key
        self.shard = shard
        self.place = key_hash(key)  # where the key lies in the key space
        self.waiting = 0  # writes that wait for their answer
        self.issued = 0  # the order of the last operation that was dispatched
        self.acked: Copy | None = None  # the highest operation that a client was told has succeeded
        self.shown: Copy | None = None  # the highest that was ever visible at the owner
        self.collected = 0  # the highest delete whose tombstone a node has collected
        self.healed = False  # what was missing at the owner came back without a newer acknowledgement
        self.operations: list[Copy] = []  # every operation of a client, in order


class Copy:
    """One version of one document; `content` is None for a tombstone. `expires` is in seconds, or None."""

    __slots__ = ("_digest", "content", "expires", "history", "key", "order", "version")

    def __init__(
        self,
        key: str,
        version: Version,
        content: Content | None,
        order: int,
        history: History,
        expires: float | None = None,
    ) -> None:
        self.key = key
        self.version = version
        self.content = content
        self.order = order
        self.history = history
        self.expires = expires
        self._digest = -1

    @property
    def digest(self) -> int:
        """64 bits over id, version and content, computed once: it is asked for by every pass over every replica."""
        if self._digest < 0:
            self._digest = digest(self.key, self.version, self.content)
        return self._digest

    def __repr__(self) -> str:
        epoch, number, tie = self.version
        what = "deleted" if self.content is None else "put"
        return f"{self.key}@{epoch}.{number}{'+' * tie} {what}"


def order_of(copy: Copy | None) -> int:
    """The order of a copy; 0 for nothing."""
    return 0 if copy is None else copy.order


def is_newer(copy: Copy | None, than: Copy | None) -> bool:
    """By version, as nodes see it."""
    if copy is None:
        return False
    return than is None or copy.version > than.version


def is_put(copy: Copy | None) -> bool:
    """A document is there: not nothing, and not a tombstone."""
    return copy is not None and copy.content is not None
