"""Look-ups joined and parted: which parts of a state are looked up together.

A part of the generated code reads few bits of a state, and its answers are remembered by those bits. Looking up
fewer, larger parts is faster, until hardly two states have the same bits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from cutproof.model.language.packing import Table

# New entries for each new state: parts are joined up to the first, parted again above the second, and answers are
# no longer remembered above the third.
JOIN, PART, DIRECT = 0.02, 0.2, 0.5


class Direct:
    """What `work` makes of a state, never remembered: where hardly two states have the same bits."""

    __slots__ = ("work",)

    def __init__(self, work: Callable[[int], Any]) -> None:
        self.work = work

    def __getitem__(self, state: int) -> Any:
        return self.work(state)

    def __len__(self) -> int:
        return 0


class Layer:
    """Steps, or claims, that are looked up together by `bits`: one part, or two layers next to each other."""

    __slots__ = ("bits", "halves", "joinable", "size", "table")

    def __init__(self, bits: int, table: Table | Direct, halves: tuple[Layer, ...] = ()) -> None:
        self.bits, self.table, self.halves, self.size, self.joinable = bits, table, halves, 0, True


class Layers:
    """Parts that are next to each other are looked up together: fewer look-ups a state, in the same order.

    Parts read few bits, and of those few values occur: hundreds, where there are hundreds of thousands of
    states. What is worth joining is seen from how fast the tables grow; whatever is joined, the answers are
    the same. `join` makes one answer of two that are not empty."""

    def __init__(self, parts: Iterable[tuple[int, Table]], join: Callable[[Any, Any], Any]) -> None:
        self._join = join
        self._layers = [Layer(bits, table) for bits, table in parts]
        self.tables: list[tuple[int, Table | Direct]] = []  # what a search walks
        self._show()

    def grow(self, states: int) -> None:
        """Join and part layers, by what `states` more states made of them."""
        layers, calm = list[Layer](), None
        for layer in self._layers:
            new = (len(layer.table) - layer.size) / states
            layer.size = len(layer.table)
            if layer.halves and new > PART:
                for half in layer.halves:
                    half.joinable, half.size = False, len(half.table)
                layers += layer.halves
                calm = None
                continue
            if new > DIRECT and isinstance(layer.table, Table):
                layer.table, layer.joinable = Direct(layer.table.work), False
            if not layer.joinable or new > JOIN:
                layers.append(layer)
                calm = None
            elif calm:
                layers[-1] = self._joined(calm, layer)
                calm = None
            else:
                layers.append(layer)
                calm = layer
        self._layers = layers
        self._show()

    def drop(self, gone: Table) -> None:
        """Forget the part with this table; layers without it keep what they know."""
        self._layers = [left for layer in self._layers if (left := self._without(layer, gone))]
        self._show()

    def _show(self) -> None:
        self.tables[:] = [(layer.bits, layer.table) for layer in self._layers]

    def _joined(self, first: Layer, second: Layer) -> Layer:
        (a, b), tables, join = (first.bits, second.bits), (first.table, second.table), self._join
        one, two = tables

        def work(bits: int) -> Any:
            x, y = one[bits & a], two[bits & b]
            return join(x, y) if x and y else x or y

        return Layer(a | b, Table(work), (first, second))

    def _without(self, layer: Layer, gone: Table) -> Layer | None:
        if not layer.halves:
            return None if layer.table is gone else layer
        first, second = (self._without(half, gone) for half in layer.halves)
        if first in layer.halves and second in layer.halves:
            return layer
        return self._joined(first, second) if first and second else first or second
