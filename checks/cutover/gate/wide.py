"""Every policy at once, by decision diagrams: the lattice in seconds, and in scopes that no list of states can hold.

The mechanisms are fields that no transition changes, at the bottom of the diagrams: what is above them is shared by the
records that can come to it (at the top, it took ten times as long). What a set has above them is forgotten by putting
it to 0: what remains are the records that the set has states of.
"""

from __future__ import annotations

from collections.abc import Callable

from cutproof.checks.cutover.gate.lattice import HEALS, JUDGED, Run
from cutproof.checks.engines.zdd.choose import diagrams
from cutproof.checks.engines.zdd.diagrams import TRUE, Node
from cutproof.checks.engines.zdd.liveness import Liveness
from cutproof.checks.engines.zdd.order import order_of
from cutproof.checks.engines.zdd.reach import Breadth, chained, fired, members
from cutproof.checks.engines.zdd.system import System
from cutproof.model.cutover.coordinator import cutover
from cutproof.model.cutover.mechanisms import Mechanisms
from cutproof.model.cutover.scopes import Scope
from cutproof.model.language import expressions as ex
from cutproof.model.language.protocol import Claim

Tell = Callable[[str], None]


def search(
    scope: Scope, records: tuple[Mechanisms, ...], steps: bool = True, tell: Tell = lambda text: None
) -> Run:
    """Every one of these records in one scope. `found` has the fewest steps to a violation; without `steps`, 0. Raises
    OverBudget where the diagrams grow too large."""
    symbolic = cutover(scope)
    protocol, starts = symbolic.resolve_all(records)
    healed = ex.disjunction(*(f.term for f in symbolic.view.healed))
    claims = (*(c for c in protocol.claims if c.form in JUDGED), Claim(HEALS, "sometimes", "", healed))
    found = order_of(protocol, starts=starts)
    order = sorted(found, key=_is_knob)  # they stay in order otherwise
    system = System(protocol, order, diagrams, starts=starts)
    return _Search(system, claims, records, tell).run(steps)


def _is_knob(name: str) -> bool:
    return name.startswith("mechanisms.")


class _Search:
    def __init__(
        self, system: System, claims: tuple[Claim, ...], records: tuple[Mechanisms, ...], tell: Tell
    ) -> None:
        self.system, self.claims, self.records, self.tell = system, claims, records, tell
        self.number = {tuple(system.bits(start)): i for i, start in enumerate(system.starts)}
        bits = sum(system.layout.places[name].width for name in system.order if _is_knob(name))
        above = [(level, 0) for level in range(system.diagrams.levels - bits)]
        self.forgetting = system.diagrams.event(TRUE, above)
        self.found: dict[tuple[int, int], int] = {}

    def run(self, steps: bool) -> Run:
        """The whole search."""
        system, diagrams = self.system, self.system.diagrams
        reached = chained(
            system, lambda number, states: self.tell(f"round {number}, {diagrams.size(states):,} nodes")
        )
        liveness, wanted = Liveness(system, reached), dict[int, Node]()
        for i, claim in enumerate(self.claims):
            holding = diagrams.select(reached, system.truth(claim.holds))
            if claim.form == "always":
                wanted[i] = diagrams.keep(diagrams.difference(reached, holding))
            elif claim.form == "sometimes":
                wanted[i] = diagrams.keep(holding)
            else:
                self.tell(f"{claim.property}")
                wanted[i] = liveness.lost(system.truth(claim.holds))
        if steps:
            self._steps(wanted)
        else:
            for i, states in wanted.items():
                self.found.update({(record, i): 0 for record in self._records(states)})
        count = diagrams.count(reached)
        return Run(
            system.protocol, self.claims, self.records, count, sum(fired(system, reached)), dict(self.found)
        )

    def _steps(self, wanted: dict[int, Node]) -> None:
        """Layer by layer, for how many steps it takes each record to come to the states that are wanted."""
        diagrams, breadth, depth = self.system.diagrams, Breadth(self.system), 0
        seen = dict.fromkeys(wanted, 0)
        while True:
            for i, states in wanted.items():
                there = diagrams.meet(breadth.layers[-1], states)
                fresh = diagrams.difference(diagrams.image(there, self.forgetting), seen[i])
                if fresh:
                    self.found.update({(record, i): depth for record in self._records(fresh)})
                    known = diagrams.keep(diagrams.union(seen[i], fresh))
                    if seen[i]:
                        diagrams.drop(seen[i])
                    seen[i] = known
            if not breadth.grow():
                return
            depth += 1
            self.tell(f"layer {depth}")

    def _records(self, states: Node) -> list[int]:
        """The numbers of the records that some states have."""
        known = self.system.diagrams.image(states, self.forgetting)
        return [self.number[tuple(bits)] for bits in members(self.system.diagrams, known)]
