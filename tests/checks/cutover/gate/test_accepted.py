"""What the gates accept in their own scopes is safe in wider ones."""

from dataclasses import replace

import pytest
from places import DOCS

from cutproof.checks.cutover.gate import accepted, lattice
from cutproof.checks.cutover.safeguards.necessity import OPEN
from cutproof.checks.engines.plain.explore import explore
from cutproof.checks.engines.verdict import Holds
from cutproof.model.cutover.coordinator import cutover
from cutproof.model.cutover.mechanisms import Acknowledge, AntiEntropy, Cleanup, ReplicaAck
from cutproof.model.cutover.policy import DrainOnTimeout, Policy, Strength, policies, resolve, sound_gate
from cutproof.model.cutover.scopes import SCOPES, SMALL_SCOPES

PAGE = (DOCS / "findings.md").read_text(encoding="utf-8")


@pytest.mark.sampled(6)
@pytest.mark.parametrize("name", accepted.QUICK)
def test_every_policy_that_is_accepted_is_safe(name: str) -> None:
    found = accepted.in_scope(name)
    assert found.violated == {} and found.policies in (33, 162)
    assert f"| `{name}` | {found.policies} | {found.states:,} | 0 |" in PAGE  # drawn of today's protocol


@pytest.mark.nightly
@pytest.mark.parametrize("name", [w for w in accepted.WIDER if w not in accepted.QUICK])
def test_every_policy_that_is_accepted_is_safe_everywhere(name: str) -> None:
    found = accepted.in_scope(name)
    assert found.violated == {}
    assert f"| `{name}` | {found.policies} | {found.states:,} | 0 |" in PAGE


def test_a_policy_that_should_have_been_refused_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = Policy(skip_delta_pass=True, cleanup=Cleanup.IMMEDIATE, replicas=False)
    monkeypatch.setattr(
        accepted, "sound_gate", lambda p, _: None if p in (bad, Policy(replicas=False)) else "no"
    )
    found = accepted.in_scope("gate_alone,attempts=2,aborts=1")
    assert {policy for policy, _ in found.violated} == {bad}
    steps = found.violated[bad, "no_permanent_loss"]
    plain = explore(
        cutover(accepted.parse_scope(found.scope)).resolve(resolve(bad)), properties=["no_permanent_loss"],
        cycles=False, stop_at_first=True,
    )  # fmt: skip
    assert plain.verdicts[0].path.steps == steps


# Policies under which R, or the owner, forgets a delete that it never showed last: that is no loss.
@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("policy", "name"),
    [
        (Policy(replica_ack=ReplicaAck.REQUIRED), "no_lost_write"),
        (Policy(replica_ack=ReplicaAck.COUNTS), "no_permanent_loss"),
        (
            Policy(
                True, cleanup=Cleanup.IMMEDIATE, acknowledge=Acknowledge.ALL, anti_entropy=AntiEntropy.OFF
            ),
            "no_permanent_loss",
        ),
        (
            Policy(True, cleanup=Cleanup.AFTER_CLEAN_PASS, replica_ack=ReplicaAck.REQUIRED),
            "no_permanent_loss",
        ),
    ],
    ids=["required", "counts", "both", "clean pass"],
)
def test_a_delete_that_was_collected_explains_what_is_missing(policy: Policy, name: str) -> None:
    from cutproof.checks.engines.fast import explore as fast

    found = fast.explore(cutover(SCOPES["kinds"]).resolve(resolve(policy)), properties=[name], cycles=False)
    assert all(isinstance(v, Holds) for v in found.verdicts), found.verdicts


def test_what_the_eventual_gate_accepts_and_loses_rests_on_both_nodes() -> None:
    """The hole that docs/findings.md names: nothing that the strict gate accepts is among it."""
    found = accepted.in_scope(OPEN[0].scope_name)
    lost = {policy for policy, _ in found.violated}
    assert (found.policies, len(lost)) == (33, 15) and OPEN[0].policy in lost
    for policy in lost:
        assert policy.acknowledge is Acknowledge.ALL and sound_gate(policy) is not None
        assert policy.skip_delta_pass or policy.drain_on_timeout is DrainOnTimeout.FORCE


def test_the_command_says_how_it_is_used(capsys: pytest.CaptureFixture[str]) -> None:
    assert accepted.main(["scope"]) == 2
    assert capsys.readouterr().err == "usage: python -m cutproof.checks.cutover.gate.accepted [--write]\n"


def test_the_table_has_a_line_for_each_scope() -> None:
    lines = accepted.text(
        [accepted.Wider("a", 3, 1_000, {}), accepted.Wider("b", 3, 5, {(Policy(), "finish"): 2})]
    )
    assert lines.splitlines()[2:] == ["| `a` | 3 | 1,000 | 0 |", "| `b` | 3 | 5 | 1 |"]


@pytest.mark.nightly
def test_the_next_migration_may_begin_without_anti_entropy_whatever_the_last_one_left() -> None:
    scope, named = SMALL_SCOPES["another_policy"], {}
    for policy in (p for p in policies() if p.replicas):
        with_delta = replace(policy, skip_delta_pass=False)
        if sound_gate(policy, Strength.EVENTUAL) is None and sound_gate(with_delta) is None:
            named.setdefault(resolve(policy), policy)
    assert len(named) == 47
    run = lattice.search(scope, tuple(named), traces=False)
    bad = {(named[run.records[n]], run.claims[c].property) for n, c in run.found}
    assert [(p.changed(), name) for p, name in bad if name in accepted.EVENTUALLY] == []
