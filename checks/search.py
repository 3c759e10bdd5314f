"""The search below the plain explorer: breadth-first over every interleaving, one state after the other.

It keeps to what can be believed on sight: a dictionary from state to number, a list of states in the order
they were found, and for each the state and the transition that it was first found by. Because states are
expanded in that order, and transitions fire in the order of the protocol, the first state that breaks a
claim has a shortest trace, and of the shortest the one that is first by the order of actions.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cutproof.checks.verdict import Path, Unknown, Verdict
from cutproof.model import expressions as ex
from cutproof.model.codegen import DomainError, compile_protocol, compile_terms
from cutproof.model.protocol import Protocol, State

if TYPE_CHECKING:
    import networkx as nx

CHUNK = 1024  # states between two looks at the limits
PAUSE = 0.5  # seconds between two reports of progress
INTERRUPTED = "the search was interrupted"

Progress = Callable[[int, int, int, int, float], None]  # states, transitions, depth, frontier, seconds


@dataclass(frozen=True)
class Limits:
    """Where a search ends without an answer: states found, seconds, bytes of resident memory. None: no limit.

    Looked at between states: what one state leads to is always taken in whole."""

    states: int | None = None
    seconds: float | None = None
    memory: int | None = None

    def reached(self, states: int, started: float) -> str:
        """Which limit was reached, in words, or nothing."""
        if self.states is not None and states >= self.states:
            return f"the limit of {self.states:,} states was reached"
        if self.seconds is not None and time.perf_counter() - started >= self.seconds:
            return f"the limit of {self.seconds:g} seconds was reached"
        if self.memory is not None and resident() >= self.memory:
            return f"the limit of {self.memory / 1e6:,.0f} MB of memory was reached"
        return ""


def resident() -> int:
    """Bytes of memory that this process holds now (its peak, where the system does not say)."""
    try:
        with open("/proc/self/statm") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024


@dataclass
class Edges:
    """Each fired transition, in order: state `i` fired `numbers[starts[i] : starts[i + 1]]`, to `targets`."""

    starts: array[int] = field(default_factory=lambda: array("q", [0]))
    targets: array[int] = field(default_factory=lambda: array("i"))
    numbers: array[int] = field(default_factory=lambda: array("i"))


@dataclass
class Exploration:
    """What a search found. States are numbered in the order of discovery; 0 is the initial one.

    `ended` says why the search stopped before its end, or is empty; `frontier` counts the states that were
    not expanded then. `cut` are expanded states whose successors are not all there, and why: an action left
    its domain, or what a violation leads to was pruned. `deadlocks` are the states that no transition leaves.
    `fired` counts, for each transition of the protocol, how often it did, self-loops included. `depth` is a
    number of steps: whatever they lead to was found; the longest shortest path, if the search is complete."""

    protocol: Protocol
    states: list[State] = field(default_factory=list)
    parents: array[int] = field(default_factory=lambda: array("i"))
    via: array[int] = field(default_factory=lambda: array("i"))
    fired: list[int] = field(default_factory=list)
    expanded: int = 0
    depth: int = 0
    seconds: float = 0.0
    ended: str = ""
    interrupted: bool = False
    cut: dict[int, str] = field(default_factory=dict)
    deadlocks: list[int] = field(default_factory=list)
    edges: Edges | None = None
    graph: nx.MultiDiGraph[int] | None = None
    verdicts: list[Verdict] = field(default_factory=list)

    @property
    def transitions(self) -> int:
        return sum(self.fired)

    @property
    def frontier(self) -> int:
        return len(self.states) - self.expanded

    @property
    def rate(self) -> float:
        """States a second, of the search alone."""
        return len(self.states) / self.seconds if self.seconds else 0.0

    @property
    def reason(self) -> str:
        """Why nothing can be said of states that were not found; empty if every state was."""
        return self.ended or next(iter(self.cut.values()), "")

    @property
    def coverage(self) -> dict[str, int]:
        """How often each action fired, by name, in the order of the protocol; 0 for one that never did."""
        found = {action.name: 0 for action in self.protocol.actions}
        for transition, times in zip(self.protocol.transitions, self.fired, strict=True):
            found[transition.action] += times
        return found

    @property
    def never_fired(self) -> list[str]:
        """The actions that this scope says nothing about."""
        return [name for name, times in self.coverage.items() if not times]

    def path_to(self, number: int) -> Path:
        """The shortest path to a state, first by the order of actions."""
        states, transitions = [self.states[number]], list[int]()
        while number:
            transitions.append(self.via[number])
            number = self.parents[number]
            states.append(self.states[number])
        return Path(tuple(reversed(states)), tuple(reversed(transitions)))

    def about(self, name: str, form: str, harm: str = "") -> dict[str, Any]:
        """What every verdict of this exploration carries."""
        counts = {"states": len(self.states), "transitions": self.transitions, "depth": self.depth}
        claim = {"checked": self.protocol.name, "property": name, "form": form, "harm": harm}
        return {**claim, **counts, "seconds": self.seconds}

    def unknown(self, name: str, form: str, harm: str = "", reason: str = "") -> Unknown:
        """The verdict where not all was seen; the reason is the search's unless one is given."""
        return Unknown(reason=reason or self.reason, frontier=self.frontier, **self.about(name, form, harm))


