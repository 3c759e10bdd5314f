"""A log tells what happened, step for step, and changes nothing of it."""

from collections.abc import Iterator
from random import Random

import pytest

from cutproof.checks.cutover.loss.explained.event_log import EventLog
from cutproof.checks.cutover.loss.explained.events import Event
from cutproof.checks.cutover.loss.explained.tolerant_walk import Ground
from cutproof.checks.cutover.reference.lockstep import LockStep
from cutproof.impl import Cluster
from cutproof.impl.audit import audit
from cutproof.impl.faults import Plan
from cutproof.impl.node import Message
from cutproof.impl.record import Phase
from cutproof.model.cutover.mechanisms import Cleanup
from cutproof.model.cutover.policy import Policy, resolve
from cutproof.model.cutover.scopes import Scope

ALONE = Policy(replicas=False)
HEALED = Policy(skip_delta_pass=True, cleanup=Cleanup.AFTER_CLEAN_PASS)
EVERYTHING = Scope(
    writes=9, attempts=3, aborts=3, deletes=True, late=True, losses=True, failures=True, failing_tasks=True,
    duplicates=True, stale=True, crashes=True, strays=True, partitions=True, skew=True,
)  # fmt: skip
ENDS = 20_000  # steps


class Misfortune(Plan):
    """Only writes are duplicated: the specification has no page that arrives twice."""

    __slots__ = ()

    def strikes(self, message: Message) -> bool:
        return super().strikes(message) and not (self.struck == "duplicate" and message.write is None)


def one_document(seed: int, policy: Policy, without: tuple[str, ...] = ()) -> Iterator[Cluster]:
    """A cluster with one document and one page, whose client writes one thing after the other: as small as the
    specification. It is given before anything has happened, and when all is over."""
    draw = Random(seed)
    nodes = [["old-0"], ["replica-0"]] if policy.replicas else ["old-0"]
    cluster = Cluster(nodes, 1, 1, seed, policy=policy, without=without, gate=None, pages=1, passes=10**9)
    cluster.network.strays = 1
    yield cluster
    cluster.faults.stale("stale")
    cluster.put("a", {"n": 0})
    migration = cluster.move([0], "new-0")
    for name in cluster.nodes:
        cluster.nodes[name].plan = Misfortune(
            cluster.network.random, fail=0.05, lose=0.05, delay=0.05, duplicate=0.05
        )
    cluster.faults.fail("new-0", rate=0.05, tasks=True)
    shard, write, aborts = cluster.shards[0], None, 0
    for _ in range(ENDS):
        if not (cluster.moving or cluster.network.pool or cluster.network.aside):
            break
        happens = draw.random()
        may_write = write is None or write.answered
        if may_write and happens < 0.2 and len(shard.history("a").operations) < 9:
            content = None if draw.random() < 0.3 else {"n": happens}
            write = cluster.submit("a", content, router=draw.choice(("", "", "", "stale")))
        elif happens < 0.22 and aborts < 2 and shard.record.epoch < 8:
            migration.abort()
            aborts += 1
        elif happens < 0.25:
            cluster.faults.crash()
        elif happens < 0.27 and not any(n.cut for n in cluster.nodes.values()):
            cluster.faults.cut(draw.choice(("old-0", "new-0")))
        elif happens < 0.4:
            for name in ("old-0", "new-0"):
                if cluster.nodes[name].cut:
                    cluster.faults.heal(name)
        if shard.record.phase is Phase.ABORTED and not shard.record.owes_wipe:
            migration.retry()
        cluster.step()
    yield cluster


def told(seed: int, policy: Policy, without: tuple[str, ...] = ()) -> tuple[Cluster, list[Event]]:
    run = one_document(seed, policy, without)
    log = EventLog(next(run))
    return next(run), log.of("a")


