"""The checks of the ladder that prove: what holds in runs of any length, and of every policy.

10. *proof*: in each scope every obligation is proved, and the start, every action and every phase can be together with
    the invariants. In `tracked` it is one write among any number of others.
11. *necessity*: with a necessary safeguard removed (and its companions) some obligation fails.
12. *gate*: every policy decided by proof; the sound gate is exact, the seed's is not. Strictly; with `--full` also
    eventually.
13. *accepted*: what the gates accept in their own two scopes is safe in wider ones: strictly by *proof*, eventually by
    exploring all accepted policies at once.
"""

from __future__ import annotations

import time
from typing import Any

from cutproof.checks.cutover.proofs.proved import PROVED, changed_by, proof_in
from cutproof.checks.engines.plain.search import Progress
from cutproof.checks.engines.proof.induction import Proof, exit_code, first_refuted
from cutproof.checks.engines.verdict import HOLDS, SAFETY, UNKNOWN
from cutproof.checks.ladder.tasks import Row, Task, Told
from cutproof.model.cutover.coordinator import cutover
from cutproof.model.cutover.policy import Strength, gate_of, resolve, seed_gate
from cutproof.model.cutover.scopes import parse_scope

# What only happens without a safeguard, or under another policy: no proof of the hardened protocol can take it.
NEVER = {
    "proof_fails", "rival_activates", "revert_routing", "other_migration_ends", "other_migration_hangs", "clean_pass",
}  # fmt: skip
# On the way back both fences were confirmed before, so none of theirs is late; exploration never sees one either.
NEVER_IN = {"two_migrations": {"late_fence"}}


def proof_rows(progress: Progress | None, name: str) -> list[Row]:
    """Every obligation of the hardened protocol in one scope, for all policies that the gate accepts at once."""
    start, scope = time.perf_counter(), parse_scope(name)
    proof = proof_in(scope)
    answers = [o.ask() for o in proof.obligations()]
    code, bad = exit_code(answers), [a for a in answers if not a.proved]
    empty = [
        what
        for kind, what, there in proof.possible()
        if not there and what not in NEVER | NEVER_IN.get(name, set()) and not _off(kind, what, name)
    ]
    word = {HOLDS: "proved", UNKNOWN: "unknown"}.get(code, "refuted")
    detail = f"{len(answers)} obligations, for {len(proof.among)} policies at once"
    if bad:
        detail = f"{bad[0].kind} {bad[0].name}: {bad[0].said} {bad[0].reason}".rstrip()
    elif empty:
        code, word, detail = SAFETY, "vacuous", f"cannot be together with the invariants: {', '.join(empty)}"
    slow = max(answers, key=lambda a: a.seconds)
    facts: dict[str, Any] = {"obligations": len(answers), "slowest": slow.name}
    return [Row("proof", name, "" if name == scope.describe() else scope.describe(), word, code, expected="proved",
                detail=detail, seconds=time.perf_counter() - start, facts=facts)]  # fmt: skip


def _off(kind: str, what: str, name: str) -> bool:
    """ABORTED where nothing may be aborted."""
    return kind == "phase" and what == "ABORTED" and not parse_scope(name).aborts


def necessity_rows(progress: Told | None) -> list[Row]:
    """Each necessary safeguard removed, under the policy and in the scope of its trace: an obligation fails."""
    from cutproof.checks.cutover.safeguards.necessity import NECESSARY

    start, missed, unknown = time.perf_counter(), list[str](), list[str]()
    for number, experiment in enumerate(NECESSARY):
        proof = Proof(cutover(experiment.scope), resolve(experiment.policy, experiment.removed))
        answer = first_refuted(proof, changed_by(proof, experiment))
        if answer is None:
            missed.append(experiment.file)
        elif answer.said == "unknown":
            unknown.append(experiment.file)
        if progress:
            progress(f"{number + 1} of {len(NECESSARY)} removals")
    code = SAFETY if missed else UNKNOWN if unknown else HOLDS
    detail = (
        f"{len(NECESSARY)} removals"
        if code == HOLDS
        else f"all is proved without: {', '.join(missed or unknown)}"
    )
    word = {HOLDS: "refuted", UNKNOWN: "unknown"}.get(code, "proved")
    return [Row("necessity", "each removal", "", word, code, expected="refuted", detail=detail,
                seconds=time.perf_counter() - start)]  # fmt: skip


def gate_rows(progress: Told | None, strength: str) -> list[Row]:
    """Every policy decided by proof, and both gates beside it."""
    from cutproof.checks.cutover.gate.decide import beside, decide

    start, reading = time.perf_counter(), Strength(strength)

    def told(text: str) -> None:
        if progress:
            progress(text)

    decisions, rows = decide(reading, told), []
    for name, gate, exact in (("sound", gate_of(reading), True), ("seed", seed_gate, False)):
        found = beside(decisions, gate, name, reading, time.perf_counter() - start)
        wrong = len(found.false_accepts) + len(found.false_refusals)
        word = "exact" if found.exact else "unknown" if found.unknown and not wrong else "unsound"
        expected = "exact" if exact else "unsound"
        code = HOLDS if word == expected else UNKNOWN if word == "unknown" else SAFETY
        detail = f"{len(decisions):,} policies; accepted and unsafe {len(found.false_accepts):,}, "
        detail += f"refused and safe {len(found.false_refusals):,}"
        rows.append(
            Row(
                "gate",
                f"{name}, {strength}",
                "",
                word,
                code,
                expected=expected,
                detail=detail,
                seconds=found.seconds,
            )
        )
    return rows


def accepted_rows(progress: Told | None, name: str) -> list[Row]:
    """Every policy that the eventual gate accepts, explored in a wider scope."""
    from cutproof.checks.cutover.gate.accepted import in_scope

    start = time.perf_counter()
    found = in_scope(name, progress or (lambda text: None))
    bad = next(iter(found.violated), None)
    detail = f"{bad[1]} under {bad[0].changed()}" if bad else f"{found.policies} policies"
    word, code = ("violated", SAFETY) if bad else ("holds", HOLDS)
    return [Row("accepted", name, parse_scope(name).describe(), word, code, detail=detail, states=found.states,
                seconds=time.perf_counter() - start)]  # fmt: skip


def tasks(full: bool) -> list[Task]:
    """Their tasks."""
    from cutproof.checks.cutover.gate.accepted import QUICK, WIDER

    strengths = [s.value for s in Strength] if full else [Strength.STRICT.value]
    return [
        *(Task(f"proof {name}", proof_rows, (name,), rung="proof") for name in PROVED),
        Task("necessity", necessity_rows, heavy=True, rung="necessity"),
        *(Task(f"gate {s}", gate_rows, (s,), heavy=True, rung="gate") for s in strengths),
        *(
            Task(f"accepted {name}", accepted_rows, (name,), heavy=True, rung="accepted")
            for name in (WIDER if full else QUICK)
        ),
    ]
