"""Where the command begins: interrupts are heard before anything that takes a while is imported."""

from __future__ import annotations

import os
import signal

UNKNOWN = 3


def main() -> int:
    """Run the command; the result is the exit code. Ctrl-C and SIGTERM give one line and exit code 3, whenever they
    come: while it is still being imported too; once the result is told they change nothing."""
    heard = [n for n in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(n) is not signal.SIG_IGN]
    for number in heard:
        signal.signal(number, _leave)
    from cutproof.checks.cli.main import main as run

    if signal.SIGINT in heard:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return run()
    except KeyboardInterrupt:
        os.write(2, b"cutproof: interrupted\n")
        return UNKNOWN
    finally:
        for number in heard:
            signal.signal(number, signal.SIG_IGN)


def _leave(*_: object) -> None:
    """Nothing has begun, so nothing is to be put in order; an exception could be lost in an import."""
    os.write(2, b"cutproof: interrupted\n")
    os._exit(UNKNOWN)
