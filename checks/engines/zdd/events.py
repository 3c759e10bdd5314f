"""Transitions as *moves*: steps in which constants are put into bits where a condition holds.

A field that gets a constant more, or another field's value, is taken apart by the values that it can get, so that
constants are all that is ever put. Most transitions are one step, of an event for each combination of what their fields
get. A wide one (a crash that touches every message) would have too many combinations: it becomes a sequence of steps, a
field each, in an order in which no step reads what an earlier one wrote. Fields that read one another in a ring
are one step together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

from cutproof.model.language import expressions as ex
from cutproof.model.language.circuit import NO, YES, Edge, Layout, TooWide, Translation
from cutproof.model.language.expressions import Term
from cutproof.model.language.protocol import Field, Transition

COMBINATIONS = 64  # of what the fields of a transition get, in one step
VALUES = 1 << 12  # of a field that are told apart

Way = tuple[Edge, int | None]  # where the condition holds, the field gets this value, or keeps its own


@dataclass(frozen=True)
class Event:
    """Where `condition` holds, the constants of `put` are put: (input of the circuit, 0 or 1), by input."""

    condition: Edge
    put: tuple[tuple[int, int], ...]


Step = tuple[Event, ...]  # one of them holds wherever the transition is taken, and no two


@dataclass(frozen=True)
class Move:
    """A transition, by number: it is taken where `enabled` holds, by all `steps` one after the other. Where `leaving`
    holds its guards do too, but it would leave a domain; `enabled` is false there."""

    transition: int
    enabled: Edge
    leaving: Edge
    steps: tuple[Step, ...]


def moves_of(translation: Translation) -> list[Move]:
    """What every transition does. Raises TooWide for a field that can get more values than are told apart."""
    return [_move(translation, number) for number in range(len(translation.protocol.transitions))]


def _move(translation: Translation, number: int) -> Move:
    circuit, transition = translation.circuit, translation.protocol.transitions[number]
    when = translation.enabled(transition, {})
    if when is None:
        return Move(number, NO, NO, ())
    guard, outside = circuit.all(when), circuit.any(translation.outside(transition, {}))
    enabled = circuit.both(guard, outside ^ 1)
    return Move(number, enabled, circuit.both(guard, outside), _steps(translation, transition))


@dataclass(frozen=True)
class _Written:
    """What one step writes: fields, the other fields that it reads, and the combinations of what they get."""

    fields: tuple[str, ...]
    reads: frozenset[str]
    ways: tuple[tuple[Edge, tuple[tuple[str, int | None], ...]], ...]


def _steps(translation: Translation, transition: Transition) -> tuple[Step, ...]:
    places, written = translation.layout.places, list[_Written]()
    for field, term in transition.updates:
        if field.name in places and not (term.op == "var" and str(term.leaf) == field.name):
            ways = _ways(translation, field, term)
            reads = frozenset(n for n in ex.names(term) if n in places and n != field.name)
            written.append(_Written((field.name,), reads, tuple((e, ((field.name, v),)) for e, v in ways)))
    if prod(len(w.ways) for w in written) <= COMBINATIONS:
        written = [_together(translation, written)] if written else []
    else:
        written = _in_order(translation, written)
    return tuple(_step(translation.layout, w) for w in written)


def _step(layout: Layout, written: _Written) -> Step:
    """The events of a step; those that put the same are left as they are."""

    def bits(name: str, value: int | None) -> Iterator[tuple[int, int]]:
        if value is not None:
            place = layout.places[name]
            yield from ((place.offset + i, value - place.low >> i & 1) for i in range(place.width))

    return tuple(
        Event(edge, tuple(sorted(bit for name, value in values for bit in bits(name, value))))
        for edge, values in written.ways
    )


def _together(translation: Translation, written: Sequence[_Written]) -> _Written:
    """Several steps as one: every combination that does not contradict itself."""
    ways = list[tuple[Edge, tuple[tuple[str, int | None], ...]]]()
    for some in product(*(w.ways for w in written)):
        edge = translation.circuit.all(e for e, _ in some)
        if edge != NO:
            ways.append((edge, tuple(value for _, values in some for value in values)))
    fields = tuple(name for w in written for name in w.fields)
    return _Written(fields, frozenset().union(*(w.reads for w in written)) - set(fields), tuple(ways))


def _in_order(translation: Translation, written: list[_Written]) -> list[_Written]:
    """So that no step reads what an earlier one wrote."""
    left, done = list(written), list[_Written]()
    while left:
        ready = [w for w in left if not any(other.reads & set(w.fields) for other in left if other is not w)]
        if not ready:
            ring = _ring(left)
            left = [w for w in left if w not in ring] + [_together(translation, ring)]
        done += ready
        left = [w for w in left if w not in ready]
    return done


def _ring(written: Sequence[_Written]) -> list[_Written]:
    """Steps each of which is read by the next, and the last by the first. Each is read by some other."""
    path = [written[0]]
    while True:
        after = next(w for w in written if w is not path[-1] and w.reads & set(path[-1].fields))
        if after in path:
            return path[path.index(after) :]
        path.append(after)


def _ways(translation: Translation, field: Field, term: Term) -> list[Way]:
    """The ways in which a field gets its value: the branches of a choice, and of what is no constant each value."""
    circuit, found = translation.circuit, dict[int | None, Edge]()

    def add(value: int | None, edge: Edge) -> None:
        if edge != NO:
            found[value] = circuit.either(found.get(value, NO), edge)

    for leaf, edge in _leaves(translation, term):
        low, bits = translation.terms.number(leaf)
        if leaf.op == "var" and str(leaf.leaf) == field.name:
            add(None, edge)
        elif all(bit in (NO, YES) for bit in bits):
            add(low + sum(bit << i for i, bit in enumerate(bits)), edge)
        else:
            values = translation.layout.values[field.name]
            if len(values) > VALUES:
                raise TooWide(
                    f"{field.name}: it can get {len(values):,} values, and {VALUES:,} are told apart"
                )
            for value in values:
                add(value, circuit.both(edge, translation.terms.equals((low, bits), value)))
    values = translation.layout.values[field.name]  # others would leave its domain, or do not come about
    return [(edge, value) for value, edge in found.items() if value is None or value in values]


def _leaves(translation: Translation, term: Term) -> Iterable[tuple[Term, Edge]]:
    """What a choice comes down to, and where. Shared branches are gone over once."""
    circuit = translation.circuit
    where, found = {term: YES}, list[tuple[Term, Edge]]()
    for part in reversed(ex.ordered([term])):  # whoever uses a part comes before it
        edge = where.get(part, NO)
        if edge == NO:
            continue
        if part.op != "ite" or part.boolean:
            found.append((part, edge))
            continue
        condition = translation.terms.truth(part.args[0])
        for branch, more in ((part.args[1], condition), (part.args[2], condition ^ 1)):
            where[branch] = circuit.either(where.get(branch, NO), circuit.both(edge, more))
    return found
