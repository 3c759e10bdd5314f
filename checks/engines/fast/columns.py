"""Expressions over columns: the value of each term for many states at once, in NumPy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import reduce
from typing import Any

import numpy as np
import numpy.typing as npt

from cutproof.model.language import expressions as ex
from cutproof.model.language.expressions import Term

Column = npt.NDArray[Any]

_OPERATIONS: dict[str, Callable[..., Column]] = {
    "not": np.logical_not,
    "and": lambda *a: reduce(np.logical_and, a),
    "or": lambda *a: reduce(np.logical_or, a),
    "eq": np.equal,
    "lt": np.less,
    "le": np.less_equal,
    "add": np.add,
    "sub": np.subtract,
    "ite": np.where,
}


def needed(terms: Iterable[Term]) -> list[str]:
    """The fields that some terms read."""
    return list(dict.fromkeys(name for term in terms for name in ex.names(term)))


def values(terms: Sequence[Term], columns: Mapping[str, Column], rows: int) -> list[Column]:
    """One column of `rows` values for each term: bool for booleans, int64 for integers (0 - 1 is -1).

    `columns` has the values of the fields, int64. Shared sub-terms are evaluated once."""
    found: dict[Term, Column] = {}
    for term in ex.ordered(terms):
        if term.op == "const":
            found[term] = np.full(rows, term.leaf, dtype=bool if term.boolean else np.int64)
        elif term.op == "var":
            column = columns[str(term.leaf)]
            found[term] = column != 0 if term.boolean else column
        else:
            found[term] = _OPERATIONS[term.op](*(found[a] for a in term.args))
    return [found[term] for term in terms]
