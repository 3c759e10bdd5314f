"""Terms as gates give the values that the interpreter gives: any term, however deep, wide or shared."""

from collections.abc import Callable
from functools import reduce
from random import Random

import pytest
from circuits import Planes
from hypothesis import given
from hypothesis import strategies as st

from cutproof.model.language import expressions as ex
from cutproof.model.language.circuit import Circuit, Terms
from cutproof.model.language.circuit.terms import Number
from cutproof.model.language.expressions import Term

# name: (low, high); negative, wide, and beyond a word
DOMAINS = {
    "a": (0, 1),
    "b": (0, 1),
    "x": (-2, 3),
    "y": (1, 4),
    "z": (-300, 9_000),
    "w": (-(2**70), 2**66 + 5),
}
BOOLEANS = ("a", "b")
VARIABLES = {name: ex.variable(name, *DOMAINS[name], name in BOOLEANS) for name in DOMAINS}
JOINS: dict[str, Callable[..., Term]] = {
    "not": ex.negation, "and": ex.conjunction, "or": ex.disjunction, "eq": ex.equal, "lt": ex.less,
    "le": ex.at_most, "add": ex.add, "sub": ex.subtract, "ite": ex.choose,
}  # fmt: skip
OPERANDS = {"not": "b", "and": "bbb", "or": "bb", "lt": "nn", "le": "nn", "add": "nn", "sub": "nn"}


class Inputs:
    """A circuit in which each variable has bits of its own, and terms over it."""

    def __init__(self, some: frozenset[str] = frozenset()) -> None:
        self.places, bits = dict[str, tuple[int, int]](), 0
        for name, (low, high) in DOMAINS.items():
            self.places[name] = bits, (high - low).bit_length()
            bits += self.places[name][1]
        self.circuit = Circuit(bits)
        self.terms = Terms(self.circuit, self._read, some)

    def _read(self, name: str) -> Number:
        offset, width = self.places[name]
        return DOMAINS[name][0], tuple(self.circuit.input(offset + i) for i in range(width))

    def planes(self, states: list[dict[str, int]]) -> Planes:
        """The planes of all edges in these states."""
        keys = [
            sum(value - DOMAINS[name][0] << self.places[name][0] for name, value in state.items())
            for state in states
        ]
        return Planes(self.circuit, keys)


def drawn(rng: Random, size: int) -> list[Term]:
    """Terms of all kinds, each made of those before, so that the last are deep and share much."""
    pool = {"b": [VARIABLES[n] for n in BOOLEANS], "n": [VARIABLES[n] for n in DOMAINS if n not in BOOLEANS]}
    found = list[Term]()
    for _ in range(size):
        op = rng.choice(list(JOINS))
        kind = rng.choice("bn")
        wanted = {"eq": kind * 2, "ite": "b" + kind * 2}.get(op) or OPERANDS[op]
        args = [rng.choice(pool[k][-12:] if rng.random() < 0.7 else pool[k]) for k in wanted]
        if rng.random() < 0.2:
            args[-1] = (
                ex.constant(rng.randint(0, 1), True) if wanted[-1] == "b" else ex.constant(rng.randint(-9, 9))
            )
        term = JOINS[op](*args)
        if term.high - term.low < 2**90:  # sums of sums would take ever more bits
            pool["b" if term.boolean else "n"].append(term)
            found.append(term)
    return found


def states_of(rng: Random, size: int) -> list[dict[str, int]]:
    """Values of all variables: often the least or the greatest."""
    return [
        {name: rng.choice([low, high, rng.randint(low, high)]) for name, (low, high) in DOMAINS.items()}
        for _ in range(size)
    ]


@given(st.integers(0, 10**6))
def test_a_number_is_the_value_of_the_term(seed: int) -> None:
    inputs, rng = Inputs(), Random(seed)
    terms, states = drawn(rng, 60), states_of(rng, 12)
    numbers = [inputs.terms.number(term) for term in terms]
    truths = [inputs.terms.truth(term) if term.boolean else 0 for term in terms]
    planes = inputs.planes(states)
    for i, state in enumerate(states):
        done = dict[Term, int]()
        for term, (low, bits), truth in zip(terms, numbers, truths, strict=True):
            value = ex.evaluate(term, state, done)
            assert planes.number(low, bits, i) == value, (term, state)
            if term.boolean:
                assert planes.holds(truth, i) == bool(value), (term, state)


