"""What a command judged, case by case, for whoever counts them.

    case("lease", "always one_holder", FAILED, "violated: ...", again="cutproof replay ...", place=("lease.py", 12))

Outside a run that is reported it costs nothing and does nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cutproof.checks.engines.verdict import Verdict

PASSED, FAILED, UNKNOWN, ERRED, SKIPPED = "passed", "failed", "unknown", "erred", "skipped"
OUTCOMES = (FAILED, ERRED, UNKNOWN, SKIPPED, PASSED)  # what is told first
BAD = (FAILED, ERRED, UNKNOWN)  # what makes a build red


Place = tuple[str, int]  # a file and a line of it
NOWHERE: Place = ("", 0)


@dataclass(frozen=True)
class Case:
    """One result. `suite` is what it is about (a protocol, a file, a check), `name` which claim of it, `said` the
    verdict in one line; `again` is the command that shows it again, `file` and `line` the place in the source, if
    there is one; `details` are more lines."""

    suite: str
    name: str
    outcome: str
    said: str = ""
    again: str = ""
    file: str = ""
    line: int = 0
    seconds: float = 0.0
    details: tuple[str, ...] = ()


typed: ContextVar[list[str]] = ContextVar("typed", default=[])  # noqa: B039  what stands behind `cutproof`, never changed
_collected: ContextVar[list[Case] | None] = ContextVar("cases", default=None)


@contextmanager
def collected() -> Iterator[list[Case]]:
    """The cases that are told within it."""
    cases = list[Case]()
    token = _collected.set(cases)
    try:
        yield cases
    finally:
        _collected.reset(token)


def wanted() -> bool:
    """Whether anybody counts cases: what costs something to tell need not be told else."""
    return _collected.get() is not None


def case(
    suite: str,
    name: str,
    outcome: str,
    said: str = "",
    *,
    again: str = "",
    place: Place = NOWHERE,
    seconds: float = 0.0,
    details: Iterable[str] = (),
) -> None:
    """Tell one case."""
    cases = _collected.get()
    if cases is not None:
        cases.append(Case(suite, name, outcome, said, again, *place, seconds, tuple(details)))


def of_verdicts(
    verdicts: Iterable[Verdict], files: dict[int, str] | None = None, source: Path | None = None
) -> None:
    """A case for each verdict on a protocol; `files` has the traces that were written, by the number of the verdict,
    and `source` is the file of the protocol."""
    from cutproof.checks.engines.verdict import Holds, Violated, line

    for i, verdict in enumerate(verdicts):
        outcome = (
            PASSED if isinstance(verdict, Holds) else FAILED if isinstance(verdict, Violated) else UNKNOWN
        )
        trace = (files or {}).get(i, "")
        case(
            verdict.checked, f"{verdict.form.replace('_', ' ')} {verdict.property}", outcome, line(verdict),
            again=replaying(trace, source) if trace else "", seconds=verdict.seconds,
            place=place_of(source, verdict.property),
        )  # fmt: skip


def replaying(trace: str, source: Path | None) -> str:
    """The command that replays a trace of the protocol in a file, or of a bundled one."""
    from shlex import join

    return join(["cutproof", "replay", trace, *(["--model", str(source)] if source else [])])


def place_of(source: Path | None, name: str) -> Place:
    """Where the function of that name stands in a file."""
    if source is None:
        return NOWHERE
    text = source.read_text("utf-8", errors="replace")
    found = re.search(rf"^[ \t]*def {re.escape(name)}\(", text, re.MULTILINE)
    return str(source), text.count("\n", 0, found.start()) + 1 if found else 1
