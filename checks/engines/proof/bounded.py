"""Bounded search in Z3, for many records of mechanisms at once: they are symbolic, and a run is a sequence of states.

For k = 0, 1, 2, ... Z3 is asked for a record and a run of k steps to a state that violates a property. What it finds is
generalized: with the states of the run put into its guards and updates, what is left is a condition over the mechanisms
(`condition_of`), and every record that satisfies it is refuted by the same run. So a few dozen answers decide
thousands of records, and since none was refuted with fewer steps, each number is the least.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import z3

from cutproof.checks.engines.proof.asking import ask, hearing, look
from cutproof.checks.engines.proof.induction import within
from cutproof.checks.engines.proof.symbolic import Symbols, milliseconds
from cutproof.checks.engines.verdict import Path
from cutproof.model.language import expressions as ex
from cutproof.model.language.expressions import Term
from cutproof.model.language.protocol import Protocol, State

Record = dict[str, int]  # by the name of a parameter, its value


@dataclass(frozen=True)
class Refuted:
    """A run that violates a property, and every record of mechanisms (by its place) that it is a run of."""

    path: Path
    property: str
    harm: str
    records: tuple[int, ...]


@dataclass(frozen=True)
class Bounded:
    """What was found up to a depth: runs in the order of their lengths. `unknown` has the depth at which Z3
    gave no answer."""

    found: tuple[Refuted, ...]
    depth: int
    unknown: int | None = None

    def steps(self) -> dict[int, int]:
        """By the place of a record, the fewest steps."""
        return {i: f.path.steps for f in reversed(self.found) for i in f.records}


Progress = Callable[[int, int, int, float], None]  # depth, refuted, records, seconds


class Search:
    """One search over `records` of mechanisms; `wanted` names the *always* properties (all if empty)."""

    @hearing()
    def __init__(
        self, protocol: Protocol, records: Sequence[Any], wanted: Iterable[str] = (), time_out: float = 300.0
    ) -> None:
        names, judged = set(wanted), {c.property for c in protocol.claims if c.form == "always"}
        if strange := sorted(names - judged):
            raise ValueError(
                f"no always property {', '.join(strange)}: there are {', '.join(sorted(judged))}"
            )
        self.protocol, self.time_out = protocol, time_out
        self.claims = [
            c for c in protocol.claims if c.form == "always" and (not names or c.property in names)
        ]
        self.symbols = Symbols(protocol, bits=True)
        self.records = [self.symbols.codes_of(record) for record in records]
        self.open = list(range(len(records)))
        self.solver = z3.SolverFor("QF_FD")
        self.solver.set("timeout", milliseconds(time_out))
        self.solver.add(*self.symbols.within(0), *self.symbols.is_initial(0))
        self.solver.add(self.symbols.is_one_of(records))
        self.fields = {f.name: f for f in protocol.fields}

    @hearing()
    def run(self, depth: int, progress: Progress | None = None) -> Bounded:
        """Every record that is refuted within `depth` steps."""
        start, found = time.perf_counter(), list[Refuted]()
        for k in range(depth + 1):
            if k:
                self._step(k - 1)
            while self.open:
                self.solver.push()
                self.solver.add(z3.Or(*(z3.Not(self.symbols.of(c.holds, k)) for c in self.claims)))
                said = ask(self.solver)
                model = self.solver.model() if said == z3.sat else None
                self.solver.pop()
                if said == z3.unknown:
                    return Bounded(tuple(found), k - 1, unknown=k)
                if model is None:
                    break
                found.append(self._refuted(self._path(model, k)))
            if progress:
                progress(
                    k, len(self.records) - len(self.open), len(self.records), time.perf_counter() - start
                )
            if not self.open:
                break
        return Bounded(tuple(found), k)

    def _step(self, k: int) -> None:
        """One transition fires at step k: it is enabled, and every field has its new value, or keeps the old one."""
        of, symbols = self.symbols.of, self.symbols
        chosen = [z3.Bool(f"fires {i}@{k}") for i in range(len(self.protocol.transitions))]
        new: dict[str, list[Any]] = {name: [] for name in self.fields}
        for i, t in enumerate(self.protocol.transitions):
            self.solver.add(*(z3.Implies(chosen[i], of(g, k)) for _, g in t.guards))
            for cell, value in t.updates:
                if cell.name in new:
                    new[cell.name].append((i, of(value, k)))
                elif (inside := within(cell, value)) is not ex.TRUE:  # it does not vary
                    self.solver.add(z3.Implies(chosen[i], of(inside, k)))
        self.solver.add(z3.Or(*chosen), *at_most_one(chosen, f"@{k}"))
        for name, ways in new.items():
            look()
            after = symbols.variable(name, k)
            for i, value in ways:
                after = z3.If(chosen[i], value, after)
            self.solver.add(symbols.variable(name, k + 1) == after)
        self.solver.add(*symbols.within(k + 1))

    def _path(self, model: Any, steps: int) -> Path:
        states = tuple(self.symbols.state_in(model, k) for k in range(steps + 1))
        fired = [
            next(
                i
                for i in range(len(self.protocol.transitions))
                if z3.is_true(model[z3.Bool(f"fires {i}@{k}")])
            )
            for k in range(steps)
        ]
        return Path(states, tuple(fired))

    def _refuted(self, path: Path) -> Refuted:
        """Every open record of which this is a run to a violation; they are open no more."""
        valid = condition_of(self.protocol, path)
        last = named(self.protocol, path.states[-1])
        ends = [(c, ex.substitute(c.holds, last, {})) for c in self.claims]
        mine, claim = [], None
        for i in self.open:
            if ex.evaluate(valid, self.records[i], {}):
                bad = next((c for c, left in ends if not ex.evaluate(left, self.records[i], {})), None)
                if bad:
                    mine.append(i)
                    claim = claim or bad
        if not mine or claim is None:
            raise RuntimeError("Z3 found a run that is a run of no policy")
        refuted, kept = set(mine), ex.conjunction(*(left for _, left in ends))
        self.open = [i for i in self.open if i not in refuted]
        self.solver.add(
            self.symbols.of(ex.disjunction(ex.negation(valid), kept))
        )  # what is open under these is left
        return Refuted(path, claim.property, claim.harm, tuple(mine))


def at_most_one(chosen: Sequence[Any], where: str) -> list[Any]:
    """At most one of these: each is told whether one before it was chosen (plain clauses: in QF_BV, Z3 5.4 was seen to
    give models in which two of `AtMost(..., 1)` are true)."""
    found, before = [], z3.BoolVal(False)
    for i, now in enumerate(chosen):
        seen = z3.Bool(f"fired by {i}{where}")
        found += [z3.Implies(before, z3.Not(now)), z3.Implies(before, seen), z3.Implies(now, seen)]
        before = seen
    return found


def named(protocol: Protocol, state: State) -> dict[str, Term]:
    """A state as constants by the names of the fields."""
    return {
        f.name: ex.constant(v, f.domain.kind is bool) for f, v in zip(protocol.fields, state, strict=True)
    }


def condition_of(protocol: Protocol, path: Path) -> Term:
    """What must be true of the mechanisms for this to be a run: a condition over the parameters alone."""
    parts = []
    for here, number, there in zip(path.states, path.transitions, path.states[1:], strict=False):
        transition, now, then = protocol.transitions[number], named(protocol, here), named(protocol, there)
        done: dict[Term, Term] = {}
        parts += [ex.substitute(g, now, done) for _, g in transition.guards]
        changed = {cell.name: ex.substitute(value, now, done) for cell, value in transition.updates}
        for name, value in then.items():
            parts.append(ex.equal(changed.get(name, now[name]), value))
        parts += [within(cell, changed[cell.name]) for cell, _ in transition.updates if cell.name not in then]
    return ex.conjunction(*parts)
