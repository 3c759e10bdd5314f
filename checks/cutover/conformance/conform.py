"""Any Python implementation of a shard migration, judged against the reference implementation by generated schedules.

    class Mine(conform.Adapter):
        def start(self, nodes, shards, seed): self.store = MyStore(nodes)
        def put(self, key, value): ...
        ...

    print(conform.check(Mine))                   # a report, or NotConforming with the shortest schedule that was found
    TestMine = conform.machine(Mine).TestCase    # the same in pytest or unittest

The methods are those of `Adapter`; `Reference` is an example of each. See docs/verify-your-own.md.
"""

from __future__ import annotations

import unittest
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from random import Random
from typing import Any, ClassVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    multiple,
    rule,
    run_state_machine_as_test,
)

from cutproof.checks.common.reproducible import same_draws
from cutproof.checks.cutover.conformance.reference import Reference
from cutproof.checks.cutover.conformance.report import Report
from cutproof.checks.cutover.conformance.run import NODES, Run
from cutproof.checks.cutover.conformance.shrink import perform, shrink
from cutproof.checks.drivers.adapter import (
    FAULTS,
    Adapter,
    Answer,
    NotSupported,
    Unavailable,
)
from cutproof.checks.drivers.finding import AdapterFailed, DiffersFromOracle, NotConforming

__all__ = [
    "FAULTS", "Adapter", "AdapterFailed", "Answer", "DiffersFromOracle", "NotConforming", "NotSupported", "Reference",
    "Report", "Unavailable", "check", "machine",
]  # fmt: skip

KEYS = 3
NOT_DETERMINISTIC = (
    "the adapter failed: the same schedule, performed again, came out differently; "
    "something happens by itself, or is drawn without the seed"
)
SWARM = (0, 1, 2, 2, 3, 3, 4)  # how many faults may happen in one run
HOPS = st.sampled_from((1, 2, 0))  # to which node a migration goes
ROLES = (0, 1, 0, 1, 2)  # whom a fault strikes: the node that is moved from, that which is moved to, another
STRIKES = st.integers(0, 15)  # which of the faults of the run, bit by bit
EXAMPLES, STEPS, SHARDS = 500, 30, 2


# ------------------------------------------------------------------ the schedules


class Machine(RuleBasedStateMachine):
    """The rules. `machine` makes a class of its own for each adapter, so that no two share draws or saved failures."""

    adapter: ClassVar[type[Adapter]]
    report: ClassVar[Report]
    faults: ClassVar[Sequence[str]] = ()
    shards: ClassVar[int] = SHARDS
    seed: ClassVar[int] = 0
    runs: ClassVar[int] = 0
    failed: ClassVar[list[tuple[int, Run, int, NotConforming]]]  # seed, run, its number, and what it found

    keys = Bundle("keys")

    def __init__(self) -> None:
        super().__init__()
        self.run: Run | None = None

    @initialize(target=keys)
    def begin(self) -> Any:
        """Each run has its own choice of faults, or none: where all may happen, they get into each other's way.

        Seeds are counted, not drawn: Hypothesis likes to draw again what it drew before."""
        type(self).runs += 1
        draw = Random(f"{self.seed} {self.runs}")
        self.drawn = draw.randrange(2**32)
        self.run = Run(self.adapter, self.shards, self.drawn, self.report.unsupported)
        kinds = draw.sample(self.faults, min(draw.choice(SWARM), len(self.faults)))
        self.run.faults = [(kind, draw.choice(ROLES)) for kind in kinds]
        return multiple(*(f"doc-{i}" for i in range(KEYS)))

    @property
    def now(self) -> Run:
        """The run that is under way."""
        assert self.run is not None
        return self.run

    @rule(key=keys, deletes=st.booleans())
    def write(self, key: str, deletes: bool) -> None:
        self.now.write(key, deletes)

    @rule(key=keys)
    def get(self, key: str) -> None:
        self.now.get(key)

    @rule(hop=HOPS, phases=st.integers(0, 2))
    def begin_migration(self, hop: int, phases: int) -> None:
        self.now.begin(hop)
        self.now.go_on(phases)

    @rule(times=st.integers(1, 8))
    def advance(self, times: int) -> None:
        self.now.advance(times)

    @rule(phases=st.integers(1, 3))
    def go_on(self, phases: int) -> None:
        self.now.go_on(phases)

    @rule(strikes=STRIKES)
    def inject(self, strikes: int) -> None:
        self.now.strike(strikes)

    @rule()
    def settle(self) -> None:
        self.now.settle()

    @rule()
    def heal(self) -> None:
        self.now.heal()

    @rule(key=keys, deletes=st.booleans(), strikes=STRIKES, phases=st.integers(0, 3), times=st.integers(0, 4))
    def write_in_trouble(self, key: str, deletes: bool, strikes: int, phases: int, times: int) -> None:
        """Something goes wrong, a client writes, and the migration goes on while the write is in flight."""
        self.now.strike(strikes)
        self.now.write(key, deletes)
        self.now.advance(times)
        self.now.go_on(phases)

    @rule(
        key=keys, deletes=st.booleans(), hop=HOPS, phases=st.sampled_from((0, 0, 1, 2, 3)),
        times=st.integers(0, 20), strikes=STRIKES, heals=st.booleans(),
    )  # fmt: skip
    def move_under_writes(
        self,
        key: str,
        deletes: bool,
        hop: int,
        phases: int,
        times: int,
        strikes: int,
        heals: bool,
    ) -> None:
        """A write, a migration, and in one of its phases an overwriting write in trouble; then it runs to its end."""
        run = self.now
        run.write(key, False)
        run.begin(hop)
        run.go_on(phases)
        run.advance(times)
        run.get(key)
        run.strike(strikes)
        run.write(key, deletes)
        run.settle()
        if heals:
            run.heal()
            run.settle()
        run.get(key)

    def teardown(self) -> None:
        if self.run is None:
            return
        try:
            try:
                if not self.run.found and not self.run.counts["begun"]:
                    self.run.begin(1)
                self.run.end()
            finally:
                self.run.stop()
        finally:
            if not self.failed:
                self.report.add(self.run)
                if self.run.found:
                    self.failed.append((self.drawn, self.run, self.runs, self.run.found))


