"""Bounded search in Z3, for all policies at once: every policy and the fewest steps to harm.

    python -m cutproof.checks.cutover.gate.bounded [DEPTH]     # beside docs/policies.csv

The search is `checks/engines/proof/bounded.py`; what is known of the policies stands in docs/policies.csv.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable
from pathlib import Path as File
from typing import Any

from cutproof.checks.engines.proof.bounded import Bounded, Progress, Search
from cutproof.model.cutover.coordinator import cutover
from cutproof.model.cutover.policy import Policy, policies, resolve
from cutproof.model.cutover.scopes import SMALL_SCOPES

# ------------------------------------------------------------------ every policy


def refute(
    alone: bool, depth: int, wanted: Iterable[str] = (), progress: Progress | None = None
) -> tuple[tuple[Any, ...], Bounded]:
    """The distinct records of all policies with RF * RG = 1 (`alone`) or more, and what is refuted of them."""
    records = tuple(dict.fromkeys(resolve(p) for p in policies() if p.replicas is not alone))
    search = Search(cutover(SMALL_SCOPES["gate_alone" if alone else "gate"]), records, wanted)
    return records, search.run(depth, progress)


def fewest(depth: int, wanted: Iterable[str] = (), progress: Progress | None = None) -> dict[Policy, int]:
    """By policy, the fewest steps to a violation, where there is one within `depth`."""
    found = {}
    for alone in (False, True):
        records, bounded = refute(alone, depth, tuple(wanted), progress)
        if bounded.unknown is not None:
            raise TimeoutError(f"Z3 gave no answer at depth {bounded.unknown}")
        steps = {records[i]: n for i, n in bounded.steps().items()}
        found.update(
            {p: steps[resolve(p)] for p in policies() if p.replicas is not alone and resolve(p) in steps}
        )
    return found


def main(arguments: list[str]) -> int:
    """Refute the unsafe policies within a depth, and print how many. Exit code 2 for wrong usage."""
    if len(arguments) > 1 or any(not a.isascii() or not a.isdigit() or len(a) > 3 for a in arguments):
        print("usage: python -m cutproof.checks.cutover.gate.bounded [DEPTH]", file=sys.stderr)
        return 2
    if not File("docs/policies.csv").is_file():
        print("bounded: docs/ is not here; run this from the root of a checkout", file=sys.stderr)
        return 2
    depth = int(arguments[0]) if arguments else 18

    def progress(k: int, refuted: int, among: int, seconds: float) -> None:
        print(
            f"depth {k}: {refuted} of {among} records of mechanisms refuted, {seconds:.0f} s",
            file=sys.stderr,
            flush=True,
        )

    found = fewest(depth, progress=progress)
    with File("docs/policies.csv").open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    always = {p.name for p in cutover(SMALL_SCOPES["gate"]).properties if p.form == "always"}
    differ = 0
    for policy, row in zip(policies(), rows, strict=True):
        least = min((int(row[name]) for name in always & row.keys() if row[name]), default=None)
        differ += (least if least is not None and least <= depth else None) != found.get(policy)
    print(f"{len(found):,} policies refuted within {depth} steps; {differ} differ from docs/policies.csv")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
