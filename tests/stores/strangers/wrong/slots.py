"""Slots that move key by key, gone wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cutproof.checks.drivers.adapter import Answer
from strangers.right.slots import Job, Slot, Slots
from strangers.rows import How


class ReplicaForgetsTheMove(Slots):
    """Only the old master knows that the slot moves."""

    bug = "the replica that takes over from the source answers nothing for a key that has gone to the target"
    source = "redis#4627"
    harm = "lost acknowledged write"

    def set_up(self) -> None:
        super().set_up()
        self.forgot: set[str] = set()

    def on_restart(self, node: str) -> None:
        self.forgot.add(node)
        super().on_restart(node)

    def asks(self, number: int, key: str) -> bool:
        return super().asks(number, key) and self.slots[number].owner not in self.forgot


class KeysNotLocked(Slots):
    """A key is served while it is under way."""

    bug = "a write on the source is deleted there, because an older value of the key was under way"
    source = "MIGRATE REPLACE (protocol: copy_checks_version)"
    harm = "lost update"

    def change(self, key: str, how: How) -> Answer:
        return self.perform(key, how)


class GivenUpInPlace(Slots):
    """An abort declares the slot stable."""

    bug = "an abort leaves on the target what has gone there; the source answers nothing"
    source = "SETSLOT STABLE half-way"
    harm = "lost acknowledged write"

    def turn_round(self, work: Any) -> None:
        for number in work.job.slots:
            slot = self.slots[number]
            if slot.owner != work.job.target:
                slot.target = ""
            slot.flying.clear()
        work.job.term += 1
        work.steps, work.awaited = iter(()), None


class DeletedBeforeConfirmed(Slots):
    """What has been sent is gone."""

    bug = "the source deletes a key when it sends it, before the target has it"
    source = "clickhouse#37808 (cleanup_needs_proof)"
    harm = "lost acknowledged write"

    def fly(self, job: Job, slot: Slot, key: str) -> Iterator[Any]:
        steps = super().fly(job, slot, key)
        for said in steps:
            if key in slot.flying:
                self.nodes[slot.owner].pop(key, None)
            yield said


class IncrementsAreNotSentOn(Slots):
    """Whoever increments begins."""

    bug = "an increment of a counter that has gone begins a new one on the source"
    source = "protocol: whole_documents (a command that does not ask)"
    harm = "lost increments"

    def add(self, key: str, amount: int) -> Answer:
        slot = self.slots[self.shard_of(key)]
        if slot.target and self.reached(slot.owner) and key not in slot.flying:
            return self.write(self.nodes[slot.owner], key, lambda old: (old or 0) + amount)
        return super().add(key, amount)


class FoundTwice(Slots):
    """A search asks everybody."""

    bug = "a search finds a key on the source and on the target while it is under way"
    source = "clickhouse#50777 (search_filters_owned)"
    harm = "found twice"

    def listed(self, number: int, name: str, key: str) -> bool:
        return True


class ImpatientSource(Slots):
    """A key that is not confirmed at once is served again, and sent again later."""

    bug = "a key whose transfer timed out is served again, though it may still arrive: a delete then comes undone"
    source = "MIGRATE's time-out (protocol: wipe_before_retry)"
    harm = "resurrected delete"

    def fly(self, job: Job, slot: Slot, key: str) -> Iterator[Any]:
        steps = super().fly(job, slot, key)
        yield next(steps)
        message = next(steps, None)
        if message is None:
            return
        yield lambda: message.state != "way"
        if message.state == "queued":
            yield lambda: True
        if message.state != "done":
            slot.flying.discard(key)
            self.go_on(key)
            yield lambda: message.state != "queued"
            return
        yield from steps


class SwitchedByRecovery(Slots):
    """Whoever repairs a slot that is open on two nodes gives it to one of them."""

    bug = "after a crash the slot is given to the target at once, and the source deletes what it still has"
    source = "redis-cli --cluster fix (protocol: durable_record)"
    harm = "lost acknowledged write"

    def on_crash(self, node: str) -> None:
        for work in self.works:
            for number in work.job.slots:
                slot = self.slots[number]
                if slot.target:
                    for key in [k for k in self.nodes[slot.owner] if self.shard_of(k) == number]:
                        self.landed(slot, key)
        super().on_crash(node)
