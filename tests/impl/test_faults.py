"""Faults by plan, and what they do to a cluster."""

from __future__ import annotations

import pytest
from shards import Drawn

from cutproof.impl import Cluster, Status
from cutproof.impl.faults import Plan
from cutproof.impl.node import Kind, Message
from cutproof.impl.record import SEALED, Phase


def cluster() -> Cluster:
    made = Cluster(["old"], 1, seed=3, pages=2)
    for i in range(20):
        made.put(f"doc-{i}", {"n": i})
    return made


def messages() -> tuple[Message, Message]:
    """A client's write, and a page."""
    c = cluster()
    c.submit("doc-1", {})
    (write,) = c.network.under_way()
    return write, Message(Kind.PAGE, write.replica, (), 0)


@pytest.mark.parametrize(
    ("drawn", "kind"), [(0.0, "fail"), (0.29, "fail"), (0.3, "lose"), (0.59, "lose"), (0.6, ""), (0.9, "")]
)
def test_rates_are_stretches_of_what_is_drawn(drawn: float, kind: str) -> None:
    write, page = messages()
    plan = Plan(Drawn(drawn), fail=0.3, lose=0.3)
    assert plan.strikes(write) == plan.strikes(page) == bool(kind)
    assert plan.struck == kind
    assert not Plan(Drawn(drawn), fail=0.0).strikes(write)


def test_only_a_client_that_waits_can_give_up() -> None:
    write, page = messages()
    plan = Plan(Drawn(0.0), delay=1.0)
    assert plan.strikes(write)
    assert not plan.strikes(page)
    assert write.write is not None
    write.write.status = Status.TIMED_OUT
    assert not plan.strikes(write)


def test_every_so_many_deliveries_fail() -> None:
    c = cluster()
    c.faults.fail("old", every=4)
    statuses = [c.put(f"doc-{i}", {}).status for i in range(8)]
    assert statuses == 2 * [*3 * [Status.ACKNOWLEDGED], Status.FAILED]
    c.faults.plan("old")
    assert c.put("doc-1", {}).acknowledged


def test_without_a_rate_nothing_fails() -> None:
    c = cluster()
    c.faults.fail("old")
    c.faults.fail("old", tasks=True)
    assert all(c.put(f"doc-{i}", {}).acknowledged for i in range(8))


@pytest.mark.parametrize("tasks", [False, True])
def test_a_delivery_fails_on_the_way_and_a_task_in_the_queue(tasks: bool) -> None:
    c = cluster()
    c.faults.fail("old", every=1, **({"tasks": True} if tasks else {}))
    write = c.submit("doc-1", {})
    c.step()
    assert write.pending == len(c.shards[0].owner.queue) == int(tasks)


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
    write = c.submit("doc-1", {"n": 9})
    c.run_until(lambda: write.answered, limit=1)
    assert write.status is Status.TIMED_OUT
    c.settle()
    assert c.get("doc-1") == {"n": 9}


def test_a_duplicate_changes_nothing() -> None:
    c = cluster()
    c.faults.duplicate("old", 0.5)
    assert c.put("doc-1", {"n": 9}).acknowledged
    c.faults.plan("old")
    c.settle()
    assert c.audit().clean


def test_pages_arrive_again_too() -> None:
    c = cluster()
    migration = c.move([0], "new")
    c.faults.duplicate("new", 0.5)
    c.run_until(migration.finished, limit=5_000)
    assert migration.complete
    assert len(c.search()) == 20


def test_the_scheduler_counts_its_steps_and_picks_any_message() -> None:
    c = cluster()
    before = c.network.steps
    writes = [c.submit(f"doc-{i}", {}) for i in range(3)]
    for drawn, picked in ((0.99, 2), (0.0, 0), (0.5, 1)):
        c.network.random = Drawn(drawn)
        c.step()
        queued = [m.write for m in c.shards[0].owner.queue]
        assert queued[-1] is writes[picked]
    assert c.network.steps == before + 3
    assert Cluster(["old"], 1).network.steps == 0


