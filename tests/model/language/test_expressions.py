"""Every reading of an expression gives the same value: the plain interpreter, generated Python, NumPy and Z3.

Held against one another twice: on every guard, update and claim of the protocols, in random states (half of
them from random walks, half from anywhere within the domains); and on random expressions, where a naive
evaluation of the tree *before* the smart constructors folded it is the judge.

Generated Python and NumPy read all states; Z3, at about 5 ms a state, reads as many as make 10,000 values by day and
40,000 by night, when there are more states too.
"""

import importlib.util
import operator
import random
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from typing import Any

import numpy as np
import pytest
from places import TESTS

from cutproof.model.cutover.coordinator import cutover
from cutproof.model.cutover.mechanisms import Mechanisms
from cutproof.model.cutover.policy import Policy, resolve
from cutproof.model.cutover.safeguards import AS_WRITTEN, HARDENED
from cutproof.model.cutover.scopes import parse_scope
from cutproof.model.examples.two_phase_commit import two_phase_commit
from cutproof.model.language import action, always, boolean, count, guard, when
from cutproof.model.language import expressions as ex
from cutproof.model.language.codegen import DomainError, compile_protocol, compile_terms
from cutproof.model.language.expressions import Term
from cutproof.model.language.protocol import Protocol, State

_spec = importlib.util.spec_from_file_location("readings", TESTS / "support" / "readings.py")
assert _spec is not None and _spec.loader is not None
readings = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(readings)


def counting() -> Protocol:
    """Sums, differences, negative bounds, and updates that leave their domain."""

    @action
    def up(s: Any) -> Any:
        return when(guard("room", s.low + s.high < 5)).then(low=s.low + 1, high=s.high - s.low)

    @action
    def down(s: Any) -> Any:
        return when(guard("room", s.low - s.high >= 0 - 6), guard("set", s.flag)).then(
            low=s.low - 1, flag=s.low == s.high
        )

    @always
    def near(s: Any) -> Any:
        return {"far": s.high - s.low <= 6, "odd": s.flag | (s.low < 2)}

    return Protocol(
        "counting", {"low": count(-3, 2), "high": count(0, 4), "flag": boolean()}, [up, down], [near]
    )


def hardened(scope: str) -> Protocol:
    return cutover(parse_scope(scope)).resolve(Mechanisms())


def as_written(scope: str) -> Protocol:
    return cutover(parse_scope(scope)).resolve(resolve(Policy(), sorted(HARDENED - AS_WRITTEN)))


# A name, the resolved protocol, and how many states by night. Add a protocol here and everything below reads it.
PROTOCOLS: list[tuple[str, Callable[[], Protocol], int]] = [
    ("two_phase_commit", two_phase_commit, 10_000),
    ("counting", counting, 10_000),
    ("cutover hardened, zombie", partial(hardened, "zombie"), 2_000),
    ("cutover hardened, kinds", partial(hardened, "kinds"), 10_000),
    ("cutover as written, two_documents", partial(as_written, "two_documents"), 2_000),
    ("cutover as written, reads and crashes", partial(as_written, "reads,crashes=1,table=1"), 2_000),
]
BY_DAY = 500
every_protocol = pytest.mark.parametrize(
    ("make", "size"),
    [pytest.param(make, BY_DAY, id=name) for name, make, _ in PROTOCOLS]
    + [pytest.param(*p[1:], id=f"{p[0]}, more states", marks=pytest.mark.nightly) for p in PROTOCOLS],
)


