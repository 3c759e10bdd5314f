"""Sifting against explicit states: whatever is moved, the set stays, and is the diagram that its order has."""

from collections.abc import Sequence
from itertools import accumulate, product
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from cutproof.checks.engines.zdd.order.sift import Shifting, sift
from cutproof.checks.engines.zdd.plain import PlainDiagrams

States = set[tuple[int, ...]]


@st.composite
def sets(draw: st.DrawFn) -> tuple[list[int], States]:
    """Widths of blocks, and some states of so many bits."""
    widths = draw(st.lists(st.integers(1, 3), min_size=2, max_size=5))
    rng = Random(draw(st.integers(0, 1 << 30)))
    density = draw(st.sampled_from([0.05, 0.3, 0.7]))
    every = product((0, 1), repeat=min(sum(widths), 9))
    padding = (0,) * max(0, sum(widths) - 9)
    return widths, {bits + padding for bits in every if rng.random() < density}


def built(states: States, levels: int) -> tuple[PlainDiagrams, int]:
    diagrams, root = PlainDiagrams(levels), 0
    for bits in sorted(states):
        root = diagrams.union(root, diagrams.single(bits))
    return diagrams, root


def shifting(states: States, widths: Sequence[int]) -> Shifting:
    diagrams, root = built(states, sum(widths))
    return Shifting(diagrams.nodes_of(root), root, widths)


def in_order(states: States, widths: Sequence[int], order: Sequence[int]) -> States:
    """The states with their blocks in another order."""
    firsts = [0, *accumulate(widths)]
    return {tuple(bit for b in order for bit in s[firsts[b] : firsts[b + 1]]) for s in states}


def states_of(shifted: Shifting) -> States:
    levels = len(shifted.variables)
    diagrams, number = PlainDiagrams(levels), {0: 0, 1: 1}
    for node, level, low, high in shifted.nodes():
        number[node] = diagrams._set(level, number[low], number[high])
    root = number[shifted.root]
    return {bits for bits in product((0, 1), repeat=levels) if diagrams.has(root, bits)}


@given(sets(), st.lists(st.integers(0, 100), max_size=12))
def test_blocks_that_are_moved_leave_the_set_and_its_own_diagram(
    some: tuple[list[int], States], moves: list[int]
) -> None:
    widths, states = some
    shifted = shifting(states, widths)
    for move in moves:
        shifted.down(move % (len(widths) - 1))
    there = in_order(states, widths, shifted.order)
    assert states_of(shifted) == there
    diagrams, root = built(there, sum(widths))
    assert shifted.size == diagrams.size(root)


@given(sets(), st.sampled_from([0, 50, 1 << 20]))
def test_sifting_keeps_the_set_and_never_ends_larger(some: tuple[list[int], States], work: int) -> None:
    widths, states = some
    shifted = shifting(states, widths)
    before = shifted.size
    order = sift(shifted, work=work)
    assert sorted(order) == list(range(len(widths)))
    assert states_of(shifted) == in_order(states, widths, order)
    assert shifted.size <= before
    assert order == sift(shifting(states, widths), work=work)


def test_what_belongs_together_ends_side_by_side() -> None:
    """Seven pairs of equal bits, all first ones before all second ones: 2^7 ways must be remembered between them."""
    pairs = 7
    states = {bits + bits for bits in product((0, 1), repeat=pairs)}
    shifted = shifting(states, [1] * (2 * pairs))
    assert shifted.size > 2**pairs
    order = sift(shifted)
    assert shifted.size == 2 * pairs
    assert {frozenset(b % pairs for b in order[i : i + 2]) for i in range(0, 2 * pairs, 2)} == {
        frozenset({i}) for i in range(pairs)
    }


def test_what_may_not_work_any_more_moves_nothing() -> None:
    pairs = 4
    shifted = shifting({bits + bits for bits in product((0, 1), repeat=pairs)}, [1] * (2 * pairs))
    shifted.work = 1
    assert sift(shifted, work=0) == list(range(2 * pairs))
