"""The command `cutproof conform`."""

from __future__ import annotations

import contextlib
import shlex
import sys
from pathlib import Path as File
from typing import Annotated

import typer

from cutproof.checks.cli.arguments import can_hold, finite, the_share
from cutproof.checks.cli.console import Json, say, say_json
from cutproof.checks.cli.pipelines import cases, pages
from cutproof.checks.cli.systems.programs import program_of, system
from cutproof.checks.common.refusals import refuse

FOUND = File("counterexamples")


def conform(
    context: typer.Context,
    adapter: Annotated[
        str, typer.Argument(metavar="[ADAPTER.py[:NAME]]", help="A class of conform.Adapter.")
    ] = "",
    runs: Annotated[
        int | None,
        typer.Option("--runs", min=1, help="How many; else all systematic ones and a thousand draws."),
    ] = None,
    seconds: Annotated[float | None, typer.Option("--seconds", min=0.001, help="Of all, at most.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Run n of a seed is always the same run.")] = 0,
    shards: Annotated[int, typer.Option(min=1, max=100, help="Of the system that is judged.")] = 2,
    shard: Annotated[str, typer.Option("--shard", help="2/4: every fourth run, from the second on.")] = "",
    answer_within: Annotated[
        float, typer.Option("--answer-within", min=0.01, help="Seconds that a program has for each answer.")
    ] = 10.0,
    trace: Annotated[
        File, typer.Option("--trace", help="Where the schedule of a failure is written.")
    ] = FOUND,
    json_lines: Json = False,
    html: pages.Html = None,
) -> int:
    """Drive a store of yours through the schedules of a cutover that lose data, and judge what its clients see.

    Exit code 0: nothing was found in these runs, which is never a proof. 12: a promise was broken. 13: clients wait for
    ever. 3: cut off, or too little was exercised. 4: the adapter erred."""
    from cutproof.checks.cli.reports import conformance as told
    from cutproof.checks.cli.reports.progress import Ticker
    from cutproof.checks.cutover.conformance import conform as judge

    pages.can_be_reported(html)
    if seconds is not None:
        finite("--seconds", seconds)
    if trace != FOUND or trace.exists():
        can_hold("--trace", trace)
    part = the_share(shard)
    with system(adapter, program_of(context), answer_within) as chosen, Ticker() as ticker:

        def progress(made: int, of: int) -> None:
            ticker.share(made, of)
            ticker.tell("conform", f"run {made:,} of {of:,}")

        try:
            with contextlib.redirect_stdout(sys.stderr):  # what an adapter prints is none of our answer
                report = judge.check(
                    chosen, seed=seed, runs=runs, seconds=seconds, shards=shards, part=part, progress=progress
                )
        except judge.NotConforming as found:
            file, conflict = told.saved(found, trace)
            said = shlex.quote(adapter) if adapter else "-- " + shlex.join(program_of(context))
            told.case_of_finding(found, file, said, adapter)
            if json_lines:
                say_json(told.facts_of_finding(found, file))
            else:
                *lines, last = told.finding(found, file, said)
                say(*lines)
                say(last, verbatim=bool(file))  # a command is copied: it stays one line
            if html is not None:
                from cutproof.checks.pages import conforming

                again = told.again(file, said) if file else ""
                made = conforming.files_of_finding(
                    found, pages.about(seed=seed), told.kind_of(found), told.told(found), again
                )
                pages.write(html, made)
            if conflict:
                refuse(conflict)
            return told.code_of_finding(found)
    passed = cases.UNKNOWN if told.code_of(report) else cases.PASSED
    cases.case(report.name, "conforms", passed, str(report).partition("\n")[0])
    if json_lines:
        say_json(report.facts())
    else:
        say(*str(report).splitlines())
    if html is not None:
        from cutproof.checks.pages import conforming

        pages.write(html, conforming.files(report, pages.about(seed=seed)))
    if report.stopped:
        print(f"{report.stopped}: the report says what was covered", file=sys.stderr)
    return told.code_of(report)
