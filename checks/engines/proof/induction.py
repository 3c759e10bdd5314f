"""Proof by induction: what holds at the start and is kept by every action holds in runs of any length.

    proof = Proof(protocol, mechanisms)
    answers = [obligation.ask() for obligation in proof.obligations()]
    exit_code(answers)

The protocol's invariants and its *always* properties are taken together, as Inv. There is an
obligation for the start (Init => Inv), for each action (Inv and the action => Inv afterwards, within every
variable's domain), for each property (Inv => property), and for each end that must remain possible. What a
condition says after a step is the model's own substitution (`symbolic.before`), so that nothing of the protocol is
written a second time. *Unsatisfiable* means proved; a counterexample to induction is a state that satisfies Inv,
and a step out of it (it may not be reachable). An answer that Z3 does not find in time is unknown, and proves
nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain
from typing import Any

import z3

from cutproof.checks.engines.proof.asking import ask, look
from cutproof.checks.engines.proof.symbolic import Symbols, before, milliseconds, nearest
from cutproof.checks.engines.verdict import HOLDS, SAFETY, UNKNOWN
from cutproof.model.language import Property
from cutproof.model.language import expressions as ex
from cutproof.model.language.expressions import Term
from cutproof.model.language.protocol import Claim, Field, Protocol, Transition

TIME_OUT = 60.0  # seconds for one obligation


@dataclass(frozen=True)
class Counterexample:
    """Two states: the first satisfies every clause, and the transition leads to the second, where `broken` do not
    hold. `values` has the mechanisms where they were not chosen. Obligations without a step have one state twice."""

    transition: Transition | None
    state: dict[str, int]
    after: dict[str, int]
    broken: tuple[str, ...]
    values: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """What Z3 said of one obligation: "proved", "refuted" or "unknown" (with the reason); and see `conditional`."""

    kind: str  # start, step, property, progress
    name: str
    said: str
    seconds: float
    counterexample: Counterexample | None = None
    reason: str = ""

    @property
    def proved(self) -> bool:
        """Whether Z3 said that there is no counterexample."""
        return self.said == "proved"


def exit_code(answers: Iterable[Answer]) -> int:
    """0 where everything is proved, 12 where something is refuted, else 3."""
    said = {a.said for a in answers}
    return SAFETY if "refuted" in said else UNKNOWN if "unknown" in said else HOLDS


@dataclass(frozen=True)
class Obligation:
    """One thing to prove: that no state satisfies Inv and, for one of the `ways`, its guards and not its goal (or,
    where there are no ways, all of `never`). For the start nothing is assumed but the start itself."""

    proof: Proof
    kind: str
    name: str
    ways: tuple[Way, ...]
    never: tuple[Any, ...] = ()  # conditions in Z3, in place of ways

    def refuted_by(self) -> Any:
        """The condition, besides Inv, that a counterexample satisfies, in Z3."""
        of = self.proof.symbols.of
        if self.never:
            return z3.And(*self.never)
        return z3.Or(*(z3.And(*map(of, way.guards), z3.Not(of(way.goal))) for way in self.ways))

    def ask(self, to_show: bool = False) -> Answer:
        """Z3's answer. A counterexample is the one that `nearest` gives if it is to be shown, else any."""
        start, solver = time.perf_counter(), self.proof.solver
        solver.push()
        try:
            if self.kind == "start":  # nothing is assumed of the start but what it is
                solver = self.proof.fresh()
                solver.add(*self.proof.symbols.is_initial())
            solver.add(self.refuted_by())
            said, found = ask(solver), None
            if said == z3.sat:
                model = solver.model()
                found = self._counterexample(nearest(self.proof.symbols, solver, model) if to_show else model)
        finally:
            self.proof.solver.pop()
        seconds = time.perf_counter() - start
        if said == z3.unknown:
            return Answer(self.kind, self.name, "unknown", seconds, reason=_why(solver.reason_unknown()))
        return Answer(self.kind, self.name, "refuted" if found else "proved", seconds, found)

    def _counterexample(self, model: Any) -> Counterexample:
        symbols, protocol = self.proof.symbols, self.proof.protocol
        state = protocol.named(symbols.state_in(model))
        values = {name: symbols.value_in(model, term) for name, term in symbols.parameters.items()}
        here = {**state, **values}

        def true(term: Term) -> bool:
            return bool(ex.evaluate(term, here, {}))

        if self.never:
            return Counterexample(None, state, state, (f"some step comes nearer to {self.name}",), values)
        way = next(w for w in self.ways if all(map(true, w.guards)) and not true(w.goal))
        after = dict(state)
        for cell, new in way.transition.updates if way.transition else ():
            after[cell.name] = ex.evaluate(new, here, {})
        broken = tuple(dict.fromkeys(name for name, part in way.parts if not true(part)))
        return Counterexample(way.transition, state, after, broken, values)


