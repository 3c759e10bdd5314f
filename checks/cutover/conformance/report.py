"""What comes of it: a report of what was exercised, or a finding with the schedule that shows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cutproof.checks.cutover.conformance.run import Run

ENOUGH = 0.5  # of what the oracle acknowledges, a system must acknowledge at least this share


@dataclass
class Report:
    """What a system was put through, counted over all runs. `verdict` is "conforms" or "not exercised"."""

    name: str
    runs: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    phases: Counter[str] = field(default_factory=Counter)  # runs in which it was seen
    unsupported: set[str] = field(default_factory=set)
    shown: set[str] = field(default_factory=set)  # what `observe` told of

    def add(self, run: Run) -> None:
        """Count a run."""
        self.runs += 1
        self.counts.update(run.counts)
        self.faults.update(run.injected)
        self.phases.update(run.phases)
        self.shown |= run.shown

    def missing(self) -> list[str]:
        """What would have to happen before anything is shown: a system that refuses everything loses nothing."""
        c, found = self.counts, []
        if not c["acknowledged"] or c["acknowledged"] < ENOUGH * c["the oracle acknowledged"]:
            found.append(
                f"it acknowledged {c['acknowledged']:,} writes; the oracle {c['the oracle acknowledged']:,}"
            )
        if not c["get"]:
            found.append("no read was answered")
        if not c["begun"]:
            found.append("no migration began")
        elif not c["ended"]:
            found.append("no migration ended")
        if not c["acknowledged while moving"]:
            found.append("no write was acknowledged that was issued during a migration")
        if "owner" in self.shown and not c["moved"]:
            found.append("no document changed its owner")
        return found

    @property
    def verdict(self) -> str:
        """The answer in two words; a system that does not conform has no report."""
        return "not exercised" if self.missing() else "conforms"

    def __str__(self) -> str:
        c = self.counts
        answers = ("acknowledged", "failed", "refused", "never answered")
        hidden = [what for what in ("documents", "owner") if what not in self.shown]
        rows = {
            "operations": f"{_list(c, ('put', 'delete', 'get'))}; {c['unavailable']:,} reads had no answer",
            "answers": _list(c, answers),
            "the oracle": f"acknowledged {c['the oracle acknowledged']:,}",
            "migrations": f"begun {c['begun']:,}, ended {c['ended']:,}; "
            f"{c['acknowledged while moving']:,} writes of their time were acknowledged",
            "phases": _list(self.phases, sorted(self.phases)) + " (runs)" if self.phases else "none",
            "faults": _list(self.faults, sorted(self.faults)) or "none",
            "not supported": ", ".join(sorted(self.unsupported)) or "-",
            "not shown": ", ".join(hidden) or "-",
        }
        lines = [f"{self.name}: {self.verdict}, after {self.runs:,} runs"]
        lines += [f"  because {reason}" for reason in self.missing()]
        return "\n".join(lines + [f"  {name:<14} {said}" for name, said in rows.items()])


def _list(counts: Mapping[str, int], names: Sequence[str]) -> str:
    return ", ".join(f"{name} {counts[name]:,}" for name in names)
