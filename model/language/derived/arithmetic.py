"""Arithmetic by cases: products, quotients and remainders of bounded values, in the nine operations that there are.

A value has few cases (`low..high`), so what is no operation is told case by case: `_split` asks for the value by
halves, and its leaves are simpler terms. A product with a constant is doubled and added instead where that is shorter.
Python's floor semantics: -7 // 2 is -4, and -7 % 2 is 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cutproof.model.language import expressions as ex
from cutproof.model.language.expressions import Term

MOST_CASES = 4096  # leaves of one operation: more is no protocol to be explored, but a mistake
FEW = 32  # values that are told one by one where that gives the closest bounds


class TooManyCases(ValueError):
    """An operation would need more than `MOST_CASES` cases; the message says of what."""


def multiply(a: Term, b: Term) -> Term:
    """a * b. Raises TooManyCases where neither is a constant and both have many values."""
    if a.op == "const":
        a, b = b, a
    if b.op == "const":
        return _scaled(a, int(b.leaf))
    if _cases(a) < _cases(b):
        a, b = b, a
    _check(_cases(b), f"a value of {b.low}..{b.high}")
    return _split(b, b.low, b.high, lambda value: _scaled(a, value))


def divide(a: Term, b: Term) -> Term:
    """a // b. Raises ZeroDivisionError where b may be zero, TooManyCases."""
    return _by_divisor(a, b, _quotient)


def modulo(a: Term, b: Term) -> Term:
    """a % b: from 0 to b - 1 for a positive b. Raises as `divide`."""
    return _by_divisor(a, b, _remainder)


def largest(terms: Sequence[Term]) -> Term:
    """The largest of some integers; of n, n - 1 comparisons."""
    return balanced(terms, lambda a, b: ex.choose(ex.less(b, a), a, b))


def smallest(terms: Sequence[Term]) -> Term:
    """The smallest of some integers."""
    return balanced(terms, lambda a, b: ex.choose(ex.less(a, b), a, b))


def total(terms: Sequence[Term]) -> Term:
    """The sum; of none, 0."""
    return balanced(terms or [ex.constant(0)], ex.add)


def balanced(terms: Sequence[Term], join: Callable[[Term, Term], Term]) -> Term:
    """Terms joined two by two, so that the depth grows with the logarithm of their number."""
    while len(terms) > 1:
        pairs = [terms[i : i + 2] for i in range(0, len(terms), 2)]
        terms = [join(*pair) if len(pair) == 2 else pair[0] for pair in pairs]
    return terms[0]


# ------------------------------------------------------------------ cases


def _cases(term: Term) -> int:
    return term.high - term.low + 1


def _check(cases: int, what: str) -> None:
    if cases > MOST_CASES:
        known = "" if cases >= ex.UNBOUNDED else f" ({cases:,} cases, at most {MOST_CASES:,})"
        raise TooManyCases(f"{what} is too many to tell apart{known}")


def _split(term: Term, low: int, high: int, leaf: Callable[[int], Term]) -> Term:
    """What `leaf` says of the value of a term that is in low..high."""
    if low == high:
        return leaf(low)
    middle = (low + high) // 2
    low_half, high_half = _split(term, low, middle, leaf), _split(term, middle + 1, high, leaf)
    return ex.choose(ex.at_most(term, ex.constant(middle)), low_half, high_half)


def _scaled(a: Term, factor: int) -> Term:
    """a * factor: by cases, or by doubling where the factor is small beside the number of cases."""
    if factor < 0:
        return ex.subtract(ex.constant(0), _scaled(a, -factor))
    if _cases(a) < factor and _cases(a) <= MOST_CASES:
        return _split(a, a.low, a.high, lambda value: ex.constant(value * factor))
    result, power = ex.constant(0), a
    while factor:
        if factor & 1:
            result = ex.add(result, power)
        factor >>= 1
        power = ex.add(power, power) if factor else power
    return result


def _by_divisor(a: Term, b: Term, of: Callable[[Term, int], Term]) -> Term:
    if b.low <= 0 <= b.high:
        raise ZeroDivisionError(f"the divisor may be 0: it is of {b.low}..{b.high}")
    if b.op == "const":
        return of(a, int(b.leaf))
    _check(_cases(b), f"a divisor of {b.low}..{b.high}")
    leaves = sum(_cases(a) // abs(value) + 1 for value in range(b.low, b.high + 1))
    _check(leaves, f"a value of {a.low}..{a.high} by one of {b.low}..{b.high}")
    return _split(b, b.low, b.high, lambda value: of(a, value))


def _quotient(a: Term, divisor: int) -> Term:
    if divisor < 0:
        return _quotient(ex.subtract(ex.constant(0), a), -divisor)
    return _by_quotient(a, divisor, ex.constant)


def _remainder(a: Term, divisor: int) -> Term:
    if divisor < 0:
        return ex.subtract(ex.constant(0), _remainder(ex.subtract(ex.constant(0), a), -divisor))
    if a.low >= 0 and a.high < divisor:
        return a
    if _cases(a) <= FEW:
        return _split(a, a.low, a.high, lambda value: ex.constant(value % divisor))
    _check(divisor, f"a remainder of 0..{divisor - 1}")
    rest = ex.subtract(a, _by_quotient(a, divisor, lambda quotient: ex.constant(quotient * divisor)))
    return _split(rest, 0, divisor - 1, ex.constant)  # its bounds say 0..divisor - 1, those of `rest` do not


def _by_quotient(a: Term, divisor: int, leaf: Callable[[int], Term]) -> Term:
    low, high = a.low // divisor, a.high // divisor
    _check(high - low + 1, f"a value of {a.low}..{a.high} by {divisor}")

    def between(low: int, high: int) -> Term:
        if low == high:
            return leaf(low)
        middle = (low + high) // 2
        fits = ex.less(a, ex.constant((middle + 1) * divisor))
        return ex.choose(fits, between(low, middle), between(middle + 1, high))

    return between(low, high)
