"""Two more readings of expressions, to hold the others against: NumPy columns and Z3 terms.

Each is the shortest translation of the twelve cases that could be written, and shares no code with an engine.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import reduce
from typing import Any

import numpy as np
import z3

from cutproof.model.language import expressions as ex
from cutproof.model.language.expressions import Term


def numpy_values(terms: Sequence[Term], columns: Mapping[str, Any], length: int) -> list[Any]:
    """The columns of `terms`: int64 for integers, so that 0 - 1 is -1; bool for booleans.

    `columns` has an int64 column of `length` for each variable."""
    found: dict[Term, Any] = {}
    for term in ex.ordered(terms):
        a = [found[arg] for arg in term.args]
        match term.op:
            case "const":
                made = np.full(length, term.leaf, dtype=bool if term.boolean else np.int64)
            case "var":
                column = columns[str(term.leaf)]
                made = column != 0 if term.boolean else column
            case "not":
                made = np.logical_not(a[0])
            case "and":
                made = reduce(np.logical_and, a)
            case "or":
                made = reduce(np.logical_or, a)
            case "eq":
                made = a[0] == a[1]
            case "lt":
                made = a[0] < a[1]
            case "le":
                made = a[0] <= a[1]
            case "add":
                made = a[0] + a[1]
            case "sub":
                made = a[0] - a[1]
            case "ite":
                made = np.where(a[0], a[1], a[2])
            case _:
                raise ValueError(term.op)
        assert made.dtype == (bool if term.boolean else np.int64), term
        found[term] = made
    return [found[term] for term in terms]


def z3_terms(terms: Iterable[Term]) -> dict[Term, Any]:
    """Every term below `terms` in Z3: Bool for booleans, Int for integers; variables by their names."""
    found: dict[Term, Any] = {}
    for term in ex.ordered(terms):
        a = [found[arg] for arg in term.args]
        match term.op:
            case "const":
                made = z3.BoolVal(bool(term.leaf)) if term.boolean else z3.IntVal(term.leaf)
            case "var":
                made = z3.Bool(str(term.leaf)) if term.boolean else z3.Int(str(term.leaf))
            case "not":
                made = z3.Not(a[0])
            case "and":
                made = z3.And(*a)
            case "or":
                made = z3.Or(*a)
            case "eq":
                made = a[0] == a[1]
            case "lt":
                made = a[0] < a[1]
            case "le":
                made = a[0] <= a[1]
            case "add":
                made = a[0] + a[1]
            case "sub":
                made = a[0] - a[1]
            case "ite":
                made = z3.If(a[0], a[1], a[2])
            case _:
                raise ValueError(term.op)
        found[term] = made
    return found


def z3_values(terms: Sequence[Term], states: Iterable[Mapping[str, int]]) -> Iterator[list[int]]:
    """The values of `terms` in each state, by Z3's own simplifier.

    All terms are arguments of one uninterpreted function, so that a state is substituted into them at once,
    and what they share is simplified once."""
    found = z3_terms(terms)
    together = z3.Function("together", *(found[t].sort() for t in terms), z3.BoolSort())(
        *(found[t] for t in terms)
    )
    leaves = [term for term in found if term.op == "var"]
    for state in states:
        values = [(leaf, state[str(leaf.leaf)]) for leaf in leaves]
        pairs = [(found[x], z3.BoolVal(bool(v)) if x.boolean else z3.IntVal(v)) for x, v in values]
        yield [z3_literal(part) for part in z3.simplify(z3.substitute(together, *pairs)).children()]


def z3_literal(value: Any) -> int:
    """A Z3 literal as an integer; TypeError for anything that is not a literal."""
    if z3.is_true(value) or z3.is_false(value):
        return int(z3.is_true(value))
    if z3.is_int_value(value):
        return int(value.as_long())
    raise TypeError(f"not a literal: {value}")
