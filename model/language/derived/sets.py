"""Sets and bags: which of a domain's values are there, or how often each is.

    variables={"up": subset("node"), "net": bag(of=record(kind=Kind, to="node"), most=2)}
    ...
    contains(s.up, node), add(s.up, node), remove(s.up, s.leader), size(s.up), is_empty(s.up)
    s.up | s.down, s.up & s.down, s.up - s.down, s.up <= s.known, s.up == {0, 1}

A set is a boolean for each member that there could be (`up[0]`), a bag a count. A member is a Python value, a state
value, or of records a dictionary that may hold either.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cutproof.model.language import expressions as ex
from cutproof.model.language.derived import arithmetic
from cutproof.model.language.derived.records import RecordShape, Row
from cutproof.model.language.derived.shapes import (
    Composite,
    Element,
    IndexDomain,
    Indices,
    Plain,
    Shape,
    as_it_is,
    element,
    same,
)
from cutproof.model.language.domains import Domain, boolean, complain, count
from cutproof.model.language.expressions import Term
from cutproof.model.language.operands import Operand

MOST_MEMBERS = 1024  # of one set or bag: each is a variable


class CollectionShape(Shape):
    """The domain of a set or a bag. `domain` is that of a member that the state holds; None where it cannot."""

    def __init__(self, of: Any, members: Sequence[Any] = (), domain: Any = None) -> None:
        self.element, self.members, self.domain = of, tuple(members), domain
        if isinstance(of, IndexDomain):
            self.index = of.name

    def bound(self, indices: Indices) -> CollectionShape:
        of = self.element
        if isinstance(of, IndexDomain):
            return self._with(of, of.values(indices), of.domain_if_any(indices))
        if isinstance(of, Domain):
            many = of.high - of.low + 1
            members = tuple(of.decode(c) for c in range(of.low, of.high + 1)) if many <= MOST_MEMBERS else ()
            domain: Any = of
        elif isinstance(of, RecordShape):
            domain, many = of.bound(indices), 1
            for part in domain.fields.values():
                many *= part.high - part.low + 1 if isinstance(part, Domain) else 1
            members = tuple(domain.rows()) if many <= MOST_MEMBERS else ()
        else:
            complain(f"a {self.word} of {of}", "its members may be plain values, or records of such")
        if many > MOST_MEMBERS:
            complain(f"a {self.word} of {many:,} possible members", f"at most {MOST_MEMBERS:,} are taken")
        return self._with(of, members, domain)

    def _with(self, of: Any, members: Sequence[Any], domain: Any) -> CollectionShape:
        return type(self)(of, members, domain)

    def key(self, member: Any, plain: Plain) -> Any:
        """The member that a Python value is, as `plain` writes it. ValueError if it is none."""
        for known in self.members:
            is_row = isinstance(known, Row) and known_row(plain(known), member)
            if is_row or (type(plain(known)) is type(member) and plain(known) == member):
                return known
        raise ValueError(f"{member!r} is no member of {self}")

    def __str__(self) -> str:
        return f"{self.word} of {self.element}"


def known_row(row: Any, member: Any) -> bool:
    """Whether a dictionary is this row: equal, and of the same types."""
    return (
        isinstance(member, Mapping)
        and dict(member) == row
        and all(type(member[k]) is type(row[k]) for k in row)
    )


class SetShape(CollectionShape):
    """The domain of a set."""

    word = "set"

    def parts(self) -> Mapping[Any, Element]:
        return {member: boolean() for member in self.members}

    def holding(self, items: Mapping[Any, Any]) -> Subset:
        return Subset(self, items)

    def of(self, value: Any) -> Composite:
        if (found := self.accept(value)) is not None:
            return found
        if not isinstance(value, set | frozenset | list | tuple):
            complain(f"{value!r} in place of a {self}", "give a Python set or a list of members")
        result = Subset(self, {member: Operand(ex.FALSE, bool) for member in self.members})
        for member in value:
            result = result._added("a set", member)
        return result

    def decode(self, parts: Mapping[Any, Any]) -> frozenset[Any]:
        return frozenset(member for member in self.members if parts[member])

    def unfold(self, value: Any, plain: Plain = as_it_is) -> dict[Any, Any]:
        if not isinstance(value, set | frozenset | list | tuple):
            raise ValueError(f"{value!r} is no set")
        found = [self.key(member, plain) for member in value]
        return {written(member, plain): member in found for member in self.members}


class BagShape(CollectionShape):
    """The domain of a bag: at most `most` copies of each member."""

    word = "bag"

    def __init__(self, of: Any, members: Sequence[Any] = (), domain: Any = None, most: int = 1) -> None:
        super().__init__(of, members, domain)
        self.most = most

    def _with(self, of: Any, members: Sequence[Any], domain: Any) -> CollectionShape:
        return BagShape(of, members, domain, self.most)

    def parts(self) -> Mapping[Any, Element]:
        return {member: count(0, self.most) for member in self.members}

    def holding(self, items: Mapping[Any, Any]) -> Bag:
        return Bag(self, items)

    def of(self, value: Any) -> Composite:
        if (found := self.accept(value)) is not None:
            return found
        if not isinstance(value, list | tuple):
            complain(
                f"{value!r} in place of a {self}", "give a list of members, each as often as it is there"
            )
        result = Bag(self, {member: Operand(ex.constant(0), int) for member in self.members})
        for member in value:
            result = result._added("a bag", member)
        return result

    def decode(self, parts: Mapping[Any, Any]) -> list[Any]:
        return [member for member in self.members for _ in range(parts[member])]

    def unfold(self, value: Any, plain: Plain = as_it_is) -> dict[Any, Any]:
        if not isinstance(value, list | tuple):
            raise ValueError(f"{value!r} is no list of members")
        found = [self.key(member, plain) for member in value]
        return {written(member, plain): found.count(member) for member in self.members}


def written(member: Any, plain: Plain) -> Any:
    """The key of a member: a row is its own."""
    return member if isinstance(member, Row) else plain(member)


class Collection(Composite):
    """What sets and bags have in common: conditions on a member."""

    _shape: CollectionShape

    def _is(self, word: str, value: Any, strict: bool) -> list[tuple[Any, Term]]:
        """For each member, that it is the value. `strict`: the value may be nothing else."""
        shape = self._shape
        if isinstance(shape.domain, RecordShape):
            row = shape.domain.of(value)
            if strict:
                for name, part in row._items.items():
                    _refuse_others(word, part.term, shape.domain.fields[name], f" in {name!r}")
            return [(m, same(row, m)) for m in shape.members]
        if isinstance(value, Operand):
            if shape.domain is None or value.kind is not shape.domain.kind:
                complain(f"{word} with a {value.kind.__name__}, of a {shape}", "give a member")
            if strict:
                _refuse_others(word, value.term, shape.domain, "")
            return [(m, (value == m).term) for m in shape.members]
        try:
            known = shape.key(value, as_it_is)
        except ValueError as error:
            complain(f"{word}: {error}", f"there are {', '.join(_label(m) for m in shape.members) or 'none'}")
        return [(m, ex.TRUE if m is known else ex.FALSE) for m in shape.members]

    def _put(self, where: Any, replaced: Any) -> Composite:
        complain(f"put into a {self._shape.word}", "write add(set, member) or remove(set, member)")


def _label(member: Any) -> str:
    return str(getattr(member, "name", member))


def _refuse_others(word: str, term: Term, domain: Any, where: str) -> None:
    if term.low < domain.low or term.high > domain.high:
        complain(
            f"{word}: the value{where} is of {term.low}..{term.high}, the members of {domain}",
            "give the set a larger domain, or take the value `% n`",
        )


class Subset(Collection):
    """A set in the state. `|`, `&`, `-`, `<=`, `<`, `==` are those of Python's sets."""

    def _added(self, word: str, value: Any) -> Subset:
        there = dict(self._is(word, value, strict=True))
        return self._each_of(lambda m, old: ex.disjunction(old, there[m]))

    def _removed(self, value: Any) -> Subset:
        there = dict(self._is("remove", value, strict=False))
        return self._each_of(lambda m, old: ex.conjunction(old, ex.negation(there[m])))

    def _contains(self, value: Any) -> Term:
        there = self._is("contains", value, strict=False)
        return ex.disjunction(*(ex.conjunction(is_it, self._items[m].term) for m, is_it in there))

    def _size(self) -> Term:
        one, none = ex.constant(1), ex.constant(0)
        return arithmetic.total([ex.choose(there.term, one, none) for there in self._items.values()])

    def _is_empty(self) -> Term:
        return ex.negation(ex.disjunction(*(there.term for there in self._items.values())))

    def _each_of(self, new: Callable[[Any, Term], Term]) -> Subset:
        return Subset(self._shape, {m: Operand(new(m, old.term), bool) for m, old in self._items.items()})

    def _joined(self, other: Any, new: Callable[[Term, Term], Term]) -> Subset:
        there = self._like(other)._items
        return self._each_of(lambda m, old: new(old, there[m].term))

    def __or__(self, other: Any) -> Subset:
        return self._joined(other, ex.disjunction)

    def __and__(self, other: Any) -> Subset:
        return self._joined(other, ex.conjunction)

    def __sub__(self, other: Any) -> Subset:
        return self._joined(other, lambda a, b: ex.conjunction(a, ex.negation(b)))

    def __rsub__(self, other: Any) -> Subset:
        return self._like(other) - self

    __ror__, __rand__ = __or__, __and__

    def __le__(self, other: Any) -> Operand:
        there = self._like(other)._items
        parts = (ex.disjunction(ex.negation(a.term), there[m].term) for m, a in self._items.items())
        return Operand(ex.conjunction(*parts), bool)

    def __lt__(self, other: Any) -> Operand:
        return (self <= other) & (self != other)

    def __ge__(self, other: Any) -> Operand:
        return self._like(other) <= self

    def __gt__(self, other: Any) -> Operand:
        return self._like(other) < self


