"""The coordinator: the migration of one shard as a state machine. Events in, commands out.

    IDLE -> DUAL -> COPY -> SEAL -> DRAIN -> DELTA -> ACTIVATE -> GRACE -> CLEANUP -> COMPLETE
                \\______________ abort, wipe N, retry ______________/ (ACTIVATE is the commit point)

It has no clock, threads, sockets or randomness, and touches nothing. `wants` says what it would have done now: each
command may be performed at any time, any number of times, or never, by whoever drives it. What a command brought
back is an event; `react` says what follows from it: changes of the record, by compare-and-set, and pages to send. All
that it remembers besides the record is which page it waits for; a crash forgets that, and nothing else is lost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cutproof.impl.copies import Copy, is_newer
from cutproof.impl.node import Kind, page_of
from cutproof.impl.record import SEALED, Phase, Record, Stage, stage_of
from cutproof.model.cutover.mechanisms import Cleanup

# ------------------------------------------------------------------ commands


@dataclass(frozen=True, slots=True)
class Fence:
    """Raise the shard's fence on a node. Brings `Confirmed`."""

    node: str
    epoch: int


@dataclass(frozen=True, slots=True)
class Wipe:
    """Raise the target's fence, and clear its documents and its queue. Brings `Confirmed`."""

    node: str
    epoch: int


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete the source's documents; the fence stays."""

    node: str
    epoch: int


@dataclass(frozen=True, slots=True)
class AskQueue:
    """Ask a node whether everything that it accepted (`below`: before its fence rose to that epoch) has been applied or
    has failed. Brings `QueueTold`."""

    node: str
    below: int | None = None


@dataclass(frozen=True, slots=True)
class ReadPage:
    """Read a page of the source, in key order (`by_offset`: that many documents after so many). Brings `PageRead`."""

    node: str
    page: int
    by_offset: bool = False


@dataclass(frozen=True, slots=True)
class AskTask:
    """Ask the target what became of a page. Brings `TaskTold`."""

    node: str
    kind: Kind
    page: int


@dataclass(frozen=True, slots=True)
class ReadBack:
    """Read the target back, to compare it with what was scanned. Brings `HeldThere`."""

    node: str


@dataclass(frozen=True, slots=True)
class AskQueries:
    """Ask whether queries that were sent to the source are still under way. Brings `QueriesTold`."""

    node: str


@dataclass(frozen=True, slots=True)
class AskDocuments:
    """Ask the source whether it holds anything of the shard. Brings `DocumentsTold`."""

    node: str


@dataclass(frozen=True, slots=True)
class Proceed:
    """Nothing has to be asked: the coordinator's turn."""

    to: Phase


Command = (
    Fence | Wipe | Delete | AskQueue | ReadPage | AskTask | ReadBack | AskQueries | AskDocuments | Proceed
)  # fmt: skip

# ------------------------------------------------------------------ events


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The node's fence is at this epoch, durably."""

    node: str
    epoch: int


@dataclass(frozen=True, slots=True)
class QueueTold:
    """Whether the node has nothing in its queue for the shard, of what was asked about."""

    node: str
    empty: bool


@dataclass(frozen=True, slots=True)
class PageRead:
    """What the source holds in a page; `ended`: there is nothing at this offset, nor behind it."""

    page: int
    copies: tuple[Copy, ...]
    ended: bool = False


@dataclass(frozen=True, slots=True)
class TaskTold:
    """What became of a page: `done`; in the target's `queue`; still `under_way`; or nothing, it is gone."""

    kind: Kind
    page: int
    done: bool = False
    queued: bool = False
    under_way: bool = False


@dataclass(frozen=True, slots=True)
class PageFailed:
    """A page was refused, or its delivery or task failed."""

    kind: Kind
    page: int


@dataclass(frozen=True, slots=True)
class HeldThere:
    """What the target holds of what was scanned; `unequal` are the keys with equal versions and other content."""

    held: Mapping[str, Copy]
    unequal: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class QueriesTold:
    """Whether queries on the source have ended."""

    ended: bool


@dataclass(frozen=True, slots=True)
class DocumentsTold:
    """Whether the source holds nothing of the shard."""

    empty: bool


