"""Progress of long work, on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.status import Status
from rich.text import Text

TELLING = 0.02  # of all: before that nobody knows how long it takes


def lasting(seconds: float) -> str:
    """About how long, in words."""
    if seconds < 90:
        return f"about {max(round(seconds), 1)} s"
    return f"about {round(seconds / 60)} min" if seconds < 5400 else f"about {seconds / 3600:.1f} h"


class Ticker:
    """Progress on stderr: a line that changes on a terminal, else a line every `pause` seconds.

    `last` is what each name told last: states, transitions, depth, frontier, seconds."""

    def __init__(self, pause: float = 10.0) -> None:
        self.last: dict[str, tuple[int, int, int, int, float] | str] = {}
        self.pause, self.told = pause, time.perf_counter()
        self.began, self.part, self.words = self.told, 0.0, ""
        self.status = Status("", console=Console(stderr=True)) if sys.stderr.isatty() else None

    def __enter__(self) -> Ticker:
        if self.status:
            self.status.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.status:
            self.status.stop()

    def tell(self, name: str, *numbers: Any) -> None:
        """Of a search: states, transitions, depth, frontier, seconds; else a text. Without them: it has ended."""
        if not numbers:
            self.last.pop(name, None)
        else:
            self.last[name] = numbers[0] if isinstance(numbers[0], str) else numbers
        self._show()

    def share(self, done: float, total: float, what: str = "") -> None:
        """How much of all is done, in any measure; `what` says it in words."""
        self.part, self.words = (done / total if total else 0.0), what

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Within it something else may be written to the terminal."""
        if self.status:
            self.status.stop()
        try:
            yield
        finally:
            if self.status:
                self.status.start()

    def _line(self) -> str:
        """What is under way, and how long the rest may take, if it goes on as it went."""
        elapsed = time.perf_counter() - self.began
        left = ""
        if self.part >= TELLING and elapsed >= 1 and self.part < 1:
            left = f"{lasting(elapsed * (1 - self.part) / self.part)} left"
        return "; ".join(filter(None, (", ".join(filter(None, (self.words, left))), self.text())))

    def _show(self) -> None:
        now = time.perf_counter()
        if self.status:
            self.status.update(Text(self._line()))
        elif self.last and now - self.told >= self.pause:
            self.told = now
            print(self._line(), file=sys.stderr, flush=True)

    def text(self) -> str:
        """What is under way, on one line."""
        return "; ".join(self._of(name) for name in self.last)

    def _of(self, name: str) -> str:
        last = self.last[name]
        if isinstance(last, str):
            return f"{name}: {last}"
        states, _, depth, frontier, seconds = last
        rate = f", {states / seconds:,.0f} states/s" if seconds and depth else ""
        where = f"{states:,} states{rate}, frontier {frontier:,}, depth {depth}" if depth else f"{states}"
        return f"{name}: {where}"
