"""What each safeguard is there for: the rows of a run in which it was taken away, as a table."""

from __future__ import annotations

from collections.abc import Sequence

from cutproof.checks.engines.verdict import HOLDS
from cutproof.checks.ladder.tasks import Row
from cutproof.checks.pages.parts import Cell, Column, Mark, Markup, code, joined, section, table, viewing
from cutproof.checks.pages.viewed import Views
from cutproof.model.cutover.safeguards import SAFEGUARDS, Harm

COLUMNS = (
    Column("safeguard"), Column("what it says", wide=True), Column("without it", wide=True),
    Column("harm", choose=True), Column("property", choose=True), Column("steps", number=True),
    Column("as expected", choose=True), Column("the run"),
)  # fmt: skip
ABOUT = (
    "Each safeguard was taken away, and every interleaving within the scope explored: what happens then to a client, "
    "in the fewest steps that show it. One that could go without harm would be a failure here."
)


def removals(rows: Sequence[Row], views: Views) -> Markup:
    """The section; empty where no row of the run took a safeguard away."""
    shown = [row for row in rows if row.check == "counterexample" and len(row.removed) >= 1 and _named(row)]
    if not shown:
        return Markup("")
    return section(
        "removals", "What is lost without each safeguard", table("removed", "Safeguards that were taken away", COLUMNS,
        [_cells(row, views) for row in shown]), about=ABOUT,
    )  # fmt: skip


def _named(row: Row) -> str:
    """The safeguard that a row is about: the one that its name says."""
    _, without, rest = row.name.partition("without-")
    fitting = [name for name in row.removed if without and rest.startswith(name)]
    return max(fitting, key=len, default="")


def _cells(row: Row, views: Views) -> list[Cell]:
    name = _named(row)
    safeguard, companions = SAFEGUARDS[name], [other for other in row.removed if other != name]
    more = f" (with {', '.join(companions)} gone too)" if companions else ""
    harm = Harm[row.harm].value if row.harm in Harm.__members__ else row.harm
    mark = Mark("good", "yes") if row.code == HOLDS else Mark("bad", "no")
    place = views.stored(row.trace) if row.trace else ""
    return [
        joined([code(name), more]), safeguard.rule, safeguard.without, harm, row.property,
        int(row.facts.get("steps", 0)), mark, viewing(place, row.name) if place else "its trace is not here",
    ]  # fmt: skip
