"""Programs with planted faults, driven: what is found of each, as a table of docs/driven.md.

python tests/driven/planted.py            # some minutes; writes the page anew
python tests/driven/planted.py commit     # one program, to stdout
"""

# ruff: noqa: E402  what is imported stands in folders that pytest is told of

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import ModuleType

HERE = Path(__file__).resolve().parent
if __name__ == "__main__":
    sys.path.insert(0, str(HERE.parent / "support"))

import commit_program
import cutover_program
import lease_program
from places import DOCS

from cutproof.checks.cutover.evidence import replaced
from cutproof.checks.drivers.driving.drive import drive
from cutproof.checks.drivers.driving.outcome import Driving
from cutproof.model.cutover.safeguards import SAFEGUARDS

PROGRAMS: dict[str, ModuleType] = {
    "commit": commit_program, "lease": lease_program, "cutover": cutover_program,
}  # fmt: skip
PAGE = DOCS / "driven.md"
FAULTS = {
    "commit": dict(commit_program.FAULTS),
    "lease": dict(lease_program.FAULTS),
    "cutover": {n: SAFEGUARDS[n].without for n in (*cutover_program.FAULTS, *cutover_program.ALLOWING)},
}
CASES = [(program, fault) for program, faults in FAULTS.items() for fault in faults]
STEPS = 100


def driven(program: str, fault: str = "", scope: str = "base") -> Driving:
    """The program, with a fault or none, driven through its model; what the model forbids is tried too, but by the
    cutover, where that is said for a few."""
    module = PROGRAMS[program]
    if program != "cutover":
        return drive(module.model(), partial(module.Driver, fault), refusals=True)
    known = {**cutover_program.FAULTS, **cutover_program.ALLOWING}
    scope, runs = known.get(fault, (scope, 0))
    tried = fault in cutover_program.ALLOWING
    made = partial(cutover_program.Driver, fault, scope)
    return drive(cutover_program.model(scope), made, runs=runs or None, steps=STEPS, refusals=tried)


# ------------------------------------------------------------------ the page


def clean_rows() -> Iterator[str]:
    """The programs without a fault: nothing may be found, and every edge must be covered."""
    yield "| program | states | edges | covered | runs | steps | forbidden steps tried | found |"
    yield "|---|---:|---:|---:|---:|---:|---:|---|"
    for program in PROGRAMS:
        found = driven(program)
        yield (
            f"| {program} | {found.states:,} | {found.edges:,} | {found.covered:,} | {found.runs:,} | "
            f"{found.steps:,} | {found.tried:,} | {found.outcome} |"
        )


def rows(program: str) -> Iterator[str]:
    """What is found of each fault of a program."""
    yield "| fault | what it is | kind | in run | edges till then | shortest run |"
    yield "|---|---|---|---:|---:|---|"
    for fault, sentence in FAULTS[program].items():
        found = driven(program, fault)
        failure = found.failure
        if failure is None:
            yield f"| {fault} | {sentence} | **not found** | | {found.covered:,} | |"
            continue
        steps = len(failure.transitions)
        last = "" if failure.failing is None else found.walking.label(failure.failing)
        where = (
            f"{steps} steps, then `{last}`"
            if failure.attempt is not None
            else f"{steps} steps, the last `{last}`"
        )
        yield f"| {fault} | {sentence} | {failure.kind} | {found.found_after:,} | {found.covered:,} | {where} |"


def main(arguments: list[str]) -> None:
    """Write the page, or print the table of the programs that are named."""
    if arguments:
        for program in arguments:
            print("\n".join(rows(program)))
        return
    text = PAGE.read_text("utf-8")
    text = replaced(text, "clean", "\n".join(clean_rows()))
    for program in PROGRAMS:
        text = replaced(text, program, "\n".join(rows(program)))
    PAGE.write_text(text, "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
