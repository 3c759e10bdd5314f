"""The fast explorer, with the answers of the plain one: verdicts, the shortest trace of each, and statistics.

found = explore(cutover(scope).resolve(mechanisms), limits=Limits(memory=8 << 30))
exit_code(found.verdicts), found.never_fired, len(found.states)
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path as File
from typing import Any

import numpy as np

from cutproof.checks.engines.exploration import INTERRUPTED, Exploration, Limits, Since
from cutproof.checks.engines.fast.conversion import handed_over, why_not
from cutproof.checks.engines.fast.engine import DEGREES
from cutproof.checks.engines.fast.liveness import OverBudget, Passes, at_once, first_of
from cutproof.checks.engines.fast.program import Words
from cutproof.checks.engines.fast.rounds import around, fair_parts
from cutproof.checks.engines.fast.search import BROKEN, STUCK, Progress, VectorSearch
from cutproof.checks.engines.fast.shortest_paths import Goal, paths
from cutproof.checks.engines.fast.states import states_of
from cutproof.checks.engines.fast.temporal import pending_for_ever
from cutproof.checks.engines.plain.explore import NO_LIMITS, ON_THE_GRAPH, selected
from cutproof.checks.engines.verdict import Holds, Path, Verdict, Violated
from cutproof.model.language.codegen import DomainError
from cutproof.model.language.properties import TEMPORAL
from cutproof.model.language.protocol import Claim, Protocol, State

SYMMETRIC = "reduced by symmetry"


class Levelled(Sequence[State]):
    """The states of a search, level by level; within a level in no order that means anything.

    Where so many were found that levels went to disk (`levels.KEPT`), only their number is left after the search."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, search: VectorSearch, count: int) -> None:
        self._search, self._count = search, count

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[State]:
        search = self._search
        for level in range(len(search.levels)):
            for rows in search.levels.chunks(level, 1 << 12):
                yield from states_of(search.layout, rows)

    def __getitem__(self, number: Any) -> Any:
        search = self._search
        for level in range(len(search.levels) if number >= 0 else 0):
            for rows in search.levels.chunks(level, 1 << 12):
                size = int(np.bitwise_count(rows[-1]).sum())
                if number < size:
                    return states_of(search.layout, rows)[number]
                number -= size
        raise IndexError("no such state")


def default_workers() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def explore(
    protocol: Protocol,
    *,
    limits: Limits = NO_LIMITS,
    properties: Iterable[str] | None = None,
    only: tuple[str, str] | None = None,
    stop_at_first: bool = False,
    cycles: bool = True,
    graph: bool = False,
    progress: Progress | None = None,
    workers: int | None = None,
    symmetry: bool = False,
    folder: File | None = None,
    witnesses: bool = True,
) -> Exploration:
    """As `explore.explore`, level by level on all cores; `states` are in the order of levels.

    `symmetry` keeps one state for all that differ only by which of interchangeable indices is which. With a `folder`,
    levels are kept there, and a run that was ended goes on from its last whole level. Without `witnesses`, a
    *sometimes* that holds has no path. `graph` keeps the labelled graph, and `states` are in the order of discovery
    then; there is none where `conversion.why_not` says so. Raises CheckpointError for a folder that is of something
    else."""
    began, claims = time.perf_counter(), selected(protocol, properties, only)
    search = VectorSearch(
        protocol, claims, limits, workers=workers or default_workers(), stop_at_first=stop_at_first,
        progress=progress, symmetry=symmetry, folder=folder,
    )  # fmt: skip
    try:
        search.run()
        found = _judged(search, claims, cycles, witnesses, began)
        if graph and not (found.interrupted or why_not(search)):
            _hand_over(search, found)
        return found
    finally:
        search.close()


def _hand_over(search: VectorSearch, found: Exploration) -> None:
    """The same exploration, with what the plain engine would have kept of it."""
    from cutproof.checks.engines.plain.graph import state_graph  # networkx takes a while to import

    whole = handed_over(search)
    found.states, found.parents, found.via, found.edges = whole.states, whole.parents, whole.via, whole.edges
    found.cut, found.deadlocks = whole.cut, whole.deadlocks
    found.graph = state_graph(found)


def _judged(
    search: VectorSearch, claims: Sequence[Claim], cycles: bool, witnesses: bool, began: float
) -> Exploration:
    start, protocol = time.perf_counter(), search.protocol
    found = Exploration(
        protocol, Levelled(search, search.states), fired=search.engine.fired.tolist(), expanded=search.expanded,
        depth=search.depth, seconds=search.seconds, ended=search.ended, interrupted=search.interrupted,
    )  # fmt: skip
    goals: dict[Any, Goal] = {}
    for (claim, _), goal in search.first.items():
        if claim < 0 or claims[claim].form == "always" or (witnesses and claims[claim].form == "sometimes"):
            goals[claim] = goal
    if BROKEN in goals:
        found.cut[-1] = "an action left its domain"
    ways = paths(search, goals)
    if BROKEN in goals:
        found.cut = {-1: f"an action left its domain: {_complaint(search, ways[BROKEN])}"}
    told = {claim for claim, _ in search.first}
    found.verdicts = [_verdict(found, c, i in told, ways.get(i)) for i, c in enumerate(claims)]
    if BROKEN in goals:
        about = found.about("domain", "always")
        found.verdicts.append(Violated(path=ways[BROKEN], detail=_complaint(search, ways[BROKEN]), **about))
    places = [i for i, c in enumerate(claims) if c.form == "can_always"]
    if places:
        _liveness(search, found, claims, places, ways, cycles, began)
    if any(c.form in TEMPORAL for c in claims):
        _temporal(search, found, claims, began)
    found.degrees = _degrees(search)
    found.seconds += time.perf_counter() - start
    return found


