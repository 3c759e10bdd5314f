"""A process and all that it starts: begun as one group, and ended as one, whatever they do."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

PATIENCE = 10.0  # seconds for the system to end what was killed
SHORTEST, LONGEST = 0.0005, 0.02  # seconds between two looks


class Group:
    """A process in a group of its own, without a shell; its stdin, stdout and stderr are pipes.

    Raises OSError or ValueError where it cannot be started."""

    def __init__(self, command: Sequence[str], folder: str | Path | None = None, grace: float = 0.5) -> None:
        self.process = subprocess.Popen(
            list(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0,
            cwd=folder, process_group=0,
        )  # fmt: skip
        self.grace, self._of = grace, os.getpid()

    @property
    def ours(self) -> bool:
        """Whether this process started it: after a fork the child has a copy, which it must leave alone."""
        return os.getpid() == self._of

    def pipes(self) -> tuple[int, int, int]:
        """The descriptors of its stdin, stdout and stderr."""
        into, out, errors = self.process.stdin, self.process.stdout, self.process.stderr
        assert into and out and errors
        return into.fileno(), out.fileno(), errors.fileno()

    def code(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs.

        It stays to be waited for: while it does, the number of its group belongs to nobody else."""
        if self.process.returncode is not None:
            return self.process.returncode
        if not hasattr(os, "waitid"):
            return self.process.poll()
        try:
            found = os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:  # somebody waits for all children of this process
            return self.process.poll()
        if found is None:
            return None
        return found.si_status if found.si_code == os.CLD_EXITED else -found.si_status

    def ends_within(self, seconds: float) -> bool:
        """Wait so long for its end at most."""
        end, pause = time.monotonic() + seconds, SHORTEST
        while self.code() is None:
            if (left := end - time.monotonic()) <= 0:
                return False
            time.sleep(min(pause, left))
            pause = min(2 * pause, LONGEST)
        return True

    def end(self, politely: bool = True) -> None:
        """End all of it: by the end of its stdin and by SIGTERM, if politely, each with its grace; then by SIGKILL."""
        if self.process.returncode is not None or not self.ours:
            return
        try:
            with suppress(OSError):
                if self.process.stdin:
                    self.process.stdin.close()
            if politely and not self.ends_within(self.grace):
                self._signal(signal.SIGTERM)
                self.ends_within(self.grace)
        finally:
            self._signal(signal.SIGKILL)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(PATIENCE)

    def close(self) -> None:
        """Give the pipes back."""
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            with suppress(OSError):
                if pipe:
                    pipe.close()

    def _signal(self, number: int) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)
