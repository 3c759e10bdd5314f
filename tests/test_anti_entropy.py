"""Anti-entropy: what a pass repairs, where it must not, expiry, and the collection of tombstones."""

from __future__ import annotations

import pytest
from shards import do, drive, everything, offered, shard

from cutproof.impl import anti_entropy, mover
from cutproof.impl.shard import Shard
from cutproof.model.mechanisms import AntiEntropy

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
    assert anti_entropy.report(apart(anti_entropy=AntiEntropy.OFF)) == []


def test_a_policy_that_is_recorded_is_not_changed_by_somebody() -> None:
    for safeguard in ("", "policy_is_recorded"):
        s = apart(*filter(None, [safeguard]))
        mover.begin(s, "N")
        do(s, "change_policy")
        assert s.switched_off == bool(safeguard)
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


def test_without_waiting_a_tombstone_may_go_at_once() -> None:
    s = deleted("tombstone_gc_waits")
    do(s, "collect", "on O")


def test_a_tombstone_waits_for_older_copies_tasks_and_repairs() -> None:
    for safeguard in ("", "gc_waits_for_repairs"):
        s = deleted(*filter(None, [safeguard]))
        for replica in s.replicas.values():
            replica.fence = 9
        assert offered(s, "collect")
        do(s, "collect", "on R")
        do(s, "repair")  # the tombstone itself, to R
        assert bool(offered(s, "collect", "on O")) == bool(safeguard)


def test_a_tombstone_waits_for_accepted_tasks() -> None:
    for safeguard in ("", "gc_waits_for_applied"):
        s = deleted(*filter(None, [safeguard]))
        s.submit("a", {"n": 3})
        do(s, "accept", "to R")
        do(s, "time_out")
        for replica in s.replicas.values():
            replica.fence = 9
        assert bool(offered(s, "collect", "on O")) == bool(safeguard)
