"""What `cutproof prove gate` says, and does: a gate against the whole lattice of policies."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cutproof.checks.cli.console import say, say_json
from cutproof.checks.cli.pipelines import cases
from cutproof.checks.common.refusals import refuse
from cutproof.checks.engines.proof.induction import Proof
from cutproof.checks.engines.verdict import HOLDS, SAFETY, UNKNOWN
from cutproof.model.cutover.policy import CLAUSES, Strength, gate_of, refusing_clause, resolve, seed_gate

if TYPE_CHECKING:
    from cutproof.checks.cutover.gate.decide import Decision


def prove_gate(gate_name: str, strength: Strength, json_lines: bool, smt2: Path | None = None) -> int:
    """Every policy decided by proof, and what the gate says of it: 0 where the gate is exact. With `smt2` what was
    proved is written into that folder."""
    from cutproof.checks.cutover.gate.decide import judge

    def progress(text: str) -> None:
        print(f"cutproof: {text}", file=sys.stderr, flush=True)

    gate = gate_of(strength) if gate_name == "sound" else seed_gate
    try:
        found = judge(gate, gate_name, strength, progress)
    except KeyboardInterrupt:
        print("interrupted: nothing is claimed", file=sys.stderr)
        return UNKNOWN
    if smt2 is not None:
        try:
            write_proofs(found.decisions, strength, smt2)
        except OSError as error:
            refuse(f"--smt2 {smt2}: {error.strerror or error}")
    reasons = Counter(
        clause.name if (clause := refusing_clause(d.policy, strength)) else "no clause of the sound gate"
        for d in found.false_accepts
    )
    facts = {
        "gate": gate_name, "strength": strength.value, "policies": len(found.decisions), "accepted": found.accepted,
        "refused": len(found.decisions) - found.accepted, "false_accepts": len(found.false_accepts),
        "false_refusals": len(found.false_refusals), "unknown": len(found.unknown), "reasons": dict(reasons),
        "safe": sum(d.said == "safe" for d in found.decisions), "seconds": round(found.seconds, 1),
    }  # fmt: skip
    verdict = "exact: safe is what it accepts" if found.exact else "not exact"
    wrong = found.false_accepts or found.false_refusals
    outcome = cases.FAILED if wrong else cases.UNKNOWN if found.unknown else cases.PASSED
    cases.case(f"gate {gate_name}", strength.value, outcome, verdict, seconds=found.seconds)
    if json_lines:
        say_json(facts)
    else:
        say(
            f"the {gate_name} gate, {strength.value}: {verdict}",
            f"  {facts['policies']:,} policies, {facts['safe']:,} proved safe; accepted {facts['accepted']:,}, "
            f"refused {facts['refused']:,}",
            f"  accepted and unsafe {facts['false_accepts']:,}, refused and safe {facts['false_refusals']:,}, "
            f"unknown {facts['unknown']:,}; {found.seconds:.0f} s",
            *(f"  {n:,} wrongly accepted: {name}" for name, n in reasons.most_common()),
        )
    if wrong:
        return SAFETY
    return UNKNOWN if found.unknown else HOLDS


def write_proofs(decisions: Sequence[Decision], strength: Strength, folder: Path) -> None:
    """What was proved about a gate, as SMT-LIB 2: that the sound gate refuses what was refuted and nothing else; and
    for the strict reading the proof of all safe policies, an obligation a file. Raises OSError."""
    from cutproof.checks.cutover.gate import derive
    from cutproof.checks.cutover.gate.decide import scope_of_lattice
    from cutproof.checks.engines.proof import smt2

    folder.mkdir(parents=True, exist_ok=True)
    unsafe = derive.shortest(d.policy for d in decisions if d.said == "unsafe")
    _, solver = derive.apart(unsafe, [c.refuses for c in CLAUSES[strength]])
    what = f"a policy on which the {strength.value} gate and what was decided differ"
    smt2.write(folder / f"gate-{strength.value}.smt2", smt2.written(solver, what))
    for alone, name in ((False, "gate"), (True, "gate_alone")):
        safe = [d.policy for d in decisions if d.said == "safe" and d.policy.replicas is not alone]
        if safe and strength is Strength.STRICT:
            proof = Proof(scope_of_lattice(alone), among=dict.fromkeys(map(resolve, safe)))
            smt2.write_all(proof.obligations(), folder, name)
