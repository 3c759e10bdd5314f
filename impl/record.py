"""The durable parts: one record a shard, changed by compare-and-set, and one sequencer a shard.

Who owns a shard is read from its record and nowhere else. The record is one value that is never changed, only
replaced: a compare-and-set names the value that it expects, so that a coordinator that was replaced can't write.

An *epoch* is 4 * attempt + stage: it says what the owner and the targets were, only rises, and is carried by every
message. The stages of an attempt are IDLE, DUAL, SEALED and ACTIVE.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, IntEnum

from cutproof.impl.copies import Copy, Version
from cutproof.model.cutover.mechanisms import Mechanisms


class Stage(IntEnum):
    """What an epoch says: who owns, and who is written to."""

    IDLE = 0
    DUAL = 1
    SEALED = 2
    ACTIVE = 3


_STAGES = tuple(Stage)  # by number: a call of an enumeration is slow


class Phase(Enum):
    """Where a migration stands."""

    IDLE = "idle"
    DUAL = "dual"
    COPY = "copy"
    SEAL = "seal"
    DRAIN_SOURCE = "drain_source"
    DRAIN_TARGET = "drain_target"
    DELTA = "delta"
    ACTIVATE = "activate"
    GRACE = "grace"
    CLEANUP = "cleanup"
    COMPLETE = "complete"
    ABORTED = "aborted"

    __hash__ = (
        object.__hash__
    )  # members are the only ones of their value, and an enumeration's own hash is slow


MOVING = frozenset({Phase.DUAL, Phase.COPY, Phase.SEAL, Phase.DRAIN_SOURCE, Phase.DRAIN_TARGET, Phase.DELTA})
SEALED = frozenset({Phase.SEAL, Phase.DRAIN_SOURCE, Phase.DRAIN_TARGET, Phase.DELTA})
MOVED = frozenset({Phase.ACTIVATE, Phase.GRACE, Phase.CLEANUP, Phase.COMPLETE})
LIVE = MOVING | {Phase.ACTIVATE, Phase.GRACE, Phase.CLEANUP}


def stage_of(epoch: int) -> Stage:
    """The stage of an epoch."""
    return _STAGES[epoch & 3]


def attempt_of(epoch: int) -> int:
    """The attempt of an epoch, from 0."""
    return epoch >> 2


@dataclass(frozen=True, slots=True)
class Record:
    """One shard: who owns it, and the migration that moves it.

    `members` has the nodes of each replica group; the first of a group is its owner, the first group is home: it is
    read from. `moves` has (source, target) of each attempt; `confirmed` the highest fence that each node confirmed;
    `scanned` what the delta pass read at the source, by key: the proof is over these. `mechanisms` is the policy,
    copied in at the begin: while the migration lives nothing else is asked."""

    phase: Phase
    epoch: int
    members: tuple[tuple[str, ...], ...]
    moves: tuple[tuple[str, str], ...] = ()
    group: int = 0  # the replica group in which the shard moves
    cursor: int = 0  # pages copied, or scanned by the delta pass
    proof: bool = False
    clean: bool = False  # an anti-entropy pass that read the source ended clean after ACTIVATE
    confirmed: Mapping[str, int] = field(default_factory=dict)
    scanned: Mapping[str, Copy] = field(default_factory=dict)
    mechanisms: Mechanisms = field(default_factory=Mechanisms)

    @property
    def owner(self) -> str:
        """The node that clients read from."""
        return self.members[0][0]

    @property
    def source(self) -> str:
        """The node that the last attempt moves from; the owner where there was none."""
        return self.moves[-1][0] if self.moves else self.owner

    @property
    def target(self) -> str:
        """The node that the last attempt moves to; empty where there was none."""
        return self.moves[-1][1] if self.moves else ""

    @property
    def live(self) -> bool:
        """A migration is under way."""
        return self.phase in LIVE

    @property
    def owes_wipe(self) -> bool:
        """The attempt was aborted, and its target is to be wiped before a retry."""
        aborted = self.phase is Phase.ABORTED and stage_of(self.epoch) is Stage.IDLE
        return aborted and self.mechanisms.wipe_before_retry and not self.has_confirmed(self.target)

    def has_confirmed(self, *nodes: str) -> bool:
        """These nodes have confirmed the fence at the record's epoch."""
        return all(self.confirmed.get(node, 0) >= self.epoch for node in nodes)

    def with_(self, **changes: object) -> Record:
        """Another record with these changes."""
        return replace(self, **changes)  # type: ignore[arg-type]


class RecordStore:
    """The durable store of one shard's record. `value` is the record as it is now: read it, and change it by
    `compare_and_set` alone."""

    __slots__ = ("history", "value")

    def __init__(self, record: Record) -> None:
        self.value = record
        self.history = [record.epoch]  # every epoch that was ever recorded

    def compare_and_set(self, expected: Record, new: Record) -> bool:
        """Replace the record if it is still the expected one; whether it was."""
        if self.value is not expected:
            return False
        self.value = new
        if new.epoch not in self.history:
            self.history = [e for e in self.history if e < new.epoch] + [new.epoch]
        return True


class Sequencer:
    """Draws versions for one shard, at dispatch; durable, so that a restart never gives a number twice.

    Numbers are reserved in blocks, and the end of the block is what is stored durably: a restart goes on behind it.
    With `durable` false versions are what a router makes of its clock: no epoch of the record, and a slow clock
    gives a number that was given before."""

    __slots__ = ("durable", "epoch", "last", "reserved")

    BLOCK = 1000

    def __init__(self, durable: bool = True) -> None:
        self.durable = durable
        self.last = 0
        self.epoch = 0  # the highest that it has seen: a version never falls, even where the record goes back
        self.reserved = self.BLOCK

    def draw(self, epoch: int, slow: bool = False) -> Version:
        """The next version, in the record's epoch."""
        self.last = last = self.last + 1
        if last > self.reserved:
            self.reserved += self.BLOCK  # stored before a number of the block is given
        if self.durable:
            self.epoch = epoch = max(self.epoch, epoch)
            return (epoch, last, 0)
        return (0, last - slow, 0)

    def restart(self) -> None:
        """What was in memory is gone; a sequencer that isn't durable begins again."""
        self.last = self.reserved if self.durable else 0
        self.reserved = self.last + self.BLOCK
