"""The report of `cutproof loss` as pages: the rates with their intervals, what became of the writes, the first loss of
each kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cutproof.checks.common import plots
from cutproof.checks.common.binomial import interval, upper
from cutproof.checks.common.plots import Rate
from cutproof.checks.cutover.loss import report
from cutproof.checks.cutover.loss.runs import Run
from cutproof.checks.cutover.loss.sample import KINDS, Counts
from cutproof.checks.engines.verdict import HOLDS, UNKNOWN
from cutproof.checks.pages.folder import INDEX
from cutproof.checks.pages.parts import (
    About,
    Cell,
    Column,
    Heading,
    Mark,
    Markup,
    figure,
    joined,
    lines,
    link,
    page,
    section,
    table,
)  # fmt: skip
from cutproof.checks.pages.viewed import Views
from cutproof.model.cutover.safeguards import Harm

LEAST, POINTS = 4, 60  # of a course
MILLION = report.MILLION
NAMES = {"writes": "acknowledged writes", "migrations": "migrations that lose some"}
RATES = (
    Column("of"), Column("lost", number=True), Column("of all", number=True), Column("in a million", number=True),
    Column("interval, 95 %, from", number=True), Column("to", number=True),
    Column("bound, one-sided, 95 %", number=True),
)  # fmt: skip
COUNTED = (Column("counted"), Column("how many", number=True), Column("what that is", wide=True))
WITHOUT = (
    "The plots are not drawn here: they need Matplotlib (pip install matplotlib). The table says the same."
)


def files(run: Run, traces: Mapping[str, str], about: About) -> dict[str, str]:
    """The pages, by their names within the folder. `traces` has the file of the first loss of each kind, or why there
    is none."""
    views, lines_told = Views(), report.text(run)
    found = rates_of(run.counts)
    parts = [_rates(run, found), _counts(run.counts)]
    names = [("rates", "Rates"), ("counts", "What was counted")]
    if run.counts.first:
        parts.append(_first(run, traces, views))
        names.append(("first", "First losses"))
    parts.append(section("said", "In words", Markup(f'<pre class="said">{_text(lines_told)}</pre>')))
    names.append(("said", "In words"))
    return {INDEX: page(_heading(run, lines_told), about, parts, names), **views.files}


def _text(lines_told: Sequence[str]) -> Markup:
    return joined(lines_told, "\n")


def _heading(run: Run, lines_told: Sequence[str]) -> Heading:
    verdict = next(line for line in lines_told if line.startswith("verdict: ")).removeprefix("verdict: ")
    code, lost = report.exit_code(run), run.counts.lost + run.counts.lost_outside
    if code == UNKNOWN:
        mark = Mark("unknown", "cut off")
    elif code == HOLDS:
        mark = Mark("good", "nothing is lost for good")
    else:
        mark = Mark(
            "bad", "lost for good" if run.counts.lost_for_good or run.counts.lost_outside else "stuck"
        )
    title = f"{lost:,} of {run.counts.acknowledged:,} acknowledged writes are lost"
    return Heading(mark, title, f"{verdict[:1].upper()}{verdict[1:]}.")


def rates_of(counts: Counts) -> list[Rate]:
    """What was lost of what: writes, migrations, and writes by the kind of loss. Nothing where nothing was tried."""
    c = counts
    asked = [(NAMES["writes"], c.lost, c.acknowledged), (NAMES["migrations"], c.losing, c.migrations)]
    if c.lost:
        asked += [(f"writes: {Harm[k].value}", c.permanent[k] + c.healed[k], c.acknowledged) for k in KINDS]
    return [rate(name, lost, of) for name, lost, of in asked if of]


def rate(name: str, lost: int, of: int) -> Rate:
    """A rate with its two-sided interval."""
    low, high = interval(lost, of)
    return Rate(name, lost, of, lost / of, low, high if lost else upper(lost, of))


def _rates(run: Run, found: Sequence[Rate]) -> Markup:
    rows: list[list[Cell]] = []
    for one in found:
        low, high = interval(one.lost, one.of)
        rows.append(
            [
                one.name,
                one.lost,
                one.of,
                *(_millionth(v) for v in (one.rate, low, high, upper(one.lost, one.of))),
            ]
        )
    about = (
        "The intervals are exact (Clopper-Pearson). Where nothing was lost there is only a bound: the arrow begins at "
        "it. The dashed line is one in a million."
    )
    shown: list[Markup] = [_figures(run, found)] if plots.there() else [lines([WITHOUT])]
    return section(
        "rates",
        "How much is lost",
        *(shown if found else []),
        table("lost", "Rates", RATES, rows),
        about=about,
    )


def _figures(run: Run, found: Sequence[Rate]) -> Markup:
    described = "; ".join(f"{one.name}: {one.lost:,} of {one.of:,}" for one in found)
    light, dark = plots.rates(found, "lost, in a million (logarithmic)", MILLION, report.CLAIM)
    parts = [figure(light, dark, f"Rates with their intervals: {described}.", "Rates with intervals at 95 %")]
    points = course(run)
    if len(points) >= LEAST:
        last = points[-1]
        light, dark = plots.over(
            points,
            [p.of for p in points],
            "acknowledged writes so far",
            "lost, in a million",
            MILLION,
            report.CLAIM,
        )
        said = f"The interval as the run went on, {len(points)} points; in the end {last.lost:,} of {last.of:,} lost."
        parts.append(figure(light, dark, said, "The same interval of writes, as the run went on"))
    return Markup(f'<div class="figures">{"".join(parts)}</div>')


def course(run: Run, most: int = POINTS) -> list[Rate]:
    """The rate of lost writes after ever more of the run's chunks, in their order; so many points at most."""
    found, lost, of = list[tuple[int, int]](), 0, 0
    for number in sorted(run.chunks):
        lost, of = lost + run.chunks[number].lost, of + run.chunks[number].acknowledged
        if of:
            found.append((lost, of))
    if len(found) > most:
        places = sorted({round((len(found) - 1) ** (i / (most - 1))) - (i == 0) for i in range(most)})
        found = [found[place] for place in places]
    return [rate(NAMES["writes"], *pair) for pair in found]


