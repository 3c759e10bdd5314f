"""`--junitxml FILE` and `--github` of the commands that judge something."""

from __future__ import annotations

import inspect
import os
import shlex
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer

from cutproof.checks.cli.pipelines.cases import BAD, ERRED, FAILED, PASSED, UNKNOWN, Case, collected, typed
from cutproof.checks.common.files import content, why_no_folder
from cutproof.checks.common.refusals import Wrong, one_line, refuse

MOST = 2**30  # bytes of a report
PLACES = ("--junitxml", "--html")  # options that name where a report goes
CUT_OFF, OURS, USAGE = 3, 70, 2
NOT_AS_EXPECTED = (12, 13, 1)  # safety, liveness, and what `replay` did not reproduce

JUnit = Annotated[
    Path | None, typer.Option("--junitxml", metavar="FILE", help="Write what was judged as JUnit's XML, too.")
]
GitHub = Annotated[
    bool | None,
    typer.Option(
        "--github/--no-github",
        help="Annotations and a step summary for GitHub; on where GITHUB_ACTIONS is true.",
        show_default=False,
    ),
]


def reported(command: Callable[..., int]) -> Callable[..., int]:
    """The same command, with options that write its cases for whoever runs it, however it ends."""

    @wraps(command)
    def run(*arguments: Any, junitxml: Path | None, github: bool | None, **options: Any) -> int:
        if github is None:
            github = os.environ.get("GITHUB_ACTIONS") == "true"
        if junitxml is None and not github:
            return command(*arguments, **options)
        if junitxml is not None:
            _can_be_written(junitxml)
        name = command.__name__
        again = shlex.join(["cutproof", *without_reports(typed.get())])
        with collected() as cases:
            try:
                code = command(*arguments, **options)
            except BaseException as error:
                ended, outcome, said = _ended(error)
                _write(name, [*cases, Case(name, again, outcome, said, again)], ended, junitxml, github)
                raise
            told = [case if case.again else replace(case, again=again) for case in cases]
            _write(name, [*told, *_of_the_code(name, again, cases, code)], code, junitxml, github)
            return code

    signature = inspect.signature(command, eval_str=True)
    more = {"junitxml": JUnit, "github": GitHub}
    own = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
        for name, annotation in more.items()
    ]
    run.__signature__ = signature.replace(parameters=[*signature.parameters.values(), *own])  # type: ignore[attr-defined]
    run.__annotations__ = {p.name: p.annotation for p in signature.parameters.values()} | more
    return run


def _ended(error: BaseException) -> tuple[int, str, str]:
    """How a command ended that gave no exit code: the code, the outcome, and one line."""
    if isinstance(error, Wrong):
        return USAGE, ERRED, str(error)
    if isinstance(error, KeyboardInterrupt):
        return CUT_OFF, UNKNOWN, "interrupted"
    return OURS, ERRED, one_line(f"{type(error).__name__}: {error}")


def _of_the_code(name: str, again: str, cases: list[Case], code: int) -> list[Case]:
    """A report is never greener than the exit code, and never empty."""
    if code and not any(case.outcome in BAD for case in cases):
        outcome = FAILED if code in NOT_AS_EXPECTED else UNKNOWN if code == CUT_OFF else ERRED
        return [Case(name, again, outcome, f"exit code {code}", again)]
    return [] if cases else [Case(name, again, PASSED, "", again)]


def without_reports(typed: list[str]) -> list[str]:
    """What was typed, without the options that only say where reports go."""
    kept, skip, program = list[str](), False, False
    for word in typed:
        program = program or word == "--"
        mine = not program and (
            word in (*PLACES, "--github", "--no-github")
            or word.startswith(tuple(f"{name}=" for name in PLACES))
        )
        if not skip and not mine:
            kept.append(word)
        skip = not program and word in PLACES
    return kept


def _can_be_written(file: Path) -> None:
    """Refuse before long work a file that could not be written after it."""
    if file.is_dir():
        refuse(f"--junitxml {file}: is a folder")
    with suppress(OSError, ValueError):
        if file.is_file() and b"<" != content(file, MOST)[:1] != b"":
            refuse(
                f"--junitxml {file}: another file is there, and no report; name one that may be written over"
            )
    if why := why_no_folder(file.parent):
        refuse(f"--junitxml {file}: {file.parent}: {why}")


def _write(name: str, cases: list[Case], code: int, file: Path | None, github: bool) -> None:
    if file is not None:
        from cutproof.checks.cli.pipelines.junit import junit

        beside = Path(f"{file}.{os.getpid()}")
        try:
            beside.parent.mkdir(parents=True, exist_ok=True)
            beside.write_bytes(junit(name, cases))
            beside.replace(file)
        except OSError as error:
            beside.unlink(missing_ok=True)
            refuse(f"--junitxml {file}: {error.strerror or error}")
    if github:
        from cutproof.checks.cli.pipelines import github as told

        for line in told.marks(cases):  # GitHub reads both streams, and --json is for stdout
            print(line, file=sys.stderr, flush=True)
        if target := os.environ.get("GITHUB_STEP_SUMMARY"):
            try:
                with open(target, "a", encoding="utf-8") as out:
                    out.write(told.summary(name, cases, code))
            except OSError as error:
                print(f"the step summary was not written: {error.strerror or error}", file=sys.stderr)
