"""A migration: the shards that move to one node, seen as one thing, under the names that Miroir uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cutproof.impl import mover
from cutproof.impl.miroir import (
    Active,
    DeltaPass,
    Draining,
    DrainTimeout,
    Failed,
    Migrating,
    MigrationComplete,
    MigrationPhase,
    Pending,
    ShardState,
)
from cutproof.impl.record import SEALED, Phase
from cutproof.impl.shard import Shard

if TYPE_CHECKING:
    from cutproof.impl.cluster import Cluster

NAMES = {
    Phase.IDLE: MigrationPhase.COMPUTING_ASSIGNMENTS,
    Phase.DUAL: MigrationPhase.DUAL_WRITE_MIGRATING,
    Phase.COPY: MigrationPhase.DUAL_WRITE_MIGRATING,
    Phase.SEAL: MigrationPhase.CUTOVER_BEGIN,
    Phase.DRAIN_SOURCE: MigrationPhase.CUTOVER_DRAINING,
    Phase.DRAIN_TARGET: MigrationPhase.CUTOVER_DRAINING,
    Phase.DELTA: MigrationPhase.CUTOVER_DELTA_PASS,
    Phase.ACTIVATE: MigrationPhase.CUTOVER_ACTIVATE,
    Phase.GRACE: MigrationPhase.CUTOVER_ACTIVATE,
    Phase.CLEANUP: MigrationPhase.CUTOVER_CLEANUP,
    Phase.COMPLETE: MigrationPhase.COMPLETE,
    Phase.ABORTED: MigrationPhase.FAILED,
}


class Migration:
    """Moves `moves` (shard -> source) to `target`. Shards go on by themselves, each with a coordinator of its own."""

    def __init__(self, cluster: Cluster, number: int, target: str, group: int, moves: dict[int, str]) -> None:
        self.cluster = cluster
        self.number = number
        self.target = target
        self.group = group
        self.moves = moves

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "cluster": None}

    def begin(self) -> None:
        """Record DUAL for every shard that has not begun, or was aborted and wiped: the first time, or a retry.

        Raises InvalidTransition where a migration of a shard lives already, or its target is not wiped yet."""
        pending = [
            (s, source)
            for s, source in self._sources()
            if s.record.phase is not Phase.COMPLETE or not self._has(s)
        ]
        for shard, source in pending:
            mover.check_begin(shard, self.target, self.group, source)
        for shard, source in pending:
            mover.begin(shard, self.target, self.group, source)
            self.cluster.moving.append(shard)

    retry = begin

    def _sources(self) -> list[tuple[Shard, str]]:
        return [(self.cluster.shards[n], source) for n, source in sorted(self.moves.items())]

    def _has(self, shard: Shard) -> bool:
        return self.target in shard.record.members[self.group]

    @property
    def shards(self) -> list[Shard]:
        """The shards that move, by number."""
        return [shard for shard, _ in self._sources()]

    def finished(self) -> bool:
        """Every shard is complete or aborted. An empty set is complete at once."""
        return all(s.record.phase in (Phase.COMPLETE, Phase.ABORTED) for s in self.shards)

    @property
    def complete(self) -> bool:
        """Every shard has moved, and its source is cleaned up."""
        return all(s.record.phase is Phase.COMPLETE and self._has(s) for s in self.shards)

    def abort(self) -> None:
        """Give up the shards that are not activated yet: their owners stay, and the target will be wiped."""
        for shard in self.shards:
            if mover.may_abort(shard):
                mover.abort(shard)
                self.cluster.moving.append(shard)

    def back(self) -> Migration:
        """The rollback: a migration of the shards that have moved, back to where each came from.

        Raises ValueError where they came from different nodes, or none has moved."""
        sources = {source for shard, source in self._sources() if self._has(shard)}
        if len(sources) != 1:
            raise ValueError("a way back leads to one node; move the shards to each of them by name")
        return self.cluster.move([s.number for s in self.shards if self._has(s)], sources.pop(), self.group)

    # -------------------------------------------------- names that Miroir people know

    @property
    def phase(self) -> MigrationPhase:
        """The phase of the shard that is furthest behind; Failed if one was aborted."""
        phases = [NAMES[s.record.phase] for s in self.shards]
        if MigrationPhase.FAILED in phases:
            return MigrationPhase.FAILED
        return min(phases, key=list(MigrationPhase).index, default=MigrationPhase.COMPLETE)

    def states(self) -> dict[int, ShardState]:
        """The state of each shard, by its number."""
        return {shard.number: self._state(shard) for shard in self.shards}

    def _state(self, shard: Shard) -> ShardState:
        record, costs = shard.record, shard.costs
        copied = costs.documents_copied
        match record.phase:
            case Phase.IDLE | Phase.DUAL:
                return Pending()
            case Phase.COPY if record.cursor < shard.pages:
                return Migrating(copied, shard.pages - record.cursor)
            case Phase.COPY:
                return MigrationComplete(copied)
            case Phase.DELTA:
                return DeltaPass(copied, costs.documents_repaired_by_delta)
            case Phase.ABORTED:
                left = in_flight(shard)
                reason = str(DrainTimeout(left)) if shard.timed_out else "aborted"
                return Failed(MigrationPhase.CUTOVER_DRAINING if shard.timed_out else self.phase, reason)
            case phase if phase in SEALED:
                return Draining(in_flight(shard), copied)
        return Active()

    def __repr__(self) -> str:
        return f"migration of {len(self.moves)} shards to {self.target}, {self.phase.value}"


def in_flight(shard: Shard) -> int:
    """Writes of the shard that were accepted and are not applied yet, or are still under way."""
    return sum(m.write is not None and m.replica.shard == shard.number for m in shard.network.under_way())
