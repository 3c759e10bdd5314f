"""In and out of the commands: results go to stdout, progress and errors to stderr."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

import typer

from cutproof.checks.cli.orientation import completion
from cutproof.checks.cli.reports.tables import width, wrapped


class Closed(Exception):
    """Nobody reads our output any more."""


def _printed(character: str) -> str:
    """What moves, colours or turns round a terminal is not sent to one, whoever put it into a name."""
    return character if character.isprintable() or character in "\n\t" else "?"


def say(*lines: str, verbatim: bool = False) -> None:
    """Lines to stdout, at once; wrapped to its width, unless they are for a program (`verbatim`)."""
    shown = lines if verbatim else [part for line in lines for part in wrapped(line, width())]
    shown = [line if line.isprintable() else "".join(map(_printed, line)) for line in shown]
    try:
        sys.stdout.write("".join(f"{line}\n" for line in shown))
        sys.stdout.flush()
    except BrokenPipeError:
        raise Closed from None


def say_json(facts: dict[str, Any]) -> None:
    """Print one JSON object on a line of its own."""
    say(json.dumps(facts, ensure_ascii=False), verbatim=True)


Json = Annotated[bool, typer.Option("--json", help="One JSON object a line on stdout, and nothing else.")]

# ------------------------------------------------------------------ which protocol

Named = Annotated[
    str,
    typer.Argument(
        metavar="[PROTOCOL]",
        help="FILE.py[:NAME], or a bundled one; the cutover if empty.",
        autocompletion=completion.protocols,
    ),
]
With = Annotated[
    list[str] | None, typer.Option("--with", help="The protocol's parameters: name=value,name=value.")
]
WithoutGuard = Annotated[
    list[str] | None, typer.Option("--without-guard", help="Drop a guard, ACTION:GUARD; may be repeated.")
]
Properties = Annotated[
    list[str] | None, typer.Option("--property", help="Judge only this property; may be repeated.")
]
Study = Annotated[str, typer.Option("--protocol", help="Whose study; there is the cutover's.")]

# ------------------------------------------------------------------ of the cutover

ScopeText = Annotated[
    str,
    typer.Option(
        "--scope",
        help="Of the cutover: a named scope, bounds, or both: base,writes=1.",
        autocompletion=completion.scopes,
    ),
]
Without = Annotated[
    str,
    typer.Option(
        "--without",
        help="Of the cutover: safeguards to remove, separated by commas.",
        autocompletion=completion.removable,
    ),
]
AsWritten = Annotated[
    bool, typer.Option("--as-written", help="Of the cutover: remove what the seed's design lacks.")
]
PolicyText = Annotated[
    str,
    typer.Option("--policy", help="Of the cutover: name=value,... where it differs from the default."),
]
