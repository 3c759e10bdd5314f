"""Relations of the plain diagrams: hash-consed expressions, and the walks down states and relation."""

from __future__ import annotations

from abc import ABC, abstractmethod

from cutproof.checks.engines.zdd.diagrams import NOTHING, Node, Relation

EFFECT, EITHER, TOGETHER = 0, 1, 2
Put = tuple[tuple[int, int], ...]  # (level, 0 or 1), by ascending level
Residues = tuple[Relation, Relation, Relation, Relation]  # of states from 0 to 0, 0 to 1, 1 to 0, 1 to 1


class PlainRelations(ABC):
    """The part of `PlainDiagrams` that knows of relations."""

    levels: int
    known: Node = NOTHING  # it is not told
    low: list[Node]
    high: list[Node]
    level: list[int]
    events: list[tuple[Node, Put]]
    _done: dict[tuple[object, ...], Node]

    def __init__(self) -> None:
        self._puts: dict[Put, int] = {(): 0}
        self._constants: list[Put] = [()]  # the same by number
        self._said = [(EFFECT, 0, 0), (EFFECT, 1, 0)]  # kind, and two relations; of an effect: condition, put
        self._tops = [self.levels, self.levels]  # the first level that is read or put
        self._numbers = dict[tuple[int, int, int], Relation]()
        self._residues = dict[Relation, Residues]()

    @abstractmethod
    def union(self, a: Node, b: Node) -> Node:
        """States of either."""

    @abstractmethod
    def _at(self, node: Node, level: int) -> tuple[Node, Node]:
        """A set, without and with the bit."""

    @abstractmethod
    def _where(self, node: Node, level: int) -> tuple[Node, Node]:
        """A condition, without and with the bit."""

    @abstractmethod
    def _set(self, level: int, low: Node, high: Node) -> Node:
        """The node of a set."""

    # -------------------------------------------------- what they are

    def effect(self, event: int) -> Relation:
        return self._effect(*self.events[event])

    def _effect(self, condition: Node, put: Put) -> Relation:
        if not condition or (condition == 1 and not put):
            return condition
        if put not in self._puts:
            self._puts[put] = len(self._constants)
            self._constants.append(put)
        top = min(self.level[condition], put[0][0] if put else self.levels)
        return self._relation(EFFECT, condition, self._puts[put], top)

    def _relation(self, kind: int, a: int, b: int, top: int) -> Relation:
        if (kind, a, b) not in self._numbers:
            self._numbers[kind, a, b] = len(self._said)
            self._said.append((kind, a, b))
            self._tops.append(top)
        return self._numbers[kind, a, b]

    def either(self, a: Relation, b: Relation) -> Relation:
        stays = a != self._moving(a) or b != self._moving(b)
        a, b = sorted((self._moving(a), self._moving(b)))
        (kind_a, *in_a), (kind_b, *in_b) = self._said[a], self._said[b]
        if not a or a == b or (kind_b == EITHER and a in in_b):
            found = b
        elif kind_a == EITHER and b in in_a:
            found = a
        else:
            found = self._relation(EITHER, a, b, min(self._tops[a], self._tops[b]))
        if stays:
            return self._relation(EITHER, 1, found, self._tops[found]) if found else 1
        return found

    def _moving(self, relation: Relation) -> Relation:
        """A relation but for what leaves states as they are. `either` says that once, in front."""
        if relation == 1:
            return 0
        kind, a, b = self._said[relation]
        return b if kind == EITHER and a == 1 else relation

    def together(self, a: Relation, b: Relation) -> Relation:
        a, b = min(a, b), max(a, b)
        if a < 2:
            return b if a else 0
        return self._relation(TOGETHER, a, b, min(self._tops[a], self._tops[b]))

    def _split(self, relation: Relation, level: int) -> Residues:
        """What is left of a relation below a level; it says nothing of those above."""
        if self._tops[relation] != level:
            return relation, 0, 0, relation
        if relation not in self._residues:
            kind, a, b = self._said[relation]
            if kind == EFFECT:
                self._residues[relation] = self._split_effect(a, self._constants[b], level)
            else:
                x, y = self._split(a, level), self._split(b, level)
                either = (self.either(x[0], y[0]), self.either(x[1], y[1]), self.either(x[2], y[2]),
                          self.either(x[3], y[3])) if kind == EITHER else None  # fmt: skip
                self._residues[relation] = either or self._split_together(x, y)
        return self._residues[relation]

    def _split_effect(self, condition: Node, put: Put, level: int) -> Residues:
        c0, c1 = self._where(condition, level)
        if put and put[0][0] == level:
            r0, r1 = self._effect(c0, put[1:]), self._effect(c1, put[1:])
            return (0, r0, 0, r1) if put[0][1] else (r0, 0, r1, 0)
        return self._effect(c0, put), 0, 0, self._effect(c1, put)

    def _split_together(self, x: Residues, y: Residues) -> Residues:
        """One of them puts the bit, at most."""
        return (
            self.together(x[0], y[0]),
            self.either(self.together(x[1], y[0]), self.together(x[0], y[1])),
            self.either(self.together(x[2], y[3]), self.together(x[3], y[2])),
            self.together(x[3], y[3]),
        )

    # -------------------------------------------------- what they do

    def led(self, states: Node, relation: Relation) -> Node:
        if not states or relation < 2:
            return states if relation else NOTHING
        key = ("led", states, relation)
        if key not in self._done:
            level = min(self.level[states], self._tops[relation])
            s0, s1 = self._at(states, level)
            r00, r01, r10, r11 = self._split(relation, level)
            low = self.union(self.led(s0, r00), self.led(s1, r10))
            self._done[key] = self._set(level, low, self.union(self.led(s1, r11), self.led(s0, r01)))
        return self._done[key]

    def closed(self, states: Node, relation: Relation) -> Node:
        relation = self._moving(relation)
        if not states or not relation:
            return states
        key = ("closed", states, relation)
        if key not in self._done:
            level = min(self.level[states], self._tops[relation])
            low, high = self._at(states, level)
            r00, r01, r10, r11 = self._split(relation, level)
            low, seen = self.closed(low, r00), -1
            while True:
                high = self.closed(self.union(high, self.led(low, r01)), r11)
                if high == seen:
                    break
                seen, more = high, self.union(low, self.led(high, r10))
                if more == low:
                    break
                low = self.closed(more, r00)
            found = self._set(level, low, high)
            self._done[key] = self._done["closed", found, relation] = found
        return self._done[key]
