"""Initial values: of families as dictionaries and lists, and choices of them."""

from typing import Any

import pytest
from beginnings import begins, every_state, initials, made
from hypothesis import example, given

from cutproof.model.language import (
    LanguageError,
    action,
    anything,
    boolean,
    constant,
    count,
    family,
    one_of,
    when,
)
from cutproof.model.language.protocol import Protocol


@action
def stay(s: Any) -> Any:
    return when().then()


def starting(initial: Any, **others: Any) -> list[dict[str, Any]]:
    """The initial states of a protocol, decoded."""
    variables = {"x": count(0, 3), "up": family("i", of=boolean()), "net": family("i", "j", of=count(0, 1))}
    protocol = Protocol(
        "p", variables, [stay], [], indices={"i": range(2), "j": ("a", "b")}, initial=initial, **others
    )
    assert protocol.initial == protocol.initials[0]
    return [protocol.decode(state) for state in protocol.initials]


@pytest.mark.parametrize(
    ("initial", "up"),
    [
        ({}, {0: False, 1: False}),
        ({"up": True}, {0: True, 1: True}),
        ({"up": {1: True, 0: False}}, {0: False, 1: True}),
        ({"up": [True, False]}, {0: True, 1: False}),
        ({"up": (True, constant(False))}, {0: True, 1: False}),
    ],
)
def test_a_family_begins_as_it_is_told(initial: Any, up: dict[int, bool]) -> None:
    assert [state["up"] for state in starting(initial)] == [up]


def test_a_family_of_two_indices_is_told_by_rows_or_at_once() -> None:
    for net in ({0: {"a": 1, "b": 1}, 1: 0}, {0: [1, 1], 1: [0, 0]}, [1, {"a": 0, "b": 0}]):
        assert starting({"net": net})[0]["net"] == {0: {"a": 1, "b": 1}, 1: {"a": 0, "b": 0}}
    assert starting({"net": 1})[0]["net"] == {i: {"a": 1, "b": 1} for i in range(2)}


def test_choices_are_in_the_order_of_the_fields_and_of_the_options() -> None:
    found = starting({"up": {0: one_of(True, False), 1: True}, "x": one_of(2, 0, 2)})
    assert [(s["x"], s["up"][0], s["up"][1]) for s in found] == [
        (2, True, True), (2, False, True), (0, True, True), (0, False, True),
    ]  # fmt: skip
    assert [s["x"] for s in starting({"x": anything()})] == [0, 1, 2, 3]


def test_one_of_around_a_family_is_one_choice_and_within_it_several() -> None:
    around = [s["up"] for s in starting({"up": one_of(True, [True, False])})]
    assert around == [{0: True, 1: True}, {0: True, 1: False}]
    assert len(starting({"up": one_of(True, False)})) == 2
    assert len(starting({"up": {i: one_of(True, False) for i in range(2)}})) == 4
    assert len(starting({"up": anything()})) == 4


def test_one_of_may_stand_around_everything() -> None:
    found = starting(one_of({"x": 1, "up": True}, {"x": 3}, {"x": 1, "up": [True, True]}))
    assert [(s["x"], s["up"][0]) for s in found] == [(1, True), (3, False)]


@given(initials)
@example({"net": one_of(False, {0: anything(), 1: {0: False, 1: True}})})  # cells that vary, with one between
def test_the_initial_states_are_those_that_are_meant(initial: Any) -> None:
    protocol = made(initial)
    found = protocol.initials
    assert set(found) == {s for s in every_state(protocol) if begins(initial, protocol.decode(s))}
    assert len(set(found)) == len(found) and found[0] == protocol.initial


@given(initials, initials)
def test_a_digest_covers_every_initial_state(one: Any, two: Any) -> None:
    first, second = made(one), made(two)
    if set(first.initials) != set(second.initials):
        assert first.digest != second.digest


def test_too_many_initial_states_are_refused() -> None:
    variables = {"f": family("i", of=boolean()), "g": family("i", of=boolean())}
    for initial in ({"f": anything(), "g": anything()}, one_of({"f": anything(), "g": anything()}, {})):
        with pytest.raises(LanguageError, match=r"there are 1,048,57[67] initial states; at most 1,000,000"):
            Protocol("p", variables, [stay], [], indices={"i": range(10)}, initial=initial)
    assert len(Protocol("p", variables, [stay], [], {"i": range(9)}, {"f": anything()}).initials) == 512


def test_variants_keep_the_initial_states() -> None:
    protocol = made({"n": one_of(3, 1)})
    assert protocol.without_guard("climb", "low").initials == protocol.initials
    assert protocol.judged_by([]).initials == protocol.initials
