"""The scenarios in which something may be lost, or that are refused, and what is measured of them instead."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from cutproof.checks.cutover.scenarios.checks import (
    Seen,
    figures_of,
    look,
    moved,
    nothing_lost,
    outcome_of,
    played,
    told_apart,
    written,
)
from cutproof.checks.cutover.scenarios.outcome import Check, Outcome, merged
from cutproof.checks.cutover.scenarios.run import Progress, Run
from cutproof.checks.cutover.scenarios.scenarios import Burst, Form, Scenario, When
from cutproof.checks.cutover.scenarios.traffic import Told
from cutproof.impl.miroir import (
    GATES,
    AntiEntropyConfig,
    MigrationConfig,
    UnsafeCutover,
    UnsafeCutoverNoAntiEntropy,
    migration_warning_if_ae_disabled,
    validate_migration_safety,
)
from cutproof.model.cutover.mechanisms import AntiEntropy, Cleanup

AFTERWARDS = 50  # writes after a refusal


def refusal(scenario: Scenario, gate: str) -> str:
    """The name of the error by which this gate refuses to begin; empty where it accepts."""
    try:
        Run(replace(scenario, gate=gate), Form.PURE).begin()
    except UnsafeCutover as refused:
        return type(refused).__name__
    return ""


# ------------------------------------------------------------------ 4: refused


def blocked(
    scenario: Scenario, form: Form, seed: int, progress: Progress | None, without: tuple[str, ...]
) -> Outcome:
    """The gate refuses, and leaves nothing behind: the owner goes on as before."""
    run = Run(scenario, form, seed, progress, without=without)
    run.fill()
    cluster = run.cluster
    before = (cluster.fingerprint(), sorted(cluster.nodes), cluster.groups[0][:], cluster.network.steps)
    refused: UnsafeCutover | None = None
    try:
        run.begin()
    except UnsafeCutover as error:
        refused = error
    after = (cluster.fingerprint(), sorted(cluster.nodes), cluster.groups[0][:], cluster.network.steps)
    left = [*run.migrations, *cluster.migrations, *cluster.moving]
    run.write(Told(Burst(AFTERWARDS, When.COPYING)), AFTERWARDS)
    run.flush()
    seen = look(run)
    figures = figures_of(run, seen)
    words, known = str(refused), UnsafeCutoverNoAntiEntropy
    acknowledged = figures.acknowledged == figures.issued > AFTERWARDS
    checks = [
        Check("refused with UnsafeCutoverNoAntiEntropy", isinstance(refused, known), words),
        Check("in the seed's words", words == str(known()), words),
        Check("nothing has changed", before == after and not left, f"{before} is {after}, {left}"),
        Check(
            "the owner takes every write as before",
            acknowledged,
            f"{figures.acknowledged} of {figures.issued}",
        ),
        *nothing_lost(seen, figures),
        *told_apart(seen),
    ]
    return outcome_of(run, seen, checks)


# ------------------------------------------------------------------ 2, 8, 11: the delta is skipped


def skipped(
    scenario: Scenario, form: Form, seed: int, progress: Progress | None, without: tuple[str, ...]
) -> tuple[Run, Seen, Outcome]:
    """A run without the delta, then anti-entropy passes as long as they find something: what is lost in the end.

    How many documents diverge is computed from the run's own record of the deliveries that failed, and then read."""
    run = Run(scenario, form, seed, progress, without=without)
    run.fill()
    run.begin()
    ended = played(run)
    while run.cluster.repair():
        run.flush()
    seen = look(run)
    found, due = dict(sorted(run.diverged.items())), dict(sorted(run.recorded.items()))
    checks = [
        ended,
        Check("as diverged as the failed deliveries say", found == due, f"{found} diverge, not {due}"),
        *told_apart(seen),
        *moved(run, seen),
        *written(run, figures_of(run, seen)),
    ]
    return run, seen, outcome_of(run, seen, checks)


def permanently_lost(run: Run, seen: Seen) -> list[Check]:
    """Something is lost for ever: exactly what the deliveries that failed say."""
    figures = figures_of(run, seen)
    due = run.traffic.ledger.without(run.traffic.deliveries.missed)
    found = f"{dict(seen.kinds)} of {dict(due)}"
    return [
        Check("lost is what the failed deliveries say", seen.kinds == due and due.total() > 0, found),
        Check(
            "every loss is permanent",
            figures.permanent == figures.lost > 0,
            f"{figures.permanent} of {figures.lost} are",
        ),
    ]


