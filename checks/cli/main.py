"""The command `cutproof`.

Exit codes follow TLC: 0 holds, 12 safety violated, 13 liveness violated, 3 unknown (a bound was hit, or the run
was interrupted), 2 wrong usage, 70 our own failure; `replay`: 0 reproduced, 1 not. Results go to stdout, progress
and errors to stderr. Every error ends in `main`.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import metadata
from typing import Annotated

import typer

from cutproof.checks.cli import explore as cli_explore
from cutproof.checks.cli import export as cli_export
from cutproof.checks.cli import gate as cli_gate
from cutproof.checks.cli import loss as cli_loss
from cutproof.checks.cli import prove as cli_prove
from cutproof.checks.cli import replay as cli_replay
from cutproof.checks.cli import safeguards as cli_safeguards
from cutproof.checks.cli import simulate as cli_simulate
from cutproof.checks.cli import verify as cli_verify
from cutproof.checks.cli import view as cli_view
from cutproof.checks.cli.console import Closed, complain, say
from cutproof.checks.cli.orientation.doctor import doctor
from cutproof.checks.cli.orientation.new import new
from cutproof.checks.cli.orientation.welcome import welcome
from cutproof.checks.cli.pipelines.cases import typed
from cutproof.checks.cli.pipelines.command import reported
from cutproof.checks.cli.systems import check_log as cli_check_log
from cutproof.checks.cli.systems import conform as cli_conform
from cutproof.checks.cli.systems import drive as cli_drive
from cutproof.checks.cli.systems import history as cli_history
from cutproof.checks.cli.systems import serve as cli_serve
from cutproof.checks.cli.systems.programs import WithProgram
from cutproof.checks.common.refusals import Wrong, one_line

USAGE, OURS, CLOSED, UNKNOWN = 2, 70, 141, 3
INTERRUPTED = 130  # what typer makes of an interrupt that no command took
FULL = (errno.ENOSPC, errno.EDQUOT)  # a disk is full, whoever filled it
HINT = "this is a fault of cutproof; please report it, with what CUTPROOF_DEBUG=1 prints"

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)


# ------------------------------------------------------------------ commands in files of their own

COMMANDS: tuple[Callable[..., int], ...] = (
    cli_verify.verify, cli_explore.explore, cli_simulate.simulate, cli_loss.loss,
    cli_loss.scenarios, cli_export.export, cli_gate.gate, cli_prove.prove, cli_safeguards.safeguards,
    cli_safeguards.protocols, cli_safeguards.diagram, cli_serve.serve_reference, cli_history.history,
    cli_check_log.check_log, cli_view.view, new, doctor,
)  # fmt: skip
JUDGING = (
    cli_verify.verify,
    cli_explore.explore,
    cli_simulate.simulate,
    cli_prove.prove,
    cli_gate.gate,
    cli_loss.loss,
    cli_loss.scenarios,
    cli_history.history,
    cli_check_log.check_log,
)
for command in COMMANDS:
    app.command()(reported(command) if command in JUDGING else command)
for with_program in (cli_drive.drive, cli_conform.conform, cli_replay.replay):
    app.command(cls=WithProgram)(reported(with_program))


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
        say(*welcome(), verbatim=True)
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
    typed.set(sys.argv[1:] if arguments is None else arguments)
    try:
        with _ended_like_an_interrupt():
            code = int(app(args=arguments, prog_name="cutproof", standalone_mode=False) or 0)
        if code == INTERRUPTED:
            raise KeyboardInterrupt
        return code
    except Wrong as error:
        complain(str(error))
        return USAGE
    except Closed:
        os.dup2(
            os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno()
        )  # nothing is left to complain at the end
        return CLOSED
    except (KeyboardInterrupt, typer.Abort):
        complain("interrupted")
        return UNKNOWN
    except Exception as error:
        if hasattr(error, "format_message"):  # the command line was wrong
            complain(one_line(error.format_message()))
            return USAGE
        if isinstance(error, OSError) and error.errno in FULL:
            complain(one_line(str(error.strerror)))
            return USAGE
        if os.environ.get("CUTPROOF_DEBUG") == "1":
            raise
        said = one_line(str(error))[:300]
        complain(f"{type(error).__name__}: {said}; {HINT}")
        return OURS


if __name__ == "__main__":
    sys.exit(main())
