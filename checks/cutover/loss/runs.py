"""Loss runs: many migrations, each with a seed of its own, and what the count of lost writes says about the rate.

    from cutproof.checks.cutover.loss.runs import run
    from cutproof.checks.cutover.loss.sample import Setup
    print(run(Setup(seed=7), 3_000_000).counts.lost)

A run is as long as it must be for so many *acknowledged* writes. Migrations are done in chunks, by any executor; chunk
k holds the same migrations everywhere, and the result is the shortest series of chunks from the first that has enough:
it does not depend on who did them, or in which order they were done.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field

from cutproof.checks.common.workers import ENDED, end_workers, leave_interrupts, put_off, unheard
from cutproof.checks.cutover.loss.run_file import RunFile
from cutproof.checks.cutover.loss.sample import Counts, Setup

CHUNK = 20  # migrations of mixed traffic, some tenths of a second
CHUNK_WRITES = 20_000  # at most, unless one migration has more
CHUNK_NEAR = 100  # of runs near the boundary, which are small
NEAR_WRITES = 4  # of such a run are acknowledged
# Of the writes that a migration is given, so many are acknowledged: it may end before all are issued.
USED = {"mixed": 0.8, "seed": 1.0}
OVERSHOOT = 20  # where less than a chunk is asked for, chunks are such a part of what should be enough
SURPLUS = 4  # times as many chunks as should be enough; then the rest is not worth waiting for

INTERRUPTED = "interrupted"  # why a run is partial

Progress = Callable[[Counts, float], None]  # what is counted so far, and the share of the run that this is


@dataclass(frozen=True)
class Run:
    """A loss run. `partial` says why it ended early, or is empty; `seconds` is what this part of it took."""

    setup: Setup
    target: int  # acknowledged writes
    counts: Counts
    seconds: float = 0.0
    partial: str = ""
    chunks: dict[int, Counts] = field(default_factory=dict)


def chunk_size(setup: Setup, target: int) -> int:
    """How many migrations a chunk has, in a run of `target` acknowledged writes. A run has whole chunks: where less
    than one of the usual size is asked for, they are so small that little more is run than was asked for."""
    usual = _usual_size(setup)
    each = NEAR_WRITES if setup.traffic == "boundary" else USED[setup.traffic] * setup.each
    return usual if target >= usual * each else max(1, int(target / each / OVERSHOOT))


def _usual_size(setup: Setup) -> int:
    if setup.traffic == "boundary":
        return CHUNK_NEAR
    return max(1, min(CHUNK, CHUNK_WRITES // setup.each))


def do_chunk(setup: Setup, number: int, size: int) -> Counts:
    """The migrations of the chunk of that number, if each has `size`. Raises UnsafeCutover where the gate refuses the
    policy."""
    if setup.traffic == "boundary":
        from cutproof.checks.cutover.loss.boundary import migrate
    else:
        from cutproof.checks.cutover.loss.traffic import migrate
    total = Counts()
    for migration in range(number * size, (number + 1) * size):
        total += migrate(setup, migration)
    return total


def run(
    setup: Setup,
    target: int,
    executor: Executor | None = None,
    at_once: int = 1,
    progress: Progress | None = None,
    run_file: RunFile | None = None,
    gone: Gone = (BrokenProcessPool,),
) -> Run:
    """Migrations until `target` writes are acknowledged. Without an executor they are done in this process.

    `at_once` chunks are given to the executor at a time; `run_file` has those that are finished, if there is one. An
    interrupt, or the end of a worker (`gone`: how the executor says so), makes the run partial.

    Raises UnsafeCutover where the gate refuses, ValueError for no target."""
    if target < 1:
        raise ValueError(f"{target} writes: a run has 1 or more")
    start = time.perf_counter()
    done: dict[int, Counts] = dict(run_file.chunks) if run_file else {}
    series = Series(setup, target, done)

    def finished(number: int, counts: Counts) -> None:
        done[number] = counts
        if run_file:
            run_file.add(number, counts)
        if progress:
            so_far = series.so_far()
            progress(so_far, min(1.0, so_far.acknowledged / target))

    why = (
        _alone(setup, series, finished)
        if executor is None
        else _apart(setup, series, finished, executor, at_once, gone)
    )
    counts = series.result() if not why else series.so_far()
    return Run(setup, target, counts, time.perf_counter() - start, why, done)


class Series:
    """Which chunks a run needs: `done` fills up while it goes on."""

    def __init__(self, setup: Setup, target: int, done: dict[int, Counts]) -> None:
        self.target, self.done = target, done
        self.size = chunk_size(setup, target)
        each, usual = setup.each if setup.traffic != "boundary" else NEAR_WRITES, _usual_size(setup)
        self.likely = self.size * each
        self.most = SURPLUS * (target // (usual * each) + 2) * usual // self.size

    def end(self) -> int | None:
        """How many chunks from the first are enough; None as long as that isn't known."""
        acknowledged, number = 0, 0
        while acknowledged < self.target:
            if number not in self.done:
                return None
            acknowledged += self.done[number].acknowledged
            number += 1
        return number

    def next(self, begun: set[int]) -> int | None:
        """The next chunk to begin; None where those that are begun are likely to be enough."""
        known = sum(c.acknowledged for c in self.done.values())
        each = known / len(self.done) if known else self.likely
        ahead = known + each * len(begun - self.done.keys())
        number = next(n for n in range(len(begun) + 1) if n not in begun)
        fills_gap = number < max(begun, default=0)
        return number if fills_gap or (ahead < self.target and number < self.most) else None

    def result(self) -> Counts:
        """The chunks that are enough."""
        end = self.end()
        assert end is not None
        return sum((self.done[n] for n in range(end)), Counts())

    def so_far(self) -> Counts:
        """Everything that is done."""
        return sum((self.done[n] for n in sorted(self.done)), Counts())


