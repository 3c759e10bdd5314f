"""How fast a loss run is, by how many writes a migration has.

    python tests/benchmarks/bench_loss.py [rounds]

One core, mixed traffic at the default rates, so with anti-entropy passes, crashes, aborts, and the counting at the end.
Everything is run in turn, round by round; medians.
"""

from __future__ import annotations

import statistics
import sys
import time

from cutproof.checks.cutover.loss.sample import Counts, Setup
from cutproof.checks.cutover.loss.traffic import migrate

WRITES = 40_000
EACH = (100, 400, 1_000, 4_000)  # writes that a migration is given


def rate(each: int) -> float:
    """Acknowledged writes a second."""
    setup, counts = Setup(each=each), Counts()
    start = time.perf_counter()
    for number in range(WRITES // each):
        counts += migrate(setup, number)
    assert counts.acknowledged and not counts.lost
    return counts.acknowledged / (time.perf_counter() - start)


def main(rounds: int = 3) -> None:
    """Print a line for each size."""
    rates: dict[int, list[float]] = {}
    for _ in range(rounds):
        for each in EACH:
            rates.setdefault(each, []).append(rate(each))
    print(f"acknowledged writes a second, one core, median of {rounds}")
    for each, measured in rates.items():
        print(f"{each:6,} writes a migration: {statistics.median(measured):9,.0f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
