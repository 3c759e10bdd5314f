"""Shortest paths, found by going back over the levels: nothing was kept of how a state was reached.

A goal is a set of words of one level. The words of the level before that lead to it are found by expanding that level
again, and so on to an initial state; then forward, always by the first transition that stays among them. That is the
path that the plain engine finds: the fewest steps, and of those the first by the order of initial states and of
transitions.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cutproof.checks.engines.fast.clusters import Words
from cutproof.checks.engines.fast.engine import Engine
from cutproof.checks.engines.fast.kernels.choice import kernels
from cutproof.checks.engines.fast.levels import Levels
from cutproof.checks.engines.fast.visited import Visited
from cutproof.checks.engines.plain.search import inside
from cutproof.checks.engines.verdict import Path
from cutproof.model.language.codegen import DomainError

GOALS = 64  # followed at a time: one bit each
ROWS = 1 << 14

Goal = tuple[int, Words]  # a level, and words of it


@dataclass
class Ways:
    """For each level the words that lead to some goals, and to which (bits)."""

    words: dict[int, Words]
    bits: dict[int, npt.NDArray[np.uint64]]

    def leads(self, level: int, word: int, goal: int) -> bool:
        """Whether a word of a level leads to a goal."""
        words = self.words[level]
        at = int(np.searchsorted(words, np.uint64(word)))
        return at < len(words) and int(words[at]) == word and bool(int(self.bits[level][at]) >> goal & 1)


def paths(
    engine: Engine,
    levels: Levels,
    goals: Mapping[Any, Goal],
    starts: Sequence[int],
    shared: Callable[[Any], Hashable] = lambda name: name,
) -> dict[Any, Path]:
    """The path to each goal, from one of the `starts` (packed).

    Goals that `shared` gives one name are followed together: no word may lead to two of them."""
    found, groups = dict[Any, Path](), dict[Hashable, list[Any]]()
    for name in sorted(goals, key=lambda name: (goals[name][0], str(name))):
        groups.setdefault(shared(name), []).append(name)
    together = list(groups.values())
    for low in range(0, len(together), GOALS):
        some = together[low : low + GOALS]
        ways = _ways(engine, levels, [(bit, goals[name]) for bit, names in enumerate(some) for name in names])
        for bit, names in enumerate(some):
            for name in names:
                found[name] = _forward(engine, ways, bit, goals[name], starts)
    return found


def _ways(engine: Engine, levels: Levels, goals: Sequence[tuple[int, Goal]]) -> Ways:
    ways, after = Ways({}, {}), Visited()
    bits: list[npt.NDArray[np.uint64]] = []
    for level in range(max(depth for _, (depth, _) in goals), -1, -1):
        words, mine = list[Words](), list[npt.NDArray[np.uint64]]()
        if len(after):
            for chunk in levels.chunks(level, engine.layout, ROWS):
                told = np.zeros(len(chunk), np.uint64)
                for source, _, target in engine.edges(chunk):
                    for places, which, part in after.find(target):
                        kernels.any_of(bits[part], places, source[which], told)
                words.append(chunk[told != 0])
                mine.append(told[told != 0])
        for bit, (depth, some) in goals:
            if depth == level:
                words.append(some)
                mine.append(np.full(len(some), np.uint64(1 << bit)))
        ways.words[level], ways.bits[level] = _united(np.concatenate(words), np.concatenate(mine))
        after, bits = _marked(ways.words[level], ways.bits[level])
    return ways


def _united(words: Words, bits: npt.NDArray[np.uint64]) -> tuple[Words, npt.NDArray[np.uint64]]:
    """Words in order, each once, with all of its bits."""
    order = np.argsort(words, kind="stable")
    words, bits = words[order], bits[order]
    first = (
        np.flatnonzero(np.concatenate([[True], words[1:] != words[:-1]]))
        if len(words)
        else np.zeros(0, np.int64)
    )
    return words[first], np.bitwise_or.reduceat(bits, first) if len(words) else bits


def _marked(words: Words, bits: npt.NDArray[np.uint64]) -> tuple[Visited, list[npt.NDArray[np.uint64]]]:
    """A set of the words, and for each of its parts the bits by place."""
    known = Visited()
    known.pour(words)
    by_place = [np.zeros(table.size, np.uint64) for table in known.tables]
    for places, which, part in known.find(words):
        by_place[part][places] = bits[which]
    return known, by_place


def _forward(engine: Engine, ways: Ways, bit: int, goal: Goal, starts: Iterable[int]) -> Path:
    compiled, layout, (depth, words) = engine.compiled, engine.layout, goal
    same = layout.bits(
        i for i, c in enumerate(layout.clusters) if c.apart
    )  # where its runs begin says no transition
    begun = int(words[0]) & same
    first = {p: layout.canonical(layout.word(p)) for p in starts}
    state = next(p for p, word in first.items() if word & same == begun and ways.leads(0, word, bit))
    states, numbers = [compiled.unpack(state)], list[int]()
    for level in range(1, depth + 1):
        on = (
            s for s in steps_of(engine, state) if ways.leads(level, layout.canonical(layout.word(s[1])), bit)
        )
        number, state = next(on)
        states.append(compiled.unpack(state))
        numbers.append(number)
    return Path(tuple(states), tuple(numbers))


def steps_of(engine: Engine, packed: int) -> list[tuple[int, int]]:
    """The steps from a packed state that stay inside their domains, in order."""
    compiled = engine.compiled
    try:
        return compiled.successors_packed(packed)
    except DomainError:
        return [(n, compiled.pack(s)) for n, s in inside(compiled.protocol, compiled.unpack(packed))]
