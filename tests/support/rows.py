"""States as rows of words and masks, written plainly: what the inner loops of the fast engine are held against."""

from collections.abc import Iterable, Sequence
from functools import cache
from random import Random
from types import ModuleType

import numpy as np
from examples import by_night
from random_protocols import made, source

from cutproof.checks.engines.fast import visited
from cutproof.checks.engines.fast.kernels import choice, vectorised
from cutproof.checks.engines.fast.kernels.layout import BLOCK
from cutproof.checks.engines.plain.explore import explore
from cutproof.model.language.circuit import Layout, Place
from cutproof.model.language.protocol import Protocol, State

KERNELS = [vectorised, choice.kernels] if choice.COMPILED else [vectorised]
WIDTHS = (1, 2, 3, 5)  # words of a key
WORD = (1 << 64) - 1


def kernels_for(width: int) -> list[ModuleType]:
    """The kernels to be tried on keys of so many words: those of one word, of two and of more are compiled apart, and
    by day the second ones are not."""
    return KERNELS if width != 2 or by_night() else KERNELS[:1]


class Spread(Layout):
    """A layout whose slow fields lie anywhere in so many words."""

    def __init__(self, protocol: Protocol, fast: Iterable[str], words: int, rng: Random) -> None:
        self._wanted, self._rng = words, rng
        super().__init__(protocol, fast)
        self.words = words

    def _placed(self, first: object, blocks: object) -> dict[str, Place]:
        free, found = [0] * self._wanted, dict[str, Place]()
        for name, place in super()._placed((), ()).items():
            if place.width:
                while free[word := self._rng.randrange(self._wanted)] + place.width > 64:
                    pass
                most = min(9, 64 - place.width - free[word])
                offset = free[word] + self._rng.randint(0, most)
                free[word] = offset + place.width
                found[name] = Place(place.low, 64 * word + offset, place.width)
        return found


@cache
def drawn(seed: int) -> tuple[Protocol, list[State]]:
    """A protocol that is drawn, and its states."""
    protocol = made(source(seed))
    return protocol, list(explore(protocol).states)


def layout_of(protocol: Protocol, width: int, rng: Random, most: int = 3) -> Layout:
    """A layout with some fast fields and keys of so many words."""
    names, fast, size = [f.name for f in protocol.fields], list[str](), 1
    values = Layout(protocol).values
    for name in rng.sample(names, len(names)):
        if len(fast) < most and size * len(values.get(name, [0] * 99)) <= 64 and rng.random() < 0.7:
            fast.append(name)
            size *= len(values[name])
    return Spread(protocol, fast, width, rng)


def split(key: int, width: int) -> list[int]:
    """The words of a key."""
    return [key >> 64 * x & WORD for x in range(width)]


def grouped(layout: Layout, states: Iterable[State]) -> dict[int, int]:
    """The mask of each key."""
    found = dict[int, int]()
    for state in states:
        key, bit = layout.pack(state)
        found[key] = found.get(key, 0) | 1 << bit
    return found


def array(pairs: Sequence[tuple[int, int]], width: int) -> np.ndarray:
    """Rows of (key, mask)."""
    return (
        np.array([[*split(key, width), mask] for key, mask in pairs], np.uint64)
        .reshape(-1, width + 1)
        .T.copy()
    )


def pairs_of(rows: np.ndarray) -> list[tuple[int, int]]:
    """The (key, mask) of rows."""
    return [(sum(w << 64 * x for x, w in enumerate(words)), mask) for *words, mask in rows.T.tolist()]


def strewn(pairs: Sequence[tuple[int, int]], width: int, blocks: int, rng: Random) -> np.ndarray:
    """The rows anywhere in so many blocks; between them are rows of no state, of any key."""
    places = max(blocks * BLOCK, visited.whole_blocks(len(pairs)))
    rows = np.random.default_rng(rng.getrandbits(32)).integers(
        0, 1 << 63, size=(width + 1, places), dtype=np.uint64
    )
    rows[width] = 0
    if pairs:
        rows[:, rng.sample(range(places), len(pairs))] = array(pairs, width)
    return rows


def states_of(layout: Layout, pairs: Iterable[tuple[int, int]]) -> list[State]:
    """The states of rows, one after the other."""
    return [layout.unpack(key, bit) for key, mask in pairs for bit in range(64) if mask >> bit & 1]


def ordered(blocks: Sequence[Sequence[Sequence[tuple[int, int]]]], key: int) -> int:
    """A key with its blocks in order: sets of blocks of pieces, (offset, width)."""
    for same in blocks:
        values = sorted([key >> offset & (1 << width) - 1 for offset, width in block] for block in same)
        for block, mine in zip(same, values, strict=True):
            for (offset, width), value in zip(block, mine, strict=True):
                key = key & ~((1 << width) - 1 << offset) | value << offset
    return key


def blocks_array(blocks: Sequence[Sequence[Sequence[tuple[int, int]]]]) -> np.ndarray:
    """The same sets of blocks as the inner loops take them."""
    numbered = [(same, block, n) for n, same in enumerate(blocks) for block in same]
    pieces = [
        (n, number, *divmod(offset, 64), width)
        for number, (_, block, n) in enumerate(numbered)
        for offset, width in block
    ]
    return np.array(pieces, np.int64).reshape(-1, 5)


def some_blocks(bits: Sequence[int], rng: Random) -> list[list[list[tuple[int, int]]]]:
    """Blocks of pieces of one bit each, from some bits: up to two sets."""
    left, found = rng.sample(bits, len(bits)), []
    for _ in range(rng.randint(0, 2)):
        count, pieces = rng.randint(2, 4), rng.randint(1, 2)
        if count * pieces <= len(left):
            found.append([[(left.pop(), 1) for _ in range(pieces)] for _ in range(count)])
    return found
