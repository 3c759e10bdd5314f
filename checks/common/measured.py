"""A command in a process of its own, with what it took: what only the system knows of a run."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence


def measured(command: Sequence[str]) -> tuple[str, float, int]:
    """What a command prints, the seconds from its start to its end, and the bytes that it held at most: never fewer
    than this process has held, which the system counts in until the command takes its place. Raises RuntimeError where
    it fails; an interrupt is passed on once it has ended."""
    start = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    try:
        out = child.stdout.read()
    except KeyboardInterrupt:  # the terminal has told it too
        child.wait(10)
        raise
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {child.returncode}")
    return out, time.perf_counter() - start, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
