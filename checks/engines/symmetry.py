"""Which values of an index are interchangeable: nothing that can happen, and nothing that is claimed, knows them apart.

    interchangeable(small_cutover(2, 2))     # documents 0 and 1, and the fields of each
    why_not(dijkstra_mutex(3), "p")          # what changes if two processes are exchanged

Of the states that differ by an exchange of such values alone, a search needs one: the one whose blocks of fields are
in order. Whether they may be exchanged is decided from the expressions, for each protocol, and never assumed.

Two values may be exchanged if, with the one for the other in the name of every field,
1. each field becomes a field of the same domain,
2. the initial states stay what they are,
3. each transition becomes a transition of the same action, by what it needs and what it changes,
4. each claim stays as it is.
Terms are alike if they are up to the order of what is joined by and, or, = or +. That is a matter of form: terms that
mean the same and are written otherwise are not found to be alike, and the values are refused for nothing.

A number in a term is never exchanged. Where one stands for a value of the index (a cursor that walks the documents,
whose turn it is), exchanging the names leaves the number, and the comparison fails, as it should.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cutproof.model.language import Family
from cutproof.model.language import expressions as ex
from cutproof.model.language.expressions import Term
from cutproof.model.language.protocol import Field, Protocol, Transition, label

UNORDERED = ("and", "or", "eq", "add")  # operations whose operands may stand in any order


@dataclass(frozen=True)
class Interchangeable:
    """Values of one index that may be exchanged for one another in any way.

    `blocks` has, for each value, the names of its fields; what stands at one place in two blocks corresponds. To
    exchange two values is to exchange what the fields of their blocks hold. No field is in two blocks."""

    index: str
    values: tuple[Any, ...]
    blocks: tuple[tuple[str, ...], ...]


def interchangeable(protocol: Protocol) -> list[Interchangeable]:
    """The largest sets of interchangeable values, by index in the order of the protocol.

    Their fields are apart from each other, so each set may be put in order on its own: of two indices that a field
    carries both, the second is left out."""
    found, taken = list[Interchangeable](), set[str]()
    for index in protocol.indices:
        symmetry = _Symmetry(protocol, index)
        if not symmetry.unusable and not symmetry.carried & taken:
            found += (new := symmetry.found())
            taken |= {name for one in new for block in one.blocks for name in block}
    return found


def why_not(protocol: Protocol, index: str) -> str:
    """What changes if two values are exchanged, or why it cannot be asked, in one line; empty if nothing does.

    Raises ValueError if there is no such index."""
    if index not in protocol.indices:
        raise ValueError(f"no index {index!r}; there are {', '.join(protocol.indices) or 'none'}")
    symmetry = _Symmetry(protocol, index)
    if reason := symmetry.unusable or symmetry.reason():
        return reason
    others = [one for one in interchangeable(protocol) if one.index != index]
    taken = {name: one.index for one in others for block in one.blocks for name in block}
    both = sorted(symmetry.carried & taken.keys())
    return f"{both[0]} is indexed by {taken[both[0]]} too, which is put in order already" if both else ""


class _Symmetry:
    """One index of a protocol: which fields carry it, and what an exchange of two of its values does."""

    def __init__(self, protocol: Protocol, index: str) -> None:
        self.protocol, self.index, self.values = protocol, index, protocol.indices[index]
        self.places = {c.variable: _places(getattr(protocol.view, c.variable), index) for c in protocol.cells}
        self.carried = {f.name for f in protocol.fields if self.places[f.variable]}
        self.known: dict[tuple[object, ...], int] = {}
        self.plain = _Keys(self.known, {})
        self.cells = {(cell.variable, cell.where): cell for cell in protocol.cells}
        self.several = bool(protocol.initial_choices)
        self.steps = Counter(self._step(t, self.plain, {}) for t in protocol.transitions)

    @property
    def unusable(self) -> str:
        """Why values of this index have no blocks of fields that could be put in order, or nothing."""
        twice = [f.name for f in self.protocol.fields if len(self.places[f.variable]) > 1]
        if len(self.values) < 2:
            return f"{self.index} has {len(self.values) or 'no'} value{'s' * (not self.values)}"
        if not self.carried:
            return f"no field is indexed by {self.index}"
        return f"{twice[0]} is indexed by {self.index} twice" if twice else ""

    def found(self) -> list[Interchangeable]:
        """The classes of two values or more. That two may be exchanged with a third means that they may be with each
        other, so one of each class stands for all."""
        classes: list[list[Any]] = []
        for value in self.values:
            for members in classes:
                if not self.differs(members[0], value):
                    members.append(value)
                    break
            else:
                classes.append([value])
        return [
            Interchangeable(self.index, tuple(m), tuple(self._block(m[0], v) for v in m))
            for m in classes
            if len(m) > 1 and self._block(m[0], m[0])
        ]

    def reason(self) -> str:
        """Why not all values are interchangeable, by the first one that is not with the first."""
        first = self.values[0]
        reasons = (self.differs(first, value) for value in self.values[1:])
        return next((reason for reason in reasons if reason), "")

    # -------------------------------------------------- one exchange

    def differs(self, one: Any, two: Any) -> str:
        """What an exchange of two values changes, in one line; empty if nothing."""
        swap = {one: two, two: one}
        found = next(self._differences(swap), "")
        return found and f"with {self.index} {label(one)} and {label(two)} exchanged, {found}"

    def _differences(self, swap: dict[Any, Any]) -> Iterator[str]:
        """What has no counterpart: fields, initial values, transitions, claims, in this order."""
        protocol, names = self.protocol, dict[str, str]()
        for cell in protocol.cells:
            other = self._other(cell, swap)
            names[cell.name] = other.name
            if cell.domain != other.domain:
                yield f"{cell.name}: {cell.domain} becomes {other.name}: {other.domain}"
            elif not self.several and protocol.start[cell.name] != protocol.start[other.name]:
                yield f"the initial value of {cell.name} is not that of {other.name}"
        if self.several and not self._begins_alike(names):
            yield "the initial states are others"
        keys, left = _Keys(self.known, names), Counter(self.steps)
        for transition in protocol.transitions:
            key = self._step(transition, keys, swap)
            if not left[key]:
                yield self._about(transition, keys, swap)
            left[key] -= 1
        for claim in protocol.claims:
            pairs = [(self.plain.of(k.asked), self.plain.of(k.given)) for k in claim.cases]
            moved = [(keys.of(k.asked), keys.of(k.given)) for k in claim.cases]
            if keys.of(claim.holds) != self.plain.of(claim.holds) or Counter(pairs) != Counter(moved):
                yield f"{claim.form} {claim.property}{f' ({claim.harm})' if claim.harm else ''} is another claim"

    def _begins_alike(self, names: dict[str, str]) -> bool:
        """Whether the initial states, with the values of fields at their other names, are the initial states."""
        place = {f.name: i for i, f in enumerate(self.protocol.fields)}
        moved = [place[names[f.name]] for f in self.protocol.fields]  # an exchange: there and back are one
        there = set(self.protocol.initials)
        return all(tuple(state[i] for i in moved) in there for state in there)

    def _other(self, cell: Field, swap: dict[Any, Any]) -> Field:
        """The cell that a cell becomes."""
        where = list(cell.where)
        for place in self.places[cell.variable]:
            where[place] = swap.get(where[place], where[place])
        return self.cells[cell.variable, tuple(where)]

    def _block(self, first: Any, value: Any) -> tuple[str, ...]:
        """The fields of a value, in the order of those of the first of its class."""
        mine = [f for f in self.protocol.fields if any(f.where[p] == first for p in self.places[f.variable])]
        return tuple(self._other(f, {first: value, value: first}).name for f in mine)

    def _step(self, transition: Transition, keys: _Keys, swap: dict[Any, Any]) -> tuple[object, ...]:
        """What makes a transition what it is. Arguments of another index are left out: it may be a second name for
        this one (`other` beside `p`), and what they do is in the terms."""
        mine = tuple(swap.get(v, v) for name, v in transition.arguments if name == self.index)
        updates = frozenset((keys.name(cell.name), keys.of(term)) for cell, term in transition.updates)
        kind = (transition.fault, transition.choice, transition.fair)
        return transition.action, kind, mine, keys.of(transition.enabled), updates

    def _about(self, transition: Transition, keys: _Keys, swap: dict[Any, Any]) -> str:
        """What it is about a transition that no other one has."""
        arguments = tuple((n, swap.get(v, v) if n == self.index else v) for n, v in transition.arguments)
        for other in self.protocol.transitions:
            if (other.action, other.arguments) == (transition.action, arguments):
                which = f"that of {other}" if other is not transition else "as it was"
                there = {self.plain.of(condition) for _, condition in other.guards}
                for name, condition in transition.guards:
                    if keys.of(condition) not in there:
                        return f"the guard {name!r} of {transition} is not {which}"
                news = {cell.name: self.plain.of(term) for cell, term in other.updates}
                for cell, term in transition.updates:
                    if news.get(keys.name(cell.name)) != keys.of(term):
                        return f"the new {cell.name} of {transition} is not {which}"
        return f"{transition} has no counterpart"


class _Keys:
    """A number for each term: the same for terms that are alike once fields have their other names.

    `known` is shared by the keys that are compared."""

    def __init__(self, known: dict[tuple[object, ...], int], names: dict[str, str]) -> None:
        self.known, self.names, self.done = known, names, dict[Term, int]()

    def name(self, field: str) -> str:
        return self.names.get(field, field)

    def of(self, term: Term) -> int:
        if term not in self.done:
            for part in ex.ordered([term]):
                if part not in self.done:
                    self.done[part] = self._key(part)
        return self.done[term]

    def _key(self, term: Term) -> int:
        leaf = self.name(str(term.leaf)) if term.op == "var" else term.leaf
        parts = [self.done[part] for part in _operands(term)]
        if term.op in UNORDERED:
            parts.sort()
        return self.known.setdefault((term.op, leaf, *parts), len(self.known))


def _operands(term: Term) -> Iterator[Term]:
    """The operands; of and, or and + those of their operands too, where these are the same operation (but not of
    x + x: what is doubled again and again has no end of them)."""
    todo = list(reversed(term.args))
    while todo:
        part = todo.pop()
        doubled = len(part.args) == 2 and part.args[0] is part.args[1]
        if part.op == term.op and term.op in ("and", "or", "add") and not doubled:
            todo += reversed(part.args)
        else:
            yield part


def _places(values: Any, index: str) -> tuple[int, ...]:
    """Where in the index of a variable's cells this index stands."""
    found, place = list[int](), 0
    while (
        isinstance(values, Family) and values._index
    ):  # of composite values only a set over an index has one
        if values._index == index:
            found.append(place)
        values, place = next(iter(values._items.values()), None), place + 1
    return tuple(found)
