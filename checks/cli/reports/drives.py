"""What driving a program found, as text and as facts, and the trace that is written of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path as File
from typing import Any

from cutproof.checks.cli.pipelines.cases import ERRED, FAILED, PASSED, UNKNOWN, case
from cutproof.checks.drivers.driving.outcome import Driving
from cutproof.checks.traces.story import story
from cutproof.checks.traces.trace import Trace, write
from cutproof.checks.views.carried import pictured


def driven(found: Driving, trace: Trace | None, file: str, again: str) -> list[str]:
    """What failed, with its story and how to perform it again; then what was covered."""
    lines = []
    if found.failure is not None:
        first, *rest = found.failure.lines(found.walking)
        lines += [f"{'found' if found.outcome == 'found' else 'erred'}: {found.name}: {first}", *rest, ""]
        if trace is not None:
            lines += [*story(trace, found.walking.whole)[4:], ""]
        if file:
            lines += [f"{file}: perform it again by {again}", ""]
    elif found.outcome == "not exercised":
        why = "its state() never showed a variable" if found.steps else "no step of the protocol was driven"
        lines.append(f"not exercised: {found.name}: {why}")
    elif found.outcome == "cut off":
        lines.append(f"cut off: {found.name}: {found.ended}; nothing was found until then")
    else:
        lines.append(f"nothing found: {found.name}: in equal states after each step of these runs")
    return [*lines, *covered(found)]


def case_of(found: Driving, again: str, driver: str) -> None:
    """What came of it, for whoever counts; `driver` is what was named on the command line."""
    outcome = {"found": FAILED, "the driver failed": ERRED, "nothing found": PASSED}.get(
        found.outcome, UNKNOWN
    )
    first, *rest = found.failure.lines(found.walking) if found.failure else (covered(found)[0],)
    file = driver.rpartition(".py")[0] + ".py" if ".py" in driver else ""
    case(
        f"{found.walking.whole.name} on {found.name}", "in equal states", outcome, f"{found.outcome}: {first}",
        again=again, place=(file, 1), seconds=found.seconds, details=rest,
    )  # fmt: skip


def covered(found: Driving) -> list[str]:
    """What the runs covered, and what they left out."""
    taken = f"{_many(found.runs, 'run')}, {_many(found.steps, 'step')}"
    if found.shard[1] > 1:
        taken = f"shard {found.shard[0] + 1} of {found.shard[1]}: {taken}"
    if found.edges is None:
        why = f" ({found.why_drawn})" if found.why_drawn else ""
        lines = [
            f"{taken}, drawn by seed {found.seed}{why}: {_many(found.covered, 'different edge')}; how many there are "
            "is not known"
        ]
    else:
        lines = [
            f"{taken}: {found.covered:,} of {_many(found.edges, 'edge')}, in {_many(found.states, 'state')}"
        ]
    if found.begun < found.beginnings:
        lines.append(
            f"begun in {found.begun:,} of {found.beginnings:,} initial states: the driver has no start(state)"
        )
    if found.tried:
        lines.append(f"{_many(found.tried, 'step')} that the protocol forbids were tried")
    elif found.outcome == "nothing found":
        lines.append("what the protocol forbids was not tried: --refusals does that")
    if found.undriven:
        names = ", ".join(f"{name}{hint.replace(';', ',')}" for name, hint in found.undriven.items())
        left = f", {_many(found.left_out, 'edge')} in these states" if found.left_out else ""
        lines.append(f"not driven: {names}{left}")
    comparing = found.walking.comparing
    if hidden := [name for name in comparing.variables if name not in comparing.compared]:
        lines.append(f"not compared: {', '.join(hidden)}")
    if found.never_taken and found.failure is None:
        lines.append(f"never taken: {', '.join(found.never_taken)}")
    return lines


def facts(found: Driving, file: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The same for machines."""
    failure, walking = found.failure, found.walking
    return {
        "checked": walking.whole.name,
        "driver": found.name,
        "outcome": found.outcome,
        "failure": failure and {
            "kind": failure.kind,
            "said": failure.headline(walking),
            "steps": [walking.label(n) for n in failure.transitions],
            "attempt": None if failure.attempt is None else walking.label(failure.attempt),
            "differences": [{"field": d.field, "model": d.model, "program": d.program} for d in failure.differences],
            "run": failure.run,
        },
        "trace": file or None,
        "reason": found.ended,
        "seed": found.seed,
        "shard": list(found.shard),
        "runs": found.runs,
        "steps": found.steps,
        "edges_covered": found.covered,
        "edges": found.edges,
        "states": found.states,
        "edges_not_driven": found.left_out,
        "not_driven": list(found.undriven),
        "never_taken": found.never_taken,
        "taken": found.taken,
        "forbidden_tried": found.tried,
        "beginnings": [found.begun, found.beginnings],
        "seconds": round(found.seconds, 3),
        "scope": settings["scope"],
        "policy": settings["policy"],
        "removed": list(settings["safeguards_removed"]),
    }  # fmt: skip


def write_trace(found: Driving, trace: Trace, folder: File) -> tuple[str, str]:
    """Write the trace into a folder, over that of an earlier failure of the same kind; the file, and what stands in the
    way."""
    failure = found.failure
    assert failure is not None
    action = found.walking.called(failure.failing)[0] if failure.failing is not None else "start"
    name = re.sub(r"[^\w.=-]+", "-", "-".join((found.walking.whole.name, found.name, failure.kind, action)))
    file = folder / f"{name[:100]}.itf.json"
    try:
        write(pictured(trace, found.walking.whole), file, overwrite=True)
    except OSError as error:
        return "", f"{folder}: {error.strerror or error}"
    return str(file), ""


def _many(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
