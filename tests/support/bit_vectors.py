"""Terms as decision diagrams of the package oxidd: a translation of its own, from `expressions.py` alone.

    terms = Translation(false, true, {"sum": Number(1, (b0, b1))})     # sum is 1 + b0 + 2*b1
    terms.number(term).bits, terms.condition(term)

An integer is a lowest value and bits above it, the least significant first. Results are as wide as they must be, so
that nothing wraps. What a code outside of its field's domain would mean is left open.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cutproof.model.language import expressions as ex

Diagram = Any  # a function of oxidd: `oxidd.bcdd.BCDDFunction`, or another kind with the same operations
Bits = tuple[Diagram, ...]


@dataclass(frozen=True)
class Number:
    """The integer `low` + the bits. A boolean is one bit above 0."""

    low: int
    bits: Bits


class Translation:
    """From terms to diagrams, over fields that are given as numbers. What was translated once is kept."""

    def __init__(self, false: Diagram, true: Diagram, fields: Mapping[str, Number]) -> None:
        self.false, self.true, self.fields = false, true, fields
        self.known: dict[ex.Term, Number] = {}

    def condition(self, term: ex.Term) -> Diagram:
        """Where a boolean term is true."""
        (bit,) = self.number(term).bits
        return bit

    def number(self, term: ex.Term) -> Number:
        """A term of any type. Raises ValueError where it is neither resolved nor of a field that is given."""
        for part in ex.ordered([term]):
            if part not in self.known:
                self.known[part] = self._applied(part, [self.known[a] for a in part.args])
        return self.known[term]

    def within(self, number: Number, low: int, high: int) -> Diagram:
        """Where low <= number <= high."""
        return self._at_most(self._constant(low), number) & self._at_most(number, self._constant(high))

    def code(self, number: Number, low: int, width: int) -> Bits:
        """The bits of number - low, modulo 2^width: as the number is `within` its domain, that is no limit."""
        shift = self._unsigned((number.low - low) % (1 << width))
        return self._padded(self._sum(number.bits, shift), width)[:width]

    # -------------------------------------------------- operations

    def _applied(self, term: ex.Term, a: list[Number]) -> Number:
        match term.op:
            case "const":
                return self._boolean(bool(term.leaf)) if term.boolean else self._constant(int(term.leaf))
            case "var" if term.leaf in self.fields:
                return self.fields[str(term.leaf)]
            case "not":
                return Number(0, (~a[0].bits[0],))
            case "and" | "or":
                return self._joined(term.op, [x.bits[0] for x in a])
            case "eq":
                return Number(0, (self._equal(*a),))
            case "lt":
                return Number(0, (~self._at_most(a[1], a[0]),))
            case "le":
                return Number(0, (self._at_most(*a),))
            case "add":
                return Number(a[0].low + a[1].low, self._sum(a[0].bits, a[1].bits))
            case "sub":  # -(b0 + 2*b1 + ...) is the bits inverted, less the greatest number of so many bits
                inverted = tuple(~bit for bit in a[1].bits)
                low = a[0].low - a[1].low - ((1 << len(inverted)) - 1)
                return Number(low, self._sum(a[0].bits, inverted))
            case "ite":
                low, yes, no = self._aligned(a[1], a[2])
                return Number(low, tuple(a[0].bits[0].ite(x, y) for x, y in zip(yes, no, strict=True)))
        raise ValueError(f"{term!r} has no value in a state: are the mechanisms resolved?")

    def _joined(self, op: str, parts: list[Diagram]) -> Number:
        found = self.true if op == "and" else self.false
        for part in parts:
            found = found & part if op == "and" else found | part
        return Number(0, (found,))

    def _equal(self, a: Number, b: Number) -> Diagram:
        found = self.true
        _, left, right = self._aligned(a, b)
        for x, y in zip(left, right, strict=True):
            found = found & x.equiv(y)
        return found

    def _at_most(self, a: Number, b: Number) -> Diagram:
        """Where a <= b: decided by the most significant bit in which they differ."""
        found = self.true
        _, left, right = self._aligned(a, b)
        for x, y in zip(left, right, strict=True):
            found = (~x & y) | (x.equiv(y) & found)
        return found

    # -------------------------------------------------- numbers

    def _boolean(self, value: bool) -> Number:
        return Number(0, (self.true if value else self.false,))

    def _constant(self, value: int) -> Number:
        return Number(value, ())

    def _unsigned(self, value: int) -> Bits:
        return tuple(self.true if value >> i & 1 else self.false for i in range(value.bit_length()))

    def _padded(self, bits: Bits, width: int) -> Bits:
        return bits + (self.false,) * (width - len(bits))

    def _aligned(self, a: Number, b: Number) -> tuple[int, Bits, Bits]:
        """Both above the lower of their lowest values, and equally wide."""
        low = min(a.low, b.low)
        left, right = (self._sum(n.bits, self._unsigned(n.low - low)) for n in (a, b))
        width = max(len(left), len(right))
        return low, self._padded(left, width), self._padded(right, width)

    def _sum(self, a: Bits, b: Bits) -> Bits:
        """The sum of two unsigned numbers, one bit wider where it must be."""
        width = max(len(a), len(b))
        found, carry = list[Diagram](), self.false
        for x, y in zip(self._padded(a, width), self._padded(b, width), strict=True):
            either = x ^ y
            found.append(either ^ carry)
            carry = (x & y) | (either & carry)
        return (*found, carry) if carry.satisfiable() else tuple(found)
