"""Families by a state value: look one up, replace one, replace them all."""

from __future__ import annotations

from typing import Any

from cutproof.model.language.domains import complain
from cutproof.model.language.operands import Family, Operand, _same_kind, choose, constant


def pick(values: Family, where: Any) -> Any:
    """The value at an index that is itself a state value; the last one where no index matches."""
    if not isinstance(values, Family):
        complain("pick needs a family", "write pick(family, index)")
    if not isinstance(where, Operand):
        return values[where]
    return values._pick(where)


def put(values: Family, where: Any, new: Any) -> Family:
    """The family with `new` at `where`: an index, a state value, or a tuple of those for nested families."""
    if not isinstance(values, Family) or (isinstance(where, tuple) and not where):
        complain("put needs a family and an index in it", "write put(family, index, new)")
    first, *rest = where if isinstance(where, tuple) else (where,)
    deeper = tuple(rest)

    def replaced(old: Any) -> Any:
        if deeper:
            return put(old, deeper, new)
        if isinstance(old, Family):
            value = old._like(new)
            if not isinstance(value, Family):
                complain(f"put leaves {old.index} open", "name every index, or give a family")
            return choose(constant(True), value, old)  # checks the shape and the types
        return Operand(_same_kind("put", old, new), old.kind)

    return values._put(first, replaced)


def each(values: Family, new: Any) -> Family:
    """The family with `new` (a constant or an operand) everywhere."""
    if not isinstance(values, Family):
        complain("each needs a family", "give one value as it is")
    return values._each(new)
