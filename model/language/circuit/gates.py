"""Gates: a boolean circuit that grows, in which equal gates are one.

A *node* is 0 (the constant false), an input, or a gate of two edges. An *edge* is twice its node, plus one where it is
the complement of it: so "not" costs no gate. Gates are plain data, (kind, edge, edge), in an order in which each stands
after what it reads. Whoever has one bit of many states in a word (a *plane*) computes a gate for all of them by one
operation; `Circuit.planes` does so on Python's integers, and says by that what a gate means.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Edge = int
Gate = tuple[int, Edge, Edge]

AND, ANDN, NOR, XOR = range(4)  # a & b, a & ~b, ~(a | b), a ^ b; the edges of a gate are never complements
NO, YES = 0, 1  # the edges of the constants


class Circuit:
    """A circuit of so many inputs. Methods give the edge of what they say, and fold what constants decide."""

    def __init__(self, inputs: int) -> None:
        self.inputs = inputs
        self.gates: list[Gate] = []
        self._known: dict[Gate, Edge] = {}

    def input(self, number: int) -> Edge:
        """The edge of an input, from 0."""
        return 2 * (1 + number)

    def gate(self, kind: int, a: Edge, b: Edge) -> Edge:
        """The edge of a gate, which is added where it is not there yet; `a` and `b` are no complements."""
        found = self._known.get((kind, a, b))
        if found is None:
            self.gates.append((kind, a, b))
            found = self._known[kind, a, b] = 2 * (self.inputs + len(self.gates))
        return found

    def both(self, a: Edge, b: Edge) -> Edge:
        """a and b"""
        if a > b:
            a, b = b, a
        if a == NO or a ^ b == 1:
            return NO
        if a in (YES, b):
            return b
        if a & b & 1:
            return self.gate(NOR, a ^ 1, b ^ 1)
        if b & 1:
            return self.gate(ANDN, a, b ^ 1)
        if a & 1:
            return self.gate(ANDN, b, a ^ 1)
        return self.gate(AND, a, b)

    def either(self, a: Edge, b: Edge) -> Edge:
        """a or b"""
        return self.both(a ^ 1, b ^ 1) ^ 1

    def differ(self, a: Edge, b: Edge) -> Edge:
        """a is not b. Complements are taken out of it first: each turns the result over."""
        flip = (a ^ b) & 1
        a, b = sorted((a & ~1, b & ~1))
        if a == b:
            return flip
        return (b if a == NO else self.gate(XOR, a, b)) ^ flip

    def choose(self, condition: Edge, yes: Edge, no: Edge) -> Edge:
        """`yes` where the condition holds, else `no`."""
        if yes == no:
            return yes
        return self.either(self.both(condition, yes), self.both(condition ^ 1, no))

    def all(self, edges: Iterable[Edge]) -> Edge:
        """Every one of them; of none, true. They are paired again and again, so that the circuit is shallow, and
        sorted, so that the same ones give the same gates."""
        row = sorted(set(edges))
        while len(row) > 1:
            row = [self.both(*row[i : i + 2]) if i + 1 < len(row) else row[i] for i in range(0, len(row), 2)]
        return row[0] if row else YES

    def any(self, edges: Iterable[Edge]) -> Edge:
        """Some of them; of none, false."""
        return self.all(edge ^ 1 for edge in edges) ^ 1

    def plane(self, edge: Edge) -> Edge:
        """The same edge, but never a complement: a gate more where it was one."""
        return edge if edge & 1 == 0 or edge == YES else self.gate(NOR, edge ^ 1, edge ^ 1)

    def planes(self, inputs: Sequence[int], ones: int) -> list[int]:
        """The planes of all nodes, from those of the inputs; `ones` has a bit for each state."""
        found = [0, *inputs]
        for kind, a, b in self.gates:
            p, q = found[a >> 1], found[b >> 1]
            if kind == AND:
                found.append(p & q)
            elif kind == ANDN:
                found.append(p & ~q)
            elif kind == NOR:
                found.append(ones & ~(p | q))
            else:
                found.append(p ^ q)
        return found
