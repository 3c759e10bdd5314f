"""The schedulers of `schedulers.py` for many runs at once: of each the same choices, by the same draws.

`Moves` are the steps that are possible, run after run: the n-th stands at `lanes[n]`, the number of its run, and
`steps[n]`, a transition. A chooser `(protocol, steps, draws) -> pick` draws for whole runs first; `pick(moves, step)`
gives for each run that goes on which of the moves it takes, as a place in them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cutproof.checks.engines.simulate import schedulers
from cutproof.checks.engines.simulate.draws import Draws, Reals
from cutproof.checks.engines.simulate.planes import Mask, Places
from cutproof.checks.engines.simulate.schedulers import CHANGES, HALVINGS, SKIPPED, Scheduler
from cutproof.model.language.protocol import Protocol


@dataclass(frozen=True)
class Moves:
    """Which steps are possible in some runs, in order. `starts` has, for each of the runs, where its moves begin (it
    has one at least), `counts` how many they are."""

    lanes: Places
    steps: Places
    starts: Places
    counts: Places

    @property
    def runs(self) -> Places:
        """The numbers of the runs that have moves."""
        return self.lanes[self.starts]

    def only(self, kept: Mask) -> Moves:
        """These moves without some, of which none is the last of its run."""
        counts = np.add.reduceat(kept.astype(np.int64), self.starts)
        return Moves(self.lanes[kept], self.steps[kept], np.cumsum(counts) - counts, counts)

    def best(self, order: Reals) -> Places:
        """For each run, the first of its moves with the highest priority; `order` has a row for each run."""
        mine = order[self.lanes, self.steps]
        highest = np.maximum.reduceat(mine, self.starts)
        places = np.flatnonzero(mine == np.repeat(highest, self.counts))
        firsts = np.searchsorted(places, self.starts)
        return places[firsts]


Pick = Callable[[Moves, int], Places]
Chooser = Callable[[Protocol, int, Draws], Pick]


def uniform(protocol: Protocol, steps: int, draws: Draws) -> Pick:
    """As `schedulers.uniform`."""

    def pick(moves: Moves, step: int) -> Places:
        drawn = draws.next()[moves.runs]
        return moves.starts + (drawn * moves.counts).astype(np.int64)

    return pick


def weighted(protocol: Protocol, steps: int, draws: Draws) -> Pick:
    """As `schedulers.weighted`: what is left of a draw is rounded alike, move after move."""
    drawn = draws.several(len(protocol.transitions))
    weights = np.ldexp(1.0, -(drawn * HALVINGS).astype(np.int32))

    def pick(moves: Moves, step: int) -> Places:
        mine = weights[moves.lanes, moves.steps]
        rest = draws.next()[moves.runs] * np.add.reduceat(
            mine, moves.starts
        )  # sums of such weights are exact
        taken, left = moves.counts - 1, np.arange(len(rest))
        for number in range(int(moves.counts.max())):
            left = left[moves.counts[left] > number]
            rest[left] -= mine[moves.starts[left] + number]
            below = rest[left] < 0
            taken[left[below]] = number
            left = left[~below]
        return moves.starts + taken

    return pick


def pct(protocol: Protocol, steps: int, draws: Draws) -> Pick:
    """As `schedulers.pct`: in step n every run has taken n."""
    order = draws.several(len(protocol.transitions))
    moments = (draws.several(CHANGES) * steps).astype(np.int64)
    lower, lowered = draws.several(CHANGES), np.zeros(len(order), np.int64)

    def pick(moves: Moves, step: int) -> Places:
        best, runs = moves.best(order), moves.runs
        now = np.flatnonzero((moments[runs] == step).any(axis=1))
        if len(now):
            some = runs[now]
            order[some, moves.steps[best[now]]] = -1.0 - lower[some, lowered[some]]
            lowered[some] += 1
            best = moves.best(order)
        return best

    return pick


def pos(protocol: Protocol, steps: int, draws: Draws) -> Pick:
    """As `schedulers.pos`."""
    order = draws.several(len(protocol.transitions))

    def pick(moves: Moves, step: int) -> Places:
        best, runs = moves.best(order), moves.runs
        order[runs, moves.steps[best]] = draws.next()[runs]
        return best

    return pick


def swarm(protocol: Protocol, steps: int, draws: Draws) -> Pick:
    """As `schedulers.swarm`."""
    names = [action.name for action in protocol.actions]
    out = draws.several(len(names)) < SKIPPED
    left = ~out[:, [names.index(t.action) for t in protocol.transitions]]

    def pick(moves: Moves, step: int) -> Places:
        kept = left[moves.lanes, moves.steps]
        none = ~np.logical_or.reduceat(kept, moves.starts)
        kept |= np.repeat(none, moves.counts)
        some = moves.only(kept)
        drawn = draws.next()[some.runs]
        return np.flatnonzero(kept)[some.starts + (drawn * some.counts).astype(np.int64)]

    return pick


CHOOSERS: dict[Scheduler, Chooser] = {
    schedulers.uniform: uniform,
    schedulers.weighted: weighted,
    schedulers.pct: pct,
    schedulers.pos: pos,
    schedulers.swarm: swarm,
}
