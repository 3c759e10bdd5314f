"""What the engine asks of decision diagrams. Two kinds do it: `plain.py` on dictionaries, `compiled.py` on arrays.

A state is a row of bits, one for each *level*; level 0 is looked at first. A node is a whole number. One table holds
two kinds of diagram, told apart by how they are used:

- a *set* of states (a ZDD): 0 is the empty set, 1 the set of the state whose bits are all 0, and another node is
  (level, low, high): the states of `low`, and those of `high` with this bit set too. Levels that are left out are 0.
- a *condition* (a BDD): 0 is false, 1 is true, and another node is `high` where this bit is set, else `low`. Levels
  that are left out do not matter.

An *event* is a condition, and constants that are put into some bits where it holds: the image of a set by an event is
one walk down both, in which a level is selected, forgotten and put at once. So no relation between bits before and
after is ever built.

A *relation* is what many events do, as one number: the effect of an event, *either* of two relations, or both
*together* in one step. 0 leads nowhere, and 1 leaves all states as they are. A walk down states and relation splits
the relation at each level into what is left of it below: an event whose condition is false there drops out.

Nodes that nothing needs are swept away: by `tidy`, and within `chain`, `images`, `led` and `closed`. What is kept: all
conditions that were made before `seal`, whatever was given to `keep`, and the arguments of a call.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

Node = int
Relation = int
Bits = Sequence[int]  # of a state, by level

NOTHING, START = 0, 1  # the empty set, and that of the state whose bits are all 0
FALSE, TRUE = 0, 1
NOWHERE = 0  # the relation that leads nowhere

Look = Callable[[], None]  # called now and then during long work; ends it by what it raises


class OverBudget(Exception):
    """There is no room for more nodes within the limits; or `look` ended the work."""


class Diagrams(Protocol):
    """Diagrams of so many `levels`. Every operation raises OverBudget where there is no room for its result."""

    levels: int

    # -- conditions

    def bit(self, level: int) -> Node:
        """The condition that a bit is set."""

    def gate(self, kind: int, a: Node, b: Node) -> Node:
        """The condition of a gate (AND, ANDN, NOR, XOR, as in `model/language/circuit`) of two conditions."""

    def event(self, condition: Node, put: Sequence[tuple[int, int]]) -> int:
        """The number of a new event: `put` has (level, 0 or 1), by ascending level. Numbers go up from 0."""

    def seal(self) -> None:
        """All conditions that are there now are kept for ever. Those that are made later have to be kept one by one."""

    # -- sets

    def union(self, a: Node, b: Node) -> Node:
        """States of either."""

    def difference(self, a: Node, b: Node) -> Node:
        """States of `a` that are not in `b`."""

    def meet(self, a: Node, b: Node) -> Node:
        """States of both."""

    def select(self, states: Node, condition: Node) -> Node:
        """The states in which a condition holds."""

    def single(self, bits: Bits) -> Node:
        """The set of one state."""

    def node(self, level: int, low: Node, high: Node) -> Node:
        """The set of the states of `low`, and those of `high` with this bit set; both have bits below it alone."""

    def first(self, states: Node) -> list[int] | None:
        """The bits of one of some states, always the same one; None if there is none."""

    def has(self, states: Node, bits: Bits) -> bool:
        """Whether a state is one of some states."""

    def count(self, states: Node) -> int:
        """How many states there are."""

    def size(self, *roots: Node) -> int:
        """How many nodes some diagrams have together, 0 and 1 left aside."""

    # -- events

    def image(self, states: Node, event: int) -> Node:
        """Where an event leads from some states."""

    def images(self, states: Node, first: int, last: int) -> Node:
        """Where the events `first` up to but without `last` lead from some states."""

    def chain(self, states: Node, first: int, last: int) -> Node:
        """Some states, and where each of these events in turn leads from all that are known by then."""

    def preimage(self, states: Node, event: int, within: Node) -> Node:
        """The states of `within` from which an event leads into `states`."""

    def preimages(self, states: Node, first: int, last: int, within: Node) -> Node:
        """The states of `within` from which some event `first` up to but without `last` leads into `states`."""

    # -- relations

    def effect(self, event: int) -> Relation:
        """What an event does. Its condition is kept for as long as the relation is used."""

    def either(self, a: Relation, b: Relation) -> Relation:
        """What one does, or the other."""

    def together(self, a: Relation, b: Relation) -> Relation:
        """What both do in one step, where the conditions of both hold before it. They put no bit that is the same."""

    def led(self, states: Node, relation: Relation) -> Node:
        """Where a relation leads from some states."""

    def closed(self, states: Node, relation: Relation) -> Node:
        """Some states, and all to which a relation leads from them in any number of steps."""

    known: Node  # what was found by `closed` when it was ended, as far as that is told; it is not kept

    # -- room

    def keep(self, node: Node) -> Node:
        """Keep a diagram until it is dropped as often as it was kept."""

    def drop(self, node: Node) -> None:
        """Keep a diagram once less."""

    def tidy(self, *roots: Node) -> None:
        """Sweep where that is worth while: all nodes that are neither kept nor below one of `roots` are gone."""

    def nodes_of(self, states: Node) -> list[tuple[Node, int, Node, Node]]:
        """The nodes of a diagram, (node, level, low, high), each after those below it."""

    @property
    def nodes(self) -> int:
        """How many nodes are in the table now."""

    @property
    def peak(self) -> int:
        """The most that there were."""

    sweeps: int  # how often was swept
    look: Look
    limit: int  # of nodes
