"""The reachable set: by chaining, or in layers.

*Chaining* lets each event in turn act on all that is known by then, until a round brings nothing new: the least work,
but no depth. *Layers* are breadth first: a layer has the states whose shortest way has so many steps. Layers are
irregular sets, and several times as dear; they give the depth and the shortest ways.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from cutproof.checks.engines.zdd.diagrams import NOTHING, Node
from cutproof.checks.engines.zdd.system import System

Tell = Callable[[int, Node], None]  # after each round: its number, and the states that are known


@dataclass
class Layers:
    """The states of each layer that was kept, all states, and whether all that is reachable is in there."""

    states: Node
    layers: list[Node] = field(default_factory=list)
    depth: int = 0
    whole: bool = True


def chained(system: System, tell: Tell = lambda number, states: None) -> Node:
    """All reachable states; they are kept. Raises OverBudget."""
    diagrams, rounds = system.diagrams, 0
    states = diagrams.keep(system.initial)
    while True:
        more = diagrams.keep(system.chain(states, system.all))
        diagrams.drop(states)
        rounds += 1
        tell(rounds, more)
        if more == states:
            return states
        states = more


def layered(
    system: System,
    until: Callable[[Node], bool] = lambda layer: False,
    keep: bool = False,
    tell: Tell = lambda number, states: None,
) -> Layers:
    """Layer by layer, to the end or through the first one of which `until` says so. All states are kept, and (`keep`)
    each layer. Raises OverBudget."""
    diagrams = system.diagrams
    layer, found = diagrams.keep(system.initial), Layers(diagrams.keep(system.initial))
    while True:
        if keep:
            found.layers.append(diagrams.keep(layer))
        if until(layer):
            found.whole = False
            break
        image = system.image(layer, system.all)
        more = diagrams.keep(diagrams.difference(image, found.states))
        diagrams.drop(layer)
        layer = more
        if layer == NOTHING:
            break
        states = diagrams.keep(diagrams.union(found.states, layer))
        diagrams.drop(found.states)
        found.states = states
        found.depth += 1
        tell(found.depth, states)
    diagrams.drop(layer)
    return found


def fired(system: System, states: Node, transitions: Iterable[int] | None = None) -> list[int]:
    """How often each transition is taken, from some states."""
    numbers = range(len(system.moves)) if transitions is None else transitions
    diagrams = system.diagrams
    return [diagrams.count(diagrams.select(states, system.enabled[number])) for number in numbers]
