"""Faults by plan, and what they do to a cluster."""

from __future__ import annotations

import pytest

from cutproof.impl import Cluster, Status
from cutproof.impl.record import Phase


def cluster() -> Cluster:
    made = Cluster(["old"], 1, seed=3, pages=2)
    for i in range(20):
        made.put(f"doc-{i}", {"n": i})
    return made


def test_every_so_many_deliveries_fail() -> None:
    c = cluster()
    c.faults.fail("old", every=4)
    statuses = [c.put(f"doc-{i}", {}).status for i in range(8)]
    assert statuses.count(Status.FAILED) == 2
    c.faults.plan("old")
    assert c.put("doc-1", {}).acknowledged


def test_tasks_that_were_accepted_fail() -> None:
    c = cluster()
    c.faults.fail("old", every=1, tasks=True)
    assert c.put("doc-1", {}).status is Status.FAILED
    assert c.get("doc-1") == {"n": 1}


def test_what_is_lost_is_never_told() -> None:
    c = cluster()
    c.faults.lose("old", 1)
    assert c.put("doc-1", {"n": 9}).status in (Status.FAILED, Status.TIMED_OUT)
    assert c.get("doc-1") == {"n": 1}


def test_what_is_delayed_lands_after_its_client_gave_up() -> None:
    c = cluster()
    c.faults.delay("old", 1)
    assert c.put("doc-1", {"n": 9}).status is Status.TIMED_OUT
    c.faults.plan("old")
    c.settle()
    assert c.get("doc-1") == {"n": 9}


def test_a_duplicate_changes_nothing() -> None:
    c = cluster()
    c.faults.duplicate("old", 0.5)
    assert c.put("doc-1", {"n": 9}).acknowledged
    c.faults.plan("old")
    c.settle()
    assert c.audit().clean


def test_several_plans_at_once() -> None:
    c = cluster()
    c.faults.plan("old", fail=0.3, lose=0.3, duplicate=0.3)
    statuses = {c.put(f"doc-{i}", {}).status for i in range(20)}
    assert Status.ACKNOWLEDGED in statuses
    assert len(statuses) > 1


def test_a_restart_ends_searches_and_keeps_documents() -> None:
    c = cluster()
    search = c.shards[0].search()
    c.faults.restart("old")
    assert search.status is Status.REFUSED
    assert c.get("doc-3") == {"n": 3}


def test_a_sequencer_goes_on_behind_its_block() -> None:
    c = cluster()
    before = c.put("doc-1", {}).copy.version
    c.faults.restart_sequencer(0)
    assert c.put("doc-1", {}).copy.version > before


def test_a_slow_clock_matters_only_without_a_durable_sequencer() -> None:
    for without in ([], ["sequencer_durable"]):
        c = Cluster(["old"], 1, without=without, gate=None)
        c.put("a", {"n": 1})
        c.faults.skew("slow")
        c.put("a", {"n": 2}, router="slow")
        assert (c.get("a") == {"n": 1}) == bool(without)
        c.faults.refresh("slow")
        assert c.put("a", {"n": 3}, router="slow").acknowledged


def test_a_cut_node_is_reached_again() -> None:
    c = cluster()
    c.move([0], "new")
    c.faults.cut("new")
    c.run(200)
    assert c.shards[0].record.phase is Phase.DUAL
    write = c.submit("doc-1", {"n": 9})
    c.run_until(lambda: write.answered)
    assert write.acknowledged  # the source is enough
    c.faults.heal("new")
    c.run_until(c.migrations[0].finished)
    assert c.get("doc-1") == {"n": 9}


def test_crashing_nothing_does_nothing() -> None:
    c = cluster()
    c.faults.crash()
    assert c.shards[0].record.phase is Phase.IDLE


@pytest.mark.parametrize("every", [-1])
def test_a_plan_that_can_not_be_is_refused(every: int) -> None:
    with pytest.raises(ValueError, match="every=0 or more"):
        cluster().faults.fail("old", every=every)
