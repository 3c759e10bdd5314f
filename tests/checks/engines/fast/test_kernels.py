"""The inner loops of the fast search, compiled and in NumPy: both do what a few lines of plain Python do.

Tables are drawn small, with entries missing, rules of several factors and steps that leave their domain; and taken from
a real search. Both implementations are held to the same order too, so a search finds the same levels with either.
"""

import importlib
import random
import sys
from contextlib import ExitStack
from itertools import product
from types import ModuleType
from typing import NamedTuple
from unittest.mock import patch

import numpy as np
import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from cutproof.checks.engines.exploration import Limits
from cutproof.checks.engines.fast import engine, visited
from cutproof.checks.engines.fast import search as vector
from cutproof.checks.engines.fast.kernels import layout as words
from cutproof.checks.engines.fast.kernels import vectorised as kernels_numpy
from cutproof.model.cutover.coordinator import cutover
from cutproof.model.cutover.policy import Policy, resolve
from cutproof.model.cutover.scopes import parse_scope

WHOLE, NOWHERE = (1 << 64) - 1, int(words.EMPTY)
HAVE_KNOWN, IS_BROKEN = 1 << 63, 1 << 62
BITS = 12  # of the words that are drawn


@pytest.fixture(scope="module", params=["compiled", "vectorised"])
def kernels(request: pytest.FixtureRequest) -> ModuleType:
    if request.param == "compiled":
        pytest.importorskip("numba")
    return importlib.import_module(f"cutproof.checks.engines.fast.kernels.{request.param}")


# ------------------------------------------------------------------ plain Python


class Plain(NamedTuple):
    """The arrays that kernels take, and for each factor value and place by key."""

    arrays: tuple
    listed: list[dict[int, tuple[int, int]]]


def mixed(word: int) -> int:
    word ^= word >> 32
    word = word * int(words.MIXER) & WHOLE
    word ^= word >> 29
    word = word * int(words.MULTIPLIER) & WHOLE
    return word ^ word >> 32


def part_of(word: int) -> int:
    return mixed(word) >> int(words.PART_SHIFT)


def canonical(blocks, word: int) -> int:
    for count, offset, width in blocks:
        mask = (1 << width) - 1
        some = sorted(word >> offset + i * width & mask for i in range(count))
        for i, block in enumerate(some):
            word = word & ~(mask << offset + i * width) | block << offset + i * width
    return word


