"""The façade: what a stranger drives, what wrong input gets, and that it is deterministic."""

from __future__ import annotations

import pickle
import subprocess
import sys
from contextlib import nullcontext, suppress
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from shards import Drawn

from cutproof.impl import (
    Cluster,
    InvalidDocument,
    Migration,
    MigrationError,
    Policy,
    ReservedField,
    Status,
    Stuck,
    Unavailable,
    UnsafeCutover,
)
from cutproof.impl.faults import KINDS
from cutproof.impl.miroir import GATES, InvalidTransition, NotRepaired
from cutproof.impl.node import Kind, Message, page_of
from cutproof.impl.record import Phase
from cutproof.impl.routing import key_hash, shard_of
from cutproof.impl.state import state_of
from cutproof.model.cutover.mechanisms import Acknowledge, AntiEntropy, Cleanup, ReplicaAck
from cutproof.model.cutover.policy import Strength, gate_of, policies, resolve, sound_gate


def filled(documents: int = 30, **more: Any) -> Cluster:
    cluster = Cluster(**{"nodes": ["old-0"], "shards": 3, "seed": 7, **more})
    for i in range(documents):
        cluster.put(f"doc-{i}", {"n": i})
    return cluster


# ------------------------------------------------------------------ the ten lines


def test_a_node_joins_while_clients_write() -> None:
    cluster = filled()
    migration = cluster.add_node("new-3")
    cluster.faults.fail("new-3", every=10)
    writes = [cluster.submit(f"doc-{i}", {"n": -i}) for i in range(30)]
    cluster.run_until(migration.finished)
    cluster.settle()
    assert migration.complete
    assert all(w.answered for w in writes)
    assert cluster.audit().clean
    assert cluster.get("doc-1") in ({"n": 1}, {"n": -1})
    assert {s.record.owner for s in migration.shards} == {"new-3"}


def test_documents_come_and_go() -> None:
    cluster = filled(0)
    assert cluster.get("a") is None
    assert cluster.put("a", {"x": [1]}).status is Status.ACKNOWLEDGED
    assert cluster.update("a", {"y": 2}).acknowledged
    assert cluster.get("a") == {"x": [1], "y": 2}
    assert cluster.delete("a").acknowledged
    assert cluster.get("a") is None
    assert cluster.update("a", {"z": 3}).acknowledged  # an update of nothing makes a document
    assert cluster.get("a") == {"z": 3}


def test_what_is_read_and_written_is_a_copy() -> None:
    cluster = filled(0)
    document = {"tags": ["a"]}
    cluster.put("a", document)
    document["tags"].append("b")
    read = cluster.get("a")
    assert read == {"tags": ["a"]}
    assert read is not None
    read["tags"].append("c")
    assert cluster.get("a") == {"tags": ["a"]}


def test_a_search_finds_each_document_once() -> None:
    cluster = filled(40)
    migration = cluster.add_node("new-3")
    cluster.run(50)
    assert set(cluster.search()) == {f"doc-{i}" for i in range(40)}
    cluster.run_until(migration.finished)
    assert set(cluster.search(lambda d: d["n"] < 5)) == {f"doc-{i}" for i in range(5)}


def test_a_document_expires() -> None:
    cluster = filled(0)
    cluster.put("a", {"x": 1}, ttl=10)
    cluster.advance(9)
    assert cluster.get("a") == {"x": 1}
    cluster.advance(2)
    assert cluster.get("a") is None
    assert cluster.search() == {}
    for ttl in (0, 0.5):
        cluster.put("a", {"x": 1}, ttl=ttl)
        cluster.advance(ttl)
        assert cluster.get("a") is None


def test_the_defaults_are_said() -> None:
    cluster = Cluster(["a", "b", "c"])
    assert (len(cluster.shards), cluster.rf, cluster.now) == (64, 2, 0.0)
    assert {(s.pages, s.collects, s.table) for s in cluster.shards} == {(16, False, None)}
    assert cluster.network.random.getstate() == Cluster(["a"], seed=0).network.random.getstate()
    assert Cluster(["a"]).rf == Cluster(["a", "b"], rf=1).rf == 1


@pytest.mark.parametrize(
    ("nodes", "rf", "replicas"),
    [(["a"], None, False), (["a", "b"], None, True), (["a", "b"], 1, False), ([["a"], ["b"]], None, True)],
)
def test_the_policy_knows_whether_there_are_replicas(nodes: Any, rf: int | None, replicas: bool) -> None:
    assert Cluster(nodes, 1, rf).policy.replicas == replicas


def test_shards_share_a_table_where_the_delta_pass_trusts_one() -> None:
    first, second = Cluster(["a"], 2, without=["delta_always"], gate=None).shards
    assert first.table is second.table is not None


