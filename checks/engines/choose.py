"""Which engine explores: the plain one while that takes a second or two, the fast one beyond.

The plain engine is the readable judge, and starts at once. The loops of the fast one have to be loaded, which pays from
some 50,000 states on.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path as File

from cutproof.checks.engines.exploration import Exploration, Limits, Since
from cutproof.checks.engines.plain.explore import NO_LIMITS
from cutproof.checks.engines.plain.explore import explore as plain
from cutproof.checks.engines.plain.search import Progress
from cutproof.model.language.circuit import TooWide
from cutproof.model.language.protocol import Protocol

PLAIN, VECTOR = ENGINES = ("plain", "vector")
SMALL = 50_000  # states that the plain engine is given to finish in
SMALL_UNCOMPILED = 1_000_000  # ... where numba is not installed: then the plain engine is the faster one


class TooLarge(Exception):
    """The plain engine found as many states as it was given, and is not done."""


@dataclass(frozen=True)
class _WhileSmall(Limits):
    """Limits of a search that is given up where the vector engine is the better one: nothing of it is wanted then."""

    def reached(self, states: int, started: float, more: int = 0) -> str:
        reason = super().reached(states, started, more)
        if not reason and states >= SMALL and (states >= SMALL_UNCOMPILED or compiled()):
            raise TooLarge
        return reason


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
    workers: int | None = None,
    symmetry: bool = False,
    folder: File | None = None,
) -> tuple[Exploration, str]:
    """Explore with the engine that is named, or that suits: what was found, and the name of the engine that answered.

    Without a name: the plain engine up to SMALL states, the vector engine beyond, and the plain one after all where a
    field is wider than a word. `workers`, `symmetry` and `folder` are the vector engine's (`fast.explore`); the last
    two choose it. Raises TooWide where the vector engine was chosen, and CheckpointError."""
    names = None if properties is None else list(properties)
    engine = engine or (VECTOR if symmetry or folder else "")
    began = time.perf_counter()

    def plainly(limits: Limits) -> tuple[Exploration, str]:
        found = plain(
            protocol,
            limits=limits,
            properties=names,
            only=only,
            cycles=cycles,
            graph=graph,
            progress=progress,
        )
        return found, PLAIN

    if engine == PLAIN:
        return plainly(limits)
    if not engine:
        try:
            return plainly(_WhileSmall(**vars(limits)))
        except TooLarge:
            pass
    from cutproof.checks.engines.fast.explore import explore as fast  # it takes a while to import

    limits = Since(**vars(limits), began=began)
    try:
        found = fast(
            protocol, limits=limits, properties=names, only=only, cycles=cycles, graph=graph, progress=progress,
            workers=workers, symmetry=symmetry, folder=folder,
        )  # fmt: skip
    except TooWide:
        if engine:
            raise
        return plainly(limits)
    return found, VECTOR


def compiled() -> bool:
    """Whether the inner loops of the vector engine are compiled."""
    from cutproof.checks.engines.fast.kernels.choice import COMPILED

    return COMPILED
