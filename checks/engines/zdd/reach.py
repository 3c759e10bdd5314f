"""The reachable set: by chaining, or in layers.

*Chaining* lets each event in turn act on all that is known by then. After a few rounds of it, which show early what is
soon wrong, one walk down states and relation finds all the rest (`Diagrams.closed`): the least work, but no depth.
*Layers* are breadth first: a layer has the states whose shortest way has so many steps. Layers are irregular sets, and
several times as dear; they give the depth and the shortest ways.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from cutproof.checks.engines.zdd.diagrams import NOTHING, Diagrams, Node, OverBudget
from cutproof.checks.engines.zdd.system import System

Tell = Callable[[int, Node], None]  # after each round: its number, and the states that are known
FEW = 3  # rounds of chaining before all that is left is found at once


def chained(system: System, tell: Tell = lambda number, states: None, known: Node = NOTHING) -> Node:
    """All reachable states; they are kept. `known` are some of them. Raises OverBudget, having told what is known by
    then."""
    diagrams, rounds = system.diagrams, 0
    states, before = diagrams.keep(known or system.initial), NOTHING
    while states != before and rounds < FEW:
        states, before, rounds = diagrams.keep(system.chain(states, system.all)), states, rounds + 1
        diagrams.drop(before)
        tell(rounds, states)
    if states != before:
        try:
            states, before = diagrams.keep(system.closed(states, system.all)), states
        except (OverBudget, KeyboardInterrupt):
            if diagrams.known != NOTHING:
                tell(rounds + 1, diagrams.keep(diagrams.known))
            raise
        diagrams.drop(before)
        tell(rounds + 1, states)
    return states


class Breadth:
    """Layers, as many as are asked for: `layers[n]` has the states whose shortest way has n steps, and `states` all of
    these together. They are kept. Operations raise OverBudget."""

    def __init__(self, system: System, tell: Tell = lambda number, states: None) -> None:
        self.system, self.tell = system, tell
        self.layers = [system.diagrams.keep(system.initial)]
        self.states = system.diagrams.keep(system.initial)
        self.whole = False

    def grow(self) -> bool:
        """One more layer; False where there is none, and so `states` are all that can be reached."""
        diagrams = self.system.diagrams
        if not self.whole:
            image = self.system.image(self.layers[-1], self.system.all)
            layer = diagrams.keep(diagrams.difference(image, self.states))
            self.whole = layer == NOTHING
        if self.whole:
            return False
        states = diagrams.keep(diagrams.union(self.states, layer))
        diagrams.drop(self.states)
        self.layers.append(layer)
        self.states = states
        self.tell(len(self.layers) - 1, states)
        return True

    @property
    def depth(self) -> int:
        """The longest shortest way, in steps, once all layers are there."""
        return len(self.layers) - 1

    def first(self, goal: Node) -> tuple[int, Node]:
        """The first layer that has some of `goal`, and which; `goal` can be reached."""
        diagrams = self.system.diagrams
        diagrams.keep(goal)
        number = 0
        while not (some := diagrams.meet(self.layers[number], goal)):
            number += 1
            if number == len(self.layers) and not self.grow():
                raise AssertionError("a state that can be reached is in no layer")
        diagrams.drop(goal)
        return number, some


def members(diagrams: Diagrams, states: Node) -> Iterator[list[int]]:
    """The bits of some states, one after the other."""
    below = {node: rest for node, *rest in diagrams.nodes_of(states)}
    todo = [(states, [0] * diagrams.levels)] if states else []
    while todo:
        node, bits = todo.pop()
        if node not in below:
            yield bits
            continue
        level, low, high = below[node]
        todo.append((high, [*bits[:level], 1, *bits[level + 1 :]]))
        if low:
            todo.append((low, bits))


def fired(system: System, states: Node, transitions: Iterable[int] | None = None) -> list[int]:
    """How often each transition is taken, from some states."""
    numbers = range(len(system.moves)) if transitions is None else transitions
    diagrams = system.diagrams
    return [diagrams.count(diagrams.select(states, system.enabled[number])) for number in numbers]
