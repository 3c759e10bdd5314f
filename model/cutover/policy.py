"""Policy: what an operator may set, and the facts of the topology; and the gates that judge them.

`resolve` is the one mapping from a policy and the removed safeguards to the record of mechanisms. A policy
value *replaces* the safeguard that it names (`REPLACES`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from enum import Enum
from itertools import product
from typing import Any

from cutproof.model.cutover.mechanisms import (
    Acknowledge,
    AntiEntropy,
    Cleanup,
    Mechanisms,
    ReplicaAck,
    WritesWhileSealed,
)
from cutproof.model.cutover.safeguards import SAFEGUARDS


class DrainOnTimeout(Enum):
    """What the coordinator does when the drain takes too long."""

    ABORT = "abort"
    FORCE = "force"


class Strength(Enum):
    """How safe: nothing is ever missing (strict), or nothing is lost for good (eventual)."""

    STRICT = "strict"
    EVENTUAL = "eventual"


class Rollback(Enum):
    """How an operator goes back after ACTIVATE."""

    REVERSE_MIGRATION = "reverse_migration"
    ROUTING_REVERT = "routing_revert"


@dataclass(frozen=True)
class Policy:
    """One point of the lattice. Raises ValueError where a replica must acknowledge and there is none.

    `anti_entropy` folds `enabled`, `auto_repair` and a pass that never covers the shard: off, alert, repair.
    `replicas` is whether RF * RG > 1."""

    skip_delta_pass: bool = False
    drain_on_timeout: DrainOnTimeout = DrainOnTimeout.ABORT
    cutover_writes: WritesWhileSealed = WritesWhileSealed.BLOCK
    cleanup: Cleanup = Cleanup.AFTER_PROOF
    rollback: Rollback = Rollback.REVERSE_MIGRATION
    acknowledge: Acknowledge = Acknowledge.SOURCE
    anti_entropy: AntiEntropy = AntiEntropy.REPAIR
    replicas: bool = True
    replica_ack: ReplicaAck = ReplicaAck.NONE

    def __post_init__(self) -> None:
        if not self.replicas and self.replica_ack is not ReplicaAck.NONE:
            raise ValueError(
                f"replica_ack={self.replica_ack.value} with RF * RG = 1: there is no other replica; "
                "use replica_ack=none"
            )

    def changed(self) -> dict[str, str | bool]:
        """The values that differ from the default, as an operator writes them."""
        plain = Policy()
        return {
            f.name: value.value if isinstance(value := getattr(self, f.name), Enum) else value
            for f in fields(self)
            if getattr(self, f.name) != getattr(plain, f.name)
        }


def policy_of(values: Mapping[str, str | bool]) -> Policy:
    """The policy of such values by name, `{"cleanup": "immediate", "replicas": False}`; the rest are the defaults.

    Raises ValueError with one line that says what is wrong."""
    found: dict[str, object] = {}
    kinds: dict[str, Any] = {f.name: type(f.default) for f in fields(Policy)}
    for name, value in values.items():
        if name not in kinds:
            raise ValueError(f"unknown policy {name!r}: there are {', '.join(kinds)}")
        choices = {"true": True, "false": False} if kinds[name] is bool else {m.value: m for m in kinds[name]}
        text = str(value).lower()
        if text not in choices:
            raise ValueError(f"{name}={value}: the values are {', '.join(choices)}")
        found[name] = choices[text]
    return Policy(**found)  # type: ignore[arg-type]


def parse_policy(text: str) -> Policy:
    """`skip_delta_pass=true,cleanup=immediate`. Raises ValueError with one line that says what is wrong."""
    values: dict[str, str | bool] = {}
    for part in filter(None, (p.strip() for p in text.split(","))):
        name, equals, value = (p.strip() for p in part.partition("="))
        if not equals:
            raise ValueError(f"{part!r} is not a policy: write name=value")
        if values.setdefault(name, value) != value:
            raise ValueError(f"{name} is given twice: {values[name]} and {value}")
    return policy_of(values)


# A policy value, and the safeguard whose removal means the same. Immediate clean-up replaces the proof only
# where the delta is skipped, which the protocol itself says.
REPLACES: dict[tuple[str, Enum], str] = {
    ("acknowledge", Acknowledge.ANY): "ack_needs_source",
    ("cutover_writes", WritesWhileSealed.SOURCE): "seal_blocks_writes",
    ("cutover_writes", WritesWhileSealed.BOTH): "seal_blocks_writes",
    ("rollback", Rollback.ROUTING_REVERT): "roll_forward_only",
    ("drain_on_timeout", DrainOnTimeout.FORCE): "drain_waits_for_applied",
    ("cleanup", Cleanup.IMMEDIATE): "cleanup_needs_proof",
}


def resolve(policy: Policy, without: Iterable[str] = ()) -> Mechanisms:
    """What runs under a policy with some safeguards removed. Raises ValueError for an unknown safeguard."""
    removed = list(without)
    for name in removed:
        if name not in SAFEGUARDS:
            raise ValueError(f"unknown safeguard {name!r}: `cutproof safeguards` lists them")
    for (knob, value), safeguard in REPLACES.items():
        if getattr(policy, knob) is value and safeguard != "cleanup_needs_proof":
            removed.append(safeguard)
    writes = policy.cutover_writes
    if "seal_blocks_writes" in removed and writes is WritesWhileSealed.BLOCK:
        writes = WritesWhileSealed.SOURCE
    return replace(
        Mechanisms(),
        **dict.fromkeys(removed, False),
        delta=not policy.skip_delta_pass,
        writes_while_sealed=writes,
        cleanup=policy.cleanup,
        acknowledge=policy.acknowledge,
        anti_entropy=policy.anti_entropy,
        replica_ack=policy.replica_ack,
    )


def knobs() -> dict[str, tuple[Any, ...]]:
    """The knobs of a policy, each with its values in order."""
    return {
        "skip_delta_pass": (False, True),
        "drain_on_timeout": tuple(DrainOnTimeout),
        "cutover_writes": tuple(WritesWhileSealed),
        "cleanup": tuple(Cleanup),
        "rollback": tuple(Rollback),
        "acknowledge": tuple(Acknowledge),
        "anti_entropy": (AntiEntropy.REPAIR, AntiEntropy.ALERT, AntiEntropy.OFF),
        "replicas": (True, False),
        "replica_ack": tuple(ReplicaAck),
    }


def policies() -> Iterator[Policy]:
    """Every valid policy, in order."""
    for values in product(*knobs().values()):
        point = dict(zip(knobs(), values, strict=True))
        if point["replicas"] or point["replica_ack"] is ReplicaAck.NONE:
            yield Policy(**point)


def seed_gate(policy: Policy) -> str | None:
    """The seed's rule, `validate_migration_safety` of Miroir's `anti_entropy.rs`: the reason of a refusal, or None.

    It asks whether anti-entropy is enabled, not whether it repairs: an alert counts."""
    if policy.skip_delta_pass and policy.anti_entropy is AntiEntropy.OFF:
        return (
            "UnsafeCutoverNoAntiEntropy: anti-entropy is disabled and delta pass is skipped — "
            "documents may be lost at cutover"
        )
    return None


@dataclass(frozen=True)
class Clause:
    """One reason to refuse: every knob that is named has one of the values."""

    name: str
    refuses: Mapping[str, tuple[Any, ...]]
    why: str

    __hash__ = object.__hash__

    def holds_of(self, policy: Policy) -> bool:
        """The policy is refused for this reason."""
        return all(getattr(policy, knob) in values for knob, values in self.refuses.items())

    def __str__(self) -> str:
        return ", ".join(f"{knob}={'|'.join(map(_word, values))}" for knob, values in self.refuses.items())


# The sound gates: the shortest formulas of what is unsafe, derived from it and proved equal
# (`checks/cutover/gate/derive.py`).
STRICT = (
    Clause(
        "delta",
        {"skip_delta_pass": (True,)},
        "what the new node missed is not there when it becomes the owner",
    ),
    Clause(
        "drain",
        {"drain_on_timeout": (DrainOnTimeout.FORCE,)},
        "what the source accepted and applies late is behind the delta pass",
    ),
    Clause(
        "writes",
        {"cutover_writes": (WritesWhileSealed.SOURCE, WritesWhileSealed.BOTH)},
        "writes during drain and delta go to the source behind the scan",
    ),
    Clause(
        "rollback",
        {"rollback": (Rollback.ROUTING_REVERT,)},
        "the old owner lacks what was written after the activation",
    ),
    Clause(
        "acknowledge",
        {"acknowledge": (Acknowledge.ANY,)},
        "what the new node alone acknowledged is gone after an abort",
    ),
    Clause(
        "replica",
        {"replica_ack": (ReplicaAck.COUNTS,)},
        "what another replica alone acknowledged is not at the owner",
    ),
)
_SKIPPED = {"skip_delta_pass": (True,)}
_FORCED = {"drain_on_timeout": (DrainOnTimeout.FORCE,)}
_OPEN = {"cutover_writes": (WritesWhileSealed.SOURCE, WritesWhileSealed.BOTH)}
_NEVER_REPAIRS = {"anti_entropy": (AntiEntropy.ALERT, AntiEntropy.OFF)}
_NOT_REQUIRED = {"replica_ack": (ReplicaAck.NONE, ReplicaAck.COUNTS)}
_NOT_BOTH = {"acknowledge": (Acknowledge.SOURCE, Acknowledge.ANY)}
_WAITS = {"cleanup": (Cleanup.AFTER_PROOF, Cleanup.AFTER_CLEAN_PASS)}

EVENTUAL = (
    Clause(
        "rollback",
        {"rollback": (Rollback.ROUTING_REVERT,)},
        "what the new owner alone took after the activation is not at the old one, to which the routers go back",
    ),
    Clause(
        "no proof",
        {**_SKIPPED, "cleanup": (Cleanup.AFTER_PROOF,)},
        "the clean-up waits for a proof that only the delta pass makes: the migration never finishes",
    ),
    Clause(
        "writes, no repair",
        {**_OPEN, **_NEVER_REPAIRS},
        "writes during drain and delta go to the source behind the scan, and nothing repairs them",
    ),
    Clause(
        "writes, one copy",
        {**_OPEN, **_NOT_REQUIRED},
        "writes during drain and delta may be on the source alone, which is deleted",
    ),
    Clause(
        "any, no repair",
        {"acknowledge": (Acknowledge.ANY,), **_NEVER_REPAIRS},
        "the owner may lack what the new node alone acknowledged, and nothing repairs it",
    ),
    Clause(
        "any, one copy",
        {"acknowledge": (Acknowledge.ANY,), **_NOT_REQUIRED},
        "what was acknowledged may be on the new node alone, from which nothing is repaired before it is the owner",
    ),
    Clause(
        "replica, no repair",
        {**_NEVER_REPAIRS, "replica_ack": (ReplicaAck.COUNTS,)},
        "what another replica alone acknowledged is never brought to the owner",
    ),
    Clause(
        "waits, no repair",
        {**_SKIPPED, **_WAITS, **_NEVER_REPAIRS},
        "the clean-up waits for a clean pass, and no pass repairs what would make it clean",
    ),
    Clause(
        "waits, no replica",
        {**_SKIPPED, **_WAITS, "replicas": (False,)},
        "the clean-up waits for a clean pass, and without other replicas there is none that repairs",
    ),
    Clause(
        "delta, no repair",
        {**_SKIPPED, **_NOT_BOTH, **_NEVER_REPAIRS},
        "what the new node missed is deleted with the source, and nothing repairs it",
    ),
    Clause(
        "drain, no repair",
        {**_FORCED, **_NOT_BOTH, **_NEVER_REPAIRS},
        "what the source accepted and applies late is behind the delta pass, and nothing repairs it",
    ),
    Clause(
        "drain, one copy",
        {**_FORCED, **_NOT_BOTH, **_NOT_REQUIRED},
        "what the source accepted and applies late may be on the source alone, which is deleted",
    ),
    Clause(
        "delta, one copy",
        {**_SKIPPED, "cleanup": (Cleanup.AFTER_PROOF, Cleanup.IMMEDIATE), **_NOT_BOTH, **_NOT_REQUIRED},
        "what the new node missed may be on the source alone, which is deleted before anything compared them",
    ),
)
CLAUSES: dict[Strength, tuple[Clause, ...]] = {Strength.STRICT: STRICT, Strength.EVENTUAL: EVENTUAL}


def example_of(clause: Clause, strength: Strength) -> Policy:
    """The default policy but for what the clause names, with the values that the fewest other clauses refuse."""
    ways = [dict(zip(clause.refuses, values, strict=True)) for values in product(*clause.refuses.values())]
    return min(
        (replace(Policy(), **way) for way in ways),
        key=lambda policy: sum(c.holds_of(policy) for c in CLAUSES[strength]),
    )


def refusing_clause(policy: Policy, strength: Strength = Strength.STRICT) -> Clause | None:
    """The first clause that refuses the policy, or None."""
    return next((c for c in CLAUSES[strength] if c.holds_of(policy)), None)


def sound_gate(policy: Policy, strength: Strength = Strength.STRICT) -> str | None:
    """The sound gate: the reason of a refusal, or None.

    In the strict reading every property holds with anti-entropy taking no step, and the migration can finish; in the
    eventual one nothing is lost for good, and it can finish. Both are exact: `cutproof prove gate`."""
    if strength is Strength.STRICT and (known := seed_gate(policy)) is not None:
        return known
    clause = refusing_clause(policy, strength)
    if clause is None:
        return None
    written = ", ".join(f"{knob}={_word(getattr(policy, knob))}" for knob in clause.refuses)
    return f"UnsafeCutover: {written}: {clause.why}"


def _word(value: Any) -> str:
    return str(value.value) if isinstance(value, Enum) else str(value).lower()


def gate_of(strength: Strength) -> Callable[[Policy], str | None]:
    """The sound gate of one strength."""
    return lambda policy: sound_gate(policy, strength)
