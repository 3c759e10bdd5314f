"""The coordinator's hands: begin, abort, crash, late commands, and what each safeguard does to them."""

from __future__ import annotations

from typing import Any

import pytest
from shards import deliver, do, drive, everything, offered, shard

from cutproof.impl import commands, mover
from cutproof.impl.audit import audit
from cutproof.impl.coordinator import (
    AskTask,
    Delete,
    Fence,
    HeldThere,
    PageRead,
    Proceed,
    ReadBack,
    ReadPage,
    TaskTold,
    Wipe,
)
from cutproof.impl.copies import Copy
from cutproof.impl.miroir import InvalidTransition
from cutproof.impl.node import Kind, Message, Node, Replica
from cutproof.impl.record import Phase
from cutproof.impl.shard import Shard
from cutproof.model.cutover.mechanisms import Cleanup


def test_it_moves_from_the_owner_if_nobody_says_otherwise() -> None:
    for source in ("", "P"):
        s = shard(members=(("O", "P"),))
        mover.begin(s, "N", source=source)
        assert s.record.source == (source or "O")


def test_a_whole_migration() -> None:
    s = shard(pages=3)
    for n in range(9):
        s.submit(f"doc-{n}", {"n": n})
    everything(s)
    mover.begin(s, "N")
    everything(s)
    assert s.record.phase is Phase.COMPLETE
    assert s.record.owner == "N"
    assert len(s.at("N").documents) == 9
    assert s.at("O").documents == {}
    assert s.at("O").fence == s.record.epoch  # the fence outlives the documents
    assert audit([s]).clean


@pytest.mark.parametrize("phase", ["dual", "copy", "seal", "drain_source", "drain_target", "delta"])
def test_before_activation_it_can_be_aborted_and_retried_after_the_wipe(phase: str) -> None:
    s = shard()
    s.submit("a", {})
    everything(s)
    mover.begin(s, "N")
    drive(s, phase)
    do(s, "abort")
    assert s.record.owner == "O"
    with pytest.raises(InvalidTransition):
        mover.begin(s, "N")
    do(s, "wipe")
    assert s.at("N").documents == {}
    mover.begin(s, "N")
    everything(s)
    assert s.record.owner == "N"
    assert audit([s]).clean


@pytest.mark.parametrize("without", [[], ["abort_forgets_cursor"]])
@pytest.mark.parametrize("phase", ["seal", "delta"])
def test_an_abort_forgets_how_far_the_attempt_had_come(phase: str, without: list[str]) -> None:
    s = shard(*without, pages=3)
    mover.begin(s, "N")
    drive(s, phase)
    s.change(s.record, cursor=2)
    do(s, "abort")
    do(s, "wipe")
    mover.begin(s, "N")
    assert s.record.cursor == (2 if without else 0)
    drive(s, "copy")
    assert mover.wants(s)[-1] == ReadPage("O", s.record.cursor)


@pytest.mark.parametrize("without", [[], ["proof_of_this_attempt"]])
def test_a_proof_is_forgotten_by_the_abort_of_its_attempt(without: list[str]) -> None:
    s = shard(*without)
    s.submit("a", {})
    everything(s)
    mover.begin(s, "N")
    drive(s, "delta")
    s.change(s.record, proof=True)
    do(s, "abort")
    assert s.record.proof is bool(without)
    do(s, "wipe")
    mover.begin(s, "N")
    assert s.record.proof is bool(without)
    s.submit("b", {})
    everything(s)
    assert s.record.phase is Phase.COMPLETE
    assert bool(s.record.scanned) is bool(without)  # without a proof of its own a repair may be queued yet


