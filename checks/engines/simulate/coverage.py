"""What random runs covered: how often each step was taken, which states, claims and guards were met.

What is covered by some runs and what by others add up to what is covered by all, in the order of the runs. So it does
not show in which process a run was made.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from cutproof.checks.engines.simulate.walk import Run, Walker

SAMPLE = 1_000_000  # states that are kept
SEVERAL = -1  # in place of a run's number: more than one
PRIME, MIXER = (1 << 61) - 1, 0x9E3779B97F4A7C15


class Seen:
    """By packed state, the number of the one run that was there, or SEVERAL.

    Every state is kept up to `limit`. Beyond that a sample (Gibbons, 2001): those alone whose hash ends in `level`
    zeros, with the lowest level at which they are not more than `limit`; so it is the same in whatever order states
    came, and each one kept stands for 2**level."""

    def __init__(self, limit: int = SAMPLE) -> None:
        self.limit, self.level = limit, 0
        self.runs: dict[int, int] = {}
        self.changed: dict[int, int] = {}  # since this was last emptied

    def add(self, states: Iterable[int], run: int) -> None:
        """A run was in these states."""
        runs, changed = self.runs, self.changed
        for state in states if not self.level else filter(self._kept, states):
            before = runs.get(state)
            if before is None:
                runs[state] = changed[state] = run
            elif before not in (run, SEVERAL):
                runs[state] = changed[state] = SEVERAL
        if len(runs) > self.limit:
            self._thin()

    def add_several(self, states: Sequence[int], runs: Sequence[int]) -> None:
        """Runs that were not added before were in these states, each of which is there once; by state the one run, or
        SEVERAL."""
        found, changed = self.runs, self.changed
        for state, run in zip(states, runs, strict=True):
            if not self.level or self._kept(state):
                found[state] = changed[state] = SEVERAL if state in found else run
        if len(found) > self.limit:
            self._thin()

    def merge(self, changed: Mapping[int, int], level: int) -> None:
        """What changed in another one, whose runs are not these."""
        if level > self.level:
            self._thin(level)
        for state, run in changed.items():
            if not self.level or self._kept(state):
                self.runs[state] = SEVERAL if state in self.runs else run
        if len(self.runs) > self.limit:
            self._thin()

    def _kept(self, state: int) -> bool:
        return not _hash(state) & ((1 << self.level) - 1)

    def _thin(self, level: int = 0) -> None:
        self.level = max(level, self.level)
        while level or len(self.runs) > self.limit:
            self.level, level = self.level + (not level), 0
            self.runs = {state: run for state, run in self.runs.items() if self._kept(state)}
            self.changed = {state: run for state, run in self.changed.items() if self._kept(state)}

    @property
    def exact(self) -> bool:
        """Whether every state was kept."""
        return not self.level

    @property
    def distinct(self) -> int:
        """How many states there were; estimated where not every state was kept."""
        return len(self.runs) << self.level

    @property
    def once(self) -> int:
        """How many of them were met in one run alone."""
        return sum(run != SEVERAL for run in self.runs.values()) << self.level

    @property
    def alone(self) -> int:
        """How many runs met a state that no other did; too few where not every state was kept."""
        return len({run for run in self.runs.values() if run != SEVERAL})


def _hash(state: int) -> int:
    """64 bits, well mixed: the same everywhere."""
    mixed = (state % PRIME + 1) * MIXER & 0xFFFFFFFFFFFFFFFF
    mixed = (mixed ^ mixed >> 31) * 0xBF58476D1CE4E5B9 & 0xFFFFFFFFFFFFFFFF
    return mixed ^ mixed >> 29


@dataclass(frozen=True)
class Met:
    """Where a claim was first told of: the run, its packed states up to there, its transitions, and the complaint where
    an action left its domain."""

    run: int
    states: tuple[int, ...]
    transitions: tuple[int, ...]
    broken: str = ""


@dataclass
class Coverage:
    """What some runs covered. `taken` counts by transition; `lengths` runs by their steps; `ended` runs by why they
    ended; `met` has by claim the first run that violated it, or of a *sometimes* reached it (-1: an action left its
    domain); `visits` adds up, for each run, in how many different states it was. `guards` is `Guards.covered`."""

    taken: Counter[int] = field(default_factory=Counter)
    lengths: Counter[int] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    met: dict[int, Met] = field(default_factory=dict)
    guards: tuple[int, int, int] = (0, 0, 0)
    visits: int = 0
    seen: Seen = field(default_factory=Seen)

    @property
    def runs(self) -> int:
        """How many runs were made."""
        return self.lengths.total()

    @property
    def steps(self) -> int:
        """How many steps they took together."""
        return self.taken.total()

    def add(self, run: Run, walker: Walker) -> None:
        """Add a run that was just walked."""
        self.taken.update(run.transitions)
        self.lengths[len(run.transitions)] += 1
        self.ended[run.ended] += 1
        different = set(run.states)
        self.visits += len(different)
        self.seen.add(different, run.number)
        self.tell(run)
        self.guards = walker.guards.covered

    def tell(self, run: Run) -> None:
        """Note where a run is the first in which a claim is told; those before it were told already."""
        for step, place in run.told:
            for claim in place.told:
                if claim not in self.met:
                    way = tuple(run.states[: step + 1]), tuple(run.transitions[:step])
                    self.met[claim] = Met(run.number, *way, place.broken if claim < 0 else "")

    def taken_apart(self) -> Coverage:
        """What was added since this was last asked, to be merged into another; only `seen` is kept, and goes on."""
        part = Coverage(self.taken, self.lengths, self.ended, dict(self.met), self.guards, self.visits)
        part.seen.runs, part.seen.level = self.seen.changed, self.seen.level
        self.taken, self.lengths, self.ended, self.visits = Counter(), Counter(), Counter(), 0
        self.seen.changed = {}
        return part

    def merge(self, part: Coverage) -> None:
        """Add what other runs covered."""
        self.taken.update(part.taken)
        self.lengths.update(part.lengths)
        self.ended.update(part.ended)
        self.visits += part.visits
        for claim, met in part.met.items():
            if claim not in self.met or met.run < self.met[claim].run:
                self.met[claim] = met
        one, two = self.guards, part.guards
        self.guards = one[0] | two[0], one[1] | two[1], one[2] | two[2]
        self.seen.merge(part.seen.runs, part.seen.level)
