"""The report of `cutproof verify` as pages: results, safeguards that were taken away, the gate's map, coverage."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cutproof.checks.cutover.gate.lattice import Decided
from cutproof.checks.engines.verdict import HOLDS, UNKNOWN
from cutproof.checks.ladder.tasks import Row
from cutproof.checks.pages.folder import INDEX
from cutproof.checks.pages.parts import (
    About,
    Cell,
    Column,
    Heading,
    Mark,
    code,
    page,
    section,
    table,
    viewing,
)
from cutproof.checks.pages.policies import decided, gate
from cutproof.checks.pages.removals import removals
from cutproof.checks.pages.viewed import Views

COLUMNS = (
    Column("as expected", choose=True), Column("check", choose=True), Column("what"), Column("verdict", choose=True),
    Column("the run"), Column("claim", wide=True), Column("states", number=True), Column("transitions", number=True),
    Column("depth", number=True), Column("seconds", number=True), Column("scope", wide=True),
)  # fmt: skip
ABOUT = (
    "Each row is a question with the answer that it should have: what should hold holds, and what was broken on "
    "purpose is seen to break. A press on a heading sorts; the fields choose rows."
)


def files(
    rows: Sequence[Row],
    about: About,
    said: str,
    code_of: int,
    decide: Callable[[], Sequence[Decided]] = decided,
) -> dict[str, str]:
    """The pages, by their names within the folder. `said` is the last line of the command, `code_of` its exit code;
    `decide` says how policies fail, where the gate is part of the run."""
    views = Views()
    results = section(
        "results",
        "Results",
        table("rows", "Results", COLUMNS, [_cells(row, views) for row in rows]),
        about=ABOUT,
    )
    parts, names, whole = [results], [("results", "Results")], None
    if taken := removals(rows, views):
        parts.append(taken)
        names.append(("removals", "Safeguards"))
    if any(row.check == "gate" for row in rows):
        shown, whole = gate(decide(), views)
        parts.append(shown)
        names.append(("gate", "The gate"))
    index = page(_heading(rows, said, code_of), about, parts, names, whole)
    return {INDEX: index, **views.files}


def _heading(rows: Sequence[Row], said: str, code_of: int) -> Heading:
    bad = sum(row.code not in (HOLDS, UNKNOWN) for row in rows)
    open_rows = sum(row.code == UNKNOWN for row in rows)
    left = sum(not row.ran() for row in rows)
    well = len(rows) - bad - open_rows - left
    counts = [
        f"{well:,} of {len(rows):,} results are as expected",
        *([f"{bad:,} not"] if bad else []), *([f"{open_rows:,} unknown"] if open_rows else []),
        *([f"{left:,} not run"] if left else []),
    ]  # fmt: skip
    if code_of == HOLDS:
        mark, title = Mark("good", "verified"), "Verified"
    elif code_of == UNKNOWN:
        mark, title = Mark("unknown", "not known"), "Not verified"
    else:
        mark, title = Mark("bad", "not verified"), "Not verified"
    return Heading(mark, f"{title}: {', '.join(counts)}", f"{said[:1].upper()}{said[1:]}")


def _cells(row: Row, views: Views) -> list[Cell]:
    claim = row.property + (f" ({row.harm})" if row.harm else "")
    about = ": ".join(part for part in (claim, row.detail) if part)
    if row.code != HOLDS:
        about += f"{'; ' if about else ''}expected: {row.expected}"
    place = views.stored(row.trace) if row.trace else ""
    again = code(f"cutproof explore --scope {row.name}") if row.check == "scope" and row.code != HOLDS else ""
    return [
        mark_of(row), row.check, row.name, row.verdict, viewing(place, row.name) if place else again, about,
        row.states or "", row.transitions or "", row.depth or "",
        round(row.seconds, 1) if row.seconds else "", row.scope,
    ]  # fmt: skip


def mark_of(row: Row) -> Mark:
    """Whether a row came out as it should."""
    if not row.ran():
        return Mark("idle", "not run")
    return Mark(*{HOLDS: ("good", "yes"), UNKNOWN: ("unknown", "unknown")}.get(row.code, ("bad", "no")))
