"""`cutproof gate POLICY.toml`: accepted, or refused with the reason and a shortest trace of the harm."""

from __future__ import annotations

from pathlib import Path as File
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cutproof.checks.cli.arguments import can_hold, the_policy, the_study
from cutproof.checks.cli.console import Json, PolicyText, Study, say, say_json
from cutproof.checks.cli.pipelines import cases
from cutproof.checks.common.refusals import checked, refuse
from cutproof.checks.engines.verdict import HOLDS, SAFETY, Violated
from cutproof.checks.traces.stored import ENDING

if TYPE_CHECKING:  # what takes a while to import is imported where it is used
    from cutproof.checks.engines.exploration import Exploration
    from cutproof.model.cutover.policy import Clause, Policy, Strength

GateName = Annotated[str, typer.Option("--gate", help="sound, or seed: the rule of the seed's design.")]
StrengthName = Annotated[
    str,
    typer.Option("--strength", help="strict: nothing is ever missing. eventual: nothing is lost for good."),
]


def gate(
    file: Annotated[File, typer.Argument(help="A policy: TOML in Miroir's words, everything optional.")],
    gate_name: GateName = "sound",
    strength_name: StrengthName = "strict",
    policy: PolicyText = "",
    study: Study = "",
    trace: Annotated[
        File | None, typer.Option("--trace", help="Write the trace of harm into this folder.")
    ] = None,
    json_lines: Json = False,
) -> int:
    """Accept or refuse a policy: 0 or 12, with the clause that refuses and a shortest trace of the harm."""
    from cutproof.checks.cutover.gate.open_hole import open_hole
    from cutproof.checks.cutover.gate.policy_file import combined, read_policy
    from cutproof.impl.miroir import migration_warning_if_ae_disabled
    from cutproof.model.cutover.mechanisms import AntiEntropy
    from cutproof.model.cutover.policy import refusing_clause, seed_gate

    strength = the_strength(strength_name)
    known_gate(gate_name)
    can_hold("--trace", trace)
    found = read_policy(file, the_study(study).name)
    flags = the_policy(policy)
    named = {part.partition("=")[0].strip() for part in policy.split(",") if part.strip()}
    chosen = combined(str(file), found, {name: getattr(flags, name) for name in sorted(named)})

    clause = refusing_clause(chosen, strength)
    reason = seed_gate(chosen) if gate_name == "seed" else str(clause.why) if clause else None
    without_ae = chosen.anti_entropy is AntiEntropy.OFF and not chosen.skip_delta_pass
    warnings = [migration_warning_if_ae_disabled(enabled=False)] if without_ae else []
    warnings += filter(None, [open_hole(chosen, strength)] if gate_name == "sound" else [])
    warning = "; ".join(map(str, warnings)) if reason is None and warnings else None
    harm = harm_of(chosen, strength, trace) if reason is not None and clause else None
    facts: dict[str, Any] = {
        "accepted": reason is None, "gate": gate_name, "strength": strength.value, "policy": _values(chosen),
        "reason": reason, "clause": _clause(clause, strength), "warning": warning, "trace": harm,
        "ignored": list(found.ignored),
    }  # fmt: skip
    told = _told(facts, clause)
    outcome = cases.PASSED if reason is None else cases.FAILED
    cases.case(
        str(file), f"{gate_name}, {strength.value}", outcome, told[0], place=(str(file), 1), details=told[1:]
    )
    if json_lines:
        say_json(facts)
    else:
        say(*told)
    return HOLDS if reason is None else SAFETY


def known_gate(text: str) -> None:
    """Refuse what is no gate."""
    if text not in ("sound", "seed"):
        refuse(f"--gate {text}: there are sound and seed")


def the_strength(text: str) -> Strength:
    """The reading of that name; refused where there is none."""
    from cutproof.model.cutover.policy import Strength

    if text not in [s.value for s in Strength]:
        refuse(f"--strength {text}: there are {' and '.join(s.value for s in Strength)}")
    return Strength(text)


def _values(policy: Policy) -> dict[str, Any]:
    from cutproof.model.cutover.policy import knobs

    return {n: getattr(v := getattr(policy, n), "value", v) for n in knobs()}


