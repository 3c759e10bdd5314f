"""The search below the plain explorer: breadth-first over every interleaving, one state after the other.

It keeps to what can be believed on sight: a dictionary from state to number, a list of states in the order
they were found, and for each the state and the transition that it was first found by. Because states are
expanded in that order, and transitions fire in the order of the protocol, the first state that breaks a
claim has a shortest trace, and of the shortest the one that is first by the order of actions.

States are packed (`model/language/codegen.py`), and what some bits of a state lead to is looked up: see `Layers`.
"""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable

from cutproof.checks.engines.exploration import INTERRUPTED, Edges, Entry, Exploration, Limits, States
from cutproof.checks.engines.plain.lookup_groups import Layers
from cutproof.model.language import expressions as ex
from cutproof.model.language.codegen import Compiled, DomainError, Steps, compile_protocol
from cutproof.model.language.packing import Table
from cutproof.model.language.protocol import Protocol, State

CHUNK = 1024  # states between two looks at the limits
PAUSE = 0.5  # seconds between two reports of progress

Progress = Callable[[int, int, int, int, float], None]  # states, transitions, depth, frontier, seconds


class Doubling:
    """Foresees when a growing dictionary takes twice its room at once, as it does each time that it is full."""

    def __init__(self) -> None:
        self.bytes, self.full, self.before, self.step = 0, 0, 0, 0

    def coming(self, table: dict[int, int]) -> int:
        """The bytes that it may take at once before it is looked at again, having grown as much as it ever did
        between two looks."""
        size, count = sys.getsizeof(table), len(table)
        self.step = max(self.step, count - self.before)
        if size != self.bytes:
            self.bytes, self.full = (
                size,
                2 * self.before,
            )  # it was not full before, and there is room for twice that
        self.before = count
        return 2 * size if count + self.step >= self.full else 0


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
        self.table = Doubling()
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
        found = self.found
        for number, state in enumerate(self.protocol.initials):
            initial = self.compiled.pack(state)
            self.seen[initial] = number
            self.queue.append(initial)
            found.parents.append(number)
            found.via.append(-1)
            found.states.append(initial)  # type: ignore[attr-defined]
            self._judge(initial, number)
        level_end = len(found.states)
        while found.expanded < len(found.states):
            if found.expanded == level_end:
                found.depth = (found.depth or 0) + 1
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
        return self.limits.reached(len(self.found.states), self.started, self.table.coming(self.seen))

    def _report(self) -> None:
        seconds = time.perf_counter() - self.started
        if self.progress and seconds - self.reported >= PAUSE:
            self.reported, found = seconds, self.found
            self._count()
            self.progress(len(found.states), found.transitions, found.depth or 0, found.frontier, seconds)

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


def steps_of(compiled: Compiled, state: State) -> list[tuple[int, State]]:
    """The steps from a state that stay inside their domains, in order."""
    try:
        return compiled.successors(state)
    except DomainError:
        return inside(compiled.protocol, state)


def packed_steps_of(compiled: Compiled, packed: int) -> list[tuple[int, int]]:
    """The same from a packed state, to packed states."""
    try:
        return compiled.successors_packed(packed)
    except DomainError:
        return [(n, compiled.pack(s)) for n, s in inside(compiled.protocol, compiled.unpack(packed))]
