"""The checks of the ladder that count what is lost.

8. *scenario*: the seed's nineteen, in both forms; each shows what it must show.
9. *loss*: half a million writes under the default policy lose nothing; configurations that must lose do, at the rate
   that is predicted where one is.

Where a scenario has many writes, a fifth of them are written: the row says so. All are with `--full`, as in
`cutproof scenarios`, and then three million writes are counted.
"""

from __future__ import annotations

import time
from dataclasses import replace

from cutproof.checks.common.binomial import interval, upper
from cutproof.checks.cutover.loss.report import per_million
from cutproof.checks.cutover.loss.runs import INTERRUPTED, Run, run
from cutproof.checks.cutover.loss.sample import NEAR, Setup
from cutproof.checks.cutover.loss.trade_offs import ALONE, SEED, SKIPPED, UNSAFE, failing
from cutproof.checks.engines.verdict import HOLDS, SAFETY
from cutproof.checks.ladder.tasks import Row, Task, Told
from cutproof.model.cutover.mechanisms import Cleanup
from cutproof.model.cutover.policy import Policy, sound_gate

MILLION = 1_000_000
FEW, FEW_FULL = 50_000, 1_000_000
PREDICTED = 0.02  # of the deliveries to N fail, and nothing repairs
BOUNDARY, BOUNDARY_FULL = 1_000, 100_000  # acknowledged writes of runs near the boundary


def _measured(progress: Told | None, setup: Setup, writes: int) -> Run:
    def told(counts: object, share: float) -> None:
        if progress:
            progress(f"{share:.0%} of {writes:,} writes")

    found = run(setup, writes, progress=told)
    if found.partial == INTERRUPTED:
        raise KeyboardInterrupt
    return found


def _row(name: str, found: Run, good: bool, expected: str, detail: str) -> Row:
    c = found.counts
    good, detail = good and not found.partial, found.partial or detail
    lost = bool(
        c.lost_for_good or c.lost_outside or c.stuck or c.unserved or c.stale_reads or c.wrong_searches
    )
    return Row(
        "loss", name, "", "violated" if lost else "holds", HOLDS if good else SAFETY, expected=expected,
        removed=found.setup.without, property="no_lost_write" if lost else "", detail=detail, seconds=found.seconds,
        facts={"migrations": c.migrations, "acknowledged": c.acknowledged, "at_risk": c.at_risk, "lost": c.lost,
               "permanent": c.lost_for_good},
    )  # fmt: skip


def safe_rows(progress: Told | None, name: str, setup: Setup, writes: int) -> list[Row]:
    """A run that must lose nothing, not even for a while."""
    found = _measured(progress, setup, writes)
    c = found.counts
    harmed = sum(c.seen.values()) + c.lost + c.lost_outside
    bound = per_million(upper(c.lost, c.acknowledged))
    detail = f"{c.lost:,} of {c.acknowledged:,} acknowledged writes lost, below {bound} in a million"
    return [_row(name, found, not harmed and c.at_risk > 0, "holds", detail)]


def predicted_rows(progress: Told | None, writes: int) -> list[Row]:
    """The unsafe configuration loses what is predicted, and the gate refuses it."""
    found = _measured(progress, failing(PREDICTED), writes)
    c = found.counts
    low, high = interval(c.lost, c.acknowledged)
    refused = sound_gate(UNSAFE) is not None
    detail = f"{100 * c.lost / max(c.acknowledged, 1):.2f} % lost, {100 * PREDICTED:g} % predicted; the gate refuses it"
    if not refused:
        detail = "the gate accepts it"
    return [_row("nothing repairs", found, low <= PREDICTED <= high and refused, "violated", detail)]


def repaired_rows(progress: Told | None, cleanup: Cleanup, writes: int) -> list[Row]:
    """Anti-entropy alone: lost for good where clean-up does not wait for it, healed where it does."""
    at_once = cleanup is Cleanup.IMMEDIATE
    setup = replace(failing(PREDICTED), policy=replace(SKIPPED, cleanup=cleanup))
    found = _measured(progress, setup, writes)
    c = found.counts
    healed = sum(c.healed.values())
    good = bool(c.lost_for_good) if at_once else healed > 0 and not (c.lost_for_good or c.lost_outside)
    detail = f"{c.lost_for_good:,} lost for good, {healed:,} for a while"
    name = f"anti-entropy alone, clean-up {'at once' if at_once else 'after a clean pass'}"
    return [_row(name, found, good, "violated" if at_once else "holds", detail)]


def outcome_rows(progress: Told | None, number: int, form: str, seed: int, parts: int = 1) -> list[Row]:
    """One scenario in one form, with one in `parts` of its writes; its outcome is among the facts."""
    from cutproof.checks.cutover.scenarios.runner import Form, find, part_of
    from cutproof.checks.cutover.scenarios.runner import run as play

    def told(written: int, of: int) -> None:
        if progress:
            progress(f"{written:,} of {of:,} writes")

    start, scenario = time.perf_counter(), part_of(find(number), parts)
    found = play(scenario, Form(form), seed, told)
    detail = f"{len(found.checks)} checks" + (f", 1 in {parts} of its writes" if parts > 1 else "")
    return [Row(
        "scenario", f"{number} {scenario.name} {form}", "", "holds" if found.passed else "violated",
        HOLDS if found.passed else SAFETY, detail=found.why or detail,
        seconds=time.perf_counter() - start, facts={"outcome": found},
    )]  # fmt: skip


def scenario_rows(progress: Told | None, number: int, parts: int = 1) -> list[Row]:
    """One scenario in both forms, with one in `parts` of its writes."""
    from cutproof.checks.cutover.scenarios.runner import Form, facts

    rows = [row for form in Form for row in outcome_rows(progress, number, form.value, 0, parts)]
    return [replace(row, facts=facts(row.facts["outcome"])) for row in rows]


PARTS = {6: 5, 7: 5, 11: 5}  # a daily run of these has only one in so many of its writes
LARGE = (10,)  # a million writes in one migration
HEAVY = (*LARGE, 6, 7, 11, 19)  # begun first, so that they do not end last


def tasks(full: bool) -> list[Task]:
    """Every task of these checks."""
    few, near = (FEW_FULL, BOUNDARY_FULL) if full else (FEW, BOUNDARY)
    many = 3 * MILLION if full else MILLION // 2
    boundary = Setup(Policy(), rates=NEAR, traffic="boundary", seed=SEED)
    numbers = [n for n in range(1, 20) if full or n not in LARGE]
    return [
        *(
            Task(
                f"scenario {n}",
                scenario_rows,
                (n, 1 if full else PARTS.get(n, 1)),
                heavy=n in HEAVY,
                rung="scenario",
            )
            for n in numbers
        ),
        Task(
            "loss default",
            safe_rows,
            ("the default policy", Setup(ALONE, seed=SEED), many),
            heavy=True,
            rung="loss",
        ),
        Task("loss boundary", safe_rows, ("near the boundary", boundary, near), heavy=True, rung="loss"),
        Task("loss predicted", predicted_rows, (few,), rung="loss"),
        Task("loss at once", repaired_rows, (Cleanup.IMMEDIATE, few), rung="loss"),
        Task("loss clean pass", repaired_rows, (Cleanup.AFTER_CLEAN_PASS, few), rung="loss"),
    ]
