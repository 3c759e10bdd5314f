"""What is proved of the cutover: in which scopes, and under which policies at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from cutproof.checks.engines.proof.induction import Proof
from cutproof.model.cutover.coordinator import cutover
from cutproof.model.cutover.policy import Policy, policies, resolve, sound_gate
from cutproof.model.cutover.scopes import SCOPES, Scope
from cutproof.model.language.protocol import Protocol

if TYPE_CHECKING:
    from cutproof.checks.cutover.safeguards.necessity import Experiment

# What is proved by default: the ten named scopes; one document with two operations (puts or deletes), reads, searches,
# a replica with repairs, and every kind of fault; and one write among any number of others.
EVERYTHING = "reads_and_faults,writes=2,searches=1,deletes=1,replica=1,repairs=1"
PROVED = (*SCOPES, EVERYTHING, "tracked")


def proof_in(
    scope: Scope,
    policy: Policy | None = None,
    removed: Sequence[str] = (),
    time_out: float = 60.0,
    *,
    only: Iterable[str] = (),
    change: Callable[[Protocol], Protocol] = lambda protocol: protocol,
) -> Proof:
    """The proof of the protocol within a scope, without some safeguards, under a policy; if none is given, under every
    one that the sound gate (strict) accepts, all at once. `only` names properties (all if empty), and `change` may drop
    guards."""
    protocol = change(cutover(scope))
    if policy is not None:
        return Proof(protocol, resolve(policy, removed), time_out=time_out, only=only)
    among = dict.fromkeys(resolve(p, removed) for p in accepted(scope))
    return Proof(protocol, among=among, time_out=time_out, only=only)


def accepted(scope: Scope) -> list[Policy]:
    """The policies of a scope that the sound gate accepts (strict), in the order of `policies()`."""
    return [p for p in policies() if p.replicas is scope.replica and sound_gate(p) is None]


def changed_by(proof: Proof, experiment: Experiment) -> list[str]:
    """The actions that the safeguard has a part in: where its removal makes itself felt, if anywhere."""
    others = [name for name in experiment.removed if name != experiment.safeguard]
    in_place = cutover(experiment.scope).resolve(resolve(experiment.policy, others))
    here, there = ({str(t): (t.guards, t.updates) for t in p.transitions} for p in (proof.protocol, in_place))
    return list(
        dict.fromkeys(t.action for t in proof.protocol.transitions if here[str(t)] != there.get(str(t)))
    )
