"""Anti-entropy: what a pass repairs, where it must not, expiry, and the collection of tombstones."""

from __future__ import annotations

import pytest
from shards import deliver, do, drive, everything, offered, shard

from cutproof.impl import anti_entropy, mover
from cutproof.impl.audit import audit, loss
from cutproof.impl.copies import order_of
from cutproof.impl.shard import Shard
from cutproof.model.cutover.mechanisms import Acknowledge, AntiEntropy, ReplicaAck, WritesWhileSealed
from cutproof.model.cutover.policy import DrainOnTimeout

GROUPS = (("O",), ("R",))


def apart(*without: str, **knobs: object) -> Shard:
    """O has a document that R missed."""
    s = shard(*without, members=GROUPS, **knobs)
    s.submit("a", {"n": 1})
    do(s, "accept", "to O")
    do(s, "apply", "to O")
    do(s, "delivery_fails", "to R")
    do(s, "acknowledge")
    return s


def test_a_pass_brings_the_higher_copy() -> None:
    s = apart()
    assert [f"{r.here.node.name}>{r.to.node.name}" for r in anti_entropy.report(s)] == ["O>R"]
    do(s, "repair")
    assert not offered(s, "repair")  # one at a time
    do(s, "accept")
    do(s, "apply")
    assert s.replicas[1, "R"].documents == s.owner.documents
    assert anti_entropy.report(s) == []
    assert s.costs.documents_repaired_by_anti_entropy == 1


def test_an_alert_reports_and_repairs_nothing() -> None:
    s = apart(anti_entropy=AntiEntropy.ALERT)
    assert len(anti_entropy.report(s)) == 1
    assert not offered(s, "repair")
    off = apart(anti_entropy=AntiEntropy.OFF)
    assert anti_entropy.report(off) == []
    mover.begin(off, "N")
    assert not offered(off, "change_policy")


def test_a_policy_that_is_recorded_is_not_changed_by_somebody() -> None:
    for safeguard in ("", "policy_is_recorded"):
        s = apart(*filter(None, [safeguard]))
        mover.begin(s, "N")
        do(s, "change_policy")
        assert s.switched_off == bool(safeguard)
        assert bool(offered(s, "change_policy")) == (not safeguard)  # it is off already
        assert bool(offered(s, "repair")) == (not safeguard)


@pytest.mark.parametrize(
    ("phase", "written"),
    [("dual", "NO"), ("copy", "NO"), ("seal", ""), ("drain_source", ""), ("delta", ""), ("activate", ""),
     ("grace", "N"), ("cleanup", "N"), ("complete", "N")],
)  # fmt: skip
def test_which_side_is_repaired_in_which_phase(phase: str, written: str) -> None:
    s = shard(members=GROUPS)
    mover.begin(s, "N")
    drive(s, phase)
    assert "".join(n for n in "NO" if anti_entropy.is_written(s, s.replicas[0, n])) == written
    assert anti_entropy.is_written(s, s.replicas[1, "R"])
    reads = {n: anti_entropy.is_read(s, s.replicas[0, n]) for n in "NO"}
    late = phase in ("activate", "grace", "cleanup", "complete")
    assert reads == {"N": late, "O": phase != "complete"}


def test_a_replica_in_another_group_is_a_member_whatever_its_machine() -> None:
    s = shard("target_holds_no_replica", members=(("O",), ("N",)))
    assert anti_entropy.part_of(s.record, s.owner) == "member"  # nothing moves
    mover.begin(s, "N")
    assert anti_entropy.part_of(s.record, s.replicas[1, "N"]) == "member"
    assert anti_entropy.part_of(s.record, s.replicas[0, "N"]) == "target"
    assert anti_entropy.part_of(s.record, s.replicas[0, "O"]) == "source"


def test_a_pass_reads_no_target_that_is_not_active() -> None:
    s = shard(members=GROUPS)
    mover.begin(s, "N")
    s.submit("a", {})
    do(s, "accept", "to N")
    do(s, "apply", "to N")
    assert anti_entropy.report(s) == []


def test_a_pass_writes_neither_side_of_a_sealed_shard() -> None:
    s = shard(members=GROUPS)
    s.submit("a", {}, expires=0.0)
    do(s, "accept", "to R")
    do(s, "apply", "to R")
    mover.begin(s, "N")
    drive(s, "seal")
    assert anti_entropy.report(s) == []
    assert [found.to.node.name for found in anti_entropy.find(s, now=0.0)] == ["R"]  # its own has expired


