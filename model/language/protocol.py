"""A protocol: variables, initial states, actions and properties, unfolded into expressions.

    Protocol(
        name="two_phase_commit",
        indices={"rm": range(3)},
        variables={"rm": family("rm", of=enumeration(RM)), "tm": enumeration(TM)},
        actions=[prepare, commit, abort],
        properties=[consistent],
    )

Making one calls every function for every tuple of its arguments. What is left is data: *fields* (one
for each variable and index), *transitions* (one for each action and arguments) and *claims* (one for
each property and kind of harm). Every engine reads these and nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from functools import cached_property
from typing import Any

from cutproof.model.language import expressions as ex
from cutproof.model.language.actions import Action
from cutproof.model.language.complaints import checked, complain, near
from cutproof.model.language.derived.shapes import Shape
from cutproof.model.language.domains import Domain, FamilyDomain, boolean, enumeration
from cutproof.model.language.expressions import Term
from cutproof.model.language.making import wellformed
from cutproof.model.language.making.initial_states import InitialChoice, choices_of, states_of
from cutproof.model.language.making.unfolding import claims_of, measured, transitions_of
from cutproof.model.language.operands import Family, Operand
from cutproof.model.language.parts import Case, Claim, Field, Parameters, State, Transition, View, label, spec
from cutproof.model.language.picture import Picture, default_picture
from cutproof.model.language.properties import Property
from cutproof.model.language.words import Words

__all__ = ["Case", "Claim", "Field", "Parameters", "Protocol", "State", "Transition", "View", "label"]


class Protocol:
    """See the module's text. Raises LanguageError where the protocol says what cannot be meant.

    `initial` has the values that are not the first of their domains (`making/initial_states.py`). Properties made by
    `@invariant` go to `invariants`. These and `measure` are for proofs, and change nothing else: what is true of every
    reachable state and kept by every action; and a whole number, never below zero, that some owed step lowers wherever
    what *can always* happen does not hold (`lambda s: ...`). `words` are how stories tell it (`words.py`), `picture` is
    how it is drawn (`picture.py`)."""

    initial_choices: tuple[InitialChoice, ...] = ()  # cells that begin in more than one way

    @checked("Protocol(name=..., variables={...}, actions=[...], properties=[...])")
    def __init__(
        self,
        name: str,
        variables: Mapping[str, Domain | FamilyDomain | Shape],
        actions: Sequence[Action],
        properties: Sequence[Property],
        indices: Mapping[str, Sequence[Any]] | None = None,
        initial: Any = None,
        mechanisms: type | None = None,
        scope: Any = None,
        invariants: Sequence[Property] = (),
        measure: Callable[[Any], Operand] | None = None,
        words: Words | None = None,
        picture: Picture | None = None,
    ) -> None:
        self.name, self.scope, self.mechanisms = wellformed.name_of(name), scope, None
        self._values: Mapping[str, Term] = {}
        self.actions, listed = wellformed.actions_of(actions), wellformed.properties_of(properties)
        proving = wellformed.properties_of(invariants, "invariants")
        wellformed.distinct([*listed, *proving])
        self.properties = tuple(p for p in listed if p.form != "invariant")
        self.invariants = (*(p for p in listed if p.form == "invariant"), *proving)
        self.measure = wellformed.measure_of(measure)
        self.indices = wellformed.indices_of(indices)
        self.variables = wellformed.variables_of(variables)
        self.cells = tuple[Field, ...]()  # every field, those with one value too
        self.shapes: dict[tuple[Any, ...], Shape] = {}  # of composite values that are no part of one
        values = {name: self._operands(name, domain) for name, domain in self.variables.items()}
        wellformed.distinct_cells(cell.name for cell in self.cells)
        self.cells_of: dict[str, list[Field]] = {name: [] for name in self.variables}
        for cell in self.cells:
            self.cells_of[cell.variable].append(cell)
        record = wellformed.mechanisms_of(mechanisms)
        self.view = View(values, Parameters(record) if record else None, scope)
        self.fields: tuple[Field, ...] = tuple(f for f in self.cells if f.domain.low < f.domain.high)
        begin = choices_of(initial or {}, values, self.cells)
        codes = {
            c.name: code for choice in begin for c, code in zip(choice.cells, choice.options[0], strict=True)
        }
        self.start: dict[str, int] = {cell.name: codes[cell.name] for cell in self.cells}
        self.initial_choices = tuple(c for c in begin if len(c.options) > 1)
        self.transitions = tuple(t for a in self.actions for t in transitions_of(self, a))
        self.claims = tuple(c for p in self.properties for c in claims_of(self, p))
        for p in listed:
            if p.form == "invariant":
                claims_of(self, p)  # it complains now, and not when a proof asks for it
        measured(self)
        self.words = words or Words()
        self.words.check(self)
        self.picture = picture or default_picture(self)
        self.picture.check(self)

    # -------------------------------------------------- making

    def _operands(self, name: str, domain: Any, where: tuple[Any, ...] = ()) -> Any:
        if isinstance(domain, FamilyDomain):
            depth = len(where)
            if depth < len(domain.indices):
                index = domain.indices[depth]
                if index not in self.indices:
                    complain(f"{name} is indexed by {index!r}", near(index, list(self.indices)))
                items = {v: self._operands(name, domain, (*where, v)) for v in self.indices[index]}
                return Family(index, items)
            domain = domain.at(where)
        if isinstance(domain, Shape):
            shape = domain.bound(self.indices)
            if not any((name, *where[:depth]) in self.shapes for depth in range(len(where))):
                self.shapes[name, *where] = shape
            parts = shape.parts().items()
            return shape.holding({key: self._operands(name, part, (*where, key)) for key, part in parts})
        cell = Field(name + (f"[{','.join(map(label, where))}]" if where else ""), name, where, domain)
        self.cells += (cell,)
        return Operand(ex.variable(*spec(cell)), domain.kind)

    # -------------------------------------------------- variants

    def _copy(self) -> Protocol:
        other = object.__new__(Protocol)
        other.__dict__.update(self.__dict__)
        return other

    def judged_by(self, properties: Sequence[Property]) -> Protocol:
        """The protocol with other properties in place of its own."""
        other = self._copy()
        other.properties = tuple(properties)
        other.claims = tuple(c for p in other.properties for c in claims_of(other, p))
        return other

    def resolve(self, mechanisms: Any) -> Protocol:
        """The protocol with its mechanisms chosen: folded, and without the transitions that cannot fire."""
        values = {name: _known(getattr(mechanisms, name)) for name in _names(mechanisms)}
        return self._with({f"mechanisms.{name}": value for name, value in values.items()}, mechanisms)

    def resolve_all(self, records: Sequence[Any]) -> tuple[Protocol, list[State]]:
        """The protocol for many choices of its mechanisms at once, and the initial states for each: a mechanism on
        which they differ is a field, `mechanisms.delta`, that no transition changes."""
        other, values = self._copy(), dict[str, Term]()
        for name in _names(records[0]):
            chosen = [getattr(record, name) for record in records]
            values[f"mechanisms.{name}"] = _known(chosen[0])
            if any(value is not chosen[0] for value in chosen):
                domain = boolean() if isinstance(chosen[0], bool) else enumeration(type(chosen[0]))
                cell = Field(f"mechanisms.{name}", f"mechanisms.{name}", (), domain)
                values[cell.name] = ex.variable(*spec(cell))
                other.cells, other.fields = (*other.cells, cell), (*other.fields, cell)
                other.start = {**other.start, cell.name: domain.encode(chosen[0])}
        added = other.fields[len(self.fields) :]
        of = [tuple(f.domain.encode(getattr(r, f.name.partition(".")[2])) for f in added) for r in records]
        other.initials = tuple(state + of[0] for state in self.initials)
        return other._with(values, tuple(records)), [s + codes for codes in of for s in self.initials]

    def _with(self, values: Mapping[str, Term], mechanisms: Any) -> Protocol:
        done: dict[Term, Term] = {}

        def folded(term: Term) -> Term:
            return ex.substitute(term, values, done)

        other = self._copy()
        other.mechanisms, other._values = mechanisms, values
        other.transitions = tuple(
            replace(
                t,
                guards=tuple((n, g) for n, g in ((n, folded(g)) for n, g in t.guards) if g is not ex.TRUE),
                updates=tuple((c, folded(v)) for c, v in t.updates if folded(v) is not ex.variable(*spec(c))),
            )
            for t in self.transitions
            if folded(t.enabled) is not ex.FALSE
        )
        other.claims = tuple(_folded(c, folded) for c in self.claims)
        return other

    def known(self, operand: Operand) -> Term:
        """The term of an expression over `view`, with the mechanisms that were chosen put in."""
        return ex.substitute(operand.term, self._values, {})

    def without_guard(self, action: str, name: str) -> Protocol:
        """The protocol with one named guard dropped; ValueError if the action has no such guard."""
        if not any(t.action == action and name in dict(t.guards) for t in self.transitions):
            raise ValueError(f"{action} has no guard {name!r}")
        other = self._copy()
        other.transitions = tuple(
            replace(t, guards=tuple(g for g in t.guards if g[0] != name)) if t.action == action else t
            for t in self.transitions
        )
        return other

    # -------------------------------------------------- states

    @property
    def initial(self) -> State:
        """The first initial state: the one in which every run begins, where there is no other."""
        return tuple(self.start[f.name] for f in self.fields)

    @cached_property
    def initials(self) -> tuple[State, ...]:
        """Every state in which a run may begin: the choices of initial values in the order of the fields, each in the
        order in which it was written; that of the last field changes fastest."""
        only = [InitialChoice((c,), ((self.start[c.name],),)) for c in self.fields]
        return states_of([*only, *self.initial_choices], self.fields)

    def named(self, state: State) -> dict[str, int]:
        """A state as field -> integer, fields with one value included."""
        return {**self.start, **{f.name: v for f, v in zip(self.fields, state, strict=True)}}

    def decode(self, state: State) -> dict[str, Any]:
        """A state as variable -> Python value; families as nested dictionaries by index."""
        codes, result = self.named(state), dict[str, Any]()
        for cell in self.cells:
            value, inside, key = cell.domain.decode(codes[cell.name]), result, cell.variable
            for index in cell.where:
                inside, key = inside.setdefault(key, {}), index
            inside[key] = value
        for path, shape in self.shapes.items():
            inside = result
            for key in path[:-1]:
                inside = inside[key]
            inside[path[-1]] = shape.decode(inside[path[-1]])
        return result

    def unfold(
        self, values: Mapping[str, Any], plain: Callable[[Any], Any] = lambda value: value
    ) -> dict[str, Any]:
        """Such values with composite ones as dictionaries of their parts, nested; what is no composite value stays as
        it is. `plain` is how leaves are written. Raises ValueError where a composite value has another form."""
        result = dict(values)
        for path, shape in self.shapes.items():
            inside: dict[Any, Any] = result
            if path[0] not in result:
                continue  # what has one value is left out of traces
            *outer, last = map(plain, path)
            for key in outer:
                inside[key] = dict(inside[key])
                inside = inside[key]
            try:
                inside[last] = shape.unfold(inside[last], plain)
            except ValueError as error:
                raise ValueError(f"{path[0]}: {error}") from None
        return result

    @property
    def varying(self) -> tuple[str, ...]:
        """The variables that have more than one value somewhere, in order: what a trace shows."""
        return tuple(dict.fromkeys(f.variable for f in self.fields))

    def encode(self, values: Mapping[str, Any]) -> State:
        """The state of such values. Raises ValueError naming the field that is missing or outside its domain."""
        if self.shapes:
            try:
                values = self.unfold(values)
            except (KeyError, IndexError, TypeError):
                raise ValueError("a variable is missing") from None
        codes: list[int] = []
        for cell in self.cells:
            try:
                value = values[cell.variable]
                for key in cell.where:
                    value = value[key]
                code = cell.domain.encode(value)
            except (KeyError, IndexError, TypeError):
                raise ValueError(f"{cell.name} is missing") from None
            except ValueError as error:
                raise ValueError(f"{cell.name}: {error}") from None
            if cell.domain.low < cell.domain.high:
                codes.append(code)
        return tuple(codes)

    # -------------------------------------------------- text

    def text(self) -> str:
        """The whole specification as one text, a line for each field, shared term, transition and claim."""
        lines = [f"protocol {self.name}"]
        lines += [f"field {f.name}: {f.domain} = {f.domain.decode(self.start[f.name])}" for f in self.cells]
        for choice in self.initial_choices:
            options = " | ".join(" ".join(map(str, codes)) for codes in choice.options)
            lines.append(f"initial {' '.join(c.name for c in choice.cells)}: {options}")
        roots = [g for t in self.transitions for _, g in t.guards]
        roots += [v for t in self.transitions for _, v in t.updates]
        roots += [term for c in self.claims for term in c.terms()]
        number: dict[Term, str] = {}
        for term in ex.ordered(roots):
            if term.args:
                number[term] = f"t{len(number)}"
                lines.append(f"{number[term]} = {term.op} {' '.join(number[a] for a in term.args)}")
            else:
                number[term] = str(term.leaf)
        for t in self.transitions:
            guards = "; ".join(f"{n}: {number[g]}" for n, g in t.guards)
            updates = "; ".join(f"{f.name} := {number[v]}" for f, v in t.updates)
            lines.append(
                f"{t}{f' fault {t.fault}' if t.fault else ''}{' unfair' * t.marked_unfair} when {guards} then {updates}"
            )
        lines += [
            f"{c.form}{'' if c.cycles else ' (no cycles)'} {c.property} {c.harm}: {number[c.holds]}"
            for c in self.claims
        ]
        for c in self.claims:
            lines += [
                f"case {c.property} {k.arguments}: {number[k.asked]} {number[k.given]}" for k in c.cases
            ]
        return "\n".join(lines) + "\n"

    @property
    def digest(self) -> str:
        """SHA-256 of `text()`: two specifications that run alike by the letter have one digest."""
        return hashlib.sha256(self.text().encode()).hexdigest()


def _names(record: Any) -> list[str]:
    return [f.name for f in fields(record)]


def _folded(claim: Claim, folded: Callable[[Term], Term]) -> Claim:
    cases = (Case(c.arguments, folded(c.asked), folded(c.given)) for c in claim.cases)
    return replace(claim, holds=folded(claim.holds), cases=tuple(cases))


def _known(value: Any) -> Term:
    domain = boolean() if isinstance(value, bool) else enumeration(type(value))
    return ex.constant(domain.encode(value), domain.kind is bool)
