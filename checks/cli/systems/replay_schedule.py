"""`cutproof replay` of a schedule: performed again on a system, which the command line names."""

from __future__ import annotations

from pathlib import Path as File

from cutproof.checks.cli.console import say, say_json
from cutproof.checks.cli.pipelines import cases
from cutproof.checks.cli.systems.programs import system
from cutproof.checks.common import files
from cutproof.checks.common.refusals import Wrong, refuse

HEAD = 4096  # bytes in which a file says what it is


def is_schedule(name: str) -> bool:
    """Whether a file says that it is a schedule."""
    from cutproof.checks.cutover.conformance.steps import LARGEST, looks_like_one

    try:
        return name.endswith(".schedule.json") or looks_like_one(files.content(File(name), LARGEST)[:HEAD])
    except (OSError, ValueError):
        return False


def replay_schedules(
    chosen: list[str], on: str, program: list[str], expect: str, json_lines: bool
) -> list[int]:
    """Perform each of them; the exit codes."""
    if on in ("model", ""):
        on = ""
        if not program:
            refuse(f"{chosen[0]}: is a schedule; say on what it is performed: --on ADAPTER.py[:NAME], --on impl, or "
                   "-- PROGRAM")  # fmt: skip
    if on == "impl":
        from cutproof.checks.cutover.conformance.reference import Reference

        return [_one(file, Reference, expect, json_lines, len(chosen) > 1) for file in chosen]
    with system(on, program) as adapter:
        return [_one(file, adapter, expect, json_lines, len(chosen) > 1) for file in chosen]


def _one(file: str, adapter: type, expect: str, json_lines: bool, many: bool) -> int:
    from cutproof.checks.cli.reports import conformance as report
    from cutproof.checks.cli.reports import replays
    from cutproof.checks.cutover.conformance import conform, steps

    try:
        schedule = steps.read(file)
    except Wrong as error:
        if not many:
            raise
        say(replays.refused(file, str(error)))
        cases.case("replay", file, cases.ERRED, f"refused: {error}")
        return replays.REFUSED
    found = conform.replay(schedule, adapter)
    code, verdict = report.replayed(schedule, found, expect == "fixed")
    outcome = {0: cases.PASSED, report.ERRED: cases.ERRED}.get(code, cases.FAILED)
    cases.case("replay", file, outcome, f"{verdict}: {found.reason}" if found else verdict)
    if json_lines:
        say_json({"checked": "schedule", "verdict": verdict, "schedule": file, "steps": len(schedule.steps),
                  "reason": found.reason if found else None,
                  "recorded": schedule.found.reason if schedule.found else None})  # fmt: skip
    elif many:
        say(f"{verdict:14}  {file}  {len(schedule.steps)} steps  {found.reason if found else ''}".rstrip())
    else:
        say(f"{verdict}: {file}", *([found.reason, *report.told(found)] if found else []))
    return code