class Bag(Collection):
    """A bag in the state: a member may be there several times."""

    _shape: BagShape

    def _added(self, word: str, value: Any) -> Bag:
        return self._changed(word, value, ex.add)

    def _removed(self, value: Any) -> Bag:
        return self._changed("remove", value, ex.subtract)

    def _changed(self, word: str, value: Any, new: Callable[[Term, Term], Term]) -> Bag:
        one, none = ex.constant(1), ex.constant(0)
        there = dict(self._is(word, value, strict=True))
        terms = {m: new(old.term, ex.choose(there[m], one, none)) for m, old in self._items.items()}
        return Bag(self._shape, {m: Operand(term, int) for m, term in terms.items()})

    def _copies(self, word: str, value: Any) -> Term:
        there, none = self._is(word, value, strict=False), ex.constant(0)
        return arithmetic.total([ex.choose(is_it, self._items[m].term, none) for m, is_it in there])

    def _contains(self, value: Any) -> Term:
        there = self._is("contains", value, strict=False)
        counts = ((is_it, ex.less(ex.constant(0), self._items[m].term)) for m, is_it in there)
        return ex.disjunction(*(ex.conjunction(*pair) for pair in counts))

    def _has_room(self, value: Any) -> Term:
        there, most = self._is("has_room", value, strict=False), ex.constant(self._shape.most)
        counts = ((is_it, ex.less(self._items[m].term, most)) for m, is_it in there)
        return ex.disjunction(*(ex.conjunction(*pair) for pair in counts))

    def _size(self) -> Term:
        return arithmetic.total([there.term for there in self._items.values()])

    def _is_empty(self) -> Term:
        return ex.conjunction(*(ex.equal(there.term, ex.constant(0)) for there in self._items.values()))


def subset(index: str | None = None, *, of: Any = None) -> SetShape:
    """A domain of sets: of values of an index (`subset("node")`), or `of` an Enum, a domain, or a record of such."""
    return SetShape(_members("subset", index, of))


def bag(index: str | None = None, *, of: Any = None, most: int = 1) -> BagShape:
    """A domain of bags: as `subset`, with up to `most` copies of each member."""
    if type(most) is not int or most < 1:
        complain(f"bag(most={most!r})", "give it a whole number of copies, at least 1")
    return BagShape(_members("bag", index, of), most=most)


def _members(word: str, index: Any, of: Any) -> Any:
    if (index is None) == (of is None):
        complain(
            f"{word} got {'nothing' if of is None else 'both'}", f'write {word}("node") or {word}(of=Kind)'
        )
    if index is not None and not isinstance(index, str):
        complain(f"{word} got {index!r} as the name of an index", f"write {word}(of=...)")
    return element(of if index is None else index, word)
