"""Refinement, exhaustively: within a scope the implementation does what the specification does, all of it, and no more.

Every state of the implementation within the scope is visited, and both systems are held as networkx graphs:
- every edge of the implementation is an edge of the specification between the states that the map gives, or one of
  the stuttering steps that `twin.STUTTERS` names, which leave the specification's state as it is;
- in every state without a stuttering step both can do the same;
- every edge that the explorer finds in the specification was performed by the implementation.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import networkx as nx

from cutproof.checks.cutover.reference.abstraction import Names
from cutproof.checks.cutover.reference.lockstep import Disagreement, Specification, specification
from cutproof.checks.cutover.reference.twin import Move, Twin
from cutproof.checks.engines.plain.explore import explore
from cutproof.checks.traces.replay import Difference
from cutproof.model.cutover.mechanisms import Mechanisms
from cutproof.model.cutover.policy import Policy, resolve
from cutproof.model.cutover.scopes import Scope
from cutproof.model.language.protocol import State

Progress = Callable[[int, int], None]  # states of the implementation found, and expanded


@dataclass
class Refinement:
    """Both graphs, edges keyed by the names of steps. Nodes of `implementation` are numbers in the order of discovery,
    each with the number of its `image`; nodes of `specification` are the explorer's numbers of states."""

    implementation: nx.MultiDiGraph[int]
    specification: nx.MultiDiGraph[int]
    stutters: Counter[str] = field(default_factory=Counter)  # stuttering edges, by action
    disagreement: Disagreement | None = None

    @property
    def edges(self) -> int:
        """The implementation's edges that are not stuttering."""
        return self.implementation.number_of_edges() - self.stutters.total()

    @property
    def holds(self) -> bool:
        """All matched."""
        return self.disagreement is None

    def __str__(self) -> str:
        spec = self.specification
        counts = (
            f"implementation {self.implementation.number_of_nodes():,} states, {self.edges:,} edges"
            f" and {self.stutters.total():,} stuttering; "
            f"specification {spec.number_of_nodes():,} states, {spec.number_of_edges():,} edges"
        )
        return f"{counts}; all matched" if self.holds else f"{counts}\n{self.disagreement}"


def refine(
    scope: Scope,
    policy: Policy | None = None,
    removed: Iterable[str] = (),
    *,
    names: Callable[[Scope, Mechanisms], Names] = Names,
    progress: Progress | None = None,
) -> Refinement:
    """Compare both, in both directions; the first disagreement ends it. `names` makes the map.

    Takes memory for every state of the implementation (some kB each); made for scopes of some ten thousand."""
    mechanisms = resolve(policy or Policy(), removed)
    search = _Search(Twin(scope, mechanisms, names), specification(scope, mechanisms))
    try:
        search.run(progress)
        search.compare()
    except Disagreement as found:
        search.found.disagreement = found
    return search.found


class _Search:
    """The implementation's states, breadth first; each is kept as it was saved until it is expanded."""

    def __init__(self, twin: Twin, specified: Specification) -> None:
        self.twin, self.specified = twin, specified
        explored = explore(specified.protocol, properties=[], graph=True)
        self.number_of: dict[State, int] = {state: n for n, state in enumerate(explored.states)}
        self.states = explored.states
        graph: nx.MultiDiGraph[int] = nx.MultiDiGraph()
        graph.add_nodes_from(range(len(explored.states)))
        assert explored.graph is not None
        for here, there, number in explored.graph.edges(keys=True):
            graph.add_edge(here, there, key=specified.labels[number])
        self.found = Refinement(nx.MultiDiGraph(), graph)
        self.came: list[
            tuple[int, str]
        ] = []  # for each state, the one that it was found from, and by what step
        self.images: list[int] = []

    def run(self, progress: Progress | None) -> None:
        """Visit every state; raises Disagreement at the first edge that does not match."""
        twin, graph = self.twin, self.found.implementation
        numbers = {twin.key(): 0}
        saved: list[bytes | None] = [twin.save()]
        self.came.append((0, ""))
        self.images.append(self._image(0))
        graph.add_node(0, image=self.images[0])
        if self.images[0] != 0:
            raise Disagreement((), "the initial states differ", self._differences(self.images[0], 0))
        here = 0
        while here < len(saved):
            kept, saved[here] = saved[here], None
            assert kept is not None
            offered = [(name, move.stutters) for name, move in self._offered(here, kept).items()]
            for position, (name, stutters) in enumerate(offered):
                if position:  # for the first of them it is still as `_offered` loaded it
                    twin.load(kept)
                twin.do(position)
                there = numbers.setdefault(twin.key(), len(saved))
                if there == len(saved):
                    saved.append(twin.save())
                    self.came.append((here, name))
                    self.images.append(self._image(there))
                    graph.add_node(there, image=self.images[there])
                graph.add_edge(here, there, key=name)
                self._judge(here, name, there, stutters)
            here += 1
            if progress and here % 256 == 0:
                progress(len(saved), here)

    def _offered(self, here: int, kept: bytes) -> dict[str, Move]:
        """What may happen in a state, which is loaded. Where nothing stutters, both offer the same."""
        self.twin.load(kept)
        offered = self.twin.enabled()
        steps = {name for name, move in offered.items() if not move.stutters}
        after = self.specified.successors(self.states[self.images[here]]).keys()
        if steps - after or (after - steps and len(steps) == len(offered)):
            reason = "what may happen next differs"
            raise Disagreement(self._path(here), reason, (), steps - after, after - steps)
        return offered

    def _judge(self, here: int, name: str, there: int, stutters: bool) -> None:
        """One edge of the implementation, against the specification."""
        before, after = self.images[here], self.images[there]
        if stutters:
            self.found.stutters[name.partition("(")[0]] += 1
            should = before
        else:
            should = self.number_of[self.specified.successors(self.states[before])[name]]
        if after != should:
            reason = "it should change nothing" if stutters else "the states differ"
            raise Disagreement([*self._path(here), name], reason, self._differences(after, should))

    def compare(self) -> None:
        """Every edge of the specification was performed, and every state of it reached."""
        images = self.images
        done = {(images[a], images[b], name) for a, b, name in self.found.implementation.edges(keys=True)}
        for here, there, name in self.found.specification.edges(keys=True):
            if (here, there, name) not in done:
                reached = next((n for n, image in enumerate(images) if image == here), None)
                path = self._path(reached) if reached is not None else []
                raise Disagreement(path, "the implementation never performs this step", (), (), [name])

    def _image(self, number: int) -> int:
        """The number of the specification's state that the implementation is in now."""
        try:
            return self.number_of[self.specified.encoder.encode(self.twin.abstract())]
        except ValueError as error:
            raise Disagreement(
                self._path(number), f"the implementation's state has no name: {error}"
            ) from None
        except KeyError:
            raise Disagreement(
                self._path(number), "the specification never reaches the state that it is in"
            ) from None

    def _differences(self, implemented: int, specified: int) -> tuple[Difference, ...]:
        return self.specified.differences(self.states[implemented], self.states[specified])

    def _path(self, number: int) -> list[str]:
        """The steps by which a state was found."""
        path = []
        while number:
            number, name = self.came[number]
            path.append(name)
        return path[::-1]
