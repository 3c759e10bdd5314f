"""Routing: xxh64 hash mod S, rendezvous assignment, quorum."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutproof.impl.routing import RF, SHARDS, assign, displaced, key_hash, quorum, rank_nodes, shard_of

NODES = st.lists(st.text("abcdef0123", min_size=1, max_size=6), min_size=2, max_size=8, unique=True)


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("", 0xEF46DB3751D8E999),  # the vectors of the xxHash specification, seed 0
        ("a", 0xD24EC4F1A98C6E5B),
        ("abc", 0x44BC2CF5AD770999),
    ],
)
def test_a_key_is_hashed_by_xxh64_with_seed_0(key: str, expected: int) -> None:
    assert key_hash(key) == expected
    assert shard_of(key, 64) == expected % 64


def test_the_defaults_are_miroirs() -> None:
    assert (SHARDS, RF) == (64, 2)


@pytest.mark.parametrize(("shard", "order"), [(0, "a b c d"), (1, "a d b c"), (7, "d a c b")])
def test_the_order_is_by_the_xxh64_of_shard_and_name_the_highest_first(shard: int, order: str) -> None:
    """Known values, for other implementations: 0:node-a is hashed to d97de9c3d58f928f, 0:node-b to bc8f9e3f944cce2e."""
    names = tuple(f"node-{letter}" for letter in order.split())
    assert rank_nodes(shard, sorted(names)) == names
    assert assign(shard, sorted(names), RF) == names[:2]


@given(NODES, st.integers(0, 500), st.data())
def test_a_joining_node_takes_only_what_it_wins(nodes: list[str], shard: int, data: st.DataObject) -> None:
    rf = data.draw(st.integers(1, len(nodes) - 1))
    *old, joining = nodes
    before, after = assign(shard, old, rf), assign(shard, nodes, rf)
    out = displaced(shard, before, joining)
    if out is None:
        assert after == before
    else:
        assert joining in after
        assert set(after) == set(before) - {out} | {joining}


@given(NODES, st.integers(0, 500))
def test_ranks_do_not_depend_on_the_order(nodes: list[str], shard: int) -> None:
    assert rank_nodes(shard, nodes) == rank_nodes(shard, reversed(nodes))
    assert sorted(rank_nodes(shard, nodes)) == sorted(nodes)


def test_shards_lie_evenly_on_nodes() -> None:
    nodes = [f"node-{i}" for i in range(5)]
    owners = Counter(assign(shard, nodes, 1)[0] for shard in range(5_000))
    assert min(owners.values()) > 900
    assert max(owners.values()) < 1_100


@pytest.mark.parametrize(("rf", "needed"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3)])
def test_a_quorum_is_a_majority(rf: int, needed: int) -> None:
    assert quorum(rf) == needed


@pytest.mark.parametrize("rf", [0, 3])
def test_too_few_nodes_are_refused(rf: int) -> None:
    with pytest.raises(ValueError, match=f"rf={rf} with 2 nodes"):
        assign(0, ["a", "b"], rf)
