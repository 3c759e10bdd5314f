"""Products, quotients, remainders, the largest, the smallest, sums and counts: those of Python, by every reading."""

import random
from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import pytest
from examples import examples
from hypothesis import assume, example, given
from hypothesis import strategies as st
from words import given as protocol_of
from words import holds_everywhere

from cutproof.model.language import (
    LanguageError,
    all_of,
    boolean,
    count,
    family,
    larger,
    number_of,
    smaller,
    total,
)
from cutproof.model.language import expressions as ex
from cutproof.model.language.derived.arithmetic import MOST_CASES
from cutproof.model.language.protocol import Protocol, State

BOUNDS = st.tuples(st.integers(-20, 20), st.integers(0, 45)).map(lambda pair: (pair[0], pair[0] + pair[1]))
FACTOR = st.integers(-70, 70)


def two(x: tuple[int, int], y: tuple[int, int]) -> tuple[Protocol, list[State]]:
    """Two integers of such bounds, and the values of both (or of one, where the other has one value)."""
    protocol = protocol_of({"x": count(*x), "y": count(*y)})
    ranges = [range(f.domain.low, f.domain.high + 1) for f in protocol.fields]
    every = list(product(*ranges))
    return protocol, every[:: 1 + len(every) // 200]


@examples(15)
@given(BOUNDS, BOUNDS)
@example((0, 0), (3, 9))
@example((-2, 1), (0, 1))
def test_a_product(x: tuple[int, int], y: tuple[int, int]) -> None:
    protocol, states = two(x, y)
    holds_everywhere(protocol, states, lambda s: s.x * s.y, lambda v: v.x * v.y, z3_states=3)


@examples(15)
@given(BOUNDS, FACTOR)
@example((0, 1), 1000)
@example((-3, 3), 0)
@example((0, 40), 63)
def test_a_product_with_a_constant_on_either_side(x: tuple[int, int], factor: int) -> None:
    protocol, states = two(x, (0, 0))
    holds_everywhere(protocol, states, lambda s: s.x * factor, lambda v: v.x * factor, z3_states=3)
    holds_everywhere(
        protocol, states, lambda s: factor * s.x - -s.x, lambda v: factor * v.x + v.x, z3_states=3
    )


@examples(20)
@given(BOUNDS, FACTOR)
@example((-20, 20), 3)
@example((-7, -7), 2)
@example((0, 45), 45)
@example((0, 45), 46)
def test_a_quotient_and_a_remainder_by_a_constant(x: tuple[int, int], divisor: int) -> None:
    assume(divisor)
    protocol, states = two(x, (0, 0))
    holds_everywhere(protocol, states, lambda s: s.x // divisor, lambda v: v.x // divisor, z3_states=3)
    holds_everywhere(protocol, states, lambda s: s.x % divisor, lambda v: v.x % divisor, z3_states=3)
    rest = protocol.view.x % divisor
    if divisor > 0:
        assert rest.term.low >= 0 and rest.term.high < divisor, "the bounds say what a remainder is"


@examples(12)
@given(BOUNDS, st.integers(1, 12), st.integers(0, 12), st.booleans())
def test_by_a_divisor_that_is_a_state_value(x: tuple[int, int], low: int, more: int, negative: bool) -> None:
    bounds = (-low - more, -low) if negative else (low, low + more)
    protocol, states = two(x, bounds)
    holds_everywhere(protocol, states, lambda s: s.x // s.y, lambda v: v.x // v.y, z3_states=3)
    holds_everywhere(protocol, states, lambda s: s.x % s.y, lambda v: v.x % v.y, z3_states=3)
    holds_everywhere(
        protocol, states, lambda s: 17 // s.y + 17 % s.y, lambda v: 17 // v.y + 17 % v.y, z3_states=3
    )


FAMILY = protocol_of({"f": family("i", of=count(-2, 3)), "up": family("i", of=boolean())}, {"i": range(4)})


def some(seed: int, size: int = 150) -> Sequence[State]:
    rng = random.Random(seed)
    return [tuple(rng.randint(f.domain.low, f.domain.high) for f in FAMILY.fields) for _ in range(size)]


WORDS: list[tuple[Callable[[Any], Any], Callable[[Any], Any]]] = [
    (lambda s: larger(*s.f), lambda v: max(v.f.values())),
    (lambda s: smaller(*s.f), lambda v: min(v.f.values())),
    (lambda s: larger(s.f[0], 1), lambda v: max(v.f[0], 1)),
    (lambda s: smaller(2, s.f[0], s.f[1]), lambda v: min(2, v.f[0], v.f[1])),
    (lambda s: larger(s.f[2]), lambda v: v.f[2]),
    (lambda s: total(s.f), lambda v: sum(v.f.values())),
    (lambda s: total([s.f[0], 2, s.f[1] * 3]), lambda v: v.f[0] + 2 + v.f[1] * 3),
    (lambda s: total(x for x in s.f), lambda v: sum(v.f.values())),
    (lambda s: total([]) + s.f[0], lambda v: v.f[0]),
    (lambda s: number_of(*s.up), lambda v: sum(v.up.values())),
    (lambda s: number_of(*(x > 0 for x in s.f)) * 2, lambda v: 2 * sum(x > 0 for x in v.f.values())),
    (lambda s: number_of() + s.f[0], lambda v: v.f[0]),
    (lambda s: -larger(-s.f[0], -s.f[1]), lambda v: min(v.f[0], v.f[1])),
]


@pytest.mark.parametrize(("word", "meaning"), WORDS, ids=[str(i) for i in range(len(WORDS))])
def test_of_several_values(word: Callable[[Any], Any], meaning: Callable[[Any], Any]) -> None:
    assert holds_everywhere(FAMILY, some(3), word, meaning) > 1


@pytest.mark.parametrize("word", [larger, smaller, lambda *values: total(values)])
def test_what_is_left_grows_with_the_number_of_values_and_is_not_deep(word: Callable[..., Any]) -> None:
    sizes = []
    for number in (100, 200):
        protocol = protocol_of({"f": family("i", of=count(0, 3))}, {"i": range(number)})
        made = word(*protocol.view.f).term
        sizes.append(len(ex.ordered([made])))
        depth: dict[Any, int] = {}
        for term in ex.ordered([made]):
            depth[term] = 1 + max((depth[a] for a in term.args), default=0)
        assert depth[made] <= 2 + 3 * number.bit_length()
    assert sizes[1] <= 2 * sizes[0] + 2


def test_too_many_cases_are_refused_and_as_many_as_there_may_be_are_not() -> None:
    n = MOST_CASES
    protocol = protocol_of({"x": count(0, n), "y": count(1, n), "z": count(0, n - 1)})
    s = protocol.view
    assert (s.x * 12_345).term.high == 12_345 * n
    assert (s.x * s.z).term.high == n * (n - 1)
    for wrong, said in (
        (lambda: s.x * (s.x + 1), f"`*`: a value of 1..{n + 1} is too many to tell apart ({n + 1:,} cases"),
        (lambda: s.x // s.y, f"`//`: a value of 0..{n} by one of 1..{n} is too many"),
        (lambda: (s.x * n) // 2, "`//`: a value of 0.."),
        (lambda: (s.x * n) % (n + 1), f"`%`: a remainder of 0..{n} is too many"),
    ):
        with pytest.raises(LanguageError) as caught:
            wrong()
        assert said in str(caught.value) and "; give it a smaller domain" in str(caught.value)
        assert str(caught.value).startswith(f"{__file__}:{wrong.__code__.co_firstlineno}: ")


def test_a_protocol_of_many_conditions_counts_them() -> None:
    protocol = protocol_of({"up": family("i", of=boolean())}, {"i": range(150)})
    up = protocol.view.up
    codes = {f"up[{i}]": i % 2 for i in range(150)}
    assert ex.evaluate(number_of(*up).term, codes, {}) == 75
    assert ex.evaluate((all_of(*up) | (number_of(*up) == 75)).term, codes, {}) == 1
