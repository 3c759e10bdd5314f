"""Terms of any size and depth: what is shared is written once, what is deep taken apart, and every engine goes on."""

from collections.abc import Callable
from dataclasses import replace
from functools import reduce
from typing import Any

import pytest

from cutproof.checks.engines.fast import explore as fast
from cutproof.checks.engines.foreign.export import promela, tla
from cutproof.checks.engines.plain.explore import explore
from cutproof.checks.engines.proof.symbolic import Symbols
from cutproof.checks.engines.symmetry import interchangeable
from cutproof.model.language import (
    action,
    all_of,
    always,
    any_of,
    boolean,
    choose,
    constant,
    count,
    each,
    family,
    guard,
    larger,
    put,
    smaller,
    total,
    when,
)
from cutproof.model.language import expressions as ex
from cutproof.model.language.codegen import compile_protocol, compile_terms
from cutproof.model.language.protocol import Protocol


def turned(s: Any, size: int) -> Any:
    """A thousand operations, each on the one before, of many kinds."""
    value = s.n[0]
    for i in range(size):
        x = s.n[i % len(s.n)]
        value = choose((value > 1) == s.b[i % len(s.b)], x, choose(value == 2, x - value, value))
    return value <= 1


def nested_booleans(s: Any, size: int) -> Any:
    value = s.b[0]
    for i in range(size):
        value = (value & s.b[i % len(s.b)]) | ~(s.b[(i + 1) % len(s.b)] | (s.n[i % len(s.n)] == i % 3))
    return value


CONDITIONS: dict[str, Callable[[Any], Any]] = {
    "99 conjuncts": lambda s: all_of(*(x <= 3 for x in s.n[:99])),
    "300 conjuncts": lambda s: all_of(*(x <= 3 for x in s.n)),
    "300 disjuncts": lambda s: any_of(*(x > 3 for x in s.n)),
    "a sum of 201": lambda s: reduce(lambda a, b: a + b, s.n[:201]) <= 150,
    "a sum of 300": lambda s: reduce(lambda a, b: a + b, s.n) <= 225,
    "a total of 300": lambda s: total(s.n) <= 225,
    "a pick among 300": lambda s: pick_of(s, 300) <= 1,
    "a pick among 300 of constants": lambda s: choice_of_constants(s, 300) == 1,
    "the largest of 20, folded": lambda s: reduce(larger, s.n[:20]) <= 2,
    "the largest of 300, folded": lambda s: reduce(larger, s.n) <= 2,
    "the smallest of 300": lambda s: smaller(*s.n) <= 1,
    "300 deep": lambda s: turned(s, 300),
    "1100 deep, of booleans": lambda s: nested_booleans(s, 1100),
}
SIZE = 300


class Parts:
    """The variables of the protocol below; `n` as very many different terms, each of a value of 0..4."""

    def __init__(self, s: Any) -> None:
        few = list(s.n)
        pairs = [few[i % len(few)] + few[i // len(few) % len(few)] for i in range(SIZE)]
        self.n, self.b, self.at, self.few = [(x + i) - i for i, x in enumerate(pairs)], list(s.b), s.at, few


def pick_of(s: Parts, size: int) -> Any:
    return reduce(lambda rest, i: choose((s.at + i) - i == i % 6, s.n[i], rest), range(size), s.n[0])


def choice_of_constants(s: Parts, size: int) -> Any:
    return reduce(
        lambda rest, i: choose((s.at + i) - i == i % 6, (i + 1) % 3, rest), range(size), constant(2)
    )


def protocol_of(condition: Callable[[Any], Any]) -> Protocol:
    @action
    def go(s: Any, i: int) -> Any:
        return when(guard("as it is", condition(Parts(s))), guard("room", s.n[i] < 2)).then(
            n=put(s.n, i, s.n[i] + 1), at=choose(s.at == 5, constant(0), s.at + 1)
        )

    @action
    def other(s: Any, j: int) -> Any:
        return when(guard("not so", ~condition(Parts(s))), guard("set", ~s.b[j])).then(
            b=put(s.b, j, True), n=each(s.n, choose(condition(Parts(s)), constant(1), constant(0)))
        )

    @always
    def never(s: Any) -> Any:
        return condition(Parts(s)) | (s.at < 4)

    variables = {"n": family("i", of=count(0, 2)), "b": family("j", of=boolean()), "at": count(0, 5)}
    return Protocol("large", variables, [go, other], [never], indices={"i": range(3), "j": range(2)})


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", CONDITIONS)
def test_every_engine_takes_it(name: str) -> None:
    protocol = protocol_of(CONDITIONS[name])
    found, again = explore(protocol), fast.explore(protocol)
    assert len(found.states) > 1 and found.transitions > 1
    assert (len(found.states), found.transitions) == (len(again.states), again.transitions)
    assert [replace(v, seconds=0) for v in found.verdicts] == [replace(v, seconds=0) for v in again.verdicts]
    compiled = compile_protocol(protocol)
    term = CONDITIONS[name](Parts(protocol.view)).term
    value = compile_terms(protocol, [term])
    for state in list(found.states)[:: 1 + len(found.states) // 8]:
        codes = protocol.named(state)
        assert value(state)[0] == ex.evaluate(term, codes, {})
        steps = [n for n, t in enumerate(protocol.transitions) if ex.evaluate(t.enabled, codes, {})]
        assert [n for n, _ in compiled.successors(state)] == steps
    assert repr(term)
    assert len(compiled.source) < 700_000
    assert Symbols(protocol).of(term) is not None
    interchangeable(protocol)
    assert max(map(len, promela(protocol).splitlines())) < 100_000
    assert max(map(len, tla(protocol)[0].splitlines())) < 100_000


def test_a_step_that_sets_a_thousand_fields() -> None:
    @action
    def flip(s: Any) -> Any:
        return when(guard("first", ~s.b[0])).then(b=each(s.b, True))

    @always
    def together(s: Any) -> Any:
        return all_of(*(s.b[0] == b for b in s.b))

    protocol = Protocol(
        "wide", {"b": family("i", of=boolean())}, [flip], [together], indices={"i": range(1100)}
    )
    compiled = compile_protocol(protocol)
    assert compiled.successors(protocol.initial) == [(0, (1,) * 1100)]
    assert compiled.unpack(compiled.successors_packed(compiled.pack(protocol.initial))[0][1]) == (1,) * 1100
    assert len(explore(protocol).states) == 2


def test_substitution_goes_as_deep() -> None:
    protocol = protocol_of(CONDITIONS["99 conjuncts"])
    term = turned(Parts(protocol.view), 1100).term
    values = {f.name: ex.constant(1, f.domain.kind is bool) for f in protocol.fields}
    codes = dict.fromkeys(values, 1)
    assert ex.substitute(term, values, {}) is ex.constant(ex.evaluate(term, codes, {}), True)
