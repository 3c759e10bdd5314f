"""What is raised where a program does not do what it should: the reason, and the schedule that shows it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class NotConforming(AssertionError):
    """A promise was broken: `reason`; `schedule` shows it, a line for each step; `run` is how many runs it took.

    `lanes` tells the same with what each node held, where the system shows that; `data` is the schedule as it is
    written to a file; `whole` says that no step, and no two, can be left out; `report` is what was exercised before, or
    None."""

    def __init__(self, reason: str, schedule: Sequence[str], run: int = 0) -> None:
        self.reason, self.schedule, self.run = reason, tuple(schedule), run
        self.lanes: Sequence[str] = self.schedule
        self.data: Any = None
        self.report: Any = None
        self.whole = False
        found = [f"found in run {run}; a short schedule that shows it:"] if run else []
        super().__init__("\n".join([reason, *found, *(f"{n:4}. {s}" for n, s in enumerate(schedule, 1))]))


class DiffersFromOracle(NotConforming):
    """No promise to a client was broken, but the system came out otherwise than the reference implementation."""


class AdapterFailed(NotConforming):
    """The adapter, or the system behind it, raised what it may not raise, or answered what is no answer."""


class NotServed(NotConforming):
    """Nothing wrong was shown, but clients wait for ever: the migration does not end, or nobody serves them again."""
