"""The command `cutproof prove`."""

from __future__ import annotations

from pathlib import Path as File
from typing import Annotated

import typer

from cutproof.checks.cli.arguments import (
    can_hold,
    finite,
    is_cutover,
    only_of_the_cutover,
    the_properties,
    the_protocol,
    the_study,
)
from cutproof.checks.cli.console import (
    Json,
    PolicyText,
    Properties,
    ScopeText,
    Study,
    With,
    Without,
    WithoutGuard,
)
from cutproof.checks.cli.gate import GateName, StrengthName, known_gate, the_strength
from cutproof.checks.common.refusals import refuse


def prove(
    what: Annotated[
        str,
        typer.Argument(
            metavar="[PROTOCOL]",
            help="FILE.py[:NAME], or a bundled one; the cutover if empty. `gate`: put a gate to the proof.",
        ),
    ] = "",
    parameters: With = None,
    guards: WithoutGuard = None,
    properties: Properties = None,
    study: Study = "",
    scope: ScopeText = "",
    without: Without = "",
    policy: PolicyText = "",
    gate_name: GateName = "",
    strength_name: StrengthName = "",
    smt2: Annotated[
        File | None, typer.Option("--smt2", help="Write every obligation into this folder, as SMT-LIB 2.")
    ] = None,
    time_out: Annotated[
        float | None,
        typer.Option("--time-out", min=0.001, help="Seconds for one obligation; 60 if it is not said."),
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(
            "--steps",
            min=0,
            max=1000,
            help="Of the search, where induction does not do; 20 if it is not said.",
        ),
    ] = None,
    trace: Annotated[
        File | None, typer.Option("--trace", help="Write each counterexample into this folder.")
    ] = None,
    json_lines: Json = False,
) -> int:
    """Prove a protocol for runs of any length, or a gate for every policy: 0 proved, 12 refuted, 3 unknown.

    Without a protocol: the cutover, in all scopes that are proved, for every policy that the gate accepts."""
    for option, folder in {"--smt2": smt2, "--trace": trace}.items():
        can_hold(option, folder)
    if study and what not in ("", "gate"):
        refuse(f"--protocol {study}: {what} is named already")
    the_study(study)
    if what == "gate":
        given = {
            "--scope": scope, "--without": without, "--policy": policy, "--with": parameters,
            "--without-guard": guards, "--property": properties, "--trace": trace, "--time-out": time_out,
            "--steps": steps is not None,
        }  # fmt: skip
        for option, there in given.items():
            if there:
                refuse(
                    f"{option} has no part in `prove gate`: it decides every policy in the scopes gate and gate_alone"
                )
        from cutproof.checks.cli.reports.gate_proofs import prove_gate

        known_gate(gate_name or "sound")
        return prove_gate(gate_name or "sound", the_strength(strength_name or "strict"), json_lines, smt2)
    for option, text in {"--gate": gate_name, "--strength": strength_name}.items():
        if text:
            refuse(f"{option} {text}: has a part in `cutproof prove gate` only")
    seconds = 60.0 if time_out is None else finite("--time-out", time_out)
    from cutproof.checks.cli.reports.proofs import prove_any, prove_cutover

    if is_cutover(what):
        unused = {"--with": parameters, "--trace": trace, "--steps": steps is not None}
        for option, there in unused.items():
            if there:
                refuse(
                    f"{option} has no part in a proof of the cutover: it takes --scope, --policy, --without"
                )
        return prove_cutover(
            scope, without, policy, guards or (), properties or (), smt2, seconds, json_lines
        )
    only_of_the_cutover(what, {"scope": scope, "without": without, "policy": policy})
    loaded = the_protocol(what, parameters, guards)
    names = the_properties(loaded.protocol, properties)
    return prove_any(loaded, names or (), smt2, seconds, 20 if steps is None else steps, trace, json_lines)
