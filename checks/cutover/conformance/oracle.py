"""What is compared with the reference implementation, beside what clients were promised: where the outcome of a schedule
is determined it must be the oracle's, phases of its names come in its order, and it acknowledges about as much.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cutproof.checks.cutover.conformance.reference import Reference
from cutproof.checks.drivers.adapter import ACKNOWLEDGED, PENDING
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
    run.counts["acknowledged beside it"] += sum(
        operation.outcome == ACKNOWLEDGED and operation.kind != "get"
        for operations in run.history.values() for operation in operations
    )  # fmt: skip
    held = other.observed().get("documents", {})
    for key in sorted(run.history):
        ours = _determined(run.history[key])
        theirs = _determined(other.history.get(key, []))
        if ours is None or theirs is None or ours.number != theirs.number:
            continue
        read = next((o.result for o in reversed(run.history[key]) if o.kind == "get" and o.outcome == ACKNOWLEDGED), None)
        if read != held.get(key):
            reason = f"{key}: a client reads {read!r}; the oracle, asked for the same, holds {held.get(key)!r}"
            run.found = DiffersFromOracle(reason, run.log)
            raise run.found


def _determined(operations: list[Operation]) -> Operation | None:
    """The write whose value must be there in the end; None where that is open."""
    writes = [o for o in operations if o.kind != "get"]
    if not writes or any(o.kind not in ("put", "delete") for o in writes) or any(o.outcome not in (ACKNOWLEDGED,) for o in writes if o.outcome != "refused"):
        return None
    known = [o for o in writes if o.outcome not in ("refused", PENDING)]
    if any(a.returned is None or a.returned >= b.invoked for a, b in zip(known, known[1:], strict=False)):
        return None
    return known[-1] if known else None
