"""Runs that together take every edge of an explored graph.

A run goes on greedily: by an edge that none took yet, else by the shortest way to one. Where a new run from the start
comes to one by fewer steps, or this one is as long as it may be, it ends and the next begins. The same everywhere.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from cutproof.checks.engines.exploration import Edges, Exploration

AROUND = 2_000  # states that are looked at for the next edge


class Tour(NamedTuple):
    """One run: the number of its first state, and of the edges that it takes, one after the other."""

    start: int
    edges: tuple[int, ...]


def tours(found: Exploration, longest: int) -> Iterator[Tour]:
    """Runs that together take every edge of an exploration that kept its edges. None is longer than `longest` steps, or
    than the shortest way to the edge for which it was begun."""
    if found.edges is None:
        raise ValueError("the exploration kept no edges")
    making = _Making(found, found.edges)
    while (start := making.next_start()) is not None:
        yield making.run(start, longest)


class _Making:
    """`left[n]` counts the edges out of state n that no run takes yet."""

    def __init__(self, found: Exploration, edges: Edges) -> None:
        self.found, self.edges = found, edges
        self.taken = bytearray(len(edges.targets))
        starts = edges.starts
        self.left = [starts[n + 1] - starts[n] for n in range(len(starts) - 1)]
        self.left += [0] * (len(found.states) - len(self.left))  # found, and not expanded
        self.place = list(starts[:-1])  # where to look for the next edge that is left
        self.behind = 0  # states before this one have none left
        self.depths = self._depths()

    def _depths(self) -> list[int]:
        """How many steps each state is from the start: they were found in that order."""
        depths = [0] * len(self.found.states)
        for number in range(len(depths)):
            if self.found.via[number] >= 0:
                depths[number] = depths[self.found.parents[number]] + 1
        return depths

    def next_start(self) -> int | None:
        """The state nearest to the start that has an edge left."""
        left = self.left
        while self.behind < len(left) and not left[self.behind]:
            self.behind += 1
        return self.behind if self.behind < len(left) else None

    def run(self, target: int, longest: int) -> Tour:
        """A run to this state, and on from there."""
        start, steps = self._to(target)
        here = target
        for edge in steps:
            self._take(edge)
        while len(steps) < max(longest, self.depths[target] + 1):
            best = self._best(here)
            way = [best] if best is not None else self._way(here, longest - len(steps) - 1)
            if not way:
                break
            for edge in way:
                self._take(edge)
                steps.append(edge)
            here = self.edges.targets[steps[-1]]
        return Tour(start, tuple(steps))

    def _to(self, target: int) -> tuple[int, list[int]]:
        """The shortest way from the start, as the search found it."""
        found, edges, steps = self.found, self.edges, list[int]()
        while found.via[target] >= 0:
            parent, via = found.parents[target], found.via[target]
            first, last = edges.starts[parent], edges.starts[parent + 1]
            steps.append(next(e for e in range(first, last) if edges.numbers[e] == via))
            target = parent
        return target, steps[::-1]

    def _take(self, edge: int) -> None:
        if not self.taken[edge]:
            self.taken[edge] = 1
            self.left[self._source(edge)] -= 1

    def _source(self, edge: int) -> int:
        starts, low, high = self.edges.starts, 0, len(self.edges.starts) - 1
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if starts[middle] <= edge else (low, middle)
        return low

    def _best(self, here: int) -> int | None:
        """An edge out of this state that none took: first one that leads to where more are left; None if there is
        none."""
        if not self.left[here]:
            return None
        edges, best, most = self.edges, None, -1
        while self.taken[self.place[here]]:
            self.place[here] += 1
        for edge in range(self.place[here], edges.starts[here + 1]):
            if not self.taken[edge]:
                there = edges.targets[edge]
                if there == here:
                    return edge
                if self.left[there] > most:
                    best, most = edge, self.left[there]
        return best

    def _way(self, here: int, longest: int) -> list[int]:
        """The shortest way to a state with an edge left; nothing where a new run comes to one as fast."""
        start = self.next_start()
        if start is None:
            return []
        longest = min(longest, self.depths[start])
        edges, came = self.edges, {here: (-1, 0)}
        queue = deque([here])
        while queue and len(came) < AROUND:
            state = queue.popleft()
            depth = came[state][1] + 1
            if depth > longest or state + 1 >= len(edges.starts):
                continue
            for edge in range(edges.starts[state], edges.starts[state + 1]):
                there = edges.targets[edge]
                if there not in came:
                    came[there] = edge, depth
                    if self.left[there]:
                        return self._back(here, there, came)
                    queue.append(there)
        return []

    def _back(self, here: int, there: int, came: dict[int, tuple[int, int]]) -> list[int]:
        steps = []
        while there != here:
            edge, _ = came[there]
            steps.append(edge)
            there = self._source(edge)
        return steps[::-1]