def machine(
    adapter: type[Adapter],
    *,
    seed: int = 0,
    examples: int = EXAMPLES,
    steps: int = STEPS,
    shards: int = SHARDS,
) -> type[Machine]:
    """The state machine that judges an adapter; its `TestCase` is a test for pytest and unittest.

    Its `report` tells afterwards what was exercised; the test fails too where that is not enough."""
    name = f"{adapter.__module__}.{adapter.__qualname__}"
    body: dict[str, Any] = {
        "adapter": adapter,
        "report": Report(adapter.__name__),
        "failed": [],
        "seed": seed,
        "shards": shards,
        "__doc__": f"{name}, judged.",
        "_hypothesis_internal_add_digest": f"{name} {seed} {shards}".encode(),
    }
    made: type[Machine] = type(f"Conformance{adapter.__name__}", (Machine,), body)
    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        derandomize=True,
        database=None,
        deadline=None,
        print_blob=True,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],  # conform_shrink.py does the rest
    )

    def run_test(self: unittest.TestCase) -> None:
        report = _judge(made, chosen)
        if report.missing():
            self.fail(str(report))

    case = type(f"{made.__name__}Test", (unittest.TestCase,), {"runTest": run_test, "settings": chosen})
    made.TestCase = case  # type: ignore[assignment]
    return made


def check(
    adapter: type[Adapter],
    *,
    seed: int = 0,
    examples: int = EXAMPLES,
    steps: int = STEPS,
    shards: int = SHARDS,
) -> Report:
    """Judge an adapter by so many schedules of at most so many steps. The same arguments give the same schedules.

    Raises NotConforming (DiffersFromOracle, AdapterFailed) with the shortest schedule that was found. A report whose
    verdict is "not exercised" shows nothing; it says what never happened."""
    made = machine(adapter, seed=seed, examples=examples, steps=steps, shards=shards)
    return _judge(made, made.TestCase.settings)


def _judge(made: type[Machine], chosen: settings) -> Report:
    made.report.unsupported.clear()
    made.report.__init__(made.report.name)  # type: ignore[misc]
    made.failed.clear()
    made.runs = 0
    made.faults = _supported(made)
    try:
        with same_draws():
            run_state_machine_as_test(made, settings=chosen)
    except (
        NotConforming,
        Flaky,
    ) as error:  # Hypothesis runs it once more, under another seed, and may find it flaky
        if isinstance(error, NotConforming) and not made.failed:
            raise type(error)(error.reason, error.schedule, made.runs) from error.__cause__
        seed, run, number, found = made.failed[0]
        best = shrink(tuple(run.steps), seed, partial(perform, made.adapter, made.shards))
        if best is None:
            raise AdapterFailed(
                f"{NOT_DETERMINISTIC}; at first it was: {found.reason}", found.schedule, number
            ) from None
        raise type(best)(best.reason, best.schedule, number) from best.__cause__
    return made.report


def _supported(made: type[Machine]) -> list[str]:
    """The faults that a system has: each is tried once, during a migration, on a system that is thrown away."""
    missing = made.report.unsupported
    with suppress(Exception):
        system = made.adapter()
        with suppress(Exception):
            system.start(NODES, made.shards, 0)
            system.begin_migration(NODES[1])
        for fault in FAULTS:
            try:
                system.inject(fault, NODES[0])
            except NotSupported:
                missing.add(fault)
            except Exception:
                continue  # a run will report it
        system.stop()
    return [fault for fault in FAULTS if fault not in missing]
