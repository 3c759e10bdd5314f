"""Asking Z3, so that an interrupt is heard: at once while it searches, and never lost between two questions.

    @hearing()
    def prove(solver):             # wherever terms of Z3 are made
        said = ask(solver)         # raises KeyboardInterrupt where there was one

Left to itself, Z3 takes Ctrl-C and answers *unknown*, as if its time were over; and a KeyboardInterrupt that comes
while Python makes or frees a term of Z3 becomes another error, or is printed and forgotten. So Z3 may not take it here
(`ctrl_c`), a signal is held until the question is over, and another thread ends the question.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import z3

from cutproof.checks.common.interrupts import Stoppable

z3.set_param("ctrl_c", False)

_hearing: Stoppable | None = None


@contextmanager
def hearing() -> Iterator[Stoppable]:
    """SIGINT and SIGTERM are handled after the next question, or where `look` is called; within another `hearing`, by
    that one."""
    global _hearing  # noqa: PLW0603  signals are of the whole process
    if _hearing is not None:
        yield _hearing
        return
    with Stoppable() as held:
        _hearing = held
        try:
            yield held
        finally:
            _hearing = None


def look() -> None:
    """Handle a signal that waits: between two steps of what takes long beside the questions."""
    if _hearing is not None:
        _hearing.look()


def ask(solver: Any, *assumptions: Any) -> Any:
    """What Z3 says: sat, unsat or unknown. An interrupt ends the question, and is handled here."""
    with hearing() as held:
        with held.stopping(solver.interrupt):
            said = solver.check(*assumptions)
        held.look()
    return said
