"""What was found in a store, or in a schedule that was performed again, as text, as facts for machines, as exit
codes."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

from cutproof.checks.cli.pipelines.cases import ERRED as ERROR
from cutproof.checks.cli.pipelines.cases import FAILED, NOWHERE, case
from cutproof.checks.cutover.conformance import conform
from cutproof.checks.cutover.conformance.steps import write

SAFETY, LIVENESS, UNKNOWN, ERRED = 12, 13, 3, 4
LONG = 60  # characters of a reason that become part of the name of a file


def code_of(report: conform.Report) -> int:
    """Of a report: 0, or 3 where it says nothing."""
    return UNKNOWN if report.missing() or report.stopped else 0


def code_of_finding(found: conform.NotConforming) -> int:
    """Of a failure."""
    if isinstance(found, conform.AdapterFailed):
        return ERRED
    return LIVENESS if isinstance(found, conform.NotServed) else SAFETY


def saved(found: conform.NotConforming, folder: Path) -> tuple[str, str]:
    """Write the schedule of a failure; its file, and what stands in the way. A file of another one is not replaced."""
    if found.data is None:
        return "", ""
    about = re.sub(r"[^a-z0-9]+", "-", found.reason.lower().partition(":")[0])[:LONG].strip("-") or "failure"
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", found.data.system)[:LONG].strip("-.") or "system"
    for number in range(1, 1000):
        file = folder / f"{name}-{about}{'' if number == 1 else f'-{number}'}.schedule.json"
        try:
            write(file, found.data)
        except FileExistsError:
            continue
        except OSError as error:
            return "", f"--trace {folder}: {error.strerror or error}"
        return str(file), ""
    return "", f"--trace {folder}: holds a thousand schedules of this name; empty it"


def finding(found: conform.NotConforming, file: str, system: str) -> list[str]:
    """A failure, told."""
    says_so = isinstance(found, conform.AdapterFailed | conform.NotServed)  # the reason says what kind it is
    lines = [found.reason if says_so else f"{kind_of(found)}: {found.reason}"]
    if found.run:
        short = "; no step, and no two, can be left out" if found.whole else ""
        lines.append(f"found in run {found.run}; a short schedule that shows it{short}:")
    lines += [*told(found), *_exchanges(found)]
    if file:
        lines += ["", f"saved: {file}", again(file, system)]
    return lines


def again(file: str, system: str) -> str:
    """The command that performs a schedule again on a system."""
    return f"cutproof replay {shlex.quote(file)} {system if system.startswith('-- ') else f'--on {system}'}"


def case_of_finding(found: conform.NotConforming, file: str, system: str, adapter: str) -> None:
    """A failure for whoever counts; `adapter` is what was named on the command line."""
    about = found.data.system if found.data else system
    outcome = ERROR if isinstance(found, conform.AdapterFailed) else FAILED
    source = Path(adapter.rpartition(".py")[0] + ".py") if ".py" in adapter else None
    case(
        about, "conforms", outcome, f"{kind_of(found)}: {found.reason}", again=again(file, system) if file else "",
        place=(str(source), 1) if source else NOWHERE, details=told(found),
    )  # fmt: skip


def _exchanges(found: conform.NotConforming) -> list[str]:
    """The last lines to and from a program, and what it logged."""
    cause = found.__cause__
    logged = [f"  stderr: {line}" for line in getattr(cause, "stderr", ())]
    last = [f"  {line}" for line in getattr(cause, "exchanges", ())]
    return ["the last lines to it (>) and from it (<):", *last, *logged] if last or logged else []


def told(found: conform.NotConforming) -> list[str]:
    """Its steps, in lanes where the system shows what its nodes hold."""
    if list(found.lanes) == list(found.schedule):
        return [f"{n:4}. {line}" for n, line in enumerate(found.schedule, 1)]
    return [f"  {line}" for line in found.lanes]


def kind_of(found: conform.NotConforming) -> str:
    """What kind of failure it is, in words."""
    kinds = {
        conform.AdapterFailed: "the adapter erred",
        conform.NotServed: "clients wait for ever",
        conform.DiffersFromOracle: "it differs from the oracle",
    }
    return kinds.get(type(found), "a promise was broken")


def facts_of_finding(found: conform.NotConforming, file: str) -> dict[str, Any]:
    """A failure for machines."""
    return {
        "verdict": "found", "kind": type(found).__name__, "reason": found.reason, "run": found.run,
        "schedule": list(found.schedule), "shortest": found.whole, "file": file or None,
    }  # fmt: skip


def replayed(schedule: conform.Schedule, found: conform.NotConforming | None, fixed: bool) -> tuple[int, str]:
    """The exit code of a schedule that was performed again, and the verdict in words. Where it is expected to be
    fixed: 0 nothing was found, 1 something was, 4 it could not be performed."""
    recorded = schedule.found.kind if schedule.found else ""
    same = found is not None and recorded in ("", type(found).__name__)
    if fixed:
        if found is None:
            return 0, "fixed"
        erred = isinstance(found, conform.AdapterFailed) and not same
        return (ERRED, "not performed") if erred else (1, "not fixed")
    if same:
        return 0, "reproduced"
    return 1, "not reproduced" if found is None else f"not reproduced: {kind_of(found)} instead"