@pytest.mark.parametrize("without", [[], ["proof_of_this_attempt"]])
def test_a_begin_forgets_the_proof_and_the_clean_pass_of_the_way_there(without: list[str]) -> None:
    s = shard(*without, members=(("O",), ("R",)), skip_delta_pass=True, cleanup=Cleanup.AFTER_CLEAN_PASS)
    mover.begin(s, "N")
    drive(s, "grace")
    do(s, "clean_pass")
    everything(s)
    assert s.record.phase is Phase.COMPLETE and s.record.clean
    s.change(s.record, proof=True)
    mover.begin(s, "O")
    assert (s.record.clean, s.record.proof) == (bool(without), bool(without))


@pytest.mark.parametrize("phase", ["activate", "grace", "cleanup", "complete"])
def test_after_activation_it_only_goes_forward(phase: str) -> None:
    s = shard()
    mover.begin(s, "N")
    drive(s, phase)
    assert not mover.may_abort(s)
    assert not offered(s, "revert_routing")
    with pytest.raises(InvalidTransition):
        mover.abort(s)
    with pytest.raises(InvalidTransition):
        mover.revert_routing(s)


def test_without_roll_forward_only_the_routing_is_reverted_and_a_write_is_lost() -> None:
    s = shard("roll_forward_only")
    mover.begin(s, "N")
    drive(s, "delta")
    assert not offered(s, "revert_routing")
    drive(s, "grace")
    s.submit("a", {})
    do(s, "accept")
    do(s, "apply")
    do(s, "acknowledge")
    do(s, "revert_routing")
    assert audit([s]).kinds() == {"LAW": 1}


@pytest.mark.parametrize(
    ("phase", "after"),
    [("dual", "dual"), ("copy", "copy"), ("seal", "seal"), ("drain_source", "seal"), ("drain_target", "seal"),
     ("delta", "seal"), ("activate", "activate"), ("grace", "grace"), ("cleanup", "cleanup")],
)  # fmt: skip
def test_after_a_crash_it_goes_on_where_the_record_says(phase: str, after: str) -> None:
    s = shard(pages=2)
    s.submit("a", {})
    everything(s)
    mover.begin(s, "N")
    drive(s, phase)
    do(s, "crash")
    assert s.record.phase.value == after
    everything(s)
    assert s.record.phase is Phase.COMPLETE
    assert audit([s]).clean


def test_each_attempt_has_epochs_of_its_own_and_begins_at_the_first_page() -> None:
    s = shard(pages=2)
    s.submit("a", {})
    deliver(s)
    for attempt in range(3):
        mover.begin(s, "N")
        assert s.record.epoch == 4 * attempt + 1
        drive(s, "delta")
        drive_pages(s)
        assert (s.record.cursor, s.record.proof, list(s.record.scanned)) == (2, True, ["a"])
        do(s, "abort")
        assert s.record.epoch == 4 * attempt + 4
        assert (s.record.cursor, s.record.proof, dict(s.record.scanned)) == (0, False, {})
        do(s, "wipe")


@pytest.mark.parametrize("phase", ["copy", "delta", "grace"])
def test_without_a_durable_record_the_old_owner_serves_again(phase: str) -> None:
    s = shard("durable_record", pages=2)
    s.submit("a", {})
    deliver(s)
    mover.begin(s, "N")
    do(s, "abort")
    do(s, "wipe")
    mover.begin(s, "N")
    drive(s, phase)
    if phase != "grace":
        drive_pages(s)
        assert s.record.cursor == 2
    do(s, "crash")
    assert (s.record.phase, s.record.owner, s.record.epoch) == (Phase.IDLE, "O", 4)
    assert (s.record.cursor, s.record.proof) == (0, False)
    assert list(s.record.scanned) == (["a"] if phase == "grace" else [])


def drive_pages(of: Shard) -> None:
    """All pages of a phase, and the proof."""
    for _ in range(2):
        do(of, "read_page" if of.record.phase is Phase.COPY else "scan")
        deliver(of)
        for action in ("page_landed", "repaired"):
            if offered(of, action):
                do(of, action)
    if of.record.phase is Phase.DELTA:
        do(of, "prove")


