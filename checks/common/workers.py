"""Worker processes: they leave interrupts to their parent, and do not outlive it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import connection
from typing import TypeVar

INTERRUPTS = (signal.SIGINT, signal.SIGTERM)
ENDED = "a worker was ended from outside (out of memory?)"
UNKNOWN = 3  # the exit code of what was not answered

Item = TypeVar("Item")
Result = TypeVar("Result")


class WorkerEnded(RuntimeError):
    """A worker process was ended from outside: what it was to find is not known."""


def in_workers(do: Callable[[Item], Result], items: Iterable[Item], workers: int) -> Iterator[Result]:
    """What `do` makes of each of the items, in their order, in processes of their own that start afresh.

    Raises WorkerEnded where one is ended from outside, KeyboardInterrupt where this process is interrupted, and what
    `do` raises; the workers were ended then."""
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), leave_interrupts)
    pending = deque[Future[Result]]()
    try:
        with put_off() as asked:
            with unheard():
                pending.extend(pool.submit(do, item) for item in items)
            while pending:
                wait([pending[0]], timeout=0.2)
                if asked:
                    raise KeyboardInterrupt
                if pending[0].done():
                    yield pending.popleft().result()
    except BrokenProcessPool:
        end_workers()
        raise WorkerEnded(ENDED) from None
    except BaseException:
        end_workers()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def exit_code_of(main: Callable[[list[str]], int]) -> int:
    """The exit code of the `main` of a module, given the arguments of this process: 3 and one line on stderr where it
    was interrupted, or a worker was ended."""
    try:
        return main(sys.argv[1:])
    except WorkerEnded as ended:
        print(f"unknown: {ended}", file=sys.stderr)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
    return UNKNOWN


@contextmanager
def put_off() -> Iterator[list[int]]:
    """Interrupts are noted, not raised: raised while a lock of the pool is held, one would leave it locked for ever."""
    asked: list[int] = []
    before, here = {}, os.getpid()

    def note(number: int, _: object) -> None:
        if os.getpid() == here:
            asked.append(number)
            return
        signal.signal(number, signal.SIG_DFL)  # a forked worker has inherited this: it is to end
        os.kill(os.getpid(), number)

    if threading.current_thread() is threading.main_thread():
        for number in {signal.SIGINT, signal.SIGTERM}:
            if signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, note)
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def unheard() -> Iterator[None]:
    """While workers are started: they inherit it that interrupts wait, until `leave_interrupts`. One that comes in
    between reaches the parent afterwards, and no worker complains of it while it imports. A process that is forked here
    by somebody else's pool hears them: it would never be ended by its pool."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, INTERRUPTS)
    _blocked_since.append(before)
    try:
        yield
    finally:
        _blocked_since.pop()
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


_blocked_since = list[set[int]]()  # the masks before each `unheard` of this process


def _hear_in_fork() -> None:
    if _blocked_since:
        signal.pthread_sigmask(signal.SIG_SETMASK, _blocked_since[0])
        _blocked_since.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_hear_in_fork)


def leave_interrupts() -> None:
    """For the start of a worker: interrupts may be sent to the whole group, and the parent ends its workers."""
    for number in INTERRUPTS:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, INTERRUPTS)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def end_workers() -> None:
    """End the worker processes of this process at once."""
    for child in multiprocessing.active_children():
        child.kill()
