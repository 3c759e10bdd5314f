"""A part of the ladder: some rungs of it, and a share of those for one of several machines.

The shares are the same wherever they are made, together they are the whole, and they take about as long: tasks go, the
longest first, to whoever has least. The tasks that *coverage* looks at stay together: it is told of them all, or not.
How long each takes (CPU seconds, one after the other) is in `costs.json`, as measured by

    python -m cutproof.checks.ladder.share
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

from cutproof.checks.ladder.tasks import Task

COVERAGE = "coverage"
COVERING = ("scope", "other settings")  # the rungs whose rows coverage is told of
COSTS = Path(__file__).with_name("costs.json")
SMALL = 0.4  # seconds: what takes no longer is not listed


@cache
def _costs() -> dict[str, float]:
    return dict(json.loads(COSTS.read_text("utf-8")))


def cost(task: Task) -> float:
    """CPU seconds of a task, as they were when it was measured."""
    return _costs().get(task.name, SMALL / 2)


def rungs(tasks: Iterable[Task]) -> list[str]:
    """The names of the rungs, in order."""
    return [*dict.fromkeys(task.rung for task in tasks), COVERAGE]


def of_rungs(tasks: Iterable[Task], names: Sequence[str]) -> list[Task]:
    """The tasks of these rungs; those of coverage are what it looks at."""
    wanted = {*names, *(COVERING if COVERAGE in names else ())}
    return [task for task in tasks if task.rung in wanted]


def share(tasks: Sequence[Task], number: int, of: int) -> list[Task]:
    """The share of machine `number`, counted from 0, of so many."""
    together = [task for task in tasks if task.rung in COVERING]
    groups = [*([together] if together else []), *([t] for t in tasks if t.rung not in COVERING)]
    loads, mine = [0.0] * of, set[str]()
    for group in sorted(groups, key=lambda group: -sum(map(cost, group))):
        least = loads.index(min(loads))
        loads[least] += sum(map(cost, group))
        if least == number:
            mine |= {task.name for task in group}
    return [task for task in tasks if task.name in mine]


def measure(tasks: Iterable[Task]) -> dict[str, float]:
    """CPU seconds of each task that takes some, one after the other in this process."""
    found = dict[str, float]()
    for task in tasks:
        began = time.process_time()
        task.make(lambda *_: None, *task.arguments)
        if (seconds := round(time.process_time() - began, 1)) > SMALL:
            found[task.name] = seconds
    return found


if __name__ == "__main__":
    from cutproof.checks.ladder.verify import tasks as all_tasks

    COSTS.write_text(json.dumps(measure(all_tasks()), indent=1) + "\n", "utf-8")