def test_a_crash_abandons_the_pages_of_the_shard_and_nothing_else() -> None:
    s = shard()
    s.submit("a", {})
    deliver(s)
    mover.begin(s, "N")
    s.submit("b", {})
    drive(s, "copy")
    other = Message(Kind.PAGE, Replica(s.nodes["N"], 0, 5, s.rules, 1), (), 1)
    s.network.send(other)
    do(s, "read_page")
    *_, page = s.network.under_way()
    do(s, "crash")
    assert [m for m in s.network.under_way() if m.abandoned] == [page]


def test_after_a_crash_a_page_that_had_landed_is_sent_again() -> None:
    s = shard()
    s.submit("a", {})
    deliver(s)
    mover.begin(s, "N")
    drive(s, "copy")
    do(s, "read_page")
    deliver(s)
    assert offered(s, "page_landed")
    do(s, "crash")
    do(s, "read_page")
    assert not offered(s, "page_landed")


def test_no_more_strays_of_a_page_are_kept_than_the_network_says() -> None:
    s = shard()
    s.submit("a", {})
    deliver(s)
    mover.begin(s, "N")
    drive(s, "copy")
    s.network.strays = 1
    elsewhere = Replica(s.nodes["N"], 0, 5, s.rules, 1)
    for replica, page in ((elsewhere, 0), (s.at("N"), 1)):  # of another shard, and another page
        stray = Message(Kind.PAGE, replica, (), 1, page=page)
        stray.abandoned = True
        s.network.send(stray)
    for _ in range(2):
        do(s, "read_page")
        do(s, "page_times_out")
        assert len(s.network.under_way()) == 3  # the second time it is lost


def test_a_page_of_a_crashed_coordinator_is_still_on_its_way() -> None:
    s = shard()
    s.submit("a", {})
    everything(s)
    mover.begin(s, "N")
    drive(s, "copy")
    do(s, "read_page")
    do(s, "page_times_out")
    (stray,) = s.network.under_way()
    assert stray.abandoned
    assert "page of a@0.1 put to N in epoch 1" in repr(stray)
    do(s, "read_page")
    do(s, "accept")
    do(s, "apply")
    assert stray not in s.network.under_way()
    assert not offered(s, "page_landed")  # it waits for the page that it sent itself
    deliver(s)
    do(s, "page_landed")
    everything(s)
    assert s.record.phase is Phase.COMPLETE


def test_that_a_stray_page_fails_tells_the_coordinator_nothing() -> None:
    s = shard()
    s.submit("a", {})
    everything(s)
    mover.begin(s, "N")
    drive(s, "copy")
    do(s, "read_page")
    do(s, "page_times_out")
    do(s, "read_page")
    do(s, "delivery_fails")  # the stray one
    assert not offered(s, "read_page")
    do(s, "accept")
    do(s, "task_fails")
    do(s, "read_page")


def test_a_failed_page_is_read_again_unless_errors_are_read_as_the_end() -> None:
    for safeguard in ("", "failed_page_is_retried"):
        s = shard(*filter(None, [safeguard]))
        s.submit("a", {})
        everything(s)
        mover.begin(s, "N")
        drive(s, "copy")
        do(s, "read_page")
        do(s, "delivery_fails")
        assert bool(offered(s, "read_page")) == (not safeguard)
        assert bool(offered(s, "seal")) == bool(safeguard)


def test_a_lost_page_is_noticed() -> None:
    s = shard()
    s.submit("a", {})
    everything(s)
    mover.begin(s, "N")
    drive(s, "copy")
    do(s, "read_page")
    do(s, "delivery_is_lost")
    do(s, "page_is_gone")
    assert offered(s, "read_page")


def test_commands_of_the_past_are_refused_by_their_epoch() -> None:
    for safeguard in ("", "command_epoch"):
        s = shard(*filter(None, [safeguard]))
        mover.begin(s, "N")
        do(s, "abort")
        do(s, "late_fence", "O")
        assert s.at("O").fence == 1
        do(s, "wipe")
        mover.begin(s, "N")
        drive(s, "copy")
        assert bool(offered(s, "late_wipe")) == bool(safeguard)


