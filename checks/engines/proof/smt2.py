"""Obligations as SMT-LIB 2, for another solver: the one that this project's extra `cvc5` installs, or any.

Each file says what it is, and the answer that means *proved*: unsat.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import z3

from cutproof.checks.engines.proof.induction import Obligation
from cutproof.checks.engines.proof.symbolic import milliseconds


def text_of(obligation: Obligation) -> str:
    """One obligation: the domains, Inv (but for the start), and what a counterexample would satisfy."""
    proof, solver = obligation.proof, z3.Solver()
    solver.add(*proof.fresh().assertions())
    if obligation.kind == "start":
        solver.add(*proof.symbols.is_initial())
    else:
        solver.add(*(proof.symbols.of(c.holds) for c in proof.clauses))
    solver.add(obligation.refuted_by())
    return written(solver, f"{proof.protocol.name}: {obligation.kind} {obligation.name}")


def written(solver: Any, what: str) -> str:
    """What a solver of Z3 was told, with a line that says what it is."""
    head = f"; {what}\n; unsat means proved\n(set-logic QF_LIA)\n"
    return head + re.sub(r"^(;.*\n|\(set-info .*\)\n)*", "", str(solver.to_smt2()))


def write_all(obligations: Iterable[Obligation], folder: Path, scope: str) -> list[Path]:
    """One file each: SCOPE-KIND-NAME.smt2. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    plain = re.sub(r"[^A-Za-z0-9_=]+", "-", scope)
    return [write(folder / f"{plain}-{o.kind}-{o.name}.smt2", text_of(o)) for o in obligations]


def write(file: Path, text: str) -> Path:
    """One file, whole or not at all. Raises OSError."""
    beside = file.with_suffix(".part")
    beside.write_text(text, encoding="utf-8")
    beside.replace(file)
    return file


def ask_cvc5(text: str, time_out: float = 60.0) -> str:
    """What cvc5 says: "sat", "unsat" or "unknown". Raises ModuleNotFoundError without the extra `cvc5`."""
    import cvc5

    terms = cvc5.TermManager()
    solver = cvc5.Solver(terms)
    solver.setOption("tlimit-per", str(milliseconds(time_out)))
    parser = cvc5.InputParser(solver)
    parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, text, "obligation")
    symbols, answer = parser.getSymbolManager(), ""
    while not (command := parser.nextCommand()).isNull():
        answer += command.invoke(solver, symbols)
    return next((word for word in reversed(answer.split()) if word in ("sat", "unsat", "unknown")), "unknown")
