"""What the eventual gate is known not to see: it is exact about its two scopes, and no way back is in them."""

from __future__ import annotations

from cutproof.model.cutover.mechanisms import Acknowledge
from cutproof.model.cutover.policy import DrainOnTimeout, Policy, Strength


def open_hole(policy: Policy, strength: Strength) -> str | None:
    """What the eventual gate is known not to see, where it may be so under a policy: beyond the scopes that it is
    exact about (docs/findings.md; `traces/lost-write-gate-late-deletion-on-the-way-back.itf.json`)."""
    rests = policy.acknowledge is Acknowledge.ALL
    unchecked = policy.skip_delta_pass or policy.drain_on_timeout is DrainOnTimeout.FORCE
    if strength is not Strength.EVENTUAL or not (rests and unchecked):
        return None
    return (
        "the gate does not look at ways back: there, a late deletion of a crashed coordinator can take a write that "
        "both nodes acknowledged, and without a delta pass that waited for the drain nothing brings it back"
    )
