"""What is looked at when a run of a scenario is over, and what is asserted of it: where clients read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cutproof.checks.cutover.scenarios.outcome import Check, Figures, Outcome
from cutproof.checks.cutover.scenarios.pace import MOVED, SEALED
from cutproof.checks.cutover.scenarios.run import Progress, Run
from cutproof.checks.cutover.scenarios.scenarios import Form, Scenario, When
from cutproof.checks.cutover.scenarios.traffic import Told
from cutproof.impl import Audit, Status, Stuck, Unavailable
from cutproof.impl.record import Phase
from cutproof.model.cutover.mechanisms import AntiEntropy

COPYING = frozenset({Phase.DUAL, Phase.COPY})
WHILE_SEALED = frozenset(Phase[g.name] for g in SEALED)
WHILE_MOVED = frozenset(Phase[g.name] for g in MOVED)
ALL = COPYING | WHILE_SEALED | WHILE_MOVED
# In which phases of its shard a write of a burst may be issued, and in which some have to be.
MAY = {
    When.COPYING: COPYING,
    When.CUT_OFF: frozenset({Phase.COPY}),
    When.COPY_ENDS: frozenset({Phase.COPY}),
    When.COPIED: frozenset({Phase.COPY}),
    When.SEALING: frozenset({Phase.SEAL}),
    When.DRAINING: WHILE_SEALED,
    When.ACTIVATED: WHILE_MOVED,
    When.AFTER_CRASH: ALL | {Phase.COMPLETE},
    When.TRANSITIONS: ALL | {Phase.COMPLETE},
    When.THROUGHOUT: ALL | {Phase.COMPLETE},
}
MUST = {
    **MAY,
    When.COPYING: frozenset({Phase.COPY}),  # the first of them also before the copy starts
    When.ACTIVATED: frozenset({Phase.GRACE, Phase.CLEANUP}),
    When.AFTER_CRASH: frozenset(),
    When.TRANSITIONS: ALL,
    When.THROUGHOUT: ALL,
}


@dataclass(frozen=True)
class Seen:
    """What clients read at the end: how each document that is not as promised is lost, and what is told of it.

    `search` are the documents that a search shows otherwise than a get, or that were never there."""

    lost: dict[str, str]
    search: tuple[str, ...]
    audit: Audit
    deleted: bool

    @property
    def kinds(self) -> Counter[str]:
        """How many are lost, by kind."""
        return Counter(self.lost.values())


def look(run: Run) -> Seen:
    """Read every document that anything was written of, search all of them, and ask for the audit."""
    cluster, ledger = run.cluster, run.traffic.ledger
    try:
        found: dict[str, dict[str, Any]] | None = cluster.search()
    except Unavailable:
        found = None
    lost: dict[str, str] = {}
    other: list[str] = []
    keys = dict.fromkeys(ledger.keys)
    for key in keys:
        read = run.read(key)
        if kind := ledger.judge(key, read):
            lost[key] = kind
        if found is None or (found.pop(key, {}).get("n") != read):
            other.append(key)
    return Seen(lost, (*other, *(found or ())), cluster.audit(), _is_deleted(run))


def _is_deleted(run: Run) -> bool:
    """On the sources of all migrations nothing is left of the shards that moved."""
    nodes = run.cluster.nodes
    return bool(run.migrations) and all(
        not nodes[source].replicas[m.group, number].documents
        for m in run.migrations
        for number, source in m.moves.items()
    )


def figures_of(run: Run, seen: Seen) -> Figures:
    """The run in figures."""
    ledger, costs, kinds = run.traffic.ledger, run.cluster.costs, seen.kinds
    counts = ledger.counts
    return Figures(
        runs=1,
        issued=len(ledger.keys),
        acknowledged=counts[Status.ACKNOWLEDGED],
        refused=counts[Status.REFUSED],
        failed=counts[Status.FAILED] + counts[Status.TIMED_OUT],
        held=ledger.held,
        copied=costs.documents_copied,
        repaired_by_delta=costs.documents_repaired_by_delta,
        repaired_by_anti_entropy=costs.documents_repaired_by_anti_entropy,
        LAW=kinds["LAW"],
        LU=kinds["LU"],
        RD=kinds["RD"],
        permanent=sum(e.permanent for e in seen.audit.lost),
        healed=sum(ledger.last.get(k) == n and k not in seen.lost for k, n in run.behind.items()),
        diverged=run.diverged.total(),
        judged=sum(number >= run.scenario.before for number in ledger.last.values()),
        passes=run.passes,
        finished=sum(m.complete for m in run.migrations),
        aborted=costs.migrations_aborted,
        deliveries_failed=len(run.traffic.deliveries.missed),
    )


# ------------------------------------------------------------------ checks


def told_apart(seen: Seen) -> list[Check]:
    """Clients and audit agree."""
    audit = {e.key: e.kind for e in seen.audit.lost}
    apart = sorted(seen.lost.items() ^ audit.items())
    return [
        Check("a search shows what gets show", not seen.search, f"not of {_some(seen.search)}"),
        Check("the audit finds lost what clients find lost", not apart, f"not of {_some(apart)}"),
    ]


def nothing_lost(seen: Seen, figures: Figures) -> list[Check]:
    """0 lost, and no client was shown anything old meanwhile."""
    audit = seen.audit
    shown = audit.stale_reads + audit.wrong_searches
    some = _some(sorted(seen.lost))
    found = f"{len(seen.lost):,} are: {dict(seen.kinds)}, {some}"
    return [
        Check("no acknowledged write is lost", not seen.lost and figures.acknowledged > 0, found),
        Check("clients are served again", not audit.unserved, "; ".join(map(str, audit.unserved))),
        Check("no read was stale", shown == 0, f"{shown} were"),
    ]


def moved(run: Run, seen: Seen) -> list[Check]:
    """The migrations came to their end, and the sources are empty."""
    phases = ", ".join(sorted({s.record.phase.value for s in run.shards}))
    complete = bool(run.migrations) and all(m.complete for m in run.migrations)
    return [
        Check("every migration is complete", complete, f"shards are in {phases or 'none'}"),
        Check("the source is deleted", complete and seen.deleted, "documents are left on it"),
    ]


def written(run: Run, figures: Figures) -> list[Check]:
    """Every burst was written when it should be, its deliveries failed as they should, every client has its answer."""
    known, audit = figures.acknowledged + figures.refused + figures.failed, run.cluster.costs.acknowledged
    checks = [
        Check(
            "every client has its answer",
            figures.issued == known and figures.acknowledged == audit,
            f"{known:,} of {figures.issued:,} have, {audit:,} of the acknowledgements are the cluster's",
        )
    ]
    for told in run.told:
        checks.append(_fell(run, told))
        if told.burst.every:
            failed, due = told.failed.total(), told.issued // told.burst.every
            checks.append(
                Check(f"{told.burst}: that many did fail", failed == due, f"{failed} did, not {due}")
            )
    sealed = sum(t.phases[p] for t in run.told for p in WHILE_SEALED)
    checks.append(
        Check("what was written while sealed waited", figures.held == sealed, f"{figures.held} of {sealed}")
    )
    return checks


def _fell(run: Run, told: Told) -> Check:
    burst, phases = told.burst, frozenset(told.phases)
    due = burst.count * (run.scenario.shards if burst.when is When.COPY_ENDS else 1)
    first = next((t for t in run.told if t.burst.when is When.COPYING), None)
    must = MUST[burst.when] | (COPYING if told is first else frozenset())
    along = burst.when in (When.TRANSITIONS, When.THROUGHOUT)
    holds = must <= phases <= MAY[burst.when] and (along or told.issued == due)
    if burst.when is When.TRANSITIONS:
        holds = holds and all((s.number, p) in told.by_shard for s in run.shards for p in ALL)
    where = ", ".join(f"{n} in {p.value}" for p, n in told.phases.items())
    return Check(f"{burst}: written then", holds, where or "none was written")


def repaired(run: Run, figures: Figures) -> list[Check]:
    """The delta did what there was to do, and anti-entropy did look, where they are on."""
    scenario, done = run.scenario, figures.repaired_by_delta
    checks = [
        Check("the delta repaired exactly what N lacked", done == run.lacking, f"{done} of {run.lacking}")
    ]
    if scenario.anti_entropy is AntiEntropy.OFF or scenario.number == 1:
        checks.append(Check("the delta repaired something", done > 0, "it did not"))
    if scenario.anti_entropy is not AntiEntropy.OFF:
        checks.append(
            Check("anti-entropy made a pass while the migration lived", figures.passes > 0, "it did not")
        )
    return checks


def _some(names: Sequence[object]) -> str:
    more = f" and {len(names) - 3:,} more" if len(names) > 3 else ""
    return ", ".join(map(str, names[:3])) + more


# ------------------------------------------------------------------ a whole run


def played(run: Run) -> Check:
    """Let a run come to its end; whether it did."""
    text = "the run comes to its end"
    try:
        run.play()
    except Stuck as stuck:
        return Check(text, False, str(stuck))
    return Check(text, True)


def outcome_of(
    run: Run, seen: Seen, checks: list[Check], rows: list[dict[str, Any]] | None = None
) -> Outcome:
    """The outcome of one run, with these checks."""
    scenario = run.scenario
    phases: Counter[str] = Counter()
    for told in run.told:
        phases.update({p.value: n for p, n in told.phases.items()})
    return Outcome(
        scenario.number,
        scenario.name,
        run.form,
        run.seed,
        figures_of(run, seen),
        seen.deleted,
        {p.value: phases[p.value] for p in Phase if phases[p.value]},
        tuple(checks),
        tuple(rows or ()),
    )


def plain(
    scenario: Scenario,
    form: Form,
    seed: int,
    progress: Progress | None,
    without: tuple[str, ...],
    crash_at: int = 0,
) -> tuple[Run, Seen, Outcome]:
    """A scenario in which nothing may be lost: run it, read everything, check all that holds of every such run."""
    run = Run(scenario, form, seed, progress, without=without, crash_at=crash_at)
    run.fill()
    run.begin()
    ended = played(run)
    seen = look(run)
    figures = figures_of(run, seen)
    checks = [
        ended,
        *nothing_lost(seen, figures),
        *told_apart(seen),
        *moved(run, seen),
        *written(run, figures),
        *([] if crash_at else repaired(run, figures)),
    ]
    return run, seen, outcome_of(run, seen, checks)
