"""Hypothesis drives a program through a protocol: at each step it draws one of those that the protocol allows.

    TestCommit = machine(protocol, Driver).TestCase                # in pytest or unittest
    TestCommit = machine(protocol, Driver, shards=4).TestCase      # four tests, which pytest-xdist can spread

A failing run is made short (`shortening.py`), and leaves a trace, which `cutproof drive --replay` performs again.
"""

from __future__ import annotations

import unittest
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path as File
from typing import Any, ClassVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)

from cutproof.checks.common.reproducible import same_draws
from cutproof.checks.drivers.driving.driver import DriverFailed, Subject, subject_of
from cutproof.checks.drivers.driving.outcome import Failure, NotAsModelled
from cutproof.checks.drivers.driving.performing import Performing, beginnings
from cutproof.checks.drivers.driving.recorded import trace_of
from cutproof.checks.drivers.driving.shortening import shorten
from cutproof.checks.drivers.driving.walking import Walking
from cutproof.checks.traces.trace import write
from cutproof.model.language.protocol import Protocol, State

FOUND = File("counterexamples")  # where a failing run leaves its trace, below the current folder
RUNS, STEPS = 200, 50
# Which one, of what may happen: of so few numbers Hypothesis draws each as often as any other.
FEW = 120
PICKS = st.builds(lambda low, high: low + FEW * high, st.integers(0, FEW - 1), st.integers(0, FEW - 1))


class Machine(RuleBasedStateMachine):
    """One run. `machine` makes a class of its own for each protocol and driver, so that no two share their draws.

    `edges` are the different steps that all runs took, each with the state before it."""

    walking: ClassVar[Walking]
    subject: ClassVar[Subject]
    refusals: ClassVar[bool]
    folder: ClassVar[File | None]
    edges: ClassVar[set[tuple[State, int]]]
    _hypothesis_internal_add_digest: ClassVar[bytes] = b""  # what Hypothesis tells machines apart by

    def __init__(self) -> None:
        super().__init__()
        self.run: Performing | None = None
        self.over = False

    @initialize(pick=PICKS)
    def begin(self, pick: int) -> None:
        """Begin in one of the initial states."""
        self._begin(pick)

    def _begin(self, pick: int) -> None:
        self._raise(beginnings(self.walking, self.subject))
        initials = self.walking.driven.initials
        self.run = Performing(self.walking, self.subject, initials[pick % len(initials)], self._took)
        self._raise(self.run.begin())

    @rule(pick=PICKS)
    def step(self, pick: int) -> None:
        """Take one of the steps that the protocol allows; where there is none, begin anew."""
        assert self.run is not None
        steps = list(self.walking.steps(self.run.state))
        if steps:
            self._raise(self.run.take(steps[pick % len(steps)]))
        elif self.run.transitions:
            self._end()
            self._begin(pick)

    def teardown(self) -> None:
        if self.run is not None and not self.over:
            self._end()

    def _end(self) -> None:
        """The run is over; what the protocol forbids now is tried, if asked for."""
        assert self.run is not None
        failure = self.run.attempt(self.walking.forbidden(self.run.state)) if self.refusals else None
        self._raise(self.run.end(failure))

    def _took(self, state: State, number: int) -> None:
        self.edges.add((state, number))

    def _raise(self, failure: Failure | None) -> None:
        if failure is None:
            return
        self.over, saved, name = True, "", self.subject.name
        with suppress(DriverFailed):
            self.subject.end()
        failure = shorten(self.walking, self.subject, failure)
        if self.folder is not None:
            file = self.folder / f"{self.walking.whole.name}-{name}.itf.json"
            write(trace_of(self.walking, failure, name, {}), file, overwrite=True)
            saved = str(file)
        raise NotAsModelled(failure, self.walking, name, saved)


def machine(
    protocol: Protocol,
    driver: Callable[[], Any] | Subject,
    *,
    runs: int = RUNS,
    steps: int = STEPS,
    seed: int = 0,
    shards: int = 1,
    refusals: bool = False,
    folder: File | None = FOUND,
) -> type[Machine]:
    """The state machine that drives a program (`driver.py`) through so many `runs` of at most so many `steps`: its
    `TestCase` is a test for pytest and unittest, or so many tests as `shards`, each of its share of the runs. The same
    arguments give the same draws. `refusals`: at the end of each run what the protocol forbids is tried. A failing run
    leaves its trace in `folder`. Raises Unfit for a driver that cannot drive this."""
    if min(runs, steps, shards) < 1:
        raise ValueError("runs, steps and shards are 1 at least")
    subject = subject_of(driver, protocol)
    name = "".join(part.capitalize() for part in f"{protocol.name}_{subject.name}".split("_"))
    common: dict[str, Any] = {
        "walking": Walking(protocol, subject.driven), "subject": subject, "refusals": refusals, "folder": folder,
        "edges": set(), "__doc__": f"{subject.name}, driven through {protocol.name}.",
    }  # fmt: skip
    made: list[type[Machine]] = []
    for shard in range(shards):
        told_apart = f"{protocol.name} {subject.name} {seed} {shard}".encode()
        body = {**common, "_hypothesis_internal_add_digest": told_apart}
        made.append(type(name, (Machine,), body))
    share = -(-runs // shards)
    chosen = settings(
        max_examples=share, stateful_step_count=steps, derandomize=True, database=None, deadline=None, print_blob=False,
        phases=[Phase.generate],
        report_multiple_bugs=False, suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    tests = {
        "runTest" if shards == 1 else f"test_shard_{i}_of_{shards}": _test(m) for i, m in enumerate(made, 1)
    }
    made[0].TestCase = type(name, (unittest.TestCase,), {"settings": chosen, **tests})  # type: ignore[assignment]
    return made[0]


def _test(made: type[Machine]) -> Callable[[Any], None]:
    def test(self: Any) -> None:
        with same_draws():
            run_state_machine_as_test(made, settings=self.settings)

    return test
