"""Claims of whole runs for SPIN and TLC: what is fair, and what never comes; and the verdicts of these tools.

TLC is given a weak fairness for each fair step, that faults end, and the claim as a formula. SPIN has weak fairness of
processes alone, and there is one process: so the claim is an automaton that watches it (a `never`
claim, which is what SPIN makes of a formula). It guesses that something is pending for ever and that no fault comes any
more, and waits for each fair step in turn to be taken or impossible: it accepts what does so again and again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from cutproof.checks.engines.foreign.text import Writer
from cutproof.model.language import expressions as ex
from cutproof.model.language.expressions import Term
from cutproof.model.language.properties import TEMPORAL
from cutproof.model.language.protocol import Case, Claim, Field, Protocol, Transition

BEGUN = (
    1  # of `last`: the first state of the protocol, and every rest; 0 before it, 2 and more the transitions
)


def is_temporal(protocol: Protocol) -> bool:
    """Whether a protocol claims anything of whole runs."""
    return any(c.form in TEMPORAL for c in protocol.claims)


# ------------------------------------------------------------------ TLA+


def tla_fairness(steps: Sequence[tuple[Transition, str]]) -> list[str]:
    """The fair runs: operators `Fairness` and `FairSpec`, of the transitions and their names."""
    fair = [f"    /\\ WF_vars({name})" for t, name in steps if t.fair] or ["    TRUE"]
    moves = [f"    \\/ {name}" for t, name in steps if not t.fault] or ["    FALSE"]
    return [
        "\\* What somebody owes is weakly fair, unless it is marked otherwise; faults end some time.",
        "Moves ==", *moves, "", "Fairness ==", *fair, "",
        "FairSpec == Spec /\\ Fairness /\\ <>[][Moves]_vars", "",
    ]  # fmt: skip


def tla_claim(claim: Claim, name: str, writer: Writer) -> list[str]:
    """The claim as a temporal formula."""
    if claim.form == "eventually":
        return [f"{name} ==", *(f"    /\\ <>({writer.text(k.given)})" for k in claim.cases)]
    return [
        f"{name} ==",
        *(f"    /\\ (({writer.text(k.asked)}) ~> ({writer.text(k.given)}))" for k in claim.cases),
    ]


# ------------------------------------------------------------------ Promela


@dataclass(frozen=True)
class Watched:
    """The names in a Promela model: of the variable with the last transition, and of the automaton of each claim."""

    last: str
    claims: tuple[tuple[Claim, str], ...]


def watched(protocol: Protocol, writer: Writer, claims: Sequence[tuple[Claim, str]]) -> Watched | None:
    """What is watched; None where nothing is claimed of whole runs."""
    if not is_temporal(protocol):
        return None
    return Watched(writer.names.give("last"), tuple(pair for pair in claims if pair[0].form in TEMPORAL))


def promela_last(watch: Watched, number: int) -> str:
    """The statement that notes a transition."""
    return f"{watch.last} = {number + BEGUN + 1}"


def promela_automata(protocol: Protocol, writer: Writer, watch: Watched) -> list[str]:
    """For each claim an automaton that accepts the fair runs on which it is violated."""
    lines = [f"#define no_fault ({_no_fault(protocol, watch.last)})"]
    fair = [(number, t) for number, t in enumerate(protocol.transitions) if t.fair]
    for number, t in fair:
        taken = f"{watch.last} == {number + BEGUN + 1}"
        lines.append(f"#define fair_{number} ({taken} || !({writer.text(_changes(t))}))")
    for claim, name in watch.claims:
        for place, case in enumerate(claim.cases):
            lines += [f"#ifdef LIVE_{name}_{place}", "never {", *_automaton(claim, case, writer, watch.last)]
            lines += [*_rounds([number for number, _ in fair], writer.text(case.given)), "}", "#endif"]
    return lines


def _no_fault(protocol: Protocol, last: str) -> str:
    faults = [f"{last} != {n + BEGUN + 1}" for n, t in enumerate(protocol.transitions) if t.fault]
    return " && ".join(faults) or "true"


def _changes(transition: Transition) -> Term:
    """Whether a step is possible and changes something."""
    changed = [ex.negation(ex.equal(_value_of(cell), term)) for cell, term in transition.updates]
    return ex.conjunction(transition.enabled, ex.disjunction(*changed))


def _value_of(cell: Field) -> Term:
    return ex.variable(cell.name, cell.domain.low, cell.domain.high, cell.domain.kind is bool)


def _automaton(claim: Claim, case: Case, writer: Writer, last: str) -> list[str]:
    """Until what is asked for is pending."""
    asked, given = writer.text(case.asked), writer.text(case.given)
    again = f"    :: {last} == 0 -> goto begin" if claim.form == "eventually" else "    :: true -> goto begin"
    return [
        "begin:", "    if", again, f"    :: {last} > 0 && ({asked}) && !({given}) -> goto pending", "    fi;",
        "pending:", "    if", f"    :: !({given}) -> goto pending",
        f"    :: !({given}) && no_fault -> goto wait_0", "    fi;",
    ]  # fmt: skip


def _rounds(fair: Sequence[int], given: str) -> list[str]:
    """For each fair step in turn: until it is taken, or impossible."""
    lines = list[str]()
    for place, number in enumerate(fair):
        lines += [
            f"wait_{place}:", "    if", f"    :: !({given}) && no_fault -> goto wait_{place}",
            f"    :: !({given}) && no_fault && fair_{number} -> goto wait_{place + 1}", "    fi;",
        ]  # fmt: skip
    end = f"wait_{len(fair)}"
    return [
        *lines,
        f"{end}:",
        "accept_round:",
        "    if",
        f"    :: !({given}) && no_fault -> goto wait_0",
        "    fi",
    ]


# ------------------------------------------------------------------ verdicts


def spin_accepts(output: str) -> bool:
    """Whether a `pan -a` found a run that an automaton accepts. ValueError where it did not search everything."""
    partial = re.search("max search depth too small|out of memory|Search not completed", output)
    if partial and "acceptance cycle" not in output:
        raise ValueError("the search was not complete")
    errors = re.search(r"errors: (\d+)", output)
    if not errors:
        raise ValueError("no counts")
    return errors[1] != "0"


def tlc_says_violated(output: str) -> bool:
    """Whether TLC found a fair run that violates a temporal property. ValueError where it did not search everything."""
    if "Temporal properties were violated" in output:
        return True
    if "Model checking completed. No error has been found." in output:
        return False
    wrong = re.search(r"^Error: (.*)$", output, re.MULTILINE)
    raise ValueError(wrong[1] if wrong else "the search was not complete")
