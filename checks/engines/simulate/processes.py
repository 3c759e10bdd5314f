"""Random runs in worker processes. Each gets the protocol as data, and makes some runs in a row after others; what they
covered is added up here in the order of the runs.
"""

from __future__ import annotations

import multiprocessing
import time
from collections import deque
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING

from cutproof.checks.common.workers import ENDED, end_workers, leave_interrupts, put_off, unheard
from cutproof.checks.engines.simulate.coverage import Coverage
from cutproof.checks.engines.simulate.schedulers import SCHEDULERS
from cutproof.checks.engines.simulate.together import Runs
from cutproof.checks.engines.simulate.walk import Walker
from cutproof.model.language.data import Data, from_data, to_data

if TYPE_CHECKING:
    from cutproof.checks.engines.simulate.simulate import Making

PORTION = 0.3  # seconds that the runs given to a worker at once are to take
AHEAD = 3  # portions a worker that are under way or waiting


def in_processes(making: Making) -> None:
    """Make the runs that are left. Raises KeyboardInterrupt, and TimeOver, after the workers were ended."""
    found, budget = making.found, making.budget
    arguments = to_data(making.protocol), budget.mode, budget.seed, budget.steps, budget.stop_at_first
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(making.workers, context, _begin, arguments)
    so_far = max(time.perf_counter() - making.started, 1e-3)
    portion = max(1, int(found.coverage.runs / so_far * PORTION))
    pending, next_run = deque[Future[Coverage]](), found.coverage.runs
    with put_off() as asked:
        try:
            while not making.done:
                while len(pending) < AHEAD * making.workers and (
                    budget.runs is None or next_run < budget.runs
                ):
                    last = next_run + portion if budget.runs is None else min(next_run + portion, budget.runs)
                    with unheard():
                        pending.append(pool.submit(_portion, next_run, last))
                    next_run = last
                wait([pending[0]], timeout=0.2)
                if pending[0].done():
                    found.coverage.merge(pending.popleft().result())
                if asked:
                    raise KeyboardInterrupt
                if not making.done:
                    making.look()
        except BrokenProcessPool:
            found.ended = ENDED
        finally:
            end_workers()
            pool.shutdown(cancel_futures=True)


# ------------------------------------------------------------------ in a worker

_runs: Runs
_covered: Coverage
_stop: bool


def _begin(data: Data, mode: str, seed: int, steps: int, stop_at_first: bool) -> None:
    """What a worker keeps between its portions."""
    global _runs, _covered, _stop  # noqa: PLW0603  one a worker, made by its initializer
    leave_interrupts()
    _runs = Runs(Walker(from_data(data), SCHEDULERS[mode], seed, steps))
    _covered, _stop = Coverage(), stop_at_first


def _portion(first: int, last: int) -> Coverage:
    """The runs from `first` up to `last`, up to one that violates if it is to stop there."""
    number = first
    while number < last and not _covered.ended["violation"]:
        number += _runs.cover(_covered, number, last, _stop)
    return _covered.taken_apart()
