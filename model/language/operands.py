"""Operands: what stands for a value that is known only when the protocol runs.

See `actions.py` for the two rules. Whatever would decide something now raises `LanguageError`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum
from types import MappingProxyType
from typing import Any, NoReturn

from cutproof.model.language import expressions as ex
from cutproof.model.language.domains import Kind, complain
from cutproof.model.language.expressions import Term


def _same_kind(what: str, a: Operand, b: object) -> Term:
    """The term of `b`, which must be of a's kind: an operand, or a constant of that very type."""
    if isinstance(b, Operand):
        if b.kind is not a.kind:
            complain(f"{what} mixes {a.kind.__name__} and {b.kind.__name__}", "compare values of one type")
        return b.term
    if type(b) is not a.kind:
        complain(f"{what} mixes {a.kind.__name__} and {type(b).__name__} {b!r}", f"use a {a.kind.__name__}")
    code = b if isinstance(b, int) and not isinstance(b, Enum) else list(a.kind).index(b)  # type: ignore[call-overload]
    return ex.constant(int(code), a.kind is bool)


class Operand:
    """A value known only when the protocol runs. `&`, `|`, `~` are and, or, not; see the module's rules."""

    __slots__ = ("kind", "term")

    def __init__(self, term: Term, kind: Kind) -> None:
        self.term, self.kind = term, kind

    def _boolean(self, other: object, sign: str) -> Term:
        if self.kind is not bool:
            complain(f"`{sign}` on a {self.kind.__name__}", "compare it first, to get a boolean")
        if not isinstance(other, Operand):
            complain(
                f"a Python {type(other).__name__} beside state in `{sign}`",
                "it is known now: decide with a Python `if`, or write constant(...)",
            )
        return _same_kind(f"`{sign}`", self, other)

    def _number(self, other: object, sign: str) -> Term:
        if self.kind is not int:
            complain(f"`{sign}` on a {self.kind.__name__}", "only integers have an order and sums")
        return _same_kind(f"`{sign}`", self, other)

    def __and__(self, other: object) -> Operand:
        return Operand(ex.conjunction(self.term, self._boolean(other, "&")), bool)

    def __or__(self, other: object) -> Operand:
        return Operand(ex.disjunction(self.term, self._boolean(other, "|")), bool)

    def __invert__(self) -> Operand:
        self._boolean(self, "~")
        return Operand(ex.negation(self.term), bool)

    __rand__, __ror__ = __and__, __or__

    def __eq__(self, other: object) -> Operand:  # type: ignore[override]
        return Operand(ex.equal(self.term, _same_kind("`==`", self, other)), bool)

    def __ne__(self, other: object) -> Operand:  # type: ignore[override]
        return Operand(ex.negation(ex.equal(self.term, _same_kind("`!=`", self, other))), bool)

    def __lt__(self, other: object) -> Operand:
        return Operand(ex.less(self.term, self._number(other, "<")), bool)

    def __le__(self, other: object) -> Operand:
        return Operand(ex.at_most(self.term, self._number(other, "<=")), bool)

    def __gt__(self, other: object) -> Operand:
        return Operand(ex.less(self._number(other, ">"), self.term), bool)

    def __ge__(self, other: object) -> Operand:
        return Operand(ex.at_most(self._number(other, ">="), self.term), bool)

    def __add__(self, other: object) -> Operand:
        return Operand(ex.add(self.term, self._number(other, "+")), int)

    def __radd__(self, other: object) -> Operand:
        return Operand(ex.add(self._number(other, "+"), self.term), int)

    def __sub__(self, other: object) -> Operand:
        return Operand(ex.subtract(self.term, self._number(other, "-")), int)

    def __rsub__(self, other: object) -> Operand:
        return Operand(ex.subtract(self._number(other, "-"), self.term), int)

    def __bool__(self) -> NoReturn:
        complain(
            "Python asked for the truth of a value that is known only later",
            "write & | ~ for and/or/not, choose(c, a, b) for if, (a < b) & (b < c) for a < b < c, "
            "any_of(...) for in",
        )

    def __hash__(self) -> int:
        complain("a state value was used as a key", "write pick(family, value) to look up by a state value")

    def __index__(self) -> NoReturn:
        complain(
            "a state value was used as an index", "write pick(family, value), or put(family, value, new)"
        )

    __int__ = __index__
    __float__ = __index__

    def __contains__(self, _: object) -> NoReturn:
        complain("`in` on a state value", "write any_of(x == a, x == b)")

    def _refuse(self, *_: object) -> NoReturn:
        complain("this Python operation is not in the language", "use & | ~ == != < <= > >= + - and choose")

    __iter__ = __len__ = __getitem__ = __call__ = _refuse
    __mul__ = __rmul__ = __truediv__ = __floordiv__ = __mod__ = __pow__ = __neg__ = __abs__ = _refuse
    __rtruediv__ = __rfloordiv__ = __rmod__ = __rpow__ = __pos__ = __round__ = __trunc__ = _refuse
    __divmod__ = __rdivmod__ = __rmatmul__ = _refuse
    __xor__ = __rxor__ = __lshift__ = __rshift__ = __rlshift__ = __rrshift__ = __matmul__ = _refuse

    def __repr__(self) -> str:
        return f"<{self.kind.__name__} {self.term!r}>"

    def _text(self, *_: object) -> NoReturn:
        complain(
            "a state value was made a text",
            "texts are made now, the value is known later; repr is for looking",
        )

    __format__ = __str__ = _text


