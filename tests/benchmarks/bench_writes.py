"""Client writes a second through the reference implementation, beside the floor of two plain dict updates a write.

    python tests/benchmarks/bench_writes.py [rounds]

What is timed: `Cluster.submit`, `Cluster.step` and the audit at the end, so routing (xxh64 mod S), dispatch to two
nodes, deliveries, task queues, acknowledgement, and where every acknowledged write is; 16 writes in flight, interleaved
by the seeded scheduler, and 2 % of the deliveries to the new node fail. The migration is kept in dual writing: the
coordinator's turns are cut out, `cluster.moving` is emptied once both nodes have confirmed their fences.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

from cutproof.impl import Cluster
from cutproof.impl.record import Phase

WRITES, DOCUMENTS, IN_FLIGHT, SHARDS = 60_000, 5_000, 16, 64
KEYS = [f"doc-{i}" for i in range(DOCUMENTS)]


def dual_writing() -> Cluster:
    """A cluster in which every shard is written to on two nodes."""
    cluster = Cluster(["old"], SHARDS, seed=7)
    migration = cluster.move(range(SHARDS), "new")
    cluster.run_until(lambda: all(s.record.has_confirmed("old", "new") for s in migration.shards))
    assert all(s.record.phase in (Phase.DUAL, Phase.COPY) for s in migration.shards)
    cluster.moving.clear()
    cluster.faults.fail("new", rate=0.02)
    return cluster


def through_the_scheduler(cluster: Cluster) -> None:
    """All writes, at most `IN_FLIGHT` of them unanswered at any time, and the audit."""
    submit, step, answers = cluster.submit, cluster.step, cluster.network.answers
    answers.clear()
    flying, number = 0, 0
    while number < WRITES:
        while flying < IN_FLIGHT:
            submit(KEYS[number % DOCUMENTS], {"n": number})
            number += 1
            flying += 1
        step()
        if answers:
            flying -= len(answers)
            answers.clear()
    cluster.settle()
    assert cluster.audit().clean


def floor() -> None:
    """Two plain dict updates a write."""
    old: dict[str, dict[str, int]] = {}
    new: dict[str, dict[str, int]] = {}
    for number in range(WRITES):
        key, document = KEYS[number % DOCUMENTS], {"n": number}
        old[key] = document
        new[key] = document


def seconds(do: Callable[[], object]) -> float:
    """How long it takes."""
    start = time.perf_counter()
    do()
    return time.perf_counter() - start


def main(rounds: int = 5) -> None:
    """Both in turn, so that a noisy moment strikes both; medians."""
    times: list[float] = []
    floors: list[float] = []
    for _ in range(rounds):
        cluster = dual_writing()
        times.append(seconds(lambda c=cluster: through_the_scheduler(c)))  # type: ignore[misc]
        floors.append(seconds(floor))
        found, costs = cluster.audit(), cluster.costs
        assert found.clean, found
        assert costs.acknowledged + costs.failed + costs.refused == costs.writes == WRITES
    time_, floor_ = statistics.median(times), statistics.median(floors)
    print(
        f"{WRITES:,} writes, {IN_FLIGHT} in flight, {SHARDS} shards, 2 % of the deliveries to the new node fail"
    )
    print(f"through the scheduler  {WRITES / time_:12,.0f} writes/s  (median of {rounds})")
    print(f"two dict updates       {WRITES / floor_:12,.0f} writes/s")
    print(f"ratio                  {time_ / floor_:12.1f}")
    print(f"last round: {found}")
    print(f"{cluster.network.steps / WRITES:.2f} steps a write; {costs}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
