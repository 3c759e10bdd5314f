"""A shard: writes, held and partial ones, answers, and what each safeguard does to them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from shards import choices_state, deliver, do, drive, everything, offered, shard

from cutproof.impl import mover
from cutproof.impl.audit import Audit, audit
from cutproof.impl.clients import Status
from cutproof.impl.copies import Copy, order_of
from cutproof.impl.network import falls_short, served
from cutproof.impl.node import Kind, Message, Node
from cutproof.impl.record import Phase
from cutproof.impl.shard import Costs, Shard
from cutproof.model.cutover.mechanisms import Acknowledge, Cleanup, ReplicaAck


def test_a_write_is_accepted_then_applied_then_acknowledged() -> None:
    s = shard()
    write = s.submit("a", {"x": 1})
    assert not offered(s, "acknowledge")
    do(s, "accept")
    assert not offered(s, "acknowledge")  # accepted is not applied
    assert s.owner.documents == {}
    do(s, "apply")
    do(s, "acknowledge")
    assert write.acknowledged
    assert s.owner.documents["a"].content == {"x": 1}
    assert "acknowledged" in repr(write)


def test_without_ack_after_applied_it_is_acknowledged_when_it_is_queued() -> None:
    s = shard("ack_after_applied")
    s.submit("a", {"x": 1})
    do(s, "accept")
    do(s, "acknowledge")
    do(s, "task_fails")
    assert audit([s]).kinds() == {"LAW": 1}


@pytest.mark.parametrize(
    ("fault", "status"), [("delivery_fails", Status.FAILED), ("delivery_is_lost", Status.FAILED)]
)
def test_a_write_that_no_node_took_fails(fault: str, status: Status) -> None:
    s = shard()
    write = s.submit("a", {})
    do(s, fault)
    do(s, "fail")
    assert write.status is status
    assert s.costs.failed == 1


def test_a_write_that_every_node_refused_never_happens() -> None:
    s = shard()
    write = s.submit("a", {})
    mover.begin(s, "N")
    do(s, "raise_fence", "O")
    do(s, "refuse")
    do(s, "fail")
    assert write.status is Status.REFUSED
    assert s.costs.refused == 1


def test_while_dual_the_source_must_have_it_and_the_target_alone_is_not_enough() -> None:
    s = shard()
    mover.begin(s, "N")
    write = s.submit("a", {})
    do(s, "accept", "to N")
    do(s, "apply", "to N")
    assert not offered(s, "acknowledge")
    do(s, "delivery_fails", "to O")
    do(s, "fail")
    assert write.status is Status.FAILED
    again = shard("ack_needs_source")
    mover.begin(again, "N")
    again.submit("a", {})
    do(again, "accept", "to N")
    do(again, "apply", "to N")
    do(again, "acknowledge")
    assert audit([again]).kinds() == {"LAW": 1}


def test_where_all_must_acknowledge_both_do() -> None:
    s = shard(acknowledge=Acknowledge.ALL, replicas=False)
    mover.begin(s, "N")
    s.submit("a", {})
    do(s, "accept", "to O")
    do(s, "apply", "to O")
    assert not offered(s, "acknowledge")
    do(s, "accept", "to N")
    do(s, "apply", "to N")
    assert offered(s, "acknowledge")


@pytest.mark.parametrize(
    ("ack", "needed"), [(ReplicaAck.NONE, "O"), (ReplicaAck.COUNTS, "R"), (ReplicaAck.REQUIRED, "OR")]
)
def test_which_replicas_count_is_policy(ack: ReplicaAck, needed: str) -> None:
    s = shard(members=(("O",), ("R",)), replica_ack=ack)
    write = s.submit("a", {})
    for node in needed:
        assert not offered(s, "acknowledge")
        do(s, "accept", f"to {node}")
        do(s, "apply", f"to {node}")
    do(s, "acknowledge")
    assert write.degraded == (len(needed) == 1)


def test_a_quorum_and_the_owner_are_needed() -> None:
    s = shard(members=(("O", "P", "Q"),))
    s.submit("a", {})
    for node in "PQ":
        do(s, "accept", f"to {node}")
        do(s, "apply", f"to {node}")
    assert not offered(s, "acknowledge")  # a quorum without the owner
    do(s, "accept", "to O")
    do(s, "apply", "to O")
    assert offered(s, "acknowledge")


def test_sealed_writers_are_held_and_go_on_in_order() -> None:
    s = shard()
    mover.begin(s, "N")
    drive(s, "seal")
    writes = [s.submit("a", {"n": n}) for n in range(3)]
    assert {w.status for w in writes} == {Status.HELD}
    assert {(w.copy.version, w.copy.order) for w in writes} == {((0, 0, 0), 0)}  # they have none yet
    assert s.costs.held == 3
    do(s, "give_up", "held")
    assert writes[0].status is Status.REFUSED
    assert s.costs.refused == 1
    drive(s, "activate")
    assert [w.status for w in writes[1:]] == [Status.WAITING, Status.WAITING]
    assert writes[1].copy.version < writes[2].copy.version
    assert [w.copy.order for w in writes[1:]] == [2, 4]
    everything(s)
    assert s.owner.documents["a"].content == {"n": 2}


def test_without_seal_blocks_writes_they_go_on() -> None:
    s = shard("seal_blocks_writes")
    mover.begin(s, "N")
    drive(s, "seal")
    assert s.submit("a", {}).status is Status.WAITING


def test_a_partial_update_waits_for_the_write_before_it() -> None:
    s = shard()
    first = s.submit("a", {"x": 1, "y": 1})
    second = s.submit("a", {"y": 2}, partial=True)
    assert second.status is Status.HELD
    third = s.submit("a", {"z": 3}, partial=True)
    everything(s)
    assert first.acknowledged
    assert second.acknowledged
    assert third.acknowledged
    assert s.owner.documents["a"].content == {"x": 1, "y": 2, "z": 3}


def test_a_merge_that_did_not_wait_would_lose_the_other_write() -> None:
    """What the protocol's text leaves open: a merge into what is read while another write is under way."""
    s = shard()
    s.submit("a", {"x": 0})
    everything(s)
    other = s.submit("a", {"x": 1, "promised": True})
    hasty = s.submit(
        "a", {**(s.owner.documents["a"].content or {}), "y": 2}
    )  # merged by a router that did not wait
    everything(s)
    assert other.acknowledged
    assert hasty.acknowledged
    assert "promised" not in (s.owner.documents["a"].content or {})


