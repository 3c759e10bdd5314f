"""Decision diagrams on arrays, their loops compiled by numba (`kernels/`). What each operation means: `plain.py`.

A kernel runs for so many steps, then it is paused: here it is given room, what nothing needs is swept, `look` is
called, and it goes on where it was. So tables begin small, and all of that can happen in the midst of a walk.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from cutproof.checks.engines.zdd.diagrams import NOTHING, START, Bits, Look, Node, OverBudget
from cutproof.checks.engines.zdd.kernels import events as many_events
from cutproof.checks.engines.zdd.kernels import reading, room, table
from cutproof.checks.engines.zdd.kernels.table import (
    ACC,
    AT,
    FRAME,
    LEFT,
    PAUSED,
    PEAK,
    SLACK,
    STEP,
    TOP,
    USED,
    X,
)
from cutproof.checks.engines.zdd.relations.compiled import CompiledRelations, Words
from cutproof.model.language.circuit import AND, ANDN, NOR, XOR

ROOM = 1 << 24  # nodes that are swept first
STRIDE = 1 << 20  # steps between two calls of `look`, some 100 ms
SMALL = 1 << 12  # nodes, chains and results that there is room for at first
CACHE = 1 << 25  # results that are remembered at most
MOST = (1 << 32) - 1024  # nodes that have a number

GATES = {AND: table.AND, ANDN: table.ANDN, NOR: table.NOR, XOR: table.XOR}


class CompiledDiagrams(CompiledRelations):
    """See `diagrams.py`. `sweep_at` is how many nodes are there before it is worth while to sweep; 0: at each pause.
    `stride`: steps from one pause to the next; `small`: the size of each table at first, a power of two."""

    def __init__(
        self,
        levels: int,
        *,
        limit: int = 1 << 28,
        sweep_at: int = ROOM,
        look: Look = lambda: None,
        stride: int = STRIDE,
        small: int = SMALL,
    ) -> None:
        self.levels, self.limit, self.look = levels, min(limit, MOST), look
        self.events: list[tuple[Node, int]] = []
        self.sweeps = 0
        self._stride, self._least = stride, min(sweep_at, 3 * self.limit // 4)
        self._sweep_at = self._least
        self._kept, self._sealed = Counter[Node](), 2
        self._nodes = self._reserved()
        self._nodes[:4] = 0, levels << 32, 0, levels << 32
        self._heads = np.zeros(small, np.uint32)
        self._cache, self._came = np.zeros(4 * small, np.uint64), np.zeros(0, np.uint64)
        self._stack = np.zeros(FRAME * 2 * (levels + 4), np.uint64)
        self._todo = np.zeros(levels + 4, np.uint64)
        self._now = np.zeros(table.NUMBERS, np.uint64)
        self._now[TOP] = self._now[USED] = 2
        self._now[table.HEADS_SHIFT] = 65 - small.bit_length()
        self._now[table.CACHE_SHIFT] = 64 - small.bit_length()  # twice as many: fewer are lost
        self._begin_relations(levels, max(small, 2))
        self._put_numbers: dict[tuple[int, int, int], int] = {}
        self._puts = np.full(1, levels, np.uint64)  # level | next << 32 | value << 63; 0 is the end
        self._event_words = np.zeros(0, np.uint64)
        self._places, self._found = np.zeros(0, np.uint32), np.zeros(1024, np.uint64)

    @property
    def nodes(self) -> int:
        return int(self._now[USED]) - 2

    @property
    def peak(self) -> int:
        return max(int(self._now[PEAK]), self.nodes)

    # -------------------------------------------------- conditions

    def bit(self, level: int) -> Node:
        return self._node(level, 0, 1)

    def gate(self, kind: int, a: Node, b: Node) -> Node:
        return self._one(GATES[kind], a, b)

    def event(self, condition: Node, put: Sequence[tuple[int, int]]) -> int:
        number = 0
        for level, value in reversed(put):
            key = (level, value, number)
            if key not in self._put_numbers:
                self._put_numbers[key] = len(self._put_numbers) + 1
            number = self._put_numbers[key]
        self.events.append((condition, number))
        return len(self.events) - 1

    def seal(self) -> None:
        self._sealed = int(self._now[TOP])

    # -------------------------------------------------- sets

    def union(self, a: Node, b: Node) -> Node:
        return self._one(table.UNION, a, b)

    def difference(self, a: Node, b: Node) -> Node:
        return self._one(table.DIFFERENCE, a, b)

    def meet(self, a: Node, b: Node) -> Node:
        return self._one(table.MEET, a, b)

    def select(self, states: Node, condition: Node) -> Node:
        return self._one(many_events.SELECT, states, condition)

    def single(self, bits: Bits) -> Node:
        found = START
        for level in range(self.levels - 1, -1, -1):
            if bits[level]:
                found = self._node(level, NOTHING, found)
        return found

    def node(self, level: int, low: Node, high: Node) -> Node:
        return self._node(level, low, high) if high else low

    def first(self, states: Node) -> list[int] | None:
        if not states:
            return None
        bits = [0] * self.levels
        while states != START:
            level, low, high = self._read(states)
            bits[level] = int(not low)
            states = low or high
        return bits

    def has(self, states: Node, bits: Bits) -> bool:
        at = 0
        while states > START:
            level, low, high = self._read(states)
            if any(bits[at:level]):
                return False
            states, at = (high if bits[level] else low), level + 1
        return states == START and not any(bits[at:])

    def count(self, states: Node) -> int:
        if states < 2:
            return states
        n, words = self._list([states]), 2
        while True:
            counts = np.zeros((n + 2, words), np.uint64)
            if reading.counted(self._nodes, self._places, self._found, n, counts):
                reading.forget(self._places, self._found, n)
                return int.from_bytes(counts[n + 1].astype("<u8").tobytes(), "little")
            words *= 2

    def size(self, *roots: Node) -> int:
        n = self._list(roots)
        reading.forget(self._places, self._found, n)
        return n

    def nodes_of(self, states: Node) -> list[tuple[Node, int, Node, Node]]:
        n = self._list([states])
        reading.forget(self._places, self._found, n)
        found = self._found[:n]
        below, level = self._nodes[2 * found], self._nodes[2 * found + np.uint64(1)] >> np.uint64(32)
        low, high = below & table.LOW32, below >> np.uint64(32)
        return list(zip(found.tolist(), level.tolist(), low.tolist(), high.tolist(), strict=True))

    # -------------------------------------------------- events

    def image(self, states: Node, event: int) -> Node:
        return self._one(many_events.SELECT, states, *self.events[event])

    def images(self, states: Node, first: int, last: int) -> Node:
        return self._many(many_events.IMAGES, NOTHING, first, last, states)

    def chain(self, states: Node, first: int, last: int) -> Node:
        return self._many(many_events.CHAIN, states, first, last)

    def preimage(self, states: Node, event: int, within: Node) -> Node:
        return self._one(many_events.CAME, states, *self.events[event], within)

    def preimages(self, states: Node, first: int, last: int, within: Node) -> Node:
        return self._many(many_events.PREIMAGES, NOTHING, first, last, states, within)

    # -------------------------------------------------- room

    def keep(self, node: Node) -> Node:
        self._kept[node] += 1
        return node

    def drop(self, node: Node) -> None:
        self._kept[node] -= 1
        if not self._kept[node]:
            del self._kept[node]

    def tidy(self, *roots: Node) -> None:
        if self.nodes > self._sweep_at:
            self._sweep(roots)

    # -------------------------------------------------- kernels, paused and gone on with

    def _one(self, op: int, a: Node, b: Node, c: int = 0, d: Node = 0) -> Node:
        if op == many_events.CAME:
            self._begin_came()
        self._written()
        found = 0

        def run() -> None:
            nonlocal found
            found = many_events.one(*self._tables(), op, a, b, c, d)

        self._run(run)
        return found

    def _many(
        self, op: int, found: Node, first: int, last: int, states: Node = NOTHING, within: Node = NOTHING
    ) -> Node:
        if op == many_events.PREIMAGES:
            self._begin_came()
        self._written()
        self._now[AT], self._now[STEP], self._now[ACC], self._now[X] = first, 0, found, 0

        def run() -> None:
            many_events.many(*self._tables(), self._event_words, op, states, within, last)

        self._run(run, (found, states, within))
        found, self._now[ACC] = int(self._now[ACC]), 0
        return found

    def _tables(self) -> tuple[Words, NDArray[np.uint32], Words, Words, Words, Words, Words]:
        return self._nodes, self._heads, self._cache, self._came, self._now, self._stack, self._puts

    def _run(self, kernel: Callable[[], None], roots: tuple[Node, ...] | None = None) -> None:
        """Run a kernel until it is done. Swept is only where it is said what else has to be kept."""
        now = self._now
        try:
            kernel()
            while now[PAUSED]:
                now[PAUSED] = 0
                self.look()
                self._make_room(roots)
                kernel()
        except BaseException:
            self._height = int(now[table.OUTER_SP]) if now[table.OUTER] else 0
            now[PAUSED] = now[table.INNER] = now[table.OUTER] = now[ACC] = now[X] = 0
            raise

    def _make_room(self, roots: tuple[Node, ...] | None) -> None:
        """Sweep where that is worth while, or let tables grow; say how many steps the kernel may go now."""
        if roots is not None and self.nodes > self._sweep_at:
            self._sweep(roots)
        if self.nodes + 2 > len(self._heads):
            self._more_heads()
        self._more_relations()
        if self._free() <= self.limit >> 10:
            if roots is not None:
                self._sweep(roots)
            if self._free() <= self.limit >> (10 if roots is None else 4):  # soon it would be swept again
                raise OverBudget(f"the limit of {self.limit:,} nodes was reached")
        self._now[LEFT] = max(1, min(self._stride, self._free(), len(self._heads) - self.nodes))

    def _reserved(self) -> Words:
        """Room for all nodes that there may be. It takes no memory before it is written to."""
        while True:
            try:
                return np.empty(2 * (self.limit + 2 + SLACK), np.uint64)
            except MemoryError:
                self.limit //= 2

    def _free(self) -> int:
        """How many nodes there is room for."""
        return len(self._nodes) // 2 - int(self._now[USED]) - SLACK

    def _more_heads(self) -> None:
        """Twice as many chains, and results that are remembered."""
        now = self._now
        self._heads = np.zeros(2 * len(self._heads), np.uint32)
        now[table.HEADS_SHIFT] -= 1
        room.rehash(self._nodes, self._heads, now)
        if len(self._cache) < 2 * CACHE:
            larger = np.zeros(2 * len(self._cache), np.uint64)
            now[table.CACHE_SHIFT] -= 1
            room.spread(self._cache, larger, now)
            self._cache = larger

    def _begin_came(self) -> None:
        """A cache of preimages, as many bytes as the other one."""
        if len(self._came) < len(self._cache):
            larger = np.zeros(len(self._cache), np.uint64)
            self._now[table.CAME_SHIFT] = 65 - (len(larger) // 4).bit_length()
            room.spread_came(self._came, larger, self._now)
            self._came = larger

    def _sweep(self, roots: Sequence[Node]) -> None:
        now = self._now
        now[PEAK] = self.peak
        alive = [np.array([*roots, *self._kept, now[ACC]], np.uint64)]
        inner, outer = bool(now[table.INNER]), bool(now[table.OUTER])
        height = int(now[table.INNER_SP] if inner else now[table.OUTER_SP] if outer else 0)
        frames = self._stack[:height].reshape(-1, FRAME)[:, :4]
        alive += [frames[:, :3].ravel() >> np.uint64(32), frames.ravel() & table.LOW32]
        alive.append(now[[table.INNER_R] * inner + [table.OUTER_R] * outer])
        marks = np.zeros((int(now[TOP]) >> 6) + 1, np.uint64)
        every = np.concatenate(alive)
        room.sweep(
            self._nodes, self._heads, self._cache, self._came, now, marks, self._todo, every, self._sealed
        )
        self.sweeps += 1
        self._sweep_at = min(max(self._least, 2 * self.nodes), 3 * self.limit // 4) if self._least else 0

    # -------------------------------------------------- nodes

    def _node(self, level: int, low: Node, high: Node) -> Node:
        self._make_room(None)
        parts = (np.uint64(level), np.uint64(low), np.uint64(high))
        return int(table.node_of(self._nodes, self._heads, self._now, *parts))

    def _read(self, node: Node) -> tuple[int, Node, Node]:
        below, level = int(self._nodes[2 * node]), int(self._nodes[2 * node + 1]) >> 32
        return level, below & 0xFFFFFFFF, below >> 32

    def _list(self, roots: Sequence[Node]) -> int:
        """Put the nodes of some diagrams into `_found`, with their places into `_places`; how many there are."""
        if len(self._places) < len(self._nodes) // 2:
            self._places = np.zeros(len(self._nodes) // 2, np.uint32)
        n, i = 0, 0
        while i < len(roots):
            m = reading.listed(self._nodes, self._places, self._todo, np.uint64(roots[i]), self._found, n)
            if m < 0:
                reading.forget(self._places, self._found, len(self._found))
                self._found, n, i = np.zeros(4 * len(self._found), np.uint64), 0, 0
            else:
                n, i = m, i + 1
        return n

    def _written(self) -> None:
        """Events and puts that were added, as the kernels have them."""
        if len(self._puts) <= len(self._put_numbers):
            words = [level | after << 32 | value << 63 for level, value, after in self._put_numbers]
            self._puts = np.array([self.levels, *words], np.uint64)
        if len(self._event_words) < len(self.events):
            words = [condition | put << 32 for condition, put in self.events]
            self._event_words = np.array(words, np.uint64)
