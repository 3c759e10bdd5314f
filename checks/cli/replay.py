"""The command `cutproof replay`."""

from __future__ import annotations

from pathlib import Path as File
from typing import TYPE_CHECKING, Annotated

import typer

from cutproof.checks.cli.arguments import protocol_of_trace, settings_of
from cutproof.checks.cli.console import Json, say, say_json
from cutproof.checks.common.refusals import checked, refuse

if TYPE_CHECKING:  # what takes a while to import is imported where it is used
    pass

NOT_REPRODUCED = 1


def replay(
    file: Annotated[File, typer.Argument(help="A trace: *.itf.json")],
    on: Annotated[
        str, typer.Option("--on", help="model, or impl: the reference implementation too.")
    ] = "model",
    json_lines: Json = False,
) -> int:
    """Replay a trace: each step, what it changed, and whether it ends as the trace says."""
    from cutproof.checks.cli.reports import explorations as report
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
        say(*account(result))
    return 0 if result.reproduced else NOT_REPRODUCED
