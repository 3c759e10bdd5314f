"""Which engine explores: the plain one while that takes a second or two, the fast one beyond, and decision diagrams
where states are very many.

The plain engine is the readable judge, and starts at once. The loops of the fast one have to be loaded, which pays from
some 50,000 states on. Diagrams need a good order of the fields, and most protocols have one; where theirs grow beyond
all bounds, the fast engine goes on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path as File
from typing import Any

from cutproof.checks.engines.exploration import INTERRUPTED, Exploration, Limits, Since
from cutproof.checks.engines.plain.explore import NO_LIMITS, selected
from cutproof.checks.engines.plain.explore import explore as plain
from cutproof.checks.engines.plain.search import Progress
from cutproof.model.language.circuit import TooWide
from cutproof.model.language.protocol import Protocol

PLAIN, FAST, ZDD = ENGINES = ("plain", "fast", "zdd")
FORMERLY = {"vector": FAST}  # names that engines had before
SMALL = 50_000  # states that the plain engine is given to finish in
SMALL_UNCOMPILED = 1_000_000  # ... where numba is not installed: then the plain engine is the faster one
LARGE = 5_000_000  # states that the fast engine is given to finish in, before diagrams are tried
NODES = 1 << 24  # that diagrams are given to finish in, where nobody named their engine

Told = Callable[[str], None]  # progress in words


class TooLarge(Exception):
    """An engine found as many states as it was given, and is not done."""


@dataclass(frozen=True)
class _WhileSmall(Limits):
    """Limits of a search that is given up where the fast engine is the better one: nothing of it is wanted then."""

    def reached(self, states: int, started: float, more: int = 0) -> str:
        reason = super().reached(states, started, more)
        if not reason and states >= SMALL and (states >= SMALL_UNCOMPILED or compiled()):
            raise TooLarge
        return reason


@dataclass(frozen=True)
class _WhileNotLarge(Since):
    """Limits of a search that is given up where diagrams may be better."""

    def reached(self, states: int, started: float, more: int = 0) -> str:
        reason = super().reached(states, started, more)
        if not reason and states >= LARGE:
            raise TooLarge
        return reason


@dataclass(frozen=True)
class _Asked:
    """What an exploration is asked for, whatever the engine."""

    protocol: Protocol
    properties: list[str] | None
    only: tuple[str, str] | None
    cycles: bool
    graph: bool
    progress: Progress | None
    told: Told | None
    workers: int | None
    symmetry: bool
    folder: File | None
    depth: bool

    def plainly(self, limits: Limits) -> tuple[Exploration, str]:
        found = plain(
            self.protocol, limits=limits, properties=self.properties, only=self.only, cycles=self.cycles,
            graph=self.graph, progress=self.progress,
        )  # fmt: skip
        return found, PLAIN

    def fast(self, limits: Limits) -> tuple[Exploration, str]:
        from cutproof.checks.engines.fast.explore import explore as fast  # it takes a while to import

        found = fast(
            self.protocol, limits=limits, properties=self.properties, only=self.only, cycles=self.cycles,
            graph=self.graph, progress=self.progress, workers=self.workers, symmetry=self.symmetry, folder=self.folder,
        )  # fmt: skip
        return found, FAST

    def by_diagrams(self, limits: Limits, nodes: int | None = None) -> tuple[Exploration, str]:
        from cutproof.checks.engines.zdd.explore import explore as zdd

        found = zdd(
            self.protocol, limits=limits, properties=self.properties, only=self.only, cycles=self.cycles,
            depth=self.depth, told=self.told, nodes=nodes, folder=self.folder,
        )  # fmt: skip
        return found, ZDD


def explore_any(
    protocol: Protocol,
    *,
    engine: str = "",
    limits: Limits = NO_LIMITS,
    properties: Iterable[str] | None = None,
    only: tuple[str, str] | None = None,
    cycles: bool = True,
    graph: bool = False,
    progress: Progress | None = None,
    told: Told | None = None,
    workers: int | None = None,
    symmetry: bool = False,
    folder: File | None = None,
    depth: bool = False,
) -> tuple[Exploration, str]:
    """Explore with the engine that is named, or that suits: what was found, and the name of the engine that answered.

    Without a name: the plain engine up to SMALL states (and the only one where a field is wider than a word), the
    fast engine up to LARGE, then diagrams; the fast engine goes on where these take more than NODES. `workers` and
    `symmetry` are the fast engine's (`fast.explore`); `symmetry` and `folder` choose it where none is named. `told` is
    told in words how far diagrams are, and `depth` says that they count it. Raises TooWide where an engine was chosen
    that cannot have a field, and CheckpointError."""
    names = None if properties is None else list(properties)
    engine = FORMERLY.get(engine, engine) or (FAST if symmetry or folder else "")
    asked = _Asked(protocol, names, only, cycles, graph, progress, told, workers, symmetry, folder, depth)
    began = time.perf_counter()
    if engine == PLAIN:
        return asked.plainly(limits)
    if not engine:
        try:
            return asked.plainly(_WhileSmall(**vars(limits)))
        except TooLarge:
            pass
    since = {**vars(limits), "began": began}
    try:
        if engine == ZDD:
            return asked.by_diagrams(Since(**since))
        if engine or graph:
            return asked.fast(Since(**since))
        return _large(asked, since)
    except TooWide:
        if engine:
            raise
        return asked.plainly(limits)
    except KeyboardInterrupt:  # while an engine was loaded, or its search prepared
        return _nothing(asked, time.perf_counter() - began), engine or FAST


def _nothing(asked: _Asked, seconds: float) -> Exploration:
    """An exploration that was interrupted before it began."""
    transitions = len(asked.protocol.transitions)
    found = Exploration(
        asked.protocol, fired=[0] * transitions, ended=INTERRUPTED, interrupted=True, seconds=seconds
    )
    chosen = selected(asked.protocol, asked.properties, asked.only)
    found.verdicts = [found.unknown(c.property, c.form, c.harm) for c in chosen]
    return found


def _large(asked: _Asked, since: dict[str, Any]) -> tuple[Exploration, str]:
    """By the fast engine, or by diagrams where that takes long, or by the fast engine after all."""
    try:
        return asked.fast(_WhileNotLarge(**since))
    except TooLarge:
        pass
    try:
        found, name = asked.by_diagrams(Since(**since), NODES)
    except TooWide:
        return asked.fast(Since(**since))
    if found.ended and not found.interrupted and not Since(**since).reached(found.distinct, 0.0):
        # The nodes did not suffice: for all states, or for what was to be said of these, more than a list can hold.
        return asked.by_diagrams(Since(**since)) if found.counted_after else asked.fast(Since(**since))
    return found, name


def compiled() -> bool:
    """Whether the inner loops of the fast engine are compiled."""
    from cutproof.checks.engines.fast.kernels.choice import COMPILED

    return COMPILED