def test_a_late_deletion_needs_a_later_attempt() -> None:
    s = shard("command_epoch")
    s.submit("a", {})
    everything(s)
    mover.begin(s, "N")
    everything(s)
    assert not offered(s, "late_delete")
    mover.begin(s, "O", source="N")
    drive(s, "seal")
    do(s, "late_delete")
    assert s.at("O").documents == {}


@pytest.mark.parametrize(
    ("epoch", "fence", "lands"), [(1, 0, True), (2, 1, True), (1, 1, False), (4, 1, False)]
)
def test_a_late_fence_only_raises_and_is_older_than_the_record(epoch: int, fence: int, lands: bool) -> None:
    s = shard()
    mover.begin(s, "N")
    do(s, "abort")
    assert s.record.epoch == 4
    s.at("O").fence = fence
    assert commands.lands_late(s, Fence("O", epoch)) == lands


@pytest.mark.parametrize(
    ("fence", "confirmed", "lands", "without_epochs"),
    [
        (1, 0, False, False),  # it has not been sent before: no late one, but the wipe itself
        (4, 0, True, True),
        (4, 4, True, True),
        (1, 4, True, True),
        (3, 5, True, True),
        (5, 5, False, True),  # fenced above its epoch, a node refuses it
        (5, 0, False, True),
    ],
)
def test_a_wipe_lands_once_more_below_the_fence(
    fence: int, confirmed: int, lands: bool, without_epochs: bool
) -> None:
    for s, expected in ((shard(), lands), (shard("command_epoch"), without_epochs)):
        mover.begin(s, "N")
        do(s, "abort")
        s.at("N").fence = fence
        s.change(s.record, confirmed={"N": confirmed})
        assert commands.lands_late(s, Wipe("N", 4)) == expected


@pytest.mark.parametrize(
    ("epoch", "fence", "lands", "without_epochs"),
    [(3, 3, True, True), (3, 2, True, True), (3, 5, False, True), (5, 3, False, False), (7, 3, False, False)],
)
def test_a_deletion_lands_late_after_its_attempt_and_below_the_fence(
    epoch: int, fence: int, lands: bool, without_epochs: bool
) -> None:
    for s, expected in ((shard(), lands), (shard("command_epoch"), without_epochs)):
        mover.begin(s, "N")
        drive(s, "complete")
        mover.begin(s, "O")
        assert s.record.epoch == 5
        s.at("O").fence = fence
        assert not commands.lands_late(s, Delete("O", epoch))  # there is nothing to delete
        s.submit("a", {})
        do(s, "accept", "to O")
        do(s, "apply", "to O")
        assert commands.lands_late(s, Delete("O", epoch)) == expected


def test_the_copy_and_the_drains_wait_for_what_was_accepted() -> None:
    s = shard()
    mover.begin(s, "N")
    for phase, node, action in (
        ("dual", "O", "start_copy"),
        ("drain_source", "O", "source_drained"),
        ("drain_target", "N", "target_drained"),
    ):
        drive(s, phase)
        s.network.send(Message(Kind.REPAIR, s.at(node), (), s.record.epoch))
        if phase == "dual":  # what is accepted later is not waited for
            do(s, "accept", "repair")
        for command in (Fence("O", s.record.epoch), Fence("N", s.record.epoch)):
            mover.perform(s, command)
        if phase != "dual":
            assert offered(s, action)  # it is not accepted yet
            do(s, "accept", "repair")
        assert not offered(s, action)
        do(s, "apply", "repair")
        do(s, action)


def test_a_drain_that_trusts_a_table_waits_for_every_write_to_the_target() -> None:
    for without, table, waits in (
        (["delta_always"], True, True),
        (["delta_always"], False, False),
        ([], True, False),
    ):
        s = shard(*without, table=table)
        mover.begin(s, "N")
        s.submit("a", {})
        do(s, "accept", "to O")
        do(s, "apply", "to O")
        drive(s, "drain_source")
        assert bool(offered(s, "source_drained")) != waits
        do(s, "delivery_is_lost", "to N")
        do(s, "source_drained")


