"""Any implementation of a shard migration, driven through the schedules that lose data, and judged.

    class Mine(conform.Adapter):
        def start(self, nodes, shards, seed): self.store = MyStore(nodes)
        def put(self, key, value): ...
        ...

    print(conform.check(Mine))                   # a report, or NotConforming with a short schedule that shows it
    TestMine = conform.machine(Mine).TestCase    # the same in pytest or unittest

The methods are those of `Adapter`; `Reference` is an example of each. See docs/verify-your-own.md.
`planning/plan.py` says which schedules there are, `run.py` and `ending.py` what is done and judged, `report.py` when
that is enough to say anything.
"""

from __future__ import annotations

import time
import unittest
import warnings
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

from cutproof.checks.cutover.conformance import steps as schedules
from cutproof.checks.cutover.conformance.lanes import Lanes
from cutproof.checks.cutover.conformance.perform import again, perform
from cutproof.checks.cutover.conformance.planning.plan import Planned, plan, systematic
from cutproof.checks.cutover.conformance.planning.probe import Probe, probe
from cutproof.checks.cutover.conformance.reference import Reference
from cutproof.checks.cutover.conformance.report import Report
from cutproof.checks.cutover.conformance.run import Run
from cutproof.checks.cutover.conformance.shrink import shrink
from cutproof.checks.cutover.conformance.steps import SHARDS, Found, Schedule
from cutproof.checks.drivers.adapter import FAULTS, Adapter, Answer, NotSupported, Read, Unavailable
from cutproof.checks.drivers.finding import AdapterFailed, DiffersFromOracle, NotConforming, NotServed

__all__ = [
    "FAULTS", "Adapter", "AdapterFailed", "Answer", "DiffersFromOracle", "NotConforming", "NotServed", "NotSupported",
    "Read", "Reference", "Report", "Schedule", "Unavailable", "check", "machine", "replay", "save",
]  # fmt: skip

LEAST = 5.0  # seconds in which a failure is made short, where time is limited
DRAWS = 1_000  # runs after the systematic ones, unless a budget is given
BESIDE = 8  # of so many runs one is performed by the oracle too
NOT_DETERMINISTIC = (
    "the adapter failed: the same schedule, performed again, came out differently; "
    "something happens by itself, or is drawn without the seed"
)
Progress = Callable[[int, int], None]  # how many runs were made, and of how many


def check(
    adapter: type[Adapter],
    *,
    seed: int = 0,
    runs: int | None = None,
    seconds: float | None = None,
    shards: int = SHARDS,
    part: tuple[int, int] = (0, 1),
    progress: Progress | None = None,
    examples: int | None = None,
) -> Report:
    """Judge an adapter by so many `runs` of the plan of a seed: unless given, all systematic ones and a thousand draws.
    Run n of a seed is the same whatever the budget. `seconds` ends it earlier. `part` (i, n): the i-th of n equal
    parts of the runs, which together are the same as all; each makes the first tours too. `examples` is the old name
    of `runs`.

    Raises NotConforming (DiffersFromOracle, NotServed, AdapterFailed) with a short schedule. A report whose verdict is
    "not exercised" shows nothing, and says what never happened; "cut off" has not made all its runs. Ctrl-C ends it
    with what was made so far."""
    if examples is not None:
        warnings.warn("conform.check: examples is now called runs", DeprecationWarning, stacklevel=2)
        runs = examples if runs is None else runs
    seen = probe(adapter, shards)
    report = Report(
        adapter.__name__, seen, seed, systematic=systematic(seen, seed), unsupported=set(seen.unsupported)
    )
    budget = report.systematic + DRAWS if runs is None else runs
    ends = None if seconds is None else time.monotonic() + seconds
    try:
        for planned in islice(plan(seen, seed), budget):
            if not _mine(planned, part):
                continue
            if ends is not None and time.monotonic() > ends:
                report.stopped = f"cut off after {seconds:g} s"
                break
            _one(adapter, planned, seen, shards, report, ends)
            if progress is not None:
                progress(planned.number, budget)
    except NotConforming as found:
        found.report = report
        raise
    except KeyboardInterrupt:
        report.stopped = "interrupted"
    return report


def _mine(planned: Planned, part: tuple[int, int]) -> bool:
    return planned.part == "tours" or planned.number % part[1] == part[0] % part[1]


