"""From expressions to straight-line Python.

`compile_protocol` writes one function that lists the successors of a state and one that judges a state, as
text, and compiles them. The text is small enough to read (`Compiled.source`), and what it means is held
against the plain interpreter of `expressions.py` by the tests.

A state is a tuple of small integers. A transition gives (number of the transition, next state), in the
order of `Protocol.transitions`. An update whose bounds do not fit its domain is checked when it happens.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from cutproof.model import expressions as ex
from cutproof.model.expressions import Term
from cutproof.model.protocol import Field, Protocol, State, Transition

_SIGNS = {"and": " and ", "or": " or ", "eq": " == ", "lt": " < ", "le": " <= ", "add": " + ", "sub": " - "}


class DomainError(Exception):
    """An action gave a field a value outside its domain: a bound of the scope, or a guard that is missing."""


@dataclass(frozen=True)
class Compiled:
    """`successors(state)` -> [(transition, next state)]; `judge(state)` -> numbers of the claims that are false."""

    successors: Callable[[State], list[tuple[int, State]]]
    judge: Callable[[State], tuple[int, ...]]
    source: str


def outside(transition: str, field: str, value: int) -> None:
    raise DomainError(
        f"{transition} sets {field} to {value}, outside its domain; a guard is missing, or the scope is small"
    )


class _Writer:
    """Python text of terms; a term that was given a name is that name."""

    def __init__(self, fields: tuple[Field, ...]) -> None:
        self.slots = {f.name: f"v{i}" for i, f in enumerate(fields)}
        self.named: dict[Term, str] = {}

    def text(self, term: Term) -> str:
        if term in self.named:
            return self.named[term]
        if term.op == "const":
            return str(term.leaf)
        if term.op == "var":
            return self.slots[str(term.leaf)]
        if term.op == "param":
            raise ValueError(f"{term.leaf} has no value yet; resolve the protocol first")
        parts = [self.text(a) for a in term.args]
        if term.op == "not":
            inner = term.args[0]
            if inner.op == "eq" and inner not in self.named:
                return f"({self.text(inner.args[0])} != {self.text(inner.args[1])})"
            return f"(not {parts[0]})"
        if term.op == "ite":
            return f"({parts[1]} if {parts[0]} else {parts[2]})"
        return f"({_SIGNS[term.op].join(parts)})"

    def value(self, term: Term) -> str:
        """The text of a value to be stored: booleans become 0 or 1."""
        return (
            f"(1 if {self.text(term)} else 0)"
            if term.boolean and term.op not in ("const", "var")
            else self.text(term)
        )


def _conjuncts(term: Term) -> list[Term]:
    return list(term.args) if term.op == "and" else [] if term is ex.TRUE else [term]


def _weight(term: Term) -> int:
    """How much a term costs to evaluate, as a tree."""
    return 1 + sum(_weight(a) for a in term.args)


def _shared(writer: _Writer, roots: list[Term], indent: str, prefix: str) -> list[str]:
    """Names for the terms that occur more than once below `roots`, as assignments in order."""
    uses: Counter[Term] = Counter(roots)
    order = ex.ordered(roots)
    for term in order:
        uses.update(term.args)
    lines = []
    for term in order:
        if term.args and uses[term] > 1 and term not in writer.named:
            lines.append(f"{indent}{prefix}{len(lines)} = {writer.text(term)}")
            writer.named[term] = f"{prefix}{len(lines) - 1}"
    return lines


def _branches(protocol: Protocol) -> list[str]:
    """One block for each transition; blocks in a row that begin with the same tests share them."""
    lines: list[str] = []
    open_tests: list[Term] = []
    frequency = Counter(c for t in protocol.transitions for c in _conjuncts(t.enabled))
    for number, transition in enumerate(protocol.transitions):
        tests = sorted(_conjuncts(transition.enabled), key=lambda c: (-frequency[c], _weight(c)))
        depth = 0
        while depth < min(len(open_tests), len(tests)) and open_tests[depth] is tests[depth]:
            depth += 1
        writer = _Writer(protocol.fields)
        for test in tests[depth:]:
            lines.append(f"{'    ' * (1 + depth)}if {writer.text(test)}:")
            depth += 1
        open_tests = tests
        lines += _block(protocol, number, transition, writer, "    " * (1 + depth))
    return lines


def _block(
    protocol: Protocol, number: int, transition: Transition, writer: _Writer, indent: str
) -> list[str]:
    lines = _shared(writer, [v for _, v in transition.updates], indent, "t")
    after = dict(writer.slots)
    for i, (field, term) in enumerate(transition.updates):
        low, high = field.domain.low, field.domain.high
        text = writer.value(term)
        if not (low <= term.low and term.high <= high):
            lines.append(f"{indent}n{i} = {text}")
            lines.append(
                f"{indent}if not {low} <= n{i} <= {high}: outside({str(transition)!r}, {field.name!r}, n{i})"
            )
            text = f"n{i}"
        if field.name in after:
            after[field.name] = text
    if transition.updates and any(f.name in writer.slots for f, _ in transition.updates):
        lines.append(f"{indent}append(({number}, ({', '.join(after.values())},)))")
    else:
        lines.append(f"{indent}append(({number}, state))")
    return lines


def _judge(protocol: Protocol) -> list[str]:
    writer = _Writer(protocol.fields)
    watched = [(i, c) for i, c in enumerate(protocol.claims) if c.form == "always" and c.holds is not ex.TRUE]
    lines = _shared(writer, [c.holds for _, c in watched], "    ", "t")
    every = [f"({writer.text(c.holds)})" for _, c in watched]
    lines.append(f"    if {' and '.join(every) or 'True'}: return ()")
    wrong = " + ".join(f"(() if {text} else ({i},))" for (i, _), text in zip(watched, every, strict=True))
    return [*lines, f"    return {wrong or '()'}"]


def _unpack(protocol: Protocol) -> str:
    names = ", ".join(f"v{i}" for i in range(len(protocol.fields)))
    return f"    {names}, = state" if names else "    pass"


def compile_protocol(protocol: Protocol) -> Compiled:
    """The two functions of a resolved protocol. Raises ValueError if a mechanism has no value yet."""
    lines = ["def successors(state):", _unpack(protocol), "    found = []", "    append = found.append"]
    lines += [
        *_branches(protocol),
        "    return found",
        "",
        "def judge(state):",
        _unpack(protocol),
        *_judge(protocol),
    ]
    source = "\n".join(lines) + "\n"
    space: dict[str, object] = {"outside": outside}
    exec(compile(source, f"<protocol {protocol.name}>", "exec"), space)
    return Compiled(space["successors"], space["judge"], source)  # type: ignore[arg-type]


def compile_terms(protocol: Protocol, terms: list[Term]) -> Callable[[State], tuple[int, ...]]:
    """One function from a state to the values of `terms`, as integers."""
    writer = _Writer(protocol.fields)
    lines = ["def values(state):", _unpack(protocol), *_shared(writer, terms, "    ", "t")]
    lines.append(f"    return ({''.join(writer.value(t) + ', ' for t in terms)})")
    space: dict[str, object] = {}
    exec(compile("\n".join(lines), f"<terms of {protocol.name}>", "exec"), space)
    return space["values"]  # type: ignore[return-value]
