"""What an exploration found: its limits, its states, how each was reached, and how often each step was taken."""

from __future__ import annotations

import os
import resource
import sys
import time
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from operator import sub
from typing import TYPE_CHECKING, Any

from cutproof.checks.engines.verdict import Path, Unknown, Verdict
from cutproof.model.language.codegen import Compiled, Steps
from cutproof.model.language.protocol import Protocol, State

if TYPE_CHECKING:
    import networkx as nx

INTERRUPTED = "the search was interrupted"
LOCK = "search.lock"  # in the folder of a search that is kept; held by the run that is in it


class CheckpointError(Exception):
    """A folder that a search cannot go on from; one line that says why."""


@dataclass(frozen=True)
class Limits:
    """Where a search ends without an answer: states found, seconds, bytes of resident memory. None: no limit.

    Looked at between states: what one state leads to is always taken in whole."""

    states: int | None = None
    seconds: float | None = None
    memory: int | None = None

    def reached(self, states: int, started: float, more: int = 0) -> str:
        """Which limit was reached, in words, or nothing; of memory, also where `more` bytes are about to be taken."""
        if self.states is not None and states >= self.states:
            return f"the limit of {self.states:,} states was reached"
        if self.seconds is not None and time.perf_counter() - started >= self.seconds:
            return f"the limit of {self.seconds:g} seconds was reached"
        if self.memory is not None and resident() + more >= self.memory:
            return f"the limit of {self.memory / 1e6:,.0f} MB of memory was reached"
        return ""


@dataclass(frozen=True)
class Since(Limits):
    """Limits whose seconds are counted from `began`."""

    began: float = 0.0

    def reached(self, states: int, started: float, more: int = 0) -> str:
        return super().reached(states, self.began, more)


def resident() -> int:
    """Bytes of memory that this process holds now (its peak, where the system does not say)."""
    try:
        with open("/proc/self/statm") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024


class States(Sequence[State]):
    """States in the order in which they were found. Kept packed; each is unpacked when it is looked at."""

    __hash__ = None  # type: ignore[assignment]  # it grows

    def __init__(self, compiled: Compiled) -> None:
        self.packed: list[int] = []
        self.append, self._unpack, self._pack = self.packed.append, compiled.unpack, compiled.pack

    def __len__(self) -> int:
        return len(self.packed)

    def __getitem__(self, number: Any) -> Any:
        if isinstance(number, slice):
            return [self._unpack(packed) for packed in self.packed[number]]
        return self._unpack(self.packed[number])

    def __delitem__(self, numbers: slice) -> None:
        del self.packed[numbers]

    def __iter__(self) -> Iterator[State]:
        return map(self._unpack, self.packed)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    def __repr__(self) -> str:
        return repr(list(self))


class Entry:
    """The steps that some bits of a state lead to, those that change it, and how often they were taken."""

    __slots__ = ("moves", "numbers", "steps", "times")

    def __init__(self, steps: Steps) -> None:
        self.steps, self.moves = steps, tuple(step for step in steps if step[1])
        self.numbers, self.times = array("i", [number for number, _ in steps]), 0


@dataclass
class Edges:
    """Each fired transition, in order: state `i` fired `numbers[starts[i] : starts[i + 1]]`, to `targets`."""

    starts: array[int] = field(default_factory=lambda: array("q", [0]))
    targets: array[int] = field(default_factory=lambda: array("i"))
    numbers: array[int] = field(default_factory=lambda: array("i"))

    def degrees(self) -> list[int]:
        """How many states fired so many transitions, by that number."""
        counts = Counter(map(sub, self.starts[1:], self.starts))
        return [counts[degree] for degree in range(max(counts, default=-1) + 1)]


