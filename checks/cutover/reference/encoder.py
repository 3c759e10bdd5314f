"""States of a protocol made of values, thousands of them that resemble each other: what is as it was is looked up."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any

from cutproof.model.language.protocol import Protocol, State


class Encoder:
    """As `Protocol.encode`, for values that come one after another and are not changed once they were given."""

    def __init__(self, protocol: Protocol) -> None:
        self.protocol = protocol
        self.cells = [
            (name, list(mine)) for name, mine in groupby(protocol.cells, lambda cell: cell.variable)
        ]
        self.kept: list[tuple[Any, list[int]]] = [(self, [])] * len(self.cells)  # no value is this object

    def encode(self, values: Mapping[str, Any]) -> State:
        """The state of such values. Raises ValueError naming the field that is missing or outside its domain."""
        if self.protocol.shapes:
            return self.protocol.encode(values)
        codes: list[int] = []
        kept = self.kept
        for number, (name, cells) in enumerate(self.cells):
            value = values.get(name, self.cells)
            before, mine = kept[number]
            if value != before:
                mine = []
                for cell in cells:
                    inside = value
                    try:
                        for key in cell.where:
                            inside = inside[key]
                        code = cell.domain.encode(inside)
                    except (KeyError, IndexError, TypeError):
                        raise ValueError(f"{cell.name} is missing") from None
                    except ValueError as error:
                        if value is self.cells:
                            raise ValueError(f"{cell.name} is missing") from None
                        raise ValueError(f"{cell.name}: {error}") from None
                    if cell.domain.low < cell.domain.high:
                        mine.append(code)
                kept[number] = (value, mine)
            codes += mine
        return tuple(codes)
