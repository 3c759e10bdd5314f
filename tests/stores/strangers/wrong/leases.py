"""Hand-over of shared storage gone wrong."""

from __future__ import annotations

from strangers.right.leases import Job, Leases, Opened


class ReadsByLease(Leases):
    """Whoever has it in memory answers."""

    bug = "the former owner, which was not reached, answers reads from its memory"
    source = "tikv#8034"
    harm = "stale read"

    def may_read(self, shard: int, opened: Opened) -> bool:
        return True


class UnfencedLedger(Leases):
    """A ledger is open as long as its owner thinks so."""

    bug = "closing fails, the shard stays open there although it is given away, and acknowledges writes"
    source = "pulsar#3574"
    harm = "lost acknowledged write"

    def may_write(self, shard: int, opened: Opened) -> bool:
        return True


class FlushedLate(Leases):
    """Writes are in memory first."""

    bug = "a write is acknowledged in memory and flushed later: the next owner opens what was flushed before"
    source = "orleans#3563, #5687"
    harm = "lost acknowledged write"

    def append_to_log(self, shard: int, opened: Opened, key: str) -> None:
        owner = self.storage[shard].owner
        row = (key, opened.rows.get(key))
        self.network.send(owner, lambda: self.storage[shard].log.append(row), task=True)


class SegmentsDropped(Leases):
    """Everybody clears up behind themselves."""

    bug = "the former owner deletes the segments that it wrote; the next one uses them"
    source = "clickhouse#40188"
    harm = "lost acknowledged write"

    def collect(self, job: Job) -> None:
        self.segments = {name: r for name, r in self.segments.items() if name.startswith(job.target)}
