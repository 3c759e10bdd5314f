"""Sets and bags mean what Python's sets and counted lists mean, by every reading, in the states of a small protocol."""

from collections.abc import Callable
from enum import Enum
from typing import Any

import pytest
from examples import examples
from hypothesis import given as drawn
from hypothesis import strategies as st
from words import Left, given, holds_everywhere, normal_states

from cutproof.model.language import (
    LanguageError,
    add,
    bag,
    boolean,
    choose,
    contains,
    copies,
    count,
    each,
    enumeration,
    family,
    has_room,
    is_empty,
    pick,
    put,
    queue,
    record,
    remove,
    size,
    subset,
)


class Node(Enum):
    A = "a"
    B = "b"
    C = "c"


def counted(values: list[Any], most: int, members: list[Any]) -> list[Any]:
    """A bag in the order of its members, or Left where there are too many of one."""
    if any(values.count(m) > most for m in members):
        raise Left
    return [m for m in members for _ in range(values.count(m))]


def without(values: list[Any], member: Any) -> list[Any]:
    if member not in values:
        raise Left
    at = values.index(member)
    return values[:at] + values[at + 1 :]


NODES = list(Node)
PLAIN = given(
    {
        "a": subset("node"),
        "b": subset(of=Node),
        "n": enumeration(Node),
        "k": subset(of=count(-1, 1)),
        "x": count(-1, 2),
    },
    {"node": NODES},
)
MESSAGES = given(
    {
        "net": bag(of=record(kind=enumeration(Node, varies=True), urgent=boolean()), most=1),
        "urgent": boolean(),
    }
)
BAGS = given({"c": bag(of=Node, most=2), "d": bag(of=Node, most=2), "n": enumeration(Node)})
FAMILIES = given({"seen": family("node", of=subset("node")), "i": count(0, 1)}, {"node": [0, 1]})

Pair = tuple[Callable[[Any], Any], Callable[[Any], Any]]
SETS: dict[str, Pair] = {
    "contains": (lambda s: contains(s.a, s.n), lambda v: v.n in v.a),
    "contains known": (lambda s: contains(s.a, Node.B), lambda v: Node.B in v.a),
    "contains of ints": (lambda s: contains(s.k, s.x), lambda v: v.x in v.k),
    "add": (lambda s: add(s.a, s.n), lambda v: v.a | {v.n}),
    "add known": (lambda s: add(s.a, Node.C), lambda v: v.a | {Node.C}),
    "add of ints": (lambda s: add(s.k, s.x % 2), lambda v: v.k | {v.x % 2}),
    "remove": (lambda s: remove(s.a, s.n), lambda v: v.a - {v.n}),
    "remove of ints": (lambda s: remove(s.k, s.x), lambda v: v.k - {v.x}),
    "union": (lambda s: s.a | s.b, lambda v: v.a | v.b),
    "union known": (lambda s: {Node.A} | s.b, lambda v: {Node.A} | v.b),
    "intersection": (lambda s: s.a & s.b, lambda v: v.a & v.b),
    "difference": (lambda s: s.a - s.b, lambda v: v.a - v.b),
    "difference from known": (lambda s: {Node.A, Node.B} - s.b, lambda v: {Node.A, Node.B} - v.b),
    "size": (lambda s: size(s.a - s.b), lambda v: len(v.a - v.b)),
    "is_empty": (lambda s: is_empty(s.a & s.b), lambda v: not v.a & v.b),
    "part of": (lambda s: s.a <= s.b, lambda v: v.a <= v.b),
    "true part of": (lambda s: s.a < s.b, lambda v: v.a < v.b),
    "has all": (lambda s: s.a >= s.b, lambda v: v.a >= v.b),
    "has all and more": (lambda s: s.a > {Node.A}, lambda v: v.a > {Node.A}),
    "equal": (lambda s: s.a == s.b, lambda v: v.a == v.b),
    "unequal": (lambda s: s.a != {Node.A}, lambda v: v.a != {Node.A}),
    "equal to members of the state": (lambda s: s.a == [s.n, Node.C], lambda v: v.a == {v.n, Node.C}),
    "choose": (lambda s: choose(s.n == Node.A, s.a, s.b), lambda v: v.a if v.n == Node.A else v.b),
    "choose a set": (
        lambda s: choose(s.n == Node.A, {Node.C}, s.b),
        lambda v: {Node.C} if v.n == Node.A else v.b,
    ),
}
OF_BAGS: dict[str, Pair] = {
    "add": (lambda s: add(s.c, s.n), lambda v: counted([*v.c, v.n], 2, NODES)),
    "add known": (lambda s: add(s.c, Node.B), lambda v: counted([*v.c, Node.B], 2, NODES)),
    "remove": (lambda s: remove(s.c, s.n), lambda v: without(v.c, v.n)),
    "remove what was added": (lambda s: remove(add(s.c, s.n), s.n), lambda v: v.c),
    "copies": (lambda s: copies(s.c, s.n), lambda v: v.c.count(v.n)),
    "contains": (lambda s: contains(s.c, s.n), lambda v: v.n in v.c),
    "size": (lambda s: size(s.c), lambda v: len(v.c)),
    "is_empty": (lambda s: is_empty(s.c), lambda v: not v.c),
    "has_room": (lambda s: has_room(s.c, s.n), lambda v: v.c.count(v.n) < 2),
    "equal": (lambda s: s.c == s.d, lambda v: v.c == v.d),
    "equal to a list": (lambda s: s.c == [Node.B, s.n], lambda v: sorted_(v.c) == sorted_([Node.B, v.n])),
}
OF_MESSAGES: dict[str, Pair] = {
    "add": (
        lambda s: add(s.net, {"kind": Node.B, "urgent": s.urgent}),
        lambda v: counted([*v.net, {"kind": Node.B, "urgent": v.urgent}], 1, EVERY_ROW),
    ),
    "contains": (
        lambda s: contains(s.net, {"urgent": s.urgent, "kind": Node.C}),
        lambda v: {"urgent": v.urgent, "kind": Node.C} in v.net,
    ),
    "size": (lambda s: size(s.net), lambda v: len(v.net)),
}
EVERY_ROW = [{"kind": kind, "urgent": urgent} for kind in NODES for urgent in (False, True)]
OF_FAMILIES: dict[str, Pair] = {
    "pick": (lambda s: pick(s.seen, s.i), lambda v: v.seen[v.i]),
    "put": (
        lambda s: pick(put(s.seen, s.i, add(s.seen[0], s.i)), s.i),
        lambda v: v.seen[0] | {v.i},
    ),
    "put a set": (lambda s: put(s.seen, s.i, {0})[1], lambda v: frozenset({0}) if v.i == 1 else v.seen[1]),
    "each": (lambda s: each(s.seen, [s.i])[0], lambda v: frozenset({v.i})),
}


