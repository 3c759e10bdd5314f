"""Queues and logs mean what Python's lists mean, by every reading, in every state of a small protocol."""

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
    append,
    at,
    boolean,
    choose,
    contains,
    count,
    first,
    has_room,
    is_empty,
    is_full,
    keep_first,
    last,
    length,
    log,
    pick,
    put,
    queue,
    record,
    rest,
    subset,
)


class Kind(Enum):
    ASK = "ask"
    YES = "yes"
    NO = "no"


PLAIN = given(
    {
        "q": queue(of=count(1, 3), capacity=2),
        "r": log(of=count(1, 3), capacity=2),
        "x": count(1, 3),
        "i": count(-1, 3),
    }
)
MESSAGES = given(
    {
        "q": queue(of=record(kind=Kind, urgent=boolean()), capacity=2),
        "k": queue(of=Kind, capacity=2),
        "flag": boolean(),
    }
)
NESTED = given({"q": log(of=queue(of=boolean(), capacity=1), capacity=2), "b": queue(of=boolean(), capacity=1),
                "s": queue(of=subset("node"), capacity=2)}, {"node": ["a", "b"]})  # fmt: skip


def up_to(values: list[Any], capacity: int) -> list[Any]:
    if len(values) > capacity:
        raise Left
    return values


def tail(values: list[Any]) -> list[Any]:
    if not values:
        raise Left
    return values[1:]


def where(values: list[Any], i: int, none: Any) -> Any:
    return values[i] if 0 <= i < len(values) else none


def replaced(values: list[Any], i: int, new: Any) -> list[Any]:
    return [new if j == i else v for j, v in enumerate(values)]


Pair = tuple[Callable[[Any], Any], Callable[[Any], Any]]
WORDS: dict[str, Pair] = {
    "append": (lambda s: append(s.q, s.x), lambda v: up_to([*v.q, v.x], 2)),
    "append known": (lambda s: append(s.q, 2), lambda v: up_to([*v.q, 2], 2)),
    "rest": (lambda s: rest(s.q), lambda v: tail(v.q)),
    "rest of append": (lambda s: rest(append(s.q, s.x)), lambda v: [*v.q, v.x][1:]),
    "rest behind rest": (lambda s: append(rest(s.q), s.x), lambda v: [*tail(v.q), v.x]),
    "append twice": (lambda s: rest(append(append(s.q, s.x), 1)), lambda v: up_to([*v.q, v.x, 1][1:], 2)),
    "room behind append": (lambda s: has_room(append(s.q, s.x)), lambda v: len(v.q) < 1),
    "what a full one would hold": (lambda s: contains(append(s.q, s.x), s.x), lambda v: True),
    "equal in passing": (lambda s: append(s.q, s.x) == append(s.r, 1), lambda v: [*v.q, v.x] == [*v.r, 1]),
    "choose in passing": (
        lambda s: choose(has_room(s.q), append(s.q, s.x), s.q),
        lambda v: [*v.q, v.x] if len(v.q) < 2 else v.q,
    ),
    "first": (lambda s: first(s.q), lambda v: where(v.q, 0, 1)),
    "last": (lambda s: last(s.q), lambda v: where(v.q, len(v.q) - 1, 1)),
    "at": (lambda s: at(s.q, s.i), lambda v: where(v.q, v.i, 1)),
    "at known": (lambda s: at(s.q, 1), lambda v: where(v.q, 1, 1)),
    "length": (lambda s: length(s.q), lambda v: len(v.q)),
    "is_empty": (lambda s: is_empty(s.q), lambda v: not v.q),
    "is_full": (lambda s: is_full(s.q), lambda v: len(v.q) == 2),
    "has_room": (lambda s: has_room(s.q), lambda v: len(v.q) < 2),
    "contains": (lambda s: contains(s.q, s.x), lambda v: v.x in v.q),
    "contains known": (lambda s: contains(s.q, 1), lambda v: 1 in v.q),
    "keep_first": (lambda s: keep_first(s.q, s.i + 1), lambda v: v.q[: v.i + 1]),
    "keep_first known": (lambda s: keep_first(s.q, 1), lambda v: v.q[:1]),
    "put": (lambda s: put(s.q, s.i, s.x), lambda v: replaced(v.q, v.i, v.x)),
    "put known": (lambda s: put(s.q, 1, s.x), lambda v: replaced(v.q, 1, v.x)),
    "equal": (lambda s: s.q == s.r, lambda v: v.q == v.r),
    "unequal": (lambda s: s.q != [1, 2], lambda v: v.q != [1, 2]),
    "equal to a list": (lambda s: s.q == [1, s.x], lambda v: v.q == [1, v.x]),
    "choose": (lambda s: choose(s.x == 1, s.q, s.r), lambda v: v.q if v.x == 1 else v.r),
    "choose a list": (lambda s: choose(s.x == 1, [s.x, 2], s.r), lambda v: [v.x, 2] if v.x == 1 else v.r),
}
OF_MESSAGES: dict[str, Pair] = {
    "append": (
        lambda s: append(s.q, {"kind": first(s.k), "urgent": s.flag}),
        lambda v: up_to([*v.q, {"kind": where(v.k, 0, Kind.ASK), "urgent": v.flag}], 2),
    ),
    "field": (lambda s: first(s.q).kind, lambda v: v.q[0]["kind"] if v.q else Kind.ASK),
    "contains": (
        lambda s: contains(s.q, {"urgent": s.flag, "kind": Kind.NO}),
        lambda v: {"kind": Kind.NO, "urgent": v.flag} in v.q,
    ),
    "member": (lambda s: contains(s.k, Kind.YES), lambda v: Kind.YES in v.k),
    "rest": (lambda s: rest(s.q), lambda v: tail(v.q)),
}
OF_NESTED: dict[str, Pair] = {
    "append": (lambda s: append(s.q, s.b), lambda v: up_to([*v.q, v.b], 2)),
    "append a list": (lambda s: append(s.q, [True]), lambda v: up_to([*v.q, [True]], 2)),
    "inner": (lambda s: length(last(s.q)), lambda v: len(v.q[-1]) if v.q else 0),
    "contains": (lambda s: contains(s.q, s.b), lambda v: v.b in v.q),
    "sets": (lambda s: append(s.s, {"b"}), lambda v: up_to([*v.s, frozenset({"b"})], 2)),
    "a set in it": (lambda s: contains(s.s, {"a"}), lambda v: frozenset({"a"}) in v.s),
}
EVERY = [(PLAIN, WORDS), (MESSAGES, OF_MESSAGES), (NESTED, OF_NESTED)]