def test_a_read_takes_no_step_unless_it_must_wait_for_the_target_to_open() -> None:
    cluster = filled(10)
    migration = cluster.move([0, 1, 2], "new")
    cluster.submit("doc-2", {})
    steps = cluster.network.steps
    assert cluster.get("doc-1") == {"n": 1}
    assert cluster.network.steps == steps
    cluster.run_until(lambda: cluster.shard("doc-1").record.phase is Phase.ACTIVATE)
    steps = cluster.network.steps
    assert cluster.get("doc-1") == {"n": 1}
    assert cluster.network.steps > steps
    cluster.run_until(migration.finished)


# ------------------------------------------------------------------ topologies and migrations


@pytest.mark.parametrize("nodes", [["a", "b"], [["a", "b"], ["c", "d"]], [["a"], ["b"], ["c"]]])
def test_nodes_join_every_group_and_go_back(nodes: Any) -> None:
    cluster = Cluster(nodes, shards=8, seed=3, pages=4)
    for i in range(60):
        cluster.put(f"doc-{i}", {"n": i})
    groups = len(cluster.groups)
    for group in range(groups):
        migration = cluster.add_node(f"new-{group}", group)
        for i in range(60):
            cluster.submit(f"doc-{i}", {"n": i, "group": group})
        cluster.run_until(migration.finished)
        cluster.settle()
        assert migration.complete
        assert cluster.audit().clean
    cluster.repair()
    cluster.settle()
    assert cluster.differences() == []
    last = cluster.migrations[-1]
    if last.moves and len({last.moves[s] for s in last.moves}) == 1:
        back = last.back()
        cluster.run_until(back.finished)
        assert back.complete
        assert cluster.audit().clean


def test_an_aborted_migration_is_wiped_and_retried() -> None:
    cluster = filled(60)
    migration = cluster.move([0, 1, 2], "new")
    cluster.run_until(lambda: any(s.record.phase is Phase.COPY for s in migration.shards))
    migration.abort()
    assert migration.finished()
    assert not migration.complete
    with pytest.raises(MigrationError, match="this step does not begin there"):
        migration.retry()
    cluster.settle()  # the wipe
    migration.retry()
    cluster.run_until(migration.finished)
    assert migration.complete
    assert cluster.audit().clean


def test_a_drain_that_takes_too_long_is_aborted() -> None:
    cluster = filled(10, drain_timeout=0)
    migration = cluster.move([0], "new")
    cluster.run_until(migration.finished)
    assert not migration.complete
    assert "drain timed out" in str(migration.states()[0])
    assert cluster.costs.migrations_aborted == 1


def test_a_drain_may_take_as_long_as_was_said_and_no_longer() -> None:
    cluster = filled(10, drain_timeout=5)
    (shard,) = cluster.move([0], "new").shards
    cluster.run_until(lambda: shard.record.phase is Phase.SEAL)
    for node in ("old-0", "new"):
        cluster.faults.cut(node)
    shard.sealed_at = cluster.network.steps - 4
    cluster.step()
    assert shard.record.phase is Phase.SEAL  # five steps
    cluster.step()
    assert shard.record.phase is Phase.ABORTED


def test_a_shard_moves_from_its_owner() -> None:
    cluster = Cluster(["a", "b"], 4)
    migration = cluster.move([2, 0], "new")
    assert migration.moves == {n: cluster.shards[n].record.owner for n in (0, 2)}


@pytest.mark.parametrize("phase", [p for p in Phase if p not in (Phase.IDLE, Phase.COMPLETE, Phase.ABORTED)])
def test_the_coordinator_may_crash_in_any_phase(phase: Phase) -> None:
    cluster = filled(30)
    migration = cluster.move([0], "new")
    for i in range(30):
        cluster.submit(f"doc-{i}", {"n": -i})
    cluster.run_until(lambda: cluster.shards[0].record.phase is phase)
    cluster.faults.crash()
    cluster.faults.crash(0)
    cluster.run_until(migration.finished)
    cluster.settle()
    assert migration.complete
    assert cluster.audit().clean


PROGRAM = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.integers(0, 5)),
        st.tuples(st.just("update"), st.integers(0, 5)),
        st.tuples(st.just("delete"), st.integers(0, 5)),
        st.tuples(st.just("run"), st.integers(1, 60)),
        st.tuples(st.just("join"), st.just(0)),
        st.tuples(st.just("crash"), st.just(0)),
        st.tuples(st.just("abort"), st.just(0)),
        st.tuples(st.just("cut"), st.integers(0, 1)),
        st.tuples(st.just("restart"), st.integers(0, 1)),
        st.tuples(st.sampled_from(KINDS), st.integers(0, 1)),
        st.tuples(st.just("stale"), st.just(0)),
    ),
    max_size=25,
)


