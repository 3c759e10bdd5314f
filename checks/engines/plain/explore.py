"""The plain explorer: every interleaving of a protocol within its scope, and a verdict for each claim.

    found = explore(two_phase_commit(3), limits=Limits(seconds=60))
    exit_code(found.verdicts), found.never_fired, len(found.states)

It is the readable engine, and the judge of the fast ones. The search is in `search.py`; what needs the whole
graph (*can always*, cycles, *leads to*) in `liveness.py`; export in `graph.py`.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Iterable

from cutproof.checks.engines.exploration import Exploration, Limits
from cutproof.checks.engines.plain.search import CHUNK, Progress, Search, inside
from cutproof.checks.engines.verdict import Holds, Path, Verdict, Violated
from cutproof.model.language.codegen import Compiled, DomainError, compile_protocol
from cutproof.model.language.properties import TEMPORAL
from cutproof.model.language.protocol import Claim, Protocol

__all__ = ["Exploration", "LimitReached", "Limits", "explore", "with_both_faults"]

NO_LIMITS = Limits()
ON_THE_GRAPH = ("can_always", *TEMPORAL)  # what no single state shows


def explore(
    protocol: Protocol,
    *,
    limits: Limits = NO_LIMITS,
    properties: Iterable[str] | None = None,
    only: tuple[str, str] | None = None,
    stop_at_first: bool = False,
    prune_violations: bool = False,
    cycles: bool = True,
    graph: bool = False,
    progress: Progress | None = None,
) -> Exploration:
    """Explore a resolved protocol and judge its claims: verdicts in the order of `protocol.claims`.

    After them stand, where they apply: "domain" if an action left its domain; "deadlock" and (if `cycles`) a
    cycle for each *can always* claim. `properties` (names) and `only` (property, harm) select claims;
    ValueError if there are none such. `stop_at_first` ends the search at the first violation of safety, or
    once nothing is left to decide. `prune_violations` goes on, but not beyond a state that violates. `graph`
    keeps the labelled graph. An interrupt (Ctrl-C) ends the search, not the program: `interrupted` is set and
    the verdicts say what was covered.
    """
    judged = copy.copy(protocol)
    judged.claims = claims = selected(protocol, properties, only)
    search = Search(judged, limits, stop_at_first, prune_violations, progress)
    found = search.run(edges=graph or any(c.form in ON_THE_GRAPH for c in claims))
    found.protocol = protocol
    found.verdicts = [_verdict(found, search, i, c) for i, c in enumerate(claims)]
    if search.broken:
        number, detail = search.broken
        path = found.path_to(number)
        found.verdicts.append(Violated(path=path, detail=detail, **found.about("domain", "always")))
    if found.edges:
        found.degrees = found.edges.degrees()
        from cutproof.checks.engines.plain import graph as graphs  # networkx takes a while to import
        from cutproof.checks.engines.plain.liveness import judge_liveness

        judge_liveness(found, claims, limits, cycles)
        if graph:
            found.graph = graphs.state_graph(found)
    return found


def selected(
    protocol: Protocol, properties: Iterable[str] | None, only: tuple[str, str] | None
) -> tuple[Claim, ...]:
    """The claims of a protocol that are asked for. Raises ValueError if there are none such."""
    names = None if properties is None else list(properties)
    strange = [n for n in names or () if n not in {c.property for c in protocol.claims}]
    claims = tuple(
        c
        for c in protocol.claims
        if (names is None or c.property in names) and (only is None or (c.property, c.harm) == only)
    )
    if strange or (only and not claims):
        there = dict.fromkeys(c.property + (f" ({c.harm})" if c.harm else "") for c in protocol.claims)
        raise ValueError(f"no property {', '.join(strange) or only}; there are {', '.join(there)}")
    return claims


def _verdict(found: Exploration, search: Search, index: int, claim: Claim) -> Verdict:
    """Of an *always* or *sometimes* claim; what the graph decides is unknown until the graph was looked at."""
    about, number = found.about(claim.property, claim.form, claim.harm), search.first.get(index)
    if number is not None:
        path = found.path_to(number)
        return Violated(path=path, **about) if claim.form == "always" else Holds(witness=path, **about)
    if found.reason or claim.form in ON_THE_GRAPH:
        return found.unknown(claim.property, claim.form, claim.harm)
    return Holds(**about) if claim.form == "always" else Violated(path=None, **about)


class LimitReached(Exception):
    """A search ended at a bound before it found what it was asked for: nothing is known."""


def with_both_faults(
    protocol: Protocol, fault_a: str, fault_b: str, limits: Limits = NO_LIMITS
) -> Path | None:
    """The shortest behaviour in which a fault of each of two kinds happens; None if there is none.

    Raises LimitReached if a limit was reached first. Steps that leave their domain are not taken."""
    compiled = compile_protocol(protocol)
    bits = [(t.fault == fault_a) | (t.fault == fault_b) << 1 for t in protocol.transitions]
    nodes = [
        (compiled.pack(s), 0) for s in protocol.initials
    ]  # a state, and which of the faults were on the way
    came, seen, started = [(0, -1)] * len(nodes), set(nodes), time.perf_counter()
    for here, (state, had) in enumerate(nodes):  # grows as it is walked
        if here % CHUNK == 0 and (reason := limits.reached(len(nodes), started)):
            raise LimitReached(reason)
        try:
            steps = compiled.successors_packed(state)
        except DomainError:
            steps = [(n, compiled.pack(after)) for n, after in inside(protocol, compiled.unpack(state))]
        for number, after in steps:
            node = after, had | bits[number]
            if node not in seen:
                seen.add(node)
                nodes.append(node)
                came.append((here, number))
                if node[1] == 3:
                    return _back(compiled, nodes, came)
    return None


def _back(compiled: Compiled, nodes: list[tuple[int, int]], came: list[tuple[int, int]]) -> Path:
    """The path to the last node."""
    number, states, transitions = len(nodes) - 1, [nodes[-1][0]], list[int]()
    while came[number][1] >= 0:
        number, transition = came[number]
        states.append(nodes[number][0])
        transitions.append(transition)
    return Path(tuple(map(compiled.unpack, reversed(states))), tuple(reversed(transitions)))