def test_where_nodes_merge_a_late_part_is_missed() -> None:
    s = shard("whole_documents")
    mover.begin(s, "N")
    s.submit("a", {"x": 1})
    do(s, "accept", "to O")
    do(s, "apply", "to O")
    do(s, "acknowledge")
    s.submit("a", {"y": 2})
    do(s, "accept", "2 put to N")
    do(s, "apply", "to N")
    assert s.at("N").fields_missing == {"a"}
    assert s.at("N").documents["a"].content == {"y": 2}


@pytest.mark.parametrize("safeguard", ["", "tombstones", "apply_checks_version", "whole_documents"])
def test_a_whole_document_replaces_the_old_one_unless_nodes_merge(safeguard: str) -> None:
    s = shard(*filter(None, [safeguard]))
    for content in ({"x": 1}, {"y": 2}):
        s.submit("a", content)
        everything(s)
    assert s.owner.documents["a"].content == (
        {"x": 1, "y": 2} if safeguard == "whole_documents" else {"y": 2}
    )
    for content in (None, {"z": 3}):  # nothing is merged into a tombstone
        s.submit("a", content)
        everything(s)
    assert s.owner.documents["a"].content == {"z": 3}


@pytest.mark.parametrize("safeguard", ["", "tombstones"])
def test_a_delete_leaves_a_tombstone(safeguard: str) -> None:
    s = shard(*filter(None, [safeguard]))
    s.submit("a", {"x": 1})
    everything(s)
    s.submit("a", None)
    everything(s)
    assert ("a" in s.owner.documents) == (not safeguard)
    assert audit([s]).clean


def test_a_late_write_is_superseded_unless_versions_are_not_compared() -> None:
    for safeguard in ("", "apply_checks_version"):
        s = shard(*filter(None, [safeguard]))
        late = s.submit("a", {"n": 1})
        do(s, "time_out")
        s.submit("a", {"n": 2})
        do(s, "accept", "2 put")
        do(s, "apply", "2 put")
        do(s, "acknowledge")
        do(s, "accept", "1 put")
        do(s, "apply", "1 put")
        assert late.status is Status.TIMED_OUT
        assert bool(audit([s]).lost) == bool(safeguard)


