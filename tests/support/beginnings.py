"""Small protocols that begin in several states, drawn at random, and what that means, read without any trick."""

from collections.abc import Mapping
from itertools import product
from typing import Any

from hypothesis import strategies as st

from cutproof.model.language import (
    action,
    all_of,
    always,
    anything,
    boolean,
    can_always,
    count,
    family,
    guard,
    implies,
    invariant,
    one_of,
    put,
    sometimes,
    when,
)
from cutproof.model.language import expressions as ex
from cutproof.model.language.protocol import Protocol, State

INDEX = (0, 1)
VARIABLES = {
    "n": count(0, 3),
    "flag": boolean(),
    "heap": family("i", of=count(0, 2)),
    "net": family("i", "j", of=boolean()),
}


@action
def climb(s: Any) -> Any:
    return when(guard("low", s.n < 3), guard("flag", s.flag)).then(n=s.n + 1)


@action
def turn(s: Any) -> Any:
    return when(guard("low", s.n < 2)).then(flag=~s.flag)


@action
def fill(s: Any, i: int) -> Any:
    return when(guard("room", s.heap[i] < 2), guard("linked", s.net[i][i])).then(
        heap=put(s.heap, i, s.heap[i] + 1)
    )


@action
def overfill(s: Any, i: int) -> Any:
    return when(guard("full", s.heap[i] == 2), guard("high", s.n == 3)).then(
        heap=put(s.heap, i, s.heap[i] + 1)
    )


@action(fault="cut")
def cut(s: Any, i: int, j: int) -> Any:
    return when(guard("linked", s.net[i][j])).then(net=put(s.net, (i, j), False))


@action
def begin_again(s: Any) -> Any:
    return when(guard("high", s.n == 3)).then(n=0)


ACTIONS = (climb, turn, fill, overfill, cut, begin_again)


@always
def low(s: Any) -> Any:
    return s.n < 3


@always
def one_full(s: Any, i: int, j: int) -> Any:
    return True if i == j else ~((s.heap[i] == 2) & (s.heap[j] == 2))


@always
def linked(s: Any, i: int) -> Any:
    return implies(s.heap[i] == 2, s.net[i][i])


@sometimes
def all_full(s: Any) -> Any:
    return all_of(*(h == 2 for h in s.heap))


@sometimes
def low_and_cut(s: Any, i: int, j: int) -> Any:
    return (s.n == 0) & ~s.net[i][j] & s.flag


@can_always
def high(s: Any) -> Any:
    return s.n == 3


@can_always
def filled(s: Any, i: int) -> Any:
    return s.heap[i] == 2


@invariant
def linked_where_filled(s: Any, i: int) -> Any:
    return implies(s.heap[i] > 0, s.net[i][i])


PROPERTIES = (low, one_full, linked, all_full, low_and_cut, high, filled)


def values(place: st.SearchStrategy[Any], one: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """What may be said of a family, with what may be said of a place in it and of one value for all."""
    by_index = st.fixed_dictionaries(dict.fromkeys(INDEX, place))
    return one | by_index | st.lists(place, min_size=len(INDEX), max_size=len(INDEX))


def chosen(one: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """That, or one of several."""
    return one | st.lists(one, min_size=2, max_size=3).map(lambda some: one_of(*some))


flags, heights = st.booleans(), st.integers(0, 2)
for_flag, for_heap = chosen(flags | st.just(anything())), chosen(heights | st.just(anything()))
row = chosen(values(for_flag, flags))
whole = st.fixed_dictionaries(
    {},
    optional={
        "n": chosen(st.integers(0, 3) | st.just(anything())),
        "flag": for_flag,
        "heap": chosen(values(for_heap, heights | st.just(anything()))),
        "net": chosen(values(row, flags)),
    },
)
initials = chosen(whole)


@st.composite
def protocols(draw: st.DrawFn) -> Protocol:
    """A protocol with some of the actions and some of the properties."""
    actions = draw(st.lists(st.sampled_from(ACTIONS), min_size=1, max_size=4, unique=True))
    properties = draw(st.lists(st.sampled_from(PROPERTIES), min_size=1, max_size=4, unique=True))
    return made(draw(initials), actions, properties)


def made(initial: Any, actions: Any = ACTIONS, properties: Any = PROPERTIES) -> Protocol:
    indices = {"i": INDEX, "j": INDEX}
    return Protocol(
        "beginnings", VARIABLES, actions, [*properties, linked_where_filled], indices=indices, initial=initial
    )


# ------------------------------------------------------------------ by a reading that knows no trick


def allowed(initial: Any, value: Any) -> bool:
    """Whether a value is one that is meant."""
    match type(initial).__name__:
        case "OneOf":
            return any(allowed(one, value) for one in initial.values)
        case "Anything":
            return True
    if isinstance(value, Mapping):
        parts = dict(zip(value, initial, strict=True)) if isinstance(initial, list) else initial
        return all(allowed(parts[k] if isinstance(parts, dict) else parts, v) for k, v in value.items())
    return bool(initial == value)


def begins(initial: Any, values: Mapping[str, Any]) -> bool:
    """Whether a run may begin with these values of the variables."""
    if type(initial).__name__ == "OneOf":
        return any(begins(one, values) for one in initial.values)
    return all(allowed(initial.get(name, 0), value) for name, value in values.items())


def reached(protocol: Protocol, starts: list[State]) -> dict[State, int]:
    """Every state that can be reached by steps within the domains, and in how many steps, by the plain interpreter."""
    found, level, depth = dict.fromkeys(starts, 0), list(starts), 0
    while level:
        depth, before, level = depth + 1, level, []
        for state in before:
            codes = protocol.named(state)
            for t in protocol.transitions:
                if ex.evaluate(t.enabled, codes, {}):
                    news = {f.name: ex.evaluate(v, codes, {}) for f, v in t.updates}
                    if all(f.domain.low <= news[f.name] <= f.domain.high for f, _ in t.updates):
                        after = tuple({**codes, **news}[f.name] for f in protocol.fields)
                        if after not in found:
                            found[after] = depth
                            level.append(after)
    return found


def every_state(protocol: Protocol) -> list[State]:
    """All combinations of values."""
    return list(product(*(range(f.domain.low, f.domain.high + 1) for f in protocol.fields)))
