"""The report of `cutproof explore` as pages: verdicts with views of their counterexamples, and what happened how
often."""

from __future__ import annotations

from collections.abc import Mapping

from cutproof.checks.engines.exploration import Exploration
from cutproof.checks.engines.verdict import Holds, Unknown, Verdict, Violated, word
from cutproof.checks.pages.folder import INDEX
from cutproof.checks.pages.parts import About, Cell, Column, Heading, Mark, page, section, table, viewing
from cutproof.checks.pages.viewed import Views, drawn
from cutproof.checks.traces.trace import Trace

COLUMNS = (
    Column("verdict", choose=True), Column("property"), Column("form", choose=True), Column("harm", choose=True),
    Column("steps", number=True), Column("the run"), Column("why", wide=True),
)  # fmt: skip
ACTIONS = (Column("action"), Column("how often", number=True))
ABOUT = "Every interleaving within the bounds was explored, or as much of it as is said."


def files(found: Exploration, traces: Mapping[int, Trace], about: About) -> dict[str, str]:
    """The pages; `traces` has the counterexamples, by the number of their verdict."""
    views = Views()
    rows = [_cells(i, verdict, traces, found, views) for i, verdict in enumerate(found.verdicts)]
    parts = [section("verdicts", "Verdicts", table("judged", "Verdicts", COLUMNS, rows), about=ABOUT)]
    names = [("verdicts", "Verdicts")]
    if found.fired_counted:
        counts: list[list[Cell]] = [[name, times] for name, times in found.coverage.items()]
        never = found.never_fired
        said = f"Never in these bounds: {', '.join(never)}." if never else "Every action happened."
        parts.append(
            section("actions", "What happened", table("fired", "Actions", ACTIONS, counts), about=said)
        )
        names.append(("actions", "What happened"))
    return {INDEX: page(_heading(found), about, parts, names), **views.files}


def _heading(found: Exploration) -> Heading:
    bad = [v for v in found.verdicts if isinstance(v, Violated)]
    unknown = [v for v in found.verdicts if isinstance(v, Unknown)]
    mark = (
        Mark("bad", "violated") if bad else Mark("unknown", "unknown") if unknown else Mark("good", "holds")
    )
    many, hold = len(found.verdicts), len(found.verdicts) - len(bad) - len(unknown)
    said = (
        f"{len(bad):,} of {many:,} properties are violated"
        if bad
        else f"{hold:,} of {many:,} properties hold"
    )
    title = f"{found.protocol.name}: {said}"
    depth = "" if found.depth is None else f", depth {found.depth:,}"
    why = f"{found.distinct:,} states, {found.transitions:,} transitions{depth}."
    return Heading(mark, title, why)


def _cells(
    number: int, verdict: Verdict, traces: Mapping[int, Trace], found: Exploration, views: Views
) -> list[Cell]:
    kind = "good" if isinstance(verdict, Holds) else "bad" if isinstance(verdict, Violated) else "unknown"
    trace, place = traces.get(number), ""
    name = "-".join(filter(None, (str(number + 1), verdict.property, verdict.harm)))
    if trace is not None:
        place = views.page(name, lambda: drawn(trace, name, found.protocol))
    why = verdict.reason if isinstance(verdict, Unknown) else getattr(verdict, "detail", "")
    steps = len(trace.steps) if trace is not None else ""
    return [
        Mark(kind, word(verdict)), verdict.property, verdict.form.replace("_", " "), verdict.harm, steps,
        viewing(place, f"{verdict.property} {verdict.harm}".strip()) if place else "", why,
    ]  # fmt: skip