@dataclass
class Exploration:
    """What a search found. States are numbered in the order of discovery, the initial ones first.

    `parents` has the state that each was first found from, `via` by which transition; an initial state has itself, and
    -1. `ended` says why the search stopped before its end, or is empty; `frontier` counts the states that were
    not expanded then. `cut` are expanded states whose successors are not all there, and why: an action left
    its domain, or what a violation leads to was pruned. `deadlocks` are the states that no transition leaves.
    `fired` counts, for each transition of the protocol, how often it did, self-loops included; empty where the search
    ended before that was counted. `degrees[n]` counts
    the expanded states that fired n transitions; empty where nobody counted. `depth` is a number of steps: whatever
    they lead to was found; the longest shortest path, if the search is complete. None: it was not counted, and
    `ended` says no more than that the states which were found are some of all. `counted` is how many states there
    are, where `states` may be too many for a sequence, and `counted_after` the seconds until they were all there."""

    protocol: Protocol
    states: Sequence[State] = ()
    parents: array[int] = field(default_factory=lambda: array("i"))
    via: array[int] = field(default_factory=lambda: array("i"))
    fired: list[int] = field(default_factory=list)
    expanded: int = 0
    depth: int | None = 0
    seconds: float = 0.0
    ended: str = ""
    interrupted: bool = False
    cut: dict[int, str] = field(default_factory=dict)
    deadlocks: list[int] = field(default_factory=list)
    degrees: list[int] = field(default_factory=list)
    edges: Edges | None = None
    graph: nx.MultiDiGraph[int] | None = None
    verdicts: list[Verdict] = field(default_factory=list)
    counted: int | None = None
    counted_after: float = 0.0

    @property
    def distinct(self) -> int:
        """How many states were found."""
        return len(self.states) if self.counted is None else self.counted

    @property
    def transitions(self) -> int:
        """How many transitions were fired, self-loops included."""
        return sum(self.fired)

    @property
    def frontier(self) -> int:
        """How many states were found and not expanded."""
        return self.distinct - self.expanded

    @property
    def rate(self) -> float:
        """States a second, of the search alone: a whole number where a float could not hold it."""
        if self.distinct < 1 << 64:
            return self.distinct / self.seconds if self.seconds else 0.0
        return self.distinct * 10**6 // max(1, round(self.seconds * 10**6))

    @property
    def reason(self) -> str:
        """Why nothing can be said of states that were not found; empty if every state was."""
        return self.ended or next(iter(self.cut.values()), "")

    @property
    def fired_counted(self) -> bool:
        """Whether it was counted how often transitions fired."""
        return len(self.fired) == len(self.protocol.transitions)

    @property
    def coverage(self) -> dict[str, int]:
        """How often each action fired, by name, in the order of the protocol; 0 for one that never did. Empty where
        that was not counted."""
        if not self.fired_counted:
            return {}
        found = {action.name: 0 for action in self.protocol.actions}
        for transition, times in zip(self.protocol.transitions, self.fired, strict=True):
            found[transition.action] += times
        return found

    @property
    def never_fired(self) -> list[str]:
        """The actions that this scope says nothing about."""
        return [name for name, times in self.coverage.items() if not times]

    def path_to(self, number: int) -> Path:
        """The shortest path to a state from an initial one, first by the order of these and of actions."""
        states, transitions = [self.states[number]], list[int]()
        while self.via[number] >= 0:
            transitions.append(self.via[number])
            number = self.parents[number]
            states.append(self.states[number])
        return Path(tuple(reversed(states)), tuple(reversed(transitions)))

    def about(self, name: str, form: str, harm: str = "") -> dict[str, Any]:
        """What every verdict of this exploration carries."""
        counts = {"states": self.distinct, "transitions": self.transitions, "depth": self.depth}
        claim = {"checked": self.protocol.name, "property": name, "form": form, "harm": harm}
        return {**claim, **counts, "seconds": self.seconds, "protocol": self.protocol}

    def unknown(self, name: str, form: str, harm: str = "", reason: str = "") -> Unknown:
        """The verdict where not all was seen; the reason is the search's unless one is given."""
        return Unknown(reason=reason or self.reason, frontier=self.frontier, **self.about(name, form, harm))
