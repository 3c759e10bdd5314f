"""The command `cutproof simulate`."""

from __future__ import annotations

import os
import sys
from pathlib import Path as File
from typing import Annotated

import typer

from cutproof.checks.cli.arguments import can_hold, finite, the_properties, the_protocol
from cutproof.checks.cli.console import (
    AsWritten,
    Json,
    Named,
    PolicyText,
    Properties,
    ScopeText,
    With,
    Without,
    WithoutGuard,
    say,
    say_json,
)
from cutproof.checks.cli.pipelines import cases
from cutproof.checks.common.refusals import checked, refuse

FOUND = File("counterexamples")


def simulate(
    named: Named = "",
    parameters: With = None,
    guards: WithoutGuard = None,
    properties: Properties = None,
    runs: Annotated[
        int | None, typer.Option("--runs", min=1, help="How many; 10,000 if --seconds is not given either.")
    ] = None,
    steps: Annotated[int, typer.Option("--steps", min=1, help="Of each run, at most.")] = 100,
    seconds: Annotated[float | None, typer.Option("--seconds", min=0.001, help="Of all, at most.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Run n of a seed is always the same run.")] = 0,
    mode: Annotated[
        str, typer.Option(help="How a run chooses its steps: uniform, weighted, pct, pos, swarm.")
    ] = "",
    keep_going: Annotated[
        bool,
        typer.Option("--keep-going", help="Do not end at the first violation; find one of each property."),
    ] = False,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, max=256, help="Processes; else one a core.")
    ] = None,
    trace: Annotated[File, typer.Option("--trace", help="Where counterexamples are written.")] = FOUND,
    scope: ScopeText = "",
    without: Without = "",
    as_written: AsWritten = False,
    policy: PolicyText = "",
    json_lines: Json = False,
) -> int:
    """Make random runs of a protocol that is too large to explore; say what they found, and what they covered.

    Exit code 0 means that nothing was found in these runs, and never that a property holds."""
    from cutproof.checks.cli.reports import explorations, simulations
    from cutproof.checks.cli.reports.progress import Ticker
    from cutproof.checks.engines.simulate.schedulers import DEFAULT, SCHEDULERS
    from cutproof.checks.engines.simulate.simulate import RUNS
    from cutproof.checks.engines.simulate.simulate import simulate as make_runs
    from cutproof.checks.traces.counterexample import told

    if mode and mode not in SCHEDULERS:
        refuse(f"--mode {mode}: there are {', '.join(SCHEDULERS)}")
    if trace != FOUND or trace.exists():
        can_hold("--trace", trace)
    if seconds is not None:
        finite("--seconds", seconds)
    loaded = the_protocol(named, parameters, guards, scope, policy, without, as_written)
    with Ticker() as ticker:

        def progress(made: int, steps: int, states: int) -> None:
            if runs is not None or seconds is None:
                ticker.share(made, runs or RUNS)
            ticker.tell("simulate", f"{made:,} runs, {steps:,} steps, {states:,} different states")

        found = checked(
            lambda: make_runs(
                loaded.protocol,
                runs=runs,
                steps=steps,
                seconds=seconds,
                seed=seed,
                mode=mode or DEFAULT,
                properties=the_properties(loaded.protocol, properties),
                stop_at_first=not keep_going,
                workers=workers or os.cpu_count() or 1,
                progress=progress,
            )
        )
    settings = {**loaded.settings, "seed": seed}
    traces = [
        simulations.trace_of_violation(violated, settings, loaded.entry) for violated in found.violations
    ]
    files, conflict = simulations.write_traces(
        traces, trace, explorations.variant_of(loaded, as_written), loaded.protocol
    )
    if cases.wanted():
        cases.of_verdicts(found.violations, files, loaded.file)
        for name, outcome, said in simulations.not_violated(
            found, the_properties(loaded.protocol, properties)
        ):
            cases.case(
                loaded.protocol.name, name, outcome, said, place=cases.place_of(loaded.file, name.split()[-1])
            )
    if json_lines:
        for facts in simulations.facts(found, files, settings):
            say_json(facts)
    else:
        story = told(traces[0], loaded.protocol) if traces else []
        say(*simulations.simulated(found, files, story))
    if found.interrupted:
        print("interrupted: the report says what was covered", file=sys.stderr)
    if conflict:
        refuse(conflict)
    return found.exit_code
