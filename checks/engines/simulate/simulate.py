"""Random runs of a protocol: what violates a claim, and what was covered.

    found = simulate(lease(), runs=10_000, seed=1)
    found.violations, found.coverage.runs, found.never_enabled

Run n of a seed is the same run, however many there are, in however many processes. What is reported is that of the runs
0 to the last one, without a gap: the first run that violates a claim ends it, unless it is told to go on.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from cutproof.checks.common.interrupts import Held
from cutproof.checks.engines.plain.explore import selected
from cutproof.checks.engines.simulate.coverage import Coverage, Met
from cutproof.checks.engines.simulate.guards import Blocked, Guards
from cutproof.checks.engines.simulate.schedulers import DEFAULT, SCHEDULERS
from cutproof.checks.engines.simulate.together import Runs
from cutproof.checks.engines.simulate.walk import Walker
from cutproof.checks.engines.verdict import UNKNOWN, Path, Violated, exit_code
from cutproof.checks.traces.replay import DOMAIN
from cutproof.checks.traces.shrink import shorten
from cutproof.model.language.codegen import DomainError
from cutproof.model.language.properties import TEMPORAL
from cutproof.model.language.protocol import Protocol

RUNS, STEPS = 10_000, 100  # where nothing else is said
ALONE = 1.0  # seconds before other processes are begun: most simulations are over by then
WORTH = 3.0  # ... and only where so many more seconds are to be expected
PAUSE = 0.5  # seconds between two reports of progress

Progress = Callable[[int, int, int], None]  # runs, steps, states


class TimeOver(Exception):
    """The seconds are over."""


@dataclass(frozen=True)
class Budget:
    """What was asked for. `runs` is None where only the seconds end it."""

    runs: int | None
    steps: int
    seconds: float | None
    seed: int
    mode: str
    stop_at_first: bool


@dataclass
class Simulation:
    """What random runs of a protocol found. `violations` are in the order of the runs that met them; `ended` says what
    cut the runs off, or is empty; `guards` is what was seen of guards."""

    protocol: Protocol
    budget: Budget
    coverage: Coverage
    guards: Guards
    violations: list[Violated] = field(default_factory=list)
    seconds: float = 0.0
    ended: str = ""
    interrupted: bool = False

    @property
    def found(self) -> Violated | None:
        """The first violation."""
        return self.violations[0] if self.violations else None

    @property
    def rate(self) -> float:
        """Steps a second."""
        return self.coverage.steps / self.seconds if self.seconds else 0.0

    @property
    def taken(self) -> dict[str, int]:
        """How often each action was taken, by name."""
        counts = {action.name: 0 for action in self.protocol.actions}
        for number, times in self.coverage.taken.items():
            counts[self.protocol.transitions[number].action] += times
        return counts

    @property
    def never_enabled(self) -> list[Blocked]:
        """The actions that were possible in no state, and what held them back."""
        return self.guards.blocked

    @property
    def never_taken(self) -> list[str]:
        """The actions that were possible and that no run took, or that change nothing."""
        never = {blocked.action for blocked in self.never_enabled}
        return [name for name, times in self.taken.items() if not times and name not in never]

    @property
    def sometimes(self) -> dict[str, int | None]:
        """By *sometimes* property, the first run that reached it; None where none did."""
        claims, met = self.protocol.claims, self.coverage.met
        return {
            c.property: met[i].run if i in met else None
            for i, c in enumerate(claims)
            if c.form == "sometimes"
        }

    @property
    def exit_code(self) -> int:
        """12 or 13 for what was found; 3 where the runs were cut off or no step was taken; else 0: nothing was found,
        which is not that anything holds."""
        if self.violations:
            return exit_code(self.violations)
        return UNKNOWN if self.ended or not self.coverage.steps else 0


def simulate(
    protocol: Protocol,
    *,
    runs: int | None = None,
    steps: int = STEPS,
    seconds: float | None = None,
    seed: int = 0,
    mode: str = DEFAULT,
    properties: Iterable[str] | None = None,
    stop_at_first: bool = True,
    workers: int = 1,
    progress: Progress | None = None,
) -> Simulation:
    """Make random runs of a resolved protocol: `runs` of them (10,000 where neither they nor `seconds` are given), each
    of at most so many `steps`, until the first violation or beyond.

    More than one of `workers` are processes; a script that asks for them needs its `if __name__ == "__main__"`. An
    interrupt (Ctrl-C) ends the runs, not the program. Raises ValueError for a mode or property that is not there, for a
    number below zero, and where a mechanism has no value yet."""
    runs = RUNS if runs is None and seconds is None else runs
    budget = Budget(runs, steps, seconds, seed, mode, stop_at_first)
    _refuse(budget, workers)
    judged = copy.copy(protocol)
    judged.claims = selected(protocol, properties, None)
    making = Making(judged, budget, workers, progress)
    making.make()
    making.found.seconds = time.perf_counter() - making.started
    making.found.violations = _violations(making.found)
    return making.found


def _refuse(budget: Budget, workers: int) -> None:
    if budget.mode not in SCHEDULERS:
        raise ValueError(f"no mode {budget.mode!r}; there are {', '.join(SCHEDULERS)}")
    low = {
        "runs": (budget.runs, 1),
        "steps": (budget.steps, 1),
        "seed": (budget.seed, 0),
        "workers": (workers, 1),
    }
    for name, (value, least) in low.items():
        if value is not None and value < least:
            raise ValueError(f"{name}={value}: is below {least}")
    if budget.seconds is not None and not budget.seconds > 0:
        raise ValueError(f"seconds={budget.seconds:g}: is not above 0")


class Making:
    """The runs being made: in this process at first, in others where they take longer."""

    def __init__(self, protocol: Protocol, budget: Budget, workers: int, progress: Progress | None) -> None:
        self.protocol, self.budget, self.workers, self.progress = protocol, budget, workers, progress
        self.started, self.reported = time.perf_counter(), 0.0
        self.walker = Walker(protocol, SCHEDULERS[budget.mode], budget.seed, budget.steps)
        self.runs = Runs(self.walker)
        self.found = Simulation(protocol, budget, Coverage(), self.walker.guards)

    def make(self) -> None:
        """Make every run, until something ends it."""
        from cutproof.checks.engines.simulate.processes import in_processes

        try:
            if not self._alone():
                in_processes(self)
        except TimeOver:
            if self.budget.runs is not None:
                self.found.ended = f"the limit of {self.budget.seconds:g} seconds was reached"
        except KeyboardInterrupt:
            self.found.ended, self.found.interrupted = "the runs were interrupted", True
        self.found.guards.covered = self.found.coverage.guards

    def _alone(self) -> bool:
        """Runs in this process, for as long as it is to do them; whether they are done."""
        with Held() as held:

            def look() -> None:
                held.look()
                self.look()

            while not self.done:
                if self.workers > 1 and self._worth_processes():
                    return False
                look()
                coverage, budget = self.found.coverage, self.budget
                self.runs.cover(coverage, coverage.runs, budget.runs, budget.stop_at_first, look)
        return True

    def _worth_processes(self) -> bool:
        """Whether what is left takes longer than to begin other processes."""
        seconds, runs, budget = time.perf_counter() - self.started, self.found.coverage.runs, self.budget
        if seconds < ALONE or not runs:
            return False
        left = [seconds / runs * (budget.runs - runs)] if budget.runs is not None else []
        left += [budget.seconds - seconds] if budget.seconds is not None else []
        return min(left) >= WORTH

    @property
    def done(self) -> bool:
        """Whether no further run is wanted."""
        coverage = self.found.coverage
        if self.budget.stop_at_first and coverage.ended["violation"]:
            return True
        return coverage.runs == self.budget.runs

    def look(self) -> None:
        """Tell of progress now and then. Raises TimeOver."""
        seconds, coverage = time.perf_counter() - self.started, self.found.coverage
        if self.budget.seconds is not None and seconds >= self.budget.seconds:
            raise TimeOver
        if self.progress and seconds - self.reported >= PAUSE:
            self.reported = seconds
            self.progress(coverage.runs, coverage.steps, coverage.seen.distinct)


# ------------------------------------------------------------------ what was violated


def _violations(found: Simulation) -> list[Violated]:
    """The violations in the order of their runs, each by a short path."""
    met = [
        (m.run, len(m.transitions), i, m)
        for i, m in found.coverage.met.items()
        if not _reached(found.protocol, i)
    ]
    return [_violated(found, i, m) for _, _, i, m in sorted(met, key=lambda entry: entry[:3])]


def _reached(protocol: Protocol, claim: int) -> bool:
    return claim >= 0 and protocol.claims[claim].form == "sometimes"


def _violated(found: Simulation, number: int, met: Met) -> Violated:
    protocol, coverage = found.protocol, found.coverage
    compiled = found.guards.compiled
    path = Path(tuple(map(compiled.unpack, met.states)), met.transitions)
    name, form, harm = DOMAIN, "always", ""
    if number >= 0:
        claim = protocol.claims[number]
        name, form, harm = claim.property, claim.form, claim.harm
    detail = f"met in run {met.run:,} of seed {found.budget.seed} after {path.steps}"
    if form in TEMPORAL:  # the run rests in its last state
        path, detail = replace(path, back=path.steps), detail + "; as it was met"
    else:
        short = shorten(protocol, path, name, form, harm)
        path = short.path
        detail += "; none is shorter" if short.shortest else "; no step of these can be left out"
    if number < 0:
        try:
            compiled.successors(path.states[-1])
        except DomainError as error:
            detail = f"{error}; {detail}"
    return Violated(
        checked=protocol.name,
        protocol=protocol,
        property=name,
        form=form,
        harm=harm,
        states=coverage.seen.distinct,
        transitions=coverage.steps,
        seconds=found.seconds,
        path=path,
        detail=detail,
    )
