"""States are encoded as the protocol encodes them, whatever was encoded before."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from cutproof.checks.cutover.reference.encoder import Encoder
from cutproof.model.cutover.coordinator import build
from cutproof.model.cutover.scopes import parse_scope
from cutproof.model.language.protocol import Protocol


def values_drawn(protocol: Protocol, draw: Random, changed: float) -> dict[str, Any]:
    """The initial values, with some cells replaced by others of their domain."""
    values = protocol.decode(protocol.initial)
    for cell in protocol.cells:
        if draw.random() < changed:
            inside, key = values, cell.variable
            for index in cell.where:
                inside, key = inside[key], index
            inside[key] = cell.domain.decode(draw.randint(cell.domain.low, cell.domain.high))
    return values


@pytest.mark.parametrize("text", ["base", "documents=2,replica=1,searches=1,deletes=1"])
def test_states_one_after_another_are_as_the_protocol_encodes_them(text: str) -> None:
    protocol = build(parse_scope(text))
    encoder, draw = Encoder(protocol), Random(1)
    for _ in range(200):
        values = values_drawn(protocol, draw, draw.choice((0.0, 0.01, 0.5)))
        assert encoder.encode(values) == protocol.encode(values)


def test_what_is_missing_or_outside_is_named_as_the_protocol_names_it() -> None:
    protocol = build(parse_scope("base"))
    encoder = Encoder(protocol)
    good = protocol.decode(protocol.initial)
    encoder.encode(good)
    for spoiled in (
        {**good, "epoch": 99},
        {**good, "stored": {}},
        {k: good[k] for k in good if k != "phase"},
    ):
        with pytest.raises(ValueError) as theirs:
            protocol.encode(spoiled)
        with pytest.raises(ValueError) as mine:
            encoder.encode(spoiled)
        assert str(mine.value) == str(theirs.value)
        assert encoder.encode(good) == protocol.initial