def test_a_duplicate_is_queued_once_and_changes_nothing() -> None:
    s = shard()
    s.submit("a", {})
    do(s, "accept_duplicate")
    do(s, "accept")
    assert len(s.owner.queue) == 1
    do(s, "apply")
    everything(s)
    assert s.costs.acknowledged == 1
    assert not s.network.under_way()


def test_a_stale_read_and_a_healed_document_are_noticed() -> None:
    s = shard("one_owner_record")
    s.submit("a", {"n": 1})
    everything(s)
    mover.begin(s, "N")
    read = s.read("a")
    do(s, "answer_read")
    assert read.status is Status.ACKNOWLEDGED
    assert s.stale_reads == 1
    assert "read of a" in repr(read)


def test_a_search_waits_runs_and_fails_whole() -> None:
    s = shard(pages=4)
    for n in range(6):
        s.submit(f"doc-{n}", {"n": n})
    everything(s)
    search = s.search()
    assert "0 found" in repr(search)
    do(s, "admit_search")
    for place in range(4):  # pages
        assert list(search.places.values()) == [place]
        do(s, "step_search")
    assert search.status is Status.ACKNOWLEDGED
    assert len(search.found) == 6
    assert s.wrong_searches == 0
    other = s.search()
    do(s, "admit_search")
    do(s, "restart")
    assert other.status is Status.REFUSED
    assert s.costs.searches_failed == 1


def test_a_refused_read_or_search_is_counted() -> None:
    s = shard()
    old = s.route
    mover.begin(s, "N")
    do(s, "raise_fence", "O")
    s.read("a", old)
    do(s, "refuse_read")
    s.search(old)
    do(s, "refuse_search")
    assert (s.costs.reads_refused, s.costs.searches_failed) == (1, 1)


def test_a_stale_compare_and_set_changes_nothing() -> None:
    s = shard()
    old = s.record
    mover.begin(s, "N")
    assert not s.change(old, phase=Phase.COMPLETE)
    assert s.record.phase is Phase.DUAL


@pytest.mark.parametrize(
    ("contents", "kinds"),
    [
        ([{"n": 1}], {"LAW": 1}),
        ([{"n": 1}, {"n": 2}], {"LU": 1}),
        ([{"n": 1}, None, {"n": 2}], {"LAW": 1}),  # an older tombstone is served
        ([{"n": 1}, None], {"RD": 1}),
        ([None], {}),  # nothing was there to delete
    ],
)
def test_how_an_operation_is_lost(contents: list[dict[str, int] | None], kinds: dict[str, int]) -> None:
    """All but the last are applied; the last is acknowledged, and then its task fails."""
    s = shard("ack_after_applied")
    for content in contents[:-1]:
        s.submit("a", content)
        everything(s)
    s.submit("a", contents[-1])
    do(s, "accept")
    do(s, "acknowledge")
    do(s, "task_fails")
    assert dict(audit([s]).kinds()) == kinds
    assert audit([s]).clean == (not kinds)


def test_what_comes_back_without_a_newer_acknowledgement_has_healed() -> None:
    s = shard("ack_after_applied")
    s.submit("a", {})
    do(s, "accept")
    do(s, "acknowledge")
    assert len(audit([s]).lost) == 1
    assert audit([s]).healed == ()
    do(s, "apply")
    assert audit([s]).lost == ()
    assert [entry.key for entry in audit([s]).healed] == ["a"]


def test_an_audit_is_clean_if_nothing_is_lost_and_no_client_was_shown_something_old() -> None:
    assert Audit((), 1, stale_reads=0, wrong_searches=0).clean
    assert not Audit((), 1, stale_reads=1, wrong_searches=0).clean
    assert not Audit((), 1, stale_reads=0, wrong_searches=1).clean


def test_an_audit_reads_as_a_sentence() -> None:
    s = shard()
    assert str(audit([s])) == "0 operations acknowledged on 0 documents; lost: none"
    for text in ("1 operation acknowledged on 1 document", "2 operations acknowledged on 1 document"):
        s.submit("a", {})
        everything(s)
        assert str(audit([s])) == f"{text}; lost: none"


def test_costs_add_up_and_read_as_a_sentence() -> None:
    assert str(Costs()) == ""
    total = Costs(writes=1, held=2) + Costs(writes=3)
    assert str(total) == "4 writes, 2 held"


