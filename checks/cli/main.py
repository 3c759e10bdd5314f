"""The command `cutproof`.

Exit codes follow TLC: 0 holds, 12 safety violated, 13 liveness violated, 3 unknown (a bound was hit, or the run
was interrupted), 2 wrong usage, 70 our own failure; `replay`: 0 reproduced, 1 not. Results go to stdout, progress
and errors to stderr. Every error ends in `main`.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path as File
from typing import TYPE_CHECKING, Annotated

import typer

from cutproof.checks.cli import explore as cli_explore
from cutproof.checks.cli import export as cli_export
from cutproof.checks.cli import gate as cli_gate
from cutproof.checks.cli import loss as cli_loss
from cutproof.checks.cli import prove as cli_prove
from cutproof.checks.cli.arguments import protocol_of_trace, settings_of, the_bounded_scope, the_removed
from cutproof.checks.cli.console import Closed, Json, ScopeText, say, say_json
from cutproof.checks.common.refusals import Wrong, checked, refuse

if TYPE_CHECKING:  # what takes a while to import is imported where it is used
    from cutproof.checks.ladder.tasks import Row

USAGE, OURS, CLOSED, UNKNOWN, NOT_REPRODUCED = 2, 70, 141, 3, 1
INTERRUPTED = 130  # what typer makes of an interrupt that no command took
HINT = "this is a fault of cutproof; please report it, with what CUTPROOF_DEBUG=1 prints"

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


# ------------------------------------------------------------------ verify


@app.command()
def verify(
    json_lines: Json = False,
    scope: Annotated[
        list[str] | None,
        typer.Option("--scope", help="Only the hardened protocol in this scope; may be repeated."),
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Also: each exhibit holds with its safeguard in place.")
    ] = False,
    workers: Annotated[
        int, typer.Option("--workers", min=1, max=64, help="Processes; each may need 1 GB.")
    ] = 2,
) -> int:
    """Check everything: the hardened protocol holds, and each removed safeguard does its harm."""
    from cutproof.checks.cli import ladder_report, tables
    from cutproof.checks.cli.progress import Ticker
    from cutproof.checks.ladder import verify as ladders
    from cutproof.checks.ladder.tasks import Ladder

    start = time.perf_counter()
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
                each(rest := ladders.reached_rows(rows))
                rows += rest
            interrupted = False
        except KeyboardInterrupt:
            rows, interrupted = ladder.rows, True
    code = UNKNOWN if interrupted else ladder_report.exit_code_of(rows)
    lines = [ladder_report.summary(rows, time.perf_counter() - start, code)]
    if scope:
        lines.insert(0, "only these scopes; the other rungs were not climbed")
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
        table = ladder_report.ladder_table(rows, tables.terminal_width()).splitlines() if rows else []
        say(*table, *([""] if table else []), *lines)
    return code


# ------------------------------------------------------------------ commands in files of their own

app.command()(cli_explore.explore)

# ------------------------------------------------------------------ replay


@app.command()
def replay(
    file: Annotated[File, typer.Argument(help="A trace: *.itf.json")],
    on: Annotated[
        str, typer.Option("--on", help="model, or impl: the reference implementation too.")
    ] = "model",
    json_lines: Json = False,
) -> int:
    """Replay a trace: each step, what it changed, and whether it ends as the trace says."""
    from cutproof.checks.cli import report
    from cutproof.checks.traces import replay as replays
    from cutproof.checks.traces.story import account
    from cutproof.checks.traces.trace import read

    if on not in ("model", "impl"):
        refuse(f"--on {on}: a trace is replayed on model or on impl")
    recorded = checked(read, file)
    protocol = protocol_of_trace(recorded, str(file))
    if on == "impl":
        from cutproof.checks.cutover.reference.perform import perform

        if recorded.meta.protocol != "cutover":
            refuse(f"{file}: is of {recorded.meta.protocol}, which has no implementation: replay it on model")
        scope, policy, _ = settings_of(recorded, str(file))
        result = checked(perform, recorded, protocol, scope, policy, str(file))
    else:
        result = checked(replays.replay, recorded, protocol, str(file))
    if json_lines:
        say_json({**report.replay_json(result, str(file)), "on": on})
    else:
        say(*account(result, sentences=True))
    return 0 if result.reproduced else NOT_REPRODUCED


app.command()(cli_loss.loss)
app.command()(cli_loss.scenarios)
app.command()(cli_export.export)
app.command()(cli_gate.gate)
app.command()(cli_prove.prove)

# ------------------------------------------------------------------ safeguards, diagram


@app.command()
def safeguards(
    name: Annotated[str, typer.Argument(help="One of them, at length.")] = "", json_lines: Json = False
) -> int:
    """The safeguards: what each is for, and under what it is seen to be necessary."""
    from cutproof.checks.cli import safeguards_report, tables
    from cutproof.model.cutover.safeguards import SAFEGUARDS

    names = list(the_removed(name)) if name else list(SAFEGUARDS)
    entries = [safeguards_report.safeguard_entry(SAFEGUARDS[n]) for n in names]
    if json_lines:
        for entry in entries:
            say_json(entry)
    elif name:
        for entry in entries:
            say(*safeguards_report.safeguard_text(entry))
    else:
        say(safeguards_report.safeguard_table(entries, tables.terminal_width()).rstrip("\n"))
    return 0


@app.command()
def diagram(scope: ScopeText = "abort") -> int:
    """The phases as a mermaid diagram, drawn from the transitions that fire in a scope."""
    from cutproof.checks.cli import safeguards_report
    from cutproof.checks.engines.plain.explore import explore as explored
    from cutproof.model.cutover.coordinator import build

    found = explored(build(the_bounded_scope(scope)), cycles=False, properties=["finish"])
    if found.interrupted:
        return UNKNOWN
    say(safeguards_report.phase_diagram([found]).rstrip("\n"))
    return 0


# ------------------------------------------------------------------ the one place where everything ends


@app.callback(invoke_without_command=True)
def _start(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Say the version.")] = False,
) -> int:
    """Explore the cutover of a shard, prove what holds, and show what is lost without each safeguard."""
    if version:
        say(f"cutproof {metadata.version('cutproof')}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        say(context.get_help())
        return USAGE
    return 0


@contextmanager
def _ended_like_an_interrupt() -> Iterator[None]:
    """SIGTERM ends a run as Ctrl-C does: with what was covered so far."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def main(arguments: list[str] | None = None) -> int:
    """Run the command; the result is the exit code."""
    try:
        with _ended_like_an_interrupt():
            code = int(app(args=arguments, prog_name="cutproof", standalone_mode=False) or 0)
        if code == INTERRUPTED:
            raise KeyboardInterrupt
        return code
    except Wrong as error:
        print(f"cutproof: {error}", file=sys.stderr)
        return USAGE
    except Closed:
        os.dup2(
            os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno()
        )  # nothing is left to complain at the end
        return CLOSED
    except (KeyboardInterrupt, typer.Abort):
        print("cutproof: interrupted", file=sys.stderr)
        return UNKNOWN
    except Exception as error:
        if hasattr(error, "format_message"):  # the command line was wrong
            print(f"cutproof: {' '.join(error.format_message().split())}", file=sys.stderr)
            return USAGE
        if os.environ.get("CUTPROOF_DEBUG") == "1":
            raise
        said = " ".join(str(error).split())[:300]
        print(f"cutproof: {type(error).__name__}: {said}; {HINT}", file=sys.stderr)
        return OURS


if __name__ == "__main__":
    sys.exit(main())
