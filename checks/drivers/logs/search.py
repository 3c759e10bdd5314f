"""The states that are possible after each line: breadth-first over the logs, all candidates at once.

A *place* is how many events of each log are explained, and a *layer* all places with the same number of them, each
with the states in which the system may be there. Between two lines there may be steps that were not logged: the states
before a line are then all those within reach of what was possible after the one before it (`before`).

A state has *marks*: which properties every behaviour that leads to it has violated, and which some has.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from cutproof.checks.drivers.logs.meaning import Event
from cutproof.checks.drivers.logs.reading import Log
from cutproof.checks.engines.plain.search import packed_steps_of
from cutproof.model.language.codegen import compile_protocol
from cutproof.model.language.protocol import Claim, Protocol

REMEMBERED = 300_000  # states and lines of which is remembered what may follow
STATES = 200_000  # held at once, unless said otherwise

Place = tuple[int, ...]
States = dict[int, int]  # packed states, with their marks
Layer = dict[Place, States]
Came = dict[int, tuple[int, int]]  # the state from which an unlogged step led here, and its number
Entered = dict[tuple[Place, int], tuple[Place, int, int]]  # the same of a line; -1: it was no step


@dataclass(frozen=True)
class Rules:
    """What need not be in the log. Steps of `unlogged` actions are free; of the others up to `missing` may be left out
    before each line. `midway`: the log begins somewhere in a run. `states` are held at once, at most."""

    unlogged: frozenset[str] = frozenset()
    missing: int = 0
    midway: bool = False
    states: int = STATES


class TooMany(Exception):
    """More states are possible than may be held."""


class Search:
    """Takes the events of some logs, in any order that keeps that of each. Raises ValueError if a mechanism of the
    protocol has no value yet."""

    def __init__(self, protocol: Protocol, logs: Sequence[Log], rules: Rules) -> None:
        self.protocol, self.logs, self.rules = protocol, logs, rules
        self.compiled = compile_protocol(protocol)
        self.free = frozenset(n for n, t in enumerate(protocol.transitions) if t.action in rules.unlogged)
        self.watched = [(i, c) for i, c in enumerate(protocol.claims) if c.form == "always"]
        self._bit = {i: 1 << bit for bit, (i, _) in enumerate(self.watched)}
        self.width = len(self.watched) + 1  # the last says: any of them
        self.must = (1 << self.width) - 1
        self.alarmed = False  # some state was seen that violates
        self._told: dict[int, int] = {}
        self._steps: dict[int, list[tuple[int, int]]] = {}
        self._moves: dict[Event, dict[int, list[tuple[int, int]]]] = {}
        self._held = 0

    # -------------------------------------------------- one state

    def steps(self, state: int) -> list[tuple[int, int]]:
        """What may happen, by the number of the transition, and the state after it."""
        found = self._steps.get(state)
        if found is None:
            if len(self._steps) >= REMEMBERED:
                self._steps.clear()
            found = self._steps[state] = packed_steps_of(self.compiled, state)
        return found

    def moves(self, event: Event, state: int) -> list[tuple[int, int]]:
        """The steps by which an event may happen, as `steps`; one of number -1 where it is none."""
        known = self._moves.setdefault(event, {})
        found = known.get(state)
        if found is None:
            if self._held >= REMEMBERED:
                self._moves, self._held = {}, 0
                known = self._moves.setdefault(event, {})
            self._held += 1
            mask, bits, numbers = event.mask, event.bits, event.numbers
            steps = [(-1, state)] if numbers is None else self.steps(state)
            found = known[state] = [
                (n, s) for n, s in steps if s & mask == bits and (numbers is None or n in numbers)
            ]
        return found

    def told(self, state: int) -> int:
        """The marks that a state itself makes."""
        if not self.watched:
            return 0
        marks = self._told.get(state)
        if marks is None:
            marks = sum(self._bit[i] for i in self.compiled.judge_packed(state))
            if marks:
                self.alarmed = True
                marks |= 1 << self.width - 1
                marks |= marks << self.width
            if len(self._told) >= REMEMBERED:
                self._told.clear()
            self._told[state] = marks
        return marks

    def merged(self, a: int, b: int) -> int:
        """The marks of a state that is reached in two ways."""
        return a & b & self.must | (a | b) & ~self.must

    # -------------------------------------------------- steps that were not logged

    def starts(self, came: Came | None = None) -> States:
        """The states in which the log may begin."""
        initials = map(self.compiled.pack, self.protocol.initials)
        found = {state: self.told(state) for state in initials}
        if self.rules.midway:
            changed = list(found)
            while changed:
                changed = self._spread(found, changed, None, came)
        return found

    def before(self, states: States, came: Came | None = None) -> States:
        """The states that are possible before the next line, from those after the last one."""
        if not self.free and not self.rules.missing:
            return states
        found, changed = dict(states), list(states)
        for left in range(self.rules.missing, -1, -1):
            level = dict.fromkeys(changed)
            while self.free and changed:
                changed = self._spread(found, changed, self.free, came)
                level.update(dict.fromkeys(changed))
            if not left or not level:
                break
            changed = self._spread(found, level, None, came)
        return found

    def _spread(
        self, found: States, sources: Iterable[int], numbers: frozenset[int] | None, came: Came | None
    ) -> list[int]:
        """Take one step from each source; the states that are new, or have other marks now."""
        changed: dict[int, None] = {}
        for state, marks in [(s, found[s]) for s in sources]:
            for number, after in self.steps(state):
                if numbers is not None and number not in numbers:
                    continue
                new, old = marks | self.told(after), found.get(after)
                if old is not None:
                    new = self.merged(old, new)
                elif came is not None:
                    came[after] = state, number
                if new != old:
                    found[after] = new
                    changed[after] = None
            if len(found) > self.rules.states:
                raise TooMany
        return list(changed)

    # -------------------------------------------------- a line

    def nexts(self, place: Place) -> Iterator[tuple[int, Event, Place]]:
        """The events that may come next: the number of the log, the event, and the place after it."""
        for number, log in enumerate(self.logs):
            if place[number] < len(log.events):
                there = (*place[:number], place[number] + 1, *place[number + 1 :])
                yield number, log.events[place[number]], there

    def after(
        self, layer: Layer, entered: Entered | None = None, came: dict[Place, Came] | None = None
    ) -> Layer:
        """The layer of one event more; empty where none can come next. Where they are given, `entered` and `came` get
        how each state was reached first. Raises TooMany."""
        coming: Layer = {}
        held = 0
        for place, states in layer.items():
            inside: Came | None = None if came is None else came.setdefault(place, {})
            possible = self.before(states, inside)
            for _, event, there in self.nexts(place):
                into = coming.get(there, {})
                held -= len(into)
                for state, marks in possible.items():
                    for number, after in self.moves(event, state):
                        new, old = marks | self.told(after), into.get(after)
                        if old is not None:
                            new = self.merged(old, new)
                        elif entered is not None:
                            entered[there, after] = place, state, number
                        into[after] = new
                held += len(into)
                if into:
                    coming[there] = into
            if held > self.rules.states:
                raise TooMany
        return coming

    # -------------------------------------------------- what is violated

    def surely(self, states: Iterable[int]) -> tuple[Claim | None, ...]:
        """The claims that every behaviour violates that leads to states with these marks; None alone where each
        violates some, and no two need be the same."""
        marks = self.must
        for found in states:
            marks &= found
        return self._claims(marks)

    def maybe(self, states: Iterable[int]) -> tuple[Claim | None, ...]:
        """The claims that some behaviour violates."""
        marks = 0
        for found in states:
            marks |= found >> self.width
        return tuple(c for c in self._claims(marks) if c is not None)

    def _claims(self, marks: int) -> tuple[Claim | None, ...]:
        named = tuple(c for i, c in self.watched if marks & self._bit[i])
        return named or ((None,) if marks >> self.width - 1 & 1 else ())
