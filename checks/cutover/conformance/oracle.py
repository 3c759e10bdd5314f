"""What is compared with the reference implementation, beside what clients were promised: phases of its names come in
its order, and a system acknowledges about as much.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cutproof.checks.cutover.conformance.reference import Reference
from cutproof.checks.drivers.adapter import ACKNOWLEDGED
from cutproof.checks.drivers.finding import NotConforming
from cutproof.impl.miroir import MigrationPhase

if TYPE_CHECKING:
    from cutproof.checks.cutover.conformance.run import Run

PHASES = {phase.value: place for place, phase in enumerate(MigrationPhase)}
GIVEN_UP = MigrationPhase.FAILED.value
COMMITTED = PHASES[MigrationPhase.CUTOVER_ACTIVATE.value]
MANY = 5_000  # steps in which it settles


def out_of_order(before: str, phase: str, disordered: bool) -> bool:
    """Whether a migration that was in one phase may not come to the other. Both are words of the oracle.

    Phases only go forward, except that a coordinator that recovers from a crash may drain anew. What is committed is
    never given up."""
    if PHASES[before] >= COMMITTED and before != GIVEN_UP:
        return PHASES[phase] < COMMITTED or phase == GIVEN_UP
    return PHASES[phase] < PHASES[before] and not disordered


def count_beside(run: Run) -> None:
    """The oracle performs what a system performed, and what it acknowledged is counted. What clients were shown needs
    no oracle: where only one value can be there, the judge of the history says which."""
    from cutproof.checks.cutover.conformance.run import Run as Another

    run.counts["beside the oracle"] += 1
    other = Another(Reference, run.seed, len(run.owners))
    try:
        for step in [*run.steps]:
            other.do(step)
        other.heal()
        other.advance(MANY)
    except NotConforming:  # that would be a fault of ours: the report says how often
        run.counts["the oracle failed"] += 1
        return
    finally:
        other.stop()
    run.counts["the oracle acknowledged"] += other.counts[ACKNOWLEDGED]
    run.counts["acknowledged beside it"] += run.counts["acknowledged by plan"]
