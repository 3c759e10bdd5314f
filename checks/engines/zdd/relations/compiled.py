"""Relations of the compiled diagrams: a table of its own, and the walks down states and relation."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from cutproof.checks.engines.zdd.diagrams import NOTHING, Node, OverBudget, Relation
from cutproof.checks.engines.zdd.kernels import closures, table
from cutproof.checks.engines.zdd.kernels import relations as loops

Words = NDArray[np.uint64]


class CompiledRelations(ABC):
    """The part of `CompiledDiagrams` that knows of relations."""

    events: list[tuple[Node, int]]
    known: Node = NOTHING
    _height = 0  # of the stack, when the last walk was ended by force
    _nodes: Words
    _puts: Words
    _now: Words
    _stack: Words
    _cache: Words
    _heads: NDArray[np.uint32]

    def _begin_relations(self, levels: int, small: int) -> None:
        """A table with the two constants. `small`: how many there is room for at first, a power of two."""
        self._relations = np.empty(4 * small, np.uint64)
        self._relations[:8] = 0, levels << 34, 0, 0, 1, levels << 34, 1, 1 << 32
        self._chains = np.zeros(small, np.uint32)
        self._now[table.RELATIONS], self._now[table.RELATIONS_ROOM] = 2, small
        self._now[table.RELATIONS_SHIFT] = 65 - small.bit_length()

    @abstractmethod
    def _written(self) -> None:
        """Events and puts that were added, as the kernels have them."""

    @abstractmethod
    def _run(self, kernel: Callable[[], None], roots: tuple[Node, ...] | None = None) -> None:
        """Run a kernel until it is done."""

    @abstractmethod
    def _free(self) -> int:
        """How many nodes there is room for."""

    @abstractmethod
    def _read(self, node: Node) -> tuple[int, Node, Node]:
        """Level, low and high."""

    def effect(self, event: int) -> Relation:
        self._written()
        self._more_relations()
        both = self._relations, self._chains, self._now
        return int(loops.effect(self._nodes, self._puts, *both, *self.events[event]))

    def either(self, a: Relation, b: Relation) -> Relation:
        self._more_relations()
        return int(loops.either(self._relations, self._chains, self._now, a, b))

    def together(self, a: Relation, b: Relation) -> Relation:
        self._more_relations()
        return int(loops.together(self._relations, self._chains, self._now, a, b))

    def led(self, states: Node, relation: Relation) -> Node:
        return self._led(table.LED, states, relation)

    def closed(self, states: Node, relation: Relation) -> Node:
        return self._led(table.CLOSED, states, relation)

    def _led(self, op: int, states: Node, relation: Relation) -> Node:
        self._written()
        found = 0

        def run() -> None:
            nonlocal found
            tables = self._nodes, self._heads, self._cache, self._now, self._stack, self._puts
            found = int(closures.led(*tables, self._relations, self._chains, op, states, relation))

        self.known = NOTHING
        try:
            self._run(run, (states,))
        except (OverBudget, KeyboardInterrupt):
            if op == table.CLOSED:
                self.known = self._so_far()
            raise
        return found

    def _so_far(self) -> Node:
        """What a closure that was paused knows: each call on the stack has a part of what the one below waits for."""
        frames = self._stack[: self._height].reshape(-1, table.FRAME).astype(int).tolist()
        found = NOTHING
        if self._free() <= len(frames):
            return found
        for both, also, _, third, last in reversed(frames):
            stage, states = third >> 32, both & 0xFFFFFFFF
            if stage < closures.BEGINS:  # this one only leads to states, and the next call says from which
                continue
            low, high, level = both >> 32, also & 0xFFFFFFFF, last & 0xFFFFFFFF
            here = self._read(states)
            s0, s1 = here[1:] if here[0] == level else (states, NOTHING)
            low, high = low or s0, high or s1
            if stage == closures.CLOSED_0:
                low = found or low
            elif stage == closures.CLOSED_1:
                high = found or high
            parts = (np.uint64(level), np.uint64(low), np.uint64(high))
            found = int(table.node_of(self._nodes, self._heads, self._now, *parts)) if high else low
        return found

    def _more_relations(self) -> None:
        """Twice as many places, where there are too few for the next."""
        now, size = self._now, len(self._chains)
        if int(now[table.RELATIONS]) + int(loops.MADE) <= size:
            return
        while int(now[table.RELATIONS]) + int(loops.MADE) > size:
            size, now[table.RELATIONS_SHIFT] = 2 * size, now[table.RELATIONS_SHIFT] - np.uint64(1)
        larger = np.empty(4 * size, np.uint64)
        larger[: len(self._relations)] = self._relations
        self._relations, self._chains = larger, np.zeros(size, np.uint32)
        now[table.RELATIONS_ROOM] = size
        loops.rehash(self._relations, self._chains, now)
