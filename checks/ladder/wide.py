"""Rows of the ladder that no list of states can give: the hardened protocol in scopes of more than 10^9 states.

By decision diagrams, every *always* and *can always*, and every *sometimes*. They take the compiled loops of the extra
`fast`; without it, the row says that it was not run.
"""

from __future__ import annotations

import time

from cutproof.checks.engines.verdict import HOLDS, LIVENESS, SAFETY, UNKNOWN, code_of
from cutproof.checks.engines.zdd import choose
from cutproof.checks.engines.zdd.explore import explore
from cutproof.checks.ladder.tasks import NOT_RUN, Row, Task, Told
from cutproof.checks.ladder.verify import row_of, whole
from cutproof.model.cutover.coordinator import build
from cutproof.model.cutover.scopes import parse_scope

CHECK = "wide scope"
SCOPES = ("reads_and_faults,writes=2,searches=1,deletes=1,table=1",)  # 2 x 10^9 states
FULL = (*SCOPES, "reads_and_faults,writes=2,documents=2")  # and more than 10^12


def wide_rows(told: Told | None, name: str) -> list[Row]:
    """The hardened protocol in one wide scope."""
    start, scope = time.perf_counter(), parse_scope(name)
    if not choose.compiled():
        return [Row(CHECK, name, scope.describe(), NOT_RUN, HOLDS, detail="needs the extra `fast`")]
    found = whole(explore(build(scope), cycles=False, witnesses=False, told=told))
    worst = min(found.verdicts, key=lambda v: (SAFETY, LIVENESS, UNKNOWN, HOLDS).index(code_of(v)))
    counts = {
        "states": found.distinct,
        "transitions": found.transitions,
        "seconds": time.perf_counter() - start,
    }
    facts = {"nodes": getattr(found.states, "nodes", 0)}
    return [row_of(CHECK, name, scope.describe(), worst, facts=facts, **counts)]


def tasks(full: bool) -> list[Task]:
    """A task for each of these scopes; they take long, and are begun first."""
    return [Task(f"wide {name}", wide_rows, (name,), heavy=True) for name in (FULL if full else SCOPES)]
