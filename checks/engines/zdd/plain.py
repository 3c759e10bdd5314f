"""Decision diagrams on dictionaries: what is read, the judge of the compiled ones, and the engine without numba."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence

from cutproof.checks.engines.zdd.diagrams import NOTHING, START, Bits, Look, Node, OverBudget
from cutproof.checks.engines.zdd.relations.plain import PlainRelations, Put
from cutproof.model.language.circuit import AND, ANDN, NOR, XOR

ROOM = 1 << 22  # nodes that are swept first
GONE = -1  # the level of a node that was swept
CHUNK = 512  # new nodes between two calls of `look`


class PlainDiagrams(PlainRelations):
    """See `diagrams.py`. `sweep_at` is how many nodes are there before it is worth while to sweep; 0: always."""

    def __init__(
        self, levels: int, *, limit: int = 1 << 24, sweep_at: int = ROOM, look: Look = lambda: None
    ) -> None:
        self.levels, self.limit, self.look = levels, limit, look
        super().__init__()
        self.low, self.high, self.level = [0, 0], [0, 0], [levels, levels]
        self.events: list[tuple[Node, Put]] = []
        self.peak, self.sweeps = 2, 0
        self._sweep_at = self._least = sweep_at
        self._known: dict[tuple[int, Node, Node], Node] = {}
        self._free: list[Node] = []
        self._kept, self._sealed = Counter[Node](), 2
        self._done: dict[tuple[object, ...], Node] = {}
        sys.setrecursionlimit(max(sys.getrecursionlimit(), 1000 + 8 * levels))

    @property
    def nodes(self) -> int:
        return len(self._known)

    # -------------------------------------------------- nodes

    def _node(self, level: int, low: Node, high: Node) -> Node:
        found = self._known.get((level, low, high))
        if found is None:
            if self._free:
                found = self._free.pop()
                self.level[found], self.low[found], self.high[found] = level, low, high
            else:
                found = len(self.level)
                self.level.append(level)
                self.low.append(low)
                self.high.append(high)
            self._known[level, low, high] = found
            self.peak = max(self.peak, len(self._known))
            if len(self._known) % CHUNK == 0:
                self.look()
            if len(self._known) > self.limit:
                raise OverBudget(f"the limit of {self.limit:,} nodes was reached")
        return found

    def _set(self, level: int, low: Node, high: Node) -> Node:
        return self._node(level, low, high) if high else low

    def _condition(self, level: int, low: Node, high: Node) -> Node:
        return low if low == high else self._node(level, low, high)

    def _at(self, node: Node, level: int) -> tuple[Node, Node]:
        """A set, without and with the bit of a level that is not below its own."""
        return (self.low[node], self.high[node]) if self.level[node] == level else (node, NOTHING)

    def _where(self, node: Node, level: int) -> tuple[Node, Node]:
        """A condition, without and with the bit."""
        return (self.low[node], self.high[node]) if self.level[node] == level else (node, node)

    # -------------------------------------------------- conditions

    def bit(self, level: int) -> Node:
        return self._node(level, 0, 1)

    def gate(self, kind: int, a: Node, b: Node) -> Node:
        if a < 2 and b < 2:
            return {AND: a & b, ANDN: a & (b ^ 1), NOR: (a | b) ^ 1, XOR: a ^ b}[kind]
        key = ("gate", kind, a, b)
        if key not in self._done:
            level = min(self.level[a], self.level[b])
            (a0, a1), (b0, b1) = self._where(a, level), self._where(b, level)
            self._done[key] = self._condition(level, self.gate(kind, a0, b0), self.gate(kind, a1, b1))
        return self._done[key]

    def event(self, condition: Node, put: Sequence[tuple[int, int]]) -> int:
        self.events.append((condition, tuple(put)))
        return len(self.events) - 1

    def seal(self) -> None:
        self._sealed = len(self.level)

    # -------------------------------------------------- sets

    def union(self, a: Node, b: Node) -> Node:
        if a == b or not a or not b:
            return a or b
        key = ("union", min(a, b), max(a, b))
        if key not in self._done:
            level = min(self.level[a], self.level[b])
            (a0, a1), (b0, b1) = self._at(a, level), self._at(b, level)
            self._done[key] = self._set(level, self.union(a0, b0), self.union(a1, b1))
        return self._done[key]

    def difference(self, a: Node, b: Node) -> Node:
        if a == b or not a or not b:
            return NOTHING if a == b else a
        key = ("difference", a, b)
        if key not in self._done:
            level = min(self.level[a], self.level[b])
            (a0, a1), (b0, b1) = self._at(a, level), self._at(b, level)
            self._done[key] = self._set(level, self.difference(a0, b0), self.difference(a1, b1))
        return self._done[key]

    def meet(self, a: Node, b: Node) -> Node:
        if a == b or not a or not b:
            return a if a == b else NOTHING
        key = ("meet", min(a, b), max(a, b))
        if key not in self._done:
            level = min(self.level[a], self.level[b])
            (a0, a1), (b0, b1) = self._at(a, level), self._at(b, level)
            self._done[key] = self._set(level, self.meet(a0, b0), self.meet(a1, b1))
        return self._done[key]

    def select(self, states: Node, condition: Node) -> Node:
        return self._moved(states, condition, ())

    def single(self, bits: Bits) -> Node:
        found = START
        for level in range(self.levels - 1, -1, -1):
            if bits[level]:
                found = self._set(level, NOTHING, found)
        return found

    def node(self, level: int, low: Node, high: Node) -> Node:
        return self._set(level, low, high)

    def first(self, states: Node) -> list[int] | None:
        if not states:
            return None
        bits = [0] * self.levels
        while states != START:
            if self.low[states]:
                states = self.low[states]
            else:
                bits[self.level[states]] = 1
                states = self.high[states]
        return bits

    def has(self, states: Node, bits: Bits) -> bool:
        for level, bit in enumerate(bits):
            states = self._at(states, level)[bit]
        return states == START

    def count(self, states: Node) -> int:
        counts = {NOTHING: 0, START: 1}
        for node, _, low, high in self.nodes_of(states):
            counts[node] = counts[low] + counts[high]
        return counts[states]

    def size(self, *roots: Node) -> int:
        return len({node for root in roots for node, *_ in self.nodes_of(root)})

    def nodes_of(self, states: Node) -> list[tuple[Node, int, Node, Node]]:
        found, seen, todo = list[tuple[Node, int, Node, Node]](), {0, 1}, [states]
        while todo:
            node = todo[-1]
            below = (
                [n for n in (self.low[node], self.high[node]) if n not in seen] if node not in seen else []
            )
            todo.extend(below)
            if not below:
                todo.pop()
                if node not in seen:
                    seen.add(node)
                    found.append((node, self.level[node], self.low[node], self.high[node]))
        return found

    # -------------------------------------------------- events

    def image(self, states: Node, event: int) -> Node:
        return self._moved(states, *self.events[event])

    def _moved(self, states: Node, condition: Node, put: Put) -> Node:
        """The states in which a condition holds, with constants put into them."""
        if not states or not condition:
            return NOTHING
        if condition == 1 and not put:
            return states
        key = ("moved", states, condition, put)
        if key not in self._done:
            level = min(self.level[states], self.level[condition], put[0][0] if put else self.levels)
            (s0, s1), (c0, c1) = self._at(states, level), self._where(condition, level)
            if put and put[0][0] == level:
                either = self.union(self._moved(s0, c0, put[1:]), self._moved(s1, c1, put[1:]))
                found = self._set(level, NOTHING, either) if put[0][1] else either
            else:
                found = self._set(level, self._moved(s0, c0, put), self._moved(s1, c1, put))
            self._done[key] = found
        return self._done[key]

    def images(self, states: Node, first: int, last: int) -> Node:
        found = NOTHING
        for event in range(first, last):
            found = self.union(found, self.image(states, event))
            self.tidy(found, states)
        return found

    def chain(self, states: Node, first: int, last: int) -> Node:
        for event in range(first, last):
            states = self.union(states, self.image(states, event))
            self.tidy(states)
        return states

    def preimage(self, states: Node, event: int, within: Node) -> Node:
        return self._came(states, *self.events[event], within)

    def _came(self, states: Node, condition: Node, put: Put, within: Node) -> Node:
        """The states of `within` in which the condition holds and which, with the constants put, are in `states`."""
        if not states or not condition or not within:
            return NOTHING
        if condition == 1 and not put:
            return self.meet(states, within)
        key = ("came", states, condition, put, within)
        if key not in self._done:
            level = min(
                self.level[within],
                self.level[condition],
                self.level[states],
                put[0][0] if put else self.levels,
            )
            (w0, w1), (c0, c1) = self._at(within, level), self._where(condition, level)
            s0, s1 = self._at(states, level)
            if put and put[0][0] == level:
                s0 = s1 = s1 if put[0][1] else s0
                put = put[1:]
            self._done[key] = self._set(level, self._came(s0, c0, put, w0), self._came(s1, c1, put, w1))
        return self._done[key]

    def preimages(self, states: Node, first: int, last: int, within: Node) -> Node:
        found = NOTHING
        for event in range(first, last):
            found = self.union(found, self.preimage(states, event, within))
            self.tidy(found, states, within)
        return found

    # -------------------------------------------------- room

    def keep(self, node: Node) -> Node:
        self._kept[node] += 1
        return node

    def drop(self, node: Node) -> None:
        self._kept[node] -= 1
        if not self._kept[node]:
            del self._kept[node]

    def tidy(self, *roots: Node) -> None:
        if len(self._known) <= self._sweep_at:
            return
        alive = {n for root in (*roots, *self._kept) for n, *_ in self.nodes_of(root)}
        alive |= {0, 1, *range(2, self._sealed)}
        for node in range(2, len(self.level)):
            if node not in alive and self.level[node] != GONE:
                del self._known[self.level[node], self.low[node], self.high[node]]
                self.level[node] = GONE
                self._free.append(node)
        self._done.clear()  # what it says of swept nodes is said of others soon
        self.sweeps += 1
        self._sweep_at = max(self._least, 2 * len(self._known)) if self._least else 0
