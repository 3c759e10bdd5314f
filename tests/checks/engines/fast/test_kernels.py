"""The inner loops, compiled and in NumPy, on rows of random protocols: what the plain engine makes of each state."""

from random import Random
from types import ModuleType
from typing import Any
from unittest.mock import patch

import numpy as np
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from rows import (
    WIDTHS,
    array,
    blocks_array,
    drawn,
    grouped,
    kernels_for,
    layout_of,
    ordered,
    pairs_of,
    some_blocks,
    states_of,
    strewn,
)

from cutproof.checks.engines.fast import visited
from cutproof.checks.engines.fast.kernels import vectorised, vectorised_sets
from cutproof.checks.engines.fast.kernels.layout import BLOCK
from cutproof.checks.engines.fast.program import Judging, Program
from cutproof.checks.engines.plain.search import inside
from cutproof.model.language import expressions as ex
from cutproof.model.language.circuit import told_of
from cutproof.model.language.protocol import State

seeds, widths = st.integers(0, 10**6), st.sampled_from(WIDTHS)
DRAWN = 60  # protocols, each of which is searched once
worlds = st.integers(0, DRAWN)


class World:
    """A random protocol, rows of its states, and what the plain engine says of each."""

    def __init__(self, protocol: int, width: int, seed: int) -> None:
        self.rng = Random(seed)
        self.protocol, states = drawn(protocol)
        self.layout = layout_of(self.protocol, width, self.rng)
        self.width, self.kk = width, (0,) * width
        self.known = grouped(self.layout, states)
        pairs = list(self.known.items())
        pairs += [
            (key, mask & self.rng.getrandbits(64)) for key, mask in self.rng.sample(pairs, len(pairs) // 2)
        ]
        self.rows = strewn(pairs, width, self.rng.randint(1, 3), self.rng)
        self.use(self.rows)
        self.terms = [told_of(c) for c in self.protocol.claims]
        self.program, self.judging = Program(self.layout), Judging(self.layout, self.terms)
        self.planes = np.zeros((max(self.program.nodes, self.judging.nodes), 8), np.uint64)
        bits = [p.offset + i for p in self.layout.places.values() for i in range(p.width)]
        self.blocks = some_blocks(bits, self.rng)

    def use(self, rows: np.ndarray) -> None:
        """Take these rows: (row, key, mask, state) of each state of them."""
        self.rows = rows
        self.states = [
            (row, key, mask, state)
            for row, (key, mask) in enumerate(pairs_of(rows))
            if mask
            for state in states_of(self.layout, [(key, mask)])
        ]

    def step(self, state: State) -> list[tuple[int, State]]:
        return inside(self.protocol, state)

    def leaves(self, state: State) -> bool:
        """Whether some transition is enabled that leaves a domain."""
        values = self.protocol.named(state)
        return len(self.step(state)) < sum(
            bool(ex.evaluate(t.enabled, values, {})) for t in self.protocol.transitions
        )

    def bits(self, found: np.ndarray) -> set[tuple[int, State]]:
        """(row, state) of words with a bit for each state of a row."""
        keys = pairs_of(self.rows)
        return {
            (row, s)
            for row in np.flatnonzero(found).tolist()
            for s in states_of(self.layout, [(keys[row][0], int(found[row]))])
        }


def expanded(kernels: ModuleType, world: World, want: bool, room: int) -> Any:
    """All rows expanded, as often as it takes: the rows in order, fired, and the states that stay and leave."""
    steps, end = world.program.steps, world.rows.shape[1]
    fired = np.zeros(len(world.protocol.transitions), np.int64)
    stay, leave, low, found = np.zeros(end, np.uint64), np.zeros(end, np.uint64), 0, []
    out = np.full((world.width + 1, BLOCK * len(steps.spans) + room), 77, np.uint64)
    while low < end:
        moved, left = np.full((2, end), 7, np.uint64)
        done, n, stuck, gone = kernels.expand(
            world.planes, world.rows, low, end, world.kk, world.program.gates, steps, blocks_array(world.blocks),
            fired, moved, left, want, out, room,
        )  # fmt: skip
        assert low < done <= end and done % BLOCK == 0
        assert done == end or n >= room
        stay[low:done], leave[low:done] = moved[: done - low], left[: done - low]
        assert (stuck, gone) == (bool(want and stay[low:done].any()), bool(leave[low:done].any()))
        found += pairs_of(out[:, :n])
        low = done
    return sorted(found), fired.tolist(), world.bits(stay), world.bits(leave)


@given(worlds, widths, seeds, st.booleans(), st.sampled_from([1, 100, 3000]))
@examples(40)
def test_rows_lead_where_the_plain_engine_says(
    protocol: int, width: int, seed: int, want: bool, room: int
) -> None:
    world = World(protocol, width, seed)
    fired, reached = [0] * len(world.protocol.transitions), set()
    stay, leave = set(), set()
    for row, key, mask, state in world.states:
        steps = world.step(state)
        for number, after in steps:
            fired[number] += 1
            there, bit = world.layout.pack(after)
            if there != key or not mask >> bit & 1:
                reached.add((ordered(world.blocks, there), bit))
        if world.leaves(state):
            leave.add((row, state))
        elif all(after == state for _, after in steps):
            stay.add((row, state))
    found = [expanded(k, world, want, room) for k in kernels_for(width)]
    for rows, *rest in found:
        assert {(key, bit) for key, mask in rows for bit in range(64) if mask >> bit & 1} == reached
        assert all(mask for _, mask in rows)
        assert rest == [fired, stay if want else set(), leave]
        assert rows == found[0][0]


@given(worlds, widths, seeds)
@examples(15)
def test_terms_hold_where_their_value_is_true(protocol: int, width: int, seed: int) -> None:
    world = World(protocol, width, seed)
    wanted = [world.rng.random() < 0.7 for _ in world.terms]
    end, told = world.rows.shape[1], world.judging
    true = [{(row, s) for row, _, _, s in world.states if w and ex.evaluate(t, world.protocol.named(s), {})}
            for t, w in zip(world.terms, wanted, strict=True)]  # fmt: skip
    for kernels in kernels_for(width):
        found, hit = np.zeros((len(world.terms), end), np.uint64), np.zeros(len(world.terms), np.uint8)
        kernels.judge(
            world.planes, world.rows, 0, end, world.kk, told.gates, told.told, told.masks,
            np.array(wanted, np.uint8), found, hit,
        )  # fmt: skip
        assert [world.bits(words) for words in found] == true
        assert hit.tolist() == [bool(some) for some in true]


@given(worlds, widths, seeds)
@examples(15)
def test_degrees_count_the_transitions_that_fire(protocol: int, width: int, seed: int) -> None:
    world = World(protocol, width, seed)
    expected = np.zeros(world.rng.choice([3, 40]), np.int64)
    for *_, state in world.states:
        expected[min(len(world.step(state)), len(expected) - 1)] += 1
    for kernels in kernels_for(width):
        counts = np.zeros_like(expected)
        kernels.degrees(
            world.planes,
            world.rows,
            0,
            world.rows.shape[1],
            world.kk,
            world.program.gates,
            world.program.steps,
            counts,
        )
        assert counts.tolist() == expected.tolist()


def filled(world: World, parts: int) -> tuple[np.ndarray, np.ndarray]:
    """A set with the rows that are known."""
    with patch.object(visited, "kernels", vectorised):
        found = visited.Visited(world.width, parts)
        known = dict.fromkeys((ordered(world.blocks, key) for key in world.known), (1 << 64) - 1)
        found.pour(array(list(known.items()), world.width))
    return found.table, found.parts


@given(worlds, widths, seeds)
@examples(15)
def test_states_lead_to_those_that_are_marked(protocol: int, width: int, seed: int) -> None:
    world = World(protocol, width, seed)
    table, parts = filled(world, world.rng.choice([1, 3]))
    many, draw = world.rng.randint(1, 3), np.random.default_rng(seed)
    marks = draw.integers(0, 1 << 63, size=(len(table), many), dtype=np.uint64)
    marks &= draw.integers(0, 1 << 63, size=(len(table), many), dtype=np.uint64)
    at = {
        key: place for place, (key, _) in enumerate(pairs_of(table[:, : width + 1].T)) if table[place, width]
    }
    allowed = (draw.random(len(world.protocol.transitions)) < 0.7).astype(np.uint8)
    expected: list[set[Any]] = [set() for _ in range(many)]
    for row, _, _, state in world.states:
        for number, after in world.step(state):
            there, bit = world.layout.pack(after)
            place = at[ordered(world.blocks, there)]
            same = (ordered(world.blocks, there), bit) == world.layout.pack(state)
            if allowed[number] and not same:
                for j in range(many):
                    if int(marks[place, j]) >> bit & 1:
                        expected[j].add((row, state))
    for kernels in kernels_for(width):
        found = np.zeros((world.rows.shape[1], many), np.uint64)
        kernels.leads(
            world.planes, world.rows, 0, world.rows.shape[1], world.kk, world.program.gates, world.program.steps,
            blocks_array(world.blocks), allowed, table, parts, marks, found,
        )  # fmt: skip
        assert [world.bits(words) for words in found.T] == expected


@given(worlds, widths, seeds, st.booleans())
@examples(20)
def test_marks_spread_until_nothing_changes(protocol: int, width: int, seed: int, staying: bool) -> None:
    """Backwards along allowed steps; or away from states from which none leads on to one that is marked."""
    world = World(protocol, width, seed)
    draw, rng = np.random.default_rng(seed), world.rng
    world.blocks = []
    table, parts = filled(world, rng.choice([1, 3]))
    rows = strewn(list(world.known.items()), width, 2, rng)
    world.use(rows)
    allowed = (draw.random(len(world.protocol.transitions)) < 0.8).astype(np.uint8)
    first = {s for *_, s in world.states if rng.random() < (0.9 if staying else 0.1)}
    kept = {s for *_, s in world.states if staying and rng.random() < 0.1}
    steps = {s: [t for n, t in world.step(s) if allowed[n] and t != s] for *_, s in world.states}
    expected, before = set(first), None
    while expected != before:
        before = set(expected)
        if staying:
            expected = {s for s in expected if s in kept or any(t in before for t in steps[s])}
        else:
            expected |= {s for s in steps if any(t in before for t in steps[s])}
    for kernels in kernels_for(width):
        at = np.empty(rows.shape[1], np.int64)
        kernels.places(table, parts, rows, 0, len(at), world.kk, at)
        marks, stays = np.zeros((len(table), 1), np.uint64), np.zeros(len(at), np.uint64)
        for row, _, _, state in world.states:
            bit = np.uint64(1 << world.layout.pack(state)[1])
            marks[at[row], 0] |= bit if state in first else np.uint64(0)
            stays[row] |= bit if state in kept else np.uint64(0)
        rounds, still, changed = 0, np.zeros(len(at), np.uint8), True
        while changed:
            changed, rounds = kernels.spread(
                world.planes, rows, 0, len(at), at, world.kk, world.program.gates, world.program.steps,
                blocks_array([]), allowed, table, parts, marks, stays, staying, still,
            ), rounds + 1  # fmt: skip
            assert rounds <= len(world.states) + 1
        found = world.bits(np.where(rows[width] != 0, marks[at, 0], np.uint64(0)) & rows[width])
        assert {s for _, s in found} == expected
        left = {row for row, _, _, s in world.states if (s in expected) == staying}
        assert set(np.flatnonzero(still & 1).tolist()) == left


@given(worlds, widths, seeds, st.integers(1, 3))
@examples(15)
def test_edges_are_the_steps_of_the_plain_engine(protocol: int, width: int, seed: int, blocks: int) -> None:
    world = World(protocol, width, seed)
    single = [(key, 1 << bit) for key, mask in world.known.items() for bit in range(64) if mask >> bit & 1]
    world.use(strewn(single, width, blocks, world.rng))
    allowed = np.array([world.rng.random() < 0.8 for _ in world.protocol.transitions], np.uint8)
    expected = []
    for row, _, _, state in world.states:
        for number, after in world.step(state):
            key, bit = world.layout.pack(after)
            if allowed[number]:
                expected.append((row, number, ordered(world.blocks, key), 1 << bit))
    size, end = BLOCK * len(allowed) * world.rng.randint(1, 2), world.rows.shape[1]
    for kernels in kernels_for(width):
        source, number = np.zeros((2, size), np.int64)
        target, low, found = np.zeros((width + 1, size), np.uint64), 0, []
        while low < end:
            before = low
            low, n = kernels.edges(
                world.planes, world.rows, low, end, world.kk, world.program.gates, world.program.steps,
                blocks_array(world.blocks), allowed, source, number, target,
            )  # fmt: skip
            assert low > before and low % BLOCK == 0
            pairs = pairs_of(target[:, :n])
            found += [
                (s, t, *p) for s, t, p in zip(source[:n].tolist(), number[:n].tolist(), pairs, strict=True)
            ]
        assert sorted(found) == sorted(expected)


@given(seeds, widths)
@examples(30)
def test_blocks_are_put_into_order(seed: int, width: int) -> None:
    """Sets of blocks anywhere in the key, with pieces of several bits: keys of one orbit become the least of it."""
    rng = Random(seed)
    bits, blocks = [0] * width, []
    for _ in range(rng.randint(1, 3)):
        widths, count = [rng.randint(1, 5) for _ in range(rng.randint(1, 3))], rng.randint(2, 4)
        same = []
        for _ in range(count):
            words = [rng.randrange(width) for _ in widths]
            block = []
            for word, wide in zip(words, widths, strict=True):
                block.append((64 * word + bits[word], wide))
                bits[word] += wide
            same.append(block)
        if max(bits) > 64:
            break
        blocks.append(same)
    keys = [rng.getrandbits(64 * width) & rng.getrandbits(64 * width) for _ in range(20)]
    expected = [ordered(blocks, key) for key in keys]
    found = array([(key, 0) for key in keys], width)
    vectorised_sets.canonical(blocks_array(blocks), found[:-1])
    assert [key for key, _ in pairs_of(found)] == expected
    for kernels in kernels_for(1)[1:]:
        for key, wanted in zip(keys, expected, strict=True):
            words = array([(key, 0)], width)[:-1, 0].copy()
            kernels.canonical(blocks_array(blocks), words)
            assert pairs_of(np.append(words, np.uint64(0))[:, None])[0][0] == wanted
