"""What `cutproof prove` says, and does: the protocol by induction, and a gate against the whole lattice."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cutproof.checks.cli.arguments import the_policy, the_removed, the_scope
from cutproof.checks.cli.console import say, say_json
from cutproof.checks.common.refusals import refuse
from cutproof.checks.cutover.proofs.proved import PROVED, accepted, proof_in
from cutproof.checks.engines.proof.induction import Answer, Counterexample, Proof, exit_code, side_by_side
from cutproof.checks.engines.verdict import HOLDS, SAFETY, UNKNOWN
from cutproof.model.cutover.mechanisms import Mechanisms
from cutproof.model.cutover.policy import (
    CLAUSES,
    Policy,
    Strength,
    gate_of,
    refusing_clause,
    resolve,
    seed_gate,
)

if TYPE_CHECKING:
    from cutproof.checks.cutover.gate.decide import Decision


def answer_json(answer: Answer, scope: str) -> dict[str, Any]:
    """One answer, as `--json` gives it."""
    found = answer.counterexample
    broken = list(found.broken) if found else []
    step = str(found.transition) if found and found.transition else None
    return {
        "scope": scope, "kind": answer.kind, "name": answer.name,
        "said": answer.said, "seconds": round(answer.seconds, 3),
        "broken": broken, "step": step, "reason": answer.reason,
    }  # fmt: skip


def prove_protocol(
    scope: str, without: str, policy: str, smt2: Path | None, time_out: float, json_lines: bool
) -> int:
    """Prove it in one scope, or in all of `PROVED`."""
    from cutproof.checks.engines.proof.smt2 import write_all

    names = [scope] if scope else list(PROVED)
    scopes, removed = [the_scope(name) for name in names], the_removed(without)
    chosen = the_policy(policy) if policy else None
    began, every = time.perf_counter(), list[tuple[str, Answer]]()
    try:
        for name, bounds in zip(names, scopes, strict=True):
            proof = proof_in(bounds, chosen, removed, time_out)
            obligations = list(proof.obligations())
            if smt2 is not None:
                try:
                    write_all(obligations, smt2, name)
                except OSError as error:
                    refuse(f"--smt2 {smt2}: {error.strerror or error}")
            mine = [o.ask() for o in obligations]
            every += [(name, a) for a in mine]
            if json_lines:
                for answer in mine:
                    say_json(answer_json(answer, name))
            else:
                spoken_of = [chosen] if chosen else accepted(bounds)
                say(*_told(name, mine, proof, {resolve(p, removed): p for p in spoken_of}))
    except KeyboardInterrupt:
        print(f"interrupted: {len(every)} obligations were asked", file=sys.stderr)
        return UNKNOWN
    if not json_lines:
        slow = sorted(every, key=lambda pair: -pair[1].seconds)[:3]
        slowest = ", ".join(f"{a.name} in {name} {a.seconds:.2f} s" for name, a in slow)
        said = Counter(a.said for _, a in every)
        counts = ", ".join(f"{n} {word}" for word, n in sorted(said.items()))
        say(f"{len(every)} obligations: {counts}; {time.perf_counter() - began:.1f} s; slowest: {slowest}")
    return exit_code(a for _, a in every)


def _told(
    name: str, answers: Sequence[Answer], proof: Proof, spoken_of: Mapping[Mechanisms, Policy]
) -> list[str]:
    bad = [a for a in answers if not a.proved]
    kinds = Counter(a.kind for a in answers)
    under = "1 policy" if len(spoken_of) == 1 else f"{len(spoken_of)} policies"
    counts = f"{under}, {kinds['step']} actions, {kinds['property']} always, {kinds['progress']} can always"
    if not bad:
        return [f"proved   {name}: {counts}, {sum(a.seconds for a in answers):.2f} s"]
    lines = [f"{'refuted' if any(a.said == 'refuted' for a in bad) else 'unknown'}  {name}: {counts}"]
    for answer in bad[:5]:
        lines.append(f"  {answer.kind} {answer.name}: {answer.said} {answer.reason}".rstrip())
        if found := answer.counterexample:
            first, *states = side_by_side(proof.protocol, found)
            changed = next((p.changed() for r, p in spoken_of.items() if _is(proof, found, r)), {})
            set_to = ", ".join(f"{k}={str(v).lower()}" for k, v in changed.items() if k != "replicas")
            lines += [f"  {first}{f', under {set_to}' if set_to else ''}", *(f"  {line}" for line in states)]
    if len(bad) > 5:
        lines.append(f"  and {len(bad) - 5} more obligations")
    return lines


def _is(proof: Proof, found: Counterexample, record: Mechanisms) -> bool:
    """The counterexample is one of this record."""
    return proof.symbols.codes_of(record) == found.values


# ------------------------------------------------------------------ the gate


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
    if json_lines:
        say_json(facts)
    else:
        verdict = "exact: safe is what it accepts" if found.exact else "not exact"
        say(
            f"the {gate_name} gate, {strength.value}: {verdict}",
            f"  {facts['policies']:,} policies, {facts['safe']:,} proved safe; accepted {facts['accepted']:,}, "
            f"refused {facts['refused']:,}",
            f"  accepted and unsafe {facts['false_accepts']:,}, refused and safe {facts['false_refusals']:,}, "
            f"unknown {facts['unknown']:,}; {found.seconds:.0f} s",
            *(f"  {n:,} wrongly accepted: {name}" for name, n in reasons.most_common()),
        )
    if found.false_accepts or found.false_refusals:
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
