"""Operands: what stands for a value that is known only when the protocol runs.

See `actions.py` for the two rules. Whatever would decide something now raises `LanguageError`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from types import MappingProxyType
from typing import Any, NoReturn

from cutproof.model.language import expressions as ex
from cutproof.model.language.derived import arithmetic
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

    def __neg__(self) -> Operand:
        return Operand(ex.subtract(ex.constant(0), self._number(self, "-")), int)

    def _cases(self, sign: str, other: object, of: Callable[[Term, Term], Term], turned: bool) -> Operand:
        """What is no operation and is told by cases; `turned` where `other` stands on the left."""
        pair = (self._number(other, sign), self.term) if turned else (self.term, self._number(other, sign))
        try:
            return Operand(of(*pair), int)
        except ZeroDivisionError as error:
            complain(f"`{sign}`: {error}", "divide by a constant, or by a count that begins at 1")
        except arithmetic.TooManyCases as error:
            complain(f"`{sign}`: {error}", "give it a smaller domain")

    def __mul__(self, other: object) -> Operand:
        return self._cases("*", other, arithmetic.multiply, False)

    def __rmul__(self, other: object) -> Operand:
        return self._cases("*", other, arithmetic.multiply, True)

    def __floordiv__(self, other: object) -> Operand:
        return self._cases("//", other, arithmetic.divide, False)

    def __rfloordiv__(self, other: object) -> Operand:
        return self._cases("//", other, arithmetic.divide, True)

    def __mod__(self, other: object) -> Operand:
        return self._cases("%", other, arithmetic.modulo, False)

    def __rmod__(self, other: object) -> Operand:
        return self._cases("%", other, arithmetic.modulo, True)

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
        complain(
            "this Python operation is not in the language", "use & | ~ == != < <= > >= + - * // % and choose"
        )

    __iter__ = __len__ = __getitem__ = __call__ = _refuse
    __truediv__ = __pow__ = __abs__ = __rtruediv__ = __rpow__ = __pos__ = __round__ = __trunc__ = _refuse
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
    if isinstance(yes, Family) or isinstance(no, Family):
        yes, no = yes._pair(no) if isinstance(yes, Family) else reversed(no._pair(yes))
    if isinstance(yes, Family) and isinstance(no, Family):
        return yes._remade({k: choose(condition, yes._items[k], no[k]) for k in yes._items})
    if not isinstance(yes, Operand):
        yes = constant(yes)
    return Operand(ex.choose(condition.term, yes.term, _same_kind("choose", yes, no)), yes.kind)


class Family:
    """A value for each value of one index; look up by a Python value, or with `pick` by a state value.

    Composite values (`derived/shapes.py`) are families of their parts; what they do otherwise they override."""

    _index: str
    _items: Mapping[Any, Any]

    def __init__(self, index: str, items: Mapping[Any, Any]) -> None:
        self.__dict__.update(_index=index, _items=MappingProxyType(dict(items)))

    @property
    def index(self) -> str:
        """The name of the index."""
        return self._index

    @property
    def items(self) -> Mapping[Any, Any]:
        """The values by those of the index."""
        return self._items

    def _remade(self, items: Mapping[Any, Any]) -> Family:
        """The same kind of family with other values."""
        return Family(self._index, items)

    def _like(self, value: Any) -> Any:
        """A value that is to take the place of this one: composite values make themselves of Python's own."""
        return value

    def _pair(self, other: Any) -> tuple[Family, Any]:
        """This and another value, of one form."""
        return self, other

    def _each(self, new: Any) -> Family:
        """The family with `new` everywhere."""
        return self._remade(
            {
                k: v._each(new) if isinstance(v, Family) else choose(constant(True), new, v)
                for k, v in self._items.items()
            }
        )

    def _pick(self, where: Operand) -> Any:
        """The value at an index that is a state value."""
        *front, last = self._items
        result = self._items[last]
        for index in reversed(front):
            result = choose(where == index, self._items[index], result)
        return result

    def _put(self, where: Any, replaced: Callable[[Any], Any]) -> Family:
        """The family with the value at an index replaced by what is made of it."""
        if isinstance(where, Operand):
            return self._remade({k: choose(where == k, replaced(old), old) for k, old in self._items.items()})
        self[where]  # complains where there is no such index
        return self._remade({k: replaced(old) if k == where else old for k, old in self._items.items()})

    def __getitem__(self, where: object) -> Any:
        if isinstance(where, Operand):
            complain(f"{self._index} looked up by a state value", "write pick(family, value)")
        for key, value in self._items.items():
            if where is key or (type(where) is type(key) and where == key):  # 1, 1.0 and True are not one
                return value
        complain(f"no {self._index} {where!r}", f"there are {', '.join(map(str, self._items))}")

    def __iter__(self) -> Iterator[Any]:
        return iter(self._items.values())

    def __len__(self) -> int:
        return len(self._items)

    def __setitem__(self, where: object, _: object) -> NoReturn:
        complain(f"an assignment to {self._index} {where!r}", "write .then(family=put(family, index, new))")

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
