"""Seal, copy and open gone wrong."""

from __future__ import annotations

from typing import Any

from cutproof.checks.drivers.adapter import REFUSED, Answer
from strangers.kit import Message
from strangers.right.sealed import Job, Sealed
from strangers.rows import How


class WritesUnderSealDropped(Sealed):
    """The seal is a word."""

    bug = "a write while the shard is copied is acknowledged by the source, behind the copy"
    source = "protocol: seal_blocks_writes (mongodb SERVER-77506)"
    harm = "lost acknowledged write"

    def change(self, key: str, how: How) -> Answer:
        name, shard = self.route(key), self.shard_of(key)
        if name and shard in self.nodes[name].active:
            return self.write(self.nodes[name].rows, key, how)
        return REFUSED


class LateReceiver(Sealed):
    """A message that opens a shard opens it whenever it comes."""

    bug = "after time-outs the sender keeps the shard, and a very late message opens it on the receiver too"
    source = "vshard#214"
    harm = "lost update"

    def command(self, job: Any, node: str, run: Any) -> Message:
        message = super().command(job, node, run)
        if node == job.target:
            message.run = run
        return message

    def steps(self, job: Job) -> Any:
        if job.aborted and job.given:
            self.nodes[job.source].active.add(job.shards[0])
            job.given = False
        return super().steps(job)


class OneCursorForAll(Sealed):
    """The cursor is the store's."""

    bug = "two moves at once share one cursor: one passes over what the other has copied beyond"
    source = "protocol: per_migration_tracking"
    harm = "lost acknowledged write"

    shared = ""

    def turn_back(self, job: Job) -> None:
        if len(self.works) == 1:
            self.shared = ""

    def cursor(self, job: Job) -> str:
        return self.shared

    def pass_on(self, job: Job, key: str) -> None:
        self.shared = key


class RefusedYetKept(Sealed):
    """Who goes away stays in the queue."""

    bug = "a write that waited too long is refused, but stays in the queue and is performed"
    source = "a definite error for what may still happen"
    harm = "refused, yet it happened"

    def on_timeout(self, node: str) -> None:
        for *_, ticket in self.held:
            ticket.tell(REFUSED)


class FormerOwnerReads(Sealed):
    """Whoever still holds it answers."""

    bug = "the former owner answers reads of routers that are behind"
    source = "protocol: source_fenced_before_open"
    harm = "stale read: a read goes back between two routers"

    def answers(self, name: str, shard: int) -> bool:
        return True

    def drop(self, name: str, shard: int) -> None:
        if name == self.names[-1]:
            super().drop(name, shard)
