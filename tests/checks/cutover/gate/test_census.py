"""The census of policies: a sample by day, all of them by night."""

from __future__ import annotations

import pytest
from places import DOCS

from cutproof.checks.cutover.gate import census
from cutproof.model.cutover.mechanisms import Acknowledge, AntiEntropy, Cleanup, ReplicaAck
from cutproof.model.cutover.policy import DrainOnTimeout, Policy, Rollback, policies, seed_gate, sound_gate

SKIPPED = {"skip_delta_pass": True, "cleanup": Cleanup.IMMEDIATE}


def judged(**knobs: object) -> census.Judged:
    return census.judge(Policy(**knobs))  # type: ignore[arg-type]


def test_the_default_is_safe_with_and_without_replicas_and_anti_entropy() -> None:
    assert judged().safe
    assert judged(replicas=False).safe
    assert judged(anti_entropy=AntiEntropy.OFF).safe
    assert judged(replica_ack=ReplicaAck.REQUIRED).safe


def test_skipping_the_delta_loses_and_what_decides_whether_for_ever() -> None:
    source_alone = judged(**SKIPPED)
    assert source_alone.loses
    assert source_alone.permanently
    healed = judged(**SKIPPED, replica_ack=ReplicaAck.REQUIRED)
    assert healed.loses
    assert not healed.permanently
    assert healed.heals
    assert not judged().heals
    assert judged(**SKIPPED, replica_ack=ReplicaAck.REQUIRED, anti_entropy=AntiEntropy.ALERT).permanently


def test_where_both_acknowledge_no_acknowledged_write_is_lost_but_a_shown_one_may_vanish() -> None:
    both = judged(**SKIPPED, acknowledge=Acknowledge.ALL)
    assert not both.loses
    assert "no_regress" in both.violated
    assert "cleanup_proved" in both.violated


def test_a_clean_up_that_waits_for_what_never_comes_is_stuck() -> None:
    assert judged(skip_delta_pass=True).stuck
    waits = {"skip_delta_pass": True, "cleanup": Cleanup.AFTER_CLEAN_PASS}
    assert judged(**waits, anti_entropy=AntiEntropy.ALERT).stuck
    assert not judged(**waits).stuck


@pytest.mark.parametrize(
    "knobs",
    [
        {"acknowledge": Acknowledge.ANY},
        {"rollback": Rollback.ROUTING_REVERT},
        {"drain_on_timeout": DrainOnTimeout.FORCE},
    ],
)
def test_a_policy_that_replaces_a_safeguard_loses(knobs: dict[str, object]) -> None:
    assert judged(**knobs).loses


# An alert takes no step: these are the policies in the strict reading.
STRICT = [policy for policy in policies() if policy.anti_entropy is AntiEntropy.ALERT]
ONE_KNOB = [policy for policy in STRICT if len(policy.changed()) == 2]  # besides the alert
ACCEPTED = [policy for policy in STRICT if sound_gate(policy) is None]


def written(policy: Policy) -> str:
    return ",".join(f"{knob}={value}" for knob, value in policy.changed().items())


@pytest.mark.sampled(3)
@pytest.mark.parametrize("policy", ONE_KNOB, ids=written)
def test_a_value_that_the_sound_gate_refuses_loses_by_itself(policy: Policy) -> None:
    found = census.judge(policy)
    assert found.loses is (sound_gate(policy) is not None)
    assert found.safe is not found.loses


@pytest.mark.sampled(3)
@pytest.mark.parametrize("policy", [*ACCEPTED, *STRICT[5::48]], ids=written)
def test_the_sound_gate_says_what_exploration_finds(policy: Policy) -> None:
    """All that it accepts, and a sample of the rest; the rest by night."""
    assert census.judge(policy).safe is (sound_gate(policy) is None)


def test_policies_of_the_same_steps_are_one() -> None:
    """With the delta on, an immediate clean-up still waits for its proof."""
    assert census.steps_of(Policy(cleanup=Cleanup.IMMEDIATE)) == census.steps_of(Policy())
    assert census.steps_of(Policy(skip_delta_pass=True)) != census.steps_of(Policy())


def test_the_score_counts_what_the_gate_lets_pass() -> None:
    sample = [
        census.judge(p)
        for p in (Policy(), Policy(**SKIPPED), Policy(**SKIPPED, anti_entropy=AntiEntropy.OFF))
    ]  # type: ignore[arg-type]
    found = census.score(sample, seed_gate)
    assert (found.policies, found.accepted, found.accepted_unsafe, found.accepted_losing) == (3, 2, 1, 1)
    assert found.refused_safe == 0


@pytest.mark.nightly
def test_the_published_census_is_what_exploration_finds() -> None:
    found = census.census()
    assert len(found) == len(list(policies()))
    assert census.text(found) in (DOCS / "findings.md").read_text(encoding="utf-8")
    assert [j.policy for j in found if j.safe] == [p for p in policies() if sound_gate(p) is None]
    assert sum(j.safe for j in found) == 54
