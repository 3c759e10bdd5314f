"""Packed states: one integer, in which each field has the few bits that its domain needs.

What depends on few fields depends on few bits, and is remembered by them (`Table`): among hundreds of thousands of
states only hundreds of combinations occur. A value is checked before it is packed, never after.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Any

from cutproof.model.language.protocol import Field, State


class Table(dict[int, Any]):
    """What `work` makes of some bits of a state, remembered."""

    __slots__ = ("work",)

    def __init__(self, work: Callable[[int], Any]) -> None:
        self.work = work

    def __missing__(self, bits: int) -> Any:
        made = self[bits] = self.work(bits)
        return made


Part = tuple[int, Table]  # the bits that matter, and what is known by them: `table[state & bits]`


class Packing:
    """States as integers: where each field's bits are, and there and back."""

    def __init__(self, fields: Sequence[Field]) -> None:
        self.fields = tuple(fields)
        self.offsets: dict[str, int] = {}
        self.masks: dict[str, int] = {}
        offset, pieces = 0, list[list[Field]]()
        for f in self.fields:
            width = (f.domain.high - f.domain.low).bit_length()
            if not pieces or offset + width > self.offsets[pieces[-1][0].name] + 12:
                pieces.append([])  # a piece of at most 12 bits, or one wide field, is unpacked by one look-up
            pieces[-1].append(f)
            self.offsets[f.name], self.masks[f.name] = offset, ((1 << width) - 1) << offset
            offset += width
        self._pieces: list[Part] = [
            (self.mask(f.name for f in piece), self._piece(piece)) for piece in pieces
        ]

    def _piece(self, piece: Sequence[Field]) -> Table:
        places = [(self.offsets[f.name], self.masks[f.name], f.domain.low) for f in piece]
        return Table(lambda bits: tuple(((bits & mask) >> offset) + low for offset, mask, low in places))

    def mask(self, names: Iterable[str]) -> int:
        """The bits of some fields; names of fields with one value have none."""
        return sum(self.masks.get(name, 0) for name in set(names))

    def text(self, field: Field) -> str:
        """Python text that reads a field from the packed `state`."""
        offset, low = self.offsets[field.name], field.domain.low
        bits = f"(state >> {offset} & {self.masks[field.name] >> offset})"
        return f"({bits} + {low})" if low else bits

    def pack(self, state: State) -> int:
        """The integer for a state. ValueError naming the field whose value is outside its domain."""
        packed = 0
        for f, value in zip(self.fields, state, strict=True):
            if not f.domain.low <= value <= f.domain.high:
                raise ValueError(f"{f.name}: {value} is outside its domain")
            packed += value - f.domain.low << self.offsets[f.name]
        return packed

    def unpack(self, packed: int) -> State:
        """The state of an integer that `pack` gave."""
        return tuple(chain.from_iterable([table[packed & mask] for mask, table in self._pieces]))