def test_a_repair_is_conditional_unless_it_is_not() -> None:
    for safeguard in ("", "repair_is_conditional", "repair_honours_tombstones", "expiry_of_winner_only"):
        s = apart(*filter(None, [safeguard]))
        do(s, "repair")
        s.submit("a", {"n": 2})
        do(s, "accept", "put to R", "write")
        do(s, "apply", "write", "to R")
        do(s, "accept", "repair")
        do(s, "apply", "repair")
        assert (s.replicas[1, "R"].documents["a"].order == 2) == (safeguard == "repair_is_conditional")


def test_a_repair_that_is_late_brings_no_deleted_document_back() -> None:
    for safeguard in ("", "repair_honours_tombstones"):
        s = apart(*filter(None, [safeguard]))
        do(s, "repair")
        s.submit("a", None)
        do(s, "accept", "deleted to R")
        do(s, "apply", "deleted to R")
        do(s, "accept", "repair")
        do(s, "apply", "repair")
        assert (s.replicas[1, "R"].documents["a"].content is not None) == bool(safeguard)


def test_a_deletion_by_expiry_that_is_late_spares_a_renewed_document() -> None:
    for safeguard in ("", "expiry_of_winner_only"):
        s = shard(*filter(None, [safeguard]), members=GROUPS)
        s.submit("a", {"n": 1}, expires=0.0)
        everything(s, "repair_expired", "sweep")
        do(s, "repair_expired", "to=shard 0 on R")
        s.submit("a", {"n": 2})
        do(s, "accept", "put to R", "write")
        do(s, "apply", "write", "to R")
        do(s, "accept", "repair")
        do(s, "apply", "repair")
        assert (s.replicas[1, "R"].documents["a"].content is None) == bool(safeguard)


def test_without_honouring_tombstones_a_repair_brings_a_document_back() -> None:
    for safeguard in ("", "repair_honours_tombstones"):
        s = apart(*filter(None, [safeguard]))
        s.submit("a", None)
        do(s, "accept", "to R")
        do(s, "apply", "to R")
        found = [r for r in anti_entropy.report(s) if r.here.node.name == "O"]
        assert bool(found) == bool(safeguard)


def test_expiry_is_judged_on_the_winner() -> None:
    for safeguard in ("", "expiry_of_winner_only"):
        s = shard(*filter(None, [safeguard]), members=GROUPS)
        s.submit("a", {"n": 1}, expires=0.0)
        everything(s, "repair_expired", "sweep")
        s.submit("a", {"n": 2})  # renewed, and R does not know yet
        do(s, "accept", "to O")
        do(s, "apply", "to O")
        do(s, "acknowledge")
        assert bool(offered(s, "repair_expired")) == bool(safeguard)


def test_a_pass_goes_on_behind_a_copy_that_was_renewed_elsewhere() -> None:
    s = shard(members=GROUPS)
    for key in "ab":
        s.submit(key, {"n": 1}, expires=0.0)
    deliver(s)
    s.submit("a", {"n": 2})
    do(s, "accept", "to O")
    do(s, "apply", "to O")
    found = [r for r in anti_entropy.find(s, now=0.0) if r.expired]
    assert {r.copy.key for r in found} == {"b"}
    assert sorted(r.here.node.name + r.to.node.name for r in found) == ["OO", "OR", "RO", "RR"]


def test_what_was_renewed_on_the_target_is_not_deleted_there() -> None:
    s = shard()
    s.submit("a", {"n": 1}, expires=0.0)
    deliver(s)
    mover.begin(s, "N")
    s.submit("a", {"n": 2})
    do(s, "accept", "to N")
    do(s, "apply", "to N")
    assert [r.to.node.name for r in anti_entropy.find(s, now=0.0)] == ["O"]


def test_a_sweeps_delete_lies_between_what_it_judged_and_what_comes_next() -> None:
    s = shard()
    judged, following = (s.submit("a", {}).copy for _ in range(2))
    delete = anti_entropy.swept(judged)
    assert judged.version < delete.version < following.version
    assert judged.order < delete.order < following.order
    assert repr(delete) == "a@0.1+ deleted"


def test_a_sweep_finds_only_what_has_expired() -> None:
    s = shard()
    s.submit("a", {}, expires=0.5)
    s.submit("b", {})
    deliver(s)
    assert list(anti_entropy.find_sweeps(s, now=0.4)) == []
    assert not offered(s, "sweep")  # nobody has said that time goes on
    (found,) = anti_entropy.find_sweeps(s, now=0.5)
    assert found.expired
    assert found.copy.key == "a"


