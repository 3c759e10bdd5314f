"""Bounded search in Z3, for all policies at once: the mechanisms are symbolic, and a run is a sequence of states.

    python -m cutproof.checks.bounded [DEPTH]     # every policy and the fewest steps to harm, beside docs/policies.csv

For k = 0, 1, 2, ... Z3 is asked for a policy and a run of k steps to a state that violates a property. What it finds is
generalized: with the states of the run put into its guards and updates, what is left is a condition over the mechanisms
(`condition_of`), and every policy that satisfies it is refuted by the same run. So a few dozen answers decide
thousands of policies, and since no policy was refuted with fewer steps, each number is the least.
"""

from __future__ import annotations

import csv
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path as File
from typing import Any

import z3

from cutproof.checks.engines.proof.symbolic import Symbols
from cutproof.checks.engines.verdict import Path
from cutproof.model.cutover.coordinator import cutover
from cutproof.model.cutover.policy import Policy, policies, resolve
from cutproof.model.cutover.scopes import SMALL_SCOPES
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

    def __init__(
        self, protocol: Protocol, records: Sequence[Any], wanted: Iterable[str] = (), time_out: float = 300.0
    ) -> None:
        names, judged = set(wanted), {c.property for c in protocol.claims if c.form == "always"}
        if strange := sorted(names - judged):
            raise ValueError(
                f"no always property {', '.join(strange)}: there are {', '.join(sorted(judged))}"
            )
        self.protocol = protocol
        self.claims = [
            c for c in protocol.claims if c.form == "always" and (not names or c.property in names)
        ]
        self.symbols = Symbols(protocol, bits=True)
        self.records = [self.symbols.codes_of(record) for record in records]
        self.open = list(range(len(records)))
        self.solver = z3.SolverFor("QF_FD")
        self.solver.set("timeout", int(time_out * 1000))
        self.solver.add(*self.symbols.within(0), *self.symbols.is_state(protocol.initial, 0))
        self.solver.add(self.symbols.is_one_of(records))
        self.fields = {f.name: f for f in protocol.fields}

    def run(self, depth: int, progress: Progress | None = None) -> Bounded:
        """Every record that is refuted within `depth` steps."""
        start, found = time.perf_counter(), list[Refuted]()
        for k in range(depth + 1):
            if k:
                self._step(k - 1)
            while self.open:
                self.solver.push()
                self.solver.add(z3.Or(*(z3.Not(self.symbols.of(c.holds, k)) for c in self.claims)))
                said = self.solver.check()
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
        self.solver.add(z3.Or(*chosen), *at_most_one(chosen, f"@{k}"))
        for name, ways in new.items():
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
    return ex.conjunction(*parts)


# ------------------------------------------------------------------ every policy


def refute(
    alone: bool, depth: int, wanted: Iterable[str] = (), progress: Progress | None = None
) -> tuple[tuple[Any, ...], Bounded]:
    """The distinct records of all policies with RF * RG = 1 (`alone`) or more, and what is refuted of them."""
    records = tuple(dict.fromkeys(resolve(p) for p in policies() if p.replicas is not alone))
    search = Search(cutover(SMALL_SCOPES["gate_alone" if alone else "gate"]), records, wanted)
    return records, search.run(depth, progress)


def fewest(depth: int, wanted: Iterable[str] = (), progress: Progress | None = None) -> dict[Policy, int]:
    """By policy, the fewest steps to a violation, where there is one within `depth`."""
    found = {}
    for alone in (False, True):
        records, bounded = refute(alone, depth, tuple(wanted), progress)
        if bounded.unknown is not None:
            raise TimeoutError(f"Z3 gave no answer at depth {bounded.unknown}")
        steps = {records[i]: n for i, n in bounded.steps().items()}
        found.update(
            {p: steps[resolve(p)] for p in policies() if p.replicas is not alone and resolve(p) in steps}
        )
    return found


def main(arguments: list[str]) -> int:
    if len(arguments) > 1 or any(not a.isascii() or not a.isdigit() or len(a) > 3 for a in arguments):
        print("usage: python -m cutproof.checks.bounded [DEPTH]", file=sys.stderr)
        return 2
    if not File("docs/policies.csv").is_file():
        print("bounded: docs/ is not here; run this from the root of a checkout", file=sys.stderr)
        return 2
    depth = int(arguments[0]) if arguments else 18

    def progress(k: int, refuted: int, among: int, seconds: float) -> None:
        print(
            f"depth {k}: {refuted} of {among} records of mechanisms refuted, {seconds:.0f} s",
            file=sys.stderr,
            flush=True,
        )

    found = fewest(depth, progress=progress)
    with File("docs/policies.csv").open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    always = {p.name for p in cutover(SMALL_SCOPES["gate"]).properties if p.form == "always"}
    differ = 0
    for policy, row in zip(policies(), rows, strict=True):
        least = min((int(row[name]) for name in always & row.keys() if row[name]), default=None)
        differ += (least if least is not None and least <= depth else None) != found.get(policy)
    print(f"{len(found):,} policies refuted within {depth} steps; {differ} differ from docs/policies.csv")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