def test_a_node_that_does_not_look_at_epochs_takes_what_comes_from_an_old_router() -> None:
    for without in ([], ["fence_epoch"]):
        c = Cluster(["old"], 1, without=without, gate=None, pages=1)
        c.faults.stale("router")
        migration = c.move([0], "new")
        c.run_until(migration.finished)
        write = c.put("a", {}, router="router")
        assert write.status is (Status.ACKNOWLEDGED if without else Status.REFUSED)
        assert c.audit().clean == (not without)


def test_what_is_duplicated_is_queued_once() -> None:
    c = cluster()
    c.faults.duplicate("old", 1)
    c.submit("doc-1", {"n": 9})
    queued = [len(c.shards[0].owner.queue) for _ in range(30) if c.step()]
    assert max(queued) == 1


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


def test_a_writer_that_a_stale_router_holds_goes_on_when_the_router_learns() -> None:
    c = cluster()
    migration = c.move([0], "new")
    c.run_until(lambda: c.shards[0].record.phase in SEALED)
    c.faults.stale("late")  # it takes the shard for sealed from now on
    c.run_until(migration.finished)
    write = c.submit("doc-1", {"n": 9}, router="late")
    c.run(200)
    assert write.status is Status.HELD
    c.faults.refresh("late")
    c.run_until(lambda: write.answered)
    assert write.acknowledged
    assert c.get("doc-1") == {"n": 9}


def test_while_the_shard_is_sealed_it_stays_held() -> None:
    c = cluster()
    c.move([0], "new")
    c.run_until(lambda: c.shards[0].record.phase in SEALED)
    write = c.submit("doc-1", {"n": 9})
    c.faults.refresh("late")
    assert write.status is Status.HELD


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


def test_a_crash_strikes_the_shards_that_move() -> None:
    c = cluster()
    c.move([0], "new")
    c.run_until(lambda: c.shards[0].record.phase is Phase.DRAIN_SOURCE)
    c.faults.crash()
    assert c.shards[0].record.phase is Phase.SEAL


@pytest.mark.parametrize("number", [-1, 1])
def test_shards_are_counted_from_0(number: int) -> None:
    c = cluster()
    c.faults.crash(0)
    with pytest.raises(ValueError, match=f"no shard {number}: there are 0 to 0"):
        c.faults.crash(number)


@pytest.mark.parametrize("rate", [-0.5, 1.5])
def test_a_rate_is_from_0_to_1(rate: float) -> None:
    c = cluster()
    c.faults.plan("old", fail=0, lose=1)
    with pytest.raises(ValueError, match="a rate is from 0 to 1"):
        c.faults.plan("old", fail=rate)


@pytest.mark.parametrize("every", [-1])
def test_a_plan_that_can_not_be_is_refused(every: int) -> None:
    with pytest.raises(ValueError, match="every=0 or more"):
        cluster().faults.fail("old", every=every)


@pytest.mark.parametrize("seed", range(10))
def test_a_duplicated_delivery_is_refused_below_the_fence(seed: int) -> None:
    """Found by cutting down losses: what arrives twice was accepted without a look at the fence."""
    cluster = Cluster(["old-0"], 1, 1, seed, pages=1)
    cluster.put("a", {"n": 0})
    cluster.faults.stale("late")
    migration = cluster.move([0], "new-0")
    shard = cluster.shards[0]
    cluster.run_until(lambda: shard.record.phase is Phase.DELTA and shard.record.proof)
    cluster.faults.duplicate("old-0", 1.0)
    write = cluster.submit("a", {"n": 1}, router="late")
    while not write.answered:
        cluster.network.tick()
    assert write.status is Status.REFUSED
    cluster.faults.plan("old-0")
    cluster.run_until(migration.finished)
    cluster.settle()
    assert cluster.audit().clean