def test_of_a_new_document_nothing_was_issued_promised_or_shown() -> None:
    history = shard().history("a")
    assert (history.issued, order_of(history.acked), order_of(history.shown)) == (0, 0, 0)
    s = shard()
    assert [s.submit("a", {}).copy.order for _ in range(3)] == [2, 4, 6]


def test_messages_and_nodes_read_as_a_sentence() -> None:
    s = shard()
    copies = tuple(s.submit(f"k{n}", {}).copy for n in range(4))
    said = repr(Message(Kind.PAGE, s.owner, copies[:3], 1))
    assert said == "page of k0@0.1 put, k1@0.2 put, k2@0.3 put to O in epoch 1"
    said = repr(Message(Kind.DELTA, s.owner, copies, 2))
    assert said == "delta of k0@0.1 put, k1@0.2 put, k2@0.3 put... to O in epoch 2"
    assert repr(s.owner.node) == "node O"
    do(s, "cut_off", "O")
    assert repr(s.owner.node) == "node O, cut off"


def test_a_state_tells_apart_what_behaves_otherwise() -> None:
    def with_(change: Callable[[Shard], object]) -> object:
        s = shard(pages=2)
        mover.begin(s, "N")
        s.submit("a", {"n": 1})
        change(s)
        return choices_state(s)

    plain = with_(lambda s: None)
    assert with_(lambda s: None) == plain
    others = [
        with_(lambda s: setattr(s.coordinator, "awaits", (Kind.PAGE, 0))),
        with_(lambda s: setattr(s.coordinator, "awaits", (Kind.PAGE, 1))),
        with_(lambda s: setattr(s, "rival", s.record)),
        with_(lambda s: setattr(s, "stale_reads", 1)),
        with_(lambda s: setattr(s, "wrong_searches", 1)),
        with_(lambda s: setattr(s, "switched_off", True)),
        with_(lambda s: s.change(s.record, scanned={"a": copy_of(s, 1)})),
        with_(lambda s: s.change(s.record, scanned={"a": copy_of(s, 2)})),
        with_(lambda s: s.owner.documents.update(a=copy_of(s, 1))),
        with_(lambda s: s.owner.documents.update(a=copy_of(s, 2))),
        with_(lambda s: s.owner.documents.update(a=copy_of(s, 1, {"n": 2}))),
        with_(lambda s: s.owner.documents.update(a=copy_of(s, 1, None))),
    ]
    assert len({plain, *others}) == 1 + len(others)
    assert with_(lambda s: setattr(s, "stale_reads", 2)) == others[3]  # whether, not how many
    assert with_(lambda s: setattr(s, "wrong_searches", 2)) == others[4]


def copy_of(of: Shard, number: int, *content: dict[str, int] | None) -> Copy:
    return Copy("a", (1, number, 0), content[0] if content else {"n": 1}, 2, of.history("a"))


# ------------------------------------------------------------------ what becomes of messages


def test_a_clients_write_waits_for_the_fence_that_opens_the_target_and_a_repair_does_not() -> None:
    s = shard()
    mover.begin(s, "N")
    drive(s, "activate")
    s.submit("a", {})
    s.network.send(Message(Kind.REPAIR, s.at("N"), (), s.record.epoch))
    assert not offered(s, "accept", "write")
    assert offered(s, "accept", "repair")
    do(s, "raise_fence", "O")
    do(s, "raise_fence", "N")
    assert offered(s, "accept", "write")


def test_asked_for_a_task_a_node_tells_of_the_latest() -> None:
    s = shard(members=(("O", "P"),))
    s.submit("a", {})
    do(s, "accept", "to O")
    do(s, "apply", "to O")
    do(s, "accept_duplicate", "to P")
    do(s, "apply", "to P")
    assert offered(s, "acknowledge")
    do(s, "accept", "to P")  # once more
    assert not offered(s, "acknowledge")
    do(s, "apply", "to P")
    do(s, "acknowledge")


def test_a_task_that_fails_takes_its_success_back() -> None:
    s = shard("ack_after_applied", members=(("O", "P"),))
    s.submit("a", {})
    do(s, "accept", "to O")
    do(s, "accept", "to P")
    assert offered(s, "acknowledge")
    do(s, "task_fails", "to P")
    assert not offered(s, "acknowledge")
    do(s, "apply", "to O")
    do(s, "fail")


def test_a_write_fails_after_the_last_of_its_messages() -> None:
    s = shard()
    s.submit("a", {})
    do(s, "accept_duplicate")
    do(s, "delivery_fails")
    assert not offered(s, "fail")  # the other is in the queue
    do(s, "task_fails")
    do(s, "fail")