Event = (
    Confirmed | QueueTold | PageRead | TaskTold | PageFailed | HeldThere | QueriesTold | DocumentsTold | Proceed
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reaction:
    """What follows from an event: changes of the record, and a page to send to the target."""

    changes: Mapping[str, Any] = field(default_factory=dict)
    send: tuple[Kind, int, tuple[Copy, ...]] | None = None
    awaits: tuple[Kind, int] | None = None  # the page that it waits for from now on


class Coordinator:
    """Drives one shard through one migration after another. `pages` is how many pages the key space has."""

    __slots__ = ("awaits", "fences", "pages", "tracked")

    def __init__(self, pages: int, fences: Sequence[str] = ()) -> None:
        self.pages = pages
        self.fences = tuple(fences)  # other replicas that are fenced too, so that tombstones can be collected
        self.awaits: tuple[Kind, int] | None = None
        self.tracked = True  # a delta that trusts a table: whether the table shows something to repair

    # -------------------------------------------------- what it would have done now

    def wants(self, record: Record) -> list[Command]:
        """The commands that it wants performed, as the record stands."""
        wanted: list[Command] = list(self._fences(record))
        m, source, target = record.mechanisms, record.source, record.target
        fenced = record.has_confirmed(source, target)
        match record.phase:
            case Phase.DUAL if fenced or not m.dual_before_copy:
                # What the source accepts behind its fence goes to both nodes: to wait for that might take for ever.
                below = record.epoch if m.copy_waits_for_earlier_alone else None
                wanted.append(AskQueue(source, below) if m.copy_waits_for_applied else Proceed(Phase.COPY))
            case Phase.COPY:
                wanted += self._copying(record)
            case Phase.SEAL if fenced or not m.drain_waits_for_fences:
                wanted.append(Proceed(Phase.DRAIN_SOURCE))
            case Phase.DRAIN_SOURCE:
                wanted.append(AskQueue(source))
            case Phase.DRAIN_TARGET:
                wanted.append(AskQueue(target))
            case Phase.DELTA:
                wanted += self._repairing(record)
            case Phase.ACTIVATE if fenced:
                wanted.append(Proceed(Phase.GRACE))
            case Phase.GRACE if self._may_clean_up(record):
                wanted.append(AskQueries(source) if m.grace_before_cleanup else Proceed(Phase.CLEANUP))
            case Phase.CLEANUP:
                wanted += [Delete(source, record.epoch), AskDocuments(source)]
            case Phase.ABORTED if record.owes_wipe:
                wanted.append(Wipe(target, record.epoch))
        return wanted

    def _fences(self, record: Record) -> list[Fence]:
        """The fences of this epoch. The target is opened by its ACTIVE fence, after the source confirmed its own."""
        stage = stage_of(record.epoch)
        if stage is Stage.IDLE:
            return []
        nodes = [record.source, record.target, *self.fences]
        closed = stage is Stage.ACTIVE and record.mechanisms.source_fenced_before_open
        if closed and not record.has_confirmed(record.source):
            nodes.remove(record.target)
        return [Fence(node, record.epoch) for node in nodes]

    def _copying(self, record: Record) -> list[Command]:
        if self.awaits is not None:
            return [AskTask(record.target, *self.awaits)]
        if record.cursor >= self.pages and (record.mechanisms.keyset_paging or record.cursor > self.pages):
            return [Proceed(Phase.SEAL)]
        return [ReadPage(record.source, record.cursor, not record.mechanisms.keyset_paging)]

    def delta_runs(self, record: Record) -> bool:
        """Always; without that rule only if the table shows a write that succeeded on the source alone."""
        return record.mechanisms.delta and (record.mechanisms.delta_always or self.tracked)

    def _repairing(self, record: Record) -> list[Command]:
        m, runs = record.mechanisms, self.delta_runs(record)
        wanted: list[Command] = []
        if self.awaits is not None:
            wanted.append(AskTask(record.target, *self.awaits))
        elif runs and record.cursor < self.pages:
            wanted.append(ReadPage(record.source, record.cursor))
        all_scanned = self.awaits is None and (record.cursor >= self.pages or not runs)
        if all_scanned and m.delta and not record.proof:
            wanted.append(ReadBack(record.target))
        if record.proof or not m.delta or (not m.cleanup_needs_proof and all_scanned):
            wanted.append(Proceed(Phase.ACTIVATE))
        return wanted

    def _may_clean_up(self, record: Record) -> bool:
        m = record.mechanisms
        if record.proof or not m.cleanup_needs_proof:
            return True
        if m.cleanup is Cleanup.IMMEDIATE:
            return not m.delta
        return record.clean and m.cleanup is Cleanup.AFTER_CLEAN_PASS

    # -------------------------------------------------- what follows

    def react(self, record: Record, event: Event) -> Reaction | None:
        """What follows from an event; None where nothing does."""
        match event:
            case Confirmed(node, epoch):
                if record.confirmed.get(node, 0) >= epoch:
                    return None
                return self._same(confirmed={**record.confirmed, node: epoch})
            case QueueTold():
                return self._queue_told(record, event)
            case PageRead():
                return self._page_read(record, event)
            case TaskTold() | PageFailed() if self.awaits == (event.kind, event.page):
                return self._task_told(record, event)
            case HeldThere():
                return self._held_there(record, event)
            case QueriesTold(ended) if record.phase is Phase.GRACE:
                return self._same(phase=Phase.CLEANUP) if ended else None
            case DocumentsTold(empty) if record.phase is Phase.CLEANUP:
                # Without a proof the target may still have a repair in its queue: what was scanned is kept.
                m = record.mechanisms
                scanned = {} if m.cleanup_needs_proof and m.proof_of_this_attempt else record.scanned
                return self._same(phase=Phase.COMPLETE, scanned=scanned) if empty else None
            case Proceed(to):
                return self._enter(record, to)
        return None

    def _same(self, **changes: Any) -> Reaction:
        return Reaction(changes, awaits=self.awaits)

    def _enter(self, record: Record, to: Phase) -> Reaction:
        if to is Phase.SEAL:
            return self._same(phase=to, epoch=record.epoch + 1, cursor=0)
        if to is Phase.ACTIVATE:
            members = list(record.members)
            members[record.group] = tuple(
                record.target if n == record.source else n for n in members[record.group]
            )
            return Reaction({"phase": to, "epoch": record.epoch + 1, "cursor": 0, "members": tuple(members)})
        return self._same(phase=to)

    def _queue_told(self, record: Record, told: QueueTold) -> Reaction | None:
        waits = record.mechanisms.drain_waits_for_applied
        match record.phase:
            case Phase.DUAL if told.empty and told.node == record.source:
                return self._same(phase=Phase.COPY)
            case Phase.DRAIN_SOURCE if (told.empty or not waits) and told.node == record.source:
                return self._same(phase=Phase.DRAIN_TARGET)
            case Phase.DRAIN_TARGET if (told.empty or not waits) and told.node == record.target:
                return self._same(phase=Phase.DELTA)
        return None

    def _page_read(self, record: Record, read: PageRead) -> Reaction | None:
        if self.awaits is not None or read.page != record.cursor:
            return None
        changes: dict[str, Any] = {}
        if record.phase is Phase.COPY:
            if read.ended:
                return self._enter(record, Phase.SEAL)
            kind = Kind.PAGE
        elif record.phase is Phase.DELTA:
            kind = Kind.DELTA
            # What is not there any more is not scanned any more: the page may have been read before.
            others = {k: c for k, c in record.scanned.items() if page_of(k, self.pages) != read.page}
            changes["scanned"] = others | {c.key: c for c in read.copies}
        else:
            return None
        if not read.copies:
            return Reaction({**changes, "cursor": record.cursor + 1})
        return Reaction(changes, (kind, read.page, read.copies), (kind, read.page))

    def _task_told(self, record: Record, told: TaskTold | PageFailed) -> Reaction | None:
        """The page was applied: the cursor is saved. It failed, or nobody knows of it: it is read again."""
        m = record.mechanisms
        if isinstance(told, PageFailed):
            ended = (
                told.kind is Kind.PAGE and not m.failed_page_is_retried
            )  # an error is read as the end of data
            end = self.pages if m.keyset_paging else self.pages + 1
            return Reaction({"cursor": end} if ended else {})
        unproved = told.kind is Kind.DELTA and told.queued and not m.cleanup_needs_proof
        if told.done or unproved:
            return Reaction({"cursor": record.cursor + 1})
        return None if told.queued or told.under_way else Reaction()

    def _held_there(self, record: Record, told: HeldThere) -> Reaction | None:
        """The proof: N >= O per document, by version, and at equal versions by content. N may hold more."""
        if record.phase is not Phase.DELTA or record.proof or self.awaits is not None:
            return None
        by_version = record.mechanisms.delta_compares_versions
        covered = all(
            key in told.held and not (by_version and (is_newer(copy, told.held[key]) or key in told.unequal))
            for key, copy in record.scanned.items()
        )
        if covered or not self.delta_runs(record):
            return Reaction({"proof": True})
        again = record.mechanisms.cleanup_needs_proof and record.cursor >= self.pages
        return Reaction({"cursor": 0, "scanned": {}}) if again else None


def recovered(record: Record) -> dict[str, Any]:
    """What a coordinator that recovers makes of the record: DUAL and COPY go on, drain and delta are redone."""
    redo = record.phase in SEALED and record.phase is not Phase.SEAL
    changes: dict[str, Any] = {}
    if redo:
        changes |= {"phase": Phase.SEAL, "cursor": 0}
    if record.phase in SEALED | {Phase.DUAL, Phase.COPY}:
        changes |= {"proof": False, "scanned": {}}
    return changes
