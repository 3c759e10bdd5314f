"""An order of the fields that vary, for any protocol: found by trying.

Orders that are worth a try (`candidates.py`) are tried on the protocol itself. Each may make so many nodes; if one has
all states by then, it is taken. If none has, those that have found the most states go on with more, and at the end the
best one's set, half done as it is, says where each field belongs (`sift.py`). What comes of that is tried again.

All budgets are in nodes, so that the same protocol has the same order everywhere. What was found after more than a
moment is kept by the digest of the protocol; it would be found again.
"""

from __future__ import annotations

from collections.abc import Sequence

from cutproof.checks.engines.zdd.candidates import candidates
from cutproof.checks.engines.zdd.diagrams import Node, OverBudget
from cutproof.checks.engines.zdd.events import Move, moves_of
from cutproof.checks.engines.zdd.kept import keep_order, kept_order
from cutproof.checks.engines.zdd.plain import PlainDiagrams
from cutproof.checks.engines.zdd.sift import Shifting, sift
from cutproof.checks.engines.zdd.system import Steps, System
from cutproof.model.language.circuit import Layout, Translation
from cutproof.model.language.protocol import Protocol

BUDGETS = (4_000, 16_000, 64_000)  # nodes that each order may make, and again with fewer orders
GO_ON = 3, 1  # how many orders do
CONDITIONS = 1 << 18  # nodes that the conditions of a protocol may have
WORSE = 3  # times as many nodes as in another order: an order in which conditions are so large is not tried
SLICES = 16  # of a round, after each of which the states that are known are taken down
SIFTED = 3  # times, at most

Prepared = tuple[Protocol, Translation, list[Move]]


class Trial:
    """A protocol in one order, as far as a budget goes. `conditions` is how many nodes its conditions have, and `made`
    how many were made since; `states` is how many states are known, and `whole` whether these are all. Raises
    OverBudget where conditions have more than `limit` nodes."""

    def __init__(self, prepared: Prepared, order: Sequence[str], limit: int = CONDITIONS) -> None:
        protocol, translation, moves = prepared
        self.order, self.states, self.made, self.whole = list(order), 1, 0, False
        shared = translation, moves
        self.system = System(protocol, order, PlainDiagrams, shared, limit=limit, sweep_at=1 << 62)
        self.known: Node = self.system.initial
        self.conditions = self.system.diagrams.nodes
        self._parts = _parts(self.system.all)
        self._next, self._closed = 0, 0  # the part whose turn it is, and how many in a row brought nothing

    def go_on(self, budget: int) -> None:
        """Until `budget` nodes are made altogether, or all states are known."""
        diagrams = self.system.diagrams
        diagrams.limit = self.conditions + budget
        try:
            while self._closed < len(self._parts):
                more = self.system.chain(self.known, self._parts[self._next])
                self._closed = self._closed + 1 if more == self.known else 0
                self.known, self._next = more, (self._next + 1) % len(self._parts)
            self.whole = True
        except OverBudget:
            pass
        self.made = diagrams.nodes - self.conditions
        self.states = diagrams.count(self.known)

    def sifted(self) -> list[str]:
        """The order in which the states that are known have the fewest nodes, as far as sifting finds it."""
        places = self.system.layout.places
        nodes = self.system.diagrams.nodes_of(self.known)
        shifting = Shifting(nodes, self.known, [places[name].width for name in self.order])
        return [self.order[block] for block in sift(shifting)]

    @property
    def rank(self) -> tuple[bool, int]:
        """Lower is better."""
        return not self.whole, self.made if self.whole else -self.states


def _parts(steps: Steps) -> list[Steps]:
    """A round in slices: what is known is taken down after each."""
    size = max(1, -(-(steps.last - steps.first) // SLICES))
    firsts = range(steps.first, steps.last, size)
    slices = [Steps(first, min(first + size, steps.last), ()) for first in firsts]
    return slices + [Steps(0, 0, (sequence,)) for sequence in steps.sequences]


def order_of(protocol: Protocol) -> list[str]:
    """The names of the fields that vary, first the one at the top. Raises TooWide where a field has too many values."""
    if (kept := kept_order(protocol)) is not None:
        return kept
    layout = Layout(protocol)
    translation = Translation(layout)
    prepared = protocol, translation, moves_of(translation)
    trials, least = list[Trial](), CONDITIONS // WORSE
    for order in candidates(protocol, list(layout.places)).values():
        try:
            trial = Trial(prepared, order, WORSE * least + BUDGETS[0])
        except OverBudget:
            continue
        least = min(least, trial.conditions)
        trial.go_on(BUDGETS[0])
        if trial.whole:
            return trial.order  # the first will do: all that is made of it is small
        trials.append(trial)
    if not trials:
        return list(layout.places)  # its conditions are too large in any order; the engine will say so
    best = _winner(trials)
    if not best.whole:
        best = _improved(prepared, best)
    keep_order(protocol, best.order)
    return best.order


def _winner(trials: list[Trial]) -> Trial:
    """Of orders that were tried with the least budget, the one that does best with the largest."""
    for budget, left in zip(BUDGETS[1:], GO_ON, strict=True):
        trials = sorted(trials, key=lambda trial: trial.rank)[:left]  # equal ones stay as they come
        for trial in trials:
            trial.go_on(budget)
        if any(trial.whole for trial in trials):
            break
    return min(trials, key=lambda trial: trial.rank)


def _improved(prepared: Prepared, best: Trial) -> Trial:
    for _ in range(SIFTED):
        try:
            again = Trial(prepared, best.sifted())
        except OverBudget:
            return best
        again.go_on(BUDGETS[-1])
        if again.rank >= best.rank:
            return best
        best = again
    return best