def test_a_page_by_offset_has_one_document_in_key_order() -> None:
    s = shard("keyset_paging", pages=3)
    for key in "ab":
        s.submit(key, {})
    s.submit("c", None)  # not counted
    everything(s)
    for page, copy in enumerate(s.owner.listed()):
        assert commands.answer(s, ReadPage("O", page, True)) == PageRead(page, (copy,))
    assert commands.answer(s, ReadPage("O", 2, True)) == PageRead(2, (), ended=True)
    mover.begin(s, "N")
    drive(s, "copy")
    for _ in s.owner.listed():
        do(s, "read_page")
        deliver(s)
        do(s, "page_landed")
    do(s, "seal")
    assert set(s.at("N").documents) == {"a", "b"}


def test_a_repair_lands_and_a_proof_may_fail() -> None:
    s = shard()
    s.submit("a", {})
    deliver(s)
    mover.begin(s, "N")
    drive(s, "delta")
    do(s, "scan")
    deliver(s)
    do(s, "repaired")
    s.at("N").documents.clear()
    do(s, "proof_fails")
    assert (s.record.cursor, s.record.proof) == (0, False)
    do(s, "scan")
    deliver(s)
    do(s, "repaired")
    do(s, "prove")
    assert s.record.proof


def test_what_is_unequal_has_the_same_version_and_another_content() -> None:
    s = shard()
    s.add_replica(0, "N")
    history = s.history("a")
    scanned = {
        key: Copy(key, (0, 1, 0), {"n": 1}, 2, history) for key in ("same", "other", "newer", "missing")
    }
    s.change(s.record, scanned=scanned)
    held = s.at("N").documents
    held["same"] = scanned["same"]
    held["other"] = Copy("other", (0, 1, 0), {"n": 2}, 2, history)
    held["newer"] = Copy("newer", (0, 2, 0), {"n": 2}, 4, history)
    assert commands.answer(s, ReadBack("N")) == HeldThere(held, frozenset({"other"}))


def test_a_page_is_asked_for_by_kind_number_and_shard_and_not_if_it_was_abandoned() -> None:
    s = shard(pages=3)
    mover.begin(s, "N")
    target, asked = s.at("N"), AskTask("N", Kind.PAGE, 1)
    elsewhere = Replica(s.nodes["N"], 0, 5, s.rules, 1)
    for kind, replica, page in ((Kind.DELTA, target, 1), (Kind.PAGE, target, 2), (Kind.PAGE, elsewhere, 1)):
        s.network.send(Message(kind, replica, (), 1, page=page))
    assert commands.answer(s, asked) == TaskTold(Kind.PAGE, 1)
    message = Message(Kind.PAGE, target, (), 1, page=1)
    s.network.send(message)
    assert commands.answer(s, asked) == TaskTold(Kind.PAGE, 1, under_way=True)
    s.network.accept(message)
    assert commands.answer(s, asked) == TaskTold(Kind.PAGE, 1, queued=True)
    message.abandoned = True
    assert commands.answer(s, asked) == TaskTold(Kind.PAGE, 1)


def test_a_delete_without_a_fence_that_lasts_lets_old_writes_in() -> None:
    s = shard("fence_outlives_data")
    old = s.route
    mover.begin(s, "N")
    drive(s, "cleanup")
    do(s, "delete_source")
    assert s.at("O").fence == 0
    s.submit("a", {}, route=old)
    assert offered(s, "accept", "to O")


