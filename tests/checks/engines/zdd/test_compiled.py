"""Both kinds of diagrams against sets of tuples, also where sweeps and pauses come at every chance."""

from collections.abc import Callable
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutproof.checks.engines.zdd.choose import compiled
from cutproof.checks.engines.zdd.diagrams import TRUE, Diagrams, Node, OverBudget
from cutproof.checks.engines.zdd.plain import PlainDiagrams
from cutproof.model.language.circuit import AND, ANDN, NOR, XOR

if not compiled():
    pytest.skip("numba is not installed, or switched off", allow_module_level=True)

from cutproof.checks.engines.zdd.compiled import CompiledDiagrams

LEVELS = 6
ALL = list(product((0, 1), repeat=LEVELS))
Bits = tuple[int, ...]
KINDS: dict[str, Callable[[], Diagrams]] = {
    "plain": lambda: PlainDiagrams(LEVELS),
    "plain, swept": lambda: PlainDiagrams(LEVELS, sweep_at=0),
    "compiled": lambda: CompiledDiagrams(LEVELS),
    "compiled, paused": lambda: CompiledDiagrams(LEVELS, stride=1, small=1),
    "compiled, swept": lambda: CompiledDiagrams(LEVELS, sweep_at=0, stride=1, small=1),
    "compiled, swept now and then": lambda: CompiledDiagrams(LEVELS, sweep_at=20, stride=7, small=4),
}

states = st.sets(st.sampled_from(ALL), max_size=40)
gates = st.lists(st.tuples(st.sampled_from([AND, ANDN, NOR, XOR]), *2 * [st.integers(0, 99)]), max_size=12)
puts = st.dictionaries(st.integers(0, LEVELS - 1), st.integers(0, 1), max_size=4)
events = st.lists(st.tuples(st.integers(0, 99), puts), min_size=1, max_size=4)
steps = st.lists(st.tuples(st.sampled_from("udmsicpIPlC"), *4 * [st.integers(0, 99)]), max_size=12)
joined = st.lists(st.tuples(st.sampled_from("et"), *2 * [st.integers(0, 99)]), max_size=6)


def set_of(d: Diagrams, some: set[Bits]) -> Node:
    found = 0
    for bits in sorted(some):
        found = d.union(found, d.single(bits))
    return found


def read(d: Diagrams, node: Node) -> set[Bits]:
    """The states of a set, from its nodes."""
    below: dict[Node, set[Bits]] = {0: set(), 1: {(0,) * LEVELS}}
    for n, level, low, high in d.nodes_of(node):
        below[n] = below[low] | {(*b[:level], 1, *b[level + 1 :]) for b in below[high]}
    return below[node]


def truth(d: Diagrams, node: Node) -> frozenset[Bits]:
    """Where a condition holds, from its nodes."""
    below: dict[Node, set[Bits]] = {0: set(), 1: set(ALL)}
    for n, level, low, high in d.nodes_of(node):
        below[n] = {b for b in ALL if b in below[high if b[level] else low]}
    return frozenset(below[node])


def conditions_of(d: Diagrams, wanted: list[tuple[int, int, int]]) -> list[tuple[Node, frozenset[Bits]]]:
    """Conditions, each a gate of two of those before, and where each holds by Python."""
    found = [(TRUE, frozenset(ALL))]
    found += [(d.bit(i), frozenset(b for b in ALL if b[i])) for i in range(LEVELS)]
    for kind, i, j in wanted:
        (a, x), (b, y) = found[i % len(found)], found[j % len(found)]
        holds = {AND: x & y, ANDN: x - y, NOR: frozenset(ALL) - x - y, XOR: x ^ y}[kind]
        found.append((d.gate(kind, a, b), holds))
    return found


def put_into(bits: Bits, put: dict[int, int]) -> Bits:
    return tuple(put.get(i, bit) for i, bit in enumerate(bits))


Effects = list[tuple[frozenset[Bits], dict[int, int]]]


def led_to(some: set[Bits], effects: Effects) -> set[Bits]:
    return {put_into(b, put) for holds, put in effects for b in some & holds}


def leading(some: set[Bits], effects: Effects, within: set[Bits]) -> set[Bits]:
    return {b for holds, put in effects for b in within & holds if put_into(b, put) in some}


Relations = list[tuple[int, Effects]]
MANY = 32  # effects of a relation that is put together with another, at most