def test_a_sweep_deletes_what_has_expired_and_beats_nothing_newer() -> None:
    for safeguard in ("", "sweep_tie_break"):
        s = shard(*filter(None, [safeguard]), members=GROUPS)
        s.submit("a", {"n": 1}, expires=0.0)
        everything(s, "sweep", "repair_expired")
        do(s, "sweep", "O")
        s.submit("a", {"n": 2})
        do(s, "accept", "write", "to O")
        do(s, "apply", "write", "to O")
        do(s, "acknowledge")
        for message in [
            m for m in s.network.under_way() if m.kind.name == "SWEEP" and m.replica.node.name == "O"
        ]:
            s.network.accept(message)
            s.network.apply(message)
        deleted = s.owner.documents["a"].content is None
        assert deleted == bool(safeguard)


def deleted(*without: str) -> Shard:
    s = shard(*without, members=GROUPS)
    s.collects = True
    s.submit("a", {"n": 1})
    everything(s, "collect")
    s.submit("a", None)
    everything(s, "collect")
    return s


def test_a_tombstone_stays_until_every_fence_is_above_its_epoch() -> None:
    s = deleted()
    assert not offered(s, "collect")
    mover.begin(s, "N")
    assert not offered(s, "collect")  # a migration lives
    everything(s, "collect")
    assert s.owner.node.name == "N"
    # the coordinator fences every replica where tombstones go
    assert s.replicas[1, "R"].fence == s.record.epoch
    do(s, "collect", "on N")
    assert s.owner.documents == {}


@pytest.mark.parametrize(
    ("fence_o", "fence_r", "collected", "without_other_fences"),
    [(0, 0, False, False), (1, 0, False, True), (0, 1, False, False), (1, 1, True, True)],
)
def test_a_tombstone_of_epoch_0_needs_fences_of_epoch_1(
    fence_o: int, fence_r: int, collected: bool, without_other_fences: bool
) -> None:
    for s, expected in ((deleted(), collected), (deleted("gc_fences_every_replica"), without_other_fences)):
        s.replicas[0, "O"].fence, s.replicas[1, "R"].fence = fence_o, fence_r
        assert bool(offered(s, "collect", "on O")) == expected


def test_a_tombstone_of_the_epoch_of_the_fences_stays() -> None:
    s = shard(members=GROUPS)
    s.collects = True
    mover.begin(s, "N")
    drive(s, "complete")
    s.submit("a", None)
    deliver(s)
    assert s.owner.documents["a"].version[0] == s.record.epoch == s.owner.fence
    assert not offered(s, "collect")
    for name, fence in (("N", 9), ("R", s.record.epoch)):
        s.at(name).fence = fence
    assert not offered(s, "collect", "on N")  # R is asked too, behind the source that is not read any more
    s.at("R").fence = 9
    assert offered(s, "collect", "on N")


def test_what_was_deleted_and_collected_is_not_lost() -> None:
    """R had the delete alone, and forgot it; what the owner showed last is newer than the delete."""
    s = shard(members=GROUPS)
    s.collects = True
    steps = (({"n": 1}, "OR", "", "acknowledge"), (None, "R", "O", "fail"), ({"n": 3}, "O", "R", ""))
    for content, to, failing, answer in steps:
        s.submit("a", content)
        for name in failing:
            do(s, "delivery_fails", f"to {name}")
        for name in to:
            do(s, "accept", f"to {name}")
            do(s, "apply", f"to {name}")
        if answer:
            do(s, answer)
    history, r = s.histories["a"], s.at("R")
    assert (order_of(history.acked), order_of(history.shown), r.documents["a"].content) == (2, 6, None)
    for name in "OR":
        s.at(name).fence = 9
    do(s, "collect", "on R")
    assert r.documents == {} and loss(s, history, r) == ""
    history.collected = 0  # as if it had never been there
    assert loss(s, history, r) == "LAW"


def test_only_a_tombstone_is_collected_and_only_where_a_pass_reads() -> None:
    s = shard()
    s.submit("a", {})
    deliver(s)
    mover.begin(s, "N")
    drive(s, "complete")
    for name in "ON":
        s.at(name).fence = 9
    assert not anti_entropy.may_collect(s, s.owner, "a")
    assert not anti_entropy.may_collect(s, s.owner, "b")
    s.submit("a", None)
    deliver(s)
    assert anti_entropy.may_collect(s, s.owner, "a")
    s.at("O").documents.update(s.owner.documents)
    assert not anti_entropy.may_collect(s, s.at("O"), "a")


