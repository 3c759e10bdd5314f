"""Forwarding primaries gone wrong."""

from __future__ import annotations

from strangers.kit import Work
from strangers.right.mirror import Copy, Job, Mirror, Row


class MissedButInSync(Mirror):
    """An operation that could not be forwarded is repeated by nobody."""

    bug = "a copy that missed an operation stays in sync, and becomes the primary"
    source = "protocol: ack_after_applied, on all that must have it"
    harm = "lost acknowledged write"

    def missed(self, shard: int, mirror: str) -> None:
        """The copy stays."""


class RecoveryOverForwarded(Mirror):
    """What recovery brings is written."""

    bug = "recovery puts an older document over one that was forwarded meanwhile"
    source = "protocol: copy_checks_version (elasticsearch#25827)"
    harm = "lost update"

    def recovered(self, job: Job, key: str, row: Row) -> None:
        self.copies[job.target][job.shard].rows[key] = row


class BlockedAfterAbort(Mirror):
    """Operations were blocked for the hand-over that was given up."""

    bug = "a hand-over that is given up leaves the primary blocked"
    source = "arangodb#12476"
    harm = "refused for ever"

    def give_up(self, work: Work) -> None:
        blocked = set(self.blocked)
        super().give_up(work)
        self.blocked |= blocked


class TwoPrimaries(Mirror):
    """The former primary learns of it later."""

    bug = "the former primary serves routers that are behind, until it is cleaned up"
    source = "protocol: source_fenced_before_open"
    harm = "a read goes back between two routers; a lost acknowledged write"

    def demote(self, copy: Copy) -> None:
        """It stays what it was."""


class CopiesSearched(Mirror):
    """A search asks every copy."""

    bug = "a search finds what is relocated on both nodes"
    source = "clickhouse#50777 (search_filters_owned)"
    harm = "found twice"

    def is_searched(self, copy: Copy) -> bool:
        return True


class HandOverInMemory(Mirror):
    """The coordinator knows what it has blocked."""

    bug = "a crash in the hand-over leaves operations parked: the next coordinator does not know of them"
    source = "protocol: durable_record"
    harm = "writes pending for ever"

    def on_crash(self, node: str) -> None:
        self.parked.clear()
        super().on_crash(node)
