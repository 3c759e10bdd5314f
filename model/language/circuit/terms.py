"""Terms as gates: each of the twelve kinds of term, for values of which some may be known.

A number is (low, edges): low plus the number that the edges are the bits of, lowest first. So -2..5 takes three edges
and low = -2, and what is known is (value, no edges). A boolean is 0 or 1. Sums, differences and comparisons go bit by
bit, as on paper (`_sum`, `_compared`), the latter after both numbers count from one `low` (`_alike`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from cutproof.model.language import expressions as ex
from cutproof.model.language.circuit.gates import NO, YES, Circuit, Edge
from cutproof.model.language.expressions import Term

Number = tuple[int, tuple[Edge, ...]]
Known = Mapping[str, int]  # values of some variables


class Terms:
    """Terms over the inputs of a circuit: `read` gives the number of a variable that is not known otherwise.

    `some` has the variables that may be known: what a term is made of is remembered by those that it reads."""

    def __init__(
        self, circuit: Circuit, read: Callable[[str], Number], some: frozenset[str] = frozenset()
    ) -> None:
        self.circuit, self._read, self._some = circuit, read, some
        self._made: dict[tuple[Term, tuple[int, ...]], Number] = {}
        self._reads: dict[Term, tuple[str, ...]] = {}

    def reads(self, term: Term) -> tuple[str, ...]:
        """Which of the variables that may be known a term reads, sorted."""
        if term not in self._reads:
            for part in ex.ordered([term]):
                if part not in self._reads:
                    mine = {n for a in part.args for n in self._reads[a]}
                    if part.op == "var" and str(part.leaf) in self._some:
                        mine.add(str(part.leaf))
                    self._reads[part] = tuple(sorted(mine))
        return self._reads[term]

    def number(self, term: Term, known: Known = {}) -> Number:  # noqa: B006  it is only read
        """The number that a term is."""
        if self._key(term, known) not in self._made:
            for part in ex.ordered([term]):
                key = self._key(part, known)
                if key not in self._made:
                    self._made[key] = self._number(
                        part, [self._made[self._key(a, known)] for a in part.args], known
                    )
        return self._made[self._key(term, known)]

    def _key(self, term: Term, known: Known) -> tuple[Term, tuple[int, ...]]:
        return term, tuple([known[name] for name in self.reads(term)])

    def truth(self, term: Term, known: Known = {}) -> Edge:  # noqa: B006
        """The edge of a boolean term."""
        low, bits = self.number(term, known)
        return YES if low else bits[0] if bits else NO

    def equals(self, number: Number, value: int) -> Edge:
        """That a number is this value."""
        low, bits = number
        if not low <= value < low + (1 << len(bits)):
            return NO
        wanted = _bits(value - low, len(bits))
        return self.circuit.all(bit ^ want ^ 1 for bit, want in zip(bits, wanted, strict=True))

    def counted_from(self, number: Number, low: int, width: int) -> tuple[Edge, ...]:
        """The `width` bits of a number less `low`: as a field that counts from `low` has it. Right where that is
        neither below 0 nor too large for so many bits; elsewhere they say nothing."""
        base, bits = number
        total = self._sum(bits, _bits((base - low) % (1 << width), width))
        return (*total, *[NO] * width)[:width]

    # -------------------------------------------------- one term

    def _number(self, term: Term, args: Sequence[Number], known: Known) -> Number:
        circuit = self.circuit
        truths = [YES if low else bits[0] if bits else NO for low, bits in args]
        match term.op:
            case "const":
                return int(term.leaf), ()
            case "var":
                name = str(term.leaf)
                return (known[name], ()) if name in known else self._read(name)
            case "not":
                return 0, (truths[0] ^ 1,)
            case "and":
                return 0, (circuit.all(truths),)
            case "or":
                return 0, (circuit.any(truths),)
            case "ite":
                return self._chosen(truths[0], args[1], args[2])
            case "add" | "sub":
                (low, one), (other, two) = args
                if term.op == "sub":  # less a number of n bits is plus its complement, less 2^n - 1
                    other, two = 1 - other - (1 << len(two)), tuple(bit ^ 1 for bit in two)
                    return self._within(term, low + other, self._sum(one, two))
                return self._within(term, low + other, self._sum(one, two))
            case "eq" | "lt" | "le":
                return 0, (self._compared(term.op, args[0], args[1]),)
        raise ValueError(f"{term.leaf} has no value yet; resolve the protocol first")

    def _within(self, term: Term, low: int, bits: Sequence[Edge]) -> Number:
        """Without the bits that the upper bound of the term rules out, if it has one."""
        if abs(term.high) >= ex.UNBOUNDED:
            return low, tuple(bits)
        return low, tuple(bits[: max(0, term.high - low).bit_length()])

    def _alike(self, one: Number, two: Number) -> tuple[int, list[Edge], list[Edge]]:
        """Two numbers from one `low` on, with as many bits."""
        low = min(one[0], two[0])
        x, y = (list(self._sum(bits, _bits(base - low))) for base, bits in (one, two))
        width = max(len(x), len(y))
        return low, x + [NO] * (width - len(x)), y + [NO] * (width - len(y))

    def _chosen(self, condition: Edge, yes: Number, no: Number) -> Number:
        """One of two numbers, bit by bit."""
        if condition in (NO, YES):
            return yes if condition == YES else no
        low, x, y = self._alike(yes, no)
        return low, tuple(self.circuit.choose(condition, p, q) for p, q in zip(x, y, strict=True))

    def _compared(self, op: str, one: Number, two: Number) -> Edge:
        """The edge of `eq`, `lt` or `le`: the highest bit in which they differ decides which is less."""
        circuit = self.circuit
        _, x, y = self._alike(one, two)
        if op == "eq":
            return circuit.all(circuit.differ(p, q) ^ 1 for p, q in zip(x, y, strict=True))
        if op == "le":  # not greater
            x, y = y, x
        less = NO
        for p, q in zip(x, y, strict=True):  # from the lowest bit
            less = circuit.either(circuit.both(p ^ 1, q), circuit.both(circuit.differ(p, q) ^ 1, less))
        return less if op == "lt" else less ^ 1

    def _sum(self, x: Sequence[Edge], y: Sequence[Edge]) -> Sequence[Edge]:
        """The bits of x + y, with a carry from each to the next."""
        if not y or not x:
            return x or y
        circuit, found, carry = self.circuit, list[Edge](), NO
        for i in range(max(len(x), len(y))):
            p, q = x[i] if i < len(x) else NO, y[i] if i < len(y) else NO
            odd = circuit.differ(p, q)
            found.append(circuit.differ(odd, carry))
            carry = circuit.either(circuit.both(p, q), circuit.both(odd, carry))
        return [*found, carry] if carry != NO else found


def _bits(value: int, width: int = 0) -> tuple[Edge, ...]:
    """The bits of a number that is known, as many as it has or `width`."""
    return tuple(value >> i & 1 for i in range(width or value.bit_length()))
