"""The report on the chaos scenarios as markdown: figures from outcomes, and nothing that differs from run to run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from cutproof.checks.cutover.scenarios.outcome import Outcome
from cutproof.checks.cutover.scenarios.scenarios import Form, Scenario, find

HEAD = (
    "#", "scenario", "form", "anti-entropy / delta", "writes", "acknowledged", "deliveries failed on N",
    "repaired by delta", "by anti-entropy", "lost (permanent)", "the seed claims", "verdict",
)  # fmt: skip
NUMBERS = (0, 4, 5, 6, 7, 8, 9)  # columns of it that are set to the right

# What a reader needs beside the figures. Braces name fields of the outcome's facts.
WORDS = {
    2: "What a delta pass would have repaired stays behind. Where clean-up waits for a clean pass it heals before the "
    "source is deleted, and until then clients read it as missing; at once, with one replica, it is gone; with another "
    "replica that has applied it a later pass finds it there. The sound gate refuses all three: it does not rest on a "
    "pass that may come.",
    4: "Refused before anything is recorded: no node joins, no epoch rises, no fence moves.",
    5: "Of {issued:,} writes {held:,} came while their shard was sealed and waited; {refused:,} were refused, by a "
    "fence or because the client gave up. None was acknowledged and lost. Some were issued in every phase of every "
    "shard.",
    8: "Each pair of switches with both gates, the warning, and what a migration loses with the gate bypassed (one "
    "replica, clean-up at once where the delta is skipped). The seed's gate asks whether anti-entropy is on, not "
    "whether it will have repaired before the source is deleted.",
    10: "With {lost:,} lost of {judged:,} documents written while the shard moved, the exact one-sided 95 % upper "
    "bound of the rate is {millionth:.2f} per million: 0 of 1M does not show a rate below 1 per million. And it is "
    "one migration under one schedule: a bound on documents, not on migrations.",
    11: "{deliveries_failed:,} deliveries failed and {lost:,} documents are lost, all of them for good; which ones "
    "follows from the run's own record of failed deliveries, without the audit. What a client overwrites later is not "
    "lost: with updates and deletes among the writes there are fewer.",
    15: "Half of what was sent to N while it was cut off failed in the end, half arrived late.",
    16: "The stuck write, where it was stuck and when it landed; each row is a run of its own. A drain that has no "
    "time left aborts, one that has waits, and what lands late is applied where it may be, or refused.",
    17: "The seed's test loses 20 here, one for each delivery that failed.",
    18: "Deliveries fail by the shard that they belong to, not by the position of the write.",
    19: "The coordinators of all shards crash right after one of their turns, one run for each turn; the phases are "
    "those in which a shard was.",
}
BOTH = frozenset({2, 8, 16, 19})  # their sub-runs are told in both forms


def chaos_report(outcomes: Iterable[Outcome]) -> str:
    """The table of all outcomes, then a paragraph for each scenario that needs words."""
    found = sorted(outcomes, key=lambda o: (o.number, list(Form).index(o.form)))
    parts = [table(HEAD, [_row(o) for o in found], NUMBERS)]
    for number in sorted({o.number for o in found}):
        mine = [o for o in found if o.number == number]
        if number in WORDS or any(not o.passed for o in mine):
            parts.append(_section(mine))
    return "\n\n".join(parts) + "\n"


def _row(outcome: Outcome) -> list[str]:
    scenario, figures = find(outcome.number), outcome.figures
    counts = (
        figures.issued, figures.acknowledged, figures.deliveries_failed, figures.repaired_by_delta,
        figures.repaired_by_anti_entropy,
    )  # fmt: skip
    lost = f"{figures.lost:,} ({figures.permanent:,})" if figures.lost else "0"
    return [
        str(outcome.number), f"`{outcome.scenario}`", outcome.form.value, _switches(scenario),
        *(f"{count:,}" for count in counts), lost, scenario.claim, "as it must" if outcome.passed else "**fails**",
    ]  # fmt: skip


def _switches(scenario: Scenario) -> str:
    return "all pairs" if scenario.number == 8 else scenario.switches


def _section(mine: Sequence[Outcome]) -> str:
    scenario = find(mine[0].number)
    parts = [f"### {scenario.number}. {scenario.name}"]
    parts.append(f"Must show: {scenario.shows}.")
    words = WORDS.get(scenario.number, "")
    filled = {o.form: words.format(**_values(o)) for o in mine}
    if len(set(filled.values())) == 1:
        parts += [text for text in [next(iter(filled.values()))] if text]
    else:
        parts += [f"*{form.value}*: {text}" for form, text in filled.items()]
    for outcome in mine:
        if outcome.rows and (outcome.number in BOTH or outcome is mine[0]):
            parts.append(f"*{outcome.form.value}*:")
            parts.append(_rows(outcome.rows))
        parts += [f"**{outcome.form.value} fails**: {outcome.why}"] if not outcome.passed else []
    return "\n\n".join(parts)


def _values(outcome: Outcome) -> dict[str, Any]:
    figures = outcome.figures
    names = ("issued", "held", "refused", "lost", "judged", "deliveries_failed", "runs")
    return {**{n: getattr(figures, n) for n in names}, "millionth": 1e6 * (outcome.bound or 0.0)}


def _rows(rows: Sequence[dict[str, Any]]) -> str:
    head = list(rows[0])
    right = [i for i, name in enumerate(head) if isinstance(rows[0][name], int)]
    return table(head, [[_cell(row[name]) for name in head] for row in rows], right)


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value) or "-"


def table(head: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> str:
    """A markdown table; the columns in `right` are set to the right."""
    rule = ["---:" if i in right else "---" for i in range(len(head))]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, rule, *rows))