def test_without_waiting_a_tombstone_may_go_at_once() -> None:
    s = deleted("tombstone_gc_waits")
    do(s, "collect", "on O")


def test_a_tombstone_waits_for_older_copies_tasks_and_repairs() -> None:
    for safeguard in ("", "gc_waits_for_repairs"):
        s = deleted(*filter(None, [safeguard]))
        s.at("R").documents.clear()
        do(s, "repair")  # the tombstone itself, to R
        for replica in s.replicas.values():
            replica.fence = 9
        assert bool(offered(s, "collect", "on O")) == bool(safeguard)


def test_what_may_be_forgotten_is_not_sent_to_where_it_was() -> None:
    """Or a pass and the collection would go on for ever, with nothing under way in between."""
    s = deleted()
    for replica in s.replicas.values():
        replica.fence = 9
    do(s, "collect", "on R")
    assert offered(s, "repair") == [] and list(anti_entropy.find(s, 0.0)) == []
    do(s, "collect", "on O")
    assert [r.documents for r in s.replicas.values()] == [{}, {}]


def test_a_tombstone_waits_for_accepted_tasks() -> None:
    for safeguard in ("", "gc_waits_for_applied"):
        s = deleted(*filter(None, [safeguard]))
        s.submit("a", {"n": 3})
        do(s, "accept", "to R")
        do(s, "time_out")
        for replica in s.replicas.values():
            replica.fence = 9
        assert bool(offered(s, "collect", "on O")) == bool(safeguard)


# ------------------------------------------------------------------ what can still be repaired


def is_permanent(of: Shard) -> bool:
    """Whether the one document is lost for good."""
    (entry,) = audit([of]).lost
    return entry.permanent


def lost(*, to_r: str, **knobs: object) -> Shard:
    """O had a document and lost it; `to_r` is what was done with the write to R."""
    s = shard(members=GROUPS, **knobs)
    s.submit("a", {"n": 1})
    for action, node in (("accept", "O"), ("apply", "O"), *((action, "R") for action in to_r.split())):
        do(s, action, f"to {node}")
    do(s, "acknowledge")
    s.owner.documents.clear()
    return s


@pytest.mark.parametrize(
    ("to_r", "permanent"),
    [("", False), ("accept", False), ("accept apply", False), ("delivery_fails", True), ("accept task_fails", True)],
)  # fmt: skip
def test_a_loss_is_permanent_if_no_replica_has_it_nor_will_have_it(to_r: str, permanent: bool) -> None:
    assert is_permanent(lost(to_r=to_r)) == permanent
    assert is_permanent(lost(to_r=to_r, anti_entropy=AntiEntropy.ALERT))  # nobody repairs


def test_a_document_that_is_served_is_not_lost_for_good() -> None:
    s = apart(anti_entropy=AntiEntropy.OFF)
    assert [entry.permanent for entry in audit([s]).documents] == [False]


def test_a_write_that_will_be_refused_saves_nothing() -> None:
    for to_r in ("", "accept"):
        s = lost(to_r=to_r)
        s.replicas[1, "R"].fence = 1
        assert is_permanent(s) == (not to_r)  # what is queued is past the fence


def test_only_the_lost_operation_or_a_newer_one_of_its_document_saves_it() -> None:
    s = lost(to_r="")
    s.submit("b", {"n": 1})
    s.submit("a", {"n": 2})
    do(s, "delivery_is_lost", "1 put to R")
    assert not is_permanent(s)  # the second is on its way
    do(s, "accept", "3 put to O")
    do(s, "apply", "3 put to O")
    do(s, "acknowledge", "3 put")
    s.owner.documents.clear()
    assert not is_permanent(s)
    do(s, "delivery_is_lost", "3 put to R")
    assert is_permanent(s)  # "b" is still on its way, to both


def test_an_older_write_on_its_way_saves_nothing() -> None:
    s = lost(to_r="")
    s.submit("a", {"n": 2})
    do(s, "accept", "2 put to O")
    do(s, "apply", "2 put to O")
    do(s, "acknowledge", "2 put")
    s.owner.documents.clear()
    do(s, "delivery_is_lost", "2 put to R")
    assert offered(s, "accept", "1 put to R")
    assert is_permanent(s)


