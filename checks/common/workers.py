"""Worker processes: they leave interrupts to their parent, and do not outlive it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import connection

INTERRUPTS = (signal.SIGINT, signal.SIGTERM)


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
    between reaches the parent afterwards, and no worker complains of it while it imports."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, INTERRUPTS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


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
