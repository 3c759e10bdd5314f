"""Where the command begins: interrupts are heard before anything that takes a while is imported."""

from __future__ import annotations

import atexit
import io
import os
import signal
import sys
from contextlib import suppress
from typing import NoReturn

UNKNOWN = 3


def main() -> int:
    """Run the command; the result is the exit code. Ctrl-C and SIGTERM give one line and exit code 3, whenever they
    come: while it is still being imported too; once the result is told they change nothing."""
    _open_what_is_closed()
    if isinstance(sys.stdout, io.TextIOWrapper):  # what it has no sign for is written as its number
        sys.stdout.reconfigure(errors="backslashreplace")
    heard = [n for n in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(n) is not signal.SIG_IGN]
    for number in heard:
        signal.signal(number, _leave)
    from cutproof.checks.cli.main import main as run

    if signal.SIGINT in heard:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        code = run()
    except KeyboardInterrupt:
        os.write(2, b"cutproof: interrupted\n")
        code = UNKNOWN
    finally:
        for number in heard:
            signal.signal(number, signal.SIG_IGN)
    _settle()
    if code == UNKNOWN:
        _end(code)
    return code


def _open_what_is_closed() -> None:
    """A file takes the lowest number that is free: what is said on a closed stream would be written into it."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # all lower ones are taken: it gets this number
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, closefd=False))  # noqa: SIM115  it lives as long as we do


def _settle() -> None:
    """What cannot be written any more is left out: at the end Python would complain, and end with a code of its own."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            with suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _end(code: int) -> NoReturn:
    """End with this code. Python would end by SIGINT, though the interrupt was handled, if it came while the text of
    some code was run (a dataclass makes such), as it does while modules are imported."""
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def _leave(*_: object) -> None:
    """Nothing has begun, so nothing is to be put in order; an exception could be lost in an import."""
    os.write(2, b"cutproof: interrupted\n")
    os._exit(UNKNOWN)
