"""Claims of whole runs, *leads to* and *eventually*, on rows: a search of the protocol with one more bit.

The bit says that something is *pending*: it was asked for, and has not been given yet. Every step brings it up to date
by a term, so that the search goes over what the plain engine goes over when it looks for the shortest way to where
something pends for ever. Of the pending states those are kept from which it can: a fair run goes round among them, or
rests in one where nothing fair is possible. The bit is left out of the path.
"""

from __future__ import annotations

import copy
from dataclasses import replace

from cutproof.checks.engines.exploration import Limits
from cutproof.checks.engines.fast.liveness import Look, OverBudget, Passes, first_of
from cutproof.checks.engines.fast.rounds import Parts, around, fair_parts
from cutproof.checks.engines.fast.search import VectorSearch
from cutproof.checks.engines.fast.shortest_paths import packed_steps_of
from cutproof.checks.engines.lasso import possible
from cutproof.checks.engines.verdict import Path
from cutproof.model.language import expressions as ex
from cutproof.model.language.codegen import compile_terms
from cutproof.model.language.domains import boolean
from cutproof.model.language.protocol import Case, Claim, Field, Protocol, State, Transition

PENDING = Field("(pending)", "(pending)", (), boolean())  # no variable has such a name


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


def with_pending(protocol: Protocol, case: Case, once: bool) -> Protocol:
    """The protocol with a field that says whether the case is pending; its one claim says where it is not."""
    other, pending = copy.copy(protocol), ex.variable(PENDING.name, 0, 1, True)
    begins = compile_terms(protocol, [ex.conjunction(case.asked, ex.negation(case.given))])
    initials = tuple((*state, int(begins(state)[0])) for state in protocol.initials)
    other.cells, other.fields = (*protocol.cells, PENDING), (*protocol.fields, PENDING)
    other.start = {**protocol.start, PENDING.name: initials[0][-1]}
    other.__dict__["initials"] = initials  # in place of what is worked out from the cells
    other.transitions = tuple(_with_update(t, case, pending, once) for t in protocol.transitions)
    other.claims = (Claim(PENDING.name, "sometimes", "", ex.negation(pending)),)
    return other


def _with_update(transition: Transition, case: Case, pending: ex.Term, once: bool) -> Transition:
    """The transition, which also says whether the case is pending after it. Where neither term is another one then,
    nothing changes: where something is asked for and not given, it is pending already."""
    values, done = {cell.name: term for cell, term in transition.updates}, dict[ex.Term, ex.Term]()
    asked, given = (ex.substitute(term, values, done) for term in (case.asked, case.given))
    if given is case.given and (once or asked is case.asked):
        return transition
    waiting = pending if once else ex.disjunction(pending, asked)
    return replace(
        transition, updates=(*transition.updates, (PENDING, ex.conjunction(ex.negation(given), waiting)))
    )


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
