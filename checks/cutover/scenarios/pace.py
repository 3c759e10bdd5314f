"""The pace of a run: coordinators take their turns one by one, drawn by a seed, and wait at gates.

What the cluster draws in one lottery is kept apart here, so that a burst of writes falls where it should.
"""

from __future__ import annotations

from enum import IntEnum
from random import Random

from cutproof.checks.cutover.scenarios.scenarios import Scenario
from cutproof.impl import Cluster, Migration, Stuck
from cutproof.impl.node import Message
from cutproof.impl.record import Phase
from cutproof.impl.shard import Shard
from cutproof.model.cutover.mechanisms import AntiEntropy

TICKS = 0.75  # how often something under way goes on, where a coordinator could have its turn
MOST = 100_000  # steps on the way to a gate; hundreds are usual


class Gate(IntEnum):
    """How far a shard has come, in the order in which it comes there; bursts wait at these."""

    DUAL = 0
    COPY = 1
    LAST_PAGE = 2  # all pages are copied but the last one
    COPIED = 3
    SEAL = 4
    DRAIN_SOURCE = 5
    DRAIN_TARGET = 6
    DELTA = 7
    ACTIVATE = 8
    GRACE = 9
    CLEANUP = 10
    ENDED = 11


SEALED = (Gate.SEAL, Gate.DRAIN_SOURCE, Gate.DRAIN_TARGET, Gate.DELTA)
MOVED = (Gate.ACTIVATE, Gate.GRACE, Gate.CLEANUP)


def gate_of(shard: Shard) -> Gate:
    """How far the shard has come."""
    record = shard.record
    if record.phase is Phase.COPY:
        if record.cursor >= shard.pages:
            return Gate.COPIED
        last = record.cursor == shard.pages - 1 and shard.coordinator.awaits is None
        return Gate.LAST_PAGE if last else Gate.COPY
    return Gate[record.phase.name] if record.live else Gate.ENDED


class Pace:
    """A cluster that does one thing after the other. `stuck` is a message that does not go on."""

    def __init__(self, cluster: Cluster, scenario: Scenario, seed: int) -> None:
        self.cluster = cluster
        self.scenario = scenario
        self.random = Random(seed)
        self.migrations: list[Migration] = []
        self.stuck: Message | None = None
        self.turns = 0  # of coordinators that did something
        self.passes = 0  # of anti-entropy, while a migration lived
        self.next_pass = scenario.passes

    @property
    def shards(self) -> list[Shard]:
        """The shards that move."""
        return [s for m in self.migrations for s in m.shards]

    def advance(self, gate: Gate, shards: list[Shard] | None = None) -> None:
        """Let shards come to a gate, in an order drawn by the seed, and wait there. Raises Stuck."""
        network, left = self.cluster.network, MOST
        while behind := [s for s in shards or self.shards if gate_of(s) < gate]:
            if network.steps >= self.next_pass:
                self.look_around()
            moving = [m for m in network.pool[:2] if m is not self.stuck]
            if moving and self.random.random() < TICKS:
                self.tick()
            elif self.turn(self.random.choice(behind)):
                pass
            elif moving:
                self.tick()
            elif not any(self.turn(s) for s in behind) and not self.look_around() and not self._wait(behind):
                raise Stuck(f"nothing can happen; {_phases(behind)}")
            left -= 1
            if not left:
                raise Stuck(f"not within {MOST:,} steps; {_phases(behind)}")

    def happened(self, shard: Shard, changed: bool) -> None:
        """The coordinator of a shard has done something; `changed`: the phase is another one."""

    def tick(self) -> None:
        """One thing that is under way goes on, unless it is the one that is stuck."""
        pool = self.cluster.network.pool
        if self.stuck is None or self.stuck not in pool:
            self.cluster.network.tick()
            return
        pool.remove(self.stuck)
        if pool:
            self.cluster.network.tick()
        pool.append(self.stuck)

    def _wait(self, shards: list[Shard]) -> bool:
        """Only time can pass: a step of the scheduler in which nothing happens, where a drain may run out of it."""
        draining = any(Gate.SEAL <= gate_of(s) < Gate.DELTA for s in shards)
        if self.cluster.drain_timeout is None or not draining:
            return False
        self.cluster.network.steps += 1
        return True

    def turn(self, shard: Shard) -> bool:
        """The coordinator of a shard does one of the things that it wants done; whether it could."""
        cluster, phase = self.cluster, shard.record.phase
        if shard not in cluster.moving:
            return False
        others, cluster.moving = [s for s in cluster.moving if s is not shard], [shard]
        done = cluster.turn()
        cluster.moving = others + cluster.moving
        if done:
            self.turns += 1
            self.happened(shard, shard.record.phase is not phase)
        return done

    def look_around(self) -> bool:
        """An anti-entropy pass; whether anything came of it."""
        self.next_pass = self.cluster.network.steps + self.scenario.passes
        if self.scenario.anti_entropy is AntiEntropy.OFF:
            return False
        clean = [s.record.clean for s in self.shards]
        self.passes += any(s.record.live for s in self.shards)
        return self.cluster.repair() > 0 or clean != [s.record.clean for s in self.shards]


def _phases(shards: list[Shard]) -> str:
    return f"shards are in {', '.join(sorted({s.record.phase.value for s in shards}))}"
