"""The command `cutproof check-log`."""

from __future__ import annotations

import sys
from pathlib import Path as File
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cutproof.checks.cli.arguments import can_hold, the_protocol
from cutproof.checks.cli.console import Json, With, WithoutGuard, say, say_json
from cutproof.checks.cli.pipelines import cases
from cutproof.checks.common.refusals import checked, near, refuse

if TYPE_CHECKING:  # what takes a while to import is imported where it is used
    from cutproof.checks.drivers.logs.reading import Log, Reading
    from cutproof.checks.protocols.load import Loaded
    from cutproof.model.language.protocol import Protocol

STDIN = "-"


def check_log(
    named: Annotated[str, typer.Argument(metavar="PROTOCOL", help="FILE.py[:NAME], or a bundled one.")],
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="LOG...",
            help="Events as JSON lines; several logs, of a node each, may be merged in any way. - is stdin.",
        ),
    ],
    unlogged: Annotated[
        str,
        typer.Option("--unlogged", help="Actions that may happen unlogged, as often as they can: tick,lose."),
    ] = "",
    missing: Annotated[
        int,
        typer.Option("--missing", min=0, help="Up to so many steps of any action missing before each line."),
    ] = 0,
    midway: Annotated[
        bool, typer.Option("--midway", help="The log begins somewhere in a run, not in an initial state.")
    ] = False,
    node: Annotated[
        str, typer.Option("--node", help="Lines are in order only where this field of theirs is the same.")
    ] = "",
    ignore: Annotated[str, typer.Option("--ignore", help="Actions whose lines are passed over: a,b.")] = "",
    output: Annotated[
        File | None,
        typer.Option("-o", "--output", help="Write a behaviour that explains the log, or its longest part."),
    ] = None,
    max_states: Annotated[
        int, typer.Option("--max-states", min=1, help="Possible at once; beyond, the answer is unknown.")
    ] = 200_000,
    parameters: With = None,
    guards: WithoutGuard = None,
    json_lines: Json = False,
) -> int:
    """Check a log of a real system: whether some behaviour of a protocol explains it.

    Exit code 0: one does. 12: none does, or each that does violates a property. 3: unknown, or an empty log."""
    from cutproof.checks.cli.reports import logs as report
    from cutproof.checks.cli.reports.progress import Ticker
    from cutproof.checks.drivers.logs.check import ACCEPTED, EMPTY, UNKNOWN, check
    from cutproof.checks.drivers.logs.meaning import Meaning
    from cutproof.checks.drivers.logs.reading import Reading
    from cutproof.checks.drivers.logs.search import Rules

    if output is not None:
        can_hold("-o", output.parent)
        if output.is_dir():
            refuse(f"-o {output}: is a folder")
    loaded = the_protocol(named, parameters, guards)
    protocol = loaded.protocol
    free = _actions("--unlogged", unlogged, protocol)
    reading = Reading(checked(Meaning, protocol), _words(ignore), node)
    logs = _read(reading, files)
    rules = Rules(frozenset(free), missing, midway, max_states)
    with Ticker() as ticker:

        def progress(explained: int, total: int, candidates: int) -> None:
            ticker.tell("check-log", f"{explained:,} of {total:,} events explained, {candidates:,} states")

        found = check(protocol, logs, rules, progress)
        wanted = found.verdict not in (EMPTY, UNKNOWN) and (output is not None or found.verdict != ACCEPTED)
        run = found.behaviour() if wanted else None
    name, wrote, missed = _title(files), "", ""
    if output is not None and run is not None:
        try:
            missed = report.write_trace(found, run, name, loaded.settings, output)
        except OSError as error:
            refuse(f"-o {output}: {error.strerror or error}")
        wrote = "" if missed else str(output)
    lines = report.checked(found, name, max_states, run)
    if cases.wanted():
        outcome = {0: cases.PASSED, 3: cases.UNKNOWN}.get(found.exit_code, cases.FAILED)
        place = cases.NOWHERE if files == [STDIN] else (files[0], 1)
        cases.case(f"check-log {protocol.name}", name, outcome, lines[0], place=place, details=lines[1:])
    if json_lines:
        say_json({**report.facts(found, files, loaded.settings, wrote), **_unread(reading)})
    else:
        say(*lines, *_notes(reading, wrote, missed, named, loaded))
    return found.exit_code


def _title(files: list[str]) -> str:
    shown = ["stdin" if file == STDIN else file for file in files]
    return shown[0] if len(shown) == 1 else f"{shown[0]} and {len(shown) - 1} more"


def _read(reading: Reading, files: list[str]) -> list[Log]:
    if len(set(files)) < len(files):
        refuse("a log is given twice: each is that of one node")
    logs: list[Log] = []
    for file in files:
        logs += reading.logs(sys.stdin.buffer, "stdin") if file == STDIN else reading.file(file)
    return logs


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _actions(option: str, text: str, protocol: Protocol) -> list[str]:
    """Names of actions; refuses what is none."""
    known = [a.name for a in protocol.actions]
    for name in (found := _words(text)):
        if name not in known:
            there = near(name, known) or f"; there are {', '.join(known)}"
            refuse(f"{option} {name}: {protocol.name} has no such action{there}")
    return found


def _notes(reading: Reading, wrote: str, missed: str, named: str, loaded: Loaded) -> list[str]:
    lines = [missed] if missed else []
    if reading.passed_over:
        many = f"{reading.passed_over:,} line{'' if reading.passed_over == 1 else 's'}"
        lines.append(f"passed over: {many} of actions that are ignored")
    if reading.unused:
        lines.append(f"not looked at: the fields {', '.join(list(reading.unused)[:12])}")
    if wrote:
        model = f" --model {named}" if loaded.file is not None else ""
        lines.append(f"{wrote}: see it by cutproof replay {wrote}{model}")
    return lines


def _unread(reading: Reading) -> dict[str, Any]:
    return {"passed over": reading.passed_over, "not looked at": list(reading.unused)}
