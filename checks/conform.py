"""Any Python implementation of a shard migration, judged against the reference implementation by generated schedules.

    class Mine(conform.Adapter):
        def start(self, nodes, shards, seed): self.store = MyStore(nodes, shards)
        def put(self, number, key, value): ...
        ...

    print(conform.check(Mine))                  # a report; raises NotConforming with the shortest schedule found
    TestMine = conform.machine(Mine).TestCase   # the same in pytest or unittest

Write the adapter's ten methods; what your system does not have is left out: it raises `NotSupported`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, ClassVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    multiple,
    rule,
    run_state_machine_as_test,
)

from cutproof.checks.adapter import FAULTS, Adapter, NotSupported, Reference, Unavailable
from cutproof.checks.contest import Contest, NotConforming

__all__ = [
    "FAULTS", "Adapter", "NotConforming", "NotSupported", "Reference", "Report", "Unavailable", "check", "machine",
]  # fmt: skip

KEYS = 4
ENOUGH = 0.5  # of what the oracle acknowledges, a system must acknowledge at least this share


@dataclass
class Report:
    """What a system was put through: `counts` by event; `verdict` is "conforms" or "not exercised"."""

    name: str
    runs: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    unsupported: set[str] = field(default_factory=set)
    phases: Counter[str] = field(default_factory=Counter)

    def missing(self) -> list[str]:
        """What would have to happen before anything is shown; a system that refuses everything loses nothing."""
        c = self.counts
        acknowledged, oracle = c["acknowledged"], c["the oracle acknowledged"]
        found = []
        if acknowledged < ENOUGH * oracle or not acknowledged:
            found.append(f"it acknowledged {acknowledged} writes where the oracle acknowledged {oracle}")
        if not c["acknowledged during a migration"]:
            found.append("no write was acknowledged during a migration")
        if not c["migration ended"]:
            found.append("no migration ended")
        if not c["read"]:
            found.append("nothing was read")
        return found

    @property
    def verdict(self) -> str:
        """The answer in two words."""
        return "not exercised" if self.missing() else "conforms"

    def __str__(self) -> str:
        lines = [f"{self.name}: {self.verdict}, {self.runs} runs"]
        lines += [f"  {reason}" for reason in self.missing()]
        lines += [f"  {number:7,}  {event}" for event, number in sorted(self.counts.items())]
        lines.append(
            "  phases: " + ", ".join(f"{phase} in {n} runs" for phase, n in sorted(self.phases.items()))
        )
        lines.append(f"  not supported: {', '.join(sorted(self.unsupported)) or 'nothing is left out'}")
        return "\n".join(lines)


class Machine(RuleBasedStateMachine):
    """The rules. `machine` makes a class of it for each adapter."""

    adapter: ClassVar[type[Adapter]]
    report: ClassVar[Report]
    seed: ClassVar[int] = 0
    shards: ClassVar[int] = 2

    keys = Bundle("keys")

    def __init__(self) -> None:
        super().__init__()
        self.contest = Contest(self.adapter, self.shards, self.seed, self.report.unsupported)

    @initialize(target=keys)
    def documents(self) -> Any:
        return multiple(*(f"doc-{i}" for i in range(KEYS)))

    @initialize(swarm=st.fixed_dictionaries({fault: st.booleans() for fault in FAULTS}))
    def choose_faults(self, swarm: dict[str, bool]) -> None:
        self.contest.allowed = {fault for fault, chosen in swarm.items() if chosen}

    @rule(key=keys)
    def put(self, key: str) -> None:
        self.contest.put(key)

    @rule(key=keys)
    def delete(self, key: str) -> None:
        self.contest.delete(key)

    @rule(key=keys)
    def get(self, key: str) -> None:
        self.contest.get(key)

    @rule(phases=st.integers(1, 3))
    def begin_migration(self, phases: int) -> None:
        if not self.contest.begin():
            self.contest.go_on(phases)

    @rule(times=st.integers(1, 8))
    def advance(self, times: int) -> None:
        self.contest.advance(times)

    @rule(phases=st.integers(1, 3))
    def go_on(self, phases: int) -> None:
        self.contest.go_on(phases)

    @rule(key=keys, phases=st.integers(0, 3), deletes=st.booleans())
    def write_and_go_on(self, key: str, phases: int, deletes: bool) -> None:
        if deletes:
            self.contest.delete(key)
        else:
            self.contest.put(key)
        self.contest.go_on(phases)

    @rule(key=keys, fault=st.sampled_from(FAULTS), which=st.integers(0, 3))
    def inject(self, key: str, fault: str, which: int) -> None:
        if not self.contest.inject(fault, which):
            self.contest.put(key)

    @rule()
    def heal(self) -> None:
        self.contest.heal()

    def teardown(self) -> None:
        try:
            self.contest.end()
        finally:
            self.contest.stop()
            report = self.report
            report.runs += 1
            report.counts.update(self.contest.counts)
            report.phases.update(self.contest.phases)


def machine(
    adapter: type[Adapter], *, seed: int = 0, shards: int = 2, report: Report | None = None
) -> type[Machine]:
    """The state machine that judges an adapter. Its `TestCase` is a test; each adapter has a machine of its own."""
    name = f"{adapter.__module__}.{adapter.__qualname__}"
    body = {
        "adapter": adapter,
        "report": report or Report(adapter.__name__),
        "seed": seed,
        "shards": shards,
        "_hypothesis_internal_add_digest": f"{name} {seed} {shards}".encode(),
        "__doc__": f"{name}, judged.",
    }
    return type(f"Conformance{adapter.__name__}", (Machine,), body)


def check(
    adapter: type[Adapter], *, examples: int = 200, steps: int = 40, seed: int = 0, shards: int = 2
) -> Report:
    """Judge an adapter by so many schedules of so many steps. The same arguments give the same schedules.

    Raises NotConforming with the shrunk schedule and the promise that was broken. A report whose verdict is
    "not exercised" shows nothing: it says what never happened."""
    report = Report(adapter.__name__)
    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        derandomize=True,
        database=None,
        deadline=None,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )
    run_state_machine_as_test(machine(adapter, seed=seed, shards=shards, report=report), settings=chosen)
    return report