def _one(
    adapter: type[Adapter], planned: Planned, seen: Probe, shards: int, report: Report, ends: float | None
) -> None:
    """One run; what it finds is made short, told and raised."""
    beside = planned.number % BESIDE == 1
    run, found = perform(adapter, planned.script, planned.seed, seen, shards=shards, beside=beside)
    if found is None:
        assert run is not None
        report.add(run, planned.part)
        return
    if run is None:
        raise type(found)(found.reason, found.schedule, planned.number) from found.__cause__
    raise _made_short(adapter, run, found, planned, seen, shards, ends)


def _made_short(
    adapter: type[Adapter],
    run: Run,
    found: NotConforming,
    planned: Planned,
    seen: Probe,
    shards: int,
    ends: float | None,
) -> NotConforming:
    late = time.monotonic() + LEAST if ends is None else max(ends, time.monotonic() + LEAST)
    limit = (lambda: False) if ends is None else (lambda: time.monotonic() > late)
    short = shrink(tuple(run.steps), planned.seed, again(adapter, seen, shards), out_of_time=limit)
    if short is None:
        reason = f"{NOT_DETERMINISTIC}; at first it was: {found.reason}"
        return AdapterFailed(reason, found.schedule, planned.number)
    lanes = Lanes()
    _, told = perform(adapter, short.steps, short.seed, seen, shards=shards, lanes=lanes)
    if told is None or type(told) is not type(short.best):
        return AdapterFailed(
            f"{NOT_DETERMINISTIC}; at first it was: {found.reason}", found.schedule, planned.number
        )
    best = told
    error = type(best)(best.reason, best.schedule, planned.number)
    error.lanes = lanes.lines(best.schedule)
    error.whole = short.whole
    error.data = Schedule(
        short.steps, short.seed, shards, Found(type(best).__name__, best.reason, planned.number), adapter.__name__,
        tuple(error.lanes),
    )  # fmt: skip
    error.__cause__ = best.__cause__
    return error


def save(found: NotConforming, file: str | Path) -> None:
    """Write the schedule of a failure, for `replay`. Raises FileExistsError where another one is there, ValueError
    where the failure has none: the system did not even start, or does something else each time."""
    if found.data is None:
        raise ValueError("there is no schedule that could be performed again")
    schedules.write(Path(file), found.data)


def replay(schedule: Schedule | str | Path, adapter: type[Adapter]) -> NotConforming | None:
    """Perform a schedule, or the file of one, on a system: what it finds, or None. Raises Wrong for what is no
    schedule.

    def test_the_lost_update_stays_away():
        assert conform.replay("schedules/lost-update.json", Mine) is None
    """
    given = schedule if isinstance(schedule, Schedule) else schedules.read(schedule)
    seen = probe(adapter, given.shards)
    lanes = Lanes()
    _, found = perform(adapter, given.steps, given.seed, seen, shards=given.shards, lanes=lanes)
    if found is not None:
        found.lanes = lanes.lines(found.schedule)
    return found


class Machine:
    """An adapter as tests: `TestCase` for pytest and unittest, `report` of what was exercised."""

    adapter: type[Adapter]
    report: Report | None = None
    TestCase: type[unittest.TestCase]


def machine(
    adapter: type[Adapter], *, seed: int = 0, runs: int | None = None, shards: int = SHARDS, parts: int = 1,
    examples: int | None = None,
) -> type[Machine]:  # fmt: skip
    """An adapter as a test, or as so many tests of a part of the runs each: then `-n auto` helps.

    A test fails too where too little was exercised."""
    made: type[Machine] = type(f"Conformance{adapter.__name__}", (Machine,), {"adapter": adapter})
    budget = examples if runs is None else runs

    def of(part: int) -> Callable[[unittest.TestCase], None]:
        def run_test(self: unittest.TestCase) -> None:
            __tracebackhide__ = True
            try:
                report = check(adapter, seed=seed, runs=budget, shards=shards, part=(part, parts))
            except NotConforming as found:
                raise found.with_traceback(None) from found.__cause__
            made.report = report
            if report.stopped:  # by Ctrl-C: there is no other limit here
                raise KeyboardInterrupt
            if report.missing():
                self.fail(str(report))

        return run_test

    names = ["runTest"] if parts == 1 else [f"test_part_{n + 1}_of_{parts}" for n in range(parts)]
    body: dict[str, Any] = {name: of(n) for n, name in enumerate(names)}
    made.TestCase = type(f"{made.__name__}Test", (unittest.TestCase,), body)
    return made
