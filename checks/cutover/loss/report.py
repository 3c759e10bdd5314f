"""What a loss run shows, as text for people and as facts for machines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cutproof.checks.common.binomial import interval, needed, upper
from cutproof.checks.cutover.loss.runs import Run
from cutproof.checks.cutover.loss.sample import KINDS, Counts, Setup
from cutproof.checks.engines.verdict import HOLDS, LIVENESS, SAFETY, UNKNOWN

CLAIM = 1e-6  # "fewer than 1 in 1M"
MILLION = 1_000_000


def exit_code(run: Run) -> int:
    """12 where something is permanently lost, 13 where a migration never ends or clients are not served after it, 3
    where the run is partial, else 0."""
    if run.counts.lost_for_good or run.counts.lost_outside:
        return SAFETY
    if run.counts.stuck or run.counts.unserved:
        return LIVENESS
    return UNKNOWN if run.partial else HOLDS


def facts(run: Run) -> dict[str, Any]:
    """Everything that was counted, and what it says; only `seconds` differs from one run to the next."""
    c = run.counts
    return {
        "checked": "loss",
        "migrations": c.migrations,
        "finished": c.finished,
        "aborted": c.aborted,
        "attempts": c.attempts,
        "crashes": c.crashes,
        "stuck": c.stuck,
        "unserved": c.unserved,
        "in_vain": {asked: many for asked, many in c.in_vain.items() if many},
        "steps": c.steps,
        "sealed_steps": c.sealed_steps,
        "writes": c.writes,
        "acknowledged": c.acknowledged,
        "acknowledged_later": c.acknowledged_later,
        "refused": c.refused,
        "failed": c.failed,
        "held": c.held,
        "at_risk": c.at_risk,
        "repaired_by_delta": c.repaired_by_delta,
        "repaired_by_anti_entropy": c.repaired_by_anti_entropy,
        "copied": c.copied,
        "lost": c.lost,
        "permanent": c.lost_for_good,
        "healed": sum(c.healed.values()),
        "by_kind": {k: {"permanent": c.permanent[k], "healed": c.healed[k]} for k in KINDS},
        "lost_outside": c.lost_outside,
        "migrations_losing": c.losing,
        "stale_reads": c.stale_reads,
        "wrong_searches": c.wrong_searches,
        "first": {kind: {"migration": m, "document": d} for kind, (m, d) in c.first.items()},
        "rate_per_write": c.lost / c.acknowledged if c.acknowledged else 0.0,
        "upper_bound_95_per_write": upper(c.lost, c.acknowledged) if c.acknowledged else 1.0,
        "upper_bound_95_per_migration": upper(c.losing, c.migrations) if c.migrations else 1.0,
        "interval_95_per_write": list(interval(c.lost, c.acknowledged)) if c.acknowledged else [0.0, 1.0],
        "interval_95_per_migration": list(interval(c.losing, c.migrations)) if c.migrations else [0.0, 1.0],
        "fewer_than_1_in_1M": bool(c.acknowledged) and upper(c.lost, c.acknowledged) < CLAIM,
        "partial": run.partial,
        "setup": run.setup.facts(),
        "seconds": round(run.seconds, 3),
    }


def text(run: Run) -> list[str]:
    """The report, a line each; the last is the verdict."""
    c = run.counts
    lines = [
        *([f"PARTIAL: {run.partial}; what follows is of the chunks that were finished"] if run.partial else []),
        *about(run.setup),
        "",
        f"migrations    {c.migrations:,}: {c.finished:,} finished, {c.aborted:,} given up"
        + (f", {c.stuck:,} STUCK" if c.stuck else "")
        + f"; {c.attempts:,} attempts, {c.crashes:,} crashes of the coordinator",
        f"writes        {c.writes:,} issued between DUAL and CLEANUP; {c.refused:,} refused, "
        f"{c.failed:,} failed or timed out",
        f"acknowledged  {c.acknowledged:,} of them ({_share(c.acknowledged, c.writes)}) by CLEANUP: "
        "what every rate is of",
        f"at risk       {c.at_risk:,} of these ({_share(c.at_risk, c.acknowledged)}): failed, lost or late on N, "
        "or in the window from SEAL to ACTIVATE",
        f"cost          {c.held:,} writes waited for the owner to change; {c.copied:,} documents copied",
        *_unavailable(c),
        f"repaired      {c.repaired_by_delta:,} documents by the delta pass, "
        f"{c.repaired_by_anti_entropy:,} by anti-entropy",
        f"lost          {c.lost:,} acknowledged writes: {_kinds(run)}",
    ]  # fmt: skip
    if c.lost_outside:
        lines.append(
            f"              and {c.lost_outside:,} that were acknowledged before DUAL or after CLEANUP began"
        )
    if c.stale_reads or c.wrong_searches:
        lines.append(f"served wrong  {c.stale_reads:,} stale reads, {c.wrong_searches:,} wrong searches")
    lines += ["", *_bounds(run), "", *_verdict(run)]
    return lines


def _unavailable(counts: Counts) -> list[str]:
    """For how long writers were held, and who is not served when all is over; nothing where that is not measured."""
    lines = []
    if counts.steps:
        long = _share(counts.sealed_steps, counts.steps)
        lines.append(f"unavailable   sealed for {counts.sealed_steps:,} of {counts.steps:,} steps ({long})")
    if counts.unserved:
        what = ", ".join(f"{asked} {many:,}" for asked, many in counts.in_vain.items() if many)
        lines.append(f"not served    after {counts.unserved:,} migrations, whatever is awaited: {what}")
    return lines


def about(setup: Setup) -> list[str]:
    """What was run."""
    policy = ",".join(f"{k}={str(v).lower()}" for k, v in setup.policy.changed().items()) or "the default"
    without = f"without {', '.join(setup.without)}" if setup.without else "every safeguard in place"
    gate = f"the {setup.gate} gate" if setup.gate else "no gate"
    rates = ", ".join(f"{k} {v:g}" for k, v in setup.facts()["rates"].items() if v) or "nothing goes wrong"
    mix = ", ".join(f"{v:g} {k}" for k, v in setup.facts()["mix"].items() if v)
    lines = [
        f"policy {policy}; {without}; {gate}; seed {setup.seed}",
        f"traffic: {TRAFFIC[setup.traffic]}",
        f"rates: {rates}",
    ]
    return (
        lines if setup.traffic == "boundary" else [*lines, f"writes: {mix}; up to {setup.each:,} a migration"]
    )


TRAFFIC = {
    "mixed": "mixed: clients write from before DUAL to CLEANUP, what happens next is uniform",
    "seed": "seed: as in the seed's runs, every write falls between the copy and the seal, one after the other",
    "boundary": "boundary: BIASED: small runs that go on by whole phases, writes that come with what becomes of them, "
    "faults about ten times as frequent; its rates are not those of any system",
}


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "none"


def _kinds(run: Run) -> str:
    c = run.counts
    parts = []
    for kind in KINDS:
        healed = f" ({c.healed[kind]:,} healed)" if c.healed[kind] else ""
        parts.append(f"{kind} {c.permanent[kind] + c.healed[kind]:,}{healed}")
    return f"{c.lost_for_good:,} for good; " + ", ".join(parts)


def per_million(rate: float) -> str:
    """A rate as so many in a million."""
    return f"{rate * MILLION:.3g}" if rate * MILLION < 1000 else f"{rate * MILLION:,.0f}"


def _bounds(run: Run) -> list[str]:
    c, lines = run.counts, ["in a million of   lost  bound (one-sided, 95 %)  two-sided interval"]
    for name, lost, of in (("writes", c.lost, c.acknowledged), ("migrations", c.losing, c.migrations)):
        if of:
            low, high = interval(lost, of)
            cells = (
                per_million(lost / of),
                per_million(upper(lost, of)),
                per_million(low),
                per_million(high),
            )
            lines.append(f"{name:13} {cells[0]:>8}  {cells[1]:>22}  {cells[2]} to {cells[3]}")
    return lines


def _verdict(run: Run) -> list[str]:
    """Whether this run may claim "fewer than 1 in 1M", and what that rests on."""
    c = run.counts
    rests = (
        "The bounds are exact (Clopper-Pearson). The one per write takes writes for independent; those of one "
        "migration share its schedule, and are not. The one per migration needs no such thing."
    )
    if not c.acknowledged:
        return ["verdict: no write was acknowledged, so nothing is shown"]
    bound, many = upper(c.lost, c.acknowledged), needed(CLAIM)
    if c.lost:
        low, high = interval(c.lost, c.acknowledged)
        shares = [f"{100 * share:.3g}" for share in (c.lost / c.acknowledged, low, high)]
        said = f"{shares[0]} % of the acknowledged writes were lost ({shares[1]} to {shares[2]} % at 95 %)"
        claim = f"verdict: {said}: fewer than 1 in 1M is " + ("refuted" if low >= CLAIM else "not shown")
    elif bound < CLAIM:
        claim = f"verdict: fewer than 1 in 1M acknowledged writes lost, at 95 %: 0 of {c.acknowledged:,}"
    else:
        claim = (
            f"verdict: 0 of {c.acknowledged:,} bounds the rate below {per_million(bound)} in a million, not below 1: "
            f"that takes {many:,} acknowledged writes (--writes 3e6)"
        )
    return [claim, rests]


def standing(counts: Counts, share: float) -> str:
    """How a run stands, on one line."""
    said = (
        f"{share:.0%}, {counts.acknowledged:,} writes acknowledged in {counts.migrations:,} migrations, "
        f"{counts.lost:,} lost"
    )
    if not counts.acknowledged:
        return said
    return f"{said}, below {per_million(upper(counts.lost, counts.acknowledged))} in a million"


def explained(run: Run, files: Mapping[str, str]) -> list[str]:
    """Where the first loss of each kind is, and how to look at it."""
    lines = []
    for kind, (migration, document) in run.counts.first.items():
        lines.append(
            f"first {kind}: document {document} in migration {migration}; {files.get(kind, 'no trace')}"
        )
    return ["", *lines] if lines else []
