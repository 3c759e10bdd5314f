"""A shard: writes, held and partial ones, answers, and what each safeguard does to them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from shards import choices_state, deliver, do, drive, everything, offered, shard

from cutproof.impl import mover
from cutproof.impl.audit import Audit, audit
from cutproof.impl.clients import Status
from cutproof.impl.copies import Copy, order_of
from cutproof.impl.network import served
from cutproof.impl.node import Kind, Message
from cutproof.impl.record import Phase
from cutproof.impl.shard import Costs, Shard
from cutproof.model.mechanisms import Acknowledge, ReplicaAck


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
    assert s.costs.held == 3
    do(s, "give_up", "held")
    assert writes[0].status is Status.REFUSED
    drive(s, "activate")
    assert [w.status for w in writes[1:]] == [Status.WAITING, Status.WAITING]
    assert writes[1].copy.version < writes[2].copy.version
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
    while search.status is Status.WAITING:
        do(s, "step_search")
    assert len(search.found) == 6
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