def test_what_can_not_begin_is_refused() -> None:
    s = shard(members=(("O",), ("R",)))
    with pytest.raises(ValueError, match="R holds a replica of shard 0 already"):
        mover.begin(s, "R")
    with pytest.raises(ValueError, match="X holds no replica of shard 0; choose one that does"):
        mover.begin(s, "N", source="X")
    with pytest.raises(ValueError, match="O holds a replica of shard 0 already"):
        mover.check_begin(shard("target_holds_no_replica"), "O")  # onto itself: never
    mover.begin(s, "N")
    with pytest.raises(InvalidTransition, match="shard 0 is in dual"):
        mover.begin(s, "N")
    assert not mover.begin_another(s)


def test_an_empty_start_on_a_machine_with_a_replica_deletes_it_and_nothing_else() -> None:
    s = shard("target_holds_no_replica", members=(("O",), ("N",)))
    s.submit("a", {})
    deliver(s)
    other = Replica(s.nodes["N"], 1, 5, s.rules, 1)  # of another shard
    other.documents.update(s.owner.documents)
    s.nodes["N"].replicas[1, 5] = other
    mover.begin(s, "N")
    s.submit("b", {})
    deliver(s)
    assert list(s.replicas[1, "N"].documents) == ["a", "b"]
    do(s, "raise_fence", "N")
    assert s.replicas[1, "N"].documents == {}
    assert [list(r.documents) for r in (s.replicas[0, "N"], other)] == [["b"], ["a"]]
    s.submit("c", {})
    deliver(s)
    do(s, "raise_fence", "O")
    drive(s, "seal")
    do(s, "raise_fence", "N")  # only a start is empty
    assert list(s.replicas[1, "N"].documents) == ["c"]


def test_a_second_migration_overlaps_where_nothing_forbids_it() -> None:
    s = shard("one_migration_per_shard")
    s.nodes["M"] = Node("M")
    mover.begin(s, "M")
    do(s, "abort")
    do(s, "wipe")
    mover.begin(s, "N")
    drive(s, "delta")
    do(s, "scan")
    do(s, "prove")
    assert mover.begin_another(s)
    assert (s.record.phase, s.record.epoch, s.record.cursor, s.record.proof) == (Phase.DUAL, 9, 0, False)
    assert s.record.moves == (("O", "M"), ("O", "N"), ("O", "N"))
    do(s, "rival_activates")
    assert (s.record.phase, s.record.epoch, s.record.cursor, s.record.owner) == (Phase.ACTIVATE, 11, 0, "N")
    assert {Fence("O", 11), Fence("N", 11)} <= set(s.sent)
    s.submit("a", {})
    assert not offered(s, "accept", "to N")  # the nodes of this attempt too are opened by its fence


def test_what_was_sent_may_land_late_and_a_deletion_is_sent_once() -> None:
    s = shard()
    mover.begin(s, "N")
    drive(s, "seal")
    do(s, "abort")
    assert {command.epoch for c in offered(s, "late_fence") for command in c.what} == {2}
    do(s, "wipe")
    mover.begin(s, "N")
    drive(s, "grace")
    assert not any(isinstance(command, Delete) for command in s.sent)
    drive(s, "complete")
    assert [command for command in s.sent if isinstance(command, Delete)] == [Delete("O", 7)]


def test_a_fence_is_raised_again_until_it_stands_and_is_confirmed() -> None:
    s = shard()
    mover.begin(s, "N")
    s.at("O").fence = 1  # it was raised, and nobody heard
    do(s, "raise_fence", "O")
    assert not offered(s, "raise_fence", "O")
    s.at("O").fence = 0  # it was heard of, and is gone
    fence = Fence("O", 1)
    assert mover.perform(s, fence)
    assert s.at("O").fence == 1
    assert not mover.perform(s, fence)


def test_a_deletion_is_refused_above_its_epoch_and_where_nobody_can_be_reached() -> None:
    for safeguard in ("", "command_epoch"):
        s = shard(*filter(None, [safeguard]))
        mover.begin(s, "N")
        drive(s, "cleanup")
        s.at("O").fence = 4
        assert bool(offered(s, "delete_source")) == bool(safeguard)
        s.at("O").fence = 3
        assert offered(s, "delete_source")
        s.at("O").node.cut = True
        assert not offered(s, "delete_source")
        s.at("O").node.cut = False
        assert mover.perform(s, Delete("O", 3))


