"""What `cutproof verify` found, as a table, a summary, and facts for machines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from cutproof.checks.cli.pipelines.cases import FAILED, PASSED, SKIPPED, case
from cutproof.checks.cli.pipelines.cases import UNKNOWN as NOT_KNOWN
from cutproof.checks.cli.reports.tables import WIDEST, layout
from cutproof.checks.engines.verdict import HOLDS, LIVENESS, SAFETY, UNKNOWN
from cutproof.checks.ladder.tasks import Row

HEAD = ("", "check", "what", "states", "transitions", "depth", "seconds", "verdict", "scope")
# What is laid out for before any row is known: large numbers, and texts that take more than a line.
SAMPLE = {
    "": "FAIL", "check": "counterexample", "states": "9,999,999", "transitions": "99,999,999", "depth": "99",
    "seconds": "999.9", "verdict": "some words and more " * 6, "scope": "some words and more " * 6,
}  # fmt: skip
MANY = "1,337,598,192,039"  # states of a wide scope


class LadderTable:
    """The rows of `cutproof verify`, line by line: the columns are the same whatever comes. `names` are what rows are
    about, as far as it is known before; `many`: some are of very many states."""

    def __init__(
        self, names: Iterable[str], width: int = WIDEST, coloured: bool = False, many: bool = False
    ) -> None:
        sample = {**SAMPLE, "states": MANY} if many else SAMPLE
        samples = [[name if n == "what" else sample[n] for n in HEAD] for name in (*names, "")]
        self.layout = layout(
            HEAD, samples, width, numbers=HEAD[3:7], wrap=("verdict", "scope"),
            drop=("scope", "seconds", "transitions", "depth", "states"), coloured=coloured,
        )  # fmt: skip

    def head(self) -> list[str]:
        """The names of the columns."""
        return self.layout.lines(HEAD)

    def lines(self, row: Row) -> list[str]:
        """One row."""
        return self.layout.lines(_cells(row))


def _cells(row: Row) -> tuple[str, ...]:
    counts = [f"{n:,}" if row.states else "" for n in (row.states, row.transitions)]
    depth = str(row.depth) if row.depth else ""
    seconds = f"{row.seconds:.1f}" if row.seconds else ""
    scope = row.scope if row.check != "scope" else row.scope or "the default bounds"
    mark = "FAIL" if row.code != HOLDS else "ok" if row.ran() else "-"
    return (mark, row.check, row.name, *counts, depth, seconds, verdict_of(row), scope)


def verdict_of(row: Row) -> str:
    """The verdict of a row, with what it is about and why it is not as expected."""
    claim = row.property + (f" ({row.harm})" if row.harm else "")
    about = claim if row.verdict in ("violated", "unknown") else ""
    return row.verdict + "".join(f": {part}" for part in (about, row.detail) if part)


def case_of(row: Row) -> None:
    """A row for whoever counts."""
    outcome = PASSED if row.code == HOLDS else NOT_KNOWN if row.code == UNKNOWN else FAILED
    said = verdict_of(row) if row.code == HOLDS else f"{verdict_of(row)}; expected: {row.expected}"
    again = f"cutproof replay {row.trace}" if row.trace and row.code != HOLDS else ""
    name = " ".join(filter(None, (row.name, row.property)))
    outcome = outcome if row.ran() else SKIPPED
    case(f"verify {row.check}", name, outcome, said, again=again, seconds=row.seconds)


def exit_code_of(rows: Sequence[Row], strict: bool = False) -> int:
    """As for verdicts: safety before liveness before unknown; no row at all shows nothing. Where `strict`, one that was
    not run is unknown."""
    codes = {row.code if row.ran() or not strict else UNKNOWN for row in rows}
    return next((code for code in (SAFETY, LIVENESS, UNKNOWN, HOLDS) if code in codes), UNKNOWN)


def summary(rows: Sequence[Row], seconds: float, code: int) -> str:
    """The last line: whether everything was as expected."""
    failed = [row for row in rows if row.code != HOLDS]
    left = [row for row in rows if not row.ran()]
    if not failed:
        ran = len(rows) - len(left)
        missing = "".join(f"; {row.check} {row.name} was not run: {row.detail}" for row in left)
        said = "verified" if code == HOLDS else f"not verified (exit code {code})"
        return f"{said}: {ran} of {len(rows)} results are as expected, in {seconds:.0f} s{missing}"
    names = "; ".join(f"{row.check} {row.name}" for row in failed[:5])
    more = f" and {len(failed) - 5} more" if len(failed) > 5 else ""
    return f"not verified (exit code {code}): {len(failed)} of {len(rows)} results are not as expected: {names}{more}"


def row_json(row: Row) -> dict[str, Any]:
    """The facts of a row for machines."""
    return {
        "checked": "cutover",
        "check": row.check,
        "name": row.name,
        "verdict": row.verdict,
        "expected": row.expected,
        "as_expected": row.code == HOLDS and row.ran(),
        "property": row.property,
        "harm": row.harm,
        "reason": row.detail,
        "scope": row.scope,
        "removed": list(row.removed),
        "states": row.states,
        "transitions": row.transitions,
        "depth": row.depth,
        "seconds": round(row.seconds, 3),
        "trace": row.trace,
        **row.facts,
    }
