"""The whole lattice of policies, decided by proof, and beside it what a gate says.

A policy is safe where Z3 proves it: strictly, every *always* property by induction, that the migration can always
finish, and that clients can always be served again; eventually, that nothing is lost for good, and the same two. It is
unsafe where Z3 finds a run to a violation (`bounded.py`), or proves of a state that nothing finishes from there
(`houdini.trapped`). A policy that is neither is unknown, and counts for nothing. Safe and unsafe are facts about the
protocol: no gate is asked.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from cutproof.checks.engines.fast import explore as fast
from cutproof.checks.engines.proof.bounded import Search
from cutproof.checks.engines.proof.houdini import strongest, trapped
from cutproof.checks.engines.proof.induction import Answer, Proof
from cutproof.checks.engines.verdict import Violated
from cutproof.model.cutover.coordinator import cutover
from cutproof.model.cutover.mechanisms import Mechanisms
from cutproof.model.cutover.policy import Policy, Strength, policies, resolve
from cutproof.model.cutover.properties import LIVELY, no_permanent_loss
from cutproof.model.cutover.scopes import SMALL_SCOPES
from cutproof.model.language import expressions as ex
from cutproof.model.language.protocol import Protocol, State

DEPTH = {Strength.STRICT: 18, Strength.EVENTUAL: 24}  # steps: the longest of the shortest runs to harm
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Decision:
    """Of one policy: "safe", "unsafe" or "unknown", and why: the property, and the steps to a state that
    violates it."""

    policy: Policy
    said: str
    property: str = ""
    steps: int | None = None


def scope_of_lattice(alone: bool) -> Protocol:
    """The protocol in which policies are judged: with one copy of each document, or with replicas."""
    return cutover(SMALL_SCOPES["gate_alone" if alone else "gate"])


def proved_at_once(alone: bool, records: Sequence[Mechanisms]) -> list[Answer]:
    """One proof of the strict reading for all of these records at once: their mechanisms are symbolic."""
    proof = Proof(scope_of_lattice(alone), among=records)
    if empty := [name for what, name, there in proof.possible() if what == "mechanisms" and not there]:
        raise RuntimeError(f"records that what is proved says nothing of: {', '.join(empty)}")
    return [o.ask() for o in proof.obligations()]


def decide(
    strength: Strength, progress: Progress | None = None, chosen: Iterable[Policy] | None = None
) -> list[Decision]:
    """Every policy (or the `chosen` ones), decided, in the order of `policies()`."""
    wanted, found = list(policies() if chosen is None else chosen), dict[tuple[bool, Mechanisms], Decision]()
    for alone in (False, True):
        records = list(dict.fromkeys(resolve(p) for p in wanted if p.replicas is not alone))
        if records:
            for record, (said, name, steps) in _decided(alone, records, strength, progress).items():
                found[alone, record] = Decision(Policy(), said, name, steps)
    decided = [(p, found[not p.replicas, resolve(p)]) for p in wanted]
    return [Decision(p, d.said, d.property, d.steps) for p, d in decided]


_Told = tuple[str, str, int | None]


def _decided(
    alone: bool, records: list[Mechanisms], strength: Strength, progress: Progress | None
) -> dict[Mechanisms, _Told]:
    tell = progress or (lambda _: None)
    protocol, found = scope_of_lattice(alone), dict[Mechanisms, _Told]()
    names = () if strength is Strength.STRICT else (no_permanent_loss.name,)

    def at_depth(k: int, refuted: int, among: int, _: float) -> None:
        tell(f"depth {k}: {refuted} of {among} records refuted")

    bounded = Search(protocol, records, names).run(DEPTH[strength], at_depth)
    for f in bounded.found:
        found.update({records[i]: ("unsafe", f.property, f.path.steps) for i in f.records})
    left = [r for r in records if r not in found]
    if strength is Strength.STRICT and left and all(a.proved for a in proved_at_once(alone, left)):
        return {**found, **dict.fromkeys(left, ("safe", "", None))}
    for number, record in enumerate(left, 1):
        found[record] = _alone(protocol, record, strength)
        if number % 20 == 0:
            tell(f"{number} of {len(left)} records that are not refuted")
    return found


def _alone(protocol: Protocol, record: Mechanisms, strength: Strength) -> _Told:
    """One record that no run refutes: proved by the clauses that it keeps, or stuck somewhere."""
    always = [p for p in protocol.properties if p.form == "always"]
    kept = strongest(protocol, record, always if strength is Strength.STRICT else [no_permanent_loss], LIVELY)
    if all(kept.proved.values()):
        return "safe", "", None
    resolved = protocol.resolve(record)
    for goal in (g for g in LIVELY if not kept.proved[g.name]):
        verdict = fast.explore(resolved, properties=[goal.name], cycles=False, workers=1).verdicts[0]
        claim = next(c for c in resolved.claims if c.property == goal.name)
        if isinstance(verdict, Violated) and verdict.path:
            known = [term for _, term in kept.clauses]
            last = verdict.path.states[-1]
            if any(trapped(resolved, state, claim.holds, known) for state in (last, settled(resolved, last))):
                return "unsafe", goal.name, verdict.path.steps
    return "unknown", "", None


def settled(protocol: Protocol, state: State, steps: int = 60) -> State:
    """Where a state comes to by steps that are owed, the first that changes something each time: what is under way has
    landed there, and fewer conditions describe it."""
    seen = {state}
    for _ in range(steps):
        here = protocol.named(state)
        for transition in protocol.transitions:
            if transition.owed and ex.evaluate(transition.enabled, here, {}):
                new = {cell.name: ex.evaluate(value, here, {}) for cell, value in transition.updates}
                after = tuple(new.get(f.name, here[f.name]) for f in protocol.fields)
                if after not in seen:
                    break
        else:
            break
        seen.add(after)
        state = after
    return state


# ------------------------------------------------------------------ a gate beside it


@dataclass(frozen=True)
class Judgement:
    """What a gate says of every policy, beside what was proved. The lists are in the order of `policies()`."""

    gate: str
    strength: Strength
    decisions: tuple[Decision, ...]
    false_accepts: tuple[Decision, ...]
    false_refusals: tuple[Decision, ...]
    unknown: tuple[Decision, ...]
    accepted: int
    seconds: float

    @property
    def exact(self) -> bool:
        """The gate accepts what is safe, and nothing else; and every policy was decided."""
        return not (self.false_accepts or self.false_refusals or self.unknown)


def judge(
    gate: Callable[[Policy], str | None], name: str, strength: Strength, progress: Progress | None = None
) -> Judgement:
    """Put a gate to the proof: every policy is decided, and the gate is asked."""
    start = time.perf_counter()
    decisions = decide(strength, progress)
    return beside(decisions, gate, name, strength, time.perf_counter() - start)


def beside(
    decisions: Sequence[Decision],
    gate: Callable[[Policy], str | None],
    name: str,
    strength: Strength,
    seconds: float,
) -> Judgement:
    """What a gate says, beside what was decided in so many seconds."""
    accepts = {d.policy for d in decisions if gate(d.policy) is None}
    return Judgement(
        name, strength, tuple(decisions),
        false_accepts=tuple(d for d in decisions if d.said == "unsafe" and d.policy in accepts),
        false_refusals=tuple(d for d in decisions if d.said == "safe" and d.policy not in accepts),
        unknown=tuple(d for d in decisions if d.said == "unknown"),
        accepted=len(accepts),
        seconds=seconds,
    )  # fmt: skip