@examples(30)
@given(PROGRAM, st.integers(0, 3))
def test_nothing_is_lost_whatever_happens(program: list[tuple[str, int]], seed: int) -> None:
    cluster = Cluster(["a", "b"], shards=2, rf=2, seed=seed, pages=2)
    for name, which in program:
        node = "ab"[which % 2]
        match name:
            case "put":
                cluster.submit(f"doc-{which}", {"put": which}, router="slow" if which > 3 else "")
            case "update":
                cluster.submit(f"doc-{which}", {"patch": which}, partial=True)
            case "delete":
                cluster.submit(f"doc-{which}", None)
            case "run":
                cluster.run(which)
            case "join" if all(m.finished() for m in cluster.migrations) and not cluster.moving:
                cluster.add_node(f"new-{len(cluster.migrations)}")
            case "abort" if cluster.migrations:
                cluster.migrations[-1].abort()
            case "crash":
                cluster.faults.crash()
            case "cut" | "restart":
                getattr(cluster.faults, name)(node)
            case "stale":
                cluster.faults.stale("slow")
            case _ if name in KINDS:
                getattr(cluster.faults, name)(node, rate=0.5)
    for name in cluster.nodes:
        cluster.faults.heal(name)
        cluster.faults.plan(name)
    cluster.settle()
    assert cluster.audit().clean, cluster.audit()
    assert all(m.finished() for m in cluster.migrations)
    assert not any(s.held or s.waiting for s in cluster.shards)


def test_without_a_safeguard_something_is_lost_and_the_audit_says_what() -> None:
    cluster = Cluster(["old"], 1, seed=1, without=["delta_always"], gate=None, pages=1000)
    first = min((f"doc-{i}" for i in range(100)), key=key_hash)
    migration = cluster.move([0], "new")
    cluster.run_until(lambda: cluster.shards[0].record.cursor > page_of(first, 1000))
    cluster.faults.lose("new", rate=1)
    write = cluster.put(first, {"n": 1})  # behind the copy, and lost on its way to the new node
    cluster.faults.plan("new")
    cluster.run_until(migration.finished)
    found = cluster.audit()
    assert write.acknowledged
    assert [e.key for e in found.lost] == [first]
    assert dict(found.kinds()) == {"LAW": 1}
    assert "lost: 1 LAW" in str(found)
    assert not found.clean


# ------------------------------------------------------------------ choosing is apart from doing


def test_every_choice_may_be_taken_by_hand() -> None:
    cluster = Cluster(["old"], 1, seed=1, pages=1)
    cluster.move([0], "new")
    write = cluster.submit("a", {"x": 1})
    random = Random(1)
    while not (cluster.migrations[0].complete and write.answered):
        cluster.step(random.choice([c for c in cluster.enabled(faults=False) if c.action != "abort"]))
    assert cluster.audit().clean
    assert cluster.migrations[0].complete
    assert {c.fault for c in cluster.enabled()} >= {"restart", "partition"}


def test_each_shard_has_choices_of_its_own() -> None:
    cluster = Cluster(["old"], 2)
    for shard in cluster.shards:
        shard.submit("a", {})
    accepted = [c for c in cluster.enabled(faults=False) if c.action == "accept"]
    assert [(c.shard, c.what[0].replica.shard) for c in accepted] == [(s, s.number) for s in cluster.shards]


def test_steps_are_counted() -> None:
    cluster = Cluster(["a"], 1)
    assert (cluster.step(), cluster.run(5), cluster.settle()) == (False, 0, 0)
    cluster.submit("a", {})
    assert cluster.settle() == 3  # it arrives, is applied, is answered
    cluster.submit("a", {})
    assert (cluster.run(2), cluster.run(5)) == (2, 1)
    cluster.moving.append(cluster.shards[0])  # it does not move any more
    assert not cluster.step()
    assert cluster.moving == []


def test_coordinators_have_their_turns_between_deliveries_and_none_is_first() -> None:
    cluster = Cluster(["a"], 2)
    cluster.move([0, 1], "new")
    for shard in cluster.shards:
        shard.submit("a", {})
    cluster.network.random = Drawn(0.99)
    cluster.step()
    assert [sum(r.fence for r in s.replicas.values()) for s in cluster.shards] == [0, 1]


def differing() -> Cluster:
    """One document that the second group missed."""
    cluster = Cluster([["a"], ["b"]], 1)
    cluster.faults.lose("b", 1)
    cluster.put("doc-1", {"n": 1})
    cluster.faults.plan("b")
    return cluster


