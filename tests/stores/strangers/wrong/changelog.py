"""Snapshot and log gone wrong."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any

from strangers.kit import Message, Work
from strangers.right.changelog import Change, ChangeLog, Job, Row


class PagesByOffset(ChangeLog):
    """The cursor is a number."""

    bug = "a delete of a copied document shifts the pages, and the next document is never copied"
    source = "protocol: keyset_paging"
    harm = "lost acknowledged write"

    def next_key(self, job: Job) -> str | None:
        keys, offset = self.keys(job), job.more.get("offset", 0)
        return keys[offset] if offset < len(keys) else None

    def copied(self, job: Job, key: str) -> None:
        job.more["offset"] = job.more.get("offset", 0) + 1


class MomentBeforeCapture(ChangeLog):
    """First the snapshot is taken, then the log is registered."""

    bug = "a change between the snapshot's moment and the registration of the log is in neither"
    source = "dragonfly#3218"
    harm = "lost acknowledged write"

    def steps(self, job: Job) -> Iterator[Any]:
        if "snapshot" not in job.more:
            rows = self.nodes[job.source].rows
            job.more["snapshot"] = {k: r for k, r in rows.items() if self.shard_of(k) in job.shards}
        return super().steps(job)

    def keys(self, job: Job) -> list[str]:
        return sorted(job.more["snapshot"])

    def row(self, job: Job, key: str) -> Row:
        return job.more["snapshot"][key]


class ReplayedByKey(ChangeLog):
    """The log is tidied by the row's key."""

    bug = "after a change was replayed, a later change of the same document is taken out of the log too"
    source = "pg-osc#58"
    harm = "lost update"

    def replayed(self, job: Job, change: Change) -> None:
        job.log[:] = [c for c in job.log if c.key != change.key]


class RowsOverChanges(ChangeLog):
    """Pages replace what is there."""

    bug = "a page that comes late replaces what the log has already brought"
    source = "debezium-server-iceberg#544 (copy_checks_version)"
    harm = "lost update"

    def land(self, job: Job, key: str, row: Row) -> None:
        self.nodes[job.target].rows[key] = row


class FilterInAnotherOrder(ChangeLog):
    """Changes of rows that the copy will still come to are passed over."""

    bug = "the copy goes by hash, the filter compares keys: changes of copied rows are passed over"
    source = "vitess#6622"
    harm = "lost update"

    def keys(self, job: Job) -> list[str]:
        return sorted(super().keys(job), key=self.hash)

    @staticmethod
    def hash(key: str) -> int:
        """The order of the copy."""
        return zlib.crc32(key.encode())

    def next_key(self, job: Job) -> str | None:
        begun = self.hash(job.cursor) if job.cursor else -1
        return next((k for k in self.keys(job) if self.hash(k) > begun), None)

    def captured(self, job: Job, key: str) -> bool:
        return job.phase != "copy" or key <= job.cursor


class EndlessBackfill(ChangeLog):
    """The copy goes on until nothing has changed since."""

    bug = "rows that change meanwhile are copied again: while clients write, the copy never ends"
    source = "pgroll#583"
    harm = "never ends"

    def next_key(self, job: Job) -> str | None:
        have = job.more.setdefault("numbers", {})
        return next((k for k in self.keys(job) if self.row(job, k).number > have.get(k, 0)), None)

    def copied(self, job: Job, key: str) -> None:
        job.more["numbers"][key] = self.nodes[job.target].rows[key].number


class CursorSurvivesAbort(ChangeLog):
    """The next attempt goes on where the last one was given up."""

    bug = "after an abort the next attempt passes over what was copied then, though it has changed since"
    source = "cassandra#5003 (qdrant#7787)"
    harm = "lost update"

    kept: tuple[str, str] = ("", "")  # the target, and how far the copy had come

    def give_up(self, work: Work) -> None:
        self.kept = (work.job.target, work.job.cursor)
        super().give_up(work)

    def begin(self, job: Job) -> None:
        if self.kept[0] == job.target:
            job.cursor, self.kept = self.kept[1], ("", "")
        super().begin(job)

    def drop(self, name: str, job: Job) -> None:
        if name == job.source:
            super().drop(name, job)


class FailedPageSkipped(ChangeLog):
    """An answer is an answer."""

    bug = "a page that failed counts as done, and the cursor goes on"
    source = "cadence#6143"
    harm = "lost acknowledged write"

    def page_failed(self, page: Message) -> Message:
        page.state = "done"
        return page


class NoLock(ChangeLog):
    """The log was empty a moment ago."""

    bug = "writes between the last look at the log and the switch stay on the source"
    source = "gh-ost#653 (seal_blocks_writes)"
    harm = "lost acknowledged write"

    def lock(self, job: Job) -> Iterator[Any]:
        return iter(())


class StatementsReplayed(ChangeLog):
    """The log holds what was done, not what came of it."""

    bug = "an increment that the page holds already, or that is replayed again after a crash, is added once more"
    source = "what is not idempotent, delivered at least once (automq#437 by kin)"
    harm = "counted twice"

    def redo(self, job: Job, change: Change) -> None:
        if isinstance(change.row.value, int):
            rows, amount = self.nodes[job.target].rows, change.row.value - int(change.old or 0)
            held = rows.get(change.key, Row(0, 0)).value
            rows[change.key] = Row(change.row.number, int(held or 0) + amount)
        else:
            super().redo(job, change)


class NumbersStartAgain(ChangeLog):
    """Each node counts for itself."""

    bug = "the target numbers its changes from its own counter: at the next move an older row seems newer"
    source = "pglogical#389 (sequencer_durable)"
    harm = "lost update"

    def open(self, job: Job) -> None:
        number = self.nodes[job.target].number
        super().open(job)
        self.nodes[job.target].number = number


class DeletesLeaveNothing(ChangeLog):
    """A replayed delete takes the row away."""

    bug = "a page that comes late brings back what a replayed delete has taken away"
    source = "protocol: tombstones (weaviate#8556)"
    harm = "resurrected delete"

    def land(self, job: Job, key: str, row: Row) -> None:
        super().land(job, key, row)
        if row.value is None:
            self.nodes[job.target].rows.pop(key, None)