@pytest.mark.parametrize(("protocol", "words"), EVERY, ids=["plain", "messages", "nested"])
def test_every_word_is_that_of_a_list(protocol: Any, words: dict[str, Pair]) -> None:
    states = normal_states(protocol)
    for name, (word, meaning) in words.items():
        assert holds_everywhere(protocol, states, word, meaning) > (name != "what a full one would hold"), (
            name
        )


STEPS = st.lists(st.tuples(st.sampled_from("arkp"), st.integers(0, 3)), max_size=5)


@examples(15)
@drawn(STEPS, st.integers(0, 36))
def test_any_row_of_operations_is_that_of_lists(steps: list[tuple[str, int]], offset: int) -> None:
    def word(s: Any) -> Any:
        value = s.q
        for step, n in steps:
            match step:
                case "a":
                    value = choose(has_room(value), append(value, choose(s.x > n, s.x, 1)), value)
                case "r":
                    value = choose(is_empty(value), value, rest(value))
                case "k":
                    value = keep_first(value, n)
                case "p":
                    value = put(value, s.i + n, s.x)
        return value

    def meaning(v: Any) -> list[int]:
        value = v.q
        for step, n in steps:
            match step:
                case "a":
                    value = [*value, v.x if v.x > n else 1] if len(value) < 2 else value
                case "r":
                    value = value[1:]
                case "k":
                    value = value[:n]
                case "p":
                    value = replaced(value, v.i + n, v.x)
        return list(value)

    holds_everywhere(PLAIN, STATES[offset::37], word, meaning, z3_states=2)


STATES = normal_states(PLAIN)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda s: append(s.x, 1), "append got the Operand"),
        (lambda s: append(s.q, True), "True in place of 1..3"),
        (lambda s: append(s.q, 7), "7 in place of 1..3"),
        (lambda s: at(s.q, 2), "no place 2"),
        (lambda s: at(s.q, -1), "no place -1"),
        (lambda s: put(s.q, 3, 1), "no place 3"),
        (lambda s: pick(s.q, s.x), "pick from a queue"),
        (lambda s: len(s.q), "`len` of a queue"),
        (lambda s: 1 in s.q, "`in` on a queue"),
        (lambda s: [v for v in s.q], "a queue was gone through"),  # noqa: C416
        (lambda s: bool(s.q), "truth of a queue"),
        (lambda s: s.q == [1, 2, 3], "3 values in queue"),
        (lambda s: s.q == 3, "3 in place of a queue"),
        (lambda s: s.q == s.x, "a int in place of queue"),
        (lambda s: keep_first(s.q, True), "keep_first got True"),
        (lambda s: has_room(s.x), "has_room got something else"),
        (lambda s: queue(of=3, capacity=2), "queue got 3"),
        (lambda s: queue(of=Kind, capacity=0), "capacity=0"),
        (lambda s: log(of=Kind, capacity=True), "capacity=True"),
    ],
)
def test_what_cannot_be_meant_is_refused(wrong: Callable[[Any], Any], said: str) -> None:
    with pytest.raises(LanguageError) as caught:
        wrong(PLAIN.view)
    assert said in str(caught.value)
    assert str(caught.value).startswith(f"{__file__}:{wrong.__code__.co_firstlineno}: ")
    assert "; " in str(caught.value)
