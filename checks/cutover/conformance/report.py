"""What comes of it: a report of what was exercised, phase by phase; whether that is enough to say anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cutproof.checks.cutover.conformance.planning.probe import Probe
from cutproof.checks.cutover.conformance.run import Run
from cutproof.checks.cutover.conformance.steps import WRITES
from cutproof.checks.drivers.adapter import ACKNOWLEDGED

ENOUGH = 0.5  # of what the oracle acknowledges, a system must acknowledge at least this share
CONFORMS, NOT_EXERCISED, CUT_OFF = "conforms", "not exercised", "cut off"


@dataclass
class Report:
    """What a system was put through, counted over all runs. `verdict` is "conforms", "not exercised" or "cut off"."""

    name: str
    probe: Probe
    seed: int = 0
    runs: int = 0
    steps: int = 0
    systematic: int = 0  # runs of the plan that come before the draws
    counts: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    # By (phase, what): what was done between two steps of a phase.
    events: Counter[tuple[str, str]] = field(default_factory=Counter)
    answered: Counter[str] = field(default_factory=Counter)  # operations of a migration that were answered
    parts: Counter[str] = field(default_factory=Counter)
    unsupported: set[str] = field(default_factory=set)
    shown: set[str] = field(default_factory=set)  # what `observe` told of
    stopped: str = ""  # why it ended before its budget

    def add(self, run: Run, part: str) -> None:
        """Count a run."""
        self.runs += 1
        self.steps += len(run.steps)
        self.parts[part] += 1
        self.counts.update(run.counts)
        self.faults.update(run.injected)
        self.events.update(run.events)
        self.answered.update(run.answered)
        self.shown |= run.shown
        self.unsupported |= run.unsupported

    def missing(self) -> list[str]:
        """What would have to happen before anything is shown: a system that refuses everything loses nothing."""
        c, found = self.counts, []
        if not c[ACKNOWLEDGED] or c["acknowledged beside it"] < ENOUGH * c["the oracle acknowledged"]:
            mine, theirs = c["acknowledged beside it"], c["the oracle acknowledged"]
            found.append(f"it acknowledged {mine:,} writes where the oracle acknowledged {theirs:,}")
        if not c["get"]:
            found.append("no read was answered")
        if not c["begun"]:
            found.append("no migration began")
        elif not c["ended"]:
            found.append("no migration ended")
        elif not self.probe.phases and "advance" not in self.unsupported:
            found.append("phase is idle right after begin_migration: nothing can happen in a migration")
        elif self.probe.quiet <= 1 and "advance" not in self.unsupported:
            found.append("a migration is one step: nothing can happen in it")
        elif "advance" in self.unsupported:
            found.append("a migration has no steps (there is no advance): nothing can happen in it")
        elif not sum(count for (_, what), count in self.events.items() if what == ACKNOWLEDGED):
            found.append("no write was acknowledged that was issued during a migration")
        else:
            for what in self.probe.operations:
                if c[what] and not self.answered[what]:
                    how = "answered" if what in ("get", "scan") else "acknowledged"
                    found.append(f"no {what} was {how} that was issued during a migration")
        if "owner" in self.shown and not c["moved"]:
            found.append("no document changed its owner")
        return found + (self._nil() if not found else [])

    def _nil(self) -> list[str]:
        """What never happened in a phase, though the system has it."""
        found = []
        for phase in [p for p in self.probe.phases if p in self.probe.always]:
            nil = [
                what for what in [*self.probe.operations, *self.probe.faults] if not self.events[phase, what]
            ]
            if nil:
                found.append(f"in the phase {phase} there was no {', no '.join(nil)}")
        return found

    @property
    def verdict(self) -> str:
        """The answer; a system that does not conform has no report."""
        return NOT_EXERCISED if self.missing() else CUT_OFF if self.stopped else CONFORMS

    def facts(self) -> dict[str, Any]:
        """The same for machines."""
        phases = {phase: self._phase(phase) for phase in self.probe.phases}
        return {
            "verdict": self.verdict, "system": self.name, "seed": self.seed, "runs": self.runs, "steps": self.steps,
            "systematic": self.systematic, "missing": self.missing(), "counts": dict(sorted(self.counts.items())),
            "phases": phases, "faults": dict(sorted(self.faults.items())), "unsupported": sorted(self.unsupported),
            "stopped": self.stopped,
        }  # fmt: skip

    def _phase(self, phase: str) -> dict[str, int]:
        return {what: count for (at, what), count in sorted(self.events.items()) if at == phase}

    def __str__(self) -> str:
        c, probe = self.counts, self.probe
        answers = (ACKNOWLEDGED, "failed", "refused", "unequal", "never answered")
        hidden = [what for what in ("documents", "owner") if what not in self.shown]
        head = (
            f"{self.name}: {self.verdict}, in {self.runs:,} runs of {self.steps:,} steps (seed {self.seed})"
        )
        lines = [head, *(f"  because {reason}" for reason in self.missing())]
        rows = {
            "runs": _list(self.parts, list(self.parts)) + (f"; {self.stopped}" if self.stopped else ""),
            "operations": _list(c, probe.operations) + f"; {c['unavailable']:,} reads had no answer",
            "answers": _list(c, [a for a in answers if c[a] or a == ACKNOWLEDGED]),
            "the oracle": f"acknowledged {c['the oracle acknowledged']:,} in {c['beside the oracle']:,} runs of the "
            f"same schedules; this system {c['acknowledged beside it']:,}",
            "migrations": f"begun {c['begun']:,}, ended {c['ended']:,}; a quiet one takes {probe.quiet} steps",
            "faults": _list(self.faults, sorted(self.faults)) or "none",
            "not supported": ", ".join(sorted(self.unsupported)) or "-",
            "not shown": ", ".join(hidden) or "-",
        }
        if c["the oracle failed"]:
            rows["the oracle"] += f"; it failed itself in {c['the oracle failed']:,}"
        if c["not decided"]:
            rows["not decided"] = f"{c['not decided']:,} histories were too large for the judge"
        lines += [f"  {name:<14} {said}" for name, said in rows.items()]
        return "\n".join([*lines, *self._table()])

    def _table(self) -> list[str]:
        """What happened between two steps of each phase."""
        if not self.probe.phases:
            return []
        writes = [what for what in self.probe.operations if what in WRITES]
        reads = [what for what in self.probe.operations if what not in WRITES]
        columns = [*writes, ACKNOWLEDGED, *reads, "faults"]
        rows = [["between two steps of", *columns]]
        for phase in self.probe.phases:
            counts = self._phase(phase)
            faults = sum(counts.get(fault, 0) for fault in self.probe.faults)
            rows.append([f"  {phase}", *(f"{counts.get(c, 0):,}" for c in columns[:-1]), f"{faults:,}"])
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        padded = [[row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])] for row in rows]
        return ["  " + "  ".join(row) for row in padded]


def _list(counts: Mapping[str, int], names: Sequence[str]) -> str:
    return ", ".join(f"{name} {counts[name]:,}" for name in names)
