"""Sampling against exploration: without each safeguard, what runs near the boundary lose, beside the shortest trace.

python -m cutproof.checks.cutover.loss.against_exploration              # docs/evidence.md; ten minutes
python -m cutproof.checks.cutover.loss.against_exploration --check      # exit 1 if anything would change
python -m cutproof.checks.cutover.loss.against_exploration keyset wipe  # only print what has such words in its name
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from cutproof.checks.common.binomial import interval
from cutproof.checks.common.workers import exit_code_of, in_workers
from cutproof.checks.cutover.evidence import path_of, replaced
from cutproof.checks.cutover.loss.boundary import migrate
from cutproof.checks.cutover.loss.sample import NEAR, Counts, Setup
from cutproof.checks.cutover.safeguards.necessity import NECESSARY, Experiment
from cutproof.checks.traces import trace as traces

MOST = 20_000  # runs for each safeguard
ENOUGH = 10  # runs that saw the harm
BATCH = 250
FILE, PART = Path("docs/evidence.md"), "sampling"


def setup_of(experiment: Experiment) -> Setup:
    """Runs near the boundary without the safeguard of an experiment, in its scope and under its policy."""
    return Setup(
        experiment.policy,
        tuple(sorted(experiment.removed)),
        None,
        NEAR,
        traffic="boundary",
        scope=experiment.scope_name,
    )


@dataclass(frozen=True)
class Sampled:
    """What runs without a safeguard saw. `first` is the number of the first run that saw its harm, from 0."""

    experiment: Experiment
    counts: Counts
    first: int | None

    @property
    def harmed(self) -> int:
        """The runs that saw the harm."""
        return self.counts.seen[self.experiment.harm]


def sampled(experiment: Experiment, most: int = MOST, enough: int = ENOUGH) -> Sampled:
    """Run until enough runs saw the harm, or so many were made."""
    setup, counts, first, number = setup_of(experiment), Counts(), None, 0
    while number < most and counts.seen[experiment.harm] < enough:
        for _ in range(min(BATCH, most - number)):
            found = migrate(setup, number)
            if first is None and found.seen[experiment.harm]:
                first = number
            counts += found
            number += 1
    return Sampled(experiment, counts, first)


def sample_all(experiments: Iterable[Experiment], most: int = MOST, workers: int = 2) -> Iterator[Sampled]:
    """Each in turn, in the order of the experiments."""
    return in_workers(partial(sampled, most=most), experiments, workers)


def line(found: Sampled) -> str:
    """One safeguard on a line."""
    counts = found.counts
    said = f"first in run {found.first:,}" if found.first is not None else "not seen"
    return (
        f"{found.experiment.file:55} {counts.migrations:7,} runs {counts.acknowledged:7,} acknowledged "
        f"{found.harmed:5,} harmed  {said}"
    )


def table(all_found: Iterable[Sampled], folder: Path) -> str:
    """The comparison, in markdown."""
    lines = [
        "| safeguard | harm | runs | acknowledged | runs that saw the harm | lost for good | first run | in 1,000 runs "
        "(95 %) | shortest trace |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for found in all_found:
        experiment, counts = found.experiment, found.counts
        low, high = (1000 * rate for rate in interval(found.harmed, counts.migrations))
        name = experiment.safeguard + (f" ({experiment.note})" if experiment.note else "")
        first = "none" if found.first is None else f"{found.first:,}"
        path = path_of(experiment, folder)
        steps = len(traces.read(path).steps)
        lines.append(
            f"| {name} | {experiment.harm} | {counts.migrations:,} | {counts.acknowledged:,} | {found.harmed:,} | "
            f"{counts.lost_for_good + counts.lost_outside:,} | {first} | {low:.3g} to {high:.3g} | "
            f"[{steps} steps](../traces/{path.name}) |"
        )
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """Exit code 1 if the comparison has changed, 2 for wrong usage."""
    words = [a for a in arguments if not a.startswith("-")]
    if any(a.startswith("-") and a != "--check" for a in arguments) or (words and "--check" in arguments):
        print(
            "usage: python -m cutproof.checks.cutover.loss.against_exploration [--check | WORD...]",
            file=sys.stderr,
        )
        return 2
    chosen = [e for e in NECESSARY if not words or any(word in e.file for word in words)]
    if not chosen:
        print(f"no safeguard has {words[0]!r} in its name; `cutproof safeguards` lists them", file=sys.stderr)
        return 2
    if not words and not FILE.is_file():
        print("docs/ is not here; run this from the root of a checkout", file=sys.stderr)
        return 2
    found = []
    for one in sample_all(chosen):
        found.append(one)
        print(line(one), file=sys.stdout if words else sys.stderr, flush=True)
    if words:
        return 0
    before = FILE.read_text(encoding="utf-8")
    after = replaced(before, PART, table(found, Path("traces")))
    if "--check" not in arguments:
        FILE.write_text(after, encoding="utf-8")
    print("nothing changed" if before == after else f"{FILE} ({PART})")
    return int(before != after and "--check" in arguments)


if __name__ == "__main__":
    sys.exit(exit_code_of(main))