def test_a_pass_says_how_much_it_repairs() -> None:
    cluster = differing()
    assert len(cluster.differences()) == cluster.repair() == 1
    cluster.settle()
    assert len(cluster.differences()) == cluster.repair() == 0
    assert not any(s.record.clean for s in cluster.shards)  # nobody waits for a clean pass
    cluster = differing()
    assert cluster.step()  # nothing else is to do: a pass
    assert [m.kind for m in cluster.network.under_way()] == [Kind.REPAIR]


def test_the_scheduler_begins_a_pass_now_and_then() -> None:
    cluster = differing()
    cluster.move([0], "new")
    cluster.faults.cut("new")
    cluster.faults.cut("b")
    cluster.next_pass = 0
    assert cluster.differences() == []  # b can't be reached
    cluster.faults.heal("b")
    for _ in range(2):
        cluster.moving[0].coordinator.awaits = None
        cluster.network.random = Drawn(0.99)
        cluster.step()
    assert [m.kind for m in cluster.network.under_way()] == [Kind.REPAIR]
    assert cluster.next_pass > cluster.network.steps


def test_clean_up_after_a_clean_pass() -> None:
    policy = Policy(skip_delta_pass=True, cleanup=Cleanup.AFTER_CLEAN_PASS)
    cluster = Cluster(["a", "b"], 1, policy=policy, gate=None)
    migration = cluster.move([0], "new")
    (shard,) = cluster.shards
    cluster.run_until(lambda: shard.record.phase is Phase.GRACE)
    repair = Message(Kind.REPAIR, shard.owner, (), shard.record.epoch)
    cluster.network.send(repair)
    cluster.repair()
    assert not shard.record.clean  # a repair is under way
    cluster.network.drop(repair)
    cluster.repair()
    assert shard.record.clean
    cluster.run_until(migration.finished)
    assert migration.complete


def test_the_same_seed_gives_the_same_and_another_another() -> None:
    def prints(seed: int) -> list[int]:
        cluster = filled(10, seed=seed)
        cluster.add_node("new")
        for i in range(10):
            cluster.submit(f"doc-{i}", {"again": i})
        return [cluster.fingerprint() for _ in range(100) if cluster.step()]

    assert prints(1) == prints(1)
    assert prints(1) != prints(2)


def test_a_snapshot_is_taken_up_again_with_the_same_future() -> None:
    cluster = filled(10)
    migration = cluster.add_node("new")
    cluster.submit("doc-1", {"later": True})
    cluster.run(10)
    kept, printed = cluster.snapshot(), cluster.fingerprint()
    first = [cluster.fingerprint() for _ in range(60) if cluster.step()]
    cluster.restore(kept)
    assert cluster.fingerprint() == printed
    assert [cluster.fingerprint() for _ in range(60) if cluster.step()] == first
    assert cluster.migrations[0] is not migration
    cluster.run_until(cluster.migrations[0].finished)
    assert cluster.audit().clean


def test_a_snapshot_stays_in_memory() -> None:
    cluster = filled(1)
    with pytest.raises(TypeError, match="keep the seed and the calls"):
        pickle.dumps(cluster.snapshot())
    with pytest.raises(TypeError, match="not bytes"):
        cluster.restore(b"")  # type: ignore[arg-type]


def test_a_choice_happens_once() -> None:
    cluster = filled(1)
    cluster.submit("doc-0", {"n": 1})
    [choice] = [c for c in cluster.enabled(faults=False) if c.action == "accept"]
    assert str(choice).startswith("accept(write of doc-0@")
    assert cluster.step(choice)
    with pytest.raises(
        ValueError, match=r"accept\(write of doc-0@.* can't happen now; enabled\(\) lists what can"
    ):
        cluster.step(choice)


PRINTED = """
from cutproof.impl import Cluster
cluster = Cluster(["a", "b"], shards=4, seed=5)
for i in range(20): cluster.put(f"doc-{i}", {"n": i, "m": [i]})
cluster.add_node("c"); cluster.run(100)
print(cluster.fingerprint(), cluster.audit())
"""


def test_a_fingerprint_is_the_same_in_every_process() -> None:
    said = {
        subprocess.run(
            [sys.executable, "-c", PRINTED],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "77")
    }
    assert len(said) == 1


# ------------------------------------------------------------------ what safety costs


def test_a_write_into_a_sealed_shard_is_held_and_goes_on() -> None:
    cluster = filled(10)
    migration = cluster.move([0, 1, 2], "new")
    cluster.run_until(lambda: cluster.shard("doc-1").record.phase is Phase.SEAL)
    write = cluster.submit("doc-1", {"held": True})
    assert write.status is Status.HELD
    cluster.run_until(migration.finished)
    cluster.settle()
    assert write.acknowledged
    assert cluster.get("doc-1") == {"held": True}
    assert cluster.costs.held == 1
    assert cluster.costs.sealed_steps > 0
    assert cluster.costs.documents_copied == 10


