"""Policies: what an operator writes, what it means, and what the seed's gate says of it."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from cutproof.model.cutover.mechanisms import AntiEntropy, Mechanisms, ReplicaAck, WritesWhileSealed
from cutproof.model.cutover.policy import (
    REPLACES,
    Policy,
    Rollback,
    parse_policy,
    policies,
    policy_of,
    resolve,
    seed_gate,
    sound_gate,
)
from cutproof.model.cutover.safeguards import HARDENED, SAFEGUARDS


def test_the_default_policy_is_the_hardened_protocol() -> None:
    assert resolve(Policy()) == Mechanisms()


@pytest.mark.parametrize("name", sorted(HARDENED))
def test_a_removed_safeguard_changes_the_mechanisms_and_nothing_else_does(name: str) -> None:
    removed = resolve(Policy(), [name])
    changed = {
        f.name for f in fields(Mechanisms) if getattr(removed, f.name) != getattr(Mechanisms(), f.name)
    }
    assert changed == ({name, "writes_while_sealed"} if name == "seal_blocks_writes" else {name})


def test_an_unknown_safeguard_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown safeguard 'fences'"):
        resolve(Policy(), ["fences"])


@pytest.mark.parametrize(("knob", "value"), list(REPLACES))
def test_a_policy_value_replaces_the_safeguard_that_it_names(knob: str, value: object) -> None:
    chosen = resolve(Policy(**{knob: value}))  # type: ignore[arg-type]
    safeguard = REPLACES[knob, value]  # type: ignore[index]
    assert safeguard in SAFEGUARDS
    if safeguard == "cleanup_needs_proof":  # only where the delta is skipped, and the protocol says so itself
        assert chosen.cleanup is value
    else:
        assert not getattr(chosen, safeguard)


def test_removing_the_seal_lets_the_source_take_writes() -> None:
    assert resolve(Policy(), ["seal_blocks_writes"]).writes_while_sealed is WritesWhileSealed.SOURCE
    both = Policy(cutover_writes=WritesWhileSealed.BOTH)
    assert resolve(both, ["seal_blocks_writes"]).writes_while_sealed is WritesWhileSealed.BOTH


def test_the_lattice_is_every_valid_policy_once() -> None:
    points = list(policies())
    assert len(points) == len(set(points)) == 2 * 2 * 3 * 3 * 2 * 3 * 3 * (3 + 1)
    assert points[0] == Policy()
    for point in points[::97]:
        assert policy_of(point.changed()) == point


def test_a_replica_that_is_not_there_cannot_acknowledge() -> None:
    with pytest.raises(ValueError, match="there is no other replica"):
        Policy(replicas=False, replica_ack=ReplicaAck.REQUIRED)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("colour=red", "unknown policy"),
        ("cleanup=never", "the values are after_proof, immediate, after_clean_pass"),
        ("skip_delta_pass", "write name=value"),
        ("skip_delta_pass=maybe", "the values are true, false"),
        ("replicas=false,replica_ack=counts", "there is no other replica"),
    ],
)
def test_a_bad_policy_is_refused_in_one_line(text: str, part: str) -> None:
    with pytest.raises(ValueError, match=part) as error:
        parse_policy(text)
    assert "\n" not in str(error.value)


def test_the_seed_gate_asks_two_questions_only() -> None:
    refused = [p for p in policies() if seed_gate(p)]
    assert refused == [p for p in policies() if p.skip_delta_pass and p.anti_entropy is AntiEntropy.OFF]
    assert "UnsafeCutoverNoAntiEntropy" in (seed_gate(refused[0]) or "")


def test_the_sound_gate_accepts_what_the_census_calls_safe() -> None:
    accepted = [policy for policy in policies() if sound_gate(policy) is None]
    assert len(accepted) == 54
    assert all(seed_gate(policy) is None for policy in accepted)  # it is the stricter one
    assert Policy() in accepted


def test_the_sound_gate_gives_one_clear_line() -> None:
    refused = [reason for policy in policies() if (reason := sound_gate(policy)) is not None]
    assert refused
    assert all(reason.isprintable() and len(reason) < 120 for reason in refused)
    assert sound_gate(Policy(rollback=Rollback.ROUTING_REVERT)) == (
        "UnsafeCutover: rollback=routing_revert: the old owner lacks what was written after the activation"
    )


def test_what_the_seed_refuses_keeps_its_text() -> None:
    kept = (
        "UnsafeCutoverNoAntiEntropy: anti-entropy is disabled and delta pass is skipped — "
        "documents may be lost at cutover"
    )
    assert {seed_gate(policy) for policy in policies()} == {None, kept}
    assert {sound_gate(policy) for policy in policies() if seed_gate(policy) is not None} == {kept}


def test_undoing_what_the_sound_gate_names_ends_in_a_policy_that_it_accepts() -> None:
    for policy in policies():
        undone = policy
        while (reason := sound_gate(undone)) is not None:
            named = "skip_delta_pass=true" if reason == seed_gate(undone) else reason.split(": ")[1]
            knob, _, value = named.partition("=")
            assert undone.changed()[knob] == parse_policy(f"{knob}={value}").changed()[knob]
            undone = replace(undone, **{knob: getattr(Policy(), knob)})
