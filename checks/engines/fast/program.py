"""A translation as arrays: what the inner loops interpret. Nothing of a protocol is compiled.

Gates stand so that those of one kind follow one another; a plane is asked for as it is, never as a complement. Cases
that change a key alike are one *effect*, so that one look into the set settles them all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cutproof.checks.engines.fast.kernels.layout import CASES
from cutproof.model.language.circuit import Case, Circuit, Edge, Effect, Layout, Leaving, Translation
from cutproof.model.language.expressions import Term

Words = npt.NDArray[np.uint64]
Numbers = npt.NDArray[np.int64]

LOW = (1 << 64) - 1


class Gates(NamedTuple):
    """Runs of gates of one kind, (kind, from, to), and the planes that each gate reads."""

    runs: Numbers
    a: npt.NDArray[np.int32]
    b: npt.NDArray[np.int32]


class Steps(NamedTuple):
    """What transitions do. Of an effect: `spans`, (cases, the first of them, computed bits, the first of them), and
    `words`, by keep, put, add. Of a case: `cases`, (plane, transition, shift to the left, to the right), and `masks`.
    Of a computed bit: its plane in `bits`, its words in `bit_words`. Of a leaving: `leaving`, (plane, transition), and
    `leaving_masks`."""

    spans: Numbers
    words: Words
    cases: Numbers
    masks: Words
    bits: Numbers
    bit_words: Words
    leaving: Numbers
    leaving_masks: Words


class Program:
    """The steps of a protocol in a layout, as arrays."""

    def __init__(self, layout: Layout) -> None:
        self.k = layout.words
        translation = Translation(layout)
        cases, leaving = translation.cases()
        together = dict[Effect, list[Case]]()
        for case in cases:
            together.setdefault(case.effect, []).append(case)
        wanted = [c.condition for c in cases] + [c.condition for c in leaving]
        wanted += [edge for effect in together for edge, _ in effect.computed]
        self.gates, at = ordered(translation.circuit, wanted, self.k)
        self.steps = self._steps(together, leaving, at)

    @property
    def nodes(self) -> int:
        """Planes that the inner loops need room for."""
        return 1 + 64 * self.k + len(self.gates.a) + 1

    def _steps(
        self, together: dict[Effect, list[Case]], leaving: list[Leaving], at: dict[Edge, int]
    ) -> Steps:
        spans, cases, masks = list[tuple[int, ...]](), list[tuple[int, ...]](), list[int]()
        words, bits, bit_words = list[list[list[int]]](), list[int](), list[list[int]]()
        for effect, some in together.items():
            for low in range(0, len(some), CASES):
                mine = some[low : low + CASES]
                spans.append((len(mine), len(cases), len(effect.computed), len(bits)))
                words.append([self._words(effect.keep), self._words(effect.put), self._words(effect.add)])
                for c in mine:
                    cases.append((at[c.condition], c.transition, max(c.shift, 0), max(-c.shift, 0)))
                    masks.append(c.mask)
                bits += [at[edge] for edge, _ in effect.computed]
                bit_words += [self._words(bit) for _, bit in effect.computed]
        return Steps(
            _numbers(spans, 4), np.array(words, np.uint64).reshape(-1, 3, self.k), _numbers(cases, 4),
            np.array(masks, np.uint64), np.array(bits, np.int64), np.array(bit_words, np.uint64).reshape(-1, self.k),
            _numbers([(at[x.condition], x.transition) for x in leaving], 2),
            np.array([x.mask for x in leaving], np.uint64),
        )  # fmt: skip

    def _words(self, number: int) -> list[int]:
        return [number >> 64 * word & LOW for word in range(self.k)]


class Judging:
    """Where some boolean terms hold, as arrays."""

    def __init__(self, layout: Layout, terms: Sequence[Term]) -> None:
        self.k, self.terms = layout.words, tuple(terms)
        translation = Translation(layout)
        told = translation.told(terms)
        self.gates, at = ordered(translation.circuit, [t.condition for t in told], self.k)
        self.told = _numbers([(at[t.condition], t.term) for t in told], 2)
        self.masks = np.array([t.mask for t in told], np.uint64)

    @property
    def nodes(self) -> int:
        """Planes that the inner loops need room for."""
        return 1 + 64 * self.k + len(self.gates.a) + 1


def ordered(circuit: Circuit, wanted: Sequence[Edge], k: int) -> tuple[Gates, dict[Edge, int]]:
    """The gates that some edges need, those of one kind in runs; and the plane of each edge. The plane of what is
    always so is the last one."""
    plane = {edge: circuit.plane(edge) for edge in wanted}
    first, needed, todo = 1 + circuit.inputs, set[int](), [edge >> 1 for edge in plane.values()]
    while todo:
        node = todo.pop()
        if node >= first and node not in needed:
            needed.add(node)
            todo += [edge >> 1 for edge in circuit.gates[node - first][1:]]
    uses, waits, ready = dict[int, list[int]](), dict[int, int](), [list[int]() for _ in range(4)]
    for node in sorted(needed):
        kind, *edges = circuit.gates[node - first]
        before = {edge >> 1 for edge in edges if edge >> 1 >= first}
        waits[node] = len(before)
        for other in before:
            uses.setdefault(other, []).append(node)
        if not before:
            ready[kind].append(node)
    inputs = 64 * k
    order, runs, where = list[int](), [], {n: n for n in range(first)}
    while any(ready):
        kind = max(range(4), key=lambda k: len(ready[k]))
        low = len(order)
        while ready[kind]:
            node = ready[kind].pop()
            where[node] = 1 + inputs + len(order)
            order.append(node)
            for other in uses.get(node, ()):
                waits[other] -= 1
                if not waits[other]:
                    ready[circuit.gates[other - first][0]].append(other)
        runs.append((kind, low, len(order)))
    pairs = [[where[edge >> 1] for edge in circuit.gates[node - first][1:]] for node in order]
    a, b = (np.array([pair[i] for pair in pairs], np.int32) for i in (0, 1))
    always = 1 + inputs + len(order)
    at = {edge: always if edge == 1 else where[p >> 1] for edge, p in plane.items()}
    return Gates(_numbers(runs, 3), a, b), at


def _numbers(rows: Sequence[Sequence[int]], columns: int) -> Numbers:
    return np.array(rows, np.int64).reshape(-1, columns)
