"""What can always happen, and what can go on for ever, by passes over the levels from the deepest to the first.

A state is marked where a claim holds, or where a step that somebody owes leads to a marked state. Most steps lead one
level deeper, so one pass marks nearly all; the rest is gone over until nothing changes. What stays unmarked can never
come to where the claim holds. For cycles it is the other way round: a state is open unless the claim holds there, and
open no more where no step that is no fault leads to one that is open; what stays is a cycle, or leads to one
(`rounds.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from cutproof.checks.engines.fast.program import Numbers, Words
from cutproof.checks.engines.fast.rounds import every_state, no_fault, resting, turning
from cutproof.checks.engines.fast.search import BROKEN, VectorSearch
from cutproof.checks.engines.fast.shortest_paths import Goal, paths
from cutproof.checks.engines.fast.states import bits_of, grouped
from cutproof.checks.engines.fast.visited import empty_table, merged
from cutproof.checks.engines.verdict import Path

ROWS = 1 << 16
AT_ONCE = 8  # claims that are marked together: a word each for a row
MARKS = 1 << 30  # bytes that their marks may take, where one claim alone does not

Look = Callable[[], None]


class OverBudget(Exception):
    """A limit was reached while the levels were gone over again."""


def at_once(search: VectorSearch) -> int:
    """So many claims are marked together."""
    return max(1, min(AT_ONCE, MARKS // (8 * len(search.visited.table))))


class Passes:
    """Marks of the states of a finished search, for some claims (`at_once`). `look` is called now and then."""

    def __init__(self, search: VectorSearch, claims: Sequence[int], look: Look) -> None:
        self.search, self.claims, self.look = search, list(claims), look
        self.owed = np.array([t.owed for t in search.protocol.transitions], np.uint8)
        self.no_fault = no_fault(search)
        self.marks = empty_table(len(search.visited.table), len(self.claims))
        self.every: Words | None = None

    def reach(self) -> list[Words]:
        """By claim, the states from which none where it holds can be reached. What follows a state where an action left
        its domain is not known, so these count as reaching it."""
        self.marks[:] = 0
        for place, told in self._told():
            self.marks[place] |= told
        if any(claim == BROKEN for claim, _ in self.search.first):
            for rows in self._levels():
                at, left = self.search.visited.find(rows), self.search.engine.leaving(rows)
                np.bitwise_or.at(self.marks, at, left[:, None])
        return self._until_nothing_changes(staying=False)

    def rounds(self, alone: bool = False) -> list[Words]:
        """By claim, the states from which some run goes on for ever without one where it holds: goes round, or (where
        `alone`) comes to where nothing fair is possible, and stays."""
        self.marks[:] = every = every_state(self.search)
        self.every = every if alone else None
        for place, told in self._told():
            self.marks[place] &= ~told
        return self._until_nothing_changes(staying=True)

    # -------------------------------------------------- marks

    def _levels(self) -> Iterator[Words]:
        for level in range(len(self.search.levels)):
            for rows in self.search.levels.chunks(level, ROWS):
                self.look()
                yield rows

    def _told(self) -> Iterator[tuple[Numbers, Words]]:
        """Where the claims hold: places, each once, and of each claim the states of the row there."""
        search = self.search
        for level in range(len(search.levels)):
            for chunk in search.levels.chunks(level, ROWS):
                self.look()
                rows = chunk if search.levels.as_now(level) else merged(chunk, search.layout.words)
                yield search.visited.find(rows), search.engine.told_by_row(rows, self.claims)

    def _until_nothing_changes(self, staying: bool) -> list[Words]:
        """Pass over the levels, and then over what is left: by claim, the states that are left. Where nothing changed
        among the states of one origin, nothing will."""
        search, left = self.search, [np.zeros((self.search.layout.words + 1, 0), np.uint64)]
        for level in range(len(search.levels) - 1, -1, -1):
            for rows in search.levels.chunks(level, ROWS):
                left.append(rows[:, self._pass(rows, staying) & 1 != 0])
        rest, decided = np.concatenate(left, axis=1), list[Words]()
        while rest.shape[1]:
            told = [self._pass(rest[:, low : low + ROWS], staying) for low in range(0, rest.shape[1], ROWS)]
            still = np.concatenate(told)
            origins = search.origins(rest)
            going = np.isin(origins, np.unique(origins[still & 2 != 0]))
            decided.append(rest[:, ~going & (still & 1 != 0)])
            rest = rest[:, going & (still & 1 != 0)]
        rest = np.concatenate([rest, *decided], axis=1)
        rest = merged(rest, search.layout.words)
        marks, found = self.marks[search.visited.find(rest)], list[Words]()
        for number in range(len(self.claims)):
            mine = rest.copy()
            mine[-1] &= marks[:, number] if staying else ~marks[:, number]
            found.append(mine[:, mine[-1] != 0])
        return found

    def _pass(self, rows: Words, staying: bool) -> npt.NDArray[np.uint8]:
        """Pass over rows: by row, whether states are left (bit 0), and whether something changed (bit 1)."""
        self.look()
        search, stays = self.search, None
        if staying:
            stays = turning(search, rows) if search.alike else np.zeros(rows.shape[1], np.uint64)
            if self.every is not None:
                stays = resting(search, rows, self.every)
        allowed = self.no_fault if staying else self.owed
        at = search.visited.find(rows)
        return search.engine.spread(rows, at, allowed, search.visited, self.marks, stays)


def ids(search: VectorSearch, rows: Words) -> Numbers:
    """A number for each state of rows in the set, in the order of rows and bits."""
    count = np.bitwise_count(rows[-1]).astype(np.int64)
    return np.repeat(search.visited.find(rows), count) * 64 + bits_of(rows)


def first_of(search: VectorSearch, rows: Words) -> Path:
    """The path to whichever of these states the plain engine would find first."""
    return paths(search, first_level(search, rows)).popitem()[1]


def first_level(search: VectorSearch, rows: Words) -> dict[int, Goal]:
    """By origin, the first level that has some of these states, and which."""
    found, wanted = dict[int, Goal](), np.zeros(len(search.visited.table), np.uint64)
    np.bitwise_or.at(wanted, search.visited.find(rows), rows[-1])
    for level in range(len(search.levels) if rows.shape[1] else 0):
        mine = list[Words]()
        for chunk in search.levels.chunks(level, ROWS):
            part = chunk.copy()
            part[-1] &= wanted[search.visited.find(chunk)]
            mine.append(part[:, part[-1] != 0])
        there = merged(np.concatenate(mine, axis=1), search.layout.words)
        for origin, some in grouped(search.origins(there)).items():
            if origin not in found:
                found[origin] = level, there[:, some]
    return found