def test_a_node_that_is_wiped_forgets_its_tasks() -> None:
    s = shard()
    mover.begin(s, "N")
    write = s.submit("a", {})
    do(s, "accept", "to O")
    do(s, "accept", "to N")
    do(s, "abort")
    do(s, "wipe")
    assert [m.replica.node.name for m in s.network.under_way()] == ["O"]
    assert not s.at("N").queue
    assert write.pending == 1
    do(s, "apply", "to O")
    do(s, "acknowledge")


def test_what_was_wiped_acknowledges_nothing_and_what_the_source_has_still_counts() -> None:
    for ack in (Acknowledge.ALL, Acknowledge.SOURCE):
        s = shard(acknowledge=ack, replicas=False)
        mover.begin(s, "N")
        s.submit("a", {})
        deliver(s)
        assert offered(s, "acknowledge")
        do(s, "abort")
        do(s, "wipe")
        assert bool(offered(s, "acknowledge")) == (ack is Acknowledge.SOURCE)


def test_a_write_is_among_what_may_happen_once_it_can_be_answered_and_only_once() -> None:
    s = shard(members=(("O",), ("R",)))
    write = s.submit("a", {})
    pool = s.network.pool
    do(s, "accept", "to O")
    assert write not in pool
    do(s, "apply", "to O")
    assert pool.count(write) == 1
    do(s, "accept", "to R")
    do(s, "apply", "to R")
    assert pool == [write]
    do(s, "acknowledge")
    assert pool == []


def test_nothing_counts_as_the_delete_that_was_last_shown() -> None:
    s = shard()
    put, later = (copy_of(s, n) for n in (1, 2))
    older, delete = (Copy("a", (0, n, 0), None, 2 * n, s.history("a")) for n in (1, 2))
    assert [served(copy, None) for copy in (None, put, delete)] == [0, put.order, delete.order]
    assert [served(copy, delete) for copy in (None, older, put)] == [delete.order, delete.order, put.order]
    assert [served(copy, later) for copy in (None, older, put)] == [0, older.order, put.order]
    assert served(delete, older) == delete.order  # a tombstone that is newer counts as its own delete


def test_a_delete_that_was_collected_explains_what_is_missing() -> None:
    s = shard()
    history = s.history("a")
    put, history.shown = (Copy("a", (1, n, 0), {"n": n}, 2 * n, history) for n in (1, 3))
    assert falls_short(None, history, put.order)
    history.collected = put.order + 1
    assert not falls_short(None, history, put.order)
    assert falls_short(None, history, history.shown.order)  # it was issued after that delete
    assert falls_short(put, history, history.shown.order)


# ------------------------------------------------------------------ what is written, held and shown


def test_writes_that_are_sent_and_given_up_are_counted() -> None:
    s = shard("sequencer_durable")
    versions = [s.submit("a", {}).copy.version for _ in range(2)]
    assert versions == [(0, 1, 0), (0, 2, 0)]  # no clock is slow unless somebody says so
    do(s, "time_out")
    assert (s.costs.writes, s.costs.failed) == (2, 1)


def test_how_long_it_was_sealed_is_counted_from_the_seal_to_the_activation() -> None:
    s = shard()
    mover.begin(s, "N")
    drive(s, "copy")
    do(s, "read_page")
    s.network.steps = 10
    do(s, "seal")
    s.network.steps = 15
    drive(s, "delta")
    do(s, "crash")  # it is sealed as before
    s.network.steps = 40
    drive(s, "activate")
    s.network.steps = 50
    drive(s, "complete")
    assert s.costs.sealed_steps == 30


def test_each_held_write_goes_on_as_soon_as_it_can_whatever_waits_before_it() -> None:
    s = shard()
    s.submit("a", {"x": 1})
    deliver(s)
    everything(s)
    mover.begin(s, "N")
    drive(s, "seal")
    held = [s.submit("a", {"y": n}, partial=True) for n in range(2)] + [s.submit("b", {})]
    drive(s, "activate")
    assert [w.status for w in held] == [Status.WAITING, Status.HELD, Status.WAITING]
    assert held[0].copy.content == {"x": 1, "y": 0}
    everything(s)
    assert all(w.acknowledged for w in held)