def constant(value: bool | int | Enum) -> Operand:
    """A Python value as an operand, where one is needed beside state."""
    if isinstance(value, Enum):
        return Operand(ex.constant(list(type(value)).index(value)), type(value))
    if type(value) is not bool and type(value) is not int:
        complain(
            f"a {type(value).__name__} is no constant", "give a bool, an int or a member of an enumeration"
        )
    return Operand(ex.constant(int(value), isinstance(value, bool)), type(value))


def _truth(value: object, where: str) -> Operand:
    if not isinstance(value, Operand):
        complain(
            f"{where} got the Python {type(value).__name__} {value!r}", "give it an expression over state"
        )
    if value.kind is not bool:
        complain(f"{where} got a {value.kind.__name__}", "compare it first, to get a boolean")
    return value


def all_of(*conditions: Operand) -> Operand:
    """True where every condition is (and where there is none)."""
    return Operand(ex.conjunction(*(_truth(c, "all_of").term for c in conditions)), bool)


def any_of(*conditions: Operand) -> Operand:
    """True where some condition is."""
    return Operand(ex.disjunction(*(_truth(c, "any_of").term for c in conditions)), bool)


def implies(condition: Operand, consequence: Operand) -> Operand:
    """The consequence holds wherever the condition does."""
    return ~_truth(condition, "implies") | _truth(consequence, "implies")


def choose(condition: Operand, yes: Any, no: Any) -> Any:
    """`yes` where the condition holds, else `no`; both of one type, at least one of them an operand or both
    constants; for families element by element."""
    condition = _truth(condition, "choose")
    if isinstance(yes, Family) and isinstance(no, Family):
        return Family(yes.index, {k: choose(condition, yes[k], no[k]) for k in yes.items})
    if not isinstance(yes, Operand):
        yes = constant(yes)
    return Operand(ex.choose(condition.term, yes.term, _same_kind("choose", yes, no)), yes.kind)


def larger(a: Operand, b: Operand) -> Operand:
    """The larger of two integers."""
    return choose(a > b, a, b)


class Family:
    """A value for each value of one index; look up by a Python value, or with `pick` by a state value."""

    def __init__(self, index: str, items: Mapping[Any, Any]) -> None:
        self.index, self.items = index, MappingProxyType(dict(items))

    def __getitem__(self, where: object) -> Any:
        if isinstance(where, Operand):
            complain(f"{self.index} looked up by a state value", "write pick(family, value)")
        if not any(
            type(where) is type(key) and where == key for key in self.items
        ):  # 1, 1.0 and True are not one
            complain(f"no {self.index} {where!r}", f"there are {', '.join(map(str, self.items))}")
        return self.items[where]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.items.values())

    def __len__(self) -> int:
        return len(self.items)

    def __setitem__(self, where: object, _: object) -> NoReturn:
        complain(f"an assignment to {self.index} {where!r}", "write .then(family=put(family, index, new))")

    def __contains__(self, _: object) -> NoReturn:
        complain("`in` on a family of state values", "write any_of(*(x == a for x in family))")

    def __eq__(self, other: object) -> NoReturn:
        complain("a family compared as a whole", "write all_of(*(a[i] == b[i] for i in ...))")

    __ne__ = __eq__
    __hash__ = None  # type: ignore[assignment]

    def __bool__(self) -> NoReturn:
        complain(
            "Python asked for the truth of a family of state values",
            "write all_of(*family) or any_of(*family)",
        )


def pick(values: Family, where: Any) -> Any:
    """The value at an index that is itself a state value; the last one where no index matches."""
    if not isinstance(values, Family):
        complain("pick needs a family", "write pick(family, index)")
    if not isinstance(where, Operand):
        return values[where]
    *front, last = values.items
    result = values[last]
    for index in reversed(front):
        result = choose(where == index, values[index], result)
    return result


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
            if not isinstance(new, Family):
                complain(f"put leaves {old.index} open", "name every index, or give a family")
            return choose(constant(True), new, old)  # checks the shape and the types
        return Operand(_same_kind("put", old, new), old.kind)

    if isinstance(first, Operand):
        items = {k: choose(first == k, replaced(old), old) for k, old in values.items.items()}
    else:
        values[first]  # complains where there is no such index
        items = {k: replaced(old) if k == first else old for k, old in values.items.items()}
    return Family(values.index, items)


def each(values: Family, new: Any) -> Family:
    """The family with `new` (a constant or an operand) everywhere."""
    if not isinstance(values, Family):
        complain("each needs a family", "give one value as it is")
    return Family(
        values.index,
        {
            k: each(v, new) if isinstance(v, Family) else choose(constant(True), new, v)
            for k, v in values.items.items()
        },
    )
