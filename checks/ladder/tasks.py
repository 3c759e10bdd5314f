"""Running tasks in processes of their own: rows come back in the declared order, whatever ends first."""

from __future__ import annotations

import gc
import multiprocessing
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from cutproof.checks.common.workers import end_workers, leave_interrupts, put_off, unheard
from cutproof.checks.engines.verdict import UNKNOWN

FEW = 2  # workers
NOT_RUN = "not run"  # in place of a verdict


@dataclass(frozen=True)
class Row:
    """One line of the ladder. `verdict` is what was found and `expected` what should be; `code` is what the row
    adds to the exit code, 0 if all is as expected. `facts` are further facts for machines."""

    check: str
    name: str
    scope: str
    verdict: str
    code: int
    removed: tuple[str, ...] = ()
    expected: str = "holds"
    property: str = ""
    harm: str = ""
    detail: str = ""
    trace: str | None = None
    states: int = 0
    transitions: int = 0
    depth: int = 0
    seconds: float = 0.0
    facts: dict[str, Any] = field(default_factory=dict)

    def ran(self) -> bool:
        """False where something is not installed that the check needs; `detail` says what."""
        return self.verdict != NOT_RUN


@dataclass(frozen=True)
class Task:
    """Some rows, and the function that makes them; `heavy` ones are begun first. `rung` is the part of the ladder."""

    name: str
    make: Callable[..., list[Row]]
    arguments: tuple[Any, ...] = ()
    heavy: bool = False
    rung: str = ""


ENDED = "ended"  # the check of a task whose worker was ended from outside
Told = Callable[..., None]  # a task's name and its progress; the name alone when it has ended
_channel: Any = None


class Ladder:
    """One run of some tasks. `finished` holds the rows of each task that has ended, by name; what `before` has of them
    is not made again, and `ended` gets each of the others when it has ended."""

    def __init__(
        self,
        ladder: Sequence[Task],
        workers: int,
        told: Told | None = None,
        before: Mapping[str, list[Row]] | None = None,
        ended: Callable[[Task, list[Row]], None] | None = None,
    ) -> None:
        self.tasks, self.workers, self.told = list(ladder), workers, told or (lambda *_: None)
        self.finished: dict[str, list[Row]] = dict(before or {})
        self.ended = ended or (lambda *_: None)

    @property
    def rows(self) -> list[Row]:
        """The rows so far, in the declared order."""
        return [row for task in self.tasks for row in self.finished.get(task.name, [])]

    def run(self, each: Callable[[list[Row]], None] | None = None) -> list[Row]:
        """Run every task; `each` gets the rows of a task as soon as all before it are there.

        Raises KeyboardInterrupt after the workers were ended."""
        waiting = list(self.tasks)

        def tell() -> None:
            while waiting and waiting[0].name in self.finished:
                rows = self.finished[waiting.pop(0).name]
                if each:
                    each(rows)

        tell()
        left = [task for task in self.tasks if task.name not in self.finished]
        if self.workers > 1 and left:
            self._run_apart(left, tell)
        for task in left if self.workers == 1 else ():
            self._end(task, task.make(partial(self.told, task.name), *task.arguments))
            tell()
        return self.rows

    def _end(self, task: Task, rows: list[Row]) -> None:
        self.finished[task.name] = rows
        self.ended(task, rows)
        self.told(task.name)

    def _run_apart(self, left: list[Task], tell: Callable[[], None]) -> None:
        """In worker processes. They start afresh, so that nothing depends on what this one has done."""
        context = multiprocessing.get_context("spawn")
        channel = context.SimpleQueue()
        pool = ProcessPoolExecutor(self.workers, context, _begin_worker, (channel,))
        with put_off() as asked:
            try:
                begun = order(left, self.workers)
                with unheard():
                    pending = {_submitted(pool, task): task for task in begun}
                while pending:
                    done, _ = wait(pending, timeout=0.2, return_when=FIRST_COMPLETED)
                    while not channel.empty():
                        self.told(*channel.get())
                    for future in done:
                        task = pending.pop(future)
                        self._end(task, _outcome(task, future))
                    tell()
                    if asked:
                        raise KeyboardInterrupt
                if any(row.check == ENDED for row in self.rows):
                    end_workers()  # one that was killed may have held a lock that others wait for
            except BaseException:
                end_workers()
                raise
            finally:
                pool.shutdown(cancel_futures=True)


def order(tasks: Sequence[Task], workers: int) -> list[Task]:
    """The order in which tasks are begun: heavy ones first, that none ends last alone. Two workers begin them as
    declared: little is left idle at the end, and rows are known soon."""
    return list(tasks) if workers <= FEW else sorted(tasks, key=lambda task: not task.heavy)


def _submitted(pool: ProcessPoolExecutor, task: Task) -> Future[list[Row]]:
    """The rows to come of a task; where a worker was ended already, what `_outcome` makes of that."""
    try:
        return pool.submit(_run_task, task)
    except BrokenProcessPool as error:
        ended = Future[list[Row]]()
        ended.set_exception(error)
        return ended


def _outcome(task: Task, future: Future[list[Row]]) -> list[Row]:
    try:
        return future.result()
    except BrokenProcessPool:
        reason = "its worker was ended from outside (out of memory?)"
        return [Row(ENDED, task.name, "", "unknown", UNKNOWN, detail=reason)]


def _begin_worker(channel: Any) -> None:
    """A worker reports through the channel."""
    global _channel  # noqa: PLW0603  one a worker, made by its initializer
    _channel = channel
    leave_interrupts()
    gc.freeze()  # what was imported stays; the rest is searched for cycles less often
    gc.set_threshold(50_000, 20, 50)


def _run_task(task: Task) -> list[Row]:
    return task.make(lambda *numbers: _channel.put((task.name, *numbers)), *task.arguments)
