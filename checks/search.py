"""The search below the plain explorer: breadth-first over every interleaving, one state after the other.

It keeps to what can be believed on sight: a dictionary from state to number, a list of states in the order
they were found, and for each the state and the transition that it was first found by. Because states are
expanded in that order, and transitions fire in the order of the protocol, the first state that breaks a
claim has a shortest trace, and of the shortest the one that is first by the order of actions.

States are packed (`codegen.py`), and what some bits of a state lead to is looked up: see `Layers`.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from array import array
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cutproof.checks.tables import Layers
from cutproof.checks.verdict import Path, Unknown, Verdict
from cutproof.model import expressions as ex
from cutproof.model.codegen import Compiled, DomainError, Steps, compile_protocol
from cutproof.model.packing import Table
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


@dataclass
class Exploration:
    """What a search found. States are numbered in the order of discovery; 0 is the initial one.

    `ended` says why the search stopped before its end, or is empty; `frontier` counts the states that were
    not expanded then. `cut` are expanded states whose successors are not all there, and why: an action left
    its domain, or what a violation leads to was pruned. `deadlocks` are the states that no transition leaves.
    `fired` counts, for each transition of the protocol, how often it did, self-loops included. `depth` is a
    number of steps: whatever they lead to was found; the longest shortest path, if the search is complete."""

    protocol: Protocol
    states: Sequence[State] = ()
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
        self.seen: dict[int, int] = {}
        self.queue: deque[int] = deque()
        self.entries: dict[Steps, Entry] = {}
        parts = [(bits, self._entries(table)) for bits, table in self.compiled.parts]
        self.layers = Layers(parts, lambda one, two: self._entry(one.steps + two.steps))
        self.planned = 0
        states, fired = States(self.compiled), [0] * len(protocol.transitions)
        self.found = Exploration(protocol, states=states, fired=fired)
        claims = protocol.claims
        self.watched = {
            i: p for i, p in self.compiled.alarms.items() if claims[i].form in ("always", "sometimes")
        }
        self.told = Layers(self.watched.values(), lambda one, two: one + two)

    def run(self, edges: bool) -> Exploration:
        """Search until every state was found, a limit was reached, or the user interrupts."""
        found, self.started = self.found, time.perf_counter()
        found.edges = Edges() if edges else None
        try:
            self._levels()
        except KeyboardInterrupt:
            found.ended, found.interrupted = INTERRUPTED, True
            self._tidy()
        self._count()
        found.seconds = time.perf_counter() - self.started
        return found

    def _levels(self) -> None:
        """Level by level, in chunks, with a look at the limits between two chunks."""
        found, initial = self.found, self.compiled.pack(self.protocol.initial)
        self.seen[initial] = 0
        self.queue.append(initial)
        found.parents.append(0)
        found.via.append(-1)
        found.states.append(initial)  # type: ignore[attr-defined]
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
            self._plan()
            self._report()

    def _expand(self, stop: int) -> None:
        """Expand the states up to number `stop`: the loop that the time goes into."""
        found, edges, cut = self.found, self.found.edges, self.found.cut
        expanding, number_of, parents, via = (
            self.queue.popleft,
            self.seen.setdefault,
            found.parents,
            found.via,
        )
        coming, append = self.queue.append, found.states.append  # type: ignore[attr-defined]
        layers, told, count = self.layers.tables, self.told.tables, len(found.states)
        for here in range(found.expanded, stop):
            state, before = expanding(), count
            try:
                entries = [entry for mask, table in layers if (entry := table[state & mask])]
                if cut and here in cut:
                    entries = []
            except DomainError as error:
                entries = [] if here in cut else self._survivors(here, state, error)
            there = here
            for entry in entries:
                entry.times += 1
                for number, change in entry.steps if edges else entry.moves:
                    after = state + change
                    there = number_of(after, count)
                    if there == count:
                        parents.append(here)
                        via.append(number)
                        append(after)
                        coming(after)
                        for mask, table in told:
                            if table[after & mask]:
                                self._judge(after, count)
                                break
                        count += 1
                    if edges:
                        edges.targets.append(there)
                if edges:
                    edges.numbers.extend(entry.numbers)
            if (
                there == here
                and count == before
                and here not in cut
                and not any(entry.moves for entry in entries)
            ):
                found.deadlocks.append(here)
            if edges:
                edges.starts.append(len(edges.targets))
            found.expanded = here + 1
            if self.stop_at_first and self._decided():
                return

    def _entry(self, steps: Steps) -> Entry:
        """One entry for all states that take the same steps."""
        entry = self.entries.get(steps)
        if entry is None:
            entry = self.entries[steps] = Entry(steps)
        return entry

    def _count(self) -> None:
        fired = [0] * len(self.found.fired)
        for entry in self.entries.values():
            for number in entry.numbers:
                fired[number] += entry.times
        self.found.fired = fired

    def _entries(self, table: Table) -> Table:
        """The table of a part, with entries for steps."""
        return Table(lambda bits: self._entry(steps) if (steps := table.work(bits)) else ())

    def _plan(self) -> None:
        """Look anew at what is looked up together, each time that the states have doubled."""
        new = self.found.expanded - self.planned
        if new >= max(CHUNK, self.planned):
            self.planned = self.found.expanded
            self.layers.grow(new)
            self.told.grow(new)

    # -------------------------------------------------- judging

    def _judge(self, state: int, number: int) -> None:
        """Judge one state. A *sometimes* claim that has its witness is not watched for any more."""
        claims, parts, witnessed = self.protocol.claims, self.compiled.claims, list[int]()
        for claim, (alarm, alarms) in self.watched.items():
            if alarms[state & alarm] and parts[claim][1][state & parts[claim][0]]:
                self.first.setdefault(claim, number)
                if claims[claim].form == "sometimes":
                    witnessed.append(claim)
                elif self.prune:
                    self.found.cut[number] = "what a violation leads to was not explored"
        for claim in witnessed:
            self.told.drop(self.watched.pop(claim)[1])

    def _survivors(self, here: int, state: int, error: DomainError) -> list[Entry]:
        """The steps that stay inside their domains, from a state where some action does not."""
        self.broken = self.broken or (here, str(error))
        self.found.cut[here] = f"an action left its domain: {error}"
        steps = inside(self.protocol, self.compiled.unpack(state))
        return [self._entry(tuple((number, self.compiled.pack(after) - state) for number, after in steps))]

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
            self._count()
            self.progress(len(found.states), found.transitions, found.depth, found.frontier, seconds)

    def _tidy(self) -> None:
        """After an interrupt in the middle of a state: forget what is half written."""
        found, edges = self.found, self.found.edges
        whole = min(len(found.states), len(found.parents), len(found.via))
        del found.states[whole:]  # type: ignore[attr-defined]
        del found.parents[whole:], found.via[whole:]
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
