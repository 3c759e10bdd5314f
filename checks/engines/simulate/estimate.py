"""What random runs have not seen, estimated from what they saw once (Good, 1953).

Runs are drawn alike and apart from each other; the states within a run are not. So what is counted is runs: a state
that one run alone of N was in would have been new to that run, had it been the last. Such states, over N, are what a
run that follows N - 1 others meets anew on average: an estimate without bias, whatever the protocol is. It says nothing
of how much there is in all, of what is too rare for any run of this kind, nor of what comes after the last step.
"""

from __future__ import annotations

from dataclasses import dataclass

from cutproof.checks.common.binomial import upper
from cutproof.checks.engines.simulate.coverage import Coverage


@dataclass(frozen=True)
class Unseen:
    """`states`: how many states another run would be the first in, on average. `share`: of the states that it would
    be in. `chance`: that there is any; None where not every state was kept. `bound`: whatever one run in 1/bound or
    more meets was met, with a confidence of 95 percent."""

    states: float
    share: float
    chance: float | None
    bound: float


def unseen(coverage: Coverage) -> Unseen | None:
    """What is estimated after these runs; None after none."""
    runs, seen = coverage.runs, coverage.seen
    if not runs:
        return None
    chance = seen.alone / runs if seen.exact else None
    return Unseen(seen.once / runs, seen.once / coverage.visits, chance, upper(0, runs))