def test_a_system_that_refuses_does_not_look_good() -> None:
    cluster = filled(5)
    cluster.faults.stale("old-router")
    migration = cluster.move([0, 1, 2], "new")
    cluster.run_until(migration.finished)
    write = cluster.put("doc-1", {"late": True}, router="old-router")
    assert write.status is Status.REFUSED
    assert cluster.costs.refused == 1
    with pytest.raises(Unavailable, match="can't be read from old-0 now"):
        cluster.get("doc-1", router="old-router")
    assert cluster.costs.reads_refused == 1
    cluster.faults.refresh("old-router")
    assert cluster.put("doc-1", {"late": False}, router="old-router").acknowledged


# ------------------------------------------------------------------ wrong input


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"nodes": "old"}, "nodes is a list of names"),
        ({"nodes": []}, "nodes is a list of names"),
        ({"nodes": ["a", "a"]}, "each node has a name of its own"),
        ({"nodes": [["a"], []]}, "each group has nodes"),
        ({"nodes": ["a", ""]}, "each node has a name"),
        ({"nodes": ["a"], "shards": 0}, "shards=0"),
        ({"nodes": ["a"], "pages": 0}, "pages=0"),
        ({"nodes": ["a"], "rf": 2}, "rf=2 with 1 nodes in a group"),
        ({"nodes": ["a"], "rf": 0}, "rf=0 with 1 nodes in a group"),
        ({"nodes": ["a"], "without": ["belt"]}, "unknown safeguard 'belt'"),
        ({"nodes": ["a"], "gate": "none"}, "gate='none'"),
    ],
)
def test_a_cluster_that_can_not_be_is_refused(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Cluster(**arguments)


def test_documents_that_can_not_be_are_refused() -> None:
    cluster = filled(0)
    with pytest.raises(ReservedField, match="miroir_reserved_field"):
        cluster.put("a", {"_miroir_shard": 1})
    with pytest.raises(InvalidDocument, match="is no document id"):
        cluster.put("a b", {})
    with pytest.raises(InvalidDocument, match="not list"):
        cluster.put("a", [1])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"ttl=-0\.5"):
        cluster.put("a", {}, ttl=-0.5)
    with pytest.raises(ValueError, match="only goes forward"):
        cluster.advance(-0.5)
    assert cluster.costs.writes == 0


def test_migrations_that_can_not_be_are_refused_and_leave_nothing() -> None:
    cluster = filled(5)
    nodes = dict(cluster.nodes)
    with pytest.raises(ValueError, match="'old-0' is there already"):
        cluster.add_node("old-0")
    for number in (-1, 3):
        with pytest.raises(ValueError, match="there are shards 0 to 2"):
            cluster.move([number], "new")
    with pytest.raises(ValueError, match="no replica group 1: there are 1"):
        cluster.add_node("new", 1)
    with pytest.raises(ValueError, match="no replica group -1"):
        cluster.move([0], "new", -1)
    with pytest.raises(ValueError, match="old-0 holds a replica of shard 0 already"):
        cluster.move([0], "old-0")
    cluster.move([0, 1, 2], "new")
    with pytest.raises(MigrationError, match="this step does not begin there"):
        cluster.move([0], "other")
    nodes["new"] = cluster.nodes["new"]
    assert cluster.nodes == nodes
    assert cluster.groups == [["old-0", "new"]]
    assert len(cluster.migrations) == 1


def test_a_replica_is_not_moved_onto_its_own_machine() -> None:
    cluster = Cluster([["a"], ["b"]], shards=1)
    with pytest.raises(ValueError, match="b holds a replica of shard 0 already"):
        cluster.move([0], "b")


def test_an_unsafe_policy_is_refused_by_the_gate() -> None:
    cluster = Cluster(["a"], shards=1, policy=Policy(skip_delta_pass=True, anti_entropy=AntiEntropy.OFF))
    with pytest.raises(UnsafeCutover, match="delta pass is skipped"):
        cluster.add_node("b")
    assert list(cluster.nodes) == ["a"]


def test_faults_of_nobody_are_refused() -> None:
    faults = filled(0).faults
    with pytest.raises(ValueError, match="no node 'new': there are old-0"):
        faults.cut("new")
    with pytest.raises(ValueError, match="out of range"):
        faults.lose("old-0", rate=2)
    with pytest.raises(ValueError, match="unknown fault 'explode'"):
        faults.plan("old-0", explode=1)
    with pytest.raises(ValueError, match="at most 1 together"):
        faults.plan("old-0", fail=0.6, lose=0.6)
    with pytest.raises(ValueError, match="no shard 9"):
        faults.crash(9)
    with pytest.raises(ValueError, match="no shard 9"):
        faults.restart_sequencer(9)


