"""The report of `cutproof conform` as pages: the coverage by phase as a table of heat, what never happened, and the
schedule of a failure with its view."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from cutproof.checks.cutover.conformance import drawn
from cutproof.checks.cutover.conformance.conform import AdapterFailed, NotConforming, Report
from cutproof.checks.cutover.conformance.report import CONFORMS
from cutproof.checks.cutover.conformance.steps import WRITES
from cutproof.checks.drivers.adapter import ACKNOWLEDGED
from cutproof.checks.pages.folder import INDEX
from cutproof.checks.pages.parts import (
    About,
    Cell,
    Column,
    Heading,
    Mark,
    Markup,
    code,
    joined,
    lines,
    link,
    page,
    section,
    table,
    text,
)
from cutproof.checks.pages.viewed import Views

ABOUT = (
    "What was done, and what was acknowledged, between two steps of each phase of a migration. The darker a square, "
    "the more often; 0 is red where the system has it and it was never done."
)
COUNTED = (Column("counted"), Column("how many", number=True))


def files(report: Report, about: About) -> dict[str, str]:
    """The pages of a system in which nothing was found."""
    missing, verdict = report.missing(), report.verdict
    mark = Mark("good", verdict) if verdict == CONFORMS else Mark("unknown", verdict)
    title = f"{report.name}: {verdict}, in {report.runs:,} runs of {report.steps:,} steps"
    why = (
        "Nothing was found in these runs, which is never a proof."
        if verdict == CONFORMS
        else f"Nothing is shown: {missing[0]}."
        if missing
        else f"Nothing was found in the runs that were made: {report.stopped}."
    )
    parts, names = _covered(report)
    return {INDEX: page(Heading(mark, title, why), about, parts, names)}


def files_of_finding(
    found: NotConforming, about: About, kind: str, told: Sequence[str], again: str
) -> dict[str, str]:
    """The pages of a failure: `kind` is what it is in words, `told` its steps, `again` the command that performs them,
    or is empty."""
    views, place = Views(), ""
    data = found.data
    if data is not None:
        place = views.page("schedule", lambda: drawn.of_schedule(data, "schedule"))
    mark = Mark("unknown" if isinstance(found, AdapterFailed) else "bad", kind)
    name = data.system if data else "The system"
    whole = "No step of this schedule, and no two, can be left out." if found.whole else ""
    inside = [
        lines([link(place, "Look at the schedule, step by step")]) if place else Markup(""),
        Markup(f'<pre class="said">{joined(told, chr(10))}</pre>') if told else Markup(""),
        lines([joined(["Perform it again: ", code(again)])]) if again else Markup(""),
    ]
    parts, names = [section("schedule", "The schedule", *inside, about=whole)], [("schedule", "The schedule")]
    if found.report is not None and found.report.runs:
        more, titles = _covered(found.report, "Before that: ")
        parts, names = parts + more, names + titles
    why = f"{found.reason[:1].upper()}{found.reason[1:]}" + (f" (run {found.run})" if found.run else "")
    return {INDEX: page(Heading(mark, f"{name}: {kind}", why), about, parts, names), **views.files}


def _covered(report: Report, before: str = "") -> tuple[list[Markup], list[tuple[str, str]]]:
    """What was exercised, in sections."""
    parts, names = list[Markup](), list[tuple[str, str]]()
    never = never_of(report)
    if report.probe.phases:
        parts.append(
            section("coverage", f"{before}coverage, phase by phase".capitalize(), _heat(report), about=ABOUT)
        )
        names.append(("coverage", "Coverage"))
    said = never or ["Everything that the system has happened in each of its phases."]
    parts.append(section("never", "What never happened", lines(said)))
    names.append(("never", "What never happened"))
    counted = {**report.counts, **{f"fault: {name}": many for name, many in report.faults.items()}}
    rows: list[list[Cell]] = [[name, many] for name, many in sorted(counted.items())]
    parts.append(section("counts", "Counts", table("counted", "Counts of the runs", COUNTED, rows)))
    names.append(("counts", "Counts"))
    return parts, names


def never_of(report: Report) -> list[str]:
    """What would have to happen before anything is shown, what the system does not support, and what did not happen in
    a phase that not every migration has."""
    found = [f"{reason[:1].upper()}{reason[1:]}." for reason in report.missing()]
    if report.unsupported:
        found.append(f"Not supported by the system: {', '.join(sorted(report.unsupported))}.")
    for phase in report.probe.phases:
        nil = [w for w in columns_of(report) if w != ACKNOWLEDGED and not report.events[phase, w]]
        if nil and not any(f"in the phase {phase} " in reason for reason in report.missing()):
            found.append(f"In the phase {phase}: no {', no '.join(nil)}.")
    return found


def columns_of(report: Report) -> list[str]:
    """What can be done between two steps: operations of clients, then what was acknowledged, then faults."""
    probe = report.probe
    writes = [what for what in probe.operations if what in WRITES]
    reads = [what for what in probe.operations if what not in WRITES]
    return [*writes, ACKNOWLEDGED, *reads, *probe.faults]


def _heat(report: Report) -> Markup:
    """Phases by what happened in them. The number stands in each square; its shade is the order of magnitude."""
    columns, phases = columns_of(report), report.probe.phases
    heads = "".join(f'<th scope="col" data-number>{text(name)}</th>' for name in columns)
    rows = "".join(
        f'<tr><th scope="row">{text(phase)}</th>{"".join(_square(c, report.events[phase, c]) for c in columns)}</tr>'
        for phase in phases
    )
    caption = "Between two steps of each phase"
    return Markup(
        f'<div class="sheet"><div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}: the table">'
        f'<table id="heat"><caption>{caption}</caption><thead><tr><th scope="col">phase</th>{heads}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div></div>"
    )


def _square(what: str, many: int) -> str:
    """What is acknowledged is not done by a client: that there is none of it in a phase may be how it should be."""
    shade = f"h{min(4, len(str(many)))}" if many else "none" if what == ACKNOWLEDGED else "h0"
    shown = '0<span class="unseen"> never</span>' if shade == "h0" else f"{many:,}"
    return f'<td class="heat {shade}" data-value="{many}">{shown}</td>'
