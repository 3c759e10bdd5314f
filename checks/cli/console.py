"""In and out of the commands: results go to stdout, progress and errors to stderr."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

import typer


class Closed(Exception):
    """Nobody reads our output any more."""


def say(*lines: str) -> None:
    """Lines to stdout, at once."""
    try:
        sys.stdout.write("".join(f"{line}\n" for line in lines))
        sys.stdout.flush()
    except BrokenPipeError:
        raise Closed from None


def say_json(facts: dict[str, Any]) -> None:
    say(json.dumps(facts, ensure_ascii=False))


Json = Annotated[bool, typer.Option("--json", help="One JSON object a line on stdout, and nothing else.")]
ScopeText = Annotated[str, typer.Option("--scope", help="A named scope, bounds, or both: base,writes=1.")]
Without = Annotated[str, typer.Option("--without", help="Safeguards to remove, separated by commas.")]
AsWritten = Annotated[bool, typer.Option("--as-written", help="Remove what the seed's design lacks.")]
PolicyText = Annotated[
    str, typer.Option("--policy", help="name=value,... where it differs from the default.")
]
