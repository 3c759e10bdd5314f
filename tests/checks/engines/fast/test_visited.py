"""The set of rows, by both kernels in turn: what one put there, the other finds. It is a dictionary of masks."""

from collections.abc import Iterator
from itertools import chain
from random import Random

import numpy as np
import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from rows import KERNELS, WIDTHS, array, kernels_for, pairs_of

from cutproof.checks.engines.fast import visited
from cutproof.checks.engines.fast.kernels import layout, vectorised, vectorised_sets
from cutproof.checks.engines.fast.kernels.layout import BLOCK
from cutproof.checks.engines.fast.visited import Visited, merged, padded, whole_blocks

seeds, widths, parts = st.integers(0, 10**6), st.sampled_from(WIDTHS), st.sampled_from([1, 2, 5])
WORD = (1 << 64) - 1


@pytest.fixture(autouse=True)
def small_sets() -> Iterator[None]:
    """Sets begin with few places, so that they grow, and keys past the end of a part begin anew."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(visited, "SMALLEST", 8)
        patch.setattr(visited, "LARGE", 256)
        yield


def some_rows(rng: Random, width: int, count: int) -> list[tuple[int, int]]:
    """Rows of keys of which some are equal; now and then of no state."""
    keys = [rng.getrandbits(64 * width) for _ in range(max(1, count // 2))] + list(range(3))
    return [
        (rng.choice(keys), rng.getrandbits(64) & rng.getrandbits(64) & rng.getrandbits(5))
        for _ in range(count)
    ]


@given(seeds, widths, parts)
@examples(40)
def test_a_set_is_a_dictionary_of_masks(seed: int, width: int, parts: int) -> None:
    """Poured, grown, taken and found by either kernel in turn."""
    rng, known, fresh = Random(seed), dict[int, int](), dict[int, int]()
    found, states = Visited(width, parts), 0
    for _ in range(rng.randint(1, 6)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(visited, "kernels", rng.choice(kernels_for(width)))
            some = some_rows(rng, width, rng.choice([1, 20, 200]))
            found.pour(array(some, width))
            for key, mask in some:
                if new := mask & ~known.get(key, 0):
                    fresh[key] = fresh.get(key, 0) | new
                    known[key] = known.get(key, 0) | new
            assert (found.rows, found.states) == (len(known), states)
            assert sum(found.nfresh) == len(fresh)
            if rng.random() < 0.3:
                found.grow()
            if rng.random() < 0.7:
                rows, count = found.take()
                assert dict(pairs_of(rows[:, :count])) == fresh
                assert count == len(fresh)
                assert rows.shape[1] % BLOCK == 0
                assert not rows[:, count:].any()
                states += sum(mask.bit_count() for mask in fresh.values())
                fresh.clear()
            asked = rng.sample(sorted(known), len(known) // 2) + [
                rng.getrandbits(64 * width) for _ in range(5)
            ]
            rows = array([(key, 0) for key in asked], width)
            assert found.masks(rows).tolist() == [known.get(key, 0) for key in asked]
            assert (found.find(rows) >= 0).tolist() == [key in known for key in asked]
    assert found.states == states


@given(seeds, widths, parts, st.integers(0, 40))
@examples(40)
def test_what_is_put_ends_where_the_room_ends(seed: int, width: int, parts: int, room: int) -> None:
    """Both stop at the same row; what they return is that of one row after the other."""
    rng = Random(seed)
    some = array(some_rows(rng, width, rng.choice([0, 5, 60])), width)
    split_rows, counts = np.zeros((parts, *some.shape), np.uint64), np.zeros(parts, np.int64)
    vectorised.scatter(some, some.shape[1], (0,) * width, parts, split_rows, counts)
    part = rng.randrange(parts)
    rows, count = split_rows[part], int(counts[part])
    start = rng.randint(0, count)
    end = count
    known = dict(pairs_of(rows[:, : count // 3]))
    before = {key: mask for key, mask in known.items() if mask}
    expected = dict(before)
    for at, (key, mask) in enumerate(pairs_of(rows[:, start:count]), start):
        if len(expected) >= room:
            end = at
            break
        if mask:
            expected[key] = expected.get(key, 0) | mask
    for kernels in kernels_for(width):
        table, fresh = np.zeros((64 * parts, width + 2), np.uint64), np.zeros(64, np.int64)
        numbers, kk, first = np.zeros(parts, np.int64), (0,) * width, array(list(before.items()), width)
        _, used, n = kernels.insert(table, numbers, part, 0, first, 0, len(before), kk, fresh, 0, 64)
        assert (used, n) == (len(before), len(before))
        table[:, width + 1] = 0
        done, used, n = kernels.insert(table, numbers, part, used, rows, start, count, kk, fresh, 0, room)
        there = table[table[:, width] != 0]
        assert dict(pairs_of(there[:, : width + 1].T)) == expected
        assert (done, used) == (end, len(expected))
        news = {key: mask & ~before.get(key, 0) for key, mask in expected.items()}
        at = fresh[:n]
        assert len(set(at.tolist())) == n
        assert set(at.tolist()) <= set(range(64 * part, 64 * part + 64))
        assert dict(pairs_of(table[at][:, [*range(width), width + 1]].T)) == {
            k: m for k, m in news.items() if m
        }


@given(seeds, widths, parts)
@examples(15)
def test_rows_are_parted_alike(seed: int, width: int, parts: int) -> None:
    rng = Random(seed)
    rows = array(some_rows(rng, width, 100), width)
    found = []
    for kernels in kernels_for(width):
        to, fill = np.zeros((parts, width + 1, 103), np.uint64), np.full(parts, 3, np.int64)
        kernels.scatter(rows, 90, (0,) * width, parts, to, fill)
        found.append([pairs_of(to[p, :, 3 : fill[p]]) for p in range(parts)])
    assert sorted(chain.from_iterable(found[0])) == sorted(pairs_of(rows[:, :90]))
    keys = [{key for key, _ in some} for some in found[0]]
    assert sum(map(len, keys)) == len(set.union(*keys))
    assert all(some == found[0] for some in found)


def test_two_keys_of_one_hash_are_two() -> None:
    """They are worked out here: the last word makes up for what the first one changes."""
    one, two, added = int(layout.ONE), int(layout.TWO), int(layout.ADDED)

    def begun(word: int) -> int:
        h = word * one & WORD
        return (h ^ h >> 31) * one & WORD

    keys = [(5, 9)]
    for word in (6, 7):
        tail = begun(word) ^ begun(5) ^ (9 + added) * two & WORD
        keys.append((word, (tail * pow(two, -1, 1 << 64) - added) & WORD))
    rows = array([(a | b << 64, 1 << n % 3) for n, (a, b) in enumerate(keys * 3)], 2)
    assert len(set(vectorised_sets.hash_of(rows[:2]).tolist())) == 1
    for kernels in kernels_for(2):
        table, fresh = np.zeros((16, 4), np.uint64), np.zeros(16, np.int64)
        found = kernels.insert(table, np.zeros(1, np.int64), 0, 0, rows, 0, 9, (0, 0), fresh, 0, 12)
        assert found == (9, 3, 3)
        there = table[table[:, 2] != 0]
        assert sorted(map(tuple, there[:, :3].tolist())) == [(*key, 1 << n) for n, key in enumerate(keys)]


@pytest.mark.parametrize("word", [0, 1, 2])
def test_keys_that_share_words_are_apart(word: int) -> None:
    """In so small a table each meets others on its way."""
    rows = array([(n << 64 * word, 1 << n) for n in range(11)], 3)
    for kernels in kernels_for(3):
        table, fresh = np.zeros((16, 5), np.uint64), np.zeros(16, np.int64)
        parts, kk, found = np.zeros(1, np.int64), (0, 0, 0), np.zeros(11, np.int64)
        assert kernels.insert(table, parts, 0, 0, rows, 0, 11, kk, fresh, 0, 12) == (11, 11, 11)
        kernels.places(table, parts, rows, 0, 11, kk, found)
        assert np.array_equal(table[found][:, :4].T, rows)


@given(seeds, st.integers(0, 300))
@examples(15)
def test_different_words_are_counted(seed: int, most: int) -> None:
    rng = Random(seed)
    words = [rng.choice([0, 1, 2, WORD, rng.getrandbits(64)]) for _ in range(most)]
    for kernels in KERNELS:
        assert kernels.distinct(np.array(words, np.uint64), np.zeros(1024, np.uint64)) == len(set(words))


@given(seeds, widths)
@examples(15)
def test_rows_are_merged_and_padded(seed: int, width: int) -> None:
    rng = Random(seed)
    some, expected = some_rows(rng, width, rng.randint(0, 100)), dict[int, int]()
    for key, mask in some:
        expected[key] = expected.get(key, 0) | mask
    found = pairs_of(merged(array(some, width), width))
    assert dict(found) == expected
    assert len(found) == len(expected)
    rows = padded(array(some, width))
    assert rows.shape[1] == whole_blocks(len(some)) == -(-len(some) // BLOCK) * BLOCK
    assert pairs_of(rows[:, : len(some)]) == some
    assert not rows[:, len(some) :].any()
    assert rows.flags.c_contiguous