@dataclass(frozen=True)
class Way:
    """One transition of an action (or none), and what must hold before it so that every clause holds after it: by
    the name of the clause."""

    transition: Transition | None
    parts: tuple[tuple[str, Term], ...]

    @property
    def guards(self) -> tuple[Term, ...]:
        """When the transition is enabled; nothing without one."""
        return tuple(g for _, g in self.transition.guards) if self.transition else ()

    @cached_property
    def goal(self) -> Term:
        """All parts together."""
        return ex.conjunction(*(part for _, part in self.parts))


class Proof:
    """The proof that the protocol, with these mechanisms, keeps its invariants and satisfies its *always* properties.

    With `mechanisms=None` they are symbolic: one of the records that `among` gives, and what is proved holds of each
    (anything at all if it gives none). `invariants` are the protocol's own unless others are given; `only` names the
    properties that are proved (all of them if empty)."""

    def __init__(
        self,
        protocol: Protocol,
        mechanisms: Any = None,
        *,
        invariants: Sequence[Property] | None = None,
        only: Iterable[str] = (),
        time_out: float = TIME_OUT,
        among: Iterable[Any] = (),
    ) -> None:
        chosen = set(only)
        if invariants is None:
            invariants = protocol.invariants
        self.properties = [
            p for p in protocol.properties if p.form == "always" and (not chosen or p.name in chosen)
        ]
        self.mechanisms = mechanisms
        self.goals = [
            p for p in protocol.properties if p.form == "can_always" and (not chosen or p.name in chosen)
        ]
        judged = protocol.judged_by([*invariants, *self.properties])
        self.protocol = judged.resolve(mechanisms) if mechanisms is not None else judged
        self.invariants, self.time_out, self.among = tuple(invariants), time_out, tuple(among)
        self.symbols = Symbols(self.protocol)

    # -------------------------------------------------- what there is to prove

    @property
    def clauses(self) -> tuple[Claim, ...]:
        """Inv: every invariant and property, as one condition each (a property has one for each kind of harm)."""
        return self.protocol.claims

    def obligations(self) -> Iterator[Obligation]:
        """The start, every action in the order of the protocol, every property, and that each end can be reached."""
        named = tuple((c.property, c.holds) for c in self.clauses)
        yield Obligation(self, "start", "Init", (Way(None, named),))
        for action in dict.fromkeys(t.action for t in self.protocol.transitions):
            yield self.step(action)
        for prop in self.properties:
            yield Obligation(
                self, "property", prop.name, (Way(None, tuple(p for p in named if p[0] == prop.name)),)
            )
        yield from map(self.progress, self.goals)

    def step(self, action: str) -> Obligation:
        """That an action keeps every clause, and every variable within its domain."""
        look()
        mine = [t for t in self.protocol.transitions if t.action == action]
        return Obligation(self, "step", action, tuple(Way(t, tuple(self._kept(t))) for t in mine))

    def _kept(self, transition: Transition) -> Iterator[tuple[str, Term]]:
        done: dict[Term, Term] = {}
        for claim in self.clauses:
            after = before(claim.holds, transition, done)
            if after is not claim.holds:
                yield claim.property, after
        for cell, value in transition.updates:
            if (inside := within(cell, value)) is not ex.TRUE:
                yield f"the domain of {cell.name}", inside

    def progress(self, goal: Property) -> Obligation:
        """That from every state that satisfies Inv the goal can be reached by steps that are owed (`nearer`)."""
        judged = self.protocol.judged_by([goal])
        resolved = judged if self.mechanisms is None else judged.resolve(self.mechanisms)
        holds = ex.conjunction(*(c.holds for c in resolved.claims))
        return Obligation(self, "progress", goal.name, (), tuple(nearer(self.symbols, self.protocol, holds)))

    # -------------------------------------------------- solvers

    @cached_property
    def solver(self) -> Any:
        """A solver that knows the domains and Inv."""
        solver = self.fresh()
        solver.add(*(self.symbols.of(c.holds) for c in self.clauses))
        return solver

    def fresh(self) -> Any:
        """A solver that knows the domains, and which the mechanisms may be."""
        solver = z3.SolverFor("QF_LIA")
        solver.set("timeout", milliseconds(self.time_out))
        solver.add(*self.symbols.within())
        if self.among:
            solver.add(self.symbols.is_one_of(self.among))
        return solver

    # -------------------------------------------------- that it says something

    def possible(self) -> Iterator[tuple[str, str, bool]]:
        """(what, name, whether it can be together with Inv): the start, every record of mechanisms that is meant, every
        action, every value of each enumeration of the record (its phases). An invariant that nothing satisfies would
        prove everything."""
        of, start = self.symbols.of, self.symbols.is_initial()
        yield "start", "Init", self._satisfiable(*start)
        for number, record in enumerate(self.among):
            yield "mechanisms", str(number), self._satisfiable(*start, self.symbols.is_one_of([record]))
        for action in dict.fromkeys(t.action for t in self.protocol.transitions):
            ways = [of(t.enabled) for t in self.protocol.transitions if t.action == action]
            yield "action", action, self._satisfiable(z3.Or(*ways))
        for cell in self.protocol.fields:
            if not cell.where and cell.domain.kind not in (bool, int):
                for code in range(cell.domain.low, cell.domain.high + 1):
                    value = cell.domain.decode(code).name
                    is_this = self.symbols.variable(cell.name) == self.symbols.number(code)
                    yield cell.name, value, self._satisfiable(is_this)

    def _satisfiable(self, *conditions: Any) -> bool:
        self.solver.push()
        self.solver.add(*conditions)
        said = ask(self.solver)
        self.solver.pop()
        if said == z3.unknown:
            raise RuntimeError(f"Z3 does not know: {self.solver.reason_unknown()}")
        return bool(said == z3.sat)