def test_pages_and_what_the_delta_pass_repairs_are_counted() -> None:
    s = shard()
    copies = [s.submit(key, {}).copy for key in ("equal", "older", "old", "missing")]
    deliver(s)
    mover.begin(s, "N")
    drive(s, "delta")
    assert (s.costs.pages_sent, s.costs.documents_copied) == (1, 4)
    held = s.at("N").documents
    held.clear()
    held["equal"] = copies[0]
    for copy in copies[1:3]:
        held[copy.key] = Copy(copy.key, (0, 0, 0), {}, 2, copy.history)
    do(s, "scan")
    assert (s.costs.pages_sent, s.costs.documents_repaired_by_delta) == (2, 3)


def test_nodes_that_are_cut_off_answer_nobody() -> None:
    s = shard()
    mover.begin(s, "N")
    for node in "ON":
        s.at(node).node.cut = True
    assert not offered(s, "raise_fence")
    assert not any(mover.perform(s, c) for c in mover.wants(s))
    do(s, "abort")
    assert not offered(s, "late_fence")
    assert not offered(s, "wipe")
    do(s, "heal", "N")
    do(s, "wipe")


def test_clean_up_waits_for_a_clean_pass_where_the_policy_says_so() -> None:
    s = shard(members=(("O",), ("R",)), skip_delta_pass=True, cleanup=Cleanup.AFTER_CLEAN_PASS)
    s.submit("a", {})
    everything(s)
    mover.begin(s, "N")
    drive(s, "grace")
    assert not offered(s, "start_cleanup")
    do(s, "clean_pass")
    assert not offered(s, "clean_pass")
    do(s, "start_cleanup")
    assert not offered(s, "clean_pass")


@pytest.mark.parametrize(
    "knobs",
    [{}, {"cleanup": Cleanup.AFTER_CLEAN_PASS}, {"skip_delta_pass": True, "cleanup": Cleanup.IMMEDIATE}],
)
def test_nobody_looks_for_a_clean_pass_where_clean_up_does_not_wait_for_one(knobs: dict[str, Any]) -> None:
    s = shard(members=(("O",), ("R",)), **knobs)
    mover.begin(s, "N")
    drive(s, "grace")
    assert not offered(s, "clean_pass")


def test_where_somebody_switched_anti_entropy_off_no_pass_is_clean() -> None:
    s = shard(
        "policy_is_recorded", members=(("O",), ("R",)), skip_delta_pass=True, cleanup=Cleanup.AFTER_CLEAN_PASS
    )
    mover.begin(s, "N")
    drive(s, "grace")
    assert offered(s, "clean_pass")
    do(s, "change_policy")
    assert not offered(s, "clean_pass")


def test_a_delta_that_trusts_a_table_runs_if_it_shows_something() -> None:
    s = shard("delta_always", table=True)
    mover.begin(s, "N")
    s.submit("a", {})
    do(s, "delivery_fails", "to N")
    assert s.table is not None
    assert s.table.shows(s)
    do(s, "accept", "to O")
    do(s, "apply", "to O")
    do(s, "acknowledge")
    everything(s, "read_page")
    assert audit([s]).clean


def test_a_table_of_documents_believes_a_later_write_that_a_table_of_writes_does_not() -> None:
    for safeguard in ("", "per_write_tracking"):
        s = shard("delta_always", *filter(None, [safeguard]), table=True)
        assert s.table is not None
        mover.begin(s, "N")
        s.submit("a", {"n": 1})
        do(s, "delivery_fails", "1 put to N")
        do(s, "accept", "1 put to O")
        do(s, "apply", "1 put to O")
        assert s.table.shows(s)  # what the source has settles nothing
        s.submit("a", {"n": 2})
        do(s, "accept", "2 put to N")
        do(s, "apply", "2 put to N")
        assert s.table.shows(s) == (not safeguard)


