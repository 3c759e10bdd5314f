"""An order of the fields that vary, for any protocol: found by trying.

Orders that are worth a try (`candidates.py`) are tried on the protocol itself. Each may make so many nodes; if one has
all states by then, it is taken. If none has, those that have found the most states go on with more, and at the end the
best one's set, half done as it is, says where each field belongs (`sift.py`); that is tried again.

All budgets are in nodes: the same protocol has the same order everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence

from cutproof.checks.engines.zdd.candidates import candidates
from cutproof.checks.engines.zdd.diagrams import Node, OverBudget
from cutproof.checks.engines.zdd.events import Move, moves_of
from cutproof.checks.engines.zdd.plain import PlainDiagrams
from cutproof.checks.engines.zdd.sift import Shifting, sift
from cutproof.checks.engines.zdd.system import Steps, System
from cutproof.model.language.circuit import Layout, Translation
from cutproof.model.language.protocol import Protocol

BUDGETS = (4_000, 16_000, 64_000)  # nodes that each order may make, and again with fewer orders
LEFT = 3  # one in so many goes on
CONDITIONS = 1 << 18  # nodes that the conditions of a protocol may have
SLICES = 16  # of a round, after each of which the states that are known are taken down
SIFTED = 3  # times, at most


class Trial:
    """A protocol in one order, as far as a budget goes. `states` is how many states are known, `made` how many nodes
    were made for that, `whole` whether these are all states."""

    def __init__(self, protocol: Protocol, order: Sequence[str], shared: tuple[Translation, list[Move]]) -> None:
        self.order, self.states, self.made, self.whole = list(order), 0, 0, False
        self._known: Node = 0
        self._system: System | None = None
        try:
            self._system = System(
                protocol, order, PlainDiagrams, shared=shared, limit=CONDITIONS, sweep_at=1 << 62
            )
        except OverBudget:
            return
        self._known, self.states = self._system.initial, 1
        self._began = self._system.diagrams.nodes
        self._parts = _parts(self._system.all)
        self._next, self._closed = 0, 0  # the part whose turn it is, and how many in a row brought nothing

    def go_on(self, budget: int) -> None:
        """Until `budget` nodes are made altogether, or all states are known."""
        if self._system is None or self.whole:
            return
        diagrams = self._system.diagrams
        diagrams.limit = self._began + budget
        try:
            while self._closed < len(self._parts):
                more = self._system.chain(self._known, self._parts[self._next])
                self._closed = self._closed + 1 if more == self._known else 0
                self._known, self._next = more, (self._next + 1) % len(self._parts)
            self.whole = True
        except OverBudget:
            pass
        self.made = diagrams.nodes - self._began
        self.states = diagrams.count(self._known)

    def sifted(self) -> list[str]:
        """The order in which what is known is smallest, as far as sifting finds it."""
        if self._system is None:
            return self.order
        places = self._system.layout.places
        nodes = self._system.diagrams.nodes_of(self._known)
        shifting = Shifting(nodes, self._known, [places[name].width for name in self.order])
        return [self.order[block] for block in sift(shifting)]

    @property
    def rank(self) -> tuple[bool, int]:
        """Lower is better."""
        return not self.whole, self.made if self.whole else -self.states


def _parts(steps: Steps) -> list[Steps]:
    size = max(1, -(-(steps.last - steps.first) // SLICES))
    parts = [
        Steps(first, min(first + size, steps.last), ()) for first in range(steps.first, steps.last, size)
    ]
    return parts + [Steps(0, 0, (sequence,)) for sequence in steps.sequences]


def order_of(protocol: Protocol) -> list[str]:
    """The names of the fields that vary, first the one at the top. Raises TooWide where a field has too many values."""
    layout = Layout(protocol)
    names, translation = list(layout.places), Translation(layout)
    shared = translation, moves_of(translation)
    trials = [Trial(protocol, order, shared) for order in candidates(protocol, names).values()]
    for budget in BUDGETS:
        for trial in trials:
            trial.go_on(budget)
        trials.sort(key=lambda trial: trial.rank)
        if trials[0].whole or trials[0].states == 0:
            return trials[0].order
        trials = trials[: max(2, len(trials) // LEFT)]
    best = trials[0]
    for _ in range(SIFTED):
        again = Trial(protocol, best.sifted(), shared)
        again.go_on(BUDGETS[-1])
        if again.rank >= best.rank:
            break
        best = again
    return best.order
