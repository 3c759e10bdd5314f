"""What became of a scenario: figures, checks, and how they are said in a line and in facts for machines."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, NamedTuple

from cutproof.checks.cutover.scenarios.scenarios import Form, Scenario


class Check(NamedTuple):
    """What was asserted, whether it holds, and what was found if it does not."""

    text: str
    holds: bool
    why: str = ""


@dataclass(frozen=True)
class Figures:
    """Counts of one run, or of several together. Documents are lost as clients read them once all is over.

    `judged` are the documents whose last acknowledged operation was issued while a migration lived; `diverged` those
    that the owner did not serve as acknowledged right after activation, where the delta is skipped."""

    runs: int = 0
    issued: int = 0
    acknowledged: int = 0
    refused: int = 0
    failed: int = 0
    held: int = 0
    copied: int = 0
    repaired_by_delta: int = 0
    repaired_by_anti_entropy: int = 0
    LAW: int = 0
    LU: int = 0
    RD: int = 0
    permanent: int = 0
    healed: int = 0
    diverged: int = 0
    judged: int = 0
    passes: int = 0  # of anti-entropy, while a migration lived
    finished: int = 0  # migrations
    aborted: int = 0  # shards whose migration was given up
    deliveries_failed: int = 0  # of client writes to N

    @property
    def lost(self) -> int:
        """Documents lost, of whatever kind."""
        return self.LAW + self.LU + self.RD

    def __add__(self, other: Figures) -> Figures:
        return Figures(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


@dataclass(frozen=True)
class Outcome:
    """What a scenario showed in one form. `rows` has one entry a sub-run, where there are several; `phases` are the
    phases in which writes were issued, with their numbers; `bound` is the exact one-sided 95 % upper bound of the rate
    of loss, where the scenario states a rate."""

    number: int
    scenario: str
    form: Form
    seed: int
    figures: Figures
    source_deleted: bool
    phases: dict[str, int]
    checks: tuple[Check, ...]
    rows: tuple[dict[str, Any], ...] = ()
    bound: float | None = None

    @property
    def failures(self) -> tuple[Check, ...]:
        """The checks that do not hold."""
        return tuple(c for c in self.checks if not c.holds)

    @property
    def passed(self) -> bool:
        """There were checks, and all of them hold."""
        return bool(self.checks) and not self.failures

    @property
    def why(self) -> str:
        """What does not hold, in words; empty if all does."""
        return "; ".join(f"{c.text}: {c.why}" if c.why else c.text for c in self.failures)


def merged(
    scenario: Scenario,
    form: Form,
    seed: int,
    parts: list[Outcome],
    checks: list[Check],
    rows: list[dict[str, Any]],
) -> Outcome:
    """Several runs as one outcome: figures are added up, and each check has to hold in each run that made it."""
    by_text: dict[str, list[Check]] = {}
    phases: dict[str, int] = {}
    for part in parts:
        for check in part.checks:
            by_text.setdefault(check.text, []).append(check)
        for phase, count in part.phases.items():
            phases[phase] = phases.get(phase, 0) + count
    together = [
        Check(text, all(c.holds for c in made), next((c.why for c in made if not c.holds), ""))
        for text, made in by_text.items()
    ]
    return Outcome(
        scenario.number,
        scenario.name,
        form,
        seed,
        sum((p.figures for p in parts), Figures()),
        bool(parts) and all(p.source_deleted for p in parts),
        phases,
        (*together, *checks),
        tuple(rows),
    )


def line(outcome: Outcome) -> str:
    """One outcome as a line."""
    f = outcome.figures
    said = "passed" if outcome.passed else "FAILED"
    lost = f"{f.lost:,} lost ({f.permanent:,} permanent)" if f.lost else "0 lost"
    healed = f", {f.healed:,} healed" if f.healed else ""
    ends = f"; {outcome.why}" if not outcome.passed else ""
    return (
        f"{outcome.number:2} {outcome.scenario:27} {outcome.form.value:5} {said}  {f.issued:9,} written "
        f"{f.acknowledged:9,} acknowledged {f.deliveries_failed:6,} deliveries failed  {lost}{healed}{ends}"
    )


def facts(outcome: Outcome) -> dict[str, Any]:
    """Everything of an outcome, in values that JSON can hold."""
    found = asdict(outcome)
    found.update(found.pop("figures"))
    found["form"] = outcome.form.value
    found["checks"] = [c._asdict() for c in outcome.checks]
    found["rows"] = list(found["rows"])
    return {**found, "lost": outcome.figures.lost, "passed": outcome.passed, "why": outcome.why}
