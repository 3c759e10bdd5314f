"""One random run after the other, by the compiled functions of a protocol.

A state is packed (`model/language/codegen.py`). What is possible in it, and what its claims say, is looked up once and
remembered while there is room: in a run most states are new, over many runs few are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from cutproof.checks.engines.plain.search import inside
from cutproof.checks.engines.simulate.guards import Guards
from cutproof.checks.engines.simulate.schedulers import Move, Scheduler
from cutproof.checks.engines.simulate.waiting import Waiting
from cutproof.model.language.codegen import DomainError, compile_protocol
from cutproof.model.language.protocol import Protocol

KNOWN = 200_000  # states of which it is remembered what is possible there
BITS = 500_000  # entries of the tables behind, before they are begun anew
LOOK = 4095  # steps between two looks at the clock
DEADLOCK, LIMIT, VIOLATION = "deadlock", "limit", "violation"


class Place(NamedTuple):
    """What is known of a state: the steps that change it; what is to be told of it, by numbers of claims (-1: some
    action leaves its domain); and where one does, the complaint."""

    moves: Sequence[Move]
    told: tuple[int, ...]
    broken: str = ""


@dataclass
class Run:
    """A finished run: its number, the packed states and the numbers of the transitions between them; `told` are the
    places in it of states of which something is to be told; `violation` the first of them that violates a claim."""

    number: int
    states: list[int]
    transitions: list[int]
    told: list[tuple[int, Place]]
    ended: str


class Walker:
    """Walks a resolved protocol. ValueError if a mechanism has no value yet."""

    def __init__(self, protocol: Protocol, scheduler: Scheduler, seed: int, steps: int) -> None:
        self.protocol, self.scheduler, self.seed, self.steps = protocol, scheduler, seed, steps
        self.compiled = compile_protocol(protocol)
        self.guards = Guards(protocol, self.compiled)
        self.initials = [self.compiled.pack(state) for state in protocol.initials]
        self.known: dict[int, Place] = {}
        claims, self.forms = self.compiled.claims, [c.form for c in protocol.claims]
        alarms = self.compiled.alarms
        self.watched = [(i, alarms[i], claims[i]) for i in claims if self.forms[i] in ("always", "sometimes")]
        self.dead = [(i, claims.get(i)) for i, form in enumerate(self.forms) if form == "can_always"]
        self.waiting = Waiting(protocol, self.compiled) if any(c.cases for c in protocol.claims) else None
        self.owed = [t.owed for t in protocol.transitions]

    def run(self, number: int, stop: bool, look: Callable[[], None] | None = None) -> Run:
        """The run of that number; it ends at the first violation if it is to `stop` there. A long one takes a `look`
        now and then, which may end it by an exception: then nothing of it remains."""
        random = Random((self.seed << 64) | number)
        state = self.initials[int(random.random() * len(self.initials))]
        pick = self.scheduler(self.protocol, self.steps, random)
        states, transitions, told, known = [state], list[int](), list[tuple[int, Place]](), self.known
        ended, pending = LIMIT, list[bool]()
        for step in range(self.steps + 1):
            if look and step & LOOK == LOOK:
                look()
            place = known.get(state)
            if place is None:
                place = self._look(state)
            if self.waiting and not place.broken:
                pending = self.waiting.after(pending, state)
                place = place._replace(told=place.told + self.waiting.never(pending, place.moves))
            if place[1]:
                told.append((step, place))
                if stop and self.violates(place):
                    ended = VIOLATION
                    break
            if not place[0]:
                ended = DEADLOCK
                break
            if step == self.steps:
                break
            move = pick(place[0])
            transitions.append(move[0])
            state += move[1]
            states.append(state)
        return Run(number, states, transitions, told, ended)

    def violates(self, place: Place) -> list[int]:
        """The claims that are violated there, by number; -1 where an action leaves its domain."""
        return [i for i in place.told if i < 0 or self.forms[i] != "sometimes"]

    def _look(self, state: int) -> Place:
        """What is possible in a state, and what its claims say."""
        told = [
            i
            for i, (alarm, alarms), (mask, table) in self.watched
            if alarms[state & alarm] and table[state & mask]
        ]
        broken = ""
        try:
            moves: Sequence[Move] = [
                step for mask, table in self.guards.parts for step in table[state & mask] if step[1]
            ]
        except DomainError as error:
            here, broken = self.compiled.unpack(state), str(error)
            steps = [(n, self.compiled.pack(after) - state) for n, after in inside(self.protocol, here)]
            moves = [step for step in steps if step[1]]
            told.append(-1)
            self._guards(state)
        if self.dead and not broken and not any(self.owed[number] for number, _ in moves):
            told += [i for i, part in self.dead if part is None or not part[1][state & part[0]]]
        if len(self.known) >= KNOWN:
            self._forget()
        place = self.known[state] = Place(moves, tuple(told), broken)
        return place

    def _guards(self, state: int) -> None:
        """See the guards of every part, where a look-up ended at the first that leaves its domain."""
        for mask, table in self.guards.parts:
            with suppress(DomainError):
                table[state & mask]

    def _forget(self) -> None:
        self.known.clear()
        tables = [table for _, table in self.guards.parts]
        tables += [table for _, *parts in self.watched for _, table in parts]
        if sum(map(len, tables)) > BITS:
            for table in tables:
                table.clear()
