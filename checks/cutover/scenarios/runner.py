"""Runs the seed's nineteen chaos scenarios against the reference implementation, which does the whole migration itself.

    from cutproof.checks.cutover.scenarios.runner import find, run, Form
    outcome = run(find("boundary_burst"), Form.MIXED, seed=7)
    outcome.passed, outcome.why

The copy, the drain, the delta, activation and the deletion of the source are the cluster's; only clients, failures and
the pace come from here. Losses are counted where clients read, after the source is deleted.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from math import sqrt

from cutproof.checks.common.binomial import upper
from cutproof.checks.cutover.scenarios.checks import COPYING, plain
from cutproof.checks.cutover.scenarios.outcome import Check, Figures, Outcome, facts, line
from cutproof.checks.cutover.scenarios.report import chaos_report
from cutproof.checks.cutover.scenarios.run import Progress, Run
from cutproof.checks.cutover.scenarios.scenarios import SCENARIOS, Form, Scenario, When, find, part_of
from cutproof.checks.cutover.scenarios.special import blocked, gates, unsafe, without_delta
from cutproof.checks.cutover.scenarios.stuck import crashed, stuck

__all__ = [
    "SCENARIOS", "Check", "Figures", "Form", "Outcome", "Scenario", "chaos_report", "facts", "find", "line", "part_of",
    "run",
]  # fmt: skip

DEVIATIONS = 4  # standard deviations that a realized rate may be off
MANY = 100_000  # writes that leave so much behind that it is collected at once

Runner = Callable[[Scenario, Form, int, Progress | None, tuple[str, ...]], Outcome]
SPECIAL: dict[int, Runner] = {
    2: without_delta, 4: blocked, 8: gates, 11: unsafe, 16: stuck, 19: crashed,
}  # fmt: skip


def run(
    scenario: Scenario,
    form: Form,
    seed: int = 0,
    progress: Progress | None = None,
    *,
    without: Iterable[str] = (),
) -> Outcome:
    """Run a scenario in one form. `progress` is told (writes issued, of how many) now and then; `without` switches
    safeguards off by name. The same arguments give an equal outcome. Raises UnsafeCutover where the scenario's gate
    refuses what it should accept, ValueError for an unknown safeguard."""
    removed = tuple(without)
    with _uncollected(scenario.writes):
        runner = SPECIAL.get(scenario.number)
        if runner is not None:
            found = runner(scenario, form, seed, progress, removed)
        else:
            done, _, found = plain(scenario, form, seed, progress, removed)
            found = replace(found, checks=(*found.checks, *_extra(done)))
    figures = found.figures
    if figures.runs == figures.finished == 1 and figures.judged >= figures.lost:
        found = replace(found, bound=upper(figures.lost, figures.judged))
    return found


@contextmanager
def _uncollected(writes: int) -> Iterator[None]:
    """Everything that is made lives as long as the run: the cyclic collector would look at all of it again and again,
    which takes a sixth of the time of 100,000 writes."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
        if writes >= MANY:
            gc.collect()


# ------------------------------------------------------------------ what only one scenario must show


def _extra(run: Run) -> list[Check]:
    return EXTRA[run.scenario.number](run) if run.scenario.number in EXTRA else []


def _waited(run: Run) -> list[Check]:
    """5: what was written while sealed waited, and went on after activation or was given up by its client."""
    ledger = run.traffic.ledger
    counts = run.cluster.costs
    transitions = next(t for t in run.told if t.burst.when is When.TRANSITIONS)
    due = run.scenario.shards * (len(COPYING) + 4 + 3 + 1)  # into each phase, and into COMPLETE
    return [
        Check("some wait, some give up", ledger.held > counts.refused > 0, f"{counts.refused} gave up"),
        Check("one write at each transition", transitions.issued == due, f"{transitions.issued} of {due}"),
    ]


def _two_owners(run: Run) -> list[Check]:
    """13, 14: three nodes, two of which own the shards before."""
    owners = sorted({source for m in run.migrations for source in m.moves.values()})
    return [Check("two old nodes own the shards", len(owners) == 2, f"{', '.join(owners)} do")]


def _cut_off(run: Run) -> list[Check]:
    """15: the partition was one."""
    return [Check("nothing reaches N while it is cut off", not run.reached_while_cut, "something did")]


def _side_by_side(run: Run) -> list[Check]:
    """17: two migrations at once."""
    moves = [sorted(m.moves) for m in run.migrations]
    copying = {shard for told in run.told for shard, phase in told.by_shard if phase in COPYING}
    apart = len(moves) == 2 and not set(moves[0]) & set(moves[1])
    both = apart and copying >= {*moves[0], *moves[1]}
    return [Check("both migrations live while clients write", both, f"{moves}, written to {sorted(copying)}")]


def _by_shard(run: Run) -> list[Check]:
    """18: the rates are those of the shards, really."""
    (told,) = (t for t in run.told if t.burst.rates)
    checks, realized = [], []
    for shard, rate in enumerate(told.burst.rates):
        sent, failed = told.delivered[shard], told.failed[shard]
        off = DEVIATIONS * sqrt(sent * rate * (1 - rate))
        found = f"{failed} of {sent}"
        checks.append(Check(f"shard {shard}: {rate:.0%} fail", abs(failed - sent * rate) <= off, found))
        realized.append(failed / max(sent, 1))
    first, second, third, none = realized
    apart = first > third > second >= none == 0
    checks.append(Check("the shards differ", apart and second > 0, ", ".join(f"{r:.2%}" for r in realized)))
    return checks


EXTRA: dict[int, Callable[[Run], list[Check]]] = {
    5: _waited, 13: _two_owners, 14: _two_owners, 15: _cut_off, 17: _side_by_side, 18: _by_shard,
}  # fmt: skip
