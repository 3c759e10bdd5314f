"""The audit says whether clients are served: it agrees with trying, disturbs nothing, and notices what hangs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutproof.impl import Cluster, MigrationError, Policy, Stuck, Unavailable
from cutproof.impl.record import Phase, Record
from cutproof.impl.shard import Shard
from cutproof.model.cutover.mechanisms import Acknowledge, AntiEntropy, Cleanup, ReplicaAck

KEYS = [f"doc-{i}" for i in range(8)]


def filled(**more: Any) -> Cluster:
    cluster = Cluster(**{"nodes": ["old"], "shards": 2, "seed": 3, "pages": 2, **more})
    for key in KEYS:
        cluster.put(key, {"key": key})
    return cluster


def asked(cluster: Cluster) -> set[str]:
    """What is asked in vain, by kind."""
    return {found.asked for found in cluster.audit().unserved}


def keeps_the_epoch(monkeypatch: pytest.MonkeyPatch, *phases: Phase) -> None:
    """A broken coordinator: these phases are recorded without a new epoch."""
    change = Shard.change

    def broken(self: Shard, expected: Record, **changes: Any) -> bool:
        if changes.get("phase") in phases:
            changes.pop("epoch", None)
        return change(self, expected, **changes)

    monkeypatch.setattr(Shard, "change", broken)


def in_phase(cluster: Cluster, phase: Phase) -> Callable[[], bool]:
    return lambda: all(s.record.phase is phase for s in cluster.shards)


def served(cluster: Cluster) -> set[str]:
    """What is refused when it is tried, on a copy: each document is written, read and deleted, all are searched, and
    a migration is begun."""
    copy = Cluster(["another"])
    copy.restore(cluster.snapshot())
    refused = set()
    if any(s.waiting or s.held for s in copy.shards):
        refused.add("answer")
    for key in KEYS:
        if not (copy.put(key, {"again": 1}).acknowledged and copy.delete(key).acknowledged):
            refused.add("write")
        try:
            copy.get(key)
        except Unavailable:
            refused.add("read")
    try:
        copy.search()
    except Unavailable:
        refused.add("search")
    copy.settle()
    try:
        copy.move([0, 1], "yet another")
    except MigrationError:
        refused.add("begin")
    return refused


def test_nobody_is_said_to_be_unserved_while_a_migration_goes_on() -> None:
    cluster = filled()
    migration = cluster.add_node("new")
    writes = 0
    while not migration.finished():
        assert cluster.audit().unserved == ()
        if cluster.network.steps % 5 == 0:
            cluster.submit(KEYS[writes % len(KEYS)], {"n": writes})
            writes += 1
        cluster.step()
    cluster.settle()
    assert cluster.audit().clean
    assert served(cluster) == set()


def test_an_abort_that_releases_nobody_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    keeps_the_epoch(monkeypatch, Phase.ABORTED)
    cluster = filled()
    migration = cluster.move([0, 1], "new")
    cluster.run_until(in_phase(cluster, Phase.DELTA))
    write = cluster.submit("doc-1", {"n": 1})
    migration.abort()
    cluster.settle()
    found = cluster.audit()
    assert asked(cluster) == {"answer", "write"} and not found.clean and not write.answered
    assert "write of shard 0: writers are held" in str(found)
    assert "answer of shard" in str(found) and "1 client waits for an answer" in str(found)
    assert served(cluster) >= {"answer", "write"}


def test_a_target_that_never_opens_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    keeps_the_epoch(monkeypatch, Phase.ACTIVATE)
    cluster = filled()
    migration = cluster.move([0, 1], "new")
    cluster.run_until(migration.finished)
    cluster.settle()
    assert migration.complete
    assert "write" in asked(cluster) and "write" in served(cluster)


@pytest.mark.parametrize("fence", [0, 8])
def test_a_fence_that_does_not_fit_the_record_is_noticed(fence: int) -> None:
    """The owner was restored from a copy and is not open; or the record was, and the owner refuses who knows it."""
    cluster = filled()
    cluster.run_until(cluster.move([0], "new").finished)
    cluster.settle()
    assert asked(cluster) == set()
    cluster.shards[0].owner.fence = fence
    assert asked(cluster) == {"write", "read", "search"} == served(cluster)
    assert {found.shard for found in cluster.audit().unserved} == {0}


def test_a_clean_up_that_waits_for_ever_keeps_the_next_migration_away_and_nobody_else() -> None:
    policy = Policy(
        skip_delta_pass=True, cleanup=Cleanup.AFTER_CLEAN_PASS, anti_entropy=AntiEntropy.OFF, replicas=False
    )
    cluster = filled(policy=policy, gate=None)
    migration = cluster.move([0, 1], "new")
    with pytest.raises(Stuck):
        cluster.run_until(migration.finished)
    assert asked(cluster) == {"begin"} == served(cluster)
    assert str(cluster.audit().unserved[0]) == "begin of shard 0: one lives"


def test_an_abort_that_is_never_wiped_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cutproof.impl.mover.wants", lambda shard: [])
    cluster = filled()
    migration = cluster.move([0, 1], "new")
    migration.abort()
    cluster.settle()
    assert asked(cluster) == {"begin"} == served(cluster)
    assert "the aborted one was not wiped" in str(cluster.audit())


def test_a_search_or_a_read_that_is_never_over_is_noticed() -> None:
    cluster = filled()
    cluster.shards[0].search()
    cluster.shards[1].read(KEYS[0])
    cluster.shards[1].read(KEYS[0])
    assert [f"{f.asked} {f.why}" for f in cluster.audit().unserved] == [
        "answer 1 client waits for an answer",
        "answer 2 clients wait for an answer",
    ]


def test_who_is_cut_off_is_healed_first() -> None:
    cluster = filled()
    migration = cluster.move([0, 1], "new")
    cluster.faults.cut("new")
    cluster.settle()
    assert cluster.audit().unserved == ()
    cluster.faults.heal("new")
    cluster.run_until(migration.finished)
    cluster.settle()
    assert cluster.audit().unserved == () and served(cluster) == set()


SETTINGS = [
    {},
    {"policy": Policy(acknowledge=Acknowledge.ALL)},
    {"nodes": [["a", "b"], ["c", "d"]], "policy": Policy(replica_ack=ReplicaAck.REQUIRED)},
    {"without": ["search_filters_owned"]},
    {"without": ["wipe_before_retry"]},
    {"without": ["fence_epoch"]},
]


@given(seed=st.integers(0, 10**6), setting=st.sampled_from(SETTINGS), broken=st.booleans())
def test_it_says_what_trying_says_and_disturbs_nothing(
    seed: int, setting: dict[str, Any], broken: bool
) -> None:
    """Whatever happened before, once nothing goes on any more: what is unserved is refused, and nothing else is."""
    draw = Random(seed)
    with pytest.MonkeyPatch.context() as patch:
        if broken:
            keeps_the_epoch(patch, draw.choice((Phase.ABORTED, Phase.ACTIVATE)))
        cluster = filled(seed=seed, **setting)
        owners = [s.owner.node.name for s in cluster.shards]
        move = [n for n in (0, 1) if owners[n] == owners[0]]
        migration = cluster.move(move, "new")
        for _ in range(draw.randrange(60)):
            cluster.submit(draw.choice(KEYS), {"n": 1})
            cluster.run(draw.randrange(4))
            before = cluster.fingerprint(), cluster.network.random.getstate()
            cluster.audit()
            assert (cluster.fingerprint(), cluster.network.random.getstate()) == before
        if draw.random() < 0.5:
            migration.abort()
        with suppress(Stuck):
            cluster.run_until(migration.finished, 20_000)
        cluster.settle()
        told, tried = asked(cluster), served(cluster)
    assert told == tried
    assert broken or told == set()
