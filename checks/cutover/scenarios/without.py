"""What the scenarios notice: each safeguard is removed in turn, and each scenario is run without it.

A scenario *notices* if one of its checks fails, or if the run ends in an error. The ones with a hundred thousand
writes and more are left out, and the two that are about the gates.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cutproof.checks.common.workers import in_workers
from cutproof.checks.cutover.scenarios.report import table
from cutproof.checks.cutover.scenarios.runner import run
from cutproof.checks.cutover.scenarios.scenarios import Form, find
from cutproof.model.cutover.safeguards import AS_WRITTEN, HARDENED, SAFEGUARDS

PLAYED = (1, 2, 3, 5, 9, 12, 13, 14, 15, 16, 17, 18, 19)
LOSES = 2  # it shows what is lost without a delta pass
SEED = "all that the seed's design lacks"


@dataclass(frozen=True)
class Noticed:
    """Which scenarios notice that some safeguards are missing, by form; `lost` counts the documents that are lost in
    all of them together, but for the one that has to lose some."""

    name: str
    by: dict[Form, tuple[int, ...]]
    lost: dict[Form, int]


def variants() -> dict[str, tuple[str, ...]]:
    """What is removed, by its name: each safeguard, and all that the seed's design lacks."""
    return {**{name: (name,) for name in SAFEGUARDS}, SEED: tuple(sorted(HARDENED - AS_WRITTEN))}


def noticed(name: str) -> Noticed:
    """Run every scenario in both forms without a safeguard."""
    removed, by, lost = variants()[name], {}, {}
    for form in Form:
        numbers, documents = [], 0
        for number in PLAYED:
            try:
                outcome = run(find(number), form, without=removed)
            except Exception:  # whatever it is, it would not have gone unnoticed
                numbers.append(number)
                continue
            documents += outcome.figures.lost if number != LOSES else 0
            if not outcome.passed:
                numbers.append(number)
        by[form], lost[form] = tuple(numbers), documents
    return Noticed(name, by, lost)


def all_noticed(names: Iterable[str] | None = None, workers: int = 2) -> list[Noticed]:
    """Every variant, in order."""
    return list(in_workers(noticed, variants() if names is None else names, workers))


def without_part(found: Sequence[Noticed]) -> str:
    """The table, and how many are noticed at all."""
    pure, mixed = Form
    single = [n for n in found if n.name != SEED]
    counts = {form: sum(bool(n.by[form]) for n in single) for form in Form}
    either = sum(any(n.by.values()) for n in single)
    said = (
        f"{either} of {len(single)} missing safeguards are noticed by some scenario in some form: "
        f"{counts[pure]} in the pure form, {counts[mixed]} in the mixed one."
    )
    head = ["without", "noticed by, pure", "documents lost", "noticed by, mixed", "documents lost"]
    rows = [
        [n.name, *(cell for form in Form for cell in (_numbers(n.by[form]), f"{n.lost[form]:,}"))]
        for n in found
    ]
    return f"{said}\n\n{table(head, rows, (2, 4))}"


def _numbers(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers)) or "none"
