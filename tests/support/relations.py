"""Every reachable state of a protocol as one decision diagram, by primed variables and transition relations.

    found = Relations(protocol).reach()
    found.states, found.fired                   # exact, whatever their size; by transition
    found.leaving, found.holding                # steps that leave their domain; in how many states each claim holds

It is the textbook's way, and shares no line with the engines: a second opinion where no search gets to. The relation of
a transition is its guard and, for each field that it changes, next = term; other fields are not in it. Those of equal
fields are one relation. A step is: and, forget the old values, rename the new ones. The package oxidd has the diagrams
(https://oxidd.net). As in the plain engine, steps that leave a domain are not taken, and counted apart.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from bit_vectors import Bits, Diagram, Number, Translation

from cutproof.model.language.parts import Field, Transition
from cutproof.model.language.protocol import Protocol

FULL = 0.7  # of the nodes: from then on garbage is collected
TRIES = 5  # of what did not fit, each time after the garbage was collected
PAUSE = 0.05  # seconds between two looks at a collection that goes on
NODE, ENTRY = 32, 16  # bytes that a node takes with its place in a table, at most, and an entry of the cache
Step = tuple[
    Diagram, Diagram, Any
]  # a relation, the old values that it changes, how the new ones are renamed
JUDGED = ("always", "sometimes")  # what each state shows


class OutOfMemory(Exception):
    """The diagrams did not fit."""


@dataclass(frozen=True)
class Progress:
    """After so many rounds, so many states are known; nodes of the set, and of all that is kept."""

    rounds: int
    states: int
    nodes: int
    kept: int
    seconds: float


@dataclass(frozen=True)
class Reached:
    """What was counted. `fired` and `leaving` are by transition: in how many states it is taken, and in how many it
    would leave its domain. `holding` is by claim: in how many states an *always* or *sometimes* is true, else None."""

    states: int
    fired: tuple[int, ...]
    leaving: tuple[int, ...]
    holding: tuple[int | None, ...]
    rounds: int
    nodes: int
    seconds: float

    @property
    def transitions(self) -> int:
        """Steps between the states, those that change nothing included."""
        return sum(self.fired)


def ordered(fields: Sequence[Field]) -> list[Field]:
    """The fields from the top of a diagram to its bottom: those without a number among their indices, as they were
    declared; then by the first number (a document, a process), those with fewer other indices first, and all that have
    the same ones beside each other, be their variables what they may: `net[O,0,1]` and `task[O,0,1]`."""

    def place(at: int) -> tuple[Any, ...]:
        _, _, inside = fields[at].name.partition("[")
        where = inside.rstrip("]").split(",") if inside else []
        first = next((i for i, index in enumerate(where) if re.fullmatch(r"-?\d+", index)), None)
        if first is None:
            return (0, at)
        others = where[:first] + where[first + 1 :]
        return 1, int(where[first]), len(others), others[::-1], at

    return [fields[at] for at in sorted(range(len(fields)), key=place)]


class Relations:
    """A protocol as transition relations. `memory` is how many bytes the diagrams may take, all in all."""

    def __init__(self, protocol: Protocol, memory: int = 1 << 30) -> None:
        from oxidd.bcdd import BCDDManager

        cache = 1 << (memory // 4 // ENTRY).bit_length() - 1
        self.capacity = (memory - cache * ENTRY) // NODE
        self.protocol, self.manager = protocol, BCDDManager(self.capacity, cache, 1)
        self._variables()
        self.reached, self.rounds = self.manager.false(), 0
        self._fitting(self._build)

    # -------------------------------------------------- variables

    def _variables(self) -> None:
        """A variable for each bit of each field, the most significant first, its primed one below it."""
        changed = {cell.name for t in self.protocol.transitions for cell, _ in t.updates}
        self.now, self.next, self.width = dict[str, list[int]](), dict[str, list[int]](), 0
        count = 0
        for field in ordered(self.protocol.fields):
            width = (field.domain.high - field.domain.low).bit_length()
            step = 2 if field.name in changed else 1
            self.now[field.name] = [count + i * step for i in reversed(range(width))]
            self.next[field.name] = [v + 1 for v in self.now[field.name]] if step == 2 else []
            count, self.width = count + width * step, self.width + width
        self.manager.add_vars(count)

    def _bits(self, variables: Iterable[int]) -> Bits:
        return tuple(self.manager.var(v) for v in variables)

    def _all(self, literals: Iterable[tuple[int, bool]]) -> Diagram:
        """The conjunction of variables, or of their negations: built from below."""
        found = self.manager.true()
        for variable, value in sorted(literals, reverse=True):
            found = (self.manager.var(variable) if value else self.manager.not_var(variable)) & found
        return found

    # -------------------------------------------------- relations

    def _build(self) -> None:
        fields = {f.name: Number(f.domain.low, self._bits(self.now[f.name])) for f in self.protocol.fields}
        terms = Translation(self.manager.false(), self.manager.true(), fields)
        self.taken, self.leaving = list[Diagram](), list[Diagram]()
        together: dict[tuple[str, ...], Diagram] = {}
        for transition in self.protocol.transitions:
            guard, inside = terms.condition(transition.enabled), self._inside(terms, transition)
            self.taken.append(guard & inside)
            self.leaving.append(guard & ~inside)
            changed = tuple(sorted(cell.name for cell, _ in transition.updates if cell.name in self.now))
            relation = self._relation(terms, transition, guard & inside)
            together[changed] = together[changed] | relation if changed in together else relation
        parts = [self._step(changed, relation) for changed, relation in together.items() if changed]
        self.steps = [step for _, step in sorted(parts, key=lambda part: part[0])]  # the highest first
        claims = self.protocol.claims
        self.claims = [terms.condition(c.holds) if c.form in JUDGED else None for c in claims]
        for state in self.protocol.initials:
            self.reached = self.reached | self._state(state)

    def _inside(self, terms: Translation, transition: Transition) -> Diagram:
        """Where every new value is of its domain."""
        found = self.manager.true()
        for cell, term in transition.updates:
            found = found & terms.within(terms.number(term), cell.domain.low, cell.domain.high)
        return found

    def _relation(self, terms: Translation, transition: Transition, relation: Diagram) -> Diagram:
        """Where the step is taken, and every changed field is next what its term says; the lowest fields first.

        A cell of one value has no bits, and keeps it."""
        cells = [(cell, term) for cell, term in transition.updates if cell.name in self.now]
        for cell, term in sorted(cells, key=lambda update: -self.now[update[0].name][0]):
            primed = self._bits(self.next[cell.name])
            code = terms.code(terms.number(term), cell.domain.low, len(primed))
            for bit, value in zip(primed, code, strict=True):
                relation = relation & bit.equiv(value)
        return relation

    def _step(self, changed: tuple[str, ...], relation: Diagram) -> tuple[int, Step]:
        """What a step with this relation needs, behind the highest variable that it changes."""
        old = [v for name in changed for v in self.now[name]]
        new = [v for name in changed for v in self.next[name]]
        back = type(relation).make_substitution(list(zip(new, self._bits(old), strict=True)))
        return min(old), (relation, self._all((v, True) for v in old), back)

    def _state(self, state: Sequence[int]) -> Diagram:
        return self._all(
            (variable, bool(value - field.domain.low >> i & 1))
            for field, value in zip(self.protocol.fields, state, strict=True)
            for i, variable in enumerate(self.now[field.name])
        )

    # -------------------------------------------------- the search

    def reach(self, tell: Callable[[Progress], None] | None = None) -> Reached:
        """Take every step from all that is known, until a round brings nothing; then count. `tell` is called after each
        round. Raises OutOfMemory; then, and after an interrupt, `known()` says how far it got."""
        started = time.perf_counter()
        while self._round():
            if tell is not None:
                tell(self._progress(time.perf_counter() - started))
        fired, leaving = (tuple(map(self.known, where)) for where in (self.taken, self.leaving))
        holding = tuple(None if claim is None else self.known(claim) for claim in self.claims)
        seconds, nodes = time.perf_counter() - started, self.reached.node_count()
        return Reached(self.known(), fired, leaving, holding, self.rounds, nodes, seconds)

    def known(self, where: Diagram | None = None) -> int:
        """How many of the states that are known so far are of this set."""
        if where is None:
            return int(self.reached.sat_count(self.width))  # primed variables are not in it
        return int(self._fitting(lambda: self.reached & where).sat_count(self.width))

    def _round(self) -> bool:
        """Whether there was something new."""
        before = self.reached
        for step in self.steps:
            self.reached = self._fitting(partial(self._after, step))
        self.rounds += 1
        return bool(self.reached != before)

    def _after(self, step: Step) -> Diagram:
        """What is known, and where a step from there leads."""
        from oxidd.util import BooleanOperator

        relation, old, back = step
        after = self.reached.apply_exists(BooleanOperator.AND, relation, old)
        return self.reached | after.substitute(back)

    def _progress(self, seconds: float) -> Progress:
        kept = self.manager.approx_num_inner_nodes()
        return Progress(self.rounds, self.known(), self.reached.node_count(), kept, seconds)

    # -------------------------------------------------- memory

    def _fitting(self, work: Callable[[], Any]) -> Any:
        """What `work` makes. The library collects garbage on a thread of its own, shortly before nothing is left, and
        meanwhile an operation fails though hardly a node is in use: so it is collected here, earlier, and what failed
        is tried again."""
        from oxidd.util import DDMemoryError

        if self.manager.approx_num_inner_nodes() > self.capacity * FULL:
            self.manager.gc()
        for _ in range(TRIES):
            try:
                return work()
            except DDMemoryError:
                self._collect()
        raise OutOfMemory("the limit of memory was reached")

    def _collect(self) -> None:
        """Collect garbage, and wait where the library does: `gc` returns at once then."""
        before = -1
        while before != (now := self.manager.num_inner_nodes()):
            self.manager.gc()
            time.sleep(PAUSE)
            before = now
