"""Why it holds: which safeguards, and which guards, the proof of each action used.

    python -m cutproof.checks.cutover.proofs.cores          # the table
    python -m cutproof.checks.cutover.proofs.cores --write  # ... into docs/findings.md

Mechanisms are symbolic here, and each safeguard is a literal that may be assumed; each guard of a transition too. Of
an obligation that is proved, Z3 names assumptions that suffice (an unsat core), and those that are not needed are
dropped one by one, guards first: where a guard or a safeguard would do, the safeguard is named.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import z3

from cutproof.checks.cutover.evidence import replaced
from cutproof.checks.cutover.proofs.proved import PROVED
from cutproof.checks.cutover.safeguards.necessity import EXPERIMENTS
from cutproof.checks.engines.proof.asking import ask, hearing
from cutproof.checks.engines.proof.induction import Obligation, Proof
from cutproof.model.cutover.coordinator import cutover
from cutproof.model.cutover.policy import Policy, resolve
from cutproof.model.cutover.safeguards import SAFEGUARDS
from cutproof.model.cutover.scopes import Scope, parse_scope

# A safeguard that runs as a policy's value (`policy.REPLACES`): its own switch is read by nothing else.
SAYS_ITSELF = "seal_blocks_writes"
SAYS = {"mechanisms.writes_while_sealed": SAYS_ITSELF}


@dataclass(frozen=True)
class Used:
    """What the proof of one action used, in one scope."""

    action: str
    safeguards: tuple[str, ...]
    guards: tuple[str, ...]


@hearing()
def used_in(scope: Scope) -> list[Used]:
    """What each action's proof used, in the order of the protocol. Raises RuntimeError where one is not proved."""
    record = resolve(Policy(replicas=scope.replica))
    proof = Proof(cutover(scope))
    codes, of = proof.symbols.codes_of(record), proof.symbols.of
    marks, solver = dict[str, z3.BoolRef](), proof.solver
    for name, term in proof.symbols.parameters.items():
        value = of(term) == (
            z3.BoolVal(bool(codes[name])) if term.boolean else proof.symbols.number(codes[name])
        )
        safeguard = SAYS.get(name, name.partition(".")[2])
        if name != f"mechanisms.{SAYS_ITSELF}" and safeguard in SAFEGUARDS:
            marks[safeguard] = z3.Bool(f"safeguard {safeguard}")
            value = z3.Implies(marks[safeguard], value)
        solver.add(value)
    steps = [o for o in proof.obligations() if o.kind == "step"]
    return [_used(proof, obligation, marks) for obligation in steps]


def _used(proof: Proof, obligation: Obligation, marks: dict[str, z3.BoolRef]) -> Used:
    of, solver, guards = proof.symbols.of, proof.solver, dict[str, z3.BoolRef]()
    ways = []
    for way in obligation.ways:
        parts = []
        for name, condition in way.transition.guards if way.transition else ():
            mark = guards.setdefault(name, z3.Bool(f"guard {obligation.name}: {name}"))
            parts.append(z3.Implies(mark, of(condition)))
        ways.append(z3.And(*parts, z3.Not(of(way.goal))))
    solver.push()
    try:
        solver.add(z3.Or(*ways))
        # Guards first, so that where either would do, the safeguard is given up last.
        literals = {
            **{("guard", n): m for n, m in guards.items()},
            **{("safeguard", n): m for n, m in marks.items()},
        }
        if ask(solver, *literals.values()) != z3.unsat:
            raise RuntimeError(f"{obligation.name} is not proved with every safeguard in place")
        core = {str(mark) for mark in solver.unsat_core()}
        kept = {key: mark for key, mark in literals.items() if str(mark) in core}
        for key in list(kept):
            rest = [m for k, m in kept.items() if k != key]
            if ask(solver, *rest) == z3.unsat:
                del kept[key]
    finally:
        solver.pop()
    names = {kind: tuple(n for k, n in kept if k == kind) for kind in ("safeguard", "guard")}
    return Used(obligation.name, names["safeguard"], names["guard"])


def table(scopes: Iterable[str]) -> dict[str, dict[str, list[str]]]:
    """By safeguard, the actions whose proof used it, each with the scopes."""
    found: dict[str, dict[str, list[str]]] = {name: {} for name in SAFEGUARDS}
    for scope in scopes:
        print(f"cutproof: cores in {scope}", file=sys.stderr, flush=True)
        for used in used_in(parse_scope(scope)):
            for safeguard in used.safeguards:
                found[safeguard].setdefault(used.action, []).append(scope)
    return found


def text(found: dict[str, dict[str, list[str]]]) -> str:
    """The table beside what removal showed, as a part of a document."""
    lines = ["| safeguard | used by the proof of | removed, it does harm under |", "|---|---|---|"]
    for name, actions in found.items():
        where = sorted({_setting(e.policy, e.companions) for e in EXPERIMENTS if e.safeguard == name})
        lines.append(f"| {name} | {', '.join(actions) or '-'} | {'; '.join(where) or '-'} |")
    return "\n".join(lines)


def _setting(policy: Policy, companions: tuple[str, ...]) -> str:
    values = ", ".join(f"{k}={str(v).lower()}" for k, v in policy.changed().items()) or "the default policy"
    return values + (f", without {', '.join(companions)}" if companions else "")


def main(arguments: list[str]) -> int:
    """Print the table, or write it into the document. Exit code 2 for wrong usage."""
    if arguments not in ([], ["--write"]):
        print("usage: python -m cutproof.checks.cutover.proofs.cores [--write]", file=sys.stderr)
        return 2
    part = text(table([*PROVED, *MORE]))
    print(part)
    if arguments:
        page = Path("docs/findings.md")
        page.write_text(replaced(page.read_text(encoding="utf-8"), "cores", part), encoding="utf-8")
    return 0


# Scopes of the experiments in which a safeguard has a role that it has in none of the others.
MORE = ("collection", "collection_and_repairs", "leftovers", "table", "two_repairs")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
