"""Interrupts held back while something must not be left half done, and handled where it is whole."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any


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
