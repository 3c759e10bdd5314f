"""Long commands, killed or interrupted at any moment: nothing goes on behind them, and the exit code is right."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

COMMANDS = (
    ("loss", "--writes", "1e7", "--workers", "2"), ("scenarios",), ("verify",), ("prove", "--scope", "kinds"),
    ("simulate", "--runs", "10000000", "--workers", "2"), ("explore", "--scope", "kinds", "--resume", "folder"),
)  # fmt: skip
ENDS = 60  # seconds in which everything has to be gone; most is in one

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the system has no /proc")


def members(group: int) -> list[int]:
    """The processes of a session that are alive."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                state, _, _, session = (entry / "stat").read_text().rpartition(")")[2].split()[:4]
            except OSError:
                continue
            if int(session) == group and state != "Z":
                found.append(int(entry.name))
    return found


@pytest.mark.parametrize("number", [2, pytest.param(100, marks=pytest.mark.nightly)])
def test_what_is_killed_ends_with_all_that_it_started(number: int, tmp_path: Path) -> None:
    for seed in range(number):
        draw = random.Random(seed)
        command, sent = draw.choice(COMMANDS), draw.choice([signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
        group = draw.random() < 0.5
        run = subprocess.Popen(
            [sys.executable, "-m", "cutproof", *command], cwd=tmp_path, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        try:
            while not _has_begun(run.pid):
                time.sleep(0.01)
            time.sleep(draw.uniform(0, 4))
            (os.killpg if group else os.kill)(run.pid, sent)
            said = run.communicate(timeout=ENDS)[1]
            until = time.monotonic() + ENDS
            while (left := members(run.pid)) and time.monotonic() < until:
                time.sleep(0.05)
            assert not left, (seed, command, sent, group)
        finally:
            if members(run.pid):
                os.killpg(run.pid, signal.SIGKILL)
        ended = run.returncode == 0 and not said  # it was done before
        assert ended or run.returncode == (-sent if sent == signal.SIGKILL else 3), (
            seed,
            command,
            sent,
            said,
        )
        assert sent == signal.SIGKILL or b"Traceback" not in said, (seed, command, said)


def _has_begun(process: int) -> bool:
    """Its own code runs: it hears SIGTERM by a function of its own."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("SigCgt:"):
            return bool(int(line.split()[1], 16) >> (signal.SIGTERM - 1) & 1)
    return True
