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
from dataclasses import dataclass, fields, replace
from enum import Enum
from itertools import product
from typing import Any, NoReturn, get_type_hints

from cutproof.model.language import expressions as ex
from cutproof.model.language.actions import (
    Action,
    Domain,
    Family,
    FamilyDomain,
    Operand,
    Property,
    Step,
    boolean,
    complain,
    conditions_of,
    enumeration,
)
from cutproof.model.language.expressions import Term

State = tuple[int, ...]  # one integer for each field, in the order of `Protocol.fields`


def label(value: object) -> str:
    """How an argument, an index or a value is written: members of an enumeration by name."""
    return value.name if isinstance(value, Enum) else str(value)


@dataclass(frozen=True)
class Field:
    """One cell of the state: `net[O,0]` of the variable `net` at the index ("O", "0")."""

    name: str
    variable: str
    where: tuple[Any, ...]
    domain: Domain


@dataclass(frozen=True)
class Transition:
    """An action with its arguments: `guards` by name, and the new value of each field that it changes."""

    action: str
    fault: str
    choice: bool
    arguments: tuple[tuple[str, Any], ...]
    guards: tuple[tuple[str, Term], ...]
    updates: tuple[tuple[Field, Term], ...]

    @property
    def owed(self) -> bool:
        """Neither a fault nor somebody's choice: a step that will be taken."""
        return not self.fault and not self.choice

    @property
    def enabled(self) -> Term:
        """All of the guards together."""
        return ex.conjunction(*(condition for _, condition in self.guards))

    def __str__(self) -> str:
        return f"{self.action}({', '.join(f'{k}={label(v)}' for k, v in self.arguments)})"


@dataclass(frozen=True)
class Claim:
    """One condition of a property; `harm` is what is done where an *always* condition is false, or empty."""

    property: str
    form: str
    harm: str
    holds: Term


class View:
    """What `s` is: the variables by name, the mechanisms, and the scope as the protocol was given it."""

    _values: Mapping[str, Any]
    mechanisms: Any
    scope: Any

    def __init__(self, values: Mapping[str, Any], mechanisms: Any, scope: Any) -> None:
        self.__dict__.update(_values=values, mechanisms=mechanisms, scope=scope)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        complain(f"s.{name} = ... changes nothing", f"return when(...).then({name}=...)")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name not in self._values:
            complain(f"no variable {name!r}", f"there are {', '.join(self._values)}")
        return self._values[name]


class Parameters:
    """The mechanisms as operands: symbolic until `Protocol.resolve` gives them values."""

    def __init__(self, record: type) -> None:
        hints = get_type_hints(record)
        self._operands = {}
        for f in fields(record):
            domain = boolean() if hints[f.name] is bool else enumeration(hints[f.name])
            term = ex.parameter(f"mechanisms.{f.name}", domain.low, domain.high, domain.kind is bool)
            self._operands[f.name] = Operand(term, domain.kind)

    def __getattr__(self, name: str) -> Operand:
        if name.startswith("_") or name not in self._operands:
            complain(f"no mechanism {name!r}", "declare it in the record of mechanisms")
        return self._operands[name]


