"""Hunts: Hypothesis looks for a violation, of the hardened protocol in vain, without a safeguard until it finds one.

python -m cutproof.checks.cutover.reference.hunt                     # hardened, then without each safeguard
python -m cutproof.checks.cutover.reference.hunt 20000 gc_waits      # up to 20,000 runs, names with `gc_waits`
python -m cutproof.checks.cutover.reference.hunt 500 one_mig seed=1  # other draws
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path as File

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from cutproof.checks.common.reproducible import same_draws
from cutproof.checks.common.workers import exit_code_of
from cutproof.checks.cutover.reference.coverage import Tally
from cutproof.checks.cutover.reference.schedule import Configuration
from cutproof.checks.cutover.reference.stateful import FOUND, machine
from cutproof.checks.cutover.safeguards.necessity import NECESSARY, Experiment
from cutproof.model.cutover.scopes import parse_scope

USAGE = 2  # wrong usage, as of the command `cutproof`
RUNS = 2_000  # of a hunt without a safeguard
WIDE_RUNS, WIDE_STEPS = 100, 100  # of the hardened protocol in each wide scope

_FAULTS = (
    "late=1,losses=1,failures=1,failing_tasks=1,duplicates=1,crashes=1,strays=1,zombies=1,restarts=1,partitions=1,"
    "overlap=1,policy_change=1"
)

# Too wide to be explored: together they have every action, every kind of message and every fault.
WIDE = {
    "everything": "documents=2,writes=9,attempts=3,aborts=2,replica=1,deletes=1,reads=1,searches=1,repairs=1,"
    + _FAULTS,
    "expiry_and_collection": "writes=6,attempts=2,aborts=1,replica=1,deletes=1,sweep=1,collect=1,repairs=1,"
    "queues=0,stale=0,orderly=1",
    "endless": f"documents=2,writes=4,endless=1,attempts=3,aborts=2,replica=1,reads=1,repairs=1,{_FAULTS}",
    "there_and_back": f"documents=2,writes=9,attempts=2,back=1,reads=1,{_FAULTS}",
    "slow_clocks": f"writes=8,attempts=2,aborts=1,reads=1,skew=1,{_FAULTS}",
}


def wide(name: str) -> Configuration:
    """The hardened protocol in a wide scope."""
    return Configuration(name, parse_scope(WIDE[name]), why=f"the hardened protocol is violated in {name}")


# The specification counts acknowledged fields alone where parts are merged on nodes; a write that nobody was told of
# must not be told apart there, so nobody gives up waiting.
_NARROWER = {"whole_documents": "writes=8,skew=1"}


def configuration_of(experiment: Experiment) -> Configuration:
    """The safeguard of an experiment switched off; up to eight writes a document, so that runs go on."""
    scope = parse_scope(_NARROWER.get(experiment.safeguard, experiment.scope_name))
    return Configuration(
        experiment.file,
        replace(scope, writes=8),
        experiment.policy,
        tuple(sorted(experiment.removed)),
        frozenset({(experiment.property, experiment.harm)}),
        experiment.why,
        ends=experiment.harm == "STK",
    )


@dataclass
class Hunt:
    """What Hypothesis found in a configuration. `runs` and `rules` are counted up to the first failure."""

    configuration: Configuration
    tally: Tally

    @property
    def found(self) -> bool:
        """Something was found."""
        return self.tally.failed is not None


def hunt(
    configuration: Configuration,
    examples: int = 1000,
    steps: int = 30,
    seed: int = 0,
    shrink: bool = True,
    aim: bool = False,
    folder: File | None = None,
) -> Hunt:
    """Let Hypothesis look for a violation; where it finds one, `tally.trace` is the shrunk run, written to `folder`.

    The same arguments find the same: the seed is a part of the machine's identity."""
    tally = Tally()
    found = machine(configuration, tally=tally, folder=folder)
    found._hypothesis_internal_add_digest = f"{configuration.name} {seed}".encode()
    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        derandomize=True,
        database=None,
        deadline=None,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, *([Phase.target] if aim else []), *([Phase.shrink] if shrink else [])],
    )
    try:
        with same_draws():
            run_state_machine_as_test(found, settings=chosen)
    except Exception:
        if tally.failed is None:
            raise
    return Hunt(configuration, tally)


def hardened(times: int = 1, seed: int = 0) -> Iterator[Hunt]:
    """The hardened protocol in each wide scope: so many times `WIDE_RUNS`, once aimed at runs that come far, once not.

    A violation leaves its trace in `counterexamples/`. What is aimed comes far, but each run resembles another one: it
    alone reaches fewer actions."""
    for name in WIDE:
        for aim in (True, False):
            yield hunt(wide(name), times * WIDE_RUNS, WIDE_STEPS, seed=2 * seed + aim, aim=aim, folder=FOUND)


def line(found: Hunt) -> str:
    """One hunt as a line: what was found, and after how much."""
    tally = found.tally
    said = f"found, {len(tally.trace.steps)} steps" if found.found and tally.trace else "nothing found"
    counts = f"{tally.runs:7,} runs {tally.rules:9,} rule steps"
    return f"{found.configuration.name:55} {counts}  {said}"


def main(arguments: list[str]) -> int:
    """Print a line for each hunt. Exit code 1 if the hardened protocol is violated, or a safeguard seems idle, 2 if
    nothing has such a name."""
    runs = int(arguments[0]) if arguments and arguments[0].isdecimal() else RUNS
    seed = next((int(a[5:]) for a in arguments if a.startswith("seed=") and a[5:].isdecimal()), 0)
    words = [a for a in arguments if not (a.isdecimal() or a.startswith("seed="))]
    if words and not any(word in e.file for e in NECESSARY for word in words):
        print(f"no safeguard has {words[0]!r} in its name; `cutproof safeguards` lists them", file=sys.stderr)
        return USAGE
    bad, total = 0, Tally()
    for found in hardened(seed=seed) if not words else ():
        total += found.tally
        bad += found.found
        print(line(found), flush=True)
    if not words:
        print(total, *total.short(), sep="\n", flush=True)
    for experiment in NECESSARY:
        if not words or any(word in experiment.file for word in words):
            found = hunt(configuration_of(experiment), runs, seed=seed, shrink=False)
            bad += not found.found
            print(line(found), flush=True)
    return int(bad > 0 or bool(not words and total.short()))


if __name__ == "__main__":
    sys.exit(exit_code_of(main))
