"""An order of the fields that vary, for any protocol: found by trying.

Orders that are worth a try (`candidates.py`) are tried on the protocol itself. Each may make so many nodes; if one has
all states by then, it is taken. If none has, those that have found the most states go on with more, and at the end the
best one's set, half done as it is, says where each field belongs (`sift.py`). What comes of that is tried again.

All budgets are in nodes, so that the same protocol has the same order everywhere. What was found after more than a
moment is kept by the digest of the protocol; it would be found again.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy

from cutproof.checks.engines.zdd import choose
from cutproof.checks.engines.zdd.diagrams import Diagrams, Look, Node, OverBudget
from cutproof.checks.engines.zdd.order import kept
from cutproof.checks.engines.zdd.order.candidates import candidates
from cutproof.checks.engines.zdd.order.sift import Shifting, sift
from cutproof.checks.engines.zdd.system import Prepared, Steps, System, prepare
from cutproof.model.language.protocol import Protocol, State

BUDGETS = (4_000, 16_000, 64_000)  # nodes that each order may make, and again with fewer orders
GO_ON = 3, 2  # how many orders do
CONDITIONS = 1 << 18  # nodes that the conditions of a protocol may have
WORSE = 3  # times as many nodes as in another order: an order in which conditions are so large is not tried
SLICES = 16  # of a round, after each of which the states that are known are taken down
SIFTED = 2  # times, at most


class Trial:
    """A protocol in one order, as far as a budget goes. `conditions` is how many nodes its conditions have, and `made`
    how many were made since; `states` is how many states are known, and `whole` whether these are all. `look` is
    called now and then, and ends all by what it raises. Raises OverBudget where conditions have more than `limit`
    nodes."""

    def __init__(
        self,
        protocol: Protocol,
        prepared: Prepared,
        starts: Sequence[State],
        order: Sequence[str],
        limit: int,
        look: Look = lambda: None,
    ) -> None:
        self.order, self.states, self.made, self.whole = list(order), 1, 0, False
        self._most, self._diagrams, self.look = limit, list[Diagrams](), look
        self.system = System(protocol, order, self._begun, starts, prepared)
        self.known: Node = self.system.initial
        self.conditions = self.system.diagrams.nodes
        self._parts = _parts(self.system.all)
        self._next, self._closed = 0, 0  # the part whose turn it is, and how many in a row brought nothing

    def _begun(self, levels: int) -> Diagrams:
        self._diagrams.append(choose.for_a_try(levels, self._look))
        return self._diagrams[0]

    def _look(self) -> None:
        self.look()
        if self._diagrams and self._diagrams[0].nodes > self._most:
            raise OverBudget("an order was tried")

    def go_on(self, budget: int) -> None:
        """Until some more than `budget` nodes are made altogether, or all states are known."""
        diagrams = self.system.diagrams
        self._most = self.conditions + budget
        try:
            while self._closed < len(self._parts):
                more = self.system.chain(self.known, self._parts[self._next])
                self._look()
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
        return [self.order[block] for block in sift(shifting, look=self.look)]

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


class _Ended(Exception):
    """The search is over, by what `look` raised."""


def _ending(look: Look) -> Look:
    """The same, so that no trial takes the end of all for its own."""

    def looking() -> None:
        try:
            look()
        except OverBudget as error:
            raise _Ended from error

    return looking


def order_of(
    protocol: Protocol,
    first: Sequence[str] = (),
    starts: Sequence[State] = (),
    look: Look = lambda: None,
) -> list[str]:
    """The names of the fields that vary, the one at the top of the diagrams first; fields of `first` stand above all
    others, as they are given. `starts` are the states that runs begin in, if these are not the protocol's. `look` is
    called now and then, and ends the search by what it raises. Raises TooWide where a field has too many values."""
    starts = tuple(starts) or protocol.initials
    prepared = prepare(protocol, starts)
    names = list(prepared[0].layout.places)
    top = [name for name in first if name in names]
    file = kept.file_of(protocol, top, starts)
    if (known := kept.order_in(file, names)) is not None:
        return known
    search = _Search(protocol, prepared, starts, top, _ending(look))
    try:
        found = search.found()
    except _Ended as ended:
        assert ended.__cause__ is not None
        raise ended.__cause__ from None
    order = search.declared if found is None else found.order
    if found is None or found.made > BUDGETS[0]:  # else it is as soon found again
        kept.keep(file, order)
    return order


class _Search:
    def __init__(
        self, protocol: Protocol, prepared: Prepared, starts: Sequence[State], top: Sequence[str], look: Look
    ) -> None:
        self.prepared, self.starts, self.top, self.look = prepared, starts, list(top), look
        self.below = [name for name in prepared[0].layout.places if name not in top]
        self.declared = self.top + self.below
        self.protocol = copy(protocol)
        self.protocol.claims = ()  # nothing is judged

    def trial(self, order: Sequence[str], limit: int = CONDITIONS) -> Trial | None:
        """An order on trial, with what has to be at the top there; None where its conditions are too large."""
        below = [name for name in order if name not in self.top]
        try:
            return Trial(self.protocol, self.prepared, self.starts, self.top + below, limit, self.look)
        except OverBudget:
            return None

    def found(self) -> Trial | None:
        """The winner; None where conditions are too large in every order. Of orders in which all states fit into the
        least budget, the first: all is small there."""
        trials, least = list[Trial](), CONDITIONS // WORSE
        for order in candidates(self.protocol, self.below).values():
            self.look()
            if (trial := self.trial(order, WORSE * least + BUDGETS[0])) is None:
                continue
            least = min(least, trial.conditions)
            trial.go_on(BUDGETS[0])
            if trial.whole:
                return trial
            trials.append(trial)
        if not trials:
            return None
        for budget, left in zip(BUDGETS[1:], GO_ON, strict=True):
            trials = sorted(trials, key=lambda trial: trial.rank)[:left]  # equal ones stay as they come
            for trial in trials:
                trial.go_on(budget)
            if any(trial.whole for trial in trials):
                return min(trials, key=lambda trial: trial.rank)
        return min(map(self.improved, trials), key=lambda trial: trial.rank)

    def improved(self, best: Trial) -> Trial:
        """The same, sifted, as often as that makes it better."""
        for _ in range(SIFTED):
            again = self.trial(best.sifted())
            if again is None:
                break
            again.go_on(BUDGETS[-1])
            if again.rank >= best.rank:
                break
            best = again
        return best