@given(st.integers(0, 10**6), st.sets(st.sampled_from(["a", "b", "x", "y"])))
def test_what_is_known_is_put_in(seed: int, names: set[str]) -> None:
    inputs, rng = Inputs(frozenset(names)), Random(seed)
    terms = drawn(rng, 30)
    for one in states_of(rng, 3):
        known = {name: one[name] for name in names}
        numbers = [inputs.terms.number(term, known) for term in terms]
        states = [{**state, **known} for state in states_of(rng, 5)]
        wrong = [
            {**state, **{n: DOMAINS[n][0] for n in names}} for state in states
        ]  # it is not read from there
        planes = inputs.planes(wrong)
        for i, state in enumerate(states):
            done = dict[Term, int]()
            for term, (low, bits) in zip(terms, numbers, strict=True):
                assert planes.number(low, bits, i) == ex.evaluate(term, state, done), (term, state)


def test_what_a_term_reads_of_what_may_be_known() -> None:
    terms = Inputs(frozenset("ax")).terms
    a, b, x, y = (VARIABLES[n] for n in "abxy")
    assert terms.reads(ex.choose(a, x, y)) == ("a", "x")
    assert terms.reads(ex.conjunction(b, ex.less(y, ex.constant(2)))) == ()


@given(st.integers(0, 10**6))
def test_a_number_equals_a_value_or_is_counted_from_another(seed: int) -> None:
    inputs, rng = Inputs(), Random(seed)
    terms, states = [t for t in drawn(rng, 40) if not t.boolean], states_of(rng, 8)
    values = [[ex.evaluate(term, state, {}) for state in states] for term in terms]
    asked = []
    for term, found in zip(terms, values, strict=True):
        number = inputs.terms.number(term)
        wanted = rng.choice([*found, term.low, term.high + 1, term.low - 1])
        low = min(found) - rng.choice([0, 1, 5])
        width = (max(found) - low).bit_length()
        asked.append(
            (
                inputs.terms.equals(number, wanted),
                wanted,
                low,
                width,
                inputs.terms.counted_from(number, low, width),
            )
        )
    planes = inputs.planes(states)
    for (equal, wanted, low, width, bits), found in zip(asked, values, strict=True):
        assert len(bits) == width
        for i, value in enumerate(found):
            assert planes.holds(equal, i) == (value == wanted)
            assert planes.number(low, bits, i) == value


# ------------------------------------------------------------------ large terms

FEW = [ex.variable(f"n{i}", 0, 2) for i in range(3)]
AT = ex.variable("at", 0, 5)
ONE = ex.constant(1)
MANY = [
    ex.subtract(ex.add(ex.add(FEW[i % 3], FEW[i // 3 % 3]), ex.constant(i)), ex.constant(i))
    for i in range(300)
]


def larger(a: Term, b: Term) -> Term:
    return ex.choose(ex.less(a, b), b, a)


LARGE: dict[str, Term] = {
    "99 conjuncts": ex.conjunction(*(ex.at_most(t, ex.constant(3)) for t in MANY[:99])),
    "a sum of 200": reduce(ex.add, MANY[:200]),
    "a sum of 300 compared": ex.at_most(reduce(ex.add, MANY), ex.constant(225)),
    "a pick among 300": reduce(
        lambda rest, i: ex.choose(ex.equal(AT, ex.constant(i % 6)), MANY[i], rest), range(300), MANY[0]
    ),
    "the largest of 20": reduce(larger, MANY[:20]),
    "the largest of 300": reduce(larger, MANY),
    "1100 deep": reduce(
        lambda value, i: ex.choose(
            ex.equal(ex.less(ONE, value), ex.less(FEW[i % 3], ONE)), FEW[i % 3], value
        ),
        range(1100),
        FEW[0],
    ),
    "14 deep, of sums": reduce(
        lambda value, i: ex.choose(ex.less(value, ONE), ex.add(value, FEW[i % 3]), ex.subtract(value, ONE)),
        range(14),
        FEW[0],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LARGE)
def test_large_terms_have_few_gates(name: str) -> None:
    circuit = Circuit(9)
    places = {t.leaf: (2 * i, 2) for i, t in enumerate(FEW)} | {"at": (6, 3)}
    terms = Terms(circuit, lambda n: (0, tuple(circuit.input(places[n][0] + i) for i in range(places[n][1]))))
    low, bits = terms.number(LARGE[name])
    assert len(circuit.gates) < 20_000
    rng = Random(name)
    states = [{**{str(t.leaf): rng.randint(0, 2) for t in FEW}, "at": rng.randint(0, 5)} for _ in range(30)]
    planes = Planes(circuit, [sum(v << places[n][0] for n, v in state.items()) for state in states])
    for i, state in enumerate(states):
        assert planes.number(low, bits, i) == ex.evaluate(LARGE[name], state, {})


def test_a_parameter_is_refused() -> None:
    inputs = Inputs()
    with pytest.raises(ValueError, match="p has no value yet"):
        inputs.terms.number(ex.add(VARIABLES["x"], ex.parameter("p", 0, 3)))
