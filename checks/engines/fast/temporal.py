"""Claims of whole runs, *leads to* and *eventually*, on rows: a search of the protocol with one more bit.

The bit says that something is *pending*: it was asked for, and has not been given yet. Every step brings it up to date
by a term, so that the search goes over what the plain engine goes over when it looks for the shortest way to where
something pends for ever. Of the pending states those are kept from which it can: a fair run goes round among them, or
rests in one where nothing fair is possible. The bit is left out of the path.
"""

from __future__ import annotations

from dataclasses import replace

from cutproof.checks.engines.exploration import Limits
from cutproof.checks.engines.fast.liveness import Look, OverBudget, Passes, first_of
from cutproof.checks.engines.fast.rounds import Parts, around, fair_parts
from cutproof.checks.engines.fast.search import VectorSearch
from cutproof.checks.engines.lasso import possible
from cutproof.checks.engines.pending import with_pending
from cutproof.checks.engines.plain.search import packed_steps_of
from cutproof.checks.engines.verdict import Path
from cutproof.model.language.protocol import Case, Protocol, State


def pending_for_ever(
    protocol: Protocol, case: Case, once: bool, limits: Limits, workers: int, look: Look
) -> Path | None:
    """The path that the plain engine finds to a fair run on which the case's `given` never comes after it was asked
    for (`once`: at the start), and the round; None if there is none. Raises OverBudget, KeyboardInterrupt."""
    product = with_pending(protocol, case, once)
    search = VectorSearch(product, product.claims, limits, workers=workers)
    try:
        search.run()
        if search.interrupted:
            raise KeyboardInterrupt
        if search.ended:
            raise OverBudget(search.ended)
        (left,) = Passes(search, [0], look).rounds(alone=True)
        parts = fair_parts(search, left, alone=True)
        return _without_the_bit(_lasso(search, parts)) if parts.rows.shape[1] else None
    finally:
        search.close()


def _lasso(search: VectorSearch, parts: Parts) -> Path:
    """The first way to one of the parts, and a fair round in it; nothing more where nothing fair is possible."""
    way, compiled = first_of(search, parts.rows), search.compiled
    entry, states, numbers = way.states[-1], tuple[State, ...](), tuple[int, ...]()
    if possible(
        compiled.pack(entry), lambda here: packed_steps_of(compiled, here), search.protocol.transitions
    ):
        states, numbers = around(search, entry, parts.of(search.row_of(entry)))
    return Path(way.states + states, way.transitions + numbers, back=len(way.states) - 1)


def _without_the_bit(path: Path) -> Path:
    return replace(path, states=tuple(state[:-1] for state in path.states))
