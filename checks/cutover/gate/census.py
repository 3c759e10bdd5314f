"""The census: every policy, judged by the protocol itself, beside what a gate says of it.

Safe and unsafe are facts about the protocol under a policy. All safeguards that the policy does not switch off are in
place; the scope is `gate` (one write, late and failing deliveries, a replica, one repair at a time), or
`gate_alone` where RF * RG = 1. Policies that resolve to the same steps are explored once.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path
from typing import Any

from cutproof.checks.common.workers import exit_code_of, in_workers
from cutproof.checks.cutover.evidence import replaced
from cutproof.checks.engines.plain.explore import explore
from cutproof.checks.engines.verdict import Unknown, Violated
from cutproof.model.cutover.coordinator import cutover
from cutproof.model.cutover.policy import Policy, policies, resolve, seed_gate
from cutproof.model.cutover.scopes import SMALL_SCOPES
from cutproof.model.language.codegen import compile_terms
from cutproof.model.language.protocol import Protocol


@dataclass(frozen=True)
class Judged:
    """What exploration found of one policy: the names of the violated properties, in order."""

    policy: Policy
    violated: tuple[str, ...]
    states: int
    heals: bool  # in some state what was missing at the owner has come back

    @property
    def loses(self) -> bool:
        """An acknowledged write is missing at the owner in some state, healed later or not."""
        return "no_lost_write" in self.violated

    @property
    def permanently(self) -> bool:
        """Some reachable state is one that no repair can heal."""
        return "no_permanent_loss" in self.violated

    @property
    def stuck(self) -> bool:
        """From some state neither Complete nor Aborted can be reached."""
        return "finish" in self.violated

    @property
    def safe(self) -> bool:
        """Strictly: every *always* property and *finish* hold."""
        return not self.violated


@cache
def _symbolic(alone: bool) -> Protocol:
    return cutover(SMALL_SCOPES["gate_alone" if alone else "gate"])


def steps_of(policy: Policy) -> tuple[Any, ...]:
    """What runs under the policy, comparable: terms are interned, so equal steps are equal here."""
    protocol = _symbolic(not policy.replicas).resolve(resolve(policy))
    transitions = tuple((t.action, t.arguments, t.guards, t.updates) for t in protocol.transitions)
    return policy.replicas, transitions, protocol.claims


def judge(policy: Policy) -> Judged:
    """Explore one policy. Raises RuntimeError if the exploration was not exhaustive."""
    protocol = _symbolic(not policy.replicas).resolve(resolve(policy))
    found = explore(protocol, cycles=False)
    names = []
    for verdict in found.verdicts:
        if isinstance(verdict, Unknown):
            raise RuntimeError(f"{verdict.property} is unknown: {verdict.reason}")
        if isinstance(verdict, Violated) and verdict.form in ("always", "can_always"):
            names.append(verdict.property)
    back = compile_terms(protocol, [f.term for f in protocol.view.healed])
    heals = any(any(back(state)) for state in found.states)
    return Judged(policy, tuple(dict.fromkeys(names)), len(found.states), heals)


def census(workers: int = 2, progress: Callable[[int, int], None] | None = None) -> list[Judged]:
    """Every policy, judged, in the order of `policies()`; `progress` is told (judged, to judge)."""
    groups: dict[Any, list[Policy]] = {}
    for policy in policies():
        groups.setdefault(steps_of(policy), []).append(policy)
    first = [group[0] for group in groups.values()]
    found = {}
    judgements = in_workers(judge, first, workers)
    for done, (group, judged) in enumerate(zip(groups.values(), judgements, strict=True), 1):
        found.update({p: replace(judged, policy=p) for p in group})
        if progress:
            progress(done, len(first))
    return [found[policy] for policy in policies()]


@dataclass(frozen=True)
class Score:
    """How a gate does on the census."""

    policies: int
    accepted: int
    accepted_unsafe: int
    accepted_losing: int
    accepted_healing: int
    accepted_permanently_losing: int
    accepted_stuck: int
    refused_safe: int


def score(found: list[Judged], gate: Callable[[Policy], str | None] = seed_gate) -> Score:
    """Count what the gate accepts and refuses, beside what exploration found."""
    accepted = [j for j in found if gate(j.policy) is None]
    refused = [j for j in found if gate(j.policy) is not None]
    return Score(
        policies=len(found),
        accepted=len(accepted),
        accepted_unsafe=sum(not j.safe for j in accepted),
        accepted_losing=sum(j.loses for j in accepted),
        accepted_healing=sum(j.loses and j.heals and not j.permanently for j in accepted),
        accepted_permanently_losing=sum(j.permanently for j in accepted),
        accepted_stuck=sum(j.stuck for j in accepted),
        refused_safe=sum(j.safe for j in refused),
    )


def by_property(found: list[Judged]) -> Counter[str]:
    """How many policies violate each property."""
    return Counter(name for j in found for name in j.violated)


def knobs_that_matter(found: list[Judged]) -> Iterator[tuple[str, int]]:
    """For each knob, how many policies change their verdict when it alone is changed."""
    verdict = {j.policy: j.violated for j in found}
    for knob in (f.name for f in fields(Policy)):
        values = list(dict.fromkeys(getattr(p, knob) for p in verdict))
        changed = 0
        for policy, violated in verdict.items():
            for value in values:
                try:
                    other = replace(policy, **{knob: value})
                except ValueError:
                    continue
                if verdict[other] != violated:
                    changed += 1
                    break
        yield knob, changed


def text(found: list[Judged]) -> str:
    """The census as a part of a document."""
    s = score(found)
    rows = (
        ("all valid policies", s.policies),
        ("accepted by the seed's gate", s.accepted),
        ("- accepted, and some property is violated", s.accepted_unsafe),
        ("- accepted, and an acknowledged write is missing at the owner in some state", s.accepted_losing),
        ("- accepted, and whatever is missing can come back, and does in some run", s.accepted_healing),
        ("- accepted, and one is missing that no repair can bring back", s.accepted_permanently_losing),
        ("- accepted, and the migration cannot finish", s.accepted_stuck),
        ("refused, and every property holds", s.refused_safe),
    )
    lines = [
        "| every policy, judged by exploration | policies |",
        "|---|---|",
        *(f"| {a} | {n:,} |" for a, n in rows),
    ]
    lines += ["", "| property | policies that violate it |", "|---|---|"]
    lines += [f"| {name} | {number:,} |" for name, number in sorted(by_property(found).items())]
    lines += ["", "| knob | policies whose verdict it can change |", "|---|---|"]
    lines += [f"| {knob} | {number:,} |" for knob, number in knobs_that_matter(found)]
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """Explore every policy; print the table of what is safe, or write it. Exit code 2 for wrong usage."""
    if arguments not in ([], ["--write"]):
        print("usage: python -m cutproof.checks.cutover.gate.census [--write]", file=sys.stderr)
        return 2

    def progress(done: int, among: int) -> None:
        if done % 50 == 0 or done == among:
            print(f"{done} of {among} different policies explored", file=sys.stderr, flush=True)

    part = text(census(progress=progress))
    print(part)
    if arguments:
        path = Path("docs/findings.md")
        path.write_text(replaced(path.read_text(encoding="utf-8"), "census", part), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(exit_code_of(main))