class Search:
    """One search. `first` is, by claim, the first state that violates it (*always*) or witnesses it
    (*sometimes*); `broken` the first state in which an action would leave its domain, and the complaint."""

    def __init__(
        self, protocol: Protocol, limits: Limits, stop_at_first: bool, prune: bool, progress: Progress | None
    ) -> None:
        self.protocol, self.limits, self.stop_at_first, self.prune = protocol, limits, stop_at_first, prune
        self.progress, self.reported, self.started = progress, 0.0, 0.0
        self.compiled = compile_protocol(protocol)
        self.first: dict[int, int] = {}
        self.broken: tuple[int, str] | None = None
        self.seen: dict[State, int] = {}
        self.found = Exploration(protocol, fired=[0] * len(protocol.transitions))
        self._hunt()

    def run(self, edges: bool) -> Exploration:
        """Search until every state was found, a limit was reached, or the user interrupts."""
        found, self.started = self.found, time.perf_counter()
        found.edges = Edges() if edges else None
        try:
            self._levels()
        except KeyboardInterrupt:
            found.ended, found.interrupted = INTERRUPTED, True
            self._tidy()
        found.seconds = time.perf_counter() - self.started
        return found

    def _levels(self) -> None:
        """Level by level, in chunks, with a look at the limits between two chunks."""
        found, initial = self.found, self.protocol.initial
        self.seen[initial] = 0
        found.parents.append(0)
        found.via.append(-1)
        found.states.append(initial)
        self._judge(initial, 0)
        level_end = 1
        while found.expanded < len(found.states):
            if found.expanded == level_end:
                found.depth += 1
                level_end = len(found.states)
            found.ended = self._over()
            if found.ended:
                return
            self._expand(min(level_end, found.expanded + self._chunk()))
            self._report()

    def _expand(self, stop: int) -> None:
        """Expand the states up to number `stop`: the loop that the time goes into."""
        found, edges = self.found, self.found.edges
        states, parents, via, fired = found.states, found.parents, found.via, found.fired
        successors, judge = self.compiled.successors, self.compiled.judge
        number_of, cut = self.seen.setdefault, found.cut
        count, hunting = len(states), bool(self.hunted)
        for here in range(found.expanded, stop):
            state, before = states[here], count
            try:
                steps = successors(state) if here not in cut else []
            except DomainError as error:
                steps = self._survivors(here, error)
            for number, after in steps:
                there = number_of(after, count)
                if there == count:
                    parents.append(here)
                    via.append(number)
                    states.append(after)
                    if hunting or judge(after):
                        self._judge(after, count)
                        hunting = bool(self.hunted)
                    count += 1
                fired[number] += 1
                if edges:
                    edges.targets.append(there)
                    edges.numbers.append(number)
            if count == before and here not in cut and all(after == state for _, after in steps):
                found.deadlocks.append(here)
            if edges:
                edges.starts.append(len(edges.targets))
            found.expanded = here + 1
            if self.stop_at_first and self._decided():
                return

    # -------------------------------------------------- judging

    def _hunt(self) -> None:
        """Compile the *sometimes* claims that have no witness yet."""
        claims = self.protocol.claims
        self.hunted = [i for i, c in enumerate(claims) if c.form == "sometimes" and i not in self.first]
        self.holding = compile_terms(self.protocol, [claims[i].holds for i in self.hunted])

    def _judge(self, state: State, number: int) -> None:
        false = self.compiled.judge(state)
        for claim in false:
            self.first.setdefault(claim, number)
        if false and self.prune:
            self.found.cut[number] = "what a violation leads to was not explored"
        if self.hunted:
            values = self.holding(state)
            if any(values):
                pairs = zip(self.hunted, values, strict=True)
                self.first.update((claim, number) for claim, holds in pairs if holds)
                self._hunt()

    def _survivors(self, here: int, error: DomainError) -> list[tuple[int, State]]:
        """The steps that stay inside their domains, from a state where some action does not."""
        self.broken = self.broken or (here, str(error))
        self.found.cut[here] = f"an action left its domain: {error}"
        return inside(self.protocol, self.found.states[here])

    # -------------------------------------------------- ending

    def _decided(self) -> bool:
        """A violation of safety was found, or every claim is a *sometimes* with a witness."""
        claims = self.protocol.claims
        violated = self.broken is not None or any(claims[i].form == "always" for i in self.first)
        return violated or all(c.form == "sometimes" and i in self.first for i, c in enumerate(claims))

    def _chunk(self) -> int:
        if self.limits.states is None:
            return CHUNK
        room = self.limits.states - len(self.found.states)
        return max(1, min(CHUNK, room // max(1, len(self.found.fired))))

    def _over(self) -> str:
        if self.stop_at_first and self._decided():
            return "the search ended once it had what it was asked for"
        return self.limits.reached(len(self.found.states), self.started)

    def _report(self) -> None:
        seconds = time.perf_counter() - self.started
        if self.progress and seconds - self.reported >= PAUSE:
            self.reported, found = seconds, self.found
            self.progress(len(found.states), found.transitions, found.depth, found.frontier, seconds)

    def _tidy(self) -> None:
        """After an interrupt in the middle of a state: forget what is half written."""
        found, edges = self.found, self.found.edges
        whole = min(len(found.states), len(found.parents), len(found.via))
        del found.states[whole:], found.parents[whole:], found.via[whole:]
        if edges:
            del edges.starts[found.expanded + 1 :]
            del edges.targets[edges.starts[-1] :], edges.numbers[edges.starts[-1] :]


def inside(protocol: Protocol, state: State) -> list[tuple[int, State]]:
    """The successors that stay inside their domains, by the plain interpreter: where some do not."""
    values, done = protocol.named(state), dict[ex.Term, int]()
    steps = []
    for number, transition in enumerate(protocol.transitions):
        if ex.evaluate(transition.enabled, values, done):
            news = [(cell, ex.evaluate(term, values, done)) for cell, term in transition.updates]
            if all(cell.domain.low <= value <= cell.domain.high for cell, value in news):
                after = {**values, **{cell.name: value for cell, value in news}}
                steps.append((number, tuple(after[cell.name] for cell in protocol.fields)))
    return steps