def test_a_held_write_of_a_whole_document_replaces_the_old_one() -> None:
    s = shard()
    s.submit("a", {"x": 1})
    everything(s)
    mover.begin(s, "N")
    drive(s, "seal")
    s.submit("a", {"y": 2})
    everything(s)
    assert s.owner.documents["a"].content == {"y": 2}


def test_a_partial_update_of_nothing_makes_a_document_and_a_delete_stays_a_delete() -> None:
    s = shard()
    for patch, content in (({"x": 1}, {"x": 1}), (None, None), ({"y": 1}, {"y": 1})):
        s.submit("a", patch, partial=True)
        everything(s)
        assert s.owner.documents["a"].content == content


@pytest.mark.parametrize("safeguard", ["", "dual_until_seal"])
def test_dual_writing_ends_with_the_copy_only_where_nothing_forbids_it(safeguard: str) -> None:
    s = shard(*filter(None, [safeguard]), pages=2, acknowledge=Acknowledge.ALL, replicas=False)
    old = s.route
    mover.begin(s, "N")
    before = s.submit("a", {})
    drive(s, "copy")
    first = s.route
    writes = []
    for _ in range(2):
        writes.append(s.submit("a", {}))
        do(s, "read_page")
    writes += [s.submit("a", {}), s.submit("a", {}, route=old)]
    alone = bool(safeguard)
    assert [w.alone for w in (before, *writes)] == [False, False, False, alone, False]
    assert [w.pending for w in (before, *writes)] == [2, 2, 2, 1 if alone else 2, 1]
    do(s, "accept", "4 put to O")
    do(s, "apply", "4 put to O")
    assert bool(offered(s, "acknowledge", "4 put")) == alone
    do(s, "abort")
    do(s, "wipe")
    mover.begin(s, "N")
    drive(s, "copy")
    s.change(s.record, cursor=2)
    assert s.submit("a", {}, route=first).alone is False  # by what an older record says


def test_clients_see_one_owner() -> None:
    s = shard(members=(("O",), ("R",)))
    s.submit("a", {})
    everything(s)
    assert {name for (_, name), r in s.replicas.items() if r.owns} == {"O"}
    mover.begin(s, "N")
    drive(s, "activate")
    assert {name for (_, name), r in s.replicas.items() if r.owns} == {"N"}


def test_what_only_the_target_has_is_shown_when_it_is_activated() -> None:
    s = shard()
    s.submit("a", {"n": 1})
    deliver(s)
    mover.begin(s, "N")
    s.submit("a", {"n": 2})
    do(s, "delivery_fails", "to O")
    deliver(s)
    shown = s.history("a").shown
    assert shown is not None
    assert shown.order == 2
    drive(s, "activate")
    shown = s.history("a").shown
    assert shown is not None
    assert shown.order == 4


def test_an_older_tombstone_is_shown_as_the_delete_that_was_seen_last() -> None:
    s = shard(skip_delta_pass=True, cleanup=Cleanup.IMMEDIATE)
    s.submit("a", None)
    deliver(s)
    mover.begin(s, "N")
    drive(s, "copy")
    do(s, "read_page")
    deliver(s)
    s.submit("a", None)
    do(s, "delivery_is_lost", "2 deleted to N")
    deliver(s)
    drive(s, "activate")
    assert s.owner.documents["a"].order == 2
    shown = s.history("a").shown
    assert shown is not None
    assert shown.order == 4


def test_what_another_replica_stores_is_not_shown_and_what_a_repair_brings_to_the_owner_is() -> None:
    s = shard(members=(("O",), ("R",)))
    copy = s.submit("a", {}).copy
    do(s, "delivery_fails", "to O")
    deliver(s)
    assert s.history("a").shown is None
    do(s, "repair")
    deliver(s)
    assert s.history("a").shown is copy
    s.submit("b", {})
    do(s, "delivery_fails", "to R")
    do(s, "delivery_fails", "to O")
    s.network.send(Message(Kind.REPAIR, s.replicas[1, "R"], (copy_of(s, 9),), 0))
    deliver(s)
    assert s.history("a").shown is copy


def test_a_document_that_was_never_lost_has_not_healed() -> None:
    s = shard()
    for n in range(2):
        s.submit("a", {"n": n})
        everything(s)
    assert audit([s]).healed == ()
    shown = s.history("a").shown
    assert shown is not None
    assert shown.order == 4


