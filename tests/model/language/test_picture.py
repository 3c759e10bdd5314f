"""Pictures as they are declared: lanes by index, places, and what is refused."""

import re
from typing import Any

import pytest

from cutproof.checks.protocols.registry import BUNDLED
from cutproof.model.language import (
    Arrow,
    LanguageError,
    Message,
    Picture,
    action,
    always,
    boolean,
    family,
    guard,
    put,
    when,
)
from cutproof.model.protocol import Protocol


@action
def hit(s: Any, who: str, ball: int) -> Any:
    return when(guard("has it", s.has[who])).then(has=put(s.has, who, False))


@always
def well(s: Any) -> Any:
    return s.tired | ~s.tired


def game(picture: Picture | None = None) -> Protocol:
    return Protocol(
        "game", {"has": family("who", of=boolean()), "flies": family("ball", of=boolean()), "tired": boolean()},
        [hit], [well], {"who": ("ann", "bob"), "ball": (1, 2)}, picture=picture,
    )  # fmt: skip


def test_without_a_picture_each_value_of_an_index_is_a_lane() -> None:
    protocol = game()
    assert [name for name, _, _ in protocol.picture.lanes_of(protocol)] == [
        "ann",
        "bob",
        "ball 1",
        "ball 2",
        "shared",
    ]
    assert protocol.picture.lanes["{who}"] == ["has"]
    assert protocol.picture.lanes["shared"] == ["tired"]


def test_the_same_values_by_another_name_are_one_lane() -> None:
    @action
    def pair(s: Any, who: str, other: str) -> Any:
        return when(guard("has it", s.has[who] & s.sees[other])).then(has=put(s.has, who, False))

    protocol = Protocol(
        "pairs", {"has": family("who", of=boolean()), "sees": family("other", of=boolean())}, [pair], [],
        {"who": ("ann", "bob"), "other": ("ann", "bob")},
    )  # fmt: skip
    assert [name for name, _, _ in protocol.picture.lanes_of(protocol)] == ["ann", "bob", "shared"]


def test_a_lane_with_braces_is_one_for_each_value() -> None:
    protocol = game(Picture(lanes={"player {who}": ["has"], "net": ["tired"]}, at={"hit": "player {who}"}))
    assert [(name, where) for name, where, _ in protocol.picture.lanes_of(protocol)] == [
        ("player ann", {"who": "ann"}),
        ("player bob", {"who": "bob"}),
        ("net", {}),
    ]


@pytest.mark.parametrize(
    ("picture", "reason"),
    [
        (Picture(lanes={"{whom}": ()}), "the lane '{whom}' names 'whom'"),
        (Picture(lanes={"{": ()}), "the lane '{'"),
        (Picture(lanes={"net": ["tried"]}), "the lane 'net' shows no variable: 'tried'"),
        (Picture(lanes={"net": ()}, at={"hits": "net"}), "the picture is about no action: 'hits'"),
        (Picture(lanes={"net": ()}, at={"hit": "nets"}), "the place of hit is in the lane 'nets'"),
        (Picture(lanes={"net": ()}, at={"hit": "{where}"}), "the place of hit '{where}' names 'where'"),
        (Picture(lanes={"{who}": ()}, arrows={"hit": Arrow("{who}", "net")}), "the arrow of hit is in the lane 'net'"),
        (Picture(lanes={"net": ()}, messages={"fly": Message("net", "net")}), "there are messages of no variable"),
        (
            Picture(lanes={"{who}": ()}, messages={"has": Message("{who}", "{who}", lost=("drop",))}),
            "the message has names no action: 'drop'",
        ),
    ],
)  # fmt: skip
def test_a_picture_of_what_is_not_there_is_refused(picture: Picture, reason: str) -> None:
    with pytest.raises(LanguageError, match=re.escape(reason)):
        game(picture)


def test_a_picture_changes_nothing_that_is_checked() -> None:
    assert game().digest == game(Picture(lanes={"net": ()})).digest


@pytest.mark.parametrize("entry", BUNDLED, ids=lambda entry: entry.name)
def test_every_bundled_protocol_can_be_drawn(entry: Any) -> None:
    protocol, _ = entry.build({})
    names = [name for name, _, _ in protocol.picture.lanes_of(protocol)]
    assert len(names) == len(set(names)) >= 2
