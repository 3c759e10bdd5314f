"""Expressions: what every engine reads.

A protocol's functions are called once, on symbolic operands (`operands.py`), and leave these terms
behind. A term is a constant, a variable of the state, a parameter (a mechanism that is on or off), or
one of nine operations. Nothing else exists, so an engine is a translation of twelve cases.

Two rules:
- A term is immutable, and equal terms are one object, so that a shared sub-term is seen to be shared.
- Values are integers. A boolean is 0 or 1 (`boolean` says so), an enumeration's member its position.

Each term knows the bounds of its value (`low`, `high`, inclusive). A comparison that the bounds decide is
folded away: a variable with one value costs no state, no guard and no action.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from weakref import WeakValueDictionary

UNBOUNDED = (
    1 << 62
)  # a `high` from here on is none: the value is any integer (no engine but Z3 takes that); so is a
# `low` from -UNBOUNDED down, and what is folded by its bounds has some
SHOWN = 8  # levels of a term that `repr` shows
OPERATIONS = ("not", "and", "or", "eq", "lt", "le", "add", "sub", "ite")

# `eq`, `lt`, `le` compare integers (`eq` booleans too); `ite` is (condition, then, else).
_terms: WeakValueDictionary[tuple[object, ...], Term] = WeakValueDictionary()
_bits: dict[str, int] = {}


class Term:
    """One node: `op` is an operation, "const", "var" or "param"; leaves keep their value or name in `leaf`."""

    __slots__ = ("__weakref__", "args", "boolean", "high", "leaf", "low", "op", "reads")

    op: str
    args: tuple[Term, ...]
    leaf: int | str
    boolean: bool
    low: int
    high: int
    reads: int  # a bit for the name of each variable and parameter in it, see `_bit`

    def __repr__(self) -> str:
        return _shown(self, SHOWN)


def _shown(term: Term, depth: int) -> str:
    """A term as text, `...` for what lies deeper than `depth`: what is shared would be written again and again."""
    if not term.args:
        return str(term.leaf)
    if depth == 0:
        return "..."
    return f"({term.op} {' '.join(_shown(a, depth - 1) for a in term.args)})"


def _make(op: str, args: tuple[Term, ...], leaf: int | str, boolean: bool, low: int, high: int) -> Term:
    key = (op, args, leaf, boolean, low, high)
    term = _terms.get(key)
    if term is None:
        term = Term()
        term.op, term.args, term.leaf, term.boolean, term.low, term.high = op, args, leaf, boolean, low, high
        term.reads = _bit(str(leaf)) if op in ("var", "param") else 0
        for part in args:
            term.reads |= part.reads
        _terms[key] = term
    return term


def _bit(name: str) -> int:
    """The bit that stands for a name in this process."""
    return _bits.setdefault(name, 1 << len(_bits))


def rebuilt(op: str, args: tuple[Term, ...], leaf: int | str, boolean: bool, low: int, high: int) -> Term:
    """The term with these parts, as another process had it."""
    return _make(op, args, leaf, boolean, low, high)


def constant(value: int, boolean: bool = False) -> Term:
    """A known value."""
    return _make("const", (), int(value), boolean, int(value), int(value))


TRUE, FALSE = constant(1, True), constant(0, True)


def variable(name: str, low: int, high: int, boolean: bool = False) -> Term:
    """A variable of the state; with one possible value it is that constant."""
    return constant(low, boolean) if low == high else _make("var", (), name, boolean, low, high)


def parameter(name: str, low: int, high: int, boolean: bool = False) -> Term:
    """A value fixed for a whole run and not yet chosen: a mechanism."""
    return _make("param", (), name, boolean, low, high)


def negation(a: Term) -> Term:
    """not a"""
    if a.op == "const":
        return FALSE if a.leaf else TRUE
    if a.op == "not":
        return a.args[0]
    return _make("not", (a,), "", True, 0, 1)


def _join(op: str, terms: Iterable[Term], unit: Term, zero: Term) -> Term:
    flat: dict[Term, None] = {}
    negated: set[Term] = set()
    for term in terms:
        for part in term.args if term.op == op else (term,):
            if part is zero or part in negated or (part.op == "not" and part.args[0] in flat):
                return zero
            if part is not unit:
                flat[part] = None
                if part.op == "not":
                    negated.add(part.args[0])
    if not flat:
        return unit
    return next(iter(flat)) if len(flat) == 1 else _make(op, tuple(flat), "", True, 0, 1)


def conjunction(*terms: Term) -> Term:
    """True where all are; without terms true."""
    return _join("and", terms, TRUE, FALSE)


def disjunction(*terms: Term) -> Term:
    """True where some is; without terms false."""
    return _join("or", terms, FALSE, TRUE)


def _below(a: Term, b: Term) -> bool:
    """Whether every value of `a` is less than every one of `b`, by their bounds."""
    return (a.high < b.low and a.high < UNBOUNDED and b.low > -UNBOUNDED) or (
        a.op == b.op == "const" and a.low < b.low
    )


def _not_above(a: Term, b: Term) -> bool:
    """Whether no value of `a` is greater than any of `b`, by their bounds."""
    return (a.high <= b.low and a.high < UNBOUNDED and b.low > -UNBOUNDED) or (
        a.op == b.op == "const" and a.low <= b.low
    )


def equal(a: Term, b: Term) -> Term:
    """a = b, of integers or of booleans"""
    if a is b:
        return TRUE
    if _below(a, b) or _below(b, a):
        return FALSE
    if a.op == b.op == "const":
        return TRUE  # same bounds, so the same value
    if a.op == "const":
        a, b = b, a
    if a.boolean and b.op == "const":
        return a if b.leaf else negation(a)
    if a.op == "ite" and b.op == "const" and (a.args[1].op == "const" or a.args[2].op == "const"):
        return _chain_equal(a, b)
    return _make("eq", (a, b), "", True, 0, 1)


def _chain_equal(a: Term, b: Term) -> Term:
    """a = b, where a is a choice with a constant on one side, as the other side may be again, a thousand times."""
    levels = list[
        tuple[Term, Term, bool]
    ]()  # the condition, what is decided at this level, whether that is `then`
    while a.op == "ite" and (a.args[1].op == "const" or a.args[2].op == "const"):
        if _below(a, b) or _below(b, a):
            break
        condition, yes, no = a.args
        known = yes.op == "const"
        levels.append((condition, equal(yes if known else no, b), known))
        a = no if known else yes
    found = equal(a, b)
    for condition, decided, known in reversed(levels):
        found = choose(condition, decided, found) if known else choose(condition, found, decided)
    return found


def less(a: Term, b: Term) -> Term:
    """a < b"""
    if _below(a, b):
        return TRUE
    if _not_above(b, a):
        return FALSE
    return _make("lt", (a, b), "", True, 0, 1)


def at_most(a: Term, b: Term) -> Term:
    """a <= b"""
    if _not_above(a, b):
        return TRUE
    if _below(b, a):
        return FALSE
    return _make("le", (a, b), "", True, 0, 1)


def _least(a: int, b: int) -> int:
    """The sum of two lower bounds; none if one of them is none."""
    return -UNBOUNDED if min(a, b) <= -UNBOUNDED else a + b


def _most(a: int, b: int) -> int:
    """The sum of two upper bounds; none if one of them is none."""
    return UNBOUNDED if max(a, b) >= UNBOUNDED else a + b


def add(a: Term, b: Term) -> Term:
    """a + b"""
    if a.op == b.op == "const":
        return constant(a.low + b.low)
    if b is constant(0):
        return a
    if a is constant(0):
        return b
    return _make("add", (a, b), "", False, _least(a.low, b.low), _most(a.high, b.high))


def subtract(a: Term, b: Term) -> Term:
    """a - b"""
    if a.op == b.op == "const":
        return constant(a.low - b.low)
    if b is constant(0):
        return a
    return _make("sub", (a, b), "", False, _least(a.low, -b.high), _most(a.high, -b.low))


def choose(condition: Term, yes: Term, no: Term) -> Term:
    """`yes` where the condition holds, else `no`; both of one type."""
    if condition is TRUE or yes is no:
        return yes
    if condition is FALSE:
        return no
    if condition.op == "not":
        return choose(condition.args[0], no, yes)
    if yes.boolean:
        return disjunction(conjunction(condition, yes), conjunction(negation(condition), no))
    return _make("ite", (condition, yes, no), "", False, min(yes.low, no.low), max(yes.high, no.high))


_BUILD: Mapping[str, Callable[..., Term]] = {
    "not": negation, "and": conjunction, "or": disjunction, "eq": equal, "lt": less, "le": at_most,
    "add": add, "sub": subtract, "ite": choose,
}  # fmt: skip


def substitute(term: Term, values: Mapping[str, Term], done: dict[Term, Term]) -> Term:
    """`term` with parameters and variables replaced by name, folded again. `done` is shared between calls."""
    if term in done:
        return done[term]
    todo, replaced = [term], 0
    for name in values:
        replaced |= _bits.get(name, 0)
    while todo:
        part = todo[-1]
        if part in done:
            todo.pop()
        elif not part.reads & replaced:
            done[part] = part
        elif missing := [a for a in part.args if a not in done]:
            todo += missing
        elif part.op in ("param", "var"):
            done[part] = values[str(part.leaf)]
        else:
            done[part] = _BUILD[part.op](*(done[a] for a in part.args))
    return done[term]


def evaluate(term: Term, state: Mapping[str, int], done: dict[Term, int]) -> int:
    """The value of `term`, by the definition: the plain interpreter that every translation is held against."""
    todo = [term]
    while todo:
        part = todo[-1]
        if part in done:
            todo.pop()
        elif missing := [a for a in part.args if a not in done]:
            todo += missing
        elif part.op in ("var", "param"):
            done[part] = int(state[str(part.leaf)])
        else:
            done[part] = _applied(part, [done[a] for a in part.args])
    return done[term]


def _applied(term: Term, a: Sequence[int]) -> int:
    match term.op:
        case "const":
            return int(term.leaf)
        case "not":
            return int(not a[0])
        case "and":
            return int(all(a))
        case "or":
            return int(any(a))
        case "eq":
            return int(a[0] == a[1])
        case "lt":
            return int(a[0] < a[1])
        case "le":
            return int(a[0] <= a[1])
        case "add":
            return a[0] + a[1]
        case "sub":
            return a[0] - a[1]
        case "ite":
            return a[1] if a[0] else a[2]
    raise ValueError(f"unknown operation {term.op!r}")


def ordered(roots: Iterable[Term]) -> list[Term]:
    """Every term below `roots`, each once, operands before what uses them: the order to translate in."""
    seen: dict[Term, None] = {}
    todo = list(roots)[::-1]
    while todo:
        term = todo[-1]
        if term in seen:
            todo.pop()
        elif missing := [a for a in term.args if a not in seen]:
            todo += reversed(missing)
        else:
            seen[todo.pop()] = None
    return list(seen)


def names(term: Term) -> list[str]:
    """The variables and parameters that `term` reads, in order of first use."""
    return [str(part.leaf) for part in ordered([term]) if part.op in ("var", "param")]