@pytest.mark.sampled(3)
@pytest.mark.parametrize("policy", [ALONE, HEALED], ids=["alone", "healed"])
@pytest.mark.parametrize("seed", range(12))
def test_every_event_is_a_step_of_the_specification(seed: int, policy: Policy) -> None:
    cluster, events = told(seed, policy)
    scope = Scope(**{**vars(EVERYTHING), "replica": policy.replicas, "repairs": policy.replicas})
    ground = Ground(scope, resolve(policy), "LAW")
    walk = ground.walk(events, range(len(events)), fills=False)
    missing = [str(e) for i, e in enumerate(events) if i not in {t.cause for t in walk.steps}]
    assert missing == []
    pair = LockStep(scope, policy)
    for taken in walk.steps:
        pair.take(taken.label)  # the implementation takes the steps too, and is in the specification's states
    shard, twin = cluster.shards[0], pair.twin.shard
    assert shard.record.phase is twin.record.phase
    assert audit([shard]).kinds() == audit([twin]).kinds()
    for name, replica in shard.replicas.items():
        mine = {c.order for c in replica.documents.values()}
        assert mine == {c.order for c in twin.replicas[name].documents.values()}
        assert replica.fence == twin.replicas[name].fence


@pytest.mark.parametrize("seed", range(6))
def test_recording_changes_nothing(seed: int) -> None:
    clusters = []
    for recorded in (False, True):
        run = one_document(seed, ALONE)
        first = next(run)
        if recorded:
            EventLog(first)
        clusters.append(next(run))
    plain, logged = clusters
    assert plain.fingerprint() == logged.fingerprint()
    assert plain.network.random.getstate() == logged.network.random.getstate()
    assert plain.network.steps == logged.network.steps
    assert str(plain.audit()) == str(logged.audit())


def test_clusters_do_not_disturb_each_other() -> None:
    one, other = (Cluster(["old-0"], 1, 1, 7) for _ in range(2))
    log = EventLog(one)
    other.put("b", {})
    assert log.of("b") == []
    one.put("a", {})
    assert [e.action for e in log.of("a")] == ["write", "accept", "apply", "acknowledge"]
    assert "accept" not in vars(other.network)


def test_a_log_ends_where_it_is_detached() -> None:
    cluster = Cluster(["old-0"], 1, 1, 7)
    before = {id(owner): set(vars(owner)) for owner in (cluster, cluster.network, cluster.shards[0])}
    log = EventLog(cluster)
    cluster.put("a", {})
    log.detach()
    cluster.put("a", {})
    assert len(log.of("a")) == 4
    assert before == {id(owner): set(vars(owner)) for owner in (cluster, cluster.network, cluster.shards[0])}
    cluster.snapshot()


def test_a_document_has_its_own_events_and_those_of_its_page() -> None:
    cluster = Cluster(["old-0"], 1, 1, 7, pages=8)
    log = EventLog(cluster)
    keys = [f"doc-{i}" for i in range(30)]
    for key in keys:
        cluster.put(key, {})
    cluster.run_until(cluster.move([0], "new-0").finished)
    for key in keys:
        told = [str(e).partition("(")[0] for e in log.of(key)]
        assert told.count("write") == told.count("read_page") == told.count("page_landed") == 1
        assert told.count("scan") == told.count("repaired") == 1
        assert told[-1] == "complete"


def test_what_is_chosen_by_name_is_told_too() -> None:
    cluster = Cluster(["old-0"], 1, 1, 7, collects=True)
    log = EventLog(cluster)
    write = cluster.submit("a", {})
    for action in ("accept", "apply", "acknowledge"):
        cluster.step(next(c for c in cluster.enabled() if c.action == action))
    assert write.acknowledged
    cluster.delete("a")
    for name in ("new-0", "new-1"):
        cluster.run_until(cluster.move([0], name).finished)
        for choice in [c for c in cluster.enabled() if c.action in ("collect", "late_fence")]:
            cluster.step(choice)
    told = [e.action for e in log.of("a")]
    assert told[:4] == ["write", "accept", "apply", "acknowledge"]
    assert "collect" in told
    assert {str(e.arguments["target"]) for e in log.of("a") if e.action == "begin"} == {"N", "0/new-1"}


def test_a_way_back_and_an_abort_are_told() -> None:
    cluster = Cluster(["old-0"], 1, 1, 7)
    log = EventLog(cluster)
    cluster.put("a", {})
    migration = cluster.move([0], "new-0")
    migration.abort()
    cluster.settle()
    migration.retry()
    cluster.run_until(migration.finished)
    cluster.run_until(migration.back().finished)
    told = [str(e) for e in log.of("a")]
    assert "abort()" in told
    assert "wipe(epoch=4)" in told
    assert not any(t.startswith("raise_fence") and t.endswith("epoch=4)") for t in told)
    assert told.count("begin(source=O, target=N)") == 2
    assert told.count("begin(source=N, target=O)") == 1
