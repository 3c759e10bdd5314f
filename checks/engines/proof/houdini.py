"""What remains of a set of clauses when those that are not inductive are dropped (Houdini).

For mechanisms under which some invariants do not hold (a policy that skips the delta, say) the rest may still prove
what one asks: clauses that a step can break, assuming all that are left, are dropped until every step keeps every
one. The result is the largest inductive subset, so it is the same whatever the order (Flanagan and Leino, *Houdini,
an annotation assistant*, FME 2001). It assumes nothing: what it keeps is proved.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import z3

from cutproof.checks.engines.proof.induction import TIME_OUT, nearer, within
from cutproof.checks.engines.proof.symbolic import Symbols, before
from cutproof.model.language import Property
from cutproof.model.language import expressions as ex
from cutproof.model.language.expressions import Term
from cutproof.model.language.protocol import Protocol, State


@dataclass(frozen=True)
class InductivePart:
    """What is left: by the name of a clause, its conjuncts that are inductive together, and by the name of each
    property and goal whether they imply it."""

    clauses: tuple[tuple[str, Term], ...]
    dropped: tuple[str, ...]  # invariants that lost a conjunct
    proved: dict[str, bool]


class LeavesDomain(RuntimeError):
    """A step may leave the domain of a variable, and no clause says otherwise."""


class TimedOut(Exception):
    """Z3 did not answer in time: nothing is proved."""


def strongest(
    protocol: Protocol,
    mechanisms: Any,
    properties: Iterable[Property],
    goals: Iterable[Property] = (),
    time_out: float = TIME_OUT,
) -> InductivePart:
    """The largest inductive subset of the conjuncts of the protocol's invariants and of the properties, and whether it
    implies each property; of each of the `goals` whether it can always be reached (`induction.nearer`). Raises
    TimedOut, and RuntimeError where a step may leave the domain of a variable."""
    wanted = tuple(properties)
    judged = _chosen(protocol.judged_by([*protocol.invariants, *wanted]), mechanisms)
    parts = [(c.property, part) for c in judged.claims for part in conjuncts(c.holds)]
    search = Weakening(judged, parts, judged.initials, range(len(judged.transitions)), time_out)
    remaining = search.run([p.name for p in wanted])
    for goal in goals:
        reached = _chosen(judged.judged_by([goal]), mechanisms)
        holds = ex.conjunction(*(c.holds for c in reached.claims))
        remaining.proved[goal.name] = search.certain(nearer(search.symbols, judged, holds))
    return remaining


def _chosen(protocol: Protocol, mechanisms: Any) -> Protocol:
    """With its mechanisms chosen, where it has any."""
    return protocol if mechanisms is None else protocol.resolve(mechanisms)


def trapped(
    protocol: Protocol, state: State, goal: Term, known: Iterable[Term] = (), time_out: float = TIME_OUT
) -> bool:
    """Whether Z3 proves that from this state no step that is owed ever leads to the goal. `known` are invariants.

    The proof is a set of states that has this one, is closed under such steps and has none where the goal holds: the
    largest one that conditions on single variables describe (it is as it is now, at most, at least, or not
    something)."""
    parts = [("not yet", part) for part in conjuncts(ex.negation(goal))]
    for cell, value in zip(protocol.fields, state, strict=True):
        here = ex.variable(cell.name, cell.domain.low, cell.domain.high, cell.domain.kind is bool)
        now = ex.constant(value, here.boolean)
        facts = [ex.equal(here, now)] if here.boolean else [ex.at_most(here, now), ex.at_most(now, here)]
        if not here.boolean and cell.domain.kind is not int:  # of an enumeration: none of the other members
            codes = range(cell.domain.low, cell.domain.high + 1)
            facts += [ex.negation(ex.equal(here, ex.constant(code))) for code in codes if code != value]
        parts += [("bound", fact) for fact in facts if fact is not ex.TRUE]
    owed = [i for i, t in enumerate(protocol.transitions) if t.owed]
    search = Weakening(protocol, parts, [state], owed, time_out)
    search.solver.add(*map(search.symbols.of, known))
    try:
        return search.run(["not yet"]).proved["not yet"]
    except LeavesDomain:  # what is known of the states does not say enough
        return False


def conjuncts(term: Term) -> tuple[Term, ...]:
    """The terms of which it is the conjunction."""
    return term.args if term.op == "and" else (term,)


class Weakening:
    """Clauses that hold in some states, weakened until some transitions keep what is left."""

    def __init__(
        self,
        protocol: Protocol,
        parts: list[tuple[str, Term]],
        states: Sequence[State],
        steps: Sequence[int],
        time_out: float,
    ) -> None:
        self.protocol, self.all, self.symbols, self.steps = protocol, parts, Symbols(protocol), steps
        self.alive = list(range(len(parts)))
        for state in states:
            start, done = protocol.named(state), dict[Term, int]()
            self.alive = [i for i in self.alive if ex.evaluate(parts[i][1], start, done)]
        self.solver = z3.SolverFor("QF_LIA")
        self.solver.set("timeout", int(time_out * 1000))
        self.solver.add(*self.symbols.within())
        self.marks = [z3.Bool(f"clause {i}") for i in range(len(parts))]
        for mark, (_, part) in zip(self.marks, parts, strict=True):
            self.solver.add(z3.Implies(mark, self.symbols.of(part)))

    def run(self, wanted: list[str]) -> InductivePart:
        changed = True
        while changed:
            changed = False
            for number in self.steps:
                changed |= self._weaken(number)
        remaining = tuple(self.all[i] for i in self.alive)
        whole = {name: sum(n == name for n, _ in self.all) for name, _ in self.all}
        left = {name: sum(n == name for n, _ in remaining) for name in whole}
        dropped = tuple(name for name in whole if left[name] < whole[name] and name not in wanted)
        return InductivePart(
            remaining, dropped, {name: left.get(name, 0) == whole.get(name, 0) for name in wanted}
        )

    def certain(self, never: Iterable[Any]) -> bool:
        """Whether no state satisfies what is left and all of these conditions. Raises TimedOut."""
        self.solver.push()
        self.solver.add(*never)
        said = self.solver.check(*(self.marks[i] for i in self.alive))
        self.solver.pop()
        if said == z3.unknown:
            raise TimedOut(self.solver.reason_unknown())
        return bool(said == z3.unsat)

    def _weaken(self, number: int) -> bool:
        """Drop what this transition can break; whether anything was."""
        transition, done, changed = self.protocol.transitions[number], dict[Term, Term](), False
        after = {i: before(self.all[i][1], transition, done) for i in self.alive}
        after = {i: term for i, term in after.items() if term is not self.all[i][1]}
        inside = ex.conjunction(*(within(cell, value) for cell, value in transition.updates))
        self.solver.push()
        try:
            self.solver.add(*(self.symbols.of(g) for _, g in transition.guards))
            while after:
                goal = ex.conjunction(inside, *(after[i] for i in after))
                self.solver.push()
                self.solver.add(z3.Not(self.symbols.of(goal)))
                said = self.solver.check(*(self.marks[i] for i in self.alive))
                model = self.solver.model() if said == z3.sat else None
                self.solver.pop()
                if said == z3.unknown:
                    raise TimedOut(f"{transition}: {self.solver.reason_unknown()}")
                if model is None:
                    break
                here = self.protocol.named(self.symbols.state_in(model))
                lost = {i for i, term in after.items() if not ex.evaluate(term, here, {})}
                if not lost:
                    raise LeavesDomain(f"{transition} may leave a domain, and no clause says otherwise")
                self.alive = [i for i in self.alive if i not in lost]
                after = {i: term for i, term in after.items() if i not in lost}
                changed = True
        finally:
            self.solver.pop()
        return changed
