"""Between states and rows: columns of the values of fields, states as tuples, one state as a row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from cutproof.checks.engines.fast.program import Numbers, Words
from cutproof.checks.engines.fast.visited import padded
from cutproof.model.language.circuit import Layout
from cutproof.model.language.protocol import State

LOW = (1 << 64) - 1


def singles(rows: Words) -> Words:
    """The same states, a row for each, in the order of rows and bits."""
    count = np.bitwise_count(rows[-1]).astype(np.int64)
    found = np.repeat(rows, count, axis=1)
    found[-1] = np.uint64(1) << bits_of(rows).astype(np.uint64)
    return found


def bits_of(rows: Words) -> Numbers:
    """The number of the fast value of each state of some rows, in the order of rows and bits."""
    each = np.ascontiguousarray(rows[-1]).astype("<u8").view(np.uint8)
    return np.flatnonzero(np.unpackbits(each, bitorder="little")) & 63


def columns(layout: Layout, rows: Words, names: Iterable[str] | None = None) -> dict[str, Numbers]:
    """The values of some fields (or all that vary), one for each state, in the order of rows and bits."""
    row = np.repeat(np.arange(rows.shape[1]), np.bitwise_count(rows[-1]).astype(np.int64))
    bits, found = bits_of(rows), dict[str, Numbers]()
    for name in [*layout.places, *layout.fast] if names is None else names:
        if name in layout.fast:
            values = np.array(layout.fast[name], np.int64)
            found[name] = values[bits // layout.strides[name] % len(values)]
        elif name in layout.places:
            place = layout.places[name]
            part = rows[place.offset // 64] >> np.uint64(place.offset % 64) & np.uint64(
                (1 << place.width) - 1
            )
            found[name] = part.astype(np.int64)[row] + place.low
        else:
            found[name] = np.full(len(row), layout.fixed[name], np.int64)
    return found


def states_of(layout: Layout, rows: Words) -> list[State]:
    """The states of some rows, in the order of rows and bits."""
    fields = [f.name for f in layout.protocol.fields]
    found = columns(layout, rows, fields)
    if not fields:
        return [()] * int(np.bitwise_count(rows[-1]).sum())
    return list(zip(*(found[name].tolist() for name in fields), strict=True))


def row_of(layout: Layout, state: State) -> Words:
    """A state as a row."""
    return rows_of(layout, [state])


def rows_of(layout: Layout, states: Sequence[State]) -> Words:
    """A row for each state."""
    packed = [layout.pack(tuple(state)) for state in states]
    keys = [[key >> 64 * word & LOW for key, _ in packed] for word in range(layout.words)]
    return np.array([*keys, [1 << bit for _, bit in packed]], np.uint64).reshape(layout.words + 1, -1)


def grouped(numbers: npt.NDArray[np.integer[Any]]) -> dict[int, Numbers]:
    """The places of each number, by number."""
    if not len(numbers):
        return {}
    order = np.argsort(numbers, kind="stable")
    values, first = np.unique(numbers[order], return_index=True)
    return dict(zip(values.tolist(), np.split(order, first[1:]), strict=True))


def with_masks(rows: Words, masks: Words) -> Words:
    """The rows with other masks, where these are not empty."""
    some = np.flatnonzero(masks)
    found = rows[:, some]
    found[-1] = masks[some]
    return found


def without(rows: Words, others: Words) -> Words:
    """The states of some rows that are not in others; keys differ from row to row. As whole blocks."""
    gone = {tuple(key): mask for *key, mask in others.T.tolist()}
    masks = [mask & ~gone.get(tuple(key), 0) for *key, mask in rows.T.tolist()]
    return padded(with_masks(rows, np.array(masks, np.uint64)))
