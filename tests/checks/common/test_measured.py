"""A command in a process of its own: what it prints, how long it takes, what it holds."""

import sys

import pytest

from cutproof.checks.common.measured import measured

MEGA = 1 << 20


def test_what_it_prints_and_what_it_takes() -> None:
    small = measured([sys.executable, "-c", "print('here')"])
    held = f"held = b'x' * {small[2] + 64 * MEGA}"  # more than this process has held
    large = measured([sys.executable, "-c", f"import time; {held}; time.sleep(0.3); print('here')"])
    assert small[0] == large[0] == "here\n"
    assert large[1] >= 0.3
    assert large[2] - small[2] >= 64 * MEGA


def test_a_command_that_fails_is_said_to() -> None:
    with pytest.raises(RuntimeError, match="ended with 5"):
        measured([sys.executable, "-c", "raise SystemExit(5)"])
