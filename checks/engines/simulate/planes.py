"""What is to be known of many states at once, by their bit planes: a protocol's circuit without fast fields.

A plane is one of Python's integers, with a bit for each state: so a gate is one operation for all of them. States are
rows of words of 64 bits, as `Layout` has them (`Keys`: an array for each word); `States.packed` gives them as
`model/language/packing.py` does, for whatever is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from cutproof.model.language.circuit import AND, ANDN, NOR, Circuit, Edge, Layout, Translation
from cutproof.model.language.packing import Packing
from cutproof.model.language.protocol import Protocol, State

Array64 = NDArray[np.uint64]
Places = NDArray[np.int64]
Mask = NDArray[np.bool_]
Bits = NDArray[np.uint8]  # zeros and ones: a row for each plane, a column for each state
Keys = list[Array64]  # by the words of a key, this word of many states
WORD = 64


class Cone:
    """Some edges of a circuit, and the gates that they hang on: `planes(inputs, ones)` gives theirs."""

    def __init__(self, circuit: Circuit, edges: Sequence[Edge]) -> None:
        self.edges, first = edges, 1 + circuit.inputs
        needed = {edge >> 1 for edge in edges}
        for number in range(len(circuit.gates) - 1, -1, -1):
            if first + number in needed:
                needed.update(edge >> 1 for edge in circuit.gates[number][1:])
        self._place = {node: i for i, node in enumerate(range(first))}
        self._gates = list[tuple[int, int, int]]()
        for number, (kind, a, b) in enumerate(circuit.gates):
            if first + number in needed:
                self._place[first + number] = len(self._place)
                self._gates.append((kind, self._place[a >> 1], self._place[b >> 1]))

    def planes(self, inputs: Iterable[int], ones: int) -> list[int]:
        """The planes of the edges, from those of the inputs; `ones` has a bit for each state."""
        found = [0, *inputs]
        append = found.append
        for kind, a, b in self._gates:
            if kind == AND:
                append(found[a] & found[b])
            elif kind == ANDN:
                append(found[a] & ~found[b])
            elif kind == NOR:
                append(ones ^ (found[a] | found[b]))
            else:
                append(found[a] ^ found[b])
        place = self._place
        return [found[place[edge >> 1]] ^ (ones if edge & 1 else 0) for edge in self.edges]


class States:
    """A protocol's states as words, and there and back."""

    def __init__(self, protocol: Protocol) -> None:
        self.protocol, self.layout, self.packing = protocol, Layout(protocol), Packing(protocol.fields)
        self.words, bits = self.layout.words, self.layout.bits
        self.width = sum(mask.bit_count() for mask in self.packing.masks.values())  # of a packed state
        self._widths = [max(0, min(WORD, bits - WORD * word)) for word in range(self.words)]

    def keys(self, states: Iterable[State]) -> Keys:
        """Some states as words."""
        keys = [self.layout.pack(state)[0] for state in states]
        return [
            np.array([key >> WORD * word & (1 << WORD) - 1 for key in keys], np.uint64)
            for word in range(self.words)
        ]

    def inputs(self, keys: Keys) -> list[int]:
        """The planes of the bits of some states: the inputs of the circuit."""
        found = list[int]()
        for word, width in zip(keys, self._widths, strict=True):
            bits = np.unpackbits(word.view(np.uint8).reshape(-1, 8), axis=1, bitorder="little", count=width)
            rows = np.packbits(np.ascontiguousarray(bits.T), axis=1, bitorder="little")
            found += [int.from_bytes(row.tobytes(), "little") for row in rows]
        return found

    def packed(self, keys: Keys) -> list[int]:
        """These states as `Packing` has them."""
        parts = [np.zeros(len(keys[0]), np.uint64) for _ in range(1 + self.width // WORD)]
        for f in self.protocol.fields:
            word, shift = divmod(self.packing.offsets[f.name], WORD)
            if f.name in self.layout.places:
                place = self.layout.places[f.name]
                from_word, offset = divmod(place.offset, WORD)
                value = keys[from_word] >> np.uint64(offset) & np.uint64((1 << place.width) - 1)
                value = value + np.uint64(place.low - f.domain.low)
            else:
                value = np.full(len(keys[0]), self.layout.fixed[f.name] - f.domain.low, np.uint64)
            parts[word] |= value << np.uint64(shift)
            if shift and word + 1 < len(parts):
                parts[word + 1] |= value >> np.uint64(WORD - shift)
        found: list[int] = parts[0].tolist()
        for number, part in enumerate(parts[1:], 1):
            found = [one | two << WORD * number for one, two in zip(found, part.tolist(), strict=True)]
        return found


def bits_of(planes: Sequence[int], count: int) -> Bits:
    """Planes as an array: a row of `count` zeros and ones for each."""
    size = (count + 7) // 8
    rows = np.frombuffer(b"".join(plane.to_bytes(size, "little") for plane in planes), np.uint8)
    return np.unpackbits(rows.reshape(len(planes), size), axis=1, bitorder="little", count=count)


class Steps:
    """The steps that change a state, as cases of transitions: which are possible in many states, and what they do.

    `transitions` has the transition of each case, in their order; `possible`, `leaving` and `told` are edges: of the
    cases, of a domain that would be left, and of each claim (its number: it is told there)."""

    def __init__(self, states: States) -> None:
        self.states, self.made = states, Translation(states.layout)
        circuit, protocol = self.made.circuit, states.protocol
        self.cases, leaving = self.made.cases()
        self.cases.sort(key=lambda case: case.transition)
        self.transitions: Places = np.array([case.transition for case in self.cases], np.int64)
        self.possible = [circuit.both(case.condition, self._changes(i)) for i, case in enumerate(self.cases)]
        self.leaving = circuit.any(one.condition for one in leaving)
        told = self.made.told([c.holds for c in protocol.claims])
        holds = {one.term: one.condition for one in told}
        owed = circuit.any(
            edge
            for case, edge in zip(self.cases, self.possible, strict=True)
            if protocol.transitions[case.transition].owed
        )
        rests = circuit.both(self.leaving ^ 1, owed ^ 1)
        self.told = dict[int, Edge]()
        for i, claim in enumerate(protocol.claims):
            edge = holds.get(i, 0)
            if claim.form == "sometimes":
                self.told[i] = edge
            elif claim.form in ("always", "can_always"):
                self.told[i] = circuit.both(edge ^ 1, rests if claim.form == "can_always" else 1)
        effects = [case.effect for case in self.cases]
        self._effects = [
            tuple(
                np.array([n >> WORD * word & (1 << WORD) - 1 for n in numbers], np.uint64)
                for numbers in ([e.keep for e in effects], [e.put for e in effects], [e.add for e in effects])
            )
            for word in range(states.words)
        ]
        self.computed = list[Edge]()
        self._computed = dict[int, slice]()  # by case
        for i, effect in enumerate(effects):
            if effect.computed:
                self._computed[i] = slice(len(self.computed), len(self.computed) + len(effect.computed))
                self.computed += [edge for edge, _ in effect.computed]
        self._computes = np.array([bool(effect.computed) for effect in effects], bool)

    def _changes(self, number: int) -> Edge:
        """That a case gives another state."""
        effect, circuit = self.cases[number].effect, self.made.circuit
        if effect.add:
            return 1
        put = {bit.bit_length() - 1: edge for edge, bit in effect.computed}
        found = list[Edge]()
        for place in self.states.layout.places.values():
            for bit in range(place.offset, place.offset + place.width):
                if not effect.keep >> bit & 1:
                    new = put.get(bit, effect.put >> bit & 1)
                    found.append(circuit.differ(circuit.input(bit), new))
        return circuit.any(found)

    def taken(self, keys: Keys, chosen: Places, computed: Sequence[int], goes: Mask) -> Keys:
        """The states after the chosen case of each; `computed` are the planes of the edges of that name, in all states:
        these are those that `goes` has."""
        after = [
            (word & keep[chosen] | put[chosen]) + add[chosen]
            for word, (keep, put, add) in zip(keys, self._effects, strict=True)
        ]
        some = np.flatnonzero(self._computes[chosen])
        for case in np.unique(chosen[some]).tolist():
            mine = some[chosen[some] == case]
            rows = bits_of(computed[self._computed[case]], len(goes))[:, np.flatnonzero(goes)[mine]]
            for (_, bit), row in zip(self.cases[case].effect.computed, rows, strict=True):
                word, shift = divmod(bit.bit_length() - 1, WORD)
                after[word][mine] |= row.astype(np.uint64) << np.uint64(shift)
        return after


class GuardPlanes:
    """What `Guards` sees of many states: bits of transitions that were enabled, of guards that were true, and of those
    that alone were false."""

    def __init__(self, states: States) -> None:
        self.states, made = states, Translation(states.layout)
        circuit = made.circuit
        self.enabled, true, alone = list[Edge](), list[Edge](), list[Edge]()
        for transition in states.protocol.transitions:
            mine = [made.terms.truth(guard) for _, guard in transition.guards]
            before, after = [1], [1]
            for edge, last in zip(mine, reversed(mine), strict=True):
                before.append(circuit.both(before[-1], edge))
                after.append(circuit.both(last, after[-1]))
            self.enabled.append(before[-1])
            true += mine
            alone += [
                circuit.all([before[i], edge ^ 1, after[len(mine) - 1 - i]]) for i, edge in enumerate(mine)
            ]
        self.guards = len(true)
        self.cone = Cone(circuit, [*self.enabled, *true, *alone])

    def covered(self, keys: Keys) -> tuple[int, int, int]:
        """As `Guards.covered`, in these states alone."""
        count = len(keys[0])
        planes = self.cone.planes(self.states.inputs(keys), (1 << count) - 1)
        bits = sum(1 << i for i, plane in enumerate(planes) if plane)
        enabled, guards = len(self.enabled), self.guards
        return (
            bits & (1 << enabled) - 1,
            bits >> enabled & (1 << guards) - 1,
            bits >> enabled + guards,
        )
