"""The command `cutproof prove`."""

from __future__ import annotations

from pathlib import Path as File
from typing import Annotated

import typer

from cutproof.checks.cli.console import Json, PolicyText
from cutproof.checks.cli.gate import GateName, StrengthName, known_gate, the_strength
from cutproof.checks.common.refusals import refuse


def prove(
    what: Annotated[
        str, typer.Argument(help="gate: put a gate to the proof. Nothing: the protocol, by induction.")
    ] = "",
    scope: Annotated[
        str, typer.Option("--scope", help="A named scope, bounds, or both; all named ones if empty.")
    ] = "",
    without: Annotated[
        str, typer.Option("--without", help="Safeguards to remove, separated by commas.")
    ] = "",
    policy: PolicyText = "",
    gate_name: GateName = "sound",
    strength_name: StrengthName = "strict",
    smt2: Annotated[
        File | None, typer.Option("--smt2", help="Write every obligation into this folder, as SMT-LIB 2.")
    ] = None,
    time_out: Annotated[
        float, typer.Option("--time-out", min=0.001, help="Seconds for one obligation.")
    ] = 60.0,
    json_lines: Json = False,
) -> int:
    """Prove the protocol for runs of any length, or a gate for every policy: 0 proved, 12 refuted, 3 unknown."""
    from cutproof.checks.cli.reports.proofs import prove_gate, prove_protocol

    if what not in ("", "gate"):
        refuse(f"prove {what}: there is 'gate', or nothing for the protocol itself")
    if smt2 is not None and smt2.exists() and not smt2.is_dir():
        refuse(f"--smt2 {smt2}: is not a folder")
    if what == "gate":
        for option, given in {"--scope": scope, "--without": without, "--policy": policy}.items():
            if given:
                refuse(
                    f"{option} has no part in `prove gate`: it decides every policy in the scopes gate and gate_alone"
                )
        known_gate(gate_name)
        return prove_gate(gate_name, the_strength(strength_name), json_lines, smt2)
    return prove_protocol(scope, without, policy, smt2, time_out, json_lines)
