"""Whether something can still be reached from one state: what a path alone cannot show of *can always*."""

from __future__ import annotations

import copy
import time

from cutproof.checks.engines.exploration import Limits
from cutproof.checks.engines.plain.explore import LimitReached
from cutproof.checks.engines.plain.search import inside
from cutproof.model.language.codegen import DomainError, compile_protocol, compile_terms
from cutproof.model.language.expressions import Term
from cutproof.model.language.protocol import Protocol, State

CHUNK = 1024  # states between two looks at the limits


def states_until(protocol: Protocol, start: State, goal: Term, limits: Limits) -> tuple[int, bool]:
    """How many states are reached from `start` by steps that somebody owes (no fault, nobody's choice) until the goal
    is true, and whether it was. With False it is out of reach: those are all that there are.

    Raises LimitReached where that cannot be said: a limit was hit, or a step left its domain."""
    owed = copy.copy(protocol)
    owed.transitions = tuple(t for t in protocol.transitions if t.owed)
    owed.claims = ()
    successors, holds = compile_protocol(owed).successors, compile_terms(protocol, [goal])
    found, seen, started, left = [start], {start}, time.perf_counter(), ""
    for here, state in enumerate(found):  # grows as it is walked
        if holds(state)[0]:
            return len(found), True
        if here % CHUNK == 0 and (reason := limits.reached(len(found), started)):
            raise LimitReached(reason)
        try:
            after = [there for _, there in successors(state)]
        except DomainError as error:
            left = left or f"a step leaves its domain: {error}"
            after = [there for _, there in inside(owed, state)]
        for there in after:
            if there not in seen:
                seen.add(there)
                found.append(there)
    if left:
        raise LimitReached(left)
    return len(found), False
