"""Interrupts held back while something must not be left half done, and handled where it is whole."""

from __future__ import annotations

import os
import select
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

AGAIN = 0.05  # seconds until what did not stop is stopped again


class Held:
    """Within this context SIGINT and SIGTERM wait for the next `look`, which does what they would have done.

    Only where a Python function handles them, and in the main thread: elsewhere nothing is held back. What is still
    waiting at the end is handled then."""

    def __init__(self) -> None:
        self._before: dict[int, Callable[[int, FrameType | None], Any]] = {}
        self._waiting: list[int] = []

    def __enter__(self) -> Held:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                before = signal.getsignal(number)
                if callable(before):
                    self._before[number] = before
                    signal.signal(number, lambda number, _: self._waiting.append(number))
        return self

    def __exit__(self, *_: object) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)
        self.look()

    def look(self) -> None:
        """Handle what is waiting; mostly a KeyboardInterrupt."""
        waiting, self._waiting = self._waiting, []
        for number in waiting[:1]:
            self._before[number](number, None)


class Stoppable(Held):
    """Held; and where a call outside Python is long, another thread stops it as soon as there is a signal."""

    def __init__(self) -> None:
        super().__init__()
        self._stop: Callable[[], None] | None = None
        self._calls = threading.Lock()
        self._pipe: tuple[int, int] | None = None

    def __enter__(self) -> Stoppable:
        super().__enter__()
        if self._before:
            self._pipe = out, into = os.pipe()
            os.set_blocking(into, False)
            self._woken = signal.set_wakeup_fd(into, warn_on_full_buffer=False)
            self._thread = threading.Thread(target=self._watch, args=(out,), daemon=True)
            self._thread.start()
        return self

    def __exit__(self, *problem: object) -> None:
        if self._pipe:
            signal.set_wakeup_fd(self._woken)
            os.close(self._pipe[1])  # which ends the thread
            self._thread.join()
            os.close(self._pipe[0])
        super().__exit__(*problem)

    @contextmanager
    def stopping(self, stop: Callable[[], None]) -> Iterator[None]:
        """While this lasts, `stop` is called once there is a signal, again and again: the call may not have begun."""
        with self._calls:
            self._stop = stop
        try:
            yield
        finally:
            with self._calls:
                self._stop = None

    def _watch(self, out: int) -> None:
        """Sleep until a signal is there, and from then on look whether there is something to stop."""
        asked, ended = False, False
        while not ended:
            ready, _, _ = select.select([out], [], [], AGAIN if asked else None)
            if ready:
                numbers = os.read(out, 64)
                asked, ended = asked or any(n in self._before for n in numbers), not numbers
            with self._calls:
                if asked and self._stop:
                    self._stop()