def relations_of(d: Diagrams, effects: Effects, wanted: list[tuple[str, int, int]]) -> Relations:
    """Relations: the effect of each event, then each of two of those before, and the effects of each by Python."""
    found: Relations = [(0, []), (1, [(frozenset(ALL), {})])]
    found += [(d.effect(number), [effect]) for number, effect in enumerate(effects)]
    for kind, i, j in wanted:
        (a, x), (b, y) = found[i % len(found)], found[j % len(found)]
        apart = {level for _, put in x for level in put}.isdisjoint(level for _, put in y for level in put)
        if kind == "t" and apart and len(x) * len(y) <= MANY:
            found.append((d.together(a, b), [(v & w, {**p, **q}) for v, p in x for w, q in y]))
        elif len(x) + len(y) <= MANY:
            found.append((d.either(a, b), x + y))
    return found


def closed(some: set[Bits], effects: Effects) -> set[Bits]:
    while not (there := led_to(some, effects)) <= some:
        some = some | there
    return some


def step(
    d: Diagrams, pool: list[tuple[Node, set[Bits]]], held: list[tuple[Node, frozenset[Bits]]],
    effects: Effects, relations: Relations, told: tuple[str, int, int, int, int],
) -> tuple[Node, set[Bits]]:  # fmt: skip
    """What an operation gives, and what it has to give."""
    kind, i, j, k, e = told
    (a, x), (b, y), (c, z) = pool[i % len(pool)], pool[j % len(pool)], held[k % len(held)]
    n, m = sorted((e % (len(effects) + 1), k % (len(effects) + 1)))
    one = e % len(effects)
    if kind == "u":
        return d.union(a, b), x | y
    if kind == "d":
        return d.difference(a, b), x - y
    if kind == "m":
        return d.meet(a, b), x & y
    if kind == "s":
        return d.select(a, c), x & z
    if kind == "i":
        return d.image(a, one), led_to(x, [effects[one]])
    if kind == "p":
        return d.preimage(a, one, b), leading(x, [effects[one]], y)
    if kind in "lC":
        relation, does = relations[k % len(relations)]
        if kind == "l":
            return d.led(a, relation), led_to(x, does)
        return d.closed(a, relation), closed(x, does)
    if kind == "I":
        return d.images(a, n, m), led_to(x, effects[n:m])
    if kind == "P":
        return d.preimages(a, n, m, b), leading(x, effects[n:m], y)
    reached = set(x)
    for effect in effects[n:m]:
        reached |= led_to(reached, [effect])
    return d.chain(a, n, m), reached


@pytest.mark.parametrize("kind", KINDS)
@given(sets=st.lists(states, min_size=2, max_size=3), made=gates, wanted=events, join=joined, program=steps)
def test_every_operation_does_to_sets_what_python_does(
    kind: str, sets: list[set[Bits]], made: list[tuple[int, int, int]],
    wanted: list[tuple[int, dict[int, int]]], join: list[tuple[str, int, int]],
    program: list[tuple[str, int, int, int, int]],
) -> None:  # fmt: skip
    d = KINDS[kind]()
    held = conditions_of(d, made)
    effects: Effects = []
    for at, put in wanted:
        condition, holds = held[at % len(held)]
        assert d.event(condition, sorted(put.items())) == len(effects)
        effects.append((holds, put))
    relations = relations_of(d, effects, join)
    d.seal()
    pool = list[tuple[Node, set[Bits]]]()
    for some in sets:
        pool.append((d.keep(set_of(d, some)), some))
    for told in program:
        found, right = step(d, pool, held, effects, relations, told)
        pool.append((d.keep(found), right))
        d.tidy()
    for node, right in pool:  # at the end: nothing was spoilt by what came after it
        assert read(d, node) == right
        assert d.count(node) == len(right)
        assert (d.first(node) is None) == (not right)
        assert not right or tuple(d.first(node) or ()) in right
    assert all(d.has(pool[-1][0], bits) == (bits in pool[-1][1]) for bits in ALL)
    assert all(truth(d, condition) == holds for condition, holds in held)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if "swept" in kind])
@given(x=states, y=states, made=gates, wanted=events, join=joined)
def test_the_arguments_of_a_call_are_kept(
    kind: str,
    x: set[Bits],
    y: set[Bits],
    made: list[tuple[int, int, int]],
    wanted: list[tuple[int, dict[int, int]]],
    join: list[tuple[str, int, int]],
) -> None:
    d = KINDS[kind]()
    held = conditions_of(d, made)
    effects = [(held[at % len(held)][1], put) for at, put in wanted]
    for at, put in wanted:
        d.event(held[at % len(held)][0], sorted(put.items()))
    d.seal()
    assert read(d, d.images(set_of(d, x), 0, len(wanted))) == led_to(x, effects)
    relation, does = relations_of(d, effects, join)[-1]
    assert read(d, d.closed(set_of(d, x), relation)) == closed(x, does)
    assert read(d, d.led(set_of(d, x), relation)) == led_to(x, does)
    a, b = set_of(d, x), set_of(d, y)
    assert read(d, d.preimages(a, 0, len(wanted), b)) == leading(x, effects, y)


