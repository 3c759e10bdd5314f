"""The command `cutproof replay`."""

from __future__ import annotations

import sys
from pathlib import Path as File
from typing import TYPE_CHECKING, Annotated

import typer

from cutproof.checks.cli.arguments import protocol_of_trace, settings_of
from cutproof.checks.cli.console import Json, say, say_json
from cutproof.checks.cli.orientation import completion
from cutproof.checks.cli.pipelines import cases
from cutproof.checks.cli.systems.programs import program_of
from cutproof.checks.cli.systems.replay_schedule import is_schedule, replay_schedules
from cutproof.checks.common.refusals import Wrong, checked, near, refuse

if TYPE_CHECKING:  # what takes a while to import is imported where it is used
    from cutproof.checks.engines.exploration import Limits
    from cutproof.checks.traces.replay import Replay
    from cutproof.checks.traces.trace import Trace
    from cutproof.model.language.protocol import Protocol

SCHEDULE = ".schedule.json"
STDIN, LONGEST = "-", 255  # bytes of a part of a name
IMPLEMENTED = "cutover"  # the protocol that there is an implementation of


def replay(
    context: typer.Context,
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="TRACE...",
            help="Traces or schedules: files, folders of them, names of stored traces, - for stdin.",
            autocompletion=completion.traces,
        ),
    ],
    on: Annotated[
        str,
        typer.Option(
            "--on",
            help="model, or impl: the reference implementation too. Of a schedule: also "
            "ADAPTER.py[:NAME], or a program in quotes.",
        ),
    ] = "model",
    model: Annotated[
        str, typer.Option("--model", help="The protocol: FILE.py[:NAME]; else the one that the trace names.")
    ] = "",
    parameters: Annotated[
        str, typer.Option("--with", help="Parameters of --model: name=value,...; else those of the trace.")
    ] = "",
    expect: Annotated[
        str, typer.Option("--expect", help="reproduced, or fixed: 0 when what the trace shows is gone.")
    ] = "reproduced",
    max_states: Annotated[
        int,
        typer.Option("--max-states", min=1, help="Of the exploration that a can-always takes at the end."),
    ] = 1_000_000,
    json_lines: Json = False,
) -> int:
    """Replay traces and schedules: the story of one, a line for each of several, and whether they end as they say."""
    from cutproof.checks.cli.reports import replays as report
    from cutproof.checks.engines.exploration import Limits
    from cutproof.checks.traces.story import account

    program = program_of(context)
    _fits(files, model, parameters, expect)
    chosen = _chosen(files)
    schedules = [file for file in chosen if file != STDIN and is_schedule(file)]
    codes = replay_schedules(schedules, on, program, expect, json_lines) if schedules else []
    chosen = [file for file in chosen if file not in schedules]
    if not chosen:
        return report.worst(codes)
    _fits_traces(on, model, program)
    fixed, limits = expect == "fixed", Limits(states=max_states)
    if len(chosen) == 1 and len(files) == 1 and chosen[0] == files[0]:
        result = _replayed(chosen[0], on, model, parameters, limits)
        lines = [*account(result), *([report.expected(result)] if fixed else [])]
        report.case_of(result, chosen[0], fixed)
        _tell(json_lines, {**report.facts(result, chosen[0]), "on": on}, lines)
        return report.code_of(result, fixed)
    for file in chosen:
        try:
            result = _replayed(file, on, model, parameters, limits)
        except Wrong as error:
            codes.append(report.REFUSED)
            cases.case("replay", file, cases.ERRED, f"refused: {error}")
            _tell(
                json_lines,
                {"verdict": "refused", "reason": str(error), "trace": file},
                [report.refused(file, str(error))],
            )
            continue
        codes.append(report.code_of(result, fixed))
        report.case_of(result, file, fixed)
        line = report.row(result, file) + (f"; {report.expected(result)}" if fixed else "")
        _tell(json_lines, {**report.facts(result, file), "on": on}, [line])
    return report.worst(codes)


