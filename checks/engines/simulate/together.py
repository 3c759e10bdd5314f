"""Many runs at once, step by step: the same runs as `walk.py` makes, and what they covered.

All runs of a batch take their n-th step together, on bit planes (`planes.py`); their draws (`draws.py`) and choices
(`choices.py`) are those of single runs. A run is walked once more by `walk.py` where its path is wanted: where it is
the first that something is to be told of. That is also who judges claims of whole runs (*leads to*, *eventually*).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import or_

import numpy as np

from cutproof.checks.engines.simulate.choices import CHOOSERS, Moves, Pick
from cutproof.checks.engines.simulate.coverage import SEVERAL, Coverage
from cutproof.checks.engines.simulate.draws import NUMBERS, Draws
from cutproof.checks.engines.simulate.planes import (
    Bits,
    Cone,
    GuardPlanes,
    Keys,
    Mask,
    Places,
    States,
    Steps,
    bits_of,
)
from cutproof.checks.engines.simulate.walk import DEADLOCK, LIMIT, VIOLATION, Walker

ALONE = 200  # runs that are made one by one at first: of many that is all
FEWEST, MOST = 256, 8192  # runs at once; fewer are made faster one by one
ROOM = 1 << 21  # words of states of a batch that are kept
LEAVES = -1  # in place of a claim's number: an action leaves its domain


@dataclass
class Batch:
    """Runs made together, each known by its place among them. `met` has by claim the first run in which it is told,
    `violating` is the first that violates one; `keys` and `lanes` are their states, and in which run each was."""

    runs: int
    taken: Places  # by transition
    lengths: Counter[int] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    met: dict[int, int] = field(default_factory=dict)
    violating: int | None = None
    keys: list[Keys] = field(default_factory=list)
    lanes: list[Places] = field(default_factory=list)

    def end(self, why: str, step: int, runs: int) -> None:
        """So many runs ended after so many steps."""
        if runs:
            self.ended[why] += runs
            self.lengths[step] += runs


def may_run_together(walker: Walker) -> bool:
    """Whether this is there for what the walker does."""
    return walker.waiting is None and walker.scheduler in CHOOSERS


class Runs:
    """Makes the runs of a walker: many at once where that is there and pays, else one by one."""

    def __init__(self, walker: Walker) -> None:
        self.walker, self._alone, self._at_once = (
            walker,
            0,
            0,
        )  # how many it made one by one, and last at once
        self._together: Together | None = None

    def cover(
        self,
        coverage: Coverage,
        first: int,
        last: int | None,
        stop: bool,
        look: Callable[[], None] | None = None,
    ) -> int:
        """Add some runs to what is covered, from `first` on and none from `last` on; up to one that violates a claim,
        if they are to `stop` there. How many they were. An exception of `look` ends it, and nothing of them remains."""
        wanted = MOST if last is None else last - first
        if self._alone >= ALONE and wanted >= FEWEST and may_run_together(self.walker):
            self._together = self._together or Together(self.walker)
            self._at_once = min(max(FEWEST, 2 * self._at_once), MOST)
            if count := self._together.most(first, min(self._at_once, wanted)):
                before = coverage.runs
                self._together.cover(coverage, first, first + count, stop, look)
                return coverage.runs - before
        coverage.add(self.walker.run(first, stop, look), self.walker)
        self._alone += 1
        return 1


class Together:
    """Makes the runs of a walker, many at once. Only where `may_run_together`."""

    def __init__(self, walker: Walker) -> None:
        self.walker, protocol = walker, walker.protocol
        self.states = States(protocol)
        self.steps, self.guards = Steps(self.states), GuardPlanes(self.states)
        steps = self.steps
        self.told = {LEAVES: steps.leaving, **steps.told}
        self.cone = Cone(steps.made.circuit, [*steps.possible, *self.told.values(), *steps.computed])
        self.initials = self.states.keys(protocol.initials)

    def most(self, first: int, wanted: int) -> int:
        """How many runs from the first on may be made at once, of so many that are wanted; 0 for too few."""
        room = ROOM // (self.states.words * (self.walker.steps + 1))
        count = min(wanted, MOST, room, NUMBERS - first)
        return count if count >= FEWEST else 0

    def cover(
        self, coverage: Coverage, first: int, last: int, stop: bool, look: Callable[[], None] | None = None
    ) -> None:
        """Add the runs from `first` up to `last` to what is covered; up to the first that violates a claim, if they are
        to `stop` there. An exception of `look` ends it, and nothing of these runs remains."""
        batch = self._made(first, last, stop, look)
        if stop and batch.violating is not None and first + batch.violating + 1 < last:
            batch = self._made(first, first + batch.violating + 1, stop, look)
        self._add(coverage, batch, first, stop)

    # -------------------------------------------------- the runs

    def _made(self, first: int, last: int, stop: bool, look: Callable[[], None] | None) -> Batch:
        walker, steps, count = self.walker, self.steps, last - first
        draws = Draws(walker.seed, first, last)
        begin = (draws.next() * len(self.initials[0])).astype(np.int64)
        keys, lanes = [word[begin] for word in self.initials], np.arange(count)
        pick = CHOOSERS[walker.scheduler](walker.protocol, walker.steps, draws)
        batch = Batch(count, np.zeros(len(walker.protocol.transitions), np.int64))
        for step in range(walker.steps + 1):
            if look:
                look()
            batch.keys.append(keys)
            batch.lanes.append(lanes)
            planes = self.cone.planes(self.states.inputs(keys), (1 << len(lanes)) - 1)
            cases = len(steps.possible)
            violating = self._tell(batch, planes[cases : cases + len(self.told)], lanes)
            possible = planes[:cases]
            goes = bits_of([reduce(or_, possible, 0)], len(lanes))[0].astype(bool)
            if stop and violating:
                ended = bits_of([violating], len(lanes))[0].astype(bool)
                batch.end(VIOLATION, step, int(ended.sum()))
                batch.end(DEADLOCK, step, int((~goes & ~ended).sum()))
                goes &= ~ended
            else:
                batch.end(DEADLOCK, step, int((~goes).sum()))
            if step == walker.steps:
                batch.end(LIMIT, step, int(goes.sum()))
            if step == walker.steps or not goes.any():
                break
            keys, lanes = [word[goes] for word in keys], lanes[goes]
            chosen = self._chosen(bits_of(possible, len(goes)), goes, lanes, pick, step)
            batch.taken += np.bincount(steps.transitions[chosen], minlength=len(batch.taken))
            keys = steps.taken(keys, chosen, planes[cases + len(self.told) :], goes)
        return batch

    def _chosen(self, possible: Bits, goes: Mask, lanes: Places, pick: Pick, step: int) -> Places:
        """The case that each run that goes on takes of those that are possible: a row for each case."""
        found = np.flatnonzero(possible.view(bool))  # case after case, and to be run after run
        cases, columns = np.divmod(found, len(goes))
        order = np.argsort(columns.astype(np.uint16), kind="stable")  # of small integers that is quick
        rows, cases = columns[order], cases[order]
        if not goes.all():
            kept = goes[rows]
            rows, cases = (np.cumsum(goes) - 1)[rows[kept]], cases[kept]
        counts = np.bincount(rows, minlength=len(lanes))
        moves = Moves(lanes[rows], self.steps.transitions[cases], np.cumsum(counts) - counts, counts)
        return cases[pick(moves, step)]

    def _tell(self, batch: Batch, planes: list[int], lanes: Places) -> int:
        """Note where claims are told first; the plane of the states that violate one."""
        violating = 0
        for claim, plane in zip(self.told, planes, strict=True):
            if not plane:
                continue
            run = int(lanes[(plane & -plane).bit_length() - 1])
            batch.met[claim] = min(run, batch.met.get(claim, run))
            if claim == LEAVES or self.walker.forms[claim] != "sometimes":
                violating |= plane
                batch.violating = run if batch.violating is None else min(run, batch.violating)
        return violating

    # -------------------------------------------------- what they covered

    def _add(self, coverage: Coverage, batch: Batch, first: int, stop: bool) -> None:
        coverage.lengths.update(batch.lengths)
        coverage.ended.update(batch.ended)
        coverage.taken.update({int(n): int(batch.taken[n]) for n in np.flatnonzero(batch.taken)})
        for claim, run in sorted(batch.met.items(), key=lambda entry: entry[1]):
            if claim not in coverage.met:
                coverage.tell(self.walker.run(first + run, stop))
        keys, runs, visits = different(batch.keys, batch.lanes)
        coverage.visits += visits
        packed = self.states.packed(keys)
        known = coverage.seen.runs
        new = np.array([state not in known for state in packed], bool)
        if new.any():
            one, two = self.walker.guards.covered, self.guards.covered([word[new] for word in keys])
            self.walker.guards.covered = one[0] | two[0], one[1] | two[1], one[2] | two[2]
        coverage.seen.add_several(packed, np.where(runs < 0, SEVERAL, first + runs).tolist())
        coverage.guards = self.walker.guards.covered


def different(keys: Sequence[Keys], lanes: Sequence[Places]) -> tuple[Keys, Places, int]:
    """The different states of some runs, and of each the one run that it was in, or SEVERAL; and in how many different
    states each run was, added up."""
    words = [np.concatenate([key[word] for key in keys]) for word in range(len(keys[0]))]
    runs = np.concatenate(lanes)
    order = np.lexsort([runs, *words])
    words, runs = [word[order] for word in words], runs[order]
    other = np.ones(len(runs), bool)  # than the one before
    other[1:] = np.logical_or.reduce([word[1:] != word[:-1] for word in words])
    visits = int((other[1:] | (runs[1:] != runs[:-1])).sum()) + 1
    starts = np.flatnonzero(other)
    ends = np.append(starts[1:], len(runs)) - 1
    return (
        [word[starts] for word in words],
        np.where(runs[starts] == runs[ends], runs[starts], SEVERAL),
        visits,
    )
