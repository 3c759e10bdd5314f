"""Operations a second over the wire, beside the same calls in process.

    python tests/benchmarks/drivers/bench_wire.py [rounds]                  # against the adapter below, served in
    Python python tests/benchmarks/drivers/bench_wire.py [rounds] -- ./my-program  # any other program

An operation is a call of the adapter, so a round trip: a request is written, and its reply is read. A run of a few
operations shows what `reset` and `stop` cost, and that it costs no process. Median of the rounds; on a busy machine
the best round is shown too.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence

from cutproof.checks.drivers.adapter import Adapter
from cutproof.checks.drivers.wire.client import adapter_of

OPERATIONS, RUNS, NODES = 20_000, 1_000, ["node-0", "node-1"]
SERVER = [sys.executable, "-m", "cutproof.checks.drivers.wire.server", f"{__file__}:Dictionary"]


class Dictionary(Adapter):
    """One dictionary, in which nothing ever moves: what is measured is the way to it."""

    def start(self, nodes: Sequence[str], shards: int, seed: int) -> None:
        self.documents: dict[str, str] = {}

    def put(self, key: str, value: str) -> str:
        self.documents[key] = value
        return "acknowledged"

    def get(self, key: str) -> str | None:
        return self.documents.get(key)

    def begin_migration(self, node: str) -> None:
        pass

    def advance(self) -> bool:
        return False

    def phase(self) -> str:
        return "idle"


def started(adapter: type[Adapter]) -> Adapter:
    """A run that has begun."""
    system = adapter()
    system.start(NODES, 2, 0)
    return system


def puts(system: Adapter) -> int:
    """So many puts."""
    for number in range(OPERATIONS):
        system.put("doc-1", f"value-{number}")
    return OPERATIONS


def gets(system: Adapter) -> int:
    """So many gets."""
    for _ in range(OPERATIONS):
        system.get("doc-1")
    return OPERATIONS


def advances(system: Adapter) -> int:
    """So many steps, each with a look at the phase, which needs no round trip of its own."""
    for _ in range(OPERATIONS):
        system.advance()
        system.phase()
    return OPERATIONS


def runs(system: Adapter) -> int:
    """So many runs of one put each."""
    for _ in range(RUNS):
        system.stop()
        system = started(type(system))
        system.put("doc-1", "value-1")
    return RUNS


def rate(do: Callable[[Adapter], int], adapter: type[Adapter]) -> tuple[float, float]:
    """How many a second, and how many microseconds of our own processor time each takes."""
    system = started(adapter)
    before, start = os.times(), time.perf_counter()
    number = do(system)
    taken, after = time.perf_counter() - start, os.times()
    system.stop()
    return number / taken, 1e6 * (after.user + after.system - before.user - before.system) / number


def main(rounds: int, command: Sequence[str]) -> None:
    """Each operation in turn, over the wire and in process."""
    wire = adapter_of(command, seconds=60)
    adapters: dict[str, type[Adapter]] = {"wire": wire, "in process": Dictionary}  # type: ignore[dict-item]
    print(f"{'':8} {'':10} {'median':>12} {'best':>12} {'our cpu':>10}")
    for do in (puts, gets, advances, runs):
        for name, adapter in adapters.items():
            found = [rate(do, adapter) for _ in range(rounds)]
            median, best = statistics.median(r for r, _ in found), max(r for r, _ in found)
            spent = statistics.median(c for _, c in found)
            print(f"{do.__name__:8} {name:10} {median:10,.0f}/s {best:10,.0f}/s {spent:7.1f} us")
    wire.close()


if __name__ == "__main__":
    given = sys.argv[1:]
    own = given[given.index("--") + 1 :] if "--" in given else []
    main(int(given[0]) if given and given[0].isdigit() else 5, own or SERVER)