def _degrees(search: VectorSearch) -> list[int]:
    """How many of the expanded states fire so many transitions, by that number."""
    total = np.zeros(DEGREES, np.int64)
    for rows in search.expanded_rows(1 << 18):
        total += search.engine.degrees(rows)
    return np.trim_zeros(total, "b").tolist()


def _complaint(search: VectorSearch, path: Path) -> str:
    try:
        search.compiled.successors(path.states[-1])
    except DomainError as error:
        return str(error)
    raise AssertionError("the plain code complains of the same state")


def _verdict(found: Exploration, claim: Claim, told: bool, path: Path | None) -> Verdict:
    about = found.about(claim.property, claim.form, claim.harm)
    if told and claim.form not in ON_THE_GRAPH:
        return Violated(path=path, **about) if claim.form == "always" else Holds(witness=path, **about)
    if found.reason or claim.form in ON_THE_GRAPH:
        return found.unknown(claim.property, claim.form, claim.harm)
    return Holds(**about) if claim.form == "always" else Violated(path=None, **about)


# ------------------------------------------------------------------ liveness


def _liveness(
    search: VectorSearch,
    found: Exploration,
    claims: Sequence[Claim],
    places: list[int],
    ways: dict[Any, Path],
    cycles: bool,
    began: float,
) -> None:
    """Verdicts of *can always* claims; "deadlock", and a cycle for each if asked."""
    verdicts = found.verdicts
    about = found.about("deadlock", "deadlock")
    if STUCK in ways:
        verdicts.append(Violated(path=ways[STUCK], **about))
    else:
        verdicts.append(found.unknown("deadlock", "deadlock") if found.reason else Holds(**about))
    reached, rounds = dict[int, Verdict](), dict[int, Verdict]()
    reason, many = found.ended, at_once(search)
    try:
        for low in range(0, 0 if reason else len(places), many):
            some = places[low : low + many]
            passes = Passes(search, some, lambda: _look(search, began))
            for i, lost in zip(some, passes.reach(), strict=True):
                reached[i] = _reachable(search, found, claims[i], lost)
            rounded = [i for i in some if cycles and claims[i].cycles]
            for i, left in zip(some, passes.rounds() if rounded else [], strict=bool(rounded)):
                if i in rounded:
                    rounds[i] = _round(search, found, claims[i], left)
    except KeyboardInterrupt:
        found.interrupted, reason = True, INTERRUPTED
    except OverBudget as error:
        reason = str(error)
    for i in places:
        claim = claims[i]
        verdicts[i] = reached.get(i) or found.unknown(claim.property, "can_always", claim.harm, reason)
    for i in places if cycles else ():
        claim = claims[i]
        if claim.cycles:
            verdicts.append(rounds.get(i) or found.unknown(claim.property, "cycle", claim.harm, reason))


def _look(search: VectorSearch, began: float) -> None:
    if reason := replace(search.limits, states=None).reached(0, began):
        raise OverBudget(reason)


def _reachable(search: VectorSearch, found: Exploration, claim: Claim, lost: Words) -> Verdict:
    about = found.about(claim.property, claim.form, claim.harm)
    if lost.shape[1]:
        return Violated(path=first_of(search, lost), **about)
    return found.unknown(claim.property, claim.form, claim.harm) if found.reason else Holds(**about)


def _round(search: VectorSearch, found: Exploration, claim: Claim, left: Words) -> Verdict:
    about = found.about(claim.property, "cycle", claim.harm)
    loops = fair_parts(search, left)
    if loops.rows.shape[1]:
        way = first_of(search, loops.rows)
        states, numbers = around(search, way.states[-1], loops.of(search.row_of(way.states[-1])))
        return Violated(path=Path(way.states + states, way.transitions + numbers), **about)
    return found.unknown(claim.property, "cycle", claim.harm) if found.reason else Holds(**about)


def _temporal(search: VectorSearch, found: Exploration, claims: Sequence[Claim], began: float) -> None:
    """Verdicts of *leads to* and *eventually* claims, each by the first of its cases that some fair run violates."""
    reason = found.ended
    limits = Since(**{"began": began, **vars(search.limits), "states": None})
    for i, claim in enumerate(claims):
        if claim.form not in TEMPORAL:
            continue
        about, verdict = found.about(claim.property, claim.form, claim.harm), None
        try:
            for case in claim.cases if not reason else ():
                path = pending_for_ever(
                    search.protocol, case, claim.form == "eventually", limits, search.engine.workers,
                    lambda: _look(search, began),
                )  # fmt: skip
                if path is not None:
                    verdict = Violated(path=path, detail=case.detail, **about)
                    break
        except KeyboardInterrupt:
            found.interrupted, reason = True, INTERRUPTED
        except OverBudget as error:
            reason = str(error)
        unknown = found.unknown(claim.property, claim.form, claim.harm, reason)
        found.verdicts[i] = verdict or (unknown if reason or found.reason else Holds(**about))
