"""The command `cutproof verify`."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cutproof.checks.cli.arguments import the_bounded_scope, the_share, the_study
from cutproof.checks.cli.console import Json, Study, say, say_json
from cutproof.checks.cli.orientation import completion
from cutproof.checks.cli.pipelines import pages
from cutproof.checks.common.refusals import near, refuse

if TYPE_CHECKING:  # what takes a while to import is imported where it is used
    from cutproof.checks.cli.reports.progress import Ticker
    from cutproof.checks.ladder.kept import Kept
    from cutproof.checks.ladder.tasks import Row, Task

UNKNOWN = 3


def verify(
    json_lines: Json = False,
    study: Study = "",
    scope: Annotated[
        list[str] | None,
        typer.Option(
            "--scope",
            help="Only the hardened protocol in this scope; may be repeated.",
            autocompletion=completion.scopes,
        ),
    ] = None,
    rung: Annotated[
        list[str] | None,
        typer.Option(
            "--rung",
            help="Only this kind of check, as the column `check` names it; may be repeated.",
            autocompletion=completion.rungs,
        ),
    ] = None,
    shard: Annotated[
        str, typer.Option("--shard", help="2/4: the second of four shares, which are together the whole.")
    ] = "",
    resume: Annotated[
        Path | None,
        typer.Option(
            "--resume", help="Keep what is finished in this folder, and begin with what is kept there."
        ),
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
    html: pages.Html = None,
) -> int:
    """Check everything: the hardened protocol holds, and each removed safeguard does its harm.

    Each row is told as soon as it and all before it are known: the order is always the same."""
    from cutproof.checks.cli.reports import ladder as ladder_report
    from cutproof.checks.cli.reports.progress import Ticker
    from cutproof.checks.ladder import share as shares
    from cutproof.checks.ladder import verify as ladders
    from cutproof.checks.ladder.tasks import Ladder

    start = time.perf_counter()
    the_study(study)
    pages.can_be_reported(html)
    number, of = the_share(shard)
    tasks = shares.share(_tasks(scope, rung, full), number, of)
    kept, before = _kept(resume, tasks)
    rungs = rung or ([] if scope else [shares.COVERAGE])
    covered = shares.COVERAGE in rungs and any(t.rung in shares.COVERING for t in tasks)
    with Ticker() as ticker:
        teller = _Teller(tasks, ticker, json_lines)
        ladder = Ladder(tasks, workers, _timed(tasks, before, ticker), before, _keeper(kept, resume))
        try:
            rows = ladder.run(teller.each)
            if covered:
                teller.each(rest := ladders.coverage_rows(rows))
                rows += rest
            interrupted = False
        except KeyboardInterrupt:
            rows, interrupted = ladder.rows, True
            teller.each(rows[len(teller.shown) :])
    code = UNKNOWN if interrupted else ladder_report.exit_code_of(rows, strict) if tasks else 0
    lines = [ladder_report.summary(rows, time.perf_counter() - start, code)] if tasks else []
    if scope or rung:
        lines.insert(0, f"only these {'scopes' if scope else 'rungs'}; the other checks were not run")
    if interrupted:
        under_way = ticker.text()
        lines = [
            f"interrupted: {len(ladder.finished)} of {len(tasks)} tasks had ended",
            *([f"under way: {under_way}"] if under_way else []),
            *([f"go on with the same command; {resume} holds what was finished"] if resume else []),
        ]
    if before:
        lines.insert(0, f"{len(before)} of {len(tasks)} tasks were finished before, and are kept in {resume}")
    if shard:
        lines.append(
            f"shard {number + 1} of {of}: {len(tasks)} tasks"
            if tasks
            else f"shard {shard}: nothing is left for it"
        )
    if json_lines:
        print(*lines, sep="\n", file=sys.stderr)
    else:
        say(*([""] if rows else []), *lines)
    if html is not None:
        from cutproof.checks.pages import verifying

        about = pages.about(scope="; ".join(scope or ()), seconds=time.perf_counter() - start)
        pages.write(html, verifying.files(rows, about, "; ".join(lines), code))
    return code


class _Teller:
    """Rows to stdout, each when it is known."""

    def __init__(self, tasks: list[Task], ticker: Ticker, json_lines: bool) -> None:
        from cutproof.checks.cli.reports import ladder, tables

        self.report, self.ticker, self.json_lines = ladder, ticker, json_lines
        self.shown: list[Row] = []
        names = [t.name.removeprefix(f"{t.rung} ") for t in tasks]
        many = any(t.rung == "wide scope" for t in tasks)
        self.table = ladder.LadderTable(names, tables.width(), tables.is_terminal(), many)

    def each(self, rows: list[Row]) -> None:
        """Tell some more."""
        with self.ticker.aside():
            if not self.json_lines and rows and not self.shown:
                say(*self.table.head())
            for row in rows:
                self.shown.append(row)
                self.report.case_of(row)
                if self.json_lines:
                    say_json(self.report.row_json(row))
                else:
                    say(*self.table.lines(row))


def _tasks(scope: list[str] | None, rung: list[str] | None, full: bool) -> list[Task]:
    """What is asked for."""
    from cutproof.checks.ladder import share as shares
    from cutproof.checks.ladder import verify as ladders

    if scope and full:
        refuse("--full has no part in --scope: only these scopes are explored, and no counterexample is")
    if scope and rung:
        refuse("--rung has no part in --scope, which is of the rung scope alone")
    for text in scope or ():
        the_bounded_scope(text)
    if scope:
        return ladders.scope_tasks(dict.fromkeys(scope))
    every = ladders.tasks(full)
    known = shares.rungs(every)
    for name in rung or ():
        if name not in known:
            refuse(f"--rung {name}: no such rung{near(name, known)}; there are {', '.join(known)}")
    return shares.of_rungs(every, rung) if rung else every


def _kept(resume: Path | None, tasks: list[Task]) -> tuple[Kept | None, dict[str, list[Row]]]:
    """The folder of a run before, and what of these tasks is in it."""
    if resume is None:
        return None, {}
    from cutproof.checks.ladder.kept import Kept

    try:
        kept = Kept(resume)
    except (OSError, ValueError) as error:
        refuse(f"--resume {resume}: {getattr(error, 'strerror', None) or error}")
    found = {task.name: kept.rows(task) for task in tasks}
    return kept, {name: rows for name, rows in found.items() if rows is not None}


def _keeper(kept: Kept | None, resume: Path | None) -> Any:
    """What keeps the rows of each task that ends."""
    if kept is None:
        return None

    def keep(task: Task, rows: list[Row]) -> None:
        try:
            kept.keep(task, rows)
        except OSError as error:
            refuse(f"--resume {resume}: {error.strerror or error}")

    return keep


def _timed(tasks: list[Task], before: dict[str, list[Row]], ticker: Ticker) -> Any:
    """What hears how tasks go on: it knows how much of all is done, by what each took when it was measured."""
    from cutproof.checks.ladder.share import cost

    costs = {task.name: cost(task) for task in tasks if task.name not in before}
    done, count = 0.0, 0

    def told(name: str, *numbers: Any) -> None:
        nonlocal done, count
        if not numbers:
            done, count = done + costs[name], count + 1
            ticker.share(done, sum(costs.values()), f"{count} of {len(costs)} tasks")
        ticker.tell(name, *numbers)

    return told
