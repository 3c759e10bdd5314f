"""`--html DIR`: a report of a run as pages."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cutproof.checks.cli.pipelines.cases import typed
from cutproof.checks.cli.pipelines.command import without_reports

if TYPE_CHECKING:  # what takes a while to import is imported where it is used
    from cutproof.checks.pages.parts import About

Html = Annotated[
    Path | None,
    typer.Option("--html", metavar="DIR", help="Write a report as pages, too: a folder with index.html."),
]


def can_be_reported(folder: Path | None) -> None:
    """Refuse before long work a folder that no report can be written into, or that is not one of ours."""
    if folder is not None:
        from cutproof.checks.pages.folder import check

        check(folder)


def about(*, seed: int | None = None, scope: str = "", seconds: float | None = None) -> About:
    """What was run, for the top of a report: the command as it was typed, without where reports go."""
    from cutproof.checks.pages.parts import About

    more = (
        ("version", metadata.version("cutproof")), ("seed", "" if seed is None else str(seed)), ("scope", scope),
        ("time", "" if seconds is None else f"{seconds:,.1f} s"),
    )  # fmt: skip
    return About(shlex.join(["cutproof", *without_reports(typed.get())]), more)


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Put a report in its place, and say where it is."""
    from cutproof.checks.pages.folder import INDEX, replace

    replace(folder, files)
    print(f"report: {folder / INDEX}", file=sys.stderr)
