"""Routing: document -> shard -> nodes.

shard = xxh64(id, seed 0) mod S; a shard lies on the RF nodes of each replica group with the highest rendezvous weight.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from xxhash import xxh64_intdigest

SHARDS = 64  # Miroir's defaults
RF = 2


def key_hash(key: str) -> int:
    """64 bits of a document id: xxh64, seed 0, of its UTF-8 bytes."""
    return xxh64_intdigest(key.encode())


def shard_of(key: str, shards: int) -> int:
    """The shard of a document, from 0 to `shards` - 1."""
    return xxh64_intdigest(key.encode()) % shards


def rank_nodes(shard: int, nodes: Iterable[str]) -> tuple[str, ...]:
    """The nodes by their rendezvous weight for a shard, highest first, ties by name."""
    return tuple(sorted(nodes, key=lambda name: (-xxh64_intdigest(f"{shard}:{name}".encode()), name)))


def assign(shard: int, nodes: Sequence[str], rf: int) -> tuple[str, ...]:
    """The `rf` nodes that hold a shard. Raises ValueError where there are fewer nodes."""
    if not 1 <= rf <= len(nodes):
        raise ValueError(f"rf={rf} with {len(nodes)} nodes; add nodes, or lower it")
    return rank_nodes(shard, nodes)[:rf]


def displaced(shard: int, members: Sequence[str], joining: str) -> str | None:
    """Which member of a shard a joining node replaces: the lowest, if the node ranks above it; else None."""
    lowest = rank_nodes(shard, [*members, joining])[-1]
    return None if lowest == joining else lowest


def quorum(rf: int) -> int:
    """How many of `rf` replicas are a majority."""
    return rf // 2 + 1
