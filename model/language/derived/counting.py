"""Of several integers one: the largest, the smallest, the sum; and how many of some conditions hold.

What they leave behind grows with the number of values, not faster (`arithmetic.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cutproof.model.language import expressions as ex
from cutproof.model.language.derived import arithmetic
from cutproof.model.language.domains import complain
from cutproof.model.language.expressions import Term
from cutproof.model.language.operands import Family, Operand, _truth, constant


def _integers(word: str, values: Iterable[object]) -> list[Term]:
    """The terms of integers, known now or later."""
    found = []
    for value in values:
        if isinstance(value, Family) or not isinstance(value, Operand | int) or isinstance(value, bool):
            complain(f"{word} got the {type(value).__name__} {value!r}", f"give it integers, {word}(*family)")
        operand = value if isinstance(value, Operand) else constant(value)
        if operand.kind is not int:
            complain(
                f"{word} got a {operand.kind.__name__}", "give it integers; number_of(...) counts what holds"
            )
        found.append(operand.term)
    return found


def larger(*values: Any) -> Operand:
    """The largest of some integers, one or more."""
    if not values:
        complain("larger got nothing", "give it integers")
    return Operand(arithmetic.largest(_integers("larger", values)), int)


def smaller(*values: Any) -> Operand:
    """The smallest of some integers, one or more."""
    if not values:
        complain("smaller got nothing", "give it integers")
    return Operand(arithmetic.smallest(_integers("smaller", values)), int)


def total(values: Any) -> Operand:
    """The sum of the integers of a family, a list or a generator; 0 where there is none."""
    if not isinstance(values, Family) and (isinstance(values, Operand) or not isinstance(values, Iterable)):
        complain(f"total got the {type(values).__name__} {values!r}", "give it a family, or total([a, b])")
    return Operand(arithmetic.total(_integers("total", values)), int)


def number_of(*conditions: Operand) -> Operand:
    """How many of some conditions hold."""
    one, none = ex.constant(1), ex.constant(0)
    terms = [ex.choose(_truth(c, "number_of").term, one, none) for c in conditions]
    return Operand(arithmetic.total(terms), int)
