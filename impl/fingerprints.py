"""Fingerprints: how a pass finds what differs between two replicas without sending every document (plan §13.8).

Each document is hashed (id, version, content), hashes are folded into 256 buckets by the hash of the id, and buckets
into a root. A diff goes down: roots, then buckets, then documents. The fold is a sum mod 2^64: it does not depend on
the order, and unlike xor it does not forget what occurs twice.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import compress
from operator import ne
from typing import Any, Protocol

from xxhash import xxh3_64_intdigest

from cutproof.impl.copies import Copy
from cutproof.impl.documents import digest
from cutproof.impl.routing import key_hash

BUCKETS = 256
_MASK = (1 << 64) - 1


class Entry(Protocol):
    """What a replica holds of one document."""

    @property
    def version(self) -> tuple[int, int, int]: ...

    @property
    def content(self) -> Mapping[str, Any] | None: ...


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """64 bits of a whole replica, and of each bucket of it."""

    root: int
    buckets: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Diff:
    """The ids that differ, sorted, and how much was compared to find them."""

    keys: tuple[str, ...]
    buckets_compared: int
    documents_compared: int


def fingerprint(entries: Mapping[str, Entry]) -> Fingerprint:
    """The fingerprint of what a replica holds."""
    buckets = array("Q", bytes(8 * BUCKETS))
    for key, entry in entries.items():
        if isinstance(entry, Copy):
            bucket, hashed = entry.history.place % BUCKETS, entry.digest
        else:
            bucket, hashed = key_hash(key) % BUCKETS, digest(key, entry.version, entry.content)
        buckets[bucket] = (buckets[bucket] + hashed) & _MASK
    return Fingerprint(xxh3_64_intdigest(buckets.tobytes()), tuple(buckets))


def differing(here: Fingerprint, there: Fingerprint) -> list[int]:
    """The buckets that differ; none are looked at where the roots are equal."""
    if here.root == there.root:
        return []
    return list(compress(range(BUCKETS), map(ne, here.buckets, there.buckets)))


def differences(
    here: Mapping[str, Entry], there: Mapping[str, Entry], known: dict[int, Fingerprint] | None = None
) -> Diff:
    """The documents that are not the same on both sides: other versions, other contents, or missing on one.

    `known` holds the fingerprints that were taken already, by the `id` of what a side holds; others are added."""
    if here == there:  # the very same copies: so are their fingerprints
        return Diff((), 0, 0)
    known = {} if known is None else known
    one, other = (
        known.get(id(side)) or known.setdefault(id(side), fingerprint(side)) for side in (here, there)
    )
    wanted = set(differing(one, other))
    if not wanted:
        return Diff((), 0 if one.root == other.root else BUCKETS, 0)
    keys = sorted(k for k in here.keys() | there.keys() if key_hash(k) % BUCKETS in wanted)
    return Diff(tuple(k for k in keys if _differs(here.get(k), there.get(k))), BUCKETS, len(keys))


def _differs(here: Entry | None, there: Entry | None) -> bool:
    if here is None or there is None:
        return here is not there
    return here is not there and (here.version != there.version or here.content != there.content)