def test_a_table_that_all_share_is_erased_or_blocked_by_other_migrations() -> None:
    s = shard("delta_always", table=True)
    mover.begin(s, "N")
    assert not offered(s, "other_migration_hangs")
    s = shard("delta_always", "per_migration_tracking", table=True)
    assert s.table is not None
    mover.begin(s, "N")
    assert not offered(s, "other_migration_ends")
    s.submit("a", {})
    do(s, "delivery_fails", "to N")
    deliver(s)
    assert s.table.shows(s)
    do(s, "other_migration_ends")
    assert not s.table.shows(s)
    drive(s, "drain_source")
    assert offered(s, "source_drained")
    do(s, "other_migration_hangs")
    assert not offered(s, "source_drained")
    assert not offered(s, "other_migration_hangs")


def test_what_is_not_wanted_is_still_only_a_compare_and_set() -> None:
    s = shard()
    assert mover.perform(s, Proceed(Phase.SEAL))
    assert (s.record.phase, s.record.epoch) == (Phase.SEAL, 1)


def under_traffic(s: Shard, rounds: int) -> int:
    """Clients write so that something is always queued at O; after how many rounds the copy may start, -1 if never."""
    s.submit("a", {"n": 0})
    do(s, "accept", "to O")
    for n in range(1, rounds):
        s.submit(f"key-{n}", {"n": n})
        do(s, "accept", f"key-{n}", "to O")
        do(s, "apply", "to O")  # the oldest
        assert s.at("O").queue
        if offered(s, "start_copy"):
            return n
    return -1


def test_the_copy_does_not_wait_for_what_is_written_twice() -> None:
    s = shard()
    s.submit("before", {})
    do(s, "accept", "before")
    mover.begin(s, "N")
    for node in "ON":
        do(s, "raise_fence", repr(node))
    assert s.at("O").accepted(s.record.epoch) == s.at("O").accepted() != []
    assert not offered(s, "start_copy")
    assert under_traffic(s, 9) == 1  # once what was there before is applied
    do(s, "start_copy")
    everything(s)
    assert s.record.phase is Phase.COMPLETE
    assert {*s.at("N").documents} == {"before", "a", "key-1"}
    assert audit([s]).clean


def test_without_the_rule_the_copy_waits_as_long_as_clients_write() -> None:
    s = shard("copy_waits_for_earlier_alone")
    mover.begin(s, "N")
    for node in "ON":
        do(s, "raise_fence", repr(node))
    assert under_traffic(s, 200) == -1
    everything(s)
    assert s.record.phase is Phase.COMPLETE


# ------------------------------------------------------------------ the next migration


def test_a_policy_that_was_set_since_brings_a_delta_pass_and_no_repairs() -> None:
    s = shard(skip_delta_pass=True, cleanup=Cleanup.IMMEDIATE)
    s.changed = True
    mover.begin(s, "N")
    assert s.record.mechanisms.delta and s.switched_off


def test_fences_are_owed_where_another_migration_is_planned_and_only_until_they_are_up() -> None:
    s = shard(members=(("O",), ("R",)))
    mover.begin(s, "N")
    drive(s, "complete")
    r = s.at("R")
    r.fence = 0
    assert not mover.owes_fences(s)  # nobody plans another
    s.plans_another = True
    assert mover.owes_fences(s)
    r.node.cut = True
    assert not mover.owes_fences(s)  # it cannot be reached
    r.node.cut = False
    everything(s)
    assert r.fence == s.record.epoch and not mover.owes_fences(s)


def test_a_wipe_that_an_abort_left_is_no_fence_that_is_owed() -> None:
    s = shard()
    mover.begin(s, "N")
    do(s, "abort")
    assert any(mover.can_perform(s, command) for command in mover.wants(s))
    assert not mover.owes_fences(s)