def test_waiting_for_what_never_comes_says_why() -> None:
    cluster = filled(3)
    cluster.move([0], "new")
    cluster.faults.cut("new")
    with pytest.raises(Stuck, match="cut off: new; migrations are in dual"):
        cluster.run_until(cluster.migrations[0].finished)
    with pytest.raises(Stuck, match="not within 0 steps"):
        cluster.run_until(lambda: False, limit=0)
    cluster.faults.heal("new")
    assert cluster.run_until(cluster.migrations[0].finished) > 0


def test_a_client_gives_up_on_a_node_that_is_cut_off() -> None:
    cluster = filled(3)
    cluster.faults.cut("old-0")
    assert cluster.put("doc-1", {"n": 9}).status is Status.TIMED_OUT
    with pytest.raises(Unavailable):
        cluster.get("doc-1")
    with pytest.raises(Unavailable, match="can't be searched now"):
        cluster.search()
    cluster.faults.heal("old-0")
    cluster.settle()
    assert cluster.get("doc-1") == {"n": 9}  # it was late, and nothing newer came
    assert cluster.audit().clean


def test_a_clean_pass_lets_the_migration_go_on() -> None:
    """A pass that finds nothing sends nothing, and yet something has happened."""
    policy = Policy(skip_delta_pass=True, cleanup=Cleanup.AFTER_CLEAN_PASS)
    cluster = Cluster(["old-0"], 1, policy=policy, gate=None)
    cluster.put("a", {"n": 1})
    migration = cluster.move([0], "new-0")
    cluster.run_until(migration.finished)
    assert migration.complete


# ------------------------------------------------------------------ the policy changes

RECORDED = "policy_is_recorded"
SKIPS = Policy(skip_delta_pass=True, cleanup=Cleanup.IMMEDIATE)
HEALS_LATER = Policy(skip_delta_pass=True, cleanup=Cleanup.IMMEDIATE, replica_ack=ReplicaAck.REQUIRED)
OFF = replace(HEALS_LATER, anti_entropy=AntiEntropy.OFF)


def missed_by_the_target(**more: Any) -> tuple[Cluster, Migration]:
    """Every page is copied, and then an acknowledged update does not reach the target."""
    cluster = Cluster(**{"nodes": [["old"], ["other"]], "shards": 1, "seed": 3, "passes": 10**9, **more})
    cluster.put("a", {"n": 1})
    migration = cluster.move([0], "new")
    (shard,) = cluster.shards
    cluster.run_until(lambda: shard.record.phase is Phase.COPY and shard.record.cursor == shard.pages)
    write = cluster.submit("a", {"n": 2})
    cluster.step(next(c for c in cluster.enabled() if c.action == "delivery_fails" and "to new" in str(c)))
    cluster.run_until(lambda: write.answered)
    assert write.status is Status.ACKNOWLEDGED
    return cluster, migration


def served(cluster: Cluster, migration: Migration) -> dict[str, Any] | None:
    cluster.run_until(migration.finished)
    assert migration.complete
    return cluster.get("a")


def test_without_the_rule_a_change_of_the_policy_loses_an_acknowledged_write() -> None:
    cluster, migration = missed_by_the_target(gate=None, without=[RECORDED])
    cluster.change_policy(SKIPS)
    assert served(cluster, migration) == {"n": 1}
    assert str(cluster.audit()).endswith("lost: 1 LU")


def test_a_change_that_the_gate_refuses_is_refused_while_a_migration_lives() -> None:
    for without in ([], [RECORDED]):
        cluster, migration = missed_by_the_target(without=without)
        before = cluster.fingerprint()
        with pytest.raises(UnsafeCutover, match="skip_delta_pass=true"):
            cluster.change_policy(SKIPS)
        assert (cluster.policy, cluster.fingerprint()) == (Policy(), before)
        assert served(cluster, migration) == {"n": 2}
        assert cluster.audit().clean


def test_without_the_rule_what_was_to_be_healed_is_lost_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    """The run of the stored trace: anti-entropy is switched off while a migration lives that counts on it."""

    def passes(refused: bool, **more: Any) -> dict[str, Any] | None:
        cluster, migration = missed_by_the_target(policy=HEALS_LATER, **more)
        with pytest.raises(UnsafeCutover) if refused else nullcontext():
            cluster.change_policy(OFF)
        assert served(cluster, migration) == {"n": 1}  # lost, and to be healed
        cluster.repair()
        cluster.settle()
        return cluster.get("a")

    assert passes(False, gate=None, without=[RECORDED]) == {"n": 1}
    assert passes(False, gate=None) == {"n": 2}  # the record's copy rules
    assert passes(True, gate="seed", without=[RECORDED]) == {"n": 2}  # it only has to be asked again
    monkeypatch.setitem(GATES, "sound", gate_of(Strength.EVENTUAL))
    assert passes(True, gate="sound", without=[RECORDED]) == {"n": 2}


