"""How rare a harm is: the chance that a random walk comes upon it, computed on the state graph and not sampled.

    python -m cutproof.checks.cutover.safeguards.rarity gc_waits  # what has `gc_waits` in its name; else all

The walk starts where the protocol starts and takes each enabled step that changes something with the same probability.
"""

from __future__ import annotations

import copy
import sys
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cutproof.checks.cutover.safeguards.necessity import NECESSARY, Experiment, protocol_of
from cutproof.checks.engines.exploration import Exploration, Limits
from cutproof.checks.engines.plain.search import Search
from cutproof.model.language.codegen import compile_terms

WALK = 100  # steps: longer than any way through the protocol
LIMITS = Limits(states=3_000_000)


@dataclass(frozen=True)
class Rarity:
    """How rare the harm of an experiment is: `chance` is that of one walk; `states` were looked at."""

    experiment: Experiment
    chance: float
    states: int

    def __str__(self) -> str:
        walks = f"one in {1 / self.chance:,.0f}" if self.chance else "none"
        return f"{self.experiment.file:55} {walks:>16} walks, {self.states:9,} states"


def rarity(experiment: Experiment, steps: int = WALK, limits: Limits = LIMITS) -> Rarity:
    """The chance that a walk of at most so many steps meets the harm that the experiment names, in its scope.

    Raises ValueError where the scope is too large to be explored, or the harm is not one of a single state."""
    protocol = protocol_of(experiment)
    claims = tuple(
        c for c in protocol.claims if (c.property, c.harm) == (experiment.property, experiment.harm)
    )
    if [c.form for c in claims] != ["always"]:
        raise ValueError(f"{experiment.file}: {experiment.property} is not read off one state")
    judged = copy.copy(protocol)
    judged.claims = claims
    found = Search(judged, limits, False, True, None).run(edges=True)
    if found.ended:
        raise ValueError(f"{experiment.file}: {found.ended}")
    holds = compile_terms(protocol, [claims[0].holds])
    harmed = np.array([not good for (good,) in map(holds, found.states)])
    return Rarity(experiment, chance(found, harmed, steps), len(found.states))


def chance(found: Exploration, harmed: NDArray[np.bool_], steps: int) -> float:
    """The chance that a walk of at most so many steps comes to one of the states that are `harmed`, one flag a state.

    A walk ends there, and where nothing can happen."""
    assert found.edges is not None
    starts, targets = np.array(found.edges.starts), np.array(found.edges.targets)
    origins = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    going = (targets != origins) & ~harmed[origins]
    origins, targets = origins[going], targets[going]
    share = 1.0 / np.bincount(origins, minlength=len(harmed)).clip(1)
    here = np.zeros(len(harmed))
    here[0] = 1.0
    ended = 0.0
    for _ in range(steps):
        ended += here[harmed].sum()
        here = np.bincount(targets, (here * share)[origins], len(harmed)).astype(np.float64)
    return float(ended + here[harmed].sum())


def main(words: list[str]) -> int:
    """Print a line for each safeguard. Exit code 0, or 2 if nothing has such a name."""
    chosen = [e for e in NECESSARY if not words or any(word in e.file for word in words)]
    if not chosen:
        print(f"no safeguard has {words[0]!r} in its name; `cutproof safeguards` lists them", file=sys.stderr)
        return 2
    for experiment in chosen:
        try:
            print(rarity(experiment), flush=True)
        except ValueError as error:
            print(f"not computed: {error}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