Finished = Callable[[int, Counts], None]
Gone = tuple[type[BaseException], ...]


def _alone(setup: Setup, series: Series, finished: Finished) -> str:
    begun = set(series.done)
    try:
        while series.end() is None:
            number = series.next(begun)
            if number is None:
                return _too_few(series)
            begun.add(number)
            finished(number, do_chunk(setup, number, series.size))
    except KeyboardInterrupt:
        return INTERRUPTED
    return ""


def _apart(
    setup: Setup, series: Series, finished: Finished, executor: Executor, at_once: int, gone: Gone
) -> str:
    begun: set[int] = set(series.done)
    pending: dict[Future[Counts], int] = {}
    with put_off() as asked:
        while series.end() is None:
            while len(pending) < at_once and (number := series.next(begun)) is not None:
                begun.add(number)
                try:
                    with unheard():
                        pending[executor.submit(do_chunk, setup, number, series.size)] = number
                except gone:
                    return _ended(pending, finished)
            if not pending:
                return _too_few(series)
            over, _ = wait(pending, timeout=0.2, return_when=FIRST_COMPLETED)
            for future in sorted(over, key=pending.__getitem__):
                number = pending.pop(future)
                try:
                    finished(number, future.result())
                except gone:
                    return _ended(pending, finished)
            if asked:
                # Those of processes are cancelled with their pool: its own thread would complain, where one that is
                # cancelled here has lost its worker.
                for future in pending if not isinstance(executor, ProcessPoolExecutor) else ():
                    future.cancel()
                return INTERRUPTED
        for future in pending:
            future.cancel()
    return ""


def _ended(pending: dict[Future[Counts], int], finished: Finished) -> str:
    """A worker was ended: what others have finished is kept."""
    for future, number in pending.items():
        if future.done() and not future.cancelled() and future.exception() is None:
            finished(number, future.result())
    return ENDED


def _too_few(series: Series) -> str:
    found = series.so_far()
    return f"only {found.acknowledged:,} of {found.writes:,} writes were acknowledged: lower the rates"


def run_in_processes(
    setup: Setup, target: int, workers: int, progress: Progress | None = None, run_file: RunFile | None = None
) -> Run:
    """`run` in worker processes; in this one if there is to be only one."""
    if workers == 1:
        return run(setup, target, progress=progress, run_file=run_file)
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), leave_interrupts)
    try:
        found = run(setup, target, pool, 2 * workers, progress, run_file)
        if found.partial:
            end_workers()
        return found
    except BaseException:
        end_workers()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
