"""Pulling on demand gone wrong."""

from __future__ import annotations

from cutproof.checks.drivers.adapter import REFUSED
from strangers.kit import Message
from strangers.right.register import Job, Node, Register


class PullOverwrites(Register):
    """What is pulled is written."""

    bug = "a document that is pulled replaces what clients have written on the new owner meanwhile"
    source = "protocol: copy_checks_version"
    harm = "lost update"

    def pull(self, job: Job, key: str, value: str | None) -> Message:
        rows = self.nodes[job.target].rows
        return self.command(job, job.target, lambda: rows.update({key: value}))


class DeletesForgotten(Register):
    """Nothing is nothing."""

    bug = "a document that was deleted on the new owner before it was pulled is pulled afterwards"
    source = "protocol: tombstones"
    harm = "resurrected delete"

    def store(self, node: Node, key: str, value: str | None) -> None:
        if value is None:
            node.rows.pop(key, None)
        else:
            node.rows[key] = value


class NothingBeforePulled(Register):
    """The owner answers what it has."""

    bug = "the new owner answers nothing for a document that it has not pulled yet"
    source = "reads before the copy is complete (protocol: one_owner_record)"
    harm = "lost acknowledged write"

    def look(self, node: Node, key: str) -> str | None:
        return node.rows.get(key)


class FormerOwnerApplies(Register):
    """Every node performs what arrives."""

    bug = "a write that comes late is performed and acknowledged by the former owner"
    source = "protocol: fence_epoch (weaviate#8158)"
    harm = "lost acknowledged write"

    def performs(self, node: Node, shard: int) -> bool:
        return True


class TimeoutMeansRefused(Register):
    """A client that gives up is told that nothing happened."""

    bug = "a write that timed out is reported as refused, and arrives later"
    source = "an indefinite answer told as a definite one"
    harm = "refused, yet it happened"

    def on_timeout(self, node: str) -> None:
        for ticket in self.tickets:
            ticket.tell(REFUSED)
