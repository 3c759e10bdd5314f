"""What each policy costs and what it loses, measured: the figures of docs/trade-offs.md and docs/chaos-report.md.

    python -m cutproof.checks.cutover.loss.trade_offs          # measure anew and write them; some minutes on two cores
    python -m cutproof.checks.cutover.loss.trade_offs --check  # exit 1 if anything would change

Generated parts stand between two comments; everything else in these files is left alone.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from cutproof.checks.common.binomial import CONFIDENCE, interval, upper
from cutproof.checks.common.svg_plot import Point, Series, plot
from cutproof.checks.common.workers import ENDED, WorkerEnded, exit_code_of
from cutproof.checks.cutover.evidence import replaced
from cutproof.checks.cutover.loss.report import CLAIM, per_million
from cutproof.checks.cutover.loss.runs import INTERRUPTED, Run, run_in_processes
from cutproof.checks.cutover.loss.sample import CALM, PUTS, Setup
from cutproof.model.cutover.mechanisms import Acknowledge, AntiEntropy, Cleanup, ReplicaAck, WritesWhileSealed
from cutproof.model.cutover.policy import Policy, sound_gate
from cutproof.model.cutover.safeguards import AS_WRITTEN, HARDENED

if TYPE_CHECKING:
    from cutproof.checks.cutover.scenarios.outcome import Outcome

SEED = 7
MANY, SOME = (
    3_000_000,
    200_000,
)  # acknowledged writes: of a policy that should lose nothing, of one that loses
TRADE_OFFS, PLOT, CHAOS = Path("docs/trade-offs.md"), Path("docs/loss-rate.svg"), Path("docs/chaos-report.md")

ALONE = Policy(replicas=False)
SKIPPED = replace(ALONE, skip_delta_pass=True)
UNSAFE = replace(SKIPPED, anti_entropy=AntiEntropy.OFF, cleanup=Cleanup.IMMEDIATE)


@dataclass(frozen=True)
class Case:
    """A line of the table: a policy in words, and how much of it is measured."""

    name: str
    policy: Policy
    writes: int = SOME
    without: tuple[str, ...] = ()

    def setup(self) -> Setup:
        """Mixed traffic, at the default rates, whatever a gate says."""
        return Setup(self.policy, self.without, None, seed=SEED)


CASES = (
    Case("delta pass, anti-entropy repairs", ALONE, MANY),
    Case("delta pass, no anti-entropy", replace(ALONE, anti_entropy=AntiEntropy.OFF), MANY),
    Case("delta pass, anti-entropy repairs, a second replica group", Policy(), SOME),
    Case("no delta pass, clean-up after a clean pass", replace(SKIPPED, cleanup=Cleanup.AFTER_CLEAN_PASS)),
    Case(
        "no delta pass, anti-entropy repairs, clean-up at once", replace(SKIPPED, cleanup=Cleanup.IMMEDIATE)
    ),
    Case(
        "no delta pass, anti-entropy only alerts, clean-up at once",
        replace(SKIPPED, cleanup=Cleanup.IMMEDIATE, anti_entropy=AntiEntropy.ALERT),
    ),
    Case("no delta pass, no anti-entropy, clean-up at once", UNSAFE),
    Case(
        "no delta pass, every dual write acknowledged by both", replace(UNSAFE, acknowledge=Acknowledge.ALL)
    ),
    Case("acknowledged by any node", replace(ALONE, acknowledge=Acknowledge.ANY)),
    Case("writes go to the source while sealed", replace(ALONE, cutover_writes=WritesWhileSealed.SOURCE)),
    Case("writes go to both while sealed", replace(ALONE, cutover_writes=WritesWhileSealed.BOTH)),
    Case("another replica's acknowledgement suffices", Policy(replica_ack=ReplicaAck.COUNTS)),
    Case("the design that we began with", ALONE, SOME, tuple(sorted(HARDENED - AS_WRITTEN))),
)

FAILURES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1)


def failing(rate: float, traffic: str = "seed", seed: int = SEED) -> Setup:
    """The unsafe configuration with nothing wrong but this rate of failed deliveries to N."""
    return Setup(UNSAFE, (), None, replace(CALM, failures=rate), PUTS, seed=seed, traffic=traffic)


Measure = Callable[[Setup, int], Run]


def in_processes(setup: Setup, writes: int) -> Run:
    """Measure on two cores. Raises WorkerEnded where a worker is ended, KeyboardInterrupt: a part of a run is no
    measurement."""
    found = run_in_processes(setup, writes, 2)
    if found.partial == INTERRUPTED:
        raise KeyboardInterrupt
    if found.partial == ENDED:
        raise WorkerEnded(ENDED)
    return found


# ------------------------------------------------------------------ the table of policies


def policies_part(measure: Measure, cases: tuple[Case, ...] = CASES) -> str:
    """Every policy with what it loses and what it costs."""
    lines = [
        "| policy | the gate | writes acknowledged | at risk | lost | for good | rate (95 %) | bound, in a million | "
        "writes that waited | repaired by the delta pass | verdict |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for case in cases:
        lines.append(_policy_row(case, measure(case.setup(), case.writes)))
        print(lines[-1], file=sys.stderr, flush=True)
    return "\n".join(lines)


def _policy_row(case: Case, run: Run) -> str:
    c = run.counts
    low, high = interval(c.lost, c.acknowledged)
    gate = "accepts" if sound_gate(case.policy) is None and not case.without else "refuses"
    if case.without:
        gate = "is not asked"
    cells = (
        case.name,
        gate,
        f"{c.acknowledged:,}",
        f"{c.at_risk:,}",
        f"{c.lost:,}",
        f"{c.lost_for_good + c.lost_outside:,}",
        f"{_percent(c.lost / c.acknowledged)} ({_percent(low)} to {_percent(high)})" if c.lost else "0",
        per_million(upper(c.lost, c.acknowledged)),
        _percent(c.held / c.writes),
        f"{c.repaired_by_delta:,}",
        _verdict(run),
    )
    return "| " + " | ".join(cells) + " |"


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def _verdict(run: Run) -> str:
    c = run.counts
    if c.lost_for_good or c.lost_outside:
        return "loses for good"
    if c.lost:
        return "lost for a while, all healed"
    if upper(c.lost, c.acknowledged) < CLAIM:
        return "fewer than 1 in 1M"
    return "nothing lost; too few writes for 1 in 1M"


# ------------------------------------------------------------------ the unsafe configuration


def failures_part(runs: list[tuple[float, Run]]) -> str:
    """The predicted loss rate beside the measured one."""
    lines = [
        "| deliveries to N that fail | predicted loss | writes acknowledged | lost | measured | 95 % interval "
        "| within |",
        "|---|---|---|---|---|---|---|",
    ]
    for rate, run in runs:
        c = run.counts
        low, high = interval(c.lost, c.acknowledged)
        lines.append(
            f"| {_percent(rate)} | {_percent(rate)} | {c.acknowledged:,} | {c.lost:,} "
            f"| {_percent(c.lost / c.acknowledged)} | {_percent(low)} to {_percent(high)} "
            f"| {'yes' if low <= rate <= high else 'no'} |"
        )
    return "\n".join(lines)


def failures_plot(seed: list[tuple[float, Run]], mixed: list[tuple[float, Run]]) -> str:
    """The same as a plot, with mixed traffic beside it."""

    def series(name: str, colour: str, runs: list[tuple[float, Run]]) -> Series:
        points = []
        for rate, run in runs:
            c = run.counts
            low, high = interval(c.lost, c.acknowledged, CONFIDENCE)
            if low > 0:
                points.append(Point(rate, c.lost / c.acknowledged, low, high))
        return Series(name, colour, points)

    both = [
        series("written after the copy, as in the seed's runs", "#c0392b", seed),
        series("written all the while: the copy repairs some", "#2471a3", mixed),
    ]
    return plot(
        "Unsafe: no delta pass, no anti-entropy", "deliveries to the new node that fail",
        "acknowledged writes that are lost", both, "loss rate = failure rate", [(r, r) for r, _ in seed],
    )  # fmt: skip


# ------------------------------------------------------------------ documents


def every_outcome(workers: int = 2) -> list[Outcome]:
    """All nineteen scenarios in both forms, in their order. Raises WorkerEnded where a worker is ended."""
    from cutproof.checks.cutover.scenarios.runner import SCENARIOS, Form
    from cutproof.checks.ladder.loss import LARGE, outcome_rows
    from cutproof.checks.ladder.tasks import ENDED as ROW_OF_ENDED
    from cutproof.checks.ladder.tasks import Ladder, Task

    tasks = [
        Task(f"{s.number} {form.value}", outcome_rows, (s.number, form.value, 0), heavy=s.number in LARGE)
        for s in SCENARIOS
        for form in Form
    ]
    rows = Ladder(tasks, workers).run()
    if any(row.check == ROW_OF_ENDED for row in rows):
        raise WorkerEnded(ENDED)
    return [row.facts["outcome"] for row in rows]


def generated(measure: Measure) -> dict[Path, dict[str, str]]:
    """Every generated part by its file and name; a plot is a file of its own, with the name ""."""
    from cutproof.checks.cutover.scenarios.runner import chaos_report
    from cutproof.checks.cutover.scenarios.without import all_noticed, without_part

    # A seed for each rate: with the same one for all, one unlucky draw would show in every line.
    seed = [(rate, measure(failing(rate, seed=n), SOME)) for n, rate in enumerate(FAILURES, 1)]
    mixed = [(rate, measure(failing(rate, "mixed", n), SOME)) for n, rate in enumerate(FAILURES, 1)]
    return {
        TRADE_OFFS: {"failures": failures_part(seed), "policies": policies_part(measure)},
        PLOT: {"": failures_plot(seed, mixed)},
        CHAOS: {"scenarios": chaos_report(every_outcome()), "without": without_part(all_noticed())},
    }


def main(arguments: list[str]) -> int:
    """Exit code 1 if anything has changed, 2 for wrong usage."""
    if arguments not in ([], ["--check"]):
        print("usage: python -m cutproof.checks.cutover.loss.trade_offs [--check]", file=sys.stderr)
        return 2
    if not TRADE_OFFS.is_file() or not CHAOS.is_file():
        print("docs/ is not here; run this from the root of a checkout", file=sys.stderr)
        return 2
    changed = []
    for file, parts in generated(in_processes).items():
        before = text = file.read_text(encoding="utf-8") if file.exists() else ""
        for name, part in parts.items():
            text = replaced(text, name, part) if name else part
        if text != before:
            changed.append(str(file))
            if not arguments:
                file.write_text(text, encoding="utf-8")
    print("\n".join(changed) or "nothing changed")
    return int(bool(arguments) and bool(changed))


if __name__ == "__main__":
    sys.exit(exit_code_of(main))
