"""What goes on for ever: cycles of *can always*, and the claims of whole runs, *leads to* and *eventually*.

All are judged by rounds that are fair (`engines/lasso.py`). States where it comes true are left out, and of what
remains the strongly connected components by steps that are no fault are looked at: where any fair round exists, all of
its component is one, as a larger round takes more steps and comes to where more of them are impossible.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import networkx as nx

from cutproof.checks.engines.exploration import INTERRUPTED, Exploration, Limits, resident
from cutproof.checks.engines.lasso import fair_round, possible, put_off
from cutproof.checks.engines.plain.graph import edges_of, moves
from cutproof.checks.engines.verdict import Holds, Path, Unknown, Verdict, Violated
from cutproof.model.language.codegen import compile_terms
from cutproof.model.language.expressions import Term
from cutproof.model.language.properties import TEMPORAL
from cutproof.model.language.protocol import Claim, State

NODE_BYTES, MOVE_BYTES = 500, 130  # of the unlabelled graph, measured and rounded up


def judge_liveness(found: Exploration, claims: Sequence[Claim], limits: Limits, cycles: bool) -> None:
    """Put verdicts where *can always*, *leads to* and *eventually* claims are unknown yet; of *can always* add
    "deadlock", and a cycle for each if asked.

    States that were not expanded may lead anywhere: what can reach one is not violated, only unknown."""
    start = time.perf_counter()
    reason = found.ended if found.interrupted else _too_large(found, limits)
    whole = [i for i, c in enumerate(claims) if c.form in TEMPORAL]
    places = [i for i, c in enumerate(claims) if c.form == "can_always"]
    first = len(found.verdicts)
    for i in [*whole, *places]:
        found.verdicts[i] = found.unknown(claims[i].property, claims[i].form, claims[i].harm, reason)
    try:
        if places:
            _judge_can_always(found, claims, places, reason, cycles)
        for i in whole if not reason else ():
            found.verdicts[i] = _temporal(found, claims[i])
    except KeyboardInterrupt:
        found.interrupted = True
    seconds, verdicts = found.seconds + time.perf_counter() - start, found.verdicts
    for i in [*whole, *places, *range(first, len(verdicts))]:
        verdicts[i] = replace(verdicts[i], seconds=seconds)
        if isinstance(verdicts[i], Unknown) and not verdicts[i].reason:
            verdicts[i] = replace(verdicts[i], reason=INTERRUPTED)


def _judge_can_always(
    found: Exploration, claims: Sequence[Claim], places: Sequence[int], reason: str, cycles: bool
) -> None:
    """The verdicts of *can always* claims, of "deadlock", and of cycles."""
    verdicts = found.verdicts
    rounds = len(verdicts) + 1
    terms = [claims[i].holds for i in places]
    verdicts.append(_deadlock(found, compile_terms(found.protocol, terms)))
    around = [i for i in places if cycles and claims[i].cycles]
    verdicts += [found.unknown(claims[i].property, "cycle", claims[i].harm, reason) for i in around]
    if not reason:
        held = _values(found, terms)
        graph = moves(found)
        for i, good in zip(places, held, strict=True):
            verdicts[i] = _can_always(found, claims[i], graph, good)
        del graph  # it is large
        for place, i in enumerate(around):
            verdicts[rounds + place] = _cycle(found, claims[i], held[places.index(i)])


def _too_large(found: Exploration, limits: Limits) -> str:
    needed = len(found.states) * NODE_BYTES + len(edges_of(found).targets) * MOVE_BYTES
    if limits.memory is None or resident() + needed <= limits.memory:
        return ""
    return f"the graph needs {needed / 1e6:,.0f} MB more than the search, over the limit of memory"


def _values(found: Exploration, terms: list[Term]) -> list[bytearray]:
    """For each of these conditions whether it is true, by state: a byte each, as there may be many."""
    values = [bytearray(len(found.states)) for _ in terms]
    judge = compile_terms(found.protocol, terms)
    for number, state in enumerate(found.states):
        for told, value in zip(values, judge(state), strict=True):
            told[number] = value
    return values


def _deadlock(found: Exploration, holding: Callable[[State], tuple[int, ...]]) -> Verdict:
    """Of the states that no step leaves, in every one some *can always* claim must hold."""
    for number in found.deadlocks:
        if not any(holding(found.states[number])):
            return Violated(path=found.path_to(number), **found.about("deadlock", "deadlock"))
    if found.reason:
        return found.unknown("deadlock", "deadlock")
    return Holds(**found.about("deadlock", "deadlock"))


def _can_always(found: Exploration, claim: Claim, graph: nx.DiGraph[int], good: Sequence[int]) -> Verdict:
    unfinished = [*range(found.expanded, len(found.states)), *found.cut]
    ends = {here: None for here, holds in enumerate(good) if holds} | dict.fromkeys(unfinished)
    layers = nx.bfs_layers(graph.reverse(copy=False), ends) if ends else ()
    reaching = set(chain.from_iterable(layers))
    about = found.about(claim.property, claim.form, claim.harm)
    lost = next((here for here in range(len(found.states)) if here not in reaching), None)
    if lost is not None:
        return Violated(path=found.path_to(lost), **about)
    return found.unknown(claim.property, claim.form, claim.harm) if unfinished else Holds(**about)


# ------------------------------------------------------------------ for ever


def _cycle(found: Exploration, claim: Claim, good: Sequence[int]) -> Verdict:
    """A fair run that goes round for ever and never comes to where the claim holds; `good` says where it does."""
    parts = [
        part for part in _fair_parts(found, (n for n, there in enumerate(good) if not there)) if len(part) > 1
    ]
    about = found.about(claim.property, "cycle", claim.harm)
    if parts:
        entry, members = min((min(part), part) for part in parts)
        way = found.path_to(entry)
        states, numbers = _around(found, entry, members)
        return Violated(path=Path(way.states + states, way.transitions + numbers), **about)
    return found.unknown(claim.property, "cycle", claim.harm) if found.reason else Holds(**about)


def _temporal(found: Exploration, claim: Claim) -> Verdict:
    """The verdict of a *leads to* or *eventually*, by the first of its cases that some fair run violates."""
    about = found.about(claim.property, claim.form, claim.harm)
    for case in claim.cases:
        asked, given = _values(found, [case.asked, case.given])
        path = _pending_for_ever(found, _Waits(asked, given, claim.form == "eventually"))
        if path is not None:
            return Violated(path=path, detail=case.detail, **about)
    return found.unknown(claim.property, claim.form, claim.harm) if found.reason else Holds(**about)


@dataclass(frozen=True)
class _Waits:
    """Whether something is pending: asked for, and not given yet. `once`: what is asked for at the start alone."""

    asked: Sequence[int]
    given: Sequence[int]
    once: bool

    def begins(self, state: int) -> bool:
        return bool(self.asked[state] and not self.given[state])

    def after(self, pending: bool, state: int) -> bool:
        return not self.given[state] and bool(pending or (self.asked[state] and not self.once))


def _pending_for_ever(found: Exploration, waits: _Waits) -> Path | None:
    """A fair run on which something is pending for ever: the shortest way to a round, and the round."""
    part_of = dict[int, set[int]]()
    for part in _fair_parts(found, (n for n, given in enumerate(waits.given) if not given)):
        part_of |= dict.fromkeys(part, part)
    if not part_of:
        return None
    first = [(number, waits.begins(number)) for number in range(len(found.protocol.initials))]
    came: dict[tuple[int, bool], tuple[tuple[int, bool], int] | None] = dict.fromkeys(first)
    queue = list(came)
    for node in queue:  # grows as it is walked
        here, pending = node
        if pending and here in part_of:
            return _lasso(found, _back(found, came, node), here, part_of[here])
        for number, there in _steps(found, here):
            after = there, waits.after(pending, there)
            if after not in came:
                came[after] = node, number
                queue.append(after)
    return None


def _back(
    found: Exploration,
    came: dict[tuple[int, bool], tuple[tuple[int, bool], int] | None],
    node: tuple[int, bool],
) -> Path:
    states, numbers = [found.states[node[0]]], list[int]()
    while (before := came[node]) is not None:
        node, number = before
        numbers.append(number)
        states.append(found.states[node[0]])
    return Path(tuple(reversed(states)), tuple(reversed(numbers)))


def _lasso(found: Exploration, way: Path, entry: int, members: set[int]) -> Path:
    """The way to `entry`, and from there a fair round among `members`; nothing more where nothing fair is possible."""
    states, numbers = tuple[State, ...](), tuple[int, ...]()
    if possible(entry, lambda here: _steps(found, here), found.protocol.transitions):
        states, numbers = _around(found, entry, members)
    return Path(way.states + states, way.transitions + numbers, back=len(way.states) - 1)


def _around(found: Exploration, entry: int, members: set[int]) -> tuple[tuple[State, ...], tuple[int, ...]]:
    """A fair round among `members`: the states after each of its steps, and these."""
    transitions = found.protocol.transitions
    around, numbers = fair_round(entry, members.__contains__, lambda here: _steps(found, here), transitions)
    return tuple(found.states[number] for number in around), numbers


def _steps(found: Exploration, here: int) -> Iterator[tuple[int, int]]:
    edges = edges_of(found)
    if here >= found.expanded:
        return iter(())
    first, last = edges.starts[here], edges.starts[here + 1]
    return zip(edges.numbers[first:last], edges.targets[first:last], strict=True)


def _fair_parts(found: Exploration, among: Iterable[int]) -> list[set[int]]:
    """The sets of states, `among` some, within which a fair run can stay for ever; one state alone where nothing fair
    is possible. States of which not every step is known are no such state alone."""
    graph = moves(found, set(among), choices=True)
    return [
        part
        for part in nx.strongly_connected_components(graph)
        if (len(part) > 1 or all(here < found.expanded and here not in found.cut for here in part))
        and not put_off(part, lambda here: _steps(found, here), found.protocol.transitions)
    ]
