"""The engine of the fast search: what rows lead to and where claims hold, on several threads.

It knows no levels and no set of rows: `search.py` has these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from cutproof.checks.engines.fast.kernels.choice import ROOM, kernels
from cutproof.checks.engines.fast.kernels.layout import BLOCK, LANES
from cutproof.checks.engines.fast.program import Judging, Numbers, Program, Words
from cutproof.checks.engines.fast.states import singles
from cutproof.checks.engines.fast.visited import Visited, padded, whole_blocks
from cutproof.model.language import expressions as ex
from cutproof.model.language.circuit import Layout, told_of
from cutproof.model.language.codegen import Compiled
from cutproof.model.language.protocol import Claim, Protocol

ROWS = max(1 << 14, ROOM // 16)  # that a worker expands at a time, whole blocks
EDGES = 1 << 18  # steps that are looked at one by one at a time
DEGREES = 1024

Flags = npt.NDArray[np.uint8]


class Desk:
    """What one worker writes to."""

    def __init__(self, program: Program, transitions: int, parts: int) -> None:
        size = ROOM + BLOCK * (1 + len(program.steps.spans))
        self.planes = planes_for(program.nodes)
        self.out = np.empty((program.k + 1, size), np.uint64)
        self.split = np.empty((parts, program.k + 1, size), np.uint64) if parts > 1 else self.out[None]
        self.fill = np.zeros(parts, np.int64)
        self.moved, self.left = np.empty(ROWS, np.uint64), np.empty(ROWS, np.uint64)
        self.fired = np.zeros(transitions, np.int64)


def planes_for(nodes: int) -> Words:
    """Room for so many planes."""
    return np.zeros((nodes, LANES), np.uint64)


class Engine:
    """What expands and judges rows, on `workers` threads. `use` says how states are laid out."""

    def __init__(
        self, protocol: Protocol, claims: Sequence[Claim], layout: Layout, compiled: Compiled, workers: int,
        blocks: Sequence[Sequence[Sequence[str]]] = (),
    ) -> None:  # fmt: skip
        self.protocol, self.claims, self.compiled, self.workers, self.alike = (
            protocol,
            claims,
            compiled,
            workers,
            blocks,
        )
        told = [(i, told_of(c)) for i, c in enumerate(claims)]
        self.told = {i: term for i, term in told if term is not ex.FALSE}
        self.fired = np.zeros(len(protocol.transitions), np.int64)
        self.pool = ThreadPoolExecutor(workers - 1) if workers > 1 else None
        self.desks = list[Desk]()
        self.use(layout)
        self._load()

    def use(self, layout: Layout) -> None:
        """Rows are laid out so from now on."""
        self.count()
        self.layout, self.k, self.kk = layout, layout.words, (0,) * layout.words
        self.program = Program(layout)
        self.judging = Judging(layout, list(self.told.values()))
        self.blocks = pieces(layout, self.alike)
        self.desks = [Desk(self.program, len(self.fired), self.workers) for _ in range(self.workers)]

    def _load(self) -> None:
        """Have the loops loaded (and, the first time on a machine, compiled) that a search is made of, before one
        begins: they go over rows of no state."""
        rows, visited = np.zeros((self.k + 1, BLOCK), np.uint64), Visited(self.k, self.workers)
        for desk in self.desks:
            self.expand(desk, rows, 0, BLOCK, False)
            for part in range(self.workers):
                visited.add(part, desk.split[part], 0, 0)
        visited.grow()
        visited.take()
        self.holding(self.judging, rows)

    def together(self, work: Callable[..., Any], arguments: Sequence[tuple[Any, ...]]) -> list[Any]:
        """`work` for each tuple of arguments, on the workers, in order."""
        if self.pool is None or len(arguments) < 2:
            return [work(*a) for a in arguments]
        others = [self.pool.submit(work, *a) for a in arguments[1:]]
        return [work(*arguments[0]), *(other.result() for other in others)]

    def close(self) -> None:
        """End the threads."""
        if self.pool:
            self.pool.shutdown()

    def count(self) -> None:
        """Bring the counts of the desks into `fired`."""
        for desk in self.desks:
            self.fired += desk.fired
            desk.fired[:] = 0

    # -------------------------------------------------- expanding

    def expand(self, desk: Desk, rows: Words, low: int, high: int, want: bool) -> tuple[int, bool, bool]:
        """What rows[low:high], whole blocks, lead to, into the desk's buffers: (the first row not done, whether
        `desk.moved` has states that no step changes, whether `desk.left` has states from which a domain is left)."""
        program = self.program
        row, n, stuck, gone = kernels.expand(
            desk.planes, rows, low, min(high, low + ROWS), self.kk, program.gates, program.steps, self.blocks,
            desk.fired, desk.moved, desk.left, want, desk.out, ROOM,
        )  # fmt: skip
        if self.workers > 1:
            desk.fill[:] = 0
            kernels.scatter(desk.out, n, self.kk, self.workers, desk.split, desk.fill)
        else:
            desk.fill[0] = n
        return row, stuck, gone

    def edges(self, rows: Words, allowed: Flags | None = None) -> Iterator[tuple[Numbers, Numbers, Words]]:
        """The steps of the states of some rows by `allowed` transitions (or all), some at a time: from which state (its
        place in the order of rows and bits), by which transition, to which state, as a row."""
        allowed = np.ones(len(self.fired), np.uint8) if allowed is None else allowed
        room = EDGES + BLOCK * len(allowed)
        source, number = np.empty(room, np.int64), np.empty(room, np.int64)
        target = np.empty((self.k + 1, room), np.uint64)
        each, planes, low, program = padded(singles(rows)), planes_for(self.program.nodes), 0, self.program
        while low < each.shape[1]:
            low, n = kernels.edges(
                planes, each, low, each.shape[1], self.kk, program.gates, program.steps, self.blocks, allowed, source,
                number, target,
            )  # fmt: skip
            yield source[:n], number[:n], target[:, :n]

    def leaving(self, rows: Words) -> Words:
        """The states of each row from which an action leaves its domain."""
        found, desk, low, padding = (
            np.zeros(whole_blocks(rows.shape[1]), np.uint64),
            self.desks[0],
            0,
            padded(rows),
        )
        fired = desk.fired.copy()
        while low < padding.shape[1]:
            row, _, gone = self.expand(desk, padding, low, padding.shape[1], False)
            if gone:
                found[low:row] = desk.left[: row - low]
            low = row
        desk.fired[:] = fired  # these were counted when they were found
        return found[: rows.shape[1]]

    def leads(self, rows: Words, allowed: Flags, visited: Visited, marks: Words) -> Words:
        """By row and mark, the states from which an `allowed` transition leads to another one that is marked: `marks`
        has, by place of the set and mark, the marked states."""
        padding, program = padded(rows), self.program
        found = np.zeros((padding.shape[1], marks.shape[1]), np.uint64)
        self.together(
            lambda low, high: kernels.leads(
                planes_for(program.nodes), padding, low, high, self.kk, program.gates, program.steps, self.blocks,
                allowed, visited.table, visited.parts, marks, found[low:high],
            ),
            self._shares(padding.shape[1]),
        )  # fmt: skip
        return found[: rows.shape[1]]

    def spread(
        self,
        rows: Words,
        at: Numbers,
        allowed: Flags,
        visited: Visited,
        marks: Words,
        stays: Words | None = None,
    ) -> Flags:
        """Mark the states of rows that lead to marked ones (`leads`), or with `stays` unmark those that do not and are
        not in it. By row: bit 0 where states are not marked (are marked) after that, bit 1 where something changed."""
        padding, program, size = padded(rows), self.program, whole_blocks(rows.shape[1])
        places, still = np.zeros(size, np.int64), np.zeros(size, np.uint8)
        places[: len(at)] = at
        keep = np.zeros(size, np.uint64)
        if stays is not None:
            keep[: len(at)] = stays
        self.together(
            lambda low, high: kernels.spread(
                planes_for(program.nodes), padding, low, high, places, self.kk, program.gates, program.steps,
                self.blocks, allowed, visited.table, visited.parts, marks, keep, stays is not None, still,
            ),
            self._shares(size),
        )  # fmt: skip
        return still[: len(at)]

    def degrees(self, rows: Words) -> Numbers:
        """How many states of some rows fire so many transitions, by that number."""
        padding, program = padded(rows), self.program

        def counted(low: int, high: int) -> Numbers:
            counts = np.zeros(DEGREES, np.int64)
            kernels.degrees(
                planes_for(program.nodes), padding, low, high, self.kk, program.gates, program.steps, counts
            )
            return counts

        return sum(self.together(counted, self._shares(padding.shape[1])), np.zeros(DEGREES, np.int64))

    def _shares(self, rows: int) -> list[tuple[int, int]]:
        """As many ranges of whole blocks as there are workers."""
        blocks = rows // BLOCK
        cuts = [blocks * i // self.workers * BLOCK for i in range(self.workers + 1)]
        return [(a, b) for a, b in pairwise(cuts) if a < b]

    # -------------------------------------------------- judging

    def judge(self, rows: Words, watched: set[int]) -> dict[int, Words]:
        """By claim, the states that it can be told of: of an *always* that it is false, of another that it holds.
        `rows` are whole blocks."""
        order = list(self.told)
        wanted = np.array([claim in watched for claim in order], np.uint8)
        found = self.holding(self.judging, rows, wanted) if wanted.any() else {}
        return {order[term]: some for term, some in found.items()}

    def told_by_row(self, rows: Words, claims: Sequence[int]) -> Words:
        """By row and claim, the states that the claim can be told of."""
        order = list(self.told)
        found = np.zeros((max(1, len(order)), whole_blocks(rows.shape[1])), np.uint64)
        wanted = np.array([claim in claims for claim in order], np.uint8)
        padding, judging = padded(rows), self.judging
        self.together(
            lambda low, high: kernels.judge(
                planes_for(judging.nodes), padding, low, high, self.kk, judging.gates, judging.told, judging.masks,
                wanted, found[:, low:high], np.zeros(len(wanted), np.uint8),
            ),
            self._shares(padding.shape[1]),
        )  # fmt: skip
        empty = np.zeros(rows.shape[1], np.uint64)
        mine = [found[order.index(c), : rows.shape[1]] if c in self.told else empty for c in claims]
        return np.stack(mine, axis=1)

    def holding(self, judging: Judging, rows: Words, wanted: Flags | None = None) -> dict[int, Words]:
        """By the number of a term (of the `wanted`, or all), the states in which it holds. `rows` are whole blocks."""
        flags = np.ones(len(judging.terms), np.uint8) if wanted is None else wanted
        done = self.together(
            lambda low, high: self._holding(judging, rows, low, high, flags), self._shares(rows.shape[1])
        )
        terms = sorted({term for some in done for term in some})
        return {term: np.concatenate([some[term] for some in done if term in some], axis=1) for term in terms}

    def _holding(
        self, judging: Judging, rows: Words, first: int, last: int, wanted: Flags
    ) -> dict[int, Words]:
        planes, parts = planes_for(judging.nodes), dict[int, list[Words]]()
        found = np.zeros((len(wanted), min(ROWS, last - first)), np.uint64)
        for low in range(first, last, ROWS):
            high = min(last, low + ROWS)
            hit = np.zeros(len(wanted), np.uint8)
            kernels.judge(
                planes, rows, low, high, self.kk, judging.gates, judging.told, judging.masks, wanted, found, hit,
            )  # fmt: skip
            for term in np.flatnonzero(hit).tolist():
                at = np.flatnonzero(found[term, : high - low])
                some = rows[:, low + at]
                some[-1] = found[term, at]
                parts.setdefault(term, []).append(some)
                found[term] = 0
        return {term: np.concatenate(some, axis=1) for term, some in parts.items()}


def pieces(layout: Layout, alike: Sequence[Sequence[Sequence[str]]]) -> Numbers:
    """The blocks of interchangeable values as `kernels.canonical` takes them: (set, block, word, offset, width)."""
    found, block = list[tuple[int, int, int, int, int]](), 0
    for number, same in enumerate(alike):
        for names in same:
            for name in names:
                if name in layout.places:
                    place = layout.places[name]
                    found.append((number, block, place.offset // 64, place.offset % 64, place.width))
            block += 1
    return np.array(found, np.int64).reshape(-1, 5)
