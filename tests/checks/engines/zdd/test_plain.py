"""Diagrams on dictionaries, against sets of tuples of bits: every operation, with sweeps forced at every chance."""

from collections.abc import Callable, Iterable, Sequence
from itertools import product
from typing import Any

import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from cutproof.checks.engines.zdd.diagrams import NOTHING, START, Diagrams, Node, OverBudget
from cutproof.checks.engines.zdd.plain import PlainDiagrams
from cutproof.model.language.circuit import AND, ANDN, NOR, XOR

LEVELS = 5
ALL = list(product((0, 1), repeat=LEVELS))
Member = tuple[int, ...]
GATES: dict[int, Callable[[bool, bool], bool]] = {
    AND: lambda a, b: a and b, ANDN: lambda a, b: a and not b, NOR: lambda a, b: not (a or b), XOR: lambda a, b: a != b,
}  # fmt: skip

members = st.sets(st.sampled_from(ALL))
puts = st.dictionaries(st.integers(0, LEVELS - 1), st.integers(0, 1)).map(lambda put: sorted(put.items()))
events = st.lists(st.tuples(members, puts), min_size=1, max_size=4)


def of(diagrams: Diagrams, some: Iterable[Member]) -> Node:
    """The set of some states."""
    found = NOTHING
    for bits in some:
        found = diagrams.union(found, diagrams.single(bits))
    return diagrams.keep(found)


def condition(diagrams: Diagrams, where: Iterable[Member]) -> Node:
    """The condition that holds in some states and no others, by gates."""
    found = 0
    for bits in where:
        here = 1
        for level, bit in enumerate(bits):
            it = diagrams.bit(level)
            here = diagrams.gate(AND, here, it if bit else diagrams.gate(XOR, it, 1))
        found = diagrams.gate(XOR, diagrams.gate(NOR, found, here), 1)
    return found


def put(bits: Member, constants: Sequence[tuple[int, int]]) -> Member:
    found = list(bits)
    for level, bit in constants:
        found[level] = bit
    return tuple(found)


def after(
    some: Iterable[Member], where: Iterable[Member], constants: Sequence[tuple[int, int]]
) -> set[Member]:
    there = set(where)
    return {put(bits, constants) for bits in some if bits in there}


def made(sweep_at: int) -> Diagrams:
    return PlainDiagrams(LEVELS, sweep_at=sweep_at)


@pytest.mark.parametrize("sweep_at", [0, 1 << 20])
@examples(40)
@given(a=members, b=members, c=members, some=events)
def test_operations_are_those_of_sets(
    sweep_at: int, a: set[Member], b: set[Member], c: set[Member], some: list[Any]
) -> None:
    d = made(sweep_at)
    where = [condition(d, there) for there, _ in some]
    numbers = [d.event(w, p) for w, (_, p) in zip(where, some, strict=True)]
    last = len(numbers)
    d.seal()
    x, y, z = of(d, a), of(d, b), of(d, c)

    def check(found: Node, expected: set[Member]) -> None:
        assert found == of(d, expected)
        assert d.count(found) == len(expected)
        d.tidy()

    check(d.union(x, y), a | b)
    check(d.difference(x, y), a - b)
    check(d.meet(x, y), a & b)
    check(d.select(x, where[0]), a & some[0][0])
    for number, (there, constants) in zip(numbers, some, strict=True):
        check(d.image(x, number), after(a, there, constants))
        check(
            d.preimage(x, number, z),
            {bits for bits in c if bits in there and put(bits, constants) in a},
        )
    check(d.images(x, 0, last), set().union(*(after(a, t, p) for t, p in some)))
    came = {bits for bits in c for there, p in some if bits in there and put(bits, p) in a}
    check(d.preimages(x, 0, last, z), came)
    chained = set(a)
    for there, constants in some:
        chained |= after(chained, there, constants)
    check(d.chain(x, 0, last), chained)
    assert all(d.has(x, bits) == (bits in a) for bits in ALL)
    first = d.first(x)
    assert first is None if not a else tuple(first or ()) in a


@examples(25)
@given(a=members, b=members)
def test_gates_are_those_of_truth(a: set[Member], b: set[Member]) -> None:
    d = made(0)
    everything = of(d, ALL)
    x, y = condition(d, a), condition(d, b)
    for kind, says in GATES.items():
        holding = d.select(everything, d.gate(kind, x, y))
        assert holding == of(d, {bits for bits in ALL if says(bits in a, bits in b)})


def test_equal_sets_are_one_node_and_idle_bits_cost_nothing() -> None:
    d = made(1 << 20)
    assert d.single((0,) * LEVELS) == START and d.size(START) == 0
    one = d.single((0, 1, 0, 0, 1))
    assert d.size(one) == 2 and d.union(one, one) == one
    assert d.nodes_of(one)[-1][:2] == (one, 1)  # its top level is the first that is set


def test_what_is_kept_outlives_a_sweep_and_the_rest_does_not() -> None:
    d = made(0)
    kept, gone = d.keep(of(d, ALL[3:9])), d.union(d.single(ALL[30]), d.single(ALL[12]))
    before = d.nodes
    d.drop(kept)  # as often as it was kept: `of` keeps it too
    d.tidy()
    assert d.count(kept) == 6 and d.nodes < before
    assert gone not in (kept, START)
    d.drop(kept)
    d.tidy()
    assert d.nodes == 0


def test_a_swept_node_is_used_again_and_nothing_stale_is_said_of_it() -> None:
    """What was worked out before a sweep speaks of nodes that may be others now."""
    d = made(0)
    a, b = d.keep(of(d, ALL[1:5])), of(d, ALL[7:9])
    d.union(a, b)
    d.drop(b)
    d.tidy()
    c = of(d, ALL[11:13])
    assert d.union(a, c) == of(d, [*ALL[1:5], *ALL[11:13]])


def test_the_limit_of_nodes_is_kept() -> None:
    d = PlainDiagrams(LEVELS, limit=10)
    with pytest.raises(OverBudget, match="the limit of 10 nodes was reached"):
        of(d, ALL[::3])


def test_long_work_looks_up_now_and_then() -> None:
    looked = []
    d = PlainDiagrams(16, look=lambda: looked.append(1))
    for number in range(0, 65536, 5):
        d.keep(d.single([number >> i & 1 for i in range(16)]))
    assert looked
