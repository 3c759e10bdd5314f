"""Mutants of a protocol: one effect of one action changed, whatever the arguments of the action.

An *effect* is what an action does to one variable: `abort.cursor`. It is mutated in three ways: left out; kept, which
is to leave it out in one cell, where an action changes several cells of a family at once (of cells that differ by a
number alone, in the first); and replaced by a neighbouring value: the next one of the domain, or below its last one
the one before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum

from cutproof.model.language import expressions as ex
from cutproof.model.language.expressions import Term
from cutproof.model.language.protocol import Field, Protocol, Transition, label

Updates = tuple[tuple[Field, Term], ...]


class Kind(Enum):
    """What is done to an effect."""

    LEFT_OUT = "left out"
    KEPT = "kept in one cell"
    NEXT = "another value"


@dataclass(frozen=True)
class Mutant:
    """An action that does something else to a variable. `cell` names the one that is kept, and is empty else."""

    action: str
    variable: str
    kind: Kind = Kind.LEFT_OUT
    cell: str = ""

    @property
    def effect(self) -> str:
        """The effect that is mutated: `abort.cursor`."""
        return f"{self.action}.{self.variable}"

    def __str__(self) -> str:
        return f"{self.action}.{self.cell or self.variable} {self.kind.value}"

    def of(self, protocol: Protocol) -> Protocol:
        """The protocol with the effect mutated. Raises ValueError where the action has no such effect."""
        other = protocol._copy()
        other.transitions = tuple(
            replace(t, updates=self._changed(t)) if t.action == self.action else t
            for t in protocol.transitions
        )
        if all(a.updates == b.updates for a, b in zip(protocol.transitions, other.transitions, strict=True)):
            raise ValueError(f"there is no {self} here")
        return other

    def _changed(self, transition: Transition) -> Updates:
        if self.kind is Kind.KEPT and len(_cells(transition, self.variable)) < 2:
            return transition.updates
        found = []
        for cell, value in transition.updates:
            mine = cell.name == self.cell if self.cell else cell.variable == self.variable
            if not mine:
                found.append((cell, value))
            elif self.kind is Kind.NEXT:
                found.append((cell, next_to(cell, value)))
        return tuple(found)


def next_to(cell: Field, value: Term) -> Term:
    """The value after this one in the domain of the cell; before it, where it is the last."""
    if cell.domain.kind is bool:
        return ex.negation(value)
    one, last = ex.constant(1), ex.constant(cell.domain.high)
    return ex.choose(ex.equal(value, last), ex.subtract(value, one), ex.add(value, one))


def _cells(transition: Transition, variable: str) -> list[Field]:
    return [cell for cell, _ in transition.updates if cell.variable == variable]


def _kind_of(cell: Field) -> tuple[str, ...]:
    """Cells that differ by a number alone, of a document or of a rank, are of one kind."""
    return tuple(label(index) for index in cell.where if type(index) is not int)


def mutants(protocols: Iterable[Protocol]) -> list[Mutant]:
    """Every mutant that there is in some of these protocols: effects in the order of the actions, each in its ways."""
    found: dict[tuple[str, str], dict[tuple[str, ...], str]] = {}
    order: dict[str, int] = {}
    for protocol in protocols:
        for action in protocol.actions:
            order.setdefault(action.name, len(order))
        for transition in protocol.transitions:
            for variable in dict.fromkeys(cell.variable for cell, _ in transition.updates):
                kept = found.setdefault((transition.action, variable), {})
                cells = _cells(transition, variable)
                for cell in cells if len(cells) > 1 else ():
                    kept.setdefault(_kind_of(cell), cell.name)
    effects = sorted(found, key=lambda effect: order[effect[0]])
    return [
        m for action, variable in effects for m in _ways(action, variable, found[action, variable].values())
    ]


def _ways(action: str, variable: str, cells: Iterable[str]) -> Iterator[Mutant]:
    yield Mutant(action, variable)
    yield from (Mutant(action, variable, Kind.KEPT, cell) for cell in cells)
    yield Mutant(action, variable, Kind.NEXT)
