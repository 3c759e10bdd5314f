"""The checks of the ladder that hold the reference implementation to the specification.

6. *refinement*: within a scope both have the same graph, edge for edge, in both directions.
7. *lock step*: in scopes too wide to be explored, Hypothesis drives both; they never part, no property is violated, and
   every migration ends.
"""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial

from cutproof.checks.cutover.reference import hunt as hunts
from cutproof.checks.cutover.reference.coverage import PHASE_FLOOR
from cutproof.checks.cutover.reference.lockstep import Disagreement
from cutproof.checks.cutover.reference.refinement import refine
from cutproof.checks.cutover.reference.schedule import Stuck
from cutproof.checks.cutover.reference.stateful import FOUND
from cutproof.checks.engines.plain.search import Progress
from cutproof.checks.engines.verdict import HOLDS, LIVENESS, SAFETY
from cutproof.checks.ladder.tasks import Row, Task
from cutproof.model.cutover.scopes import parse_scope

RUNS = 25  # in each wide scope
REFINED = ("base,writes=1", "crash,writes=1", "two_repairs,writes=1,stale=0")
REFINED_FULL = (
    "two_repairs,writes=1",
    "reads,writes=1",
    "collection,writes=1",
    "two_migrations,late=0",
    "zombie",
    "abort,writes=1",
)


def refinement_rows(progress: Progress | None, text: str) -> list[Row]:
    """Both graphs of one scope, compared. `states` and `transitions` are the implementation's."""
    start, scope = time.perf_counter(), parse_scope(text)
    found = refine(scope, progress=partial(_told, progress))
    mine, theirs = found.implementation, found.specification
    counts = f"{theirs.number_of_nodes():,} and {theirs.number_of_edges():,} of the specification matched"
    row = Row(
        "refinement", text, scope.describe(), "holds", HOLDS, detail=counts, states=mine.number_of_nodes(),
        transitions=found.edges, seconds=time.perf_counter() - start,
        facts={"stuttering": dict(found.stutters), "specified": [theirs.number_of_nodes(), theirs.number_of_edges()]},
    )  # fmt: skip
    if found.disagreement is None:
        return [row]
    reason = str(found.disagreement).partition("\n")[0]
    return [replace(row, verdict="violated", code=SAFETY, property="refinement", detail=reason)]


def _told(progress: Progress | None, states: int, expanded: int) -> None:
    if progress:
        progress(states, 0, 0, states - expanded, 0.0)


def lockstep_rows(progress: Progress | None, name: str, runs: int) -> list[Row]:
    """Hypothesis in one wide scope. `transitions` counts the steps of the protocol that were taken."""
    start, configuration = time.perf_counter(), hunts.wide(name)
    found = hunts.hunt(configuration, runs, hunts.WIDE_STEPS, folder=FOUND)
    tally = found.tally
    row = Row(
        "lock step", name, configuration.scope.describe(), "holds", HOLDS,
        detail=f"{tally.runs:,} runs, {tally.rules:,} rule steps", transitions=tally.steps,
        seconds=time.perf_counter() - start, facts={"phases": dict(tally.phases), "faults": sorted(tally.faults)},
    )  # fmt: skip
    if tally.failed is None:
        ended = tally.share(tally.phases["complete"])
        if ended >= PHASE_FLOOR:
            return [row]
        return [
            replace(
                row, verdict="never", code=LIVENESS, detail=f"complete in {ended:.0%} of the runs: too few"
            )
        ]
    reason = str(tally.failed).partition("\n")[0]
    code = LIVENESS if isinstance(tally.failed, Stuck) else SAFETY
    what = "refinement"
    if not isinstance(tally.failed, Disagreement):
        what = tally.trace.meta.property or "" if tally.trace else ""
    file = str(FOUND / f"{name}.itf.json")
    return [replace(row, verdict="violated", code=code, property=what, detail=reason, trace=file)]


def tasks(full: bool) -> list[Task]:
    """Every task of these checks."""
    scopes = (*REFINED, *(REFINED_FULL if full else ()))
    return [
        *(
            Task(f"refinement {text}", refinement_rows, (text,), heavy=True, rung="refinement")
            for text in scopes
        ),
        *(
            Task(
                f"lock step {name}",
                lockstep_rows,
                (name, 10 * hunts.WIDE_RUNS if full else RUNS),
                heavy=True,
                rung="lock step",
            )
            for name in hunts.WIDE
        ),
    ]
