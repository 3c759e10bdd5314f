"""A protocol's circuit, read as it is meant: what its cases make of states, by Python's integers and nothing else.

    reading = Reading(Translation(Layout(protocol, fast)), states)
    reading.successors(0)           # of the first state: (transition, state), in order

The judges are the interpreter (`expressions.evaluate`) and `plain/search.py`, which know no bits.
"""

from collections.abc import Iterable, Sequence
from random import Random

from cutproof.checks.engines.plain.search import inside
from cutproof.model.language import expressions as ex
from cutproof.model.language.circuit import Circuit, Edge, Effect, Layout, Translation, possible, told_of
from cutproof.model.language.circuit.layout import WORD
from cutproof.model.language.codegen import DomainError, compile_protocol
from cutproof.model.language.expressions import Term
from cutproof.model.language.protocol import Protocol, State

ALL = (1 << WORD) - 1


class Planes:
    """What the edges of a circuit are, for some numbers of which the inputs are the bits."""

    def __init__(self, circuit: Circuit, keys: Sequence[int]) -> None:
        inputs = [sum((key >> bit & 1) << i for i, key in enumerate(keys)) for bit in range(circuit.inputs)]
        self.planes = circuit.planes(inputs, (1 << len(keys)) - 1)

    def holds(self, edge: Edge, i: int) -> bool:
        """Whether an edge is true for the i-th number."""
        return bool(self.planes[edge >> 1] >> i & 1 ^ edge & 1)

    def number(self, low: int, bits: Iterable[Edge], i: int) -> int:
        """The number of some edges, lowest first, and `low`."""
        return low + sum(self.holds(edge, i) << place for place, edge in enumerate(bits))


class Reading:
    """Some states of a protocol, by their bits in a layout."""

    def __init__(self, made: Translation, states: Sequence[State]) -> None:
        self.layout, self.states = made.layout, states
        self.cases, self.leaving = made.cases()
        self.terms = [told_of(claim) for claim in made.protocol.claims]
        self.told = made.told(self.terms)
        self.packed = [self.layout.pack(state) for state in states]
        self.planes = Planes(made.circuit, [key for key, _ in self.packed])

    def _here(self, condition: Edge, mask: int, i: int) -> bool:
        return self.planes.holds(condition, i) and bool(mask >> self.packed[i][1] & 1)

    def successors(self, i: int) -> list[tuple[int, State]]:
        """The successors of the i-th state, in the order of their transitions."""
        key, bit = self.packed[i]
        found = []
        for case in self.cases:
            if self._here(case.condition, case.mask, i):
                assert 0 <= bit + case.shift < self.layout.size
                after = self.layout.unpack(self._changed(key, case.effect, i), bit + case.shift)
                found.append((case.transition, after))
        return sorted(found)

    def _changed(self, key: int, effect: Effect, i: int) -> int:
        after = 0
        for at in range(0, WORD * self.layout.words, WORD):
            one, keep, put, add = (n >> at & ALL for n in (key, effect.keep, effect.put, effect.add))
            after |= ((one & keep | put) + add & ALL) << at
        for edge, bit in effect.computed:
            assert not after & bit
            after |= bit if self.planes.holds(edge, i) else 0
        return after

    def leaves(self, i: int) -> list[int]:
        """The transitions that would leave a domain in the i-th state."""
        return sorted({one.transition for one in self.leaving if self._here(one.condition, one.mask, i)})

    def true(self, i: int) -> list[int]:
        """The claims that are told in the i-th state."""
        return sorted({one.term for one in self.told if self._here(one.condition, one.mask, i)})


def judged(protocol: Protocol, states: Sequence[State], fast: Iterable[str] = ()) -> Reading:
    """The reading of some states, after all that it says was held against the interpreter."""
    reading = Reading(Translation(Layout(protocol, fast)), states)
    for i, state in enumerate(states):
        assert reading.layout.unpack(*reading.packed[i]) == state
        assert reading.successors(i) == inside(protocol, state), state
        assert reading.leaves(i) == outside(protocol, state), state
        values, done = protocol.named(state), dict[Term, int]()
        assert reading.true(i) == [n for n, t in enumerate(reading.terms) if ex.evaluate(t, values, done)]
    return reading


def outside(protocol: Protocol, state: State) -> list[int]:
    """The transitions that would leave a domain, by the interpreter."""
    values, done = protocol.named(state), dict[Term, int]()
    return [
        number
        for number, t in enumerate(protocol.transitions)
        if ex.evaluate(t.enabled, values, done)
        and any(not f.domain.low <= ex.evaluate(v, values, done) <= f.domain.high for f, v in t.updates)
    ]


def walked(protocol: Protocol, size: int, seed: int = 1) -> list[State]:
    """Different states on random walks, which begin anew now and then and where no step goes on; at most so many."""
    rng, successors, found = Random(seed), compile_protocol(protocol).successors, dict[State, None]()
    state = rng.choice(protocol.initials)
    for _ in range(3 * size):
        found[state] = None
        if len(found) == size:
            break
        try:
            after = successors(state)
        except DomainError:
            after = inside(protocol, state)
        state = rng.choice(after)[1] if after and rng.random() < 0.97 else rng.choice(protocol.initials)
    return list(found)


def some_fast(protocol: Protocol, rng: Random, most: int = 3) -> list[str]:
    """Names of fields, drawn, whose values fit into a mask together."""
    values, found, size = possible(protocol), list[str](), 1
    names = [f.name for f in protocol.fields]
    rng.shuffle(names)
    for name in names:
        if size * len(values[name]) <= WORD and len(found) < most:
            found.append(name)
            size *= len(values[name])
    return found
