"""The reference implementation of the cutover, driven through the model of it. The faults are safeguards that are taken
out of the implementation, and not of the model; each with a scope in which it matters.
"""

from __future__ import annotations

from cutproof.checks.cutover.reference.twin import STUTTERS, Move, Twin
from cutproof.checks.drivers.driving.driver import Refused
from cutproof.checks.traces.trace import Step, plain
from cutproof.model.cutover.coordinator import cutover
from cutproof.model.cutover.policy import Policy, resolve
from cutproof.model.cutover.scopes import parse_scope


def model(scope: str = "base"):
    return cutover(parse_scope(scope)).resolve(resolve(Policy(), ()))


class Driver:
    def __init__(self, fault: str = "", scope: str = "base") -> None:
        self.twin = Twin(parse_scope(scope), resolve(Policy(), [fault] if fault else []))
        self.moves: dict[str, Move] | None = None

    def anything(self, action: str, **arguments: object) -> None:
        """Steps that mean nothing to the model are taken on the way: they are refused to nobody."""
        name = str(Step(action, {k: plain(v) for k, v in arguments.items()}))
        while name not in self.possible():
            stutter = next((m for m in self.possible().values() if m.step.action in STUTTERS), None)
            if stutter is None:
                raise Refused
            self._do(stutter)
        self._do(self.possible()[name])

    def possible(self) -> dict[str, Move]:
        """What the implementation may do next."""
        if self.moves is None:
            self.moves = self.twin.enabled()
        return self.moves

    def _do(self, move: Move) -> None:
        self.moves = None
        move.do()

    def state(self) -> dict[str, object]:
        return self.twin.abstract()