@pytest.mark.parametrize("safeguard", ["", "tombstones"])
def test_the_delete_of_a_repair_leaves_a_tombstone_where_there_are_any(safeguard: str) -> None:
    s = shard(*filter(None, [safeguard]), members=(("O",), ("R",)))
    s.submit("a", {}, expires=0.0)
    deliver(s)
    do(s, "repair_expired", "to=shard 0 on R")
    deliver(s)
    assert ("a" in s.replicas[1, "R"].documents) == (not safeguard)


def test_where_nodes_merge_only_what_was_acknowledged_before_can_be_missing() -> None:
    s = shard("whole_documents")
    mover.begin(s, "N")
    s.submit("a", {"x": 1})
    do(s, "accept", "to O")
    do(s, "apply", "to O")
    do(s, "acknowledge")
    deliver(s)  # the acknowledged write itself, late
    assert s.at("N").fields_missing == set()
    s.submit("a", {"y": 1})
    deliver(s)
    assert s.at("N").fields_missing == s.at("O").fields_missing == set()


def test_where_documents_are_whole_no_field_is_missing() -> None:
    s = shard("tombstones")
    mover.begin(s, "N")
    s.submit("a", {"x": 1})
    do(s, "delivery_fails", "to N")
    deliver(s)
    do(s, "acknowledge")
    s.submit("a", {"y": 1})
    deliver(s)
    assert s.at("N").fields_missing == set()


def test_a_machine_is_asked_for_the_replica_that_takes_part() -> None:
    s = shard("target_holds_no_replica", members=(("O",), ("N",)))
    s.nodes["M"] = Node("M")
    mover.begin(s, "N")
    assert s.at("N") is s.replicas[0, "N"]
    do(s, "abort")
    do(s, "wipe")
    mover.begin(s, "M")
    assert s.at("N") is s.replicas[1, "N"]


def test_tombstones_stay_where_nobody_collects_them() -> None:
    s = shard("tombstone_gc_waits")
    s.submit("a", None)
    deliver(s)
    assert not offered(s, "collect")


# ------------------------------------------------------------------ what clients are shown


def test_reads_of_what_was_not_promised_are_not_stale() -> None:
    s = shard()
    s.read("never")
    do(s, "answer_read")
    s.read("a")
    s.submit("a", {})
    do(s, "answer_read")  # it was not there when the client asked
    deliver(s)
    do(s, "acknowledge")
    s.read("a")
    do(s, "answer_read")
    assert s.stale_reads == 0


@pytest.mark.parametrize(("safeguard", "nodes"), [("", {"O"}), ("search_filters_owned", {"O", "N"})])
def test_a_search_goes_to_the_owner_or_to_every_node_of_the_home_group(
    safeguard: str, nodes: set[str]
) -> None:
    s = shard(*filter(None, [safeguard]), members=(("O",), ("R",)))
    mover.begin(s, "N")
    assert {r.node.name for r in s.search().places} == nodes


def searched(of: Shard) -> int:
    """How many mistakes a search makes."""
    of.search()
    while of.searches:
        do(of, "admit_search" if offered(of, "admit_search") else "step_search")
    return of.wrong_searches


@pytest.mark.parametrize(
    ("contents", "wrong"),
    [
        ([{"n": 1}], 1),  # acknowledged, and not there
        ([{"n": 1}, {"n": 2}], 1),  # an older one is there
        ([{"n": 1}, None], 1),  # it was deleted, and is there
        ([None], 0),
        ([None, {"n": 1}], 1),
    ],
)
def test_what_a_search_does_wrong(contents: list[dict[str, int] | None], wrong: int) -> None:
    """All but the last are applied; the last is acknowledged, and waits in the queue."""
    s = shard("ack_after_applied")
    for content in contents[:-1]:
        s.submit("a", content)
        everything(s)
    s.submit("a", contents[-1])
    do(s, "accept")
    do(s, "acknowledge")
    assert searched(s) == wrong
    do(s, "apply")
    assert searched(s) == wrong  # and now it makes none


def test_what_is_written_during_a_search_may_be_missing() -> None:
    s = shard()
    s.search()
    s.submit("a", {})
    do(s, "admit_search")
    do(s, "step_search")
    assert s.wrong_searches == 0


def test_a_document_that_is_found_twice_is_wrong() -> None:
    s = shard("search_filters_owned")
    mover.begin(s, "N")
    s.submit("a", {})
    deliver(s)
    assert searched(s) == 1
