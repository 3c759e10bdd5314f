"""Progress of long work, on stderr."""

from __future__ import annotations

import sys
import time
from typing import Any

from rich.console import Console
from rich.status import Status
from rich.text import Text


class Ticker:
    """Progress on stderr: a line that changes on a terminal, else a line every `pause` seconds.

    `last` is what each name told last: states, transitions, depth, frontier, seconds."""

    def __init__(self, pause: float = 10.0) -> None:
        self.last: dict[str, tuple[int, int, int, int, float] | str] = {}
        self.pause, self.told = pause, time.perf_counter()
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

    def _show(self) -> None:
        now = time.perf_counter()
        if self.status:
            self.status.update(Text(self.text()))
        elif self.last and now - self.told >= self.pause:
            self.told = now
            print(self.text(), file=sys.stderr, flush=True)

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
