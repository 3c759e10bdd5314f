"""A protocol as diagrams: a level for each bit of its fields, in an order; its conditions, and what its steps do.

A bit is set where it differs from the first initial state, which is `START` so. Most messages are idle most of the
time, and idle costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

from cutproof.checks.engines.zdd.diagrams import FALSE, NOTHING, NOWHERE, TRUE, Diagrams, Node, Relation
from cutproof.checks.engines.zdd.events import Event, Move, Step, moves_of
from cutproof.model.language.circuit import AND, NOR, XOR, Edge, Layout, Translation, possible
from cutproof.model.language.expressions import Term
from cutproof.model.language.protocol import Protocol, State

Make = Callable[..., Diagrams]
Put = tuple[tuple[int, int], ...]  # (level, 0 or 1), by level


@dataclass(frozen=True)
class InOrder:
    """Where `guard` holds, steps one after the other: each the events from one number up to another."""

    guard: Node
    steps: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Steps:
    """What some transitions do: events from one number up to another, each a step, and sequences of steps."""

    first: int
    last: int
    sequences: tuple[InOrder, ...]


Prepared = tuple[Translation, list[Move]]  # a protocol as a circuit, and what its transitions do


def prepare(protocol: Protocol, starts: Sequence[State]) -> Prepared:
    """What is the same in every order. Raises TooWide."""
    translation = Translation(Layout(protocol, possible=possible(protocol, starts)))
    return translation, moves_of(translation)


class System:
    """A resolved protocol in diagrams that `make(levels)` makes. `order` has the names of the fields that vary, first
    the one at the top. `starts` are the states that runs begin in, if these are not the protocol's; `prepared` is what
    `prepare` gives for both, if it is there. Raises TooWide where a field has too many values, and OverBudget."""

    def __init__(
        self,
        protocol: Protocol,
        order: Sequence[str],
        make: Make,
        starts: Sequence[State] = (),
        prepared: Prepared | None = None,
        **limits: Any,
    ) -> None:
        self.protocol, self.starts = protocol, tuple(starts) or protocol.initials
        self.translation, self.moves = prepared or prepare(protocol, self.starts)
        self.layout = self.translation.layout
        places = self.layout.places
        if sorted(order) != sorted(places):
            strange = ", ".join(sorted(set(order) ^ set(places))) or "a name twice"
            raise ValueError(f"the order has to name every field that varies, once: {strange}")
        self.order = list(order)
        self.inputs = [places[n].offset + i for n in order for i in reversed(range(places[n].width))]
        self.levels = {input_: level for level, input_ in enumerate(self.inputs)}
        self.diagrams = make(len(self.inputs), **limits)
        start, _ = self.layout.pack(self.starts[0])
        self.flips = [start >> input_ & 1 for input_ in self.inputs]
        self._made: dict[Edge, Node] = {0: FALSE, 1: TRUE}
        self._truths: dict[Term, Node] = {}
        self._changes: dict[int, Node] = {}
        self._relations: dict[Steps, Relation] = {}
        self._sealed = False
        self.enabled = [self.condition(move.enabled) for move in self.moves]
        self.leaving = [self.condition(move.leaving) for move in self.moves]
        self.all = self.steps(range(len(self.moves)))
        for claim in protocol.claims:
            for term in claim.terms():
                self.truth(term)
        self.diagrams.seal()
        self._sealed = True
        self.initial = NOTHING
        for state in self.starts:
            self.initial = self.diagrams.union(self.initial, self.diagrams.single(self.bits(state)))
        self.diagrams.keep(self.initial)

    # -------------------------------------------------- states

    def bits(self, state: State) -> list[int]:
        """The bits of a state, by level. ValueError for a value that its field cannot have."""
        key, _ = self.layout.pack(state)
        return [key >> input_ & 1 ^ flip for input_, flip in zip(self.inputs, self.flips, strict=True)]

    def state(self, bits: Sequence[int]) -> State:
        """The state with these bits."""
        both = zip(self.inputs, bits, self.flips, strict=True)
        return self.layout.unpack(sum((bit ^ flip) << input_ for input_, bit, flip in both), 0)

    # -------------------------------------------------- conditions

    def condition(self, edge: Edge) -> Node:
        """The condition of an edge of the circuit; it stays."""
        circuit, todo, made = self.translation.circuit, [edge], self._made
        while todo:
            edge = todo[-1]
            if edge in made:
                todo.pop()
            elif edge & 1:
                if edge ^ 1 in made:
                    made[edge] = self._kept(self.diagrams.gate(XOR, made[edge ^ 1], TRUE))
                else:
                    todo.append(edge ^ 1)
            elif edge >> 1 <= circuit.inputs:
                level = self.levels[(edge >> 1) - 1]
                bit = self.diagrams.bit(level)
                made[edge] = self._kept(self.diagrams.gate(XOR, bit, TRUE) if self.flips[level] else bit)
            else:
                kind, a, b = circuit.gates[(edge >> 1) - circuit.inputs - 1]
                if a in made and b in made:
                    made[edge] = self._kept(self.diagrams.gate(kind, made[a], made[b]))
                else:
                    todo += [e for e in (a, b) if e not in made]
        return made[edge]

    def truth(self, term: Term) -> Node:
        """The condition that a boolean term holds; it stays."""
        if term not in self._truths:
            self._truths[term] = self.condition(self.translation.terms.truth(term))
        return self._truths[term]

    def either(self, conditions: Iterable[Node]) -> Node:
        """The condition that one of some holds; it stays."""
        row = sorted(set(conditions))
        while len(row) > 1:
            row = [self._or(*row[i : i + 2]) if i + 1 < len(row) else row[i] for i in range(0, len(row), 2)]
        return row[0] if row else FALSE

    def _or(self, a: Node, b: Node) -> Node:
        neither = self._kept(self.diagrams.gate(NOR, a, b))
        return self._kept(self.diagrams.gate(XOR, neither, TRUE))

    def _and(self, a: Node, b: Node) -> Node:
        return self._kept(self.diagrams.gate(AND, a, b))

    def _kept(self, node: Node) -> Node:
        return self.diagrams.keep(node) if self._sealed else node

    # -------------------------------------------------- steps

    def steps(self, transitions: Iterable[int], changing: bool = False) -> Steps:
        """What some transitions do, by number; where `changing`, only in states that they change. Steps that put the
        same are one event. The deepest writes come first: chaining took half as long as in other orders."""
        alone, sequences = dict[Put, list[Node]](), list[InOrder]()
        for number in transitions:
            move = self.moves[number]
            if len(move.steps) == 1:
                for event in move.steps[0]:
                    put = self._put(event)
                    both = self.translation.circuit.both(move.enabled, event.condition)
                    where = self.condition(both)
                    alone.setdefault(put, []).append(
                        self._and(where, self._differs(put)) if changing else where
                    )
            elif move.steps and self.enabled[number] != FALSE:
                guard = self.changes(number) if changing else self.enabled[number]
                steps = tuple(self._events(self._united(step)) for step in move.steps)
                sequences.append(InOrder(guard, steps))
        alone.pop((), None)  # they put nothing
        return Steps(*self._events(alone), tuple(sequences))

    def changes(self, number: int) -> Node:
        """The condition that a transition is taken and changes the state; it stays."""
        if number not in self._changes:
            move, some = self.moves[number], list[Node]()
            for event in (event for step in move.steps for event in step):
                # of a sequence too: no step reads what an earlier one wrote
                both = self.translation.circuit.both(move.enabled, event.condition)
                some.append(self._and(self.condition(both), self._differs(self._put(event))))
            self._changes[number] = self.either(some)
        return self._changes[number]

    def _differs(self, put: Put) -> Node:
        """The condition that some bit is not what is put."""
        bits = []
        for level, bit in put:
            set_ = self._kept(self.diagrams.bit(level))
            bits.append(self._kept(self.diagrams.gate(XOR, set_, TRUE)) if bit else set_)
        return self.either(bits)

    def _united(self, step: Step) -> dict[Put, list[Node]]:
        found = dict[Put, list[Node]]()
        for event in step:
            found.setdefault(self._put(event), []).append(self.condition(event.condition))
        return found

    def _put(self, event: Event) -> Put:
        found = ((self.levels[input_], bit) for input_, bit in event.put)
        return tuple(sorted((level, bit ^ self.flips[level]) for level, bit in found))

    def _events(self, puts: dict[Put, list[Node]]) -> tuple[int, int]:
        """The numbers of events that are made for this, one after the other."""
        made = list[int]()
        for put in sorted(puts, key=lambda put: (-max((level for level, _ in put), default=-1), put)):
            condition = self.either(puts[put])
            if condition != FALSE:
                made.append(self.diagrams.event(condition, put))
        return (made[0], made[-1] + 1) if made else (0, 0)

    def relation(self, steps: Steps) -> Relation:
        """What some transitions do, as one relation."""
        if steps not in self._relations:
            d = self.diagrams
            some = [d.effect(event) for event in range(steps.first, steps.last)]
            for sequence in steps.sequences:
                each = [self._either(d.effect(e) for e in range(*step)) for step in sequence.steps]
                guard = d.effect(d.event(sequence.guard, ()))
                some.append(reduce(d.together, each, guard))  # no step reads what an earlier one wrote
            self._relations[steps] = self._either(some)
        return self._relations[steps]

    def _either(self, relations: Iterable[Relation]) -> Relation:
        """Halves of halves: what is split off often is shared. A row of one after the other has ten times as many."""
        row = list(relations)
        while len(row) > 1:
            row = [self.diagrams.either(a, b) for a, b in zip(row[::2], row[1::2], strict=False)] + row[
                len(row) & ~1 :
            ]
        return row[0] if row else NOWHERE

    def image(self, states: Node, steps: Steps) -> Node:
        """Where some transitions lead from some states."""
        return self.diagrams.led(states, self.relation(steps))

    def closed(self, states: Node, steps: Steps) -> Node:
        """Some states, and all to which these transitions lead from them in any number of steps."""
        return self.diagrams.closed(states, self.relation(steps))

    def chain(self, states: Node, steps: Steps) -> Node:
        """Some states, and where each step leads from all that are known by then."""
        d = self.diagrams
        states = d.chain(states, steps.first, steps.last)
        for sequence in steps.sequences:
            d.keep(states)
            there = self._in_sequence(states, sequence)
            d.drop(states)
            states = d.union(states, there)
            d.tidy(states)
        return states

    def chain_within(self, states: Node, steps: Steps, within: Node) -> Node:
        """Some states, and those of `within` to which each step in turn leads from all that are known by then. `within`
        is kept meanwhile."""
        d = self.diagrams
        d.keep(within)
        for event in range(steps.first, steps.last):
            states = d.union(states, d.meet(d.image(states, event), within))
            d.tidy(states)
        for sequence in steps.sequences:
            d.keep(states)
            there = self._in_sequence(states, sequence)
            d.drop(states)
            states = d.union(states, d.meet(there, within))
            d.tidy(states)
        d.drop(within)
        return states

    def _in_sequence(self, states: Node, sequence: InOrder) -> Node:
        states = self.diagrams.select(states, sequence.guard)
        for first, last in sequence.steps:
            states = self.diagrams.images(states, first, last)
        return states

    def preimage(self, states: Node, steps: Steps, within: Node) -> Node:
        """The states of `within` from which some transitions lead into `states`. Both are kept meanwhile."""
        d = self.diagrams
        d.keep(states)
        d.keep(within)
        found = d.preimages(states, steps.first, steps.last, within)
        for sequence in steps.sequences:
            d.keep(found)
            came = self._before_sequence(states, sequence, within)
            d.drop(found)
            found = d.union(found, came)
            d.tidy(found)
        d.drop(states)
        d.drop(within)
        return found

    def leading_nowhere(self, states: Node, steps: Steps, within: Node) -> Node:
        """The states of `within` from which none of some transitions leads into `states`, which are kept meanwhile."""
        d = self.diagrams
        d.keep(states)
        for event in range(steps.first, steps.last):
            within = d.difference(within, d.preimage(states, event, within))
            d.tidy(within)
            if not within:
                break
        for sequence in steps.sequences if within else ():
            d.keep(within)
            came = self._before_sequence(states, sequence, within)
            d.drop(within)
            within = d.difference(within, came)
            d.tidy(within)
        d.drop(states)
        return within

    def _before_sequence(self, states: Node, sequence: InOrder, within: Node) -> Node:
        d = self.diagrams
        there = [d.keep(d.select(within, sequence.guard))]
        for first, last in sequence.steps:
            there.append(d.keep(d.images(there[-1], first, last)))
        found = d.keep(d.meet(states, there[-1]))
        for (first, last), before in zip(reversed(sequence.steps), reversed(there[:-1]), strict=True):
            came = d.preimages(found, first, last, before)
            d.drop(found)
            found = d.keep(came)
        for node in (*there, found):
            d.drop(node)
        return found
