"""Claims of whole runs, *leads to* and *eventually*: the protocol with a field that says what is pending
(`engines/pending.py`), its reachable set, and of the pending states those in which some fair run stays for ever."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from cutproof.checks.engines.pending import PENDING, with_pending
from cutproof.checks.engines.verdict import Path
from cutproof.checks.engines.zdd.diagrams import NOTHING
from cutproof.checks.engines.zdd.liveness import Liveness, lasso
from cutproof.checks.engines.zdd.reach import Breadth, Tell, chained
from cutproof.checks.engines.zdd.system import System
from cutproof.model.language import expressions as ex
from cutproof.model.language.protocol import Case, Protocol

Build = Callable[[Protocol], System]


def pending_for_ever(protocol: Protocol, case: Case, once: bool, build: Build, tell: Tell) -> Path | None:
    """The path that the plain engine finds to a fair run on which the case's `given` never comes after it was asked
    for (`once`: at the start), and the round; None if there is none. Raises OverBudget."""
    product = with_pending(protocol, case, once)
    system = build(product)
    reached = chained(system, tell)
    pending = system.truth(ex.variable(PENDING.name, 0, 1, True))
    liveness = Liveness(system, reached)
    stay = liveness.staying(system.diagrams.keep(system.diagrams.select(reached, pending)), alone=True)
    if stay == NOTHING:
        return None
    found = liveness.fair_part(Breadth(system), stay, alone=True)
    if found is None:
        return None
    way, part = found
    path = lasso(system, way, part, len(way.states) - 1)
    return replace(path, states=tuple(state[:-1] for state in path.states))