def sample(protocol: Protocol, size: int, seed: int = 1) -> list[State]:
    """Random states: half of walks that begin again after 30 steps, half from anywhere in the domains."""
    rng, successors, walked = random.Random(seed), compile_protocol(protocol).successors, []
    state = protocol.initial
    for step in range(size // 2):
        try:
            after = successors(state)
        except DomainError:
            after = []
        state = rng.choice(after)[1] if after and step % 30 else protocol.initial
        walked.append(state)
    anywhere = size - len(walked)
    return walked + [
        tuple(rng.randint(f.domain.low, f.domain.high) for f in protocol.fields) for _ in range(anywhere)
    ]


def terms_of(protocol: Protocol) -> list[Term]:
    """Every guard, update and claim once."""
    found = [g for t in protocol.transitions for _, g in t.guards]
    found += [v for t in protocol.transitions for _, v in t.updates]
    return list(dict.fromkeys([*found, *(c.holds for c in protocol.claims)]))


def interpreted(protocol: Protocol, terms: list[Term], state: State) -> tuple[int, ...]:
    codes, done = protocol.named(state), dict[Term, int]()
    return tuple(ex.evaluate(term, codes, done) for term in terms)


def columns(protocol: Protocol, states: list[State]) -> dict[str, Any]:
    table = np.array(states, dtype=np.int64)
    return {f.name: table[:, i] for i, f in enumerate(protocol.fields)}


@every_protocol
def test_all_readings_of_a_protocol_give_the_same_values(make: Callable[[], Protocol], size: int) -> None:
    protocol = make()
    terms, states = terms_of(protocol), sample(protocol, size)
    expected = [interpreted(protocol, terms, state) for state in states]
    assert {len(set(column)) for column in zip(*expected, strict=True)} != {1}, "the states say nothing"
    compiled = compile_terms(protocol, terms)
    assert [compiled(state) for state in states] == expected
    read = readings.numpy_values(terms, columns(protocol, states), len(states))
    for term, column, values in zip(terms, read, zip(*expected, strict=True), strict=True):
        assert column.tolist() == list(values), term
    step = max(1, len(states) * len(terms) // (10_000 if size == BY_DAY else 40_000))
    found = readings.z3_values(terms, map(protocol.named, states[::step]))
    assert [tuple(values) for values in found] == expected[::step]


def fired(protocol: Protocol, state: State) -> tuple[list[tuple[int, State]], str]:
    """The successors by the interpreter up to the first one outside its domain, and what that one does."""
    codes, done, found = protocol.named(state), dict[Term, int](), []
    for number, transition in enumerate(protocol.transitions):
        if ex.evaluate(transition.enabled, codes, done):
            after = dict(codes)
            for field, term in transition.updates:
                after[field.name] = ex.evaluate(term, codes, done)
                if not field.domain.low <= after[field.name] <= field.domain.high:
                    return found, f"{transition} sets {field.name} to {after[field.name]},"
            found.append((number, tuple(after[f.name] for f in protocol.fields)))
    return found, ""


@every_protocol
def test_generated_successors_and_judge_are_the_interpreted_ones(
    make: Callable[[], Protocol], size: int
) -> None:
    protocol = make()
    compiled = compile_protocol(protocol)
    always_claims = [(i, c.holds) for i, c in enumerate(protocol.claims) if c.form == "always"]
    steps = left = 0
    for state in sample(protocol, size, seed=2):
        expected, outside = fired(protocol, state)
        if outside:
            left += 1
            with pytest.raises(DomainError) as caught:
                compiled.successors(state)
            assert str(caught.value).startswith(outside)
        else:
            assert compiled.successors(state) == expected
            assert all(type(v) is int for _, after in compiled.successors(state) for v in after), (
                "no True for 1"
            )
            steps += len(expected)
        values = interpreted(protocol, [term for _, term in always_claims], state)
        assert compiled.judge(state) == tuple(
            i for (i, _), v in zip(always_claims, values, strict=True) if not v
        )
    assert steps
    assert bool(left) == (protocol.name != "two_phase_commit")  # random states need not be reachable ones


# ------------------------------------------------------------------ random expressions

SCOPE = Protocol(
    "scope",
    {"a": boolean(), "b": boolean(), "c": boolean(), "x": count(-2, 3), "y": count(0, 1), "z": count(1, 4)},
    [],
    [],
)
EVERY_STATE: list[State] = list(product(*(range(f.domain.low, f.domain.high + 1) for f in SCOPE.fields)))

Tree = tuple[
    Any, ...
]  # ("add", left, right), ("var", name) or ("const", value): what was asked for, unfolded

NAIVE: dict[str, Callable[..., Any]] = {
    "not": lambda a: 1 - a,
    "and": lambda *a: int(0 not in a),
    "or": lambda *a: int(1 in a),
    "eq": lambda a, b: int(a == b),
    "lt": lambda a, b: int(a < b),
    "le": lambda a, b: int(a <= b),
    "add": operator.add,
    "sub": operator.sub,
    "ite": lambda c, a, b: a if c else b,
}
BUILD: dict[str, Callable[..., Term]] = {
    "not": ex.negation,
    "and": ex.conjunction,
    "or": ex.disjunction,
    "eq": ex.equal,
    "lt": ex.less,
    "le": ex.at_most,
    "add": ex.add,
    "sub": ex.subtract,
    "ite": ex.choose,
}
B, N = "b", "n"  # boolean, number; the kinds of the operands are such letters in a row
SHAPES: dict[str, list[tuple[str, str]]] = {
    B: [("not", B), ("and", B + B), ("and", B * 3), ("or", B + B), ("or", B * 3), ("eq", B + B),
        ("eq", N + N), ("lt", N + N), ("le", N + N), ("ite", B * 3)],
    N: [("add", N + N), ("sub", N + N), ("ite", B + N + N)],
}  # fmt: skip


def naive(tree: Tree, codes: dict[str, int]) -> int:
    if tree[0] == "var":
        return codes[tree[1]]
    if tree[0] == "const":
        return int(tree[1])
    return int(NAIVE[tree[0]](*(naive(part, codes) for part in tree[1:])))


def leaf(rng: random.Random, kind: str) -> tuple[Tree, Term]:
    fields = [f for f in SCOPE.fields if (f.domain.kind is bool) == (kind == B)]
    if rng.random() < 0.7:
        f = rng.choice(fields)
        return ("var", f.name), ex.variable(f.name, f.domain.low, f.domain.high, kind == B)
    value = rng.randint(0, 1) if kind == B else rng.randint(-3, 5)
    return ("const", value), ex.constant(value, kind == B)


def random_pairs(seed: int, size: int) -> Iterator[tuple[Tree, Term]]:
    """Well-typed expressions, each as a tree and as the folded term. Parts are drawn from those made before,
    so that they are shared, repeated and contradicted: what folding looks for."""
    rng = random.Random(seed)
    pool = {kind: [leaf(rng, kind) for _ in range(12)] for kind in (B, N)}
    for _ in range(size):
        kind = rng.choice((B, B, N))
        op, wanted = rng.choice(SHAPES[kind])
        parts = [rng.choice(pool[k]) if rng.random() < 0.8 else leaf(rng, k) for k in wanted]
        made = (op, *(tree for tree, _ in parts)), BUILD[op](*(term for _, term in parts))
        yield made
        depth = rng.randrange(40)  # a new part takes the place of an old one, or is added
        pool[kind][depth : depth + 1] = [made]
        if rng.random() < 0.02:
            pool[kind] = [leaf(rng, kind) for _ in range(12)]


PAIRS = [pair for seed in range(40) for pair in random_pairs(seed, 100)]


def test_random_expressions_use_everything_and_are_folded() -> None:
    used = {part.op for _, term in PAIRS for part in ex.ordered([term])}
    assert used == {*ex.OPERATIONS, "var", "const"}
    assert sum(term.op == "const" for _, term in PAIRS) > 100
    assert sum(term.op != tree[0] for tree, term in PAIRS) > 500


def test_folding_changes_no_value_and_bounds_hold() -> None:
    rng = random.Random(7)
    for tree, term in PAIRS:
        values = {}
        for state in rng.sample(EVERY_STATE, 12):
            codes = SCOPE.named(state)
            values[state] = naive(tree, codes)
            assert term.low <= values[state] <= term.high, (tree, term)
            assert ex.evaluate(term, codes, {}) == values[state], (tree, term)
        assert term.boolean == (tree[0] not in ("add", "sub")) or tree[0] == "ite"


def test_all_readings_of_random_expressions_give_the_same_values() -> None:
    terms = list(dict.fromkeys(term for _, term in PAIRS))
    table = columns(SCOPE, EVERY_STATE)
    for first in range(0, len(terms), 200):
        some = terms[first : first + 200]
        compiled = compile_terms(SCOPE, some)
        generated = [compiled(state) for state in EVERY_STATE]
        assert all(type(value) is int for values in generated for value in values), "no True for 1"
        read = readings.numpy_values(some, table, len(EVERY_STATE))
        assert [column.astype(np.int64).tolist() for column in read] == [
            list(c) for c in zip(*generated, strict=True)
        ]
        few = random.Random(first).sample(range(len(EVERY_STATE)), 6)
        states = [EVERY_STATE[i] for i in few]
        for state, i, values in zip(
            states, few, readings.z3_values(some, map(SCOPE.named, states)), strict=True
        ):
            assert tuple(values) == generated[i] == interpreted(SCOPE, some, state)


@pytest.mark.parametrize("sign", [1, -1])
def test_an_upper_bound_may_lie_below_every_lower_one(sign: int) -> None:
    """From -UNBOUNDED down a lower bound is none; an upper one there is a number, and a sum is above it."""
    edge, far = sign * ex.UNBOUNDED, sign * 2**63
    x, y = ex.variable("x", min(edge, far), max(edge, far)), ex.variable("y", 0, 5)
    limit = ex.constant(edge - 2 * sign)
    for made, value in ((ex.add(x, y), edge + 5), (ex.subtract(x, y), edge - 5)):
        said = [
            ex.evaluate(term, {"x": edge, "y": 5}, {})
            for term in (
                ex.less(made, limit),
                ex.at_most(made, limit),
                ex.less(limit, made),
                ex.at_most(limit, made),
            )
        ]
        assert said == [value < limit.low, value <= limit.low, limit.low < value, limit.low <= value]


def test_substituting_every_variable_leaves_the_value() -> None:
    rng = random.Random(8)
    for tree, term in PAIRS:
        codes = SCOPE.named(rng.choice(EVERY_STATE))
        constants = {f.name: ex.constant(codes[f.name], f.domain.kind is bool) for f in SCOPE.fields}
        assert ex.substitute(term, constants, {}) is ex.constant(naive(tree, codes), term.boolean)


def test_substituting_some_variables_changes_no_value() -> None:
    rng = random.Random(9)
    for tree, term in PAIRS:
        codes, other = (SCOPE.named(rng.choice(EVERY_STATE)) for _ in range(2))
        fixed = [f for f in SCOPE.fields if rng.random() < 0.5]
        constants = {f.name: ex.constant(codes[f.name], f.domain.kind is bool) for f in fixed}
        mixed = {**other, **{f.name: codes[f.name] for f in fixed}}
        assert ex.evaluate(ex.substitute(term, constants, {}), other, {}) == naive(tree, mixed)


def test_equal_terms_are_one_object() -> None:
    again = {term for seed in range(5) for _, term in random_pairs(seed, 100)}
    assert again <= {term for _, term in PAIRS}


def test_a_term_is_ordered_after_its_operands() -> None:
    order = ex.ordered(term for _, term in PAIRS)
    place = {term: i for i, term in enumerate(order)}
    assert len(place) == len(order)
    assert all(place[arg] < place[term] for term in order for arg in term.args)


def test_an_unknown_operation_is_refused() -> None:
    broken = ex.Term()
    broken.op, broken.args = "xor", ()
    with pytest.raises(ValueError, match="unknown operation 'xor'"):
        ex.evaluate(broken, {}, {})