def look(plain: Plain, word: int) -> list[int] | None:
    """The rules that may be taken; None if that is not known."""
    first, masks, able, single = (plain.arrays[i] for i in (0, 1, 8, 7))
    there = [plain.listed[f].get(word & int(masks[f])) for f in range(first[-1], len(masks))]
    if None in there:
        return None
    rows = [able[value & 0xFFFFFFFF].tolist() for value, _ in there]
    return [r for r in range(len(single)) if all(row[r // 64] >> r % 64 & 1 for row in rows)]


def rule(plain: Plain, word: int, r: int, yes: int) -> tuple[str, list[tuple[int, int]]]:
    """How a rule ends ("taken", "not taken" or "missing"), and value and place of each factor that was looked up."""
    first, masks, found = plain.arrays[0], plain.arrays[1], []
    for f in range(first[r], first[r + 1]):
        there = plain.listed[f].get(word & int(masks[f]))
        if there is None:
            return "missing", found
        found.append(there)
        if not there[0] >> 40 & yes:
            return "not taken", found
    return "taken", found


def steps(plain: Plain, word: int, r: int) -> list[tuple[int, bool, int]] | None:
    """Each step of a rule: its number, whether it changes the word, the word after it. None if something is missing."""
    _, _, _, _, _, added, numbers, single, _, blocks = plain.arrays
    ended, found = rule(plain, word, r, 0x4000FF)
    if ended != "taken":
        return None if ended == "missing" else []
    made = []
    if single[r] >= 0:
        if not any(value & IS_BROKEN for value, _ in found):
            add = sum(int(added[value & 0xFFFFFFFF]) for value, _ in found) & WHOLE
            made = [(int(single[r]), add != 0, add)]
    else:
        start, changing, count = (
            found[-1][0] >> at & mask for at, mask in ((0, 0xFFFFFFFF), (32, 0xFF), (40, 0xFF))
        )
        made = [(int(numbers[start + i]), i < changing, int(added[start + i])) for i in range(count)]
    return [
        (number, changes, canonical(blocks.tolist(), word + add & WHOLE)) for number, changes, add in made
    ]


def expand_plainly(plain, some, room, misses_room, recent, out):
    """What `expand` is to do with all of `some`, or with as many as there is room for."""
    single, done = plain.arrays[7], 0
    skipped, misses, rows, times, in_factors = [], [], [], {}, {}
    for row, word in enumerate(some):
        if max(map(len, out)) >= room or len(misses) + len(single) + 1 > misses_room:
            break
        done, rules = row + 1, look(plain, word)
        lacks = [-1] if rules is None else [r for r in rules if steps(plain, word, r) is None]
        if lacks:
            skipped.append(row)
            misses += [(row, r) for r in lacks]
            rows.append((-1, None, 0))
            continue
        moved = taken = broken = 0
        for r in rules:
            ended, found = rule(plain, word, r, 0x4000FF)
            if ended == "taken":
                broken |= any(value & IS_BROKEN for value, _ in found)
                if single[r] < 0:
                    times[found[-1][1]] = times.get(found[-1][1], 0) + 1
            for _, changes, after in steps(plain, word, r):
                taken += 1
                if single[r] >= 0:
                    in_factors[r] = in_factors.get(r, 0) + 1
                if changes:
                    moved += 1
                    j = mixed(after) >> int(words.RECENT_SHIFT) & int(words.RECENT_MASK)
                    if recent.get(j) != after:
                        recent[j] = after
                        out[part_of(after)].append(after)
        rows.append((moved, taken, broken))
    return done, skipped, misses, rows, times, in_factors


# ------------------------------------------------------------------ tables


def arranged(first, masks, entries, added, numbers, single, able, blocks) -> Plain:
    """Tables with these entries: for each factor, value by key."""
    sizes = [max(3, (2 * len(some)).bit_length()) for some in entries]
    place = np.cumsum([0, *(1 << size for size in sizes)]).astype(np.int64)
    slots, listed = np.zeros(2 * place[-1], np.uint64), []
    for f, some in enumerate(entries):
        listed.append({})
        for key, value in some.items():
            at = (key * int(words.MULTIPLIER) & WHOLE) >> 64 - sizes[f]
            while slots[2 * (place[f] + at) + 1]:
                at = at + 1 & (1 << sizes[f]) - 1
            slots[2 * (place[f] + at)], slots[2 * (place[f] + at) + 1] = key, value
            listed[f][key] = value, int(place[f] + at)
    made = (first, masks, place, np.array(sizes, np.int64), slots, added, numbers, single, able, blocks)
    return Plain(made, listed)


def drawn(seed: int, lacking: float, most: int = 70) -> Plain:
    """Some rules, of which a part is missing; now and then so many that their bits take two words."""
    draw = random.Random(seed)
    factors = [draw.choice([1, 1, 2, 3]) for _ in range(draw.choice([1, 2, 3, 4, 5, most]))]
    looks = draw.randint(1, 2)
    single = [draw.randrange(9) if n > 1 or draw.random() < 0.3 else -1 for n in factors]
    added = [0, *(draw.choice([0, 1, 2, 5, -1, -64, 1 << 7]) & WHOLE for _ in range(60))]
    masks = [
        sum(1 << b for b in draw.sample(range(BITS), draw.randint(1, 4))) for _ in range(sum(factors) + looks)
    ]
    entries = []
    for f, mask in enumerate(masks):
        keys = sorted(
            {sum(bits) for bits in product(*([0, mask & 1 << b] for b in range(BITS) if mask >> b & 1))}
        )
        entries.append({key: value(draw, f >= sum(factors)) for key in keys if draw.random() >= lacking})
    able = np.zeros((8, (len(factors) + 63) // 64), np.uint64)
    for row, r in product(range(8), range(len(factors))):
        able[row, r // 64] |= np.uint64(draw.choice([0, 1, 1]) << r % 64)
    blocks = draw.choice([[], [(2, 1, 4)], [(3, 0, 2), (2, 6, 3)]])
    return arranged(
        np.cumsum([0, *factors]).astype(np.int64),
        np.array(masks, np.uint64),
        entries,
        np.array(added, np.uint64),
        np.arange(len(added), dtype=np.int32) % 9,
        np.array(single, np.int32),
        able,
        np.array(blocks, np.int64).reshape(-1, 3),
    )


def value(draw: random.Random, of_look: bool) -> int:
    if of_look:
        return draw.randrange(8) | HAVE_KNOWN
    taken = draw.choice([0, 1, 1, 2, 3])
    broken = IS_BROKEN * (draw.random() < 0.1)
    return draw.randrange(50) | draw.randint(0, taken) << 32 | taken << 40 | broken | HAVE_KNOWN


def real(tables, every: int = 0) -> Plain:
    """The tables of a search, without some entries of each factor."""
    first, masks, place, _, slots, added, numbers, single, able, blocks = tables
    entries = []
    for f in range(len(masks)):
        there = [(int(slots[2 * i]), int(slots[2 * i + 1])) for i in range(place[f], place[f + 1])]
        known = sorted((key, value) for key, value in there if value)
        entries.append({key: value for i, (key, value) in enumerate(known) if not every or (i + f) % every})
    return arranged(first, masks, entries, added, numbers, single, able, blocks)


@pytest.fixture(scope="module")
def search() -> vector.VectorSearch:
    protocol = cutover(parse_scope("base")).resolve(resolve(Policy()))
    found = vector.VectorSearch(protocol, protocol.claims, Limits(), workers=1)
    found.run()
    return found


def sample_of(search: vector.VectorSearch) -> np.ndarray:
    """Words of three levels."""
    levels = [
        search.levels.get(i, search.layout) for i in (0, len(search.levels) // 2, len(search.levels) - 1)
    ]
    return np.concatenate([level[:400] for level in levels])


# ------------------------------------------------------------------ expand, judge, edges


def check_expand(kernels: ModuleType, plain: Plain, some: np.ndarray, room: int, misses_room: int) -> None:
    """Expand all words, with the buffers emptied when they are full, and compare each time."""
    t, low, high = plain.arrays, 1, len(some)  # the row before is not asked for
    places, rules = int(t[2][-1]), len(t[7])
    recent, recent_plainly = np.full(1 << words.RECENT, words.EMPTY), {}
    while True:
        out, fill = np.zeros((words.PARTS, room + 400), np.uint64), np.zeros(words.PARTS, np.int64)
        moved, taken = np.full(high, 77, np.int32), np.full(high, 77, np.int32)
        broken, skipped = np.zeros(high, np.uint8), np.zeros(high, np.int64)
        miss = np.zeros((2, misses_room), np.int64)
        times, in_factors = np.zeros(places, np.int64), np.zeros(rules, np.int64)
        row, skips, misses = kernels.expand(
            t,
            some,
            low,
            high,
            room,
            times,
            in_factors,
            recent,
            out,
            fill,
            moved,
            taken,
            broken,
            skipped,
            *miss,
        )
        expected = [[] for _ in range(words.PARTS)]
        done, skips_plainly, misses_plainly, rows, times_plainly, in_factors_plainly = expand_plainly(
            plain, some[low:].tolist(), room, misses_room, recent_plainly, expected
        )
        assert row == low + done
        assert (skipped[:skips] - low).tolist() == skips_plainly
        assert list(zip(miss[0, :misses] - low, miss[1, :misses], strict=True)) == misses_plainly
        for got, want in zip(zip(moved, taken, broken, strict=True), rows, strict=False):
            assert got == want or (got[0] == want[0] == -1 and not got[2])
        assert (moved[done:] == 77).all() and (taken[done:] == 77).all() and not broken[done:].any()
        assert [out[p, :n].tolist() for p, n in enumerate(fill)] == expected
        assert {at: times[at] for at in np.flatnonzero(times)} == times_plainly
        assert {r: in_factors[r] for r in np.flatnonzero(in_factors)} == in_factors_plainly
        assert {j: recent[j] for j in np.flatnonzero(recent != words.EMPTY)} == recent_plainly
        assert row > low or low == high
        low = row
        if low == high:
            return


def rows_of(count: int, draw: random.Random) -> list[int]:
    """Words with one more bit, so that no step leads to what stands for an empty place."""
    return [draw.randrange(1 << BITS) | 1 << 40 for _ in range(count)]


words_drawn = st.builds(rows_of, st.integers(1, 60), st.integers(0, 10**6).map(random.Random))
seeds, lacks, blocks_of = (
    st.integers(0, 10**6),
    st.sampled_from([0.0, 0.02, 0.3]),
    st.sampled_from([1, 7, 2048]),
)


@given(seeds, lacks, words_drawn, st.integers(1, 40), st.integers(0, 24), blocks_of)
@examples(50)
def test_words_are_expanded(kernels, seed, lacking, some, room, more, block) -> None:
    with patch.object(kernels, "BLOCK", block, create=True):
        plain = drawn(seed, lacking)
        check_expand(kernels, plain, np.array(some, np.uint64), room, len(plain.arrays[0]) + more)


@pytest.mark.parametrize("every", [0, 50, 3])
def test_words_of_a_search_are_expanded(kernels, search, every) -> None:
    check_expand(kernels, real(search.engine.book.tables, every), sample_of(search), 128, 2000)


def check_judge(kernels: ModuleType, plain: Plain, some: np.ndarray, watched: int, misses_room: int) -> None:
    rules, low, high = len(plain.arrays[7]), 1, len(some)
    while low < high:
        told, skipped = np.zeros(high - low, np.uint64), np.zeros(high, np.int64)
        miss = np.zeros((2, misses_room), np.int64)
        row, skips, misses = kernels.judge(
            plain.arrays, np.uint64(watched), some, low, high, told, skipped, *miss
        )
        lacking, bits, done = [], [], low
        for i in range(low, high):
            if len(lacking) + rules + 1 > misses_room:
                break
            done, there = i + 1, look(plain, int(some[i]))
            lacking += [(i, -1)] if there is None else []
            ends = {r: rule(plain, int(some[i]), r, 0xFF)[0] for r in there or () if watched >> r & 1}
            lacking += [(i, r) for r, end in ends.items() if end == "missing"]
            bits.append(sum(1 << r for r, end in ends.items() if end == "taken"))
        assert row == done
        assert told[: done - low].tolist() == bits and not told[done - low :].any()
        assert list(zip(*miss[:, :misses], strict=True)) == lacking
        assert skipped[:skips].tolist() == sorted({i for i, _ in lacking})
        low = row


@given(seeds, lacks, words_drawn, st.integers(0, WHOLE), st.integers(0, 24), blocks_of)
@examples(50)
def test_words_are_judged(kernels, seed, lacking, some, watched, more, block) -> None:
    with patch.object(kernels, "BLOCK", block, create=True):
        plain = drawn(seed, lacking, 64)
        check_judge(kernels, plain, np.array(some, np.uint64), watched, len(plain.arrays[0]) + more)


@pytest.mark.parametrize("every", [0, 50, 3])
def test_words_of_a_search_are_judged(kernels, search, every) -> None:
    book = search.engine.judges[0].book
    for watched in ((1 << len(book.rules)) - 1, 0b1011):
        check_judge(kernels, real(book.tables, every), sample_of(search), watched, 2000)


def check_edges(kernels: ModuleType, plain: Plain, some: np.ndarray, wanted: np.ndarray, room: int) -> None:
    low, high = 1, len(some)
    while low < high:
        source, number, target = np.zeros(room, np.int64), np.zeros(room, np.int64), np.zeros(room, np.uint64)
        row, n, lacks = kernels.edges(plain.arrays, wanted, some, low, high, source, number, target)
        expected, done, lacking = [], low, 0
        for i in range(low, high):
            if len(expected) + len(wanted) > room:
                break
            there = look(plain, int(some[i]))
            made = [None] if there is None else [steps(plain, int(some[i]), r) for r in there]
            lacking = int(None in made)
            if lacking:
                break
            expected += [(i, which, after) for of in made for which, _, after in of if wanted[which]]
            done = i + 1
        assert (row, lacks) == (done, lacking)
        got = list(zip(source[:n].tolist(), number[:n].tolist(), target[:n].tolist(), strict=True))
        assert got == expected
        low = row + lacks


@given(
    seeds, lacks, words_drawn, st.lists(st.booleans(), min_size=9, max_size=9), st.integers(0, 90), blocks_of
)
@examples(50)
def test_edges_are_listed(kernels, seed, lacking, some, wanted, more, block) -> None:
    known = np.zeros(300, np.uint8)  # as many as a row may have steps
    known[:9] = wanted
    with patch.object(kernels, "BLOCK", block, create=True):
        check_edges(kernels, drawn(seed, lacking), np.array(some, np.uint64), known, len(known) + more)


@pytest.mark.parametrize("every", [0, 50])
def test_edges_of_a_search_are_listed(kernels, search, every) -> None:
    transitions = len(search.protocol.transitions)
    for wanted in (np.ones(transitions, np.uint8), np.arange(transitions, dtype=np.uint8) % 3 // 2):
        check_edges(kernels, real(search.engine.book.tables, every), sample_of(search), wanted, 500)


def test_tables_that_are_drawn_have_all_there_is() -> None:
    """Otherwise the tests above would say little."""
    met = set()
    for seed in range(60):
        plain = drawn(seed, 0.1)
        for word in range(0, 1 << BITS, 97):
            for r in look(plain, word) or ():
                ended, found = rule(plain, word, r, 0x4000FF)
                away = any(value & IS_BROKEN for value, _ in found)
                met.add((ended, len(found), bool(plain.arrays[7][r] >= 0), away, len(plain.arrays[9])))
    for blocks in (0, 1, 2):
        assert {("taken", n, True, away, blocks) for n, away in product((1, 2, 3), (False, True))} <= met
        assert {("taken", 1, False, away, blocks) for away in (False, True)} <= met
        assert {
            (ended, n, True, False, blocks) for ended, n in [("missing", 0), ("missing", 2), ("not taken", 3)]
        } <= met


# ------------------------------------------------------------------ sets


def some_of(count: int, draw: random.Random) -> list[int]:
    """Words of which many are there more than once."""
    return [mixed(draw.randrange(60)) >> 1 for _ in range(count)]


few = st.builds(some_of, st.integers(0, 120), st.integers(0, 10**6).map(random.Random))
capacities = st.integers(2, 70)


def home(word: int, capacity: int) -> int:
    return (mixed(word) & 0xFFFFFFFF) * capacity >> 32


def check_table(table: np.ndarray, expected: set[int]) -> None:
    """The table has these words, each once, and no empty place between where it is looked for and where it is."""
    places = np.flatnonzero(table != words.EMPTY).tolist()
    assert len(places) == len(expected) and {int(table[at]) for at in places} == expected
    for at in places:
        looked_at = home(int(table[at]), len(table))
        while looked_at != at:
            assert table[looked_at] != words.EMPTY
            looked_at = (looked_at + 1) % len(table)


@given(few, capacities, st.sampled_from([1, 3, 16]), st.data())
def test_words_are_put_into_a_set(kernels, some, capacity, ahead, data) -> None:
    room = data.draw(st.integers(0, capacity - 1))
    low = data.draw(st.integers(0, min(3, len(some))))
    table, known = np.full(capacity, words.EMPTY), set()
    done, used = low, 0
    for high in sorted({data.draw(st.integers(low, len(some))), len(some)}):
        new = np.zeros(max(1, min(high - done, room - used + 1)), np.uint64)
        expected, stop = [], done
        for word in some[done:high]:
            if word not in known and len(known) == room:
                break
            if word not in known:
                expected.append(word)
                known.add(word)
            stop += 1
        array = np.array(some, np.uint64)
        with patch.object(kernels_numpy, "AHEAD", ahead):
            done, used, found = kernels.insert(table, used, array, done, high, new, room)
        assert (done, used, found) == (stop, len(known), len(expected))
        assert new[:found].tolist() == expected
        check_table(table, known)
        if done < high:
            break


@given(few, capacities, st.integers(0, 100))
def test_a_set_is_made_larger(kernels, some, capacity, more) -> None:
    known = set(some[: capacity - 1])
    old, new = np.full(capacity, words.EMPTY), np.zeros(capacity, np.uint64)
    kernels.insert(
        old, 0, np.array(some[: capacity - 1], np.uint64), 0, len(some[: capacity - 1]), new, capacity
    )
    table = np.full(capacity + more, words.EMPTY)
    kernels.refill(table, old)
    check_table(table, known)


@given(few, few, capacities)
def test_words_are_found_in_a_set(kernels, some, others, capacity) -> None:
    table, known = np.full(capacity, words.EMPTY), list(dict.fromkeys(some))[: capacity - 1]
    new = np.zeros(capacity, np.uint64)
    kernels_numpy.insert(table, 0, np.array(known, np.uint64), 0, len(known), new, capacity)
    wanted, places = np.array(others, np.uint64), np.zeros(len(others), np.int64)
    kernels.places_of(table, wanted, places)
    for word, place in zip(others, places, strict=True):
        assert place == -1 if word not in known else table[place] == word


def test_a_set_filled_by_one_is_read_by_the_other() -> None:
    compiled = pytest.importorskip("cutproof.checks.engines.fast.kernels.compiled", exc_type=ImportError)
    some = np.array([mixed(i) >> 1 for i in range(3000)], np.uint64)
    for one, other in ((compiled, kernels_numpy), (kernels_numpy, compiled)):
        table, new, places = np.full(3700, words.EMPTY), np.zeros(3000, np.uint64), np.zeros(3000, np.int64)
        assert one.insert(table, 0, some, 0, 2000, new, 3000) == (2000, 2000, 2000)
        other.places_of(table, some, places)
        assert (table[places[:2000]] == some[:2000]).all() and (places[2000:] == -1).all()
        assert other.insert(table, 2000, some, 0, 3000, new, 2900) == (2900, 2900, 900)
        check_table(table, set(some[:2900].tolist()))


@given(few, st.integers(1, 9), st.data())
def test_words_are_spread_over_the_parts(kernels, some, room, data) -> None:
    start = data.draw(st.integers(0, min(3, len(some))))
    fill = np.array(data.draw(st.lists(st.integers(0, room), min_size=words.PARTS, max_size=words.PARTS)))
    begun, out = fill.copy(), np.zeros((words.PARTS, room), np.uint64)
    expected, stop = [[] for _ in range(words.PARTS)], start
    for word in some[start:]:
        if begun[part_of(word)] + len(expected[part_of(word)]) == room:
            break
        expected[part_of(word)].append(word)
        stop += 1
    assert kernels.scatter(np.array(some, np.uint64), out, fill, start) == stop
    assert [out[p, begun[p] : n].tolist() for p, n in enumerate(fill)] == expected
    parts = np.zeros(len(some), np.int64)
    kernels.parts_of(np.array(some, np.uint64), parts)
    assert parts.tolist() == [part_of(word) for word in some]


@given(st.lists(st.tuples(st.integers(-1, 5), st.integers(0, 4)), max_size=40), st.integers(0, WHOLE))
def test_bits_are_gathered(kernels, pairs, seed) -> None:
    bits = [mixed(seed + i & WHOLE) for i in range(6)]
    anything, everything = [0] * 5, [WHOLE] * 5
    for place, source in pairs:
        if place >= 0:
            anything[source] |= bits[place]
            everything[source] &= bits[place]
    for gather, begun, expected in ((kernels.any_of, 0, anything), (kernels.all_of, WHOLE, everything)):
        some = [pair for pair in pairs if pair[0] >= 0 or gather is kernels.any_of]
        places = np.array([place for place, _ in some], np.int64)
        sources, into = np.array([source for _, source in some], np.int64), np.full(5, begun, np.uint64)
        gather(np.array(bits, np.uint64), places, sources, into)
        assert into.tolist() == expected


# ------------------------------------------------------------------ single words, and a whole search


@given(
    st.lists(st.integers(0, WHOLE), min_size=1), st.sampled_from([[], [(4, 3, 7)], [(2, 0, 9), (3, 20, 14)]])
)
def test_words_are_mixed_and_brought_in_order(kernels, some, blocks) -> None:
    array, grouped = np.array(some, np.uint64), np.array(blocks, np.int64).reshape(-1, 3)
    if kernels is kernels_numpy:
        hashed, ordered = kernels.mixed(array).tolist(), kernels.canonical(grouped, array).tolist()
        assert array.tolist() == some
    else:
        hashed = [int(kernels.mixed(word)) for word in array]
        ordered = [int(kernels.canonical(grouped, word)) for word in array]
    assert hashed == [mixed(word) for word in some]
    assert ordered == [canonical(blocks, word) for word in some]


def test_a_search_finds_the_same_with_either(search) -> None:
    compiled = pytest.importorskip("cutproof.checks.engines.fast.kernels.compiled", exc_type=ImportError)
    with ExitStack() as stack:
        for name, module in sorted(sys.modules.items()):
            if name.startswith("cutproof.checks.") and getattr(module, "kernels", None) is compiled:
                stack.enter_context(patch.object(module, "kernels", kernels_numpy))
        other = vector.VectorSearch(search.protocol, search.claims, Limits(), workers=1)
        assert engine.kernels is visited.kernels is kernels_numpy
        other.run()
    assert engine.kernels is compiled
    assert len(other.levels) == len(search.levels)
    for i in range(len(search.levels)):
        one, two = search.levels.get(i, search.layout), other.levels.get(i, other.layout)
        assert one.tolist() == two.tolist()
    assert other.engine.fired.tolist() == search.engine.fired.tolist()
    assert other.first.keys() == search.first.keys()


@pytest.mark.parametrize("size", [0, 1, 100, 5_000, 20_001])
@pytest.mark.parametrize("bits", [5, 22, 23, 60, 63])
def test_words_are_put_in_order(kernels: ModuleType, size: int, bits: int) -> None:
    words = np.random.default_rng(size).integers(0, 1 << bits, size, dtype=np.uint64)
    expected = np.sort(words)
    kernels.put_in_order(words, bits)
    assert (words == expected).all()
