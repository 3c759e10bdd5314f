"""Expressions in Z3: the twelve cases, and what a protocol is in them.

    symbols = Symbols(protocol)                      # integers; or Symbols(protocol, bits=True)
    solver.add(symbols.of(claim.holds))              # in the state itself: a variable is called by its field's name
    solver.add(symbols.of(claim.holds, step=3))      # in the fourth state of a run: `phase@3`

Variables have the domains of their fields (`within`); mechanisms that were not chosen are variables without a step.
What a transition does to a condition is the model's own substitution (`before`), so there is no second text of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import Any

import z3

from cutproof.checks.engines.proof.asking import ask, look
from cutproof.model.language import expressions as ex
from cutproof.model.language.expressions import Term
from cutproof.model.language.protocol import Protocol, State, Transition

LONGEST = 2**32 - 1  # milliseconds of a time-out; Z3 counts them in 32 bits, and takes these for none at all


def milliseconds(seconds: float) -> int:
    """A time-out as Z3 takes it: what is longer than it can count is no time-out, and never a short one."""
    return LONGEST if seconds * 1000 >= LONGEST else max(1, int(seconds * 1000))


def _joined(make: Callable[..., Any]) -> Callable[..., Any]:
    """A junction of conditions. `z3.And` would look at the sort of each again, which takes longer than Z3 itself."""

    def join(*parts: Any) -> Any:
        context = parts[0].ctx
        return z3.BoolRef(
            make(context.ref(), len(parts), (z3.Ast * len(parts))(*(p.ast for p in parts))), context
        )

    return join


_OPERATIONS: Mapping[str, Callable[..., Any]] = {
    "not": z3.Not,
    "and": _joined(z3.Z3_mk_and),
    "or": _joined(z3.Z3_mk_or),
    "eq": lambda a, b: a == b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "ite": z3.If,
}


class Symbols:
    """The terms of one protocol in Z3: Bool for booleans, and for integers Int, or with `bits` signed bit-vectors.

    Bit-vectors are as wide as the widest value that any term may take (`Term.low`, `Term.high`), so that no sum wraps;
    a protocol with an unbounded variable has no such width, and raises ValueError with `bits`."""

    def __init__(self, protocol: Protocol, bits: bool = False, extra: Iterable[Term] = ()) -> None:
        self.protocol, self.width = protocol, 0
        roots = [g for t in protocol.transitions for _, g in t.guards]
        roots += [v for t in protocol.transitions for _, v in t.updates] + [
            v for c in protocol.claims for v in c.terms()
        ]
        parts = ex.ordered([*roots, *extra])
        if bits:
            spread = [(t.low, t.high) for t in parts] + [
                (f.domain.low, f.domain.high) for f in protocol.fields
            ]
            if any(high >= ex.UNBOUNDED for _, high in spread):
                raise ValueError("an unbounded variable does not fit into bits: use integers")
            self.width = 1 + max(max(-low - 1, high).bit_length() for low, high in spread)
        self.parameters = {str(t.leaf): t for t in parts if t.op == "param"}
        self._variables = {
            f.name: ex.variable(f.name, f.domain.low, f.domain.high, f.domain.kind is bool)
            for f in protocol.fields
        }
        self._made: dict[tuple[Term, int | None], Any] = {}

    def of(self, term: Term, step: int | None = None) -> Any:
        """The term, in the state itself or in the state at a step of a run."""
        if (term, step) not in self._made:
            for part in ex.ordered([term]):
                if (part, step) not in self._made:
                    self._made[part, step] = self._translated(part, step)
        return self._made[term, step]

    def _translated(self, term: Term, step: int | None) -> Any:
        match term.op:
            case "const":
                return z3.BoolVal(bool(term.leaf)) if term.boolean else self.number(int(term.leaf))
            case "var":
                return self._leaf(str(term.leaf) + ("" if step is None else f"@{step}"), term.boolean)
            case "param":
                return self._leaf(str(term.leaf), term.boolean)
        return _OPERATIONS[term.op](*(self._made[arg, step] for arg in term.args))

    def _leaf(self, name: str, boolean: bool) -> Any:
        if boolean:
            return z3.Bool(name)
        return z3.BitVec(name, self.width) if self.width else z3.Int(name)

    def number(self, value: int) -> Any:
        """A known integer."""
        return z3.BitVecVal(value, self.width) if self.width else z3.IntVal(value)

    def variable(self, name: str, step: int | None = None) -> Any:
        """A field by its name."""
        return self.of(self.field(name), step)

    def within(self, step: int | None = None) -> list[Any]:
        """Every field, and where `step` is none or 0 every mechanism, is in its domain."""
        terms = list(self._variables.values()) + (list(self.parameters.values()) if not step else [])
        found = []
        for term in terms:
            if not term.boolean:
                found.append(self.of(term, step) >= self.number(term.low))
                if term.high < ex.UNBOUNDED:
                    found.append(self.of(term, step) <= self.number(term.high))
        return found

    def is_state(self, state: State, step: int | None = None) -> list[Any]:
        """The state is this one."""
        return [
            self._has(f.name, f.domain.kind is bool, v, step)
            for f, v in zip(self.protocol.fields, state, strict=True)
        ]

    def is_initial(self, step: int | None = None) -> list[Any]:
        """The state is one in which a run may begin."""
        open_cells = {cell.name for choice in self.protocol.initial_choices for cell in choice.cells}
        found = [
            self._has(f.name, f.domain.kind is bool, self.protocol.start[f.name], step)
            for f in self.protocol.fields
            if f.name not in open_cells
        ]
        for choice in self.protocol.initial_choices:
            ways = []
            for codes in choice.options:
                cells = zip(choice.cells, codes, strict=True)
                ways.append([self._has(c.name, c.domain.kind is bool, code, step) for c, code in cells])
            found.append(z3.Or(*(z3.And(*way) for way in ways)))
        return found

    def _has(self, name: str, boolean: bool, code: int, step: int | None) -> Any:
        return self.variable(name, step) == (z3.BoolVal(bool(code)) if boolean else self.number(code))

    def codes_of(self, record: Any) -> dict[str, int]:
        """The values of a record of mechanisms as codes, by the names of the parameters."""
        found = {}
        for name in self.parameters:
            value = getattr(record, name.partition(".")[2])
            found[name] = list(type(value)).index(value) if isinstance(value, Enum) else int(value)
        return found

    def is_one_of(self, records: Iterable[Any]) -> Any:
        """The mechanisms are those of one of these records."""
        ways = []
        for record in records:
            look()
            codes = self.codes_of(record)
            ways.append(z3.And(*(self.is_value(term, codes[name]) for name, term in self.parameters.items())))
        return z3.Or(*ways)

    def field(self, name: str) -> Term:
        """The term of a field."""
        return self._variables[name]

    def is_value(self, term: Term, code: int) -> Any:
        """A variable or parameter has this value."""
        return self.of(term) == (z3.BoolVal(bool(code)) if term.boolean else self.number(code))

    def state_in(self, model: Any, step: int | None = None) -> State:
        """The state in a model of Z3; a field that the model leaves open has its first value."""
        return tuple(self.value_in(model, self._variables[f.name], step) for f in self.protocol.fields)

    def value_in(self, model: Any, term: Term, step: int | None = None) -> int:
        """The value of a term in a model of Z3."""
        value = model.eval(self.of(term, step), model_completion=False)
        if z3.is_true(value) or z3.is_false(value):
            return int(z3.is_true(value))
        if z3.is_int_value(value):
            return int(value.as_long())
        if z3.is_bv_value(value):
            return int(value.as_signed_long())
        return term.low


def before(condition: Term, transition: Transition, done: dict[Term, Term] | None = None) -> Term:
    """What must hold before a transition so that the condition holds after it (Dijkstra's weakest precondition, where
    the transition is enabled). `done` may be shared between the conditions of one transition."""
    values = {cell.name: value for cell, value in transition.updates}
    return ex.substitute(condition, values, {} if done is None else done)


def nearest(symbols: Symbols, solver: Any, model: Any) -> Any:
    """Of what satisfies the solver, as `model` does, that in which one variable after the other is at its first value
    if it can be, and else has the least that it can have: the same whatever Z3 was asked before, and short to read.
    The values are added to the solver. Where Z3 gives no answer in time, it is not quite the nearest."""
    firsts = [(term, term.low) for term in symbols.parameters.values()]
    start = symbols.protocol.start
    firsts += [(symbols.field(f.name), start[f.name]) for f in symbols.protocol.fields]
    for term, first in firsts:
        value, low = symbols.value_in(model, term), term.low
        if value != first and (found := _other(solver, symbols.is_value(term, first))):
            model, value = found, first
        while value != first and low < value:
            middle = (low + value) // 2
            if term.boolean or not (found := _other(solver, symbols.of(term) <= symbols.number(middle))):
                low = middle + 1
            else:
                model, value = found, symbols.value_in(found, term)
        solver.add(symbols.is_value(term, value))
    return model


def _other(solver: Any, condition: Any) -> Any:
    """A model of the solver with the condition too, or None."""
    solver.push()
    solver.add(condition)
    found = solver.model() if ask(solver) == z3.sat else None
    solver.pop()
    return found
