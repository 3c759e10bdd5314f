"""The coordinator alone: events in, commands out, nothing touched."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cutproof.impl.coordinator import (
    AskDocuments,
    AskQueries,
    AskQueue,
    AskTask,
    Confirmed,
    Coordinator,
    Delete,
    DocumentsTold,
    Fence,
    HeldThere,
    PageFailed,
    PageRead,
    Proceed,
    QueriesTold,
    QueueTold,
    Reaction,
    ReadBack,
    ReadPage,
    TaskTold,
    Wipe,
    recovered,
)
from cutproof.impl.copies import Copy, History
from cutproof.impl.node import Kind, page_of
from cutproof.impl.record import Phase, Record
from cutproof.model.cutover.mechanisms import Mechanisms

EPOCH = {Phase.DUAL: 1, Phase.COPY: 1, Phase.ACTIVATE: 3, Phase.GRACE: 3, Phase.CLEANUP: 3, Phase.COMPLETE: 3,
         Phase.ABORTED: 4, Phase.IDLE: 0}  # fmt: skip


def record(phase: Phase, confirmed: str = "ON", **more: object) -> Record:
    epoch = EPOCH.get(phase, 2)
    moved = phase in (Phase.ACTIVATE, Phase.GRACE, Phase.CLEANUP, Phase.COMPLETE)
    made = Record(
        phase, epoch, (("N" if moved else "O",),), (("O", "N"),), confirmed=dict.fromkeys(confirmed, epoch)
    )
    return made.with_(**more)


def without(*names: str) -> Mechanisms:
    return replace(Mechanisms(), **dict.fromkeys(names, False))


def copy(number: int, key: str = "a", content: object = "x") -> Copy:
    return Copy(key, (0, number, 0), {"v": content}, 2 * number, History(key, 0))


@pytest.mark.parametrize(
    ("now", "wanted"),
    [
        (record(Phase.IDLE), []),
        (record(Phase.DUAL), [AskQueue("O", 1)]),
        (record(Phase.DUAL, mechanisms=without("copy_waits_for_earlier_alone")), [AskQueue("O")]),
        (record(Phase.DUAL, "O"), []),
        (record(Phase.DUAL, "", mechanisms=without("dual_before_copy")), [AskQueue("O", 1)]),
        (record(Phase.DUAL, mechanisms=without("copy_waits_for_applied")), [Proceed(Phase.COPY)]),
        (record(Phase.COPY), [ReadPage("O", 0)]),
        (record(Phase.COPY, cursor=2), [Proceed(Phase.SEAL)]),
        (record(Phase.COPY, cursor=2, mechanisms=without("keyset_paging")), [ReadPage("O", 2, True)]),
        (record(Phase.SEAL), [Proceed(Phase.DRAIN_SOURCE)]),
        (record(Phase.SEAL, "N"), []),
        (record(Phase.DRAIN_SOURCE), [AskQueue("O")]),
        (record(Phase.DRAIN_TARGET), [AskQueue("N")]),
        (record(Phase.DELTA), [ReadPage("O", 0)]),
        (record(Phase.DELTA, cursor=2), [ReadBack("N")]),
        (record(Phase.DELTA, cursor=2, proof=True), [Proceed(Phase.ACTIVATE)]),
        (record(Phase.DELTA, mechanisms=without("delta")), [Proceed(Phase.ACTIVATE)]),
        # until a table says otherwise
        (record(Phase.DELTA, mechanisms=without("delta_always")), [ReadPage("O", 0)]),
        (record(Phase.ACTIVATE), [Proceed(Phase.GRACE)]),
        (record(Phase.GRACE), []),
        (record(Phase.GRACE, proof=True), [AskQueries("O")]),
        (
            record(Phase.GRACE, proof=True, mechanisms=without("grace_before_cleanup")),
            [Proceed(Phase.CLEANUP)],
        ),
        (record(Phase.CLEANUP), [Delete("O", 3), AskDocuments("O")]),
        (record(Phase.COMPLETE), []),
        (record(Phase.ABORTED, ""), [Wipe("N", 4)]),
        (record(Phase.ABORTED), []),
        (record(Phase.ABORTED, "", mechanisms=without("wipe_before_retry")), []),
    ],
)
def test_what_it_wants_beside_fences(now: Record, wanted: list[object]) -> None:
    assert [c for c in Coordinator(2).wants(now) if not isinstance(c, Fence)] == wanted


def test_the_target_is_opened_after_the_source_confirmed() -> None:
    fences = [c.node for c in Coordinator(1).wants(record(Phase.ACTIVATE, "")) if isinstance(c, Fence)]
    assert fences == ["O"]
    both = [c.node for c in Coordinator(1, ["R"]).wants(record(Phase.ACTIVATE, "O")) if isinstance(c, Fence)]
    assert both == ["O", "N", "R"]
    lax = record(Phase.ACTIVATE, "", mechanisms=without("source_fenced_before_open"))
    assert len([c for c in Coordinator(1).wants(lax) if isinstance(c, Fence)]) == 2


@pytest.mark.parametrize(
    ("now", "event", "changes"),
    [
        (record(Phase.DUAL, ""), Confirmed("O", 1), {"confirmed": {"O": 1}}),
        (record(Phase.DUAL), Confirmed("O", 1), None),
        (record(Phase.IDLE, ""), Confirmed("O", 0), None),  # of epoch 0 there is nothing to confirm
        (record(Phase.DUAL), QueueTold("O", True), {"phase": Phase.COPY}),
        (record(Phase.DUAL), QueueTold("O", False), None),
        (record(Phase.DUAL), QueueTold("N", True), None),
        (record(Phase.DRAIN_SOURCE), QueueTold("O", True), {"phase": Phase.DRAIN_TARGET}),
        (record(Phase.DRAIN_SOURCE), QueueTold("O", False), None),
        (record(Phase.DRAIN_SOURCE, mechanisms=without("drain_waits_for_applied")), QueueTold("O", False),
         {"phase": Phase.DRAIN_TARGET}),
        (record(Phase.DRAIN_TARGET), QueueTold("N", True), {"phase": Phase.DELTA}),
        (record(Phase.DRAIN_TARGET), QueueTold("O", True), None),
        (record(Phase.COPY), QueueTold("O", True), None),
        (record(Phase.COPY), PageRead(0, ()), {"cursor": 1}),
        (record(Phase.COPY), PageRead(1, ()), None),
        (record(Phase.GRACE), PageRead(0, ()), None),
        (record(Phase.COPY, cursor=1), PageRead(1, (), ended=True), {"phase": Phase.SEAL, "epoch": 2, "cursor": 0}),
        (record(Phase.COPY), TaskTold(Kind.PAGE, 0, done=True), None),
        (record(Phase.COPY), HeldThere({}), None),
        (record(Phase.DELTA, scanned={"a": copy(1)}, cursor=1), HeldThere({"a": copy(1)}), {"proof": True}),
        (record(Phase.DELTA, scanned={"a": copy(1)}, cursor=1), HeldThere({"a": copy(2)}), {"proof": True}),
        (record(Phase.DELTA, scanned={"a": copy(2)}, cursor=1), HeldThere({"a": copy(1)}),
         {"cursor": 0, "scanned": {}}),
        (record(Phase.DELTA, scanned={"a": copy(1)}, cursor=1), HeldThere({}), {"cursor": 0, "scanned": {}}),
        (record(Phase.DELTA, scanned={"a": copy(1)}, cursor=1), HeldThere({"a": copy(1)}, frozenset("a")),
         {"cursor": 0, "scanned": {}}),
        (record(Phase.DELTA, scanned={"a": copy(1)}), HeldThere({}), None),
        (record(Phase.DELTA, scanned={"a": copy(1)}, cursor=1, proof=True), HeldThere({}), None),
        (record(Phase.GRACE), QueriesTold(True), {"phase": Phase.CLEANUP}),
        (record(Phase.GRACE), QueriesTold(False), None),
        (record(Phase.CLEANUP), QueriesTold(True), None),
        (record(Phase.CLEANUP, scanned={"a": copy(1)}), DocumentsTold(True), {"phase": Phase.COMPLETE, "scanned": {}}),
        (record(Phase.CLEANUP), DocumentsTold(False), None),
        (record(Phase.DELTA), Proceed(Phase.ACTIVATE),
         {"phase": Phase.ACTIVATE, "epoch": 3, "cursor": 0, "members": (("N",),)}),
    ],
)  # fmt: skip
def test_what_follows_from_an_event(now: Record, event: object, changes: dict[str, object] | None) -> None:
    coordinator = Coordinator(1)
    reaction = coordinator.react(now, event)  # type: ignore[arg-type]
    assert (None if reaction is None else dict(reaction.changes)) == changes
    assert coordinator.awaits is None  # reacting changes nothing by itself


def test_a_page_is_sent_and_waited_for() -> None:
    coordinator, page = Coordinator(2), (copy(1),)
    sent = coordinator.react(record(Phase.COPY), PageRead(0, page))
    assert sent == Reaction({}, (Kind.PAGE, 0, page), (Kind.PAGE, 0))
    coordinator.awaits = (Kind.PAGE, 0)
    assert AskTask("N", Kind.PAGE, 0) in coordinator.wants(record(Phase.COPY))
    assert coordinator.react(record(Phase.COPY), PageRead(0, page)) is None
    assert coordinator.react(record(Phase.COPY), TaskTold(Kind.PAGE, 0, queued=True)) is None
    assert coordinator.react(record(Phase.COPY), TaskTold(Kind.PAGE, 0, done=True)) == Reaction({"cursor": 1})
    assert coordinator.react(record(Phase.COPY), TaskTold(Kind.PAGE, 0)) == Reaction()  # gone: read again
    assert coordinator.react(record(Phase.COPY), PageFailed(Kind.PAGE, 0)) == Reaction()
    lax = record(Phase.COPY, mechanisms=without("failed_page_is_retried"))
    assert coordinator.react(lax, PageFailed(Kind.PAGE, 0)) == Reaction({"cursor": 2})
    by_offset = record(Phase.COPY, mechanisms=without("failed_page_is_retried", "keyset_paging"))
    assert coordinator.react(by_offset, PageFailed(Kind.PAGE, 0)) == Reaction({"cursor": 3})
    assert Proceed(Phase.SEAL) in Coordinator(2).wants(by_offset.with_(cursor=3))
    assert Proceed(Phase.SEAL) not in Coordinator(2).wants(by_offset.with_(cursor=2))


def test_a_repair_is_scanned_sent_and_without_proof_believed_when_queued() -> None:
    coordinator, page = Coordinator(1), (copy(1),)
    sent = coordinator.react(record(Phase.DELTA), PageRead(0, page))
    assert sent == Reaction({"scanned": {"a": page[0]}}, (Kind.DELTA, 0, page), (Kind.DELTA, 0))
    coordinator.awaits = (Kind.DELTA, 0)
    # no proof before it has landed
    assert coordinator.react(record(Phase.DELTA, cursor=1), HeldThere({})) is None
    assert coordinator.react(record(Phase.DELTA), TaskTold(Kind.DELTA, 0, queued=True)) is None
    lax = record(Phase.DELTA, mechanisms=without("cleanup_needs_proof"))
    assert coordinator.react(lax, TaskTold(Kind.DELTA, 0, queued=True)) == Reaction({"cursor": 1})


@pytest.mark.parametrize("phase", list(Phase))
def test_recovery_keeps_the_epoch_and_never_skips_ahead(phase: Phase) -> None:
    changes = recovered(record(phase, proof=True, scanned={"a": copy(1)}, cursor=1))
    assert "epoch" not in changes
    redone = phase in (Phase.DRAIN_SOURCE, Phase.DRAIN_TARGET, Phase.DELTA)
    assert changes.get("phase") == (Phase.SEAL if redone else None)
    assert changes.get("cursor") == (0 if redone else None)  # a delta pass begins at the first page
    if redone or phase in (Phase.DUAL, Phase.COPY, Phase.SEAL):
        assert (changes["proof"], changes["scanned"]) == (False, {})
    if phase in (Phase.GRACE, Phase.CLEANUP):
        assert changes == {}


def test_a_page_that_is_scanned_again_is_what_is_there_now() -> None:
    keys = {page_of(key, 2): key for key in map(str, range(9))}  # one in each of two pages
    held = {key: copy(1, key) for key in keys.values()}
    now = record(Phase.DELTA, scanned=held)
    empty = Coordinator(2).react(now, PageRead(0, ()))
    assert empty == Reaction({"scanned": {keys[1]: held[keys[1]]}, "cursor": 1})
    newer = copy(2, keys[0])
    again = Coordinator(2).react(now, PageRead(0, (newer,)))
    assert again is not None and again.changes["scanned"] == {keys[0]: newer, keys[1]: held[keys[1]]}