def nearer(symbols: Symbols, protocol: Protocol, goal: Term) -> list[Any]:
    """What a state would satisfy in which the goal does not hold and no step that is owed lowers the protocol's
    measure (never below zero). If there is none, the goal can be reached from everywhere. Raises ValueError where the
    protocol has no measure, or it may fall below zero."""
    if protocol.measure is None:
        raise ValueError(
            f"{protocol.name} has no measure, so it cannot be proved that something can always be reached"
        )
    here = protocol.known(protocol.measure(protocol.view))
    if here.low < 0:
        raise ValueError("the measure may fall below zero")
    lower = [
        ex.conjunction(t.enabled, ex.less(before(here, t), here)) for t in protocol.transitions if t.owed
    ]
    return [z3.Not(symbols.of(goal)), *(z3.Not(symbols.of(term)) for term in lower)]


def within(cell: Field, value: Term) -> Term:
    """That a new value is in the domain of its field; true where the bounds of the term say so."""
    low, high = (ex.constant(code, value.boolean) for code in (cell.domain.low, cell.domain.high))
    if value.boolean:  # what does not vary has one value, and that is a domain too
        return ex.equal(value, low) if low is high else ex.TRUE
    above = ex.TRUE if cell.domain.high >= ex.UNBOUNDED else ex.at_most(value, high)
    return ex.conjunction(ex.at_most(low, value), above)


def conditional(answers: Iterable[Answer]) -> list[Answer]:
    """The answers, with what only follows from clauses said so where these are not proved: a property or an end is not
    proved while the start, or a step, is not."""
    told = list(answers)
    if all(a.proved for a in told if a.kind in ("start", "step")):
        return told
    return [
        replace(a, said="conditional", reason="follows from the clauses, which are not proved")
        if a.proved and a.kind in ("property", "progress")
        else a
        for a in told
    ]


def _why(reason: str) -> str:
    return "time-out" if reason in ("timeout", "canceled") else reason


# ------------------------------------------------------------------ a counterexample, to be read


def side_by_side(protocol: Protocol, found: Counterexample) -> list[str]:
    """The two states of a counterexample, a line for each variable that is not at its first value, and what broke."""

    def text(cell: Field, code: int) -> str:
        if not cell.domain.low <= code <= cell.domain.high:
            return f"{code} (outside)"
        value = cell.domain.decode(code)
        return str(getattr(value, "name", value))

    rows = [("", "before", "after")]
    for cell in protocol.cells:  # one that does not vary may be given another value all the same
        old, new = found.state[cell.name], found.after[cell.name]
        if old != new or old != protocol.start[cell.name]:
            rows.append((cell.name, text(cell, old), text(cell, new) if new != old else ""))
    wide = [max(len(row[i]) for row in rows) for i in range(2)]
    lines = [f"  {a:<{wide[0]}}  {b:<{wide[1]}}  {c}".rstrip() for a, b, c in rows]
    step = f"{found.transition} breaks: " if found.transition else "does not hold: "
    return [f"{step}{', '.join(found.broken)}", *lines]


def first_refuted(proof: Proof, likely: Iterable[str] = ()) -> Answer | None:
    """The first obligation that is not proved (refuted, or unknown), or None. The steps of the actions that `likely`
    names are asked first: what comes of it is the same, sooner."""
    for obligation in chain(map(proof.step, likely), proof.obligations()):
        answer = obligation.ask()
        if not answer.proved:
            return answer
    return None
