"""Rows of the ladder that no list of states can give: the hardened protocol in scopes of more than 10^9 states.

By decision diagrams: every claim in the first scope, and in wider ones what single states show, *always* and
*sometimes*. They take the compiled loops of the extra `fast`; without it, a row says that it was not run.
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
EVERY, STATES = "every claim", "always and sometimes"
SCOPES = {  # by scope, what is judged there
    "reads_and_faults,writes=2,searches=1,deletes=1,table=1": EVERY,  # 2 x 10^9 states
    "reads_and_faults,writes=2,documents=2": STATES,  # 10^12
}
FULL = {
    **SCOPES,
    "reads_and_faults,writes=2,documents=2": EVERY,
    "reads_and_faults,writes=5": STATES,  # 6 x 10^12
    "reads_and_faults,writes=2,documents=2,searches=1": STATES,  # 3 x 10^13
}


def wide_rows(told: Told | None, name: str, judged: str = EVERY) -> list[Row]:
    """The hardened protocol in one wide scope; `judged` says which claims."""
    start, scope = time.perf_counter(), parse_scope(name)
    if not choose.compiled():
        return [Row(CHECK, name, scope.describe(), NOT_RUN, HOLDS, detail="needs the extra `fast`")]
    protocol = build(scope)
    names = {c.property for c in protocol.claims if judged == EVERY or c.form in ("always", "sometimes")}
    found = whole(explore(protocol, properties=names, cycles=False, witnesses=False, told=told))
    worst = min(found.verdicts, key=lambda v: (SAFETY, LIVENESS, UNKNOWN, HOLDS).index(code_of(v)))
    counts = {
        "states": found.distinct,
        "transitions": found.transitions,
        "seconds": time.perf_counter() - start,
    }
    facts = {"nodes": getattr(found.states, "nodes", 0), "judged": judged}
    return [row_of(CHECK, name, scope.describe(), worst, facts=facts, **counts)]


def tasks(full: bool) -> list[Task]:
    """A task for each of these scopes; they take long, and are begun first."""
    chosen = FULL if full else SCOPES
    return [
        Task(f"wide {name}", wide_rows, (name, judged), heavy=True, rung=CHECK)
        for name, judged in chosen.items()
    ]