def _counts(counts: Counts) -> Markup:
    c = counts
    rows: list[list[Cell]] = [
        ["writes", c.writes, "issued between DUAL and CLEANUP"],
        ["acknowledged", c.acknowledged, "of them, by CLEANUP: what every rate is of"],
        ["refused", c.refused, "of them; the client was told"],
        ["failed", c.failed, "of them failed, or timed out"],
        [
            "at risk",
            c.at_risk,
            "of the acknowledged: failed, lost or late on N, or between SEAL and ACTIVATE",
        ],
        ["held", c.held, "waited for the owner to change"],
        ["repaired by the delta pass", c.repaired_by_delta, "documents"],
        ["repaired by anti-entropy", c.repaired_by_anti_entropy, "documents"],
        ["copied", c.copied, "documents"],
        ["lost for good", c.lost_for_good, "acknowledged writes that no replica gives back"],
        ["lost for a while", c.lost - c.lost_for_good, "acknowledged writes that came back"],
        ["lost outside", c.lost_outside, "acknowledged before DUAL, or after CLEANUP began"],
        ["stale reads", c.stale_reads, "answers"],
        ["wrong searches", c.wrong_searches, "answers"],
        ["migrations", c.migrations, f"{c.finished:,} finished, {c.aborted:,} given up, {c.stuck:,} stuck"],
        ["attempts", c.attempts, "of migrations"],
        ["crashes", c.crashes, "of the coordinator"],
    ]
    return section("counts", "What was counted", table("counted", "Counts of the run", COUNTED, rows))


def _first(run: Run, traces: Mapping[str, str], views: Views) -> Markup:
    told = []
    for kind, (migration, document) in run.counts.first.items():
        said = traces.get(kind, "no trace")
        place = "" if said.startswith("no trace") else views.file(said)
        words = f"{Harm[kind].value}: document {document} in migration {migration}"
        told.append(joined([link(place, words), "" if place else f"; {said}"]))
    return section(
        "first", "The first loss of each kind", lines(told), about="Each as a run of the specification."
    )


def _millionth(rate: float) -> float:
    return float(f"{rate * MILLION:.4g}")
