"""How many random runs it takes to find a violation, by how each run chooses its steps; and how
many steps it takes in a second of one core.

    python tests/benchmarks/bench_simulate.py            # the table of docs/guides/simulate.md; about half an hour
    python tests/benchmarks/bench_simulate.py lease      # only what has this in its name
    python tests/benchmarks/bench_simulate.py --rate     # steps a second alone; a minute

Of the cutover: without each safeguard, in the scope and under the policy where it is known to be needed, until the
property is violated in the way that it is there to prevent. Of the examples: without each guard whose absence violates
an *always* property.
"""

from __future__ import annotations

import copy
import sys
import time
from collections.abc import Iterator
from itertools import chain
from statistics import geometric_mean, median

from cutproof.checks.cutover.safeguards.necessity import NECESSARY, protocol_of
from cutproof.checks.engines.exploration import Limits
from cutproof.checks.engines.plain.explore import explore
from cutproof.checks.engines.simulate import together
from cutproof.checks.engines.simulate.coverage import Coverage
from cutproof.checks.engines.simulate.schedulers import SCHEDULERS
from cutproof.checks.engines.simulate.walk import Walker
from cutproof.checks.engines.verdict import Violated
from cutproof.model.examples.barrier import barrier
from cutproof.model.examples.dijkstra_mutex import dijkstra_mutex
from cutproof.model.examples.two_phase_commit import two_phase_commit
from cutproof.model.language.protocol import Protocol

SEEDS, RUNS, STEPS = range(5), 3_000, 100


def of_the_cutover() -> Iterator[tuple[str, Protocol]]:
    for experiment in NECESSARY:
        protocol = copy.copy(protocol_of(experiment))
        wanted = (experiment.property, experiment.harm)
        protocol.claims = tuple(c for c in protocol.claims if (c.property, c.harm) == wanted) or tuple(
            c for c in protocol.claims if c.property == experiment.property
        )
        yield f"{experiment.safeguard} {experiment.harm} in {experiment.scope_name}", protocol


def of_the_examples() -> Iterator[tuple[str, Protocol]]:
    for protocol in (two_phase_commit(3), barrier(3), dijkstra_mutex(3)):
        for action, guard in dict.fromkeys(
            (t.action, name) for t in protocol.transitions for name, _ in t.guards
        ):
            without = copy.copy(protocol.without_guard(action, guard))
            without.claims = tuple(c for c in without.claims if c.form == "always")
            found = explore(without, stop_at_first=True, limits=Limits(states=20_000))
            if any(isinstance(verdict, Violated) for verdict in found.verdicts):
                yield f"{protocol.name} {action}: {guard}", without


def until_found(protocol: Protocol, mode: str) -> list[int]:
    """By seed, how many runs until one violates; RUNS + 1 where none of so many does."""
    walker, counts = Walker(protocol, SCHEDULERS[mode], 0, STEPS), list[int]()
    for seed in SEEDS:
        walker.seed = seed
        found = (n + 1 for n in range(RUNS) if walker.run(n, True).ended == "violation")
        counts.append(next(found, RUNS + 1))
    return counts


def rates() -> None:
    """Coverage included. One by one, and many at once, as `simulate` goes on after some hundred runs."""
    print("| steps a second | | " + " | ".join(SCHEDULERS) + " |\n|---|---|" + "---:|" * len(SCHEDULERS))
    cases = [("two_phase_commit 3", two_phase_commit(3)), ("dijkstra-mutex 3", dijkstra_mutex(3))]
    cases += [
        (e.scope_name, protocol_of(e)) for e in NECESSARY if e.safeguard in ("fence_epoch", "sweep_tie_break")
    ]
    for name, protocol in cases:
        for how, alone in (("one by one", sys.maxsize), ("many at once", 0)):
            together.ALONE = alone
            cells = [f"{rate(protocol, mode):,.0f}" for mode in SCHEDULERS]
            print(f"| {name} | {how} | " + " | ".join(cells) + " |", flush=True)


def rate(protocol: Protocol, mode: str) -> float:
    """Steps a second of one core's time, over the first four."""
    coverage, runs = Coverage(), together.Runs(Walker(protocol, SCHEDULERS[mode], 0, STEPS))
    started = time.process_time()
    while (seconds := time.process_time() - started) < 4:
        runs.cover(coverage, coverage.runs, None, stop=False)
    return coverage.steps / seconds


def main(words: list[str]) -> None:
    if words == ["--rate"]:
        rates()
        return
    print(f"median runs until found, of {len(SEEDS)} seeds; at most {RUNS:,} runs of at most {STEPS} steps\n")
    print("| | " + " | ".join(SCHEDULERS) + " |\n|---" * 1 + "|---:" * len(SCHEDULERS) + "|")
    every: dict[str, list[float]] = {mode: [] for mode in SCHEDULERS}
    for name, protocol in chain(of_the_examples(), of_the_cutover()):
        if all(word in name for word in words):
            cells = []
            for mode in SCHEDULERS:
                middle = median(until_found(protocol, mode))
                every[mode].append(middle)
                cells.append(f"{middle:,.0f}" if middle <= RUNS else f"> {RUNS:,}")
            print(f"| {name} | " + " | ".join(cells) + " |", flush=True)
    means = (f"{geometric_mean(found):,.0f}" for found in every.values())
    missed = (str(sum(one > RUNS for one in found)) for found in every.values())
    print("| geometric mean | " + " | ".join(means) + " |\n| not found | " + " | ".join(missed) + " |")


if __name__ == "__main__":
    main(sys.argv[1:])
