"""Fingerprints: equal iff what is held is equal; a diff names what differs and looks no further."""

from typing import Any, NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from cutproof.impl.documents import digest
from cutproof.impl.fingerprints import BUCKETS, Diff, differences, differing, fingerprint
from cutproof.impl.routing import key_hash


class Held(NamedTuple):
    version: tuple[int, int, int]
    content: dict[str, Any] | None


HELD = st.builds(
    Held,
    st.tuples(st.integers(0, 3), st.integers(1, 3), st.integers(0, 1)),
    st.none() | st.fixed_dictionaries({"v": st.integers(0, 2)}),
)
STORES = st.dictionaries(st.sampled_from([f"doc-{i}" for i in range(12)]), HELD)


@given(STORES, STORES)
def test_a_diff_names_exactly_what_differs(here: dict[str, Held], there: dict[str, Held]) -> None:
    found = differences(here, there)
    assert found.keys == tuple(sorted(k for k in here.keys() | there.keys() if here.get(k) != there.get(k)))
    assert (fingerprint(here) == fingerprint(there)) == (here == there)
    wrong = {key_hash(k) % BUCKETS for k in found.keys}
    looked_at = [k for k in here.keys() | there.keys() if key_hash(k) % BUCKETS in wrong]
    assert found.documents_compared == len(looked_at)
    assert found.buckets_compared == (BUCKETS if found.keys else 0)


@given(STORES, st.randoms(use_true_random=False))
def test_the_order_means_nothing(store: dict[str, Held], random: Any) -> None:
    keys = list(store)
    random.shuffle(keys)
    assert fingerprint({k: store[k] for k in keys}) == fingerprint(store)


def test_there_are_256_buckets_and_each_is_the_sum_of_its_documents() -> None:
    store = {f"doc-{i}": Held((0, i, 0), {"v": i}) for i in range(2_000)}
    sums = [0] * 256
    for key, (version, content) in store.items():
        sums[key_hash(key) % 256] += digest(key, version, content)
    assert max(sums) >= 2**64  # it wraps
    assert fingerprint(store).buckets == tuple(total % 2**64 for total in sums)


def test_equal_roots_end_the_diff() -> None:
    one = fingerprint({"a": Held((0, 1, 0), {"v": 1})})
    assert differing(one, one) == []
    assert len(differing(one, fingerprint({}))) == 1


def test_a_bucket_does_not_forget_what_occurs_twice() -> None:
    """With xor two equal digests would be as good as none; a sum keeps them."""
    single = fingerprint({"a": Held((0, 1, 0), {"v": 1})})
    bucket = key_hash("a") % BUCKETS
    assert single.buckets[bucket] != 0
    assert (2 * single.buckets[bucket]) % 2**64 != 0


class Apart:
    """What is held, equal to nothing but itself."""

    def __init__(self, held: Held) -> None:
        self.version, self.content = held


@given(STORES)
def test_equal_fingerprints_of_what_is_held_twice_end_it_at_the_root(store: dict[str, Held]) -> None:
    here, there = ({key: Apart(held) for key, held in store.items()} for _ in range(2))
    assert here != there or not store
    assert differences(here, there) == Diff((), 0, 0)  # type: ignore[arg-type]
