"""What the runs of a state machine covered: a run that reaches nothing shows nothing."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from cutproof.checks.cutover.reference.schedule import Schedule
from cutproof.checks.ladder.verify import OTHER_SETTINGS
from cutproof.checks.traces.trace import Trace
from cutproof.impl.record import Phase
from cutproof.model.cutover.coordinator import cutover
from cutproof.model.cutover.scopes import Scope

# This share of the runs must reach each phase (an abort is possible in half of the wide scopes), and each fault.
PHASE_FLOOR, FAULT_FLOOR = 0.2, 0.02
FAULTS = (
    "clock skew", "crash", "duplicated", "failed delivery", "failed task", "late", "lost", "overlap", "partition",
    "policy change", "restart", "stale router", "zombie",
)  # fmt: skip
# Every action but those that only a protocol without a safeguard, or under another policy, can take.
ACTIONS = {a.name for a in cutover(Scope()).actions} - set(OTHER_SETTINGS)


@dataclass
class Tally:
    """What the runs of one machine covered. `runs` are examples, `rules` the steps of Hypothesis, `steps` those of the
    protocol. What comes after the first failure (shrinking) is not counted."""

    runs: int = 0
    rules: int = 0
    steps: int = 0
    phases: Counter[str] = field(default_factory=Counter)  # in how many runs each was reached
    faults: Counter[str] = field(default_factory=Counter)
    actions: Counter[str] = field(default_factory=Counter)
    failed: BaseException | None = None
    trace: Trace | None = None

    def add(self, schedule: Schedule) -> None:
        """Count one run that has ended."""
        if self.failed is None:
            self.runs += 1
            self.steps += schedule.steps
            self.phases.update(schedule.phases)
            self.faults.update(schedule.happened)
            self.actions.update({name.partition("(")[0] for name in schedule.pair.path})

    def keep(self, trace: Trace | None) -> None:
        """Keep the shortest trace that shows the same. Hypothesis shrinks the program, and a shorter program may take
        more steps: one composite rule is many of them."""
        old = self.trace
        if (
            trace is None
            or old is None
            or old.meta.why != trace.meta.why
            or len(trace.steps) < len(old.steps)
        ):
            self.trace = trace or old

    def share(self, times: int) -> float:
        """The share of runs that so many are."""
        return times / max(1, self.runs)

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.runs + other.runs, self.rules + other.rules, self.steps + other.steps,
            self.phases + other.phases, self.faults + other.faults, self.actions + other.actions,
            self.failed or other.failed, self.trace or other.trace,
        )  # fmt: skip

    def short(self) -> list[str]:
        """The phases and faults that fewer runs reached than their floors say, and the actions that none did."""
        floors = [(p.value, self.phases[p.value], PHASE_FLOOR) for p in Phase if p is not Phase.IDLE]
        floors += [(fault, self.faults[fault], FAULT_FLOOR) for fault in FAULTS]
        few = [
            f"{n} in {self.share(x):.1%} of the runs, {f:.0%} is the floor"
            for n, x, f in floors
            if self.share(x) < f
        ]
        return few + [f"{action} in no run" for action in sorted(ACTIONS - set(self.actions))]

    def __str__(self) -> str:
        lines = [f"{self.runs:,} runs, {self.rules:,} rule steps, {self.steps:,} steps of the protocol"]
        for what, counts in (("phase", self.phases), ("fault", self.faults)):
            lines += [
                f"  {what} {name:16} {self.share(counts[name]):6.1%} of the runs" for name in sorted(counts)
            ]
        return "\n".join(lines)
