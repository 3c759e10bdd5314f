"""The command `cutproof verify`."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from cutproof.checks.cli.arguments import the_bounded_scope, the_study
from cutproof.checks.cli.console import Json, Study, say, say_json
from cutproof.checks.common.refusals import refuse

if TYPE_CHECKING:  # what takes a while to import is imported where it is used
    from cutproof.checks.ladder.tasks import Row

UNKNOWN = 3


def verify(
    json_lines: Json = False,
    study: Study = "",
    scope: Annotated[
        list[str] | None,
        typer.Option("--scope", help="Only the hardened protocol in this scope; may be repeated."),
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Also: each counterexample is gone with its safeguard in place.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit code 3 where a check was not run for want of an extra.")
    ] = False,
    workers: Annotated[
        int, typer.Option("--workers", min=1, max=64, help="Processes; each may need 1 GB.")
    ] = 2,
) -> int:
    """Check everything: the hardened protocol holds, and each removed safeguard does its harm."""
    from cutproof.checks.cli.reports import ladder as ladder_report
    from cutproof.checks.cli.reports import tables
    from cutproof.checks.cli.reports.progress import Ticker
    from cutproof.checks.ladder import verify as ladders
    from cutproof.checks.ladder.tasks import Ladder

    start = time.perf_counter()
    the_study(study)
    if scope and full:
        refuse("--full has no part in --scope: only these scopes are explored, and no counterexample is")
    for text in scope or ():
        the_bounded_scope(text)
    tasks = ladders.scope_tasks(dict.fromkeys(scope)) if scope else ladders.tasks(full)
    shown: list[Row] = []

    def each(rows: list[Row]) -> None:
        shown.extend(rows)
        if json_lines:
            for row in rows:
                say_json(ladder_report.row_json(row))

    with Ticker() as ticker:
        ladder = Ladder(tasks, workers, ticker.tell)
        try:
            rows = ladder.run(each)
            if not scope:
                each(rest := ladders.coverage_rows(rows))
                rows += rest
            interrupted = False
        except KeyboardInterrupt:
            rows, interrupted = ladder.rows, True
    code = UNKNOWN if interrupted else ladder_report.exit_code_of(rows, strict)
    lines = [ladder_report.summary(rows, time.perf_counter() - start, code)]
    if scope:
        lines.insert(0, "only these scopes; the other checks were not run")
    if interrupted:
        under_way = ticker.text()
        lines = [
            f"interrupted: {len(ladder.finished)} of {len(tasks)} tasks had ended",
            *([f"under way: {under_way}"] if under_way else []),
        ]
    if json_lines:
        for row in rows[len(shown) :] if interrupted else ():
            say_json(ladder_report.row_json(row))
        print(*lines, sep="\n", file=sys.stderr)
    else:
        table = ladder_report.ladder_table(rows, tables.width(), tables.is_terminal()) if rows else []
        say(*table, *([""] if table else []), *lines)
    return code