half = st.dictionaries(st.integers(0, LEVELS // 2 - 1), st.integers(0, 1), max_size=2)
halves = st.lists(st.tuples(st.integers(0, LEVELS), half), min_size=1, max_size=3)


@pytest.mark.parametrize("kind", ["plain", "compiled, swept now and then"])
@given(x=states, evens=halves, odds=halves)
def test_steps_together_read_what_was_before_both(
    kind: str, x: set[Bits], evens: list[tuple[int, dict[int, int]]], odds: list[tuple[int, dict[int, int]]]
) -> None:
    d = KINDS[kind]()
    held, steps = conditions_of(d, []), list[tuple[int, Effects]]()
    for side, some in enumerate((evens, odds)):  # they put bits between one another
        relation, does = 0, list[tuple[frozenset[Bits], dict[int, int]]]()
        for at, halved in some:
            put = {2 * level + side: bit for level, bit in halved.items()}
            relation = d.either(relation, d.effect(d.event(held[at][0], sorted(put.items()))))
            does.append((held[at][1], put))
        steps.append((relation, does))
    d.seal()
    both = [(v & w, {**p, **q}) for v, p in steps[0][1] for w, q in steps[1][1]]
    relation = d.together(steps[0][0], steps[1][0])
    assert read(d, d.led(set_of(d, x), relation)) == led_to(x, both)
    assert read(d, d.closed(set_of(d, x), relation)) == closed(x, both)


def shape(d: Diagrams, node: Node) -> set[tuple[int, object, object]]:
    """The nodes of a diagram, whatever their numbers."""
    known: dict[Node, object] = {0: 0, 1: 1}
    for n, level, low, high in d.nodes_of(node):
        known[n] = (level, known[low], known[high])
    return {known[n] for n, *_ in d.nodes_of(node)}  # type: ignore[misc]


@given(x=states, made=gates, wanted=events, join=joined)
def test_both_kinds_have_the_same_relations(
    x: set[Bits], made: list[tuple[int, int, int]], wanted: list[tuple[int, dict[int, int]]],
    join: list[tuple[str, int, int]],
) -> None:  # fmt: skip
    found = []
    for d in (PlainDiagrams(LEVELS), CompiledDiagrams(LEVELS, small=1)):
        held = conditions_of(d, made)
        effects = [(held[at % len(held)][1], put) for at, put in wanted]
        for at, put in wanted:
            d.event(held[at % len(held)][0], sorted(put.items()))
        numbers = [number for number, _ in relations_of(d, effects, join)]
        assert numbers == [number for number, _ in relations_of(d, effects, join)]
        found.append((numbers, [shape(d, d.closed(set_of(d, x), number)) for number in numbers]))
    assert found[0] == found[1]


@given(a=states, b=states, made=gates)
def test_both_kinds_have_the_same_nodes(a: set[Bits], b: set[Bits], made: list[tuple[int, int, int]]) -> None:
    found = []
    for d in (PlainDiagrams(LEVELS), CompiledDiagrams(LEVELS)):
        condition, _ = conditions_of(d, made)[-1]
        some = d.union(d.select(set_of(d, a), condition), d.meet(set_of(d, a), set_of(d, b)))
        found.append(
            (shape(d, some), shape(d, condition), d.size(some, condition), d.size(some), d.first(some))
        )
    assert found[0] == found[1]


def test_what_is_not_kept_is_swept_and_what_is_kept_is_not() -> None:
    d = CompiledDiagrams(LEVELS, sweep_at=0)
    condition = d.gate(XOR, d.bit(1), d.bit(4))
    d.seal()
    sealed, kept = d.nodes, set_of(d, set(ALL[5:20]))
    for _ in range(2):
        d.keep(kept)
    set_of(d, set(ALL[40:]))  # needed by nothing
    d.drop(kept)
    d.tidy()
    assert d.sweeps == 1
    assert d.nodes == sealed + d.size(kept) < d.peak
    assert read(d, kept) == set(ALL[5:20])
    d.drop(kept)
    d.tidy(condition)
    assert d.nodes == sealed


def test_what_was_remembered_of_swept_nodes_is_forgotten() -> None:
    """The same numbers are given to other nodes, and all is asked again."""
    d = CompiledDiagrams(LEVELS, sweep_at=0)
    event = d.event(TRUE, [(2, 1), (3, 0)])
    d.seal()
    asked = dict[tuple[Node, Node], list[int]]()
    for at in range(0, 60, 3):
        x, y = set(ALL[at : at + 4]), set(ALL[at + 2 : at + 5])
        a, b = set_of(d, x), set_of(d, y)
        asked.setdefault((a, b), []).append(at)
        assert read(d, d.union(a, b)) == x | y
        assert read(d, d.difference(a, b)) == x - y
        assert read(d, d.image(a, event)) == led_to(x, [(frozenset(ALL), {2: 1, 3: 0})])
        assert read(d, d.preimage(b, event, a)) == leading(y, [(frozenset(ALL), {2: 1, 3: 0})], x)
        d.tidy()
    assert max(len(times) for times in asked.values()) > 1, "no number was given twice: nothing was tested"


def test_thousands_of_levels_and_exact_counts() -> None:
    levels = 3000
    d = CompiledDiagrams(levels, small=16)
    for level in reversed(range(levels)):
        d.event(TRUE, [(level, 1)])
    d.seal()
    every = d.chain(1, 0, levels)
    assert d.size(every) == levels
    assert d.count(every) == 1 << levels
    even = d.select(every, d.gate(NOR, d.bit(levels - 1), d.bit(levels - 1)))
    assert d.count(d.difference(every, even)) == 1 << (levels - 1)
    assert d.count(d.images(even, 0, 2)) == 3 << (levels - 2)
    assert d.preimage(even, 0, every) == 0
    assert d.preimages(every, 0, 1, every) == every
    relation, again = 0, 0
    for event in range(levels):
        relation = d.either(d.effect(event), relation)
    for event in range(levels):
        again = d.either(d.effect(event), again)
    assert again == relation
    assert d.closed(1, relation) == every
    assert d.count(d.led(1, relation)) == levels


def walks(d: Diagrams, effects: int) -> Node:
    """A set that takes many nodes: parity of what was put."""
    odd = d.bit(d.levels - 1)
    for level in reversed(range(d.levels - 1)):
        odd = d.gate(XOR, odd, d.bit(level))
    for level in range(effects):
        d.event(TRUE, [(level, 1)])
    d.seal()
    return odd


def test_a_limit_ends_what_needs_more_and_leaves_the_rest() -> None:
    d = CompiledDiagrams(40, limit=150)
    odd = walks(d, 40)
    d.keep(d.single([1, 0] * 20))
    with pytest.raises(OverBudget, match="the limit of 150 nodes was reached"):
        d.select(d.chain(1, 0, 40), odd)
    d.tidy()
    assert d.count(d.chain(1, 36, 40)) == 16


def test_look_is_called_in_the_midst_of_a_walk_and_may_end_it() -> None:
    class Enough(Exception):
        pass

    seen = 0

    def look() -> None:
        nonlocal seen
        seen += 1
        if seen == 5:
            raise Enough

    d = CompiledDiagrams(40, stride=10)
    odd = walks(d, 40)
    d.look = look
    with pytest.raises(Enough):
        d.select(d.chain(1, 0, 40), odd)
    assert d.count(d.select(d.chain(1, 0, 40), odd)) == 1 << 39
    assert seen > 20


@pytest.mark.parametrize(("pauses", "found"), [(1, 2), (200, 1 << 10)])
def test_a_closure_that_is_ended_tells_what_it_knows(pauses: int, found: int) -> None:
    left = pauses

    def look() -> None:
        nonlocal left
        left -= 1
        if not left:
            raise OverBudget

    d = CompiledDiagrams(12, stride=1)
    relation = 0
    for level in range(12):  # counts in binary
        below = TRUE
        for lower in range(level + 1, 12):
            below = d.gate(AND, below, d.bit(lower))
        condition = d.gate(ANDN, below, d.bit(level))
        put = [(level, 1), *((lower, 0) for lower in range(level + 1, 12))]
        relation = d.either(relation, d.effect(d.event(condition, put)))
    d.seal()
    start = d.union(d.single([0] * 11 + [1]), d.single([1] + [0] * 11))
    d.look = look
    with pytest.raises(OverBudget):
        d.closed(d.keep(start), relation)
    d.look, known = lambda: None, d.keep(d.known)
    every = d.closed(start, relation)
    assert d.count(every) == 4095
    assert d.difference(known, every) == d.difference(start, known) == 0
    assert found <= d.count(known) < 4095
