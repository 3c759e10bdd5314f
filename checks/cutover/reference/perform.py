"""A trace performed on the reference implementation, in lock step with the specification.

The path is walked on the specification first, by `checks/traces/replay.py`. Then the implementation takes the same
steps, under the same mechanisms, and must be in the specification's state after each; at the end its own audit says
what was lost.
"""

from __future__ import annotations

from dataclasses import replace

from cutproof.checks.cutover.reference.lockstep import Disagreement, LockStep
from cutproof.checks.traces.itf import Place
from cutproof.checks.traces.replay import Divergence, Replay, replay
from cutproof.checks.traces.trace import Step, Trace
from cutproof.impl.audit import audit
from cutproof.model.cutover.policy import Policy
from cutproof.model.cutover.scopes import Scope
from cutproof.model.language.protocol import Protocol


def perform(trace: Trace, protocol: Protocol, scope: Scope, policy: Policy, name: str = "trace") -> Replay:
    """Walk a trace of the cutover on both; what came of it. `protocol`, `scope` and `policy` are what its meta says.

    Raises TraceError as `replay` does, and for a trace of another protocol."""
    if trace.meta.protocol != "cutover":
        Place(name).fail(f"is of the protocol {trace.meta.protocol!r}: only a cutover can be performed")
    walked = replay(trace, protocol, name)
    if not walked.reproduced:
        return replace(
            walked, notes=(*walked.notes, "it was not performed: the specification parts with it already")
        )
    pair = LockStep(scope, policy, trace.meta.safeguards_removed)
    arguments = {a.name: a.arguments for a in protocol.actions}
    for number, step in enumerate(trace.steps, 1):
        try:
            pair.take(str(Step(step.action, {k: step.arguments[k] for k in arguments[step.action]})))
        except Disagreement as found:
            only = [*(f"only the implementation can do {n}" for n in found.implemented)]
            only += [f"only the specification can do {n}" for n in found.specified]
            reason = "; ".join([f"on the implementation {found.reason}", *only])
            divergence = Divergence(number, step, reason, differences=found.differences)
            return replace(walked, walked=walked.walked[: number - 1], divergence=divergence)
    said = f"{walked.checked}; the implementation performed it, in equal states, and audits: {audit([pair.twin.shard])}"
    return replace(walked, checked=said)
