"""Transitions as cases: in rows where a condition holds, some states of the mask go on to another row.

What a transition does is taken apart by the values of the fast fields that it reads or writes, and by the ways in which
a field gets its new value (a constant, a constant more, or bits that gates compute). A case says it in plain numbers:

    in rows where `condition`, the states of `mask` go on: key = (key & keep | put) + add, and mask shifted by `shift`

A step that takes one of `left` (0..3, bits 0 and 1) while there are some, and sets `held` (bit 2), is one case with all
fields slow: `condition` is left > 0, `keep` all bits but 2, `put` bit 2, `add` minus 1. With `held` fast it is two, for
the states in which it is not set (`shift` 1) and is (`shift` 0); `keep` is all and `put` none then.

Read `Translation.cases` first: it takes a transition apart by fast values; `enabled` and `outside` say where it goes
on and where it would leave a domain, `_changes` what it does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from cutproof.model.language import expressions as ex
from cutproof.model.language.circuit.gates import NO, YES, Circuit, Edge
from cutproof.model.language.circuit.layout import WORD, Layout
from cutproof.model.language.circuit.terms import Number, Terms
from cutproof.model.language.codegen import apart, conjuncts
from cutproof.model.language.expressions import Term
from cutproof.model.language.protocol import Claim, Field, Transition

WAYS = 64  # in which a transition may change its fields, told apart; beyond, bits are computed by gates
OF_ONE = 24  # ... and a single field


@dataclass(frozen=True)
class Effect:
    """What a step makes of a key: `(key & keep | put) + add`, then `| bit` for each of `computed`, (edge, bit), whose
    edge holds. Each word is added to on its own, modulo 2^64; no sum carries from one field into another."""

    keep: int
    put: int
    add: int
    computed: tuple[tuple[Edge, int], ...] = ()


@dataclass(frozen=True)
class Case:
    """Where `condition` holds, the states of `mask` take the transition (by number): their fast values go up by
    `shift`, and their key is changed by `effect`."""

    transition: int
    condition: Edge
    mask: int
    shift: int
    effect: Effect


@dataclass(frozen=True)
class Leaving:
    """Where `condition` holds, the transition would leave a domain in the states of `mask`; no case takes it there."""

    transition: int
    condition: Edge
    mask: int


@dataclass(frozen=True)
class Told:
    """Where `condition` holds, the term (by number) is true in the states of `mask`."""

    term: int
    condition: Edge
    mask: int


Conditions = frozenset[Edge]  # all of which hold; none of them is a constant, or the complement of another
# How a field gets its value: (when, what is put, 0), or (when, None, what is added).
Way = tuple[Conditions, int | None, int]


@dataclass(frozen=True)
class _Change:
    """So far: when, the shift of the fast value, and what is put into and added to slow fields."""

    when: Conditions
    shift: int = 0
    put: tuple[tuple[str, int], ...] = ()
    add: tuple[tuple[str, int], ...] = ()


class Translation:
    """A protocol in a layout, as gates and cases. `circuit` grows while it is asked."""

    def __init__(self, layout: Layout) -> None:
        self.layout, self.protocol = layout, layout.protocol
        self.circuit = Circuit(layout.bits)
        self.terms = Terms(self.circuit, self._read, frozenset(layout.fast))

    def _read(self, name: str) -> Number:
        layout = self.layout
        if name in layout.fixed:
            return layout.fixed[name], ()
        place = layout.places[name]
        return place.low, tuple(self.circuit.input(place.offset + i) for i in range(place.width))

    # -------------------------------------------------- what is asked

    def cases(self) -> tuple[list[Case], list[Leaving]]:
        """What every transition does, and where it would leave a domain. What differs only by its mask is one."""
        found, leaving = (
            defaultdict[tuple[int, Edge, int, Effect], int](int),
            defaultdict[tuple[int, Edge], int](int),
        )
        for number, transition in enumerate(self.protocol.transitions):
            for known, mask in self._combinations(self._touched(transition)):
                when = self.enabled(transition, known)
                if when is None:
                    continue
                outside = self.circuit.any(self.outside(transition, known))
                if outside != NO and (away := _and(when, [outside])) is not None:
                    leaving[number, self.circuit.all(away)] |= mask
                if (inside := _and(when, [outside ^ 1])) is None:
                    continue
                for condition, shift, effect in self._changes(transition, known, inside):
                    found[number, condition, shift, effect] |= mask
        cases = [
            Case(n, condition, mask, shift, effect) for (n, condition, shift, effect), mask in found.items()
        ]
        return cases, [
            Leaving(n, condition, mask) for (n, condition), mask in leaving.items() if condition != NO
        ]

    def told(self, terms: Sequence[Term]) -> list[Told]:
        """Where each of some boolean terms is true."""
        found = defaultdict[tuple[int, Edge], int](int)
        for number, term in enumerate(terms):
            for known, mask in self._combinations(self.terms.reads(term)):
                found[number, self.terms.truth(term, known)] |= mask
        return [Told(n, condition, mask) for (n, condition), mask in found.items() if condition != NO]

    # -------------------------------------------------- one transition

    def _touched(self, transition: Transition) -> set[str]:
        """The fast fields that a transition reads or writes."""
        read = [guard for _, guard in transition.guards] + [term for _, term in transition.updates]
        written = {f.name for f, _ in transition.updates} & self.layout.fast.keys()
        return written.union(*(self.terms.reads(term) for term in read))

    def _combinations(self, names: Iterable[str]) -> Iterator[tuple[dict[str, int], int]]:
        """Every way to give values to some fast fields, and the mask of the states that have them."""
        some = sorted(names)
        for values in product(*(self.layout.fast[n] for n in some)):
            known = dict(zip(some, values, strict=True))
            yield known, self.layout.having(known)

    def enabled(self, transition: Transition, known: Mapping[str, int]) -> Conditions | None:
        """What must hold for it, guard by guard; None if that cannot be."""
        parts = (part for _, guard in transition.guards for part in conjuncts(guard))
        return _and(frozenset(), (self.terms.truth(part, known) for part in parts))

    def outside(self, transition: Transition, known: Mapping[str, int]) -> Iterator[Edge]:
        """That a field would get a value outside its domain, field by field."""
        for field, term in transition.updates:
            low, high = ex.constant(field.domain.low), ex.constant(field.domain.high)
            if not term.boolean or field.domain.low == field.domain.high:
                value = self.terms.number(term, known)
                yield self._beyond(value, low.low, high.low)

    def _beyond(self, value: Number, low: int, high: int) -> Edge:
        """That a number is below `low` or above `high`: as terms would say it of a variable of these bits."""
        least, bits = value
        most = least + (1 << len(bits)) - 1
        if low <= least and most <= high:
            return NO
        name = {"value": value}
        terms = Terms(self.circuit, lambda which: name[which])
        number = ex.variable("value", least, max(most, least + 1))
        return self.circuit.either(
            terms.truth(ex.less(number, ex.constant(low))), terms.truth(ex.less(ex.constant(high), number))
        )

    def _changes(
        self, transition: Transition, known: Mapping[str, int], inside: Conditions
    ) -> Iterator[tuple[Edge, int, Effect]]:
        """How a transition changes its fields: (when, shift, effect), no two of which hold together."""
        layout, changes, computed = self.layout, [_Change(inside)], dict[str, Number]()
        for field, term in transition.updates:
            if field.name not in layout.places and field.name not in layout.fast:
                continue  # it has one value, and was seen to keep it
            fast = field.name in layout.fast
            ways = self._ways(field, term, known) if not fast else self._by_value(field, term, known)
            grown = list(self._grown(changes, field, ways, known)) if ways is not None else []
            if not fast and (ways is None or len(grown) > WAYS):
                computed[field.name] = self.terms.number(term, known)
            else:
                changes = grown
        for change in changes:
            if (condition := self.circuit.all(change.when)) != NO:
                yield condition, change.shift, self._effect(change, computed)

    def _grown(
        self, changes: Sequence[_Change], field: Field, ways: Sequence[Way], known: Mapping[str, int]
    ) -> Iterator[_Change]:
        """Each change with each way in which one more field gets its value; those left out contradict."""
        layout, name = self.layout, field.name
        for change in changes:
            for when, value, step in ways:
                if (both := _and(change.when, when)) is None:
                    continue
                if name in layout.fast:
                    values = layout.fast[name]
                    assert value is not None
                    moved = (values.index(value) - values.index(known[name])) * layout.strides[name]
                    yield _Change(both, change.shift + moved, change.put, change.add)
                elif value is None:
                    yield _Change(both, change.shift, change.put, (*change.add, (name, step)))
                else:
                    yield _Change(both, change.shift, (*change.put, (name, value)), change.add)

    def _by_value(self, field: Field, term: Term, known: Mapping[str, int]) -> list[Way]:
        """One way for each value that the field can get."""
        number = self.terms.number(term, known)
        edges = ((self.terms.equals(number, value), value) for value in self.layout.values[field.name])
        return [(when, value, 0) for edge, value in edges if (when := _and(frozenset(), [edge])) is not None]

    def _ways(self, field: Field, term: Term, known: Mapping[str, int]) -> list[Way] | None:
        """The ways in which a slow field gets its value; None where they are too many, or take more than constants."""
        if term.boolean:
            return self._by_value(field, term, known)
        values, found, todo = self.layout.values[field.name], list[Way](), [(frozenset[Edge](), term)]
        while todo:
            when, part = todo.pop()
            if part.op == "ite":
                edge = self.terms.truth(part.args[0], known)
                branches = ((edge ^ 1, part.args[2]), (edge, part.args[1]))
                todo += [(more, branch) for e, branch in branches if (more := _and(when, [e])) is not None]
            elif (way := self._way(field, part, known)) is None:
                return None
            elif way[0] is None or way[0] in values:  # others do not come about
                found.append((when, *way))
            if len(found) + len(todo) > OF_ONE:
                return None
        return found

    def _way(self, field: Field, term: Term, known: Mapping[str, int]) -> tuple[int | None, int] | None:
        """(the constant that a term is, 0), or (None, by how much it is more than the field has now); else None."""
        low, bits = self.terms.number(term, known)
        if all(bit in (NO, YES) for bit in bits):
            return low + sum(bit << i for i, bit in enumerate(bits)), 0
        if term.op == "var" and str(term.leaf) == field.name:
            return None, 0
        if term.op not in ("add", "sub") or term.args[0].op != "var" or term.args[1].op != "const":
            return None
        step = int(term.args[1].leaf) * (1 if term.op == "add" else -1)
        return (None, step) if str(term.args[0].leaf) == field.name else None

    def _effect(self, change: _Change, computed: Mapping[str, Number]) -> Effect:
        """A change in numbers; the fields of `computed` get their bits by gates."""
        places = self.layout.places
        keep, put, add = (1 << WORD * self.layout.words) - 1, 0, [0] * self.layout.words
        for name in (*(name for name, _ in change.put), *computed):
            keep &= ~(((1 << places[name].width) - 1) << places[name].offset)
        for name, value in change.put:
            put |= value - places[name].low << places[name].offset
        for name, step in change.add:
            word, offset = divmod(places[name].offset, WORD)
            add[word] += step << offset
        bits = list[tuple[Edge, int]]()
        for name, number in computed.items():
            place = places[name]
            edges = self.terms.counted_from(number, place.low, place.width)
            bits += [(edge, 1 << place.offset + i) for i, edge in enumerate(edges) if edge != NO]
        added = sum(more % (1 << WORD) << WORD * word for word, more in enumerate(add))
        return Effect(keep, put, added, tuple(bits))


def told_of(claim: Claim) -> Term:
    """Where a claim is told: of an *always* where it is false, of another where it holds."""
    return apart(ex.negation(claim.holds) if claim.form == "always" else claim.holds)


def _and(when: Conditions, edges: Iterable[Edge]) -> Conditions | None:
    """More conditions; None if they contradict."""
    more = set(when)
    for edge in edges:
        if edge == NO or edge ^ 1 in more:
            return None
        if edge != YES:
            more.add(edge)
    return frozenset(more)
