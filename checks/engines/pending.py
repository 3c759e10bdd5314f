"""A protocol with one more field, which says whether something is *pending*: asked for, and not given yet.

Every step brings the field up to date by a term, so that engines which judge *leads to* and *eventually* search
the protocol with that field as they search any other.
"""

from __future__ import annotations

import copy
from dataclasses import replace

from cutproof.model.language import expressions as ex
from cutproof.model.language.codegen import compile_terms
from cutproof.model.language.domains import boolean
from cutproof.model.language.protocol import Case, Claim, Field, Protocol, Transition

PENDING = Field("(pending)", "(pending)", (), boolean())  # no variable has such a name


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
