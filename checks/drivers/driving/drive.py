"""Drive a program through the runs of a protocol: every edge of its graph, or drawn runs where that is too large.

found = drive(protocol, Driver, refusals=True)
found.outcome, found.covered, found.edges, found.failure
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from random import Random
from typing import Any

from cutproof.checks.drivers.driving.driver import InProcess, Subject, hints
from cutproof.checks.drivers.driving.outcome import Driving
from cutproof.checks.drivers.driving.performing import beginnings, perform
from cutproof.checks.drivers.driving.shortening import shorten
from cutproof.checks.drivers.driving.tour import tours
from cutproof.checks.drivers.driving.walking import Numbers, Walking
from cutproof.checks.engines.exploration import Exploration, Limits
from cutproof.checks.engines.plain.explore import explore
from cutproof.checks.engines.simulate.schedulers import DEFAULT, SCHEDULERS
from cutproof.checks.engines.simulate.walk import Walker
from cutproof.model.language.protocol import Protocol, State

STATES, STEPS, RUNS = 20_000, 100, 1_000  # where nothing else is said
IDLE = 0.25  # how often, where a drawn run could do what changes nothing, it does
PAUSE = 0.5  # seconds between two reports of progress

Progress = Callable[[Driving], None]


class TimeOver(Exception):
    """The seconds are over."""


def drive(
    protocol: Protocol,
    driver: Callable[[], Any] | Subject,
    *,
    runs: int | None = None,
    steps: int = STEPS,
    states: int = STATES,
    seconds: float | None = None,
    seed: int = 0,
    mode: str = DEFAULT,
    refusals: bool = False,
    shard: tuple[int, int] = (0, 1),
    progress: Progress | None = None,
) -> Driving:
    """Drive a program (`driver.py`) through runs of a resolved protocol, until the first that fails.

    The runs together take every edge of the graph; where that has more than so many `states`, or `runs` are given, they
    are drawn: run n of a seed is the same whatever else is asked for. None has more than `steps`, but where an edge is
    further from the start. `refusals`: after each edge (else, after each drawn run) what the protocol forbids is tried
    too. Of `shard` (i, n) only every n-th run is made. An interrupt (Ctrl-C) ends the runs, not the program. Raises
    Unfit for a driver that cannot drive this, ValueError for a number or a mode that means nothing."""
    low = {"runs": runs, "steps": steps, "states": states, "seed": seed + 1, "shards": shard[1]}
    for name, value in low.items():
        if value is not None and value < 1:
            raise ValueError(f"{name}={value - (name == 'seed')}: is too small")
    if mode not in SCHEDULERS:
        raise ValueError(f"no mode {mode!r}; there are {', '.join(SCHEDULERS)}")
    if not 0 <= shard[0] < shard[1]:
        raise ValueError(f"shard {shard[0]} of {shard[1]}: they are counted from 0")
    subject = driver if hasattr(driver, "driven") else InProcess(driver, protocol)
    making = _Making(protocol, subject, seed, seconds, shard, progress)  # type: ignore[arg-type]
    try:
        making.begins()
        if making.found.failure is None:
            making.make(runs, steps, states, mode, refusals)
    except TimeOver:
        making.found.ended = f"the limit of {seconds:g} seconds was reached"
    except KeyboardInterrupt:
        making.found.ended, making.found.interrupted = "the runs were interrupted", True
    making.found.covered = len(making.edges)
    making.found.seconds = time.perf_counter() - making.started
    return making.found


class _Making:
    """The runs being made."""

    def __init__(
        self, protocol: Protocol, subject: Subject, seed: int, seconds: float | None, shard: tuple[int, int],
        progress: Progress | None,
    ) -> None:  # fmt: skip
        self.started = self.reported = time.perf_counter()
        self.subject, self.seconds, self.progress = subject, seconds, progress
        self.walking = walking = Walking(protocol, subject.driven)
        self.edges: set[tuple[State, int]] = set()
        self.number = -1  # of the run
        self.found = Driving(walking, subject.name, seed, shard)
        self.found.undriven = hints(subject, protocol)
        self.found.taken = dict.fromkeys((t.action for t in walking.driven.transitions), 0)
        self.names = [t.action for t in walking.driven.transitions]

    def begins(self) -> None:
        """In which initial states the program can begin."""
        driven, found = self.walking.driven, self.found
        found.beginnings = len(driven.initials)
        found.failure = beginnings(self.walking, self.subject)
        found.begun = 0 if found.failure else len(driven.initials)

    def make(self, runs: int | None, steps: int, states: int, mode: str, refusals: bool) -> None:
        """Every run, until one fails."""
        explored = self._explored(states) if runs is None else None
        if explored is None:
            self._drawn(RUNS if runs is None else runs, steps, mode, refusals)
            return
        for tour in tours(explored, steps):
            numbers = explored.edges.numbers  # type: ignore[union-attr]
            if self._run(explored.states[tour.start], tuple(numbers[e] for e in tour.edges)):
                return
        if refusals:
            self._refusals(explored)

    def _refusals(self, explored: Exploration) -> None:
        """What the protocol forbids is tried at the start, and after each edge, in a run of its own: what a program
        allows may hang on how it came there."""
        edges, forbidden = explored.edges, self.walking.forbidden
        assert edges is not None
        for start in self.walking.driven.initials:
            if forbidden(start) and self._run(start, (), refusals=True):
                return
        for number in range(explored.expanded):
            path = explored.path_to(number)
            for edge in range(edges.starts[number], edges.starts[number + 1]):
                steps = (*path.transitions, edges.numbers[edge])
                if forbidden(explored.states[edges.targets[edge]]) and self._run(path.states[0], steps, True):
                    return

    def _explored(self, states: int) -> Exploration | None:
        """The graph of what is driven; None where it is too large."""
        limits = Limits(states=states, seconds=self.seconds)
        explored = explore(self.walking.driven, limits=limits, properties=[], graph=True)
        if explored.interrupted:
            raise KeyboardInterrupt
        if explored.ended:
            self._look()
            self.found.why_drawn = f"there are more than {states:,} states"
            return None
        self.found.states = len(explored.states)
        self.found.edges = len(explored.edges.targets) if explored.edges else 0
        if self.walking.leaves_out:
            whole = Walking(self.walking.whole, {t.action for t in self.walking.whole.transitions})
            many = sum(len(whole.steps(state)) for state in explored.states)
            self.found.left_out = many - self.found.edges
        return explored

    def _drawn(self, runs: int, steps: int, mode: str, refusals: bool) -> None:
        walker = Walker(self.walking.driven, SCHEDULERS[mode], self.found.seed, steps)
        unpack = walker.compiled.unpack
        for number in range(runs):
            if number % self.found.shard[1] != self.found.shard[0]:
                self.number += 1
                continue
            run = walker.run(number, stop=False)
            start = unpack(run.states[0])
            if self._run(start, self._with_idle(start, run.transitions, number), refusals):
                return

    def _with_idle(self, start: State, numbers: Sequence[int], run: int) -> Numbers:
        """A drawn run has no steps that change nothing: with some in between, for what comes twice, or too late."""
        draw, state, found = Random(f"{self.found.seed} {run}"), start, list[int]()
        for number in (*numbers, None):
            steps = self.walking.steps(state)
            idle = [n for n, after in steps.items() if after == state]
            if idle and draw.random() < IDLE:
                found.append(draw.choice(idle))
            if number is not None:
                found.append(number)
                state = steps[number]
        return tuple(found)

    def _run(self, start: State, numbers: Numbers, refusals: bool = False) -> bool:
        """Make a run, if it is of this shard; whether it failed."""
        self.number += 1
        found = self.found
        if self.number % found.shard[1] != found.shard[0]:
            return False
        self._look()
        attempts = self._attempts if refusals else None
        failure = perform(self.walking, self.subject, start, numbers, attempts, self._took)
        found.runs += 1
        if failure is not None:
            found.found_after = found.runs
            found.failure = replace(failure, run=self.number)
            with suppress(KeyboardInterrupt):  # then it stays as long as it is
                found.failure = shorten(self.walking, self.subject, found.failure)
        return failure is not None

    def _attempts(self, state: State) -> list[int]:
        forbidden = self.walking.forbidden(state)
        self.found.tried += len(forbidden)
        return forbidden

    def _took(self, state: State, number: int) -> None:
        self.edges.add((state, number))
        self.found.steps += 1
        self.found.taken[self.names[number]] += 1

    def _look(self) -> None:
        """Tell of progress now and then. Raises TimeOver."""
        now = time.perf_counter()
        if self.seconds is not None and now - self.started >= self.seconds:
            raise TimeOver
        if self.progress and now - self.reported >= PAUSE:
            self.reported, self.found.covered = now, len(self.edges)
            self.progress(self.found)
