"""The command `cutproof drive`."""

from __future__ import annotations

import contextlib
import shlex
import sys
from pathlib import Path as File
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cutproof.checks.cli.arguments import can_hold, finite, the_protocol, the_share
from cutproof.checks.cli.console import (
    AsWritten,
    Json,
    PolicyText,
    ScopeText,
    With,
    Without,
    WithoutGuard,
    say,
    say_json,
)
from cutproof.checks.cli.pipelines import cases
from cutproof.checks.cli.systems.programs import program_of
from cutproof.checks.common.refusals import checked, refuse

if TYPE_CHECKING:  # what takes a while to import is imported where it is used
    from cutproof.checks.drivers.driving.driver import Subject
    from cutproof.checks.protocols.load import Loaded

FOUND = File("counterexamples")


def drive(
    context: typer.Context,
    named: Annotated[str, typer.Argument(metavar="PROTOCOL", help="FILE.py[:NAME], or a bundled one.")],
    driver: Annotated[
        str,
        typer.Option("--driver", help="FILE.py[:NAME]: a class with a method for each action, and state()."),
    ] = "",
    refusals: Annotated[
        bool, typer.Option("--refusals", help="Try too what the protocol forbids: it must be refused.")
    ] = False,
    runs: Annotated[
        int | None, typer.Option("--runs", min=1, help="So many drawn runs, not those that take every edge.")
    ] = None,
    steps: Annotated[int, typer.Option("--steps", min=1, help="Of each run, at most.")] = 100,
    seconds: Annotated[float | None, typer.Option("--seconds", min=0.001, help="Of all, at most.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of drawn runs: run n of a seed is always the same.")] = 0,
    max_states: Annotated[
        int, typer.Option("--max-states", min=1, help="Explore up to so many; beyond, runs are drawn.")
    ] = 20_000,
    shard: Annotated[str, typer.Option("--shard", help="2/4: every fourth run, from the second on.")] = "",
    replay: Annotated[
        File | None, typer.Option("--replay", help="Perform the run of this trace, and no other.")
    ] = None,
    trace: Annotated[File, typer.Option("--trace", help="Where a failure is written.")] = FOUND,
    parameters: With = None,
    guards: WithoutGuard = None,
    scope: ScopeText = "",
    without: Without = "",
    as_written: AsWritten = False,
    policy: PolicyText = "",
    json_lines: Json = False,
) -> int:
    """Drive a program through the runs of a protocol, and compare their states after each step.

    Exit code 0: nothing was found in these runs. 12: found. 3: cut off, or nothing driven. 4: the driver failed."""
    from cutproof.checks.cli.reports import drives
    from cutproof.checks.cli.reports.progress import Ticker
    from cutproof.checks.drivers.driving.drive import drive as make_runs
    from cutproof.checks.drivers.driving.outcome import Driving
    from cutproof.checks.drivers.driving.recorded import trace_of

    if seconds is not None:
        finite("--seconds", seconds)
    if trace != FOUND or trace.exists():
        can_hold("--trace", trace)
    part, command = the_share(shard), program_of(context)
    loaded = the_protocol(named, parameters, guards, scope, policy, without, as_written)
    with _subject(loaded, driver, command) as subject:
        if replay is not None:
            return _again(loaded, subject, replay, json_lines)
        with Ticker() as ticker, contextlib.redirect_stdout(sys.stderr):

            def progress(found: Driving) -> None:
                of = "" if found.edges is None else f" of {found.edges:,}"
                ticker.share(
                    found.covered if runs is None else found.runs,
                    (found.edges if runs is None else runs) or 0,
                )
                ticker.tell(
                    "drive", f"{found.runs:,} runs, {found.steps:,} steps, {found.covered:,}{of} edges"
                )

            found = checked(
                lambda: make_runs(
                    loaded.protocol, subject, runs=runs, steps=steps, states=max_states, seconds=seconds, seed=seed,
                    refusals=refusals, shard=part, progress=progress,
                )
            )  # fmt: skip
    settings = {**loaded.settings, "seed": seed}
    options: dict[str, list[str] | str] = {
        "--with": parameters or [], "--without-guard": guards or [], "--scope": scope, "--policy": policy,
        "--without": ",".join(loaded.settings["safeguards_removed"]) if without or as_written else "",
    }  # fmt: skip
    recorded, file, conflict = None, "", ""
    if found.failure is not None:
        recorded = trace_of(found.walking, found.failure, found.name, settings)
        file, conflict = drives.write_trace(found, recorded, trace)
    again = _command(named, options, driver, command, file)
    drives.case_of(found, again if file else "", driver)
    if json_lines:
        say_json(drives.facts(found, file, settings))
    else:
        say(*drives.driven(found, recorded, file, again))
    if found.interrupted:
        print("interrupted: the report says what was covered", file=sys.stderr)
    if conflict:
        refuse(conflict)
    return found.exit_code


def _command(
    named: str, options: dict[str, list[str] | str], driver: str, command: list[str], file: str
) -> str:
    """What performs a failure again, on the same protocol."""
    words = ["cutproof", "drive", named]
    for option, given in options.items():
        for value in [given] if isinstance(given, str) else given:
            words += [option, value] if value else []
    words += ["--driver", driver] if driver else []
    words += ["--replay", file, *(["--", *command] if command else [])]
    return shlex.join(words)


@contextlib.contextmanager
def _subject(loaded: Loaded, driver: str, command: list[str]) -> Any:
    """The program that is driven; where it is a process, that ends with it."""
    from cutproof.checks.drivers.driving.driver import InProcess, Unfit
    from cutproof.checks.drivers.driving.program import Piped
    from cutproof.checks.protocols.classes import load_driver

    if bool(driver) == bool(command):
        refuse("give one program: --driver FILE.py[:NAME], or a program behind --")
    try:
        subject = (
            Piped(command, loaded.protocol) if command else InProcess(load_driver(driver), loaded.protocol)
        )
    except Unfit as error:
        refuse(f"{f'--driver {driver}' if driver else shlex.join(command)}: {error}")
    try:
        yield subject
    finally:
        if isinstance(subject, Piped):
            subject.close()


def _again(loaded: Loaded, subject: Subject, file: File, json_lines: bool) -> int:
    """Perform the run of a trace."""
    from cutproof.checks.drivers.driving.outcome import ERRED, FAILED, FOUND, HOLDS
    from cutproof.checks.drivers.driving.recorded import perform_again
    from cutproof.checks.drivers.driving.walking import Walking
    from cutproof.checks.traces.story import story
    from cutproof.checks.traces.trace import read

    recorded = checked(read, file)
    walking = Walking(loaded.protocol, subject.driven)
    with contextlib.redirect_stdout(sys.stderr):
        failure = checked(perform_again, recorded, walking, subject, str(file))
    if failure is None:
        code, said = HOLDS, ["nothing found: the program went through this run in equal states"]
    else:
        code = FAILED if failure.kind == ERRED else FOUND
        said = failure.lines(walking)
        said[0] = f"{'erred' if code == FAILED else 'found'}: {subject.name}: {said[0]}"
    outcome = {HOLDS: cases.PASSED, FAILED: cases.ERRED}.get(code, cases.FAILED)
    cases.case(f"{loaded.protocol.name} on {subject.name}", str(file), outcome, said[0], details=said[1:])
    if json_lines:
        kind = None if failure is None else failure.kind
        say_json({"checked": loaded.protocol.name, "driver": subject.name, "trace": str(file), "kind": kind,
                  "said": said})  # fmt: skip
    else:
        say(*story(recorded, loaded.protocol), *said)
    return code
