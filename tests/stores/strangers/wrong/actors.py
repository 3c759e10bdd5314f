"""Actors gone wrong."""

from __future__ import annotations

from cutproof.checks.drivers.adapter import ACKNOWLEDGED
from strangers.right.actors import Actor, Actors, Node
from strangers.rows import How


class DuplicatesCounted(Actors):
    """Every request is new."""

    bug = "a request that arrives twice is performed twice"
    source = "what is delivered at least once, without numbers"
    harm = "counted twice"

    def answer(self, actor: Actor, key: str, how: How, number: int) -> str:
        return self.write(actor.rows, key, how)


class MemoryLeftBehind(Actors):
    """The state goes, the memory of requests stays."""

    bug = "an actor is sent without its memory of requests: one that arrives once more is performed once more"
    source = "protocol: a retry is not idempotent (automq#437 by kin)"
    harm = "counted twice"

    def packed(self, actor: Actor) -> Actor:
        return Actor(dict(actor.rows))


class MemoryEndsWithTheProcess(Actors):
    """The memory of requests is not written to disk."""

    bug = "a restart forgets which requests were performed"
    source = "memory of requests that expires"
    harm = "counted twice"

    def on_restart(self, node: str) -> None:
        for actor in self.nodes[node].actors.values():
            actor.answers.clear()
        super().on_restart(node)


class RememberedOnArrival(Actors):
    """A number is noted when the request is queued."""

    bug = "the queue is lost in a restart, and the client's second attempt is answered as done already"
    source = "protocol: ack_after_applied"
    harm = "lost increment"

    def arrives(self, name: str, key: str, number: int) -> bool:
        actor = self.nodes[name].actors.setdefault(key, Actor())
        if number in actor.answers:
            return True
        self.fresh.add(number)
        actor.answers[number] = ACKNOWLEDGED
        return True

    def set_up(self) -> None:
        super().set_up()
        self.fresh: set[int] = set()

    def on_restart(self, node: str) -> None:
        super().on_restart(node)
        self.fresh.clear()

    def answer(self, actor: Actor, key: str, how: How, number: int) -> str:
        if number in self.fresh:
            self.fresh.discard(number)
            actor.answers[number] = self.write(actor.rows, key, how)
        return super().answer(actor, key, how, number)


class AwakeWhileSent(Actors):
    """It goes on answering until it has arrived."""

    bug = "what an actor does on its old node while it is on the way is gone"
    source = "orleans#3563 (drain_waits_for_applied)"
    harm = "lost increment"

    def sleep(self, node: Node, key: str) -> None:
        """It does not sleep."""


class ParkedForgotten(Actors):
    """Who asks somebody that sleeps gets no answer."""

    bug = "requests that came while an actor was on the way are forgotten with it"
    source = "protocol: per_migration_tracking"
    harm = "writes pending for ever"

    def forget(self, node: Node, key: str) -> None:
        node.parked.clear()
        super().forget(node, key)