def test_another_migration_waits_until_what_the_last_one_left_is_repaired() -> None:
    """It may begin under a policy without anti-entropy, which nobody refuses when no migration lives."""

    def another(*without: str) -> tuple[Cluster, Migration | None]:
        cluster, migration = missed_by_the_target(policy=HEALS_LATER, gate=None, without=without)
        assert served(cluster, migration) == {"n": 1}  # lost, and to be healed
        cluster.change_policy(OFF)
        try:
            return cluster, cluster.move([0], "newer")
        except NotRepaired as error:
            assert "shard 0" in str(error)
            return cluster, None

    cluster, later = another("healed_before_next")
    assert later is not None and served(cluster, later) == {"n": 1}
    cluster.repair()
    cluster.settle()
    assert [entry.permanent for entry in cluster.audit().lost] == [True]

    cluster, later = another()
    assert later is None and list(cluster.nodes) == ["old", "other", "new"]
    assert cluster.shards[0].at("other").fence == 0
    while cluster.settle() or cluster.repair():
        pass
    assert cluster.shards[0].at("other").fence == 3
    later = cluster.move([0], "newer")
    assert served(cluster, later) == {"n": 2} and cluster.audit().lost == ()


def test_after_an_abort_another_policy_waits_too_and_the_same_one_does_not() -> None:
    counts = Policy(replica_ack=ReplicaAck.COUNTS)
    cluster = Cluster([["old"], ["other"]], 1, seed=3, policy=counts, gate=None, passes=10**9)
    cluster.next_pass = 10**9
    write = cluster.submit("a", {"n": 2})
    cluster.step(next(c for c in cluster.enabled() if c.action == "delivery_fails" and "to old" in str(c)))
    cluster.run_until(lambda: write.answered)
    migration = cluster.move([0], "new")
    migration.abort()
    cluster.run_until(lambda: not cluster.moving)
    cluster.change_policy(Policy(anti_entropy=AntiEntropy.OFF))
    with pytest.raises(NotRepaired):
        cluster.move([0], "newer")
    while cluster.settle() or cluster.repair():
        pass
    assert cluster.shards[0].at("other").fence == cluster.shards[0].record.epoch == 4
    assert served(cluster, cluster.move([0], "newer")) == {"n": 2}

    cluster, migration = missed_by_the_target(policy=HEALS_LATER, gate=None)
    assert served(cluster, migration) == {"n": 1}
    again = cluster.move([0], "newer")  # the same policy heals it as well
    assert served(cluster, again) in ({"n": 1}, {"n": 2})
    while cluster.settle() or cluster.repair():
        pass
    assert cluster.get("a") == {"n": 2}


def test_a_change_that_the_gate_accepts_is_for_later_migrations() -> None:
    alert = Policy(anti_entropy=AntiEntropy.ALERT)
    cluster, migration = missed_by_the_target()
    cluster.change_policy(alert)
    (shard,) = cluster.shards
    assert shard.record.mechanisms == resolve(Policy())
    migration.abort()
    cluster.settle()
    migration.retry()
    assert shard.record.mechanisms == resolve(Policy())  # it is still the same migration
    assert served(cluster, migration) == {"n": 2}
    later = cluster.move([0], "newer")
    assert shard.record.mechanisms == resolve(alert)
    assert served(cluster, later) == {"n": 2}


def test_where_no_migration_lives_the_gate_is_asked_at_the_next_begin() -> None:
    cluster = filled(5)
    cluster.change_policy(SKIPS)
    assert not cluster.policy.replicas  # a fact of the topology, which nobody sets
    with pytest.raises(UnsafeCutover, match="skip_delta_pass=true"):
        cluster.add_node("new")
    assert list(cluster.nodes) == ["old-0"]
    cluster.change_policy(Policy())
    migration = cluster.add_node("new")
    cluster.run_until(migration.finished)
    assert migration.complete
    with pytest.raises(ValueError, match="replica_ack=counts"):
        cluster.change_policy(Policy(replica_ack=ReplicaAck.COUNTS))


def test_a_migration_that_lives_does_not_feel_a_change() -> None:
    """Not in its steps, and not in the passes that it began with."""

    def runs(change: bool) -> list[object]:
        cluster, migration = missed_by_the_target(policy=HEALS_LATER, gate=None, passes=1)
        if change:
            cluster.change_policy(OFF)
        states: list[object] = []
        while not migration.finished() and cluster.step():
            states.append(state_of(cluster.shards[0]))
        assert cluster.get("a") == {"n": 2}  # healed before the clean-up ended
        return states

    assert runs(True) == runs(False)