class Protocol:
    """See the module's text. Raises LanguageError where the protocol says what cannot be meant.

    `invariants` and `measure` are for proofs, and change nothing else: what is true of every reachable state and kept
    by every action; and a whole number, never below zero, that some owed step lowers wherever what *can always*
    happen does not hold (`lambda s: ...`)."""

    def __init__(
        self,
        name: str,
        variables: Mapping[str, Domain | FamilyDomain],
        actions: Sequence[Action],
        properties: Sequence[Property],
        indices: Mapping[str, Sequence[Any]] | None = None,
        initial: Mapping[str, Any] | None = None,
        mechanisms: type | None = None,
        scope: Any = None,
        invariants: Sequence[Property] = (),
        measure: Callable[[Any], Operand] | None = None,
    ) -> None:
        self.invariants, self.measure = tuple(invariants), measure
        self.name, self.scope, self.mechanisms = name, scope, None
        self._values: Mapping[str, Term] = {}
        self.actions, self.properties = tuple(actions), tuple(properties)
        self.indices = {k: tuple(v) for k, v in (indices or {}).items()}
        self.cells = tuple[Field, ...]()  # every field, those with one value too
        values = {name: self._operands(name, domain) for name, domain in variables.items()}
        self.view = View(values, Parameters(mechanisms) if mechanisms else None, scope)
        self.fields: tuple[Field, ...] = tuple(f for f in self.cells if f.domain.low < f.domain.high)
        start = self._changes("initial state", initial or {})
        self.start: dict[str, int] = {f.name: f.domain.low for f in self.cells}
        for cell, term in start:
            if term.op != "const" or not cell.domain.low <= int(term.leaf) <= cell.domain.high:
                complain(f"{cell.name} starts at {term!r}", f"give a value of {cell.domain}")
            self.start[cell.name] = int(term.leaf)
        self.transitions = tuple(t for a in self.actions for t in self._unfold(a))
        self.claims = tuple(c for p in self.properties for c in self._claims(p))

    # -------------------------------------------------- making

    def _operands(self, name: str, domain: Domain | FamilyDomain, where: tuple[Any, ...] = ()) -> Any:
        if isinstance(domain, FamilyDomain):
            depth = len(where)
            if depth < len(domain.indices):
                index = domain.indices[depth]
                if index not in self.indices:
                    complain(f"{name} is indexed by {index!r}", f"there are {', '.join(self.indices)}")
                items = {v: self._operands(name, domain, (*where, v)) for v in self.indices[index]}
                return Family(index, items)
            domain = domain.at(where)
        cell = Field(name + (f"[{','.join(map(label, where))}]" if where else ""), name, where, domain)
        self.cells += (cell,)
        return Operand(ex.variable(cell.name, domain.low, domain.high, domain.kind is bool), domain.kind)

    def _arguments(self, names: tuple[str, ...], owner: str) -> list[tuple[tuple[str, Any], ...]]:
        for n in names:
            if n not in self.indices:
                complain(f"{owner} takes {n!r}", f"the indices are {', '.join(self.indices) or 'none'}")
        return [tuple(zip(names, v, strict=True)) for v in product(*(self.indices[n] for n in names))]

    def _unfold(self, action: Action) -> list[Transition]:
        found = []
        for arguments in self._arguments(action.arguments, action.name):
            step = action.function(self.view, **dict(arguments))
            if step is None:
                continue
            if not isinstance(step, Step):
                complain(f"{action.name} returned {step!r}", "return when(...).then(...), or None")
            if len({g.name for g in step.guards}) < len(step.guards):
                complain(f"{action.name} has two guards of one name", "name each guard on its own")
            guards = tuple((g.name, g.condition.term) for g in step.guards)
            updates = self._changes(action.name, step.changes)
            found.append(Transition(action.name, action.fault, action.choice, arguments, guards, updates))
        return found

    def _changes(self, owner: str, changes: Mapping[str, Any]) -> tuple[tuple[Field, Term], ...]:
        by_variable: dict[str, list[Field]] = {}
        for cell in self.cells:
            by_variable.setdefault(cell.variable, []).append(cell)
        found = []
        for name, value in changes.items():
            old = getattr(self.view, name)  # complains where there is no such variable
            for cell in by_variable[name]:
                was, new = old, value
                for index in cell.where:
                    if not isinstance(new, Family):
                        complain(f"{owner} gives {name} one value", "use put(...) or each(...) for a family")
                    was, new = was[index], new[index]
                if isinstance(new, Family):
                    complain(f"{owner} gives {name} a family", "it is one value")
                term = new.term if isinstance(new, Operand) and new.kind is was.kind else None
                if term is None:
                    try:
                        term = ex.constant(cell.domain.encode(new), cell.domain.kind is bool)
                    except ValueError:
                        complain(f"{owner} gives {cell.name} {new!r}", f"give it a value of {cell.domain}")
                if term is not was.term:
                    found.append((cell, term))
        return tuple(found)

    def _claims(self, prop: Property) -> list[Claim]:
        found: dict[str, list[Term]] = {}
        for arguments in self._arguments(prop.arguments, prop.name):
            result = prop.function(self.view, **dict(arguments))
            if result is not None:
                for harm, condition in conditions_of(result, prop.name).items():
                    found.setdefault(harm, []).append(condition.term)
        join = ex.disjunction if prop.form == "sometimes" else ex.conjunction
        return [Claim(prop.name, prop.form, harm, join(*terms)) for harm, terms in found.items()]

    # -------------------------------------------------- variants

    def _copy(self) -> Protocol:
        other = object.__new__(Protocol)
        other.__dict__.update(self.__dict__)
        return other

    def judged_by(self, properties: Sequence[Property]) -> Protocol:
        """The protocol with other properties in place of its own."""
        other = self._copy()
        other.properties = tuple(properties)
        other.claims = tuple(c for p in other.properties for c in self._claims(p))
        return other

    def resolve(self, mechanisms: Any) -> Protocol:
        """The protocol with its mechanisms chosen: folded, and without the transitions that cannot fire."""
        values = {name: _known(getattr(mechanisms, name)) for name in _names(mechanisms)}
        return self._with({f"mechanisms.{name}": value for name, value in values.items()}, mechanisms)

    def resolve_all(self, records: Sequence[Any]) -> tuple[Protocol, list[State]]:
        """The protocol for many choices of its mechanisms at once, and an initial state for each: a mechanism on which
        they differ is a field, `mechanisms.delta`, that no transition changes."""
        other, values = self._copy(), dict[str, Term]()
        for name in _names(records[0]):
            chosen = [getattr(record, name) for record in records]
            values[f"mechanisms.{name}"] = _known(chosen[0])
            if any(value is not chosen[0] for value in chosen):
                domain = boolean() if isinstance(chosen[0], bool) else enumeration(type(chosen[0]))
                cell = Field(f"mechanisms.{name}", f"mechanisms.{name}", (), domain)
                values[cell.name] = ex.variable(*_spec(cell))
                other.cells, other.fields = (*other.cells, cell), (*other.fields, cell)
                other.start = {**other.start, cell.name: domain.encode(chosen[0])}
        added = other.fields[len(self.fields) :]
        of = [tuple(f.domain.encode(getattr(r, f.name.partition(".")[2])) for f in added) for r in records]
        return other._with(values, tuple(records)), [self.initial + codes for codes in of]

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
                updates=tuple(
                    (c, folded(v)) for c, v in t.updates if folded(v) is not ex.variable(*_spec(c))
                ),
            )
            for t in self.transitions
            if folded(t.enabled) is not ex.FALSE
        )
        other.claims = tuple(replace(c, holds=folded(c.holds)) for c in self.claims)
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
        """The state in which every run begins."""
        return tuple(self.start[f.name] for f in self.fields)

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
        return result

    @property
    def varying(self) -> tuple[str, ...]:
        """The variables that have more than one value somewhere, in order: what a trace shows."""
        return tuple(dict.fromkeys(f.variable for f in self.fields))

    def encode(self, values: Mapping[str, Any]) -> State:
        """The state of such values. Raises ValueError naming the field that is missing or outside its domain."""
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
        roots = [g for t in self.transitions for _, g in t.guards]
        roots += [v for t in self.transitions for _, v in t.updates] + [c.holds for c in self.claims]
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
            lines.append(f"{t}{f' fault {t.fault}' if t.fault else ''} when {guards} then {updates}")
        lines += [f"{c.form} {c.property} {c.harm}: {number[c.holds]}" for c in self.claims]
        return "\n".join(lines) + "\n"

    @property
    def digest(self) -> str:
        """SHA-256 of `text()`: two specifications that run alike by the letter have one digest."""
        return hashlib.sha256(self.text().encode()).hexdigest()


def _names(record: Any) -> list[str]:
    return [f.name for f in fields(record)]


def _known(value: Any) -> Term:
    domain = boolean() if isinstance(value, bool) else enumeration(type(value))
    return ex.constant(domain.encode(value), domain.kind is bool)


def _spec(cell: Field) -> tuple[str, int, int, bool]:
    return cell.name, cell.domain.low, cell.domain.high, cell.domain.kind is bool