def sorted_(values: list[Any]) -> list[Any]:
    return sorted(values, key=NODES.index)


EVERY = [(PLAIN, SETS), (BAGS, OF_BAGS), (MESSAGES, OF_MESSAGES), (FAMILIES, OF_FAMILIES)]


@pytest.mark.parametrize(("protocol", "words"), EVERY, ids=["sets", "bags", "messages", "families"])
def test_every_word_is_that_of_python(protocol: Any, words: dict[str, Pair]) -> None:
    states = normal_states(protocol)
    for name, (word, meaning) in words.items():
        assert holds_everywhere(protocol, states[:: 1 + len(states) // 900], word, meaning) > 1, name


STEPS = st.lists(
    st.tuples(st.sampled_from("|&-arx"), st.sampled_from(["a", "b", {Node.A}, [Node.B, Node.C]])), max_size=6
)
STATES = normal_states(PLAIN)


@examples(15)
@drawn(STEPS, st.integers(0, 60))
def test_any_row_of_operations_is_that_of_sets(steps: list[tuple[str, Any]], offset: int) -> None:
    def run(s: Any, value: Any, other: Callable[[Any], Any], on: dict[str, Callable[[Any, Any], Any]]) -> Any:
        for step, what in steps:
            given_ = other(getattr(s, what) if isinstance(what, str) else what)
            match step:
                case "|":
                    value = value | given_
                case "&":
                    value = value & given_
                case "-":
                    value = value - given_
                case _:
                    value = on[step](value, s)
        return value

    def word(s: Any) -> Any:
        on = {
            "a": lambda value, s: add(value, s.n),
            "r": lambda value, s: remove(value, s.n),
            "x": lambda value, s: choose(contains(value, s.n), s.b - value, value),
        }
        return run(s, s.a, lambda value: value, on)

    def meaning(v: Any) -> Any:
        on = {
            "a": lambda value, v: value | {v.n},
            "r": lambda value, v: value - {v.n},
            "x": lambda value, v: v.b - value if v.n in value else value,
        }
        return run(v, v.a, frozenset, on)

    holds_everywhere(PLAIN, STATES[offset::61], word, meaning, z3_states=2)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda s: add(s.a, "a"), "'a' is no member of set of node; there are A, B, C"),
        (lambda s: add(s.a, s.x), "add with a int"),
        (lambda s: add(s.k, s.x), "add: the value is of -1..2, the members of -1..1"),
        (lambda s: remove(s.x, 1), "remove got the Operand"),
        (lambda s: contains(s.x, 1), "contains got the Operand"),
        (lambda s: is_empty(s.n), "is_empty got the Operand"),
        (lambda s: size({1}), "size got the set"),
        (lambda s: copies(s.a, Node.A), "give it a bag; of a set write contains"),
        (lambda s: has_room(s.a, Node.A), "has_room got something else"),
        (lambda s: put(s.a, Node.A, True), "put into a set"),
        (lambda s: pick(s.a, s.n), "pick from a set"),
        (lambda s: Node.A in s.a, "`in` on a set; write contains"),
        (lambda s: len(s.a), "`len` of a set; write size"),
        (lambda s: list(s.a), "a set was gone through"),
        (lambda s: bool(s.a), "truth of a set"),
        (lambda s: s.a == 3, "3 in place of a set"),
        (lambda s: s.a == s.k, "set of -1..1 in place of set of node"),
        (lambda s: s.a | s.x, "a int in place of set"),
        (lambda s: subset(), "subset got nothing"),
        (lambda s: subset("node", of=Node), "subset got both"),
        (lambda s: subset(Node), "as the name of an index; write subset(of=...)"),
        (lambda s: subset(of=family("node", of=boolean())), "subset of a family"),
        (lambda s: bag("node", most=0), "bag(most=0)"),
        (lambda s: given({"a": subset("nodes")}, {"node": [1]}), "no index 'nodes'; there are node"),
        (lambda s: given({"a": subset(of=count(0, 2000))}), "a set of 2,001 possible members; at most"),
        (lambda s: given({"a": subset(of=queue(of=Node, capacity=1))}), "a set of queue of at most 1"),
        (
            lambda s: given({"a": subset(of=record(a=subset("node")))}, {"node": [1]}),
            "a member with the set 'a'",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(wrong: Callable[[Any], Any], said: str) -> None:
    with pytest.raises(LanguageError) as caught:
        wrong(PLAIN.view)
    assert said in str(caught.value)
    place = str(caught.value).partition(": ")[0]
    assert place == f"{__file__}:{wrong.__code__.co_firstlineno}" or "words.py" in place
    assert "; " in str(caught.value)