def test_what_the_owner_has_in_its_queue_is_not_lost_for_good() -> None:
    s = shard("ack_after_applied")
    s.submit("a", {})
    do(s, "accept")
    do(s, "acknowledge")
    assert not is_permanent(s)
    do(s, "task_fails")
    assert is_permanent(s)


def test_before_activation_the_target_saves_nothing() -> None:
    s = shard()
    mover.begin(s, "N")
    s.submit("a", {})
    do(s, "accept", "to O")
    do(s, "apply", "to O")
    do(s, "acknowledge")
    s.owner.documents.clear()
    assert is_permanent(s)  # it is on its way to N
    do(s, "accept", "to N")
    do(s, "apply", "to N")
    assert is_permanent(s)


@pytest.mark.parametrize(
    ("phase", "permanent"), [("activate", False), ("grace", False), ("cleanup", False), ("complete", True)]
)
def test_after_activation_the_source_saves_it_until_its_deletion(phase: str, permanent: bool) -> None:
    s = shard()
    s.submit("a", {})
    everything(s)
    kept = dict(s.owner.documents)
    mover.begin(s, "N")
    drive(s, phase)
    s.at("O").documents.update(kept)
    s.owner.documents.clear()
    assert is_permanent(s) == permanent


# ------------------------------------------------------------------ what is left to repair


@pytest.mark.parametrize(
    ("knobs", "counts"),
    [
        ({}, False),
        ({"drain_on_timeout": DrainOnTimeout.FORCE}, True),
        ({"cutover_writes": WritesWhileSealed.SOURCE}, True),
        ({"cutover_writes": WritesWhileSealed.BOTH}, True),
        ({"skip_delta_pass": True}, True),
        ({"acknowledge": Acknowledge.ANY}, True),
        ({"replica_ack": ReplicaAck.COUNTS}, True),
        ({"skip_delta_pass": True, "anti_entropy": AntiEntropy.ALERT}, False),
    ],
)
def test_a_policy_counts_on_repairs_where_one_thing_lets_the_owner_lack_something(
    knobs: dict[str, object], counts: bool
) -> None:
    s = shard(members=GROUPS, **knobs)
    mover.begin(s, "N")
    assert anti_entropy.counts_on_repairs(s) is counts


def repaired(*without: str) -> Shard:
    """O, R with the same document, under a policy that counts on repairs; nothing is left to repair."""
    s = shard(*without, members=(("O", "P"), ("R",)), acknowledge=Acknowledge.ANY)
    s.submit("a", {"n": 1})
    everything(s)
    assert not anti_entropy.left_to_repair(s)
    return s


@pytest.mark.parametrize("node", ["P", "R"])
def test_a_member_that_is_not_fenced_or_has_a_queue_or_holds_more_is_left_to_repair(node: str) -> None:
    s = repaired()
    replica = next(r for r in s.replicas.values() if r.node.name == node)
    replica.fence = s.record.epoch - 1
    assert anti_entropy.left_to_repair(s)
    s = repaired()
    s.submit("b", {})
    do(s, "accept", f"to {node}")
    assert anti_entropy.left_to_repair(s)
    s = repaired()
    s.owner.documents.clear()
    assert anti_entropy.left_to_repair(s)


def test_what_the_owner_itself_has_accepted_is_not_left_to_repair() -> None:
    s = repaired()
    s.submit("b", {})
    do(s, "accept", "to O")
    assert not anti_entropy.left_to_repair(s)


def test_what_is_no_member_is_not_left_to_repair() -> None:
    s = repaired()
    mover.begin(s, "N")
    drive(s, "grace")
    for replica in s.replicas.values():
        replica.fence = max(replica.fence, s.record.epoch)
    assert not anti_entropy.left_to_repair(s)
    assert anti_entropy.part_of(s.record, s.at("O")) == "source"
    s.at("O").fence = 0
    assert not anti_entropy.left_to_repair(s)


def test_a_delete_that_may_be_collected_does_not_end_the_pass() -> None:
    s = shard(members=GROUPS)
    for key in ("a", "b"):
        s.submit(key, {})
        everything(s)
    s.submit("a", None)
    everything(s)
    s.collects = True
    r = s.replicas[1, "R"]
    for key in ("a", "b"):
        del r.documents[key]
    for replica in s.replicas.values():
        replica.fence = 9
    assert anti_entropy.may_collect(s, s.owner, "a")
    assert [repair.copy.key for repair in anti_entropy.report(s)] == ["b"]