def _tell(json_lines: bool, facts: dict[str, object], lines: list[str]) -> None:
    if json_lines:
        say_json(facts)
    else:
        say(*lines)


def _fits_traces(on: str, model: str, program: list[str]) -> None:
    if on not in ("model", "impl") or program:
        refuse(
            f"--on {on or ' '.join(program)}: a trace is replayed on model or on impl; on a program of yours by "
            "cutproof drive --replay TRACE"
        )
    if model and on == "impl":
        refuse(f"--model {model}: has no part in --on impl, which is of the protocol of this project")


def _fits(files: list[str], model: str, parameters: str, expect: str) -> None:
    if expect not in ("reproduced", "fixed"):
        refuse(f"--expect {expect}: there are reproduced and fixed")
    if parameters and not model:
        refuse(f"--with {parameters}: has a part only with --model FILE.py; a trace carries its parameters")
    for file in files:
        if not file or "\0" in file or max(map(len, file.encode(errors="replace").split(b"/"))) > LONGEST:
            refuse(f"{file!r}: is no name of a file")


def _chosen(files: list[str]) -> list[str]:
    """Each file; a folder stands for the traces in it."""
    from cutproof.checks.traces.stored import ENDING

    found: list[str] = []
    for file in files:
        if file == STDIN or not File(file).is_dir():
            found.append(file)
            continue
        inside = sorted(str(f) for ending in (ENDING, SCHEDULE) for f in File(file).glob(f"*{ending}"))
        if not inside:
            refuse(f"{file}: is a folder without traces (*{ENDING}) or schedules (*{SCHEDULE})")
        found += inside
    return list(dict.fromkeys(found))


def _read(file: str) -> Trace:
    """The trace in a file, on stdin, or stored under that name. Refuses what is none."""
    from cutproof.checks.traces import stored
    from cutproof.checks.traces.trace import LIMIT, from_bytes, read

    if file.endswith(".py"):
        refuse(f"{file}: is a protocol, not a trace: cutproof replay TRACE --model {file}")
    if file == STDIN:
        return checked(from_bytes, sys.stdin.buffer.read(LIMIT + 1), "stdin")
    if File(file).exists() or not (found := stored.find(file)):
        bare = "/" not in file and not file.endswith(stored.ENDING) and not File(file).exists()
        if bare and (close := near(file, stored.names())):
            refuse(f"{file}: no such file, and no stored trace of that name{close}")
        return checked(read, file)
    return checked(read, found)


def _replayed(file: str, on: str, model: str, parameters: str, limits: Limits) -> Replay:
    """One trace, replayed. Refuses what is no trace, or of a protocol that is not known."""
    from cutproof.checks.traces import replay as replays

    trace, name = _read(file), "stdin" if file == STDIN else file
    protocol = chosen_model(trace, name, model, parameters) if model else protocol_of_trace(trace, name)
    if on == "model":
        return checked(replays.replay, trace, protocol, name, limits)
    from cutproof.checks.cutover.reference.perform import perform

    if trace.meta.protocol != IMPLEMENTED:
        refuse(f"{name}: is of {trace.meta.protocol}, which has no implementation: replay it on model")
    scope, policy, _ = settings_of(trace, name)
    return checked(perform, trace, protocol, scope, policy, name)


def chosen_model(trace: Trace, name: str, model: str, parameters: str) -> Protocol:
    """The protocol that the command line names, with what the trace says that it was run with."""
    from cutproof.checks.protocols.load import load

    loaded = load(model, parameters, recorded=trace.meta.scope)
    bundled = loaded.file is None and loaded.protocol.name == trace.meta.protocol
    if bundled and not parameters:  # it has its own way to read what a trace says
        return protocol_of_trace(trace, name)
    return loaded.without_guards(name for name in trace.meta.safeguards_removed if ":" in name).protocol
