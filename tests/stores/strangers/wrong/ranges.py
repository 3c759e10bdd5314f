"""Ranges gone wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cutproof.checks.drivers.adapter import ACKNOWLEDGED
from strangers.right.ranges import Job, Ranges, Replica, token


class IntentsLeftBehind(Ranges):
    """What a replica has promised is not part of the range."""

    bug = "intents are not copied: two conditional writes of the same document both find what they expect"
    source = "scylla#5251"
    harm = "lost update: two conditional writes on the same value are acknowledged"

    def packed(self, number: int, replica: Replica) -> Replica:
        return Replica(dict(replica.rows))

    def committed(self, replica: Replica, key: str, number: int, new: str) -> str:
        replica.intents.pop(key, None)
        replica.rows[key] = new
        return ACKNOWLEDGED


class BoundaryLost(Ranges):
    """From there on, or after it?"""

    bug = "a split gives the new range what is above the boundary, and the old one keeps what is below"
    source = "half-open ranges, read in two ways"
    harm = "lost acknowledged write"

    def upper(self, replica: Replica, low: int, high: int) -> Replica:
        return super().upper(replica, low + 1, high)


class MergedButKeptByNumber(Ranges):
    """Documents carry the number of their range."""

    bug = (
        "after a merge the documents of the other range still carry its number, and a move leaves them behind"
    )
    source = "an index that a merge does not rewrite"
    harm = "lost acknowledged write"

    def set_up(self) -> None:
        super().set_up()
        self.merged: list[list[tuple[int, int]]] = []

    def join(self, job: Job) -> None:
        other = self.ranges.get(job.other)
        super().join(job)
        if other:
            self.merged.append(other.spans)

    def packed(self, number: int, replica: Replica) -> Replica:
        kept = super().packed(number, replica)
        spans = [span for spans in self.merged for span in spans]
        kept.rows = {
            k: v for k, v in kept.rows.items() if not any(low <= token(k) < high for low, high in spans)
        }
        return kept


class NotFrozen(Ranges):
    """The copy is a snapshot."""

    bug = "writes go on while a range is copied from a snapshot, and nobody brings them after it"
    source = "protocol: delta_always (mongodb SERVER-77506 by kin)"
    harm = "lost acknowledged write"

    def freeze(self, job: Job, number: int) -> Iterator[Any]:
        yield job.word