def test_the_scheduler_begins_passes_for_the_records_not_for_the_policy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for began, then, passes in ((HEALS_LATER, OFF, 1), (OFF, HEALS_LATER, 0)):
        cluster, _ = missed_by_the_target(policy=began, gate=None)
        cluster.change_policy(then)
        begun: list[int] = []
        monkeypatch.setattr(cluster, "repair", lambda begun=begun: begun.append(1) or 0)
        cluster.next_pass = 0
        while not cluster.next_pass:
            cluster.step()
        assert len(begun) == passes


def test_what_migrations_begin_under_is_part_of_the_fingerprint() -> None:
    cluster = filled(3)
    prints = [cluster.fingerprint()]
    for policy in (Policy(anti_entropy=AntiEntropy.OFF), Policy(acknowledge=Acknowledge.ALL)):
        cluster.change_policy(policy)
        prints.append(cluster.fingerprint())
    cluster.change_policy(Policy())
    assert len(set(prints)) == 3
    assert cluster.fingerprint() == prints[0]
    cluster.change_policy(Policy(anti_entropy=AntiEntropy.OFF))
    cluster.add_node("new")
    cluster.change_policy(Policy())
    other = filled(3)
    other.add_node("new")
    assert list(map(state_of, cluster.shards)) == list(map(state_of, other.shards))
    assert cluster.fingerprint() != other.fingerprint()  # the records' copies differ


@examples(15)
@given(
    program=st.lists(
        st.tuples(st.sampled_from(["put", "fail", "step", "move", "change"]), st.integers(0, 10**6)),
        max_size=25,
    ),
    seed=st.integers(0, 99),
)
def test_nothing_is_lost_whatever_operators_set(program: list[tuple[str, int]], seed: int) -> None:
    """Whatever is tried: a change is refused only while a migration lives, and exactly where the gate refuses."""
    cluster = Cluster([["a"], ["b"]], 2, seed=seed)
    every = [p for p in policies() if p.replicas]
    for number, (what, n) in enumerate(program):
        if what == "put":
            cluster.submit(f"doc-{n % 5}", {"n": number})
        elif what == "fail" and "x" in cluster.nodes:
            cluster.faults.fail("x", rate=n % 3 / 4)
        elif what == "step":
            cluster.run(n % 100)
        elif what == "move":
            with suppress(UnsafeCutover, InvalidTransition, ValueError):
                cluster.move([n % 2], f"{'xyz'[n % 3]}")
        elif what == "change":
            lives = any(s.record.live for s in cluster.shards)
            policy = every[n % len(every)] if n % 2 else Policy(acknowledge=list(Acknowledge)[n % 3])
            refused = lives and sound_gate(policy) is not None
            with pytest.raises(UnsafeCutover) if refused else nullcontext():
                cluster.change_policy(policy)
    cluster.run(1000)
    assert cluster.audit().clean


# ------------------------------------------------------------------ small promises


@pytest.mark.parametrize("name", ["shards", "pages", "passes"])
def test_none_of_something_that_must_be_there_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name}=0"):
        Cluster(**{"nodes": ["old"], "shards": 1, name: 0})
    Cluster(**{"nodes": ["old"], "shards": 1, name: 1})


@pytest.mark.parametrize("shards", [1, 2, 5])
def test_documents_are_spread_over_all_shards(shards: int) -> None:
    cluster = Cluster(["old"], shards)
    keys = [f"doc-{n}" for n in range(60)]
    numbers = [cluster.shard(key).number for key in keys]
    assert numbers == [shard_of(key, shards) for key in keys] and set(numbers) == set(range(shards))


def test_to_give_a_drain_up_is_a_turn() -> None:
    cluster = Cluster(["old"], 1, seed=1, drain_timeout=0)
    migration = cluster.move([0], "new")
    cluster.run_until(lambda: cluster.shards[0].record.phase is Phase.SEAL)
    cluster.network.steps += 1
    assert cluster.turn() is True
    assert cluster.shards[0].record.phase is Phase.ABORTED and migration.finished()


def test_a_fingerprint_knows_the_mechanisms_of_records_and_those_that_are_set_since() -> None:
    cluster = filled(2)
    shard, seen = cluster.shards[0], {cluster.fingerprint()}
    plain = shard.record
    for cleanup in (Cleanup.IMMEDIATE, Cleanup.AFTER_CLEAN_PASS):
        shard.store_of_record.value = plain.with_(mechanisms=replace(plain.mechanisms, cleanup=cleanup))
        seen.add(cluster.fingerprint())
    shard.store_of_record.value = plain
    for cleanup in (Cleanup.IMMEDIATE, Cleanup.AFTER_CLEAN_PASS):
        cluster.mechanisms = replace(cluster.mechanisms, cleanup=cleanup)
        seen.add(cluster.fingerprint())
    assert len(seen) == 5
