"""What is compared with the reference implementation, beside what clients were promised: where the outcome of a
schedule is determined it must be the oracle's, phases of its names come in its order, and it acknowledges about as
much.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from cutproof.checks.cutover.conformance.reference import Reference
from cutproof.checks.drivers.adapter import ACKNOWLEDGED, REFUSED
from cutproof.checks.drivers.finding import DiffersFromOracle, NotConforming
from cutproof.impl.miroir import MigrationPhase

if TYPE_CHECKING:
    from cutproof.checks.cutover.conformance.run import Run
    from cutproof.checks.drivers.histories.operation import Operation

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


def compare(run: Run) -> None:
    """The oracle performs what a system performed; where both say what must be there in the end, they say the same.
    What the oracle acknowledged is counted. Raises DiffersFromOracle."""
    from cutproof.checks.cutover.conformance.run import Run as Another

    other = Another(Reference, run.seed, len(run.owners))
    try:
        for step in [*run.steps]:
            other.do(step)
        other.heal()
        other.advance(MANY)
    except NotConforming as error:  # that would be a fault of ours: nothing is to be learned from it
        run.counts["the oracle failed"] += 1
        run.log.append(f"the oracle itself: {error.reason}")
        return
    finally:
        other.stop()
    run.counts["the oracle acknowledged"] += other.counts[ACKNOWLEDGED]
    run.counts["acknowledged beside it"] += run.counts["acknowledged by plan"]
    held = other.observed().get("documents", {})
    for key in sorted(run.history):
        ours, theirs = _writes(run.history[key]), _writes(other.history.get(key, []))
        same = [(o.kind, o.outcome) for o in ours] == [(o.kind, o.outcome) for o in theirs]
        if not same or not _determined(ours) or not _determined(theirs):
            continue
        reads = [o for o in run.history[key] if o.kind == "get" and o.outcome == ACKNOWLEDGED]
        # Writes are numbered otherwise where the oracle lacks an operation: the place among the writes tells.
        if reads and _place(ours, reads[-1].result) != _place(theirs, held.get(key)):
            reason = (
                f"{key}: a client reads {run.named(reads[-1].result)}; the oracle, asked for the same, holds "
                f"{other.named(held.get(key))}"
            )
            run.found = DiffersFromOracle(reason, run.log)
            raise run.found


def _writes(operations: list[Operation]) -> list[Operation]:
    return [o for o in operations if o.kind != "get"]


def _place(writes: list[Operation], value: object) -> int | None:
    """Which write a value is of; None for nothing, and for a value of no write."""
    return next((i for i, o in enumerate(writes) if value is not None and o.argument == value), None)


def _determined(writes: list[Operation]) -> bool:
    """Whether there is only one value that can be there in the end."""
    known = [o for o in writes if o.outcome != REFUSED]
    return bool(known) and all(o.kind in ("put", "delete") and o.outcome == ACKNOWLEDGED for o in known) and all(
        a.returned is not None and a.returned < b.invoked for a, b in pairwise(known)
    )  # fmt: skip
