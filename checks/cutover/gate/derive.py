"""The gate, derived: the shortest formula of the policies that must be refused, from the policies that are safe.

    python -m cutproof.checks.cutover.gate.derive  # the formulas, and how they compare with the gate that runs

A *product* says of each knob which values it may have; the formula refuses a policy that is in one of its products. It
is a minimal sum of products, exactly: all prime products (none can be widened by a value), then the fewest that
cover every unsafe policy, then the fewest literals, by integer programming. Policies that are invalid input may fall
either way. (Quine and McCluskey's method for functions of many-valued variables, Rudell and
Sangiovanni-Vincentelli 1987.)
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import chain, combinations
from pathlib import Path as File
from typing import Any

import numpy as np
import numpy.typing as npt
import z3
from scipy.optimize import Bounds, LinearConstraint, milp

from cutproof.checks.cutover.evidence import replaced
from cutproof.checks.engines.proof.asking import ask, hearing
from cutproof.model.cutover.policy import CLAUSES, Clause, Policy, Strength, knobs, policies, seed_gate

Product = dict[str, tuple[Any, ...]]  # by knob, the values; a knob that may have any value is left out
Bits = npt.NDArray[np.bool_]


@cache
def _subsets(size: int) -> tuple[tuple[int, ...], ...]:
    """Every set of values but the empty one; the whole one last."""
    return tuple(chain.from_iterable(combinations(range(size), n) for n in range(1, size + 1)))


def shortest(unsafe: Iterable[Policy]) -> list[Product]:
    """The minimal sum of products of these policies, and no others; in the order of the knobs."""
    table, bad = knobs(), set(unsafe)
    names, values = list(table), list(table.values())
    shape = [len(v) for v in values]
    refuse, valid = np.ones(shape, bool), np.zeros(shape, bool)  # what is no policy may fall either way
    for policy in policies():
        place = tuple(v.index(getattr(policy, n)) for n, v in zip(names, values, strict=True))
        refuse[place], valid[place] = policy in bad, True
    primes = _primes(refuse)
    points = np.argwhere(refuse & valid)
    chosen = _cover(primes, points, shape)
    products = [
        {n: tuple(v[i] for i in _subsets(len(v))[s]) for n, v, s in zip(names, values, prime, strict=True)
         if len(_subsets(len(v))[s]) < len(v)}
        for prime in chosen
    ]  # fmt: skip
    return sorted(products, key=lambda p: (len(p), [names.index(n) for n in p], str(p)))


def _primes(refuse: Bits) -> npt.NDArray[np.int64]:
    """The products without a safe policy that cannot be widened: for each knob, the number of its set of values."""
    inside = refuse
    for axis in range(refuse.ndim):
        sets = _subsets(refuse.shape[axis])
        inside = np.stack([inside.take(s, axis).all(axis) for s in sets], axis)
    prime = inside.copy()
    for axis in range(refuse.ndim):
        sets = _subsets(refuse.shape[axis])
        for i, narrow in enumerate(sets):
            for j, wide in enumerate(sets):
                if len(wide) == len(narrow) + 1 and set(narrow) < set(wide):
                    at: list[Any] = [slice(None)] * refuse.ndim
                    at[axis] = i
                    prime[tuple(at)] &= ~inside.take(j, axis)
    return np.argwhere(prime)


def _cover(
    primes: npt.NDArray[np.int64], points: npt.NDArray[np.int64], shape: Sequence[int]
) -> list[tuple[int, ...]]:
    """The fewest primes that cover all points, and of those the fewest literals; the first by order where many are."""
    covers = np.ones((len(primes), len(points)), bool)
    literals = np.zeros(len(primes))
    for axis, size in enumerate(shape):
        sets = _subsets(size)
        has = np.array([[value in s for value in range(size)] for s in sets])
        covers &= has[primes[:, axis]][:, points[:, axis]]
        literals += np.array([min(len(s), size - len(s)) for s in sets])[primes[:, axis]]
    cost = 1000 + literals + np.arange(len(primes)) / (len(primes) + 1) / 100
    found = milp(
        cost,
        constraints=LinearConstraint(covers.T.astype(float), lb=1),
        integrality=np.ones(len(primes), np.int64),
        bounds=Bounds(0, 1),
        options={"mip_rel_gap": 0},
    )
    if not found.success:
        raise RuntimeError(f"no cover was found: {found.message}")
    return [tuple(primes[i]) for i in np.flatnonzero(found.x > 0.5)]


# ------------------------------------------------------------------ in Z3


class Knobs:
    """A policy whose knobs are not chosen, in Z3: an integer for each, the place of its value in `policy.knobs()`."""

    def __init__(self) -> None:
        self.values = knobs()
        self.of = {name: z3.Int(name) for name in self.values}

    def valid(self) -> Any:
        """It is a policy: within the values, and no acknowledgement of a replica where there is none."""
        inside = [z3.And(v >= 0, v < len(self.values[n])) for n, v in self.of.items()]
        none = self.values["replica_ack"].index(Policy().replica_ack)
        there = self.of["replicas"] == self.values["replicas"].index(True)
        return z3.And(*inside, z3.Or(there, self.of["replica_ack"] == none))

    def product(self, product: Mapping[str, Sequence[Any]]) -> Any:
        """The policy is in the product."""
        return z3.And(
            *(z3.Or(*(self.of[n] == self.values[n].index(v) for v in vs)) for n, vs in product.items())
        )

    def refused(self, products: Iterable[Mapping[str, Sequence[Any]]]) -> Any:
        """The policy is in one of the products."""
        return z3.Or(*map(self.product, products))

    def policy(self, model: Any) -> Policy:
        """The policy of a model."""
        return Policy(
            **{n: self.values[n][model.eval(v, model_completion=True).as_long()] for n, v in self.of.items()}
        )


def apart(one: Iterable[Mapping[str, Any]], other: Iterable[Mapping[str, Any]]) -> tuple[Knobs, z3.Solver]:
    """A symbolic policy, and a solver that is told that one formula refuses it and the other does not."""
    symbolic, solver = Knobs(), z3.Solver()
    solver.add(symbolic.valid(), z3.Xor(symbolic.refused(one), symbolic.refused(other)))
    return symbolic, solver


@hearing()
def differ(one: Iterable[Mapping[str, Any]], other: Iterable[Mapping[str, Any]]) -> Policy | None:
    """A policy that one formula refuses and the other does not; None where Z3 proves that there is none."""
    symbolic, solver = apart(one, other)
    said = ask(solver)
    if said == z3.unknown:
        raise TimeoutError(solver.reason_unknown())
    return symbolic.policy(solver.model()) if said == z3.sat else None


def mutants(clauses: Sequence[Clause]) -> list[tuple[str, list[Product]]]:
    """Small changes of a gate: each clause dropped, each literal negated or left out, each value added to one. (A
    value taken away from a literal may change nothing: products are as wide as they can be, and overlap.)"""
    table, all_of, found = knobs(), [dict(c.refuses) for c in clauses], list[tuple[str, list[Product]]]()

    def put(text: str, i: int, new: Product | None) -> None:
        changed = [*all_of[:i], *([new] if new is not None else []), *all_of[i + 1 :]]
        found.append((f"{clauses[i].name}: {text}", changed))

    for i, clause in enumerate(clauses):
        put("dropped", i, None)
        for name, values in clause.refuses.items():
            rest = {n: v for n, v in clause.refuses.items() if n != name}
            others = tuple(v for v in table[name] if v not in values)
            put(f"{name} negated", i, {**rest, name: others})
            put(f"{name} left out", i, rest)
            for value in table[name]:
                wider = tuple(v for v in table[name] if v in values or v == value)
                if len(values) < len(wider) < len(table[name]):
                    put(f"{name} with {_word(value)}", i, {**rest, name: wider})
    return found


def _word(value: Any) -> str:
    return str(getattr(value, "value", str(value).lower()))


def written(product: Mapping[str, Sequence[Any]]) -> str:
    """A product as text: `acknowledge = any and replica_ack in {none, counts}`."""
    parts = []
    for name, values in product.items():
        many = "{" + ", ".join(map(_word, values)) + "}"
        parts.append(f"{name} = {_word(values[0])}" if len(values) == 1 else f"{name} in {many}")
    return " and ".join(parts)


# ------------------------------------------------------------------ the seed's gate, by reasons


def wrongly_accepted(unsafe: Iterable[Policy], strength: Strength) -> list[tuple[Clause, int, int]]:
    """What the seed's gate accepts and should not, by the clause that refuses it: how many have it as their first
    reason, and how many as their only one."""
    first, only = dict.fromkeys(CLAUSES[strength], 0), dict.fromkeys(CLAUSES[strength], 0)
    for policy in unsafe:
        if seed_gate(policy) is None:
            reasons = [c for c in CLAUSES[strength] if c.holds_of(policy)]
            first[reasons[0]] += 1
            only[reasons[0]] += len(reasons) == 1
    return [(c, first[c], only[c]) for c in CLAUSES[strength]]


def safe_of(table: File = File("docs/policies.csv")) -> dict[Strength, set[Policy]]:
    """The safe policies of each strength, as the lattice decided them. Raises OSError where there is no such file."""
    with table.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    return {
        strength: {p for p, row in zip(policies(), rows, strict=True) if row[strength.value] == "true"}
        for strength in Strength
    }


def text(safe: Mapping[Strength, set[Policy]]) -> str:
    """What was derived, as a part of a document."""
    lines = []
    for strength in Strength:
        unsafe = [p for p in policies() if p not in safe[strength]]
        derived, clauses = shortest(unsafe), CLAUSES[strength]
        same = differ(derived, [c.refuses for c in clauses]) is None
        every = mutants(clauses)
        refuted = sum(differ(changed, derived) is not None for _, changed in every)
        lines += [
            f"**{strength.value.capitalize()}**: {len(unsafe):,} of {sum(1 for _ in policies()):,} policies "
            "are refused, by "
            f"{len(derived)} products. The gate that runs {'is equivalent (Z3)' if same else 'DIFFERS'}; "
            f"{refuted} of {len(every)} mutations of it are refuted, each with a policy.",
            "",
            "| refused where | why | of these the seed's gate accepts: first reason | only reason |",
            "|---|---|---|---|",
            *(
                f"| {written(c.refuses)} | {c.why} | {a:,} | {b:,} |"
                for c, a, b in wrongly_accepted(unsafe, strength)
            ),
            "",
        ]
    return "\n".join(lines[:-1])


def main(arguments: list[str]) -> int:
    """Print the shortest gates that refuse what is unsafe, or write them. Exit code 2 for wrong usage."""
    if arguments not in ([], ["--write"], ["--products"]):
        print("usage: python -m cutproof.checks.cutover.gate.derive [--write | --products]", file=sys.stderr)
        return 2
    safe = safe_of()
    if arguments == ["--products"]:
        for strength in Strength:
            print(
                strength.value,
                *map(written, shortest(p for p in policies() if p not in safe[strength])),
                sep="\n  ",
            )
        return 0
    part = text(safe)
    print(part)
    if arguments:
        page = File("docs/findings.md")
        page.write_text(replaced(page.read_text(encoding="utf-8"), "derived", part), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
