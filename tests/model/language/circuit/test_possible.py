"""Which values a field can have: never fewer than are reached, never more than its domain."""

from typing import Any

import pytest
from hypothesis import given
from random_protocols import made, source
from small_protocols import PROTOCOLS

from cutproof.checks.engines.plain.explore import explore
from cutproof.model.language import action, choose, constant, count, guard, when
from cutproof.model.language.circuit import possible
from cutproof.model.language.circuit.possible import FEW
from cutproof.model.language.protocol import Protocol


def holds_of(protocol: Protocol) -> dict[str, list[int]]:
    """`possible`, after it was held against all states that are reached."""
    found = {name: list(values) for name, values in possible(protocol).items()}
    states = list(explore(protocol).states)
    for place, field in enumerate(protocol.fields):
        values = found[field.name]
        assert values == sorted(set(values))
        assert {state[place] for state in states} <= set(values)
        assert field.domain.low <= values[0] and values[-1] <= field.domain.high
    assert list(found) == [f.name for f in protocol.fields]
    return found


@given(PROTOCOLS)
def test_all_that_is_reached_is_possible(protocol: Protocol) -> None:
    holds_of(protocol)


@pytest.mark.sampled(20)
@pytest.mark.parametrize("seed", range(120))
def test_all_that_is_reached_is_possible_whatever_is_written(seed: int) -> None:
    holds_of(made(source(seed)))


def stages(high: int = 9, first: int = 0) -> Protocol:
    """`at` goes 0, 1, 5; `copy` follows it; `up` is a sum, whose bounds alone are looked at."""

    @action
    def go(s: Any) -> Any:
        return when(guard("not at the end", s.at != 5)).then(at=choose(s.at == 0, constant(1), constant(5)))

    @action
    def follow(s: Any) -> Any:
        return when(guard("behind", s.copy != s.at)).then(copy=s.at, up=choose(s.up < 3, s.up + 1, s.up))

    at = {"at": count(0, high), "copy": count(0, 20), "up": count(0, 9), "still": count(0, 7)}
    return Protocol("stages", at, [go, follow], [], initial={"at": first, "still": 4})


def test_only_what_is_put_somewhere_is_possible() -> None:
    found = holds_of(stages())
    assert found["at"] == found["copy"] == [0, 1, 5]
    assert found["still"] == [4]


def test_what_would_leave_the_domain_is_not() -> None:
    @action
    def follow(s: Any) -> Any:
        return when(guard("low", s.at < 3)).then(copy=s.at)

    @action
    def go(s: Any) -> Any:
        return when().then(at=constant(5))

    protocol = Protocol(
        "narrow", {"at": count(0, 9), "copy": count(0, 3)}, [follow, go], [], initial={"at": 2}
    )
    assert holds_of(protocol) == {"at": [2, 5], "copy": [0, 2]}


def test_other_states_to_start_from_add_their_values() -> None:
    protocol = stages()
    at = [f.name for f in protocol.fields].index("at")
    other = tuple(7 if place == at else value for place, value in enumerate(protocol.initial))
    assert list(possible(protocol, [other])["at"]) == [1, 5, 7]
    assert list(possible(protocol, [protocol.initial, other])["copy"]) == [0, 1, 5, 7]


def test_of_a_wide_domain_all_values_are_possible() -> None:
    wide = possible(stages(high=FEW))
    assert wide["at"] == range(FEW + 1)
    assert list(wide["copy"]) == list(range(21)), "what is copied may be any of them, within the domain"
    assert list(possible(stages(high=FEW - 1))["at"]) == [0, 1, 5]