def _clause(clause: Clause | None, strength: Strength) -> dict[str, Any] | None:
    """The clause, and the stored trace of the simplest policy that it refuses."""
    from cutproof.checks.cutover.safeguards.necessity import refusal

    if clause is None:
        return None
    literals = {n: [getattr(v, "value", v) for v in vs] for n, vs in clause.refuses.items()}
    stored = f"traces/{refusal(strength, clause).file}.itf.json"
    return {"name": clause.name, "refuses": literals, "why": clause.why, "trace": stored}


def _told(facts: dict[str, Any], clause: Clause | None) -> list[str]:
    which = f"{facts['gate']}, {facts['strength']}" if facts["gate"] == "sound" else "seed"
    lines = [f"{'accepted' if facts['accepted'] else 'refused'} ({which})"]
    if not facts["accepted"]:
        if facts["gate"] == "sound":
            lines[0] += f" by clause '{clause.name}': {clause}" if clause else ""
        lines.append(f"  {facts['reason']}")
    if not facts["accepted"] and facts["gate"] == "seed" and clause is None:
        lines.append(f"  the sound gate ({facts['strength']}) accepts it")
    if facts["accepted"] and clause:
        lines.append(
            f"  the sound gate ({facts['strength']}) refuses it by clause '{clause.name}': {clause}: {clause.why}"
        )
    if harm := facts["trace"]:
        steps = f"{harm['steps']} steps" if harm["steps"] else "from the start"
        lines.append(f"  shortest harm: {harm['property']} ({harm['harm']}) is violated, {steps}")
        lines.append(f"  as a file: {harm['file'] or harm['command']}")
        stored = File(facts["clause"]["trace"]).name.removesuffix(ENDING)
        lines.append(f"  of the simplest policy that the clause refuses: cutproof replay {stored}")
    if facts["warning"]:
        lines.append(f"  warning: {facts['warning']}")
    if facts["ignored"]:
        lines.append(f"  does not matter to the verdict: {', '.join(facts['ignored'])}")
    return lines


def harm_of(policy: Policy, strength: Strength, folder: File | None) -> dict[str, Any] | None:
    """The shortest behaviour that shows what the policy does, found by exploring the protocol under it; with a
    folder it is written there. Where no state is bad, a state from which nothing finishes."""
    from cutproof.checks.cli.reports import explorations as report
    from cutproof.checks.engines.fast.explore import explore
    from cutproof.model.cutover.coordinator import build
    from cutproof.model.cutover.policy import Strength
    from cutproof.model.cutover.properties import LIVELY
    from cutproof.model.cutover.scopes import SMALL_SCOPES

    name = "gate" if policy.replicas else "gate_alone"
    scope = SMALL_SCOPES[name]
    protocol = build(scope, policy)
    always = [p.name for p in protocol.properties if p.form == "always"]
    bad = always if strength is Strength.STRICT else ["no_permanent_loss"]
    for names in (bad, [p.name for p in LIVELY]):
        found = explore(protocol, properties=names, cycles=False, stop_at_first=names is bad, workers=1)
        broken = [v for v in found.verdicts if isinstance(v, Violated) and v.path and v.form != "deadlock"]
        if broken:
            verdict = min(broken, key=lambda v: v.path.steps if v.path else 0)
            found.verdicts = [verdict]
            file = _written(found, policy, folder, report) if folder else None
            command = f"cutproof explore --scope {name} --policy {_flags(policy)} --trace DIR"
            return {
                "property": verdict.property, "harm": verdict.harm, "steps": verdict.path.steps if verdict.path else 0,
                "file": file, "command": command,
            }  # fmt: skip
    return None


def _flags(policy: Policy) -> str:
    return ",".join(f"{k}={str(v).lower()}" for k, v in policy.changed().items())


def _written(found: Exploration, policy: Policy, folder: File, report: Any) -> str:
    from cutproof.checks.protocols.registry import bundled

    bounds: Any = found.protocol.scope
    about = {"scope": bounds.bounds(), "policy": policy.changed(), "safeguards_removed": ()}
    traces = report.traces_of(found, about, bundled("cutover"))
    variant = "gate-" + "-".join(f"{k}-{str(v).lower()}" for k, v in policy.changed().items())
    files, conflict = checked(report.write_traces, traces, folder, variant)
    if conflict:
        refuse(conflict)
    return str(next(iter(files.values())))