def without_delta(
    scenario: Scenario, form: Form, seed: int, progress: Progress | None, without: tuple[str, ...]
) -> Outcome:
    """Clean-up after a clean pass; at once; and at once with another replica to repair from."""
    waits = replace(scenario, cleanup=Cleanup.AFTER_CLEAN_PASS)
    at_once = replace(scenario, cleanup=Cleanup.IMMEDIATE)
    another = replace(at_once, nodes=("old-0", "old-1"), replicas=2)
    parts: list[Outcome] = []
    rows: list[dict[str, Any]] = []
    checks: list[Check] = []
    for name, each in (
        ("waits for a clean pass", waits),
        ("at once", at_once),
        ("at once, two replicas", another),
    ):
        run, seen, part = skipped(each, form, seed, progress, without)
        figures = part.figures
        parts.append(part)
        rows.append(
            {
                "clean-up": name,
                "replicas": each.replicas,
                "diverged": figures.diverged,
                "found by a pass": run.differences,
                "healed": figures.healed,
                "lost": figures.lost,
                "permanent": figures.permanent,
                "sound gate": refusal(each, "sound") or "accepts",
                "seed's gate": refusal(each, "seed") or "accepts",
            }
        )
        diverged = run.differences >= figures.diverged > 0
        checks.append(Check(f"{name}: the divergence is measured", diverged, f"{run.differences} differ"))
        if each is at_once:
            checks += [
                Check(f"{name}: {c.text}", c.holds, c.why)
                for c in (
                    *permanently_lost(run, seen),
                    Check("nothing heals", not figures.healed, f"{figures.healed} did"),
                )
            ]
        else:
            healed = figures.healed == figures.diverged == len(seen.audit.healed) and not seen.lost
            checks.append(Check(f"{name}: all of it heals", healed, f"{figures.healed} did"))
    gates = all(r["sound gate"] == "UnsafeCutover" and r["seed's gate"] == "accepts" for r in rows)
    checks.append(Check("the sound gate refuses, the seed's accepts", gates, str(rows)))
    return merged(scenario, form, seed, parts, checks, rows)


def unsafe(
    scenario: Scenario, form: Form, seed: int, progress: Progress | None, without: tuple[str, ...]
) -> Outcome:
    """Neither anti-entropy nor delta, the gate bypassed: the losses are exactly the deliveries that failed."""
    run, seen, part = skipped(scenario, form, seed, progress, without)
    figures = part.figures
    burst = scenario.traffic[0]
    failed = burst.count // burst.every
    exact = figures.lost == failed if form is Form.PURE else 0 < figures.lost < failed
    text = "every failed delivery is lost" if form is Form.PURE else "what is overwritten later is not lost"
    checks = [
        *part.checks,
        *permanently_lost(run, seen),
        Check(text, exact, f"{figures.lost} lost, {failed} deliveries failed"),
    ]
    for gate in GATES:
        refused = refusal(scenario, gate)
        known = refused == UnsafeCutoverNoAntiEntropy.__name__
        checks.append(Check(f"the {gate} gate refuses it", known, refused or "it accepts"))
    return replace(part, checks=tuple(checks))


# ------------------------------------------------------------------ 8: gates side by side


def _answer(scenario: Scenario, gate: str) -> str:
    """What the function that Miroir people know says: the error's name, or empty."""
    enabled, repairs = (
        scenario.anti_entropy is not AntiEntropy.OFF,
        scenario.anti_entropy is AntiEntropy.REPAIR,
    )
    migration = MigrationConfig(skip_delta_pass=not scenario.delta, cleanup=scenario.cleanup, replicas=False)
    try:
        validate_migration_safety(AntiEntropyConfig(enabled, repairs), migration, GATES[gate])
    except UnsafeCutover as refused:
        return type(refused).__name__
    return ""


def gates(
    scenario: Scenario, form: Form, seed: int, progress: Progress | None, without: tuple[str, ...]
) -> Outcome:
    """All pairs: both gates, the warning, and what a migration loses under each, with the gate bypassed."""
    parts: list[Outcome] = []
    rows: list[dict[str, Any]] = []
    agree = True
    for anti_entropy in (AntiEntropy.REPAIR, AntiEntropy.ALERT, AntiEntropy.OFF):
        for delta in (True, False):
            cleanup = Cleanup.AFTER_PROOF if delta else Cleanup.IMMEDIATE
            pair = replace(scenario, anti_entropy=anti_entropy, delta=delta, cleanup=cleanup)
            _, _, part = skipped(pair, form, seed, progress, without)
            parts.append(part)
            said = {gate: _answer(pair, gate) for gate in GATES}
            agree = agree and said == {gate: refusal(pair, gate) for gate in GATES}
            warning = migration_warning_if_ae_disabled(anti_entropy is not AntiEntropy.OFF)
            rows.append(
                {
                    "anti-entropy / delta": pair.switches,
                    "sound gate": said["sound"] or "accepts",
                    "seed's gate": said["seed"] or "accepts",
                    "warning": warning or "",
                    "acknowledged": part.figures.acknowledged,
                    "lost": part.figures.lost,
                    "permanent": part.figures.permanent,
                }
            )
    lost = {r["anti-entropy / delta"] for r in rows if r["permanent"]}
    by_gate = {
        gate: {r["anti-entropy / delta"] for r in rows if r[column] != "accepts"}
        for gate, column in (("sound", "sound gate"), ("seed", "seed's gate"))
    }
    passed_over = sorted(lost - by_gate["seed"])
    warned = {r["anti-entropy / delta"] for r in rows if "sole mechanism" in r["warning"]}
    checks = [
        Check("the sound gate refuses exactly what loses", by_gate["sound"] == lost != set(), str(rows)),
        Check("the seed's gate refuses off / skipped alone", by_gate["seed"] == {"off / skipped"}, str(rows)),
        Check(
            "the seed's gate accepts two pairs that lose",
            passed_over == ["alert / skipped", "on / skipped"],
            str(passed_over),
        ),
        Check(
            "a warning names the delta as the sole mechanism where anti-entropy is off",
            warned == {"off / on", "off / skipped"},
            str(sorted(warned)),
        ),
        Check("a cluster refuses what the functions refuse", agree, str(rows)),
        Check("every loss is permanent", all(r["lost"] == r["permanent"] for r in rows), str(rows)),
    ]
    return merged(scenario, form, seed, parts, checks, rows)
