"""The shortest path to some states: back over the layers, then forward by the first transition that stays among them.

That is the path that the plain engine finds: the fewest steps, and of those the first by the order of initial states
and of transitions. For its states stand, layer by layer, in the order of the first such path to each.
"""

from __future__ import annotations

from cutproof.checks.engines.plain.search import steps_of
from cutproof.checks.engines.verdict import Path
from cutproof.checks.engines.zdd.diagrams import Node
from cutproof.checks.engines.zdd.reach import Breadth
from cutproof.model.language.codegen import compile_protocol
from cutproof.model.language.protocol import State


def shortest_path(breadth: Breadth, goal: Node) -> Path:
    """The path to the first of some states, one of which can be reached. Raises OverBudget."""
    system = breadth.system
    diagrams, compiled = system.diagrams, compile_protocol(system.protocol)
    depth, some = breadth.first(goal)
    leading = [diagrams.keep(some)]  # of each layer, from the last: the states from which such a path goes on
    for layer in reversed(breadth.layers[:depth]):
        leading.append(diagrams.keep(system.preimage(leading[-1], system.all, layer)))
    leading.reverse()

    def leads(state: State, number: int) -> bool:
        return diagrams.has(leading[number], system.bits(state))

    states = [next(state for state in system.starts if leads(state, 0))]
    numbers = list[int]()
    for number in range(1, depth + 1):
        taken, there = next(step for step in steps_of(compiled, states[-1]) if leads(step[1], number))
        states.append(there)
        numbers.append(taken)
    for node in leading:
        diagrams.drop(node)
    return Path(tuple(states), tuple(numbers))
