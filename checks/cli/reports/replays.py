"""What replays found: a story for one trace, a line for each of several, facts for machines, and the exit code."""

from __future__ import annotations

import shlex
from typing import Any

from cutproof.checks.cli.pipelines.cases import ERRED, FAILED, PASSED, UNKNOWN, case
from cutproof.checks.traces.replay import Replay
from cutproof.checks.traces.story import facts_of

REPRODUCED, NOT_REPRODUCED, REFUSED, NOT_JUDGED, NOT_PERFORMED = 0, 1, 2, 3, 4
WORST = (REFUSED, NOT_REPRODUCED, NOT_PERFORMED, NOT_JUDGED, REPRODUCED)


def code_of(result: Replay, expect_fixed: bool) -> int:
    """The exit code of one replay. Where the fault is expected to be fixed: 0 it is gone, 1 it is there, 3 not judged,
    4 the trace could not be performed, so nothing is known."""
    if result.unjudged:
        return NOT_JUDGED
    if expect_fixed:
        return {True: 0, False: 1, None: NOT_PERFORMED}[result.fixed]
    return REPRODUCED if result.reproduced else NOT_REPRODUCED


def worst(codes: list[int]) -> int:
    """One code for several replays."""
    return next(code for code in WORST if code in codes)


def expected(result: Replay) -> str:
    """What the replay says of a fault that should be fixed."""
    if result.unjudged:
        return "fixed? not judged"
    return {
        True: "fixed: what the trace shows is gone",
        False: "not fixed: what the trace shows is there",
        None: "fixed? not known: the trace could not be performed as it was recorded",
    }[result.fixed]


def row(result: Replay, file: str) -> str:
    """A replay as one line."""
    meta, stopped = result.trace.meta, result.divergence
    claim = " ".join(filter(None, (meta.property or meta.form, meta.harm and f"({meta.harm})")))
    many = f"{len(result.trace.steps)} step{'' if len(result.trace.steps) == 1 else 's'}"
    if stopped:
        where = f"step {stopped.number}, {stopped.step}, " if stopped.step else ""
        claim += f": {where}{stopped.reason}"
    elif result.unjudged:
        claim += f": {result.unjudged}"
    return f"{result.verdict:14}  {file}  {many}  {claim}".rstrip()


def case_of(result: Replay, file: str, expect_fixed: bool) -> None:
    """A replay for whoever counts."""
    code = code_of(result, expect_fixed)
    outcome = {REPRODUCED: PASSED, NOT_JUDGED: UNKNOWN, NOT_PERFORMED: ERRED}.get(code, FAILED)
    said = expected(result) if expect_fixed else " ".join(row(result, file).replace(file, "", 1).split())
    case("replay", file, outcome, said, again=f"cutproof replay {shlex.quote(file)}")


def refused(file: str, reason: str) -> str:
    """A file that is no trace, or of nothing that is known, as one line."""
    return f"{'refused':14}  {reason if reason.startswith(file) else f'{file}: {reason}'}"


def facts(result: Replay, file: str) -> dict[str, Any]:
    """The facts of a replay for machines."""
    meta, stopped = result.trace.meta, result.divergence
    return {
        "checked": meta.protocol,
        "verdict": result.verdict,
        "property": meta.property,
        "form": meta.form,
        "harm": meta.harm,
        "depth": len(result.walked),
        "reason": stopped.reason if stopped else result.unjudged or result.checked,
        "step": stopped.number if stopped else None,
        "false_guards": list(stopped.false_guards) if stopped else [],
        "enabled": list(stopped.enabled) if stopped else [],
        "differences": [str(d) for d in stopped.differences] if stopped else [],
        "notes": list(result.notes),
        "fixed": result.fixed,
        "trace": file,
        "scope": meta.scope,
        "policy": meta.policy,
        "removed": list(meta.safeguards_removed),
        "steps": facts_of(result),
    }
