"""Runs near the boundary: deterministic, the specification's, and they find what is missing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cutproof.checks.cutover.loss.against_exploration import setup_of
from cutproof.checks.cutover.loss.boundary import BOUND, Walk, migrate, rated, scope_of_runs
from cutproof.checks.cutover.loss.sample import CALM, NEAR, Counts, Setup
from cutproof.checks.cutover.reference.lockstep import LockStep
from cutproof.checks.cutover.safeguards.necessity import NECESSARY
from cutproof.model.cutover.coordinator import build
from cutproof.model.cutover.policy import Policy

PLAIN = Setup(Policy(), rates=NEAR, traffic="boundary")
EXPERIMENTS = {e.file: e for e in NECESSARY}


def many(setup: Setup, runs: int) -> Counts:
    return sum((migrate(setup, n) for n in range(runs)), Counts())


@pytest.mark.parametrize("replicas", [True, False])
def test_every_safeguard_in_place_nothing_is_harmed(replicas: bool) -> None:
    c = many(replace(PLAIN, policy=Policy(replicas=replicas)), 150)
    assert not any(c.seen.values()), c
    assert not (c.lost or c.lost_outside or c.vanished)
    assert c.finished > 100 and c.crashes > 10 and c.attempts > c.migrations and c.acknowledged > 30
    assert c.acknowledged + c.acknowledged_later + c.refused + c.failed == c.writes


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(20))
def test_every_safeguard_in_place_nothing_is_harmed_in_many_runs(seed: int) -> None:
    c = many(replace(PLAIN, seed=seed), 2_000)
    assert not any(c.seen.values()), c


def test_the_same_number_is_the_same_run() -> None:
    assert [migrate(PLAIN, n) for n in range(5)] == [migrate(PLAIN, n) for n in range(5)]


@pytest.mark.parametrize("number", range(6))
def test_a_run_is_one_of_the_specification(number: int) -> None:
    """Step by step, in equal states; recording changes nothing."""
    setup = replace(
        PLAIN, policy=Policy(replicas=False), scope="deletes,late=1,failures=1,crashes=1,strays=1"
    )
    walk = Walk(setup, number, record=True)
    assert walk.run() == migrate(setup, number)
    pair = LockStep(scope_of_runs(setup), setup.policy)
    for step in walk.steps:
        pair.take(str(step))
    assert pair.state == pair.protocol.encode(pair.twin.abstract())
    assert len(walk.steps) > 10 and not pair.violated()


def test_faults_that_the_scope_has_no_room_for_do_not_happen() -> None:
    setup = replace(PLAIN, scope="writes=2")
    for number in range(30):
        walk = Walk(setup, number, record=True)
        walk.run()
        faults = {t.action: t.fault for t in build(scope_of_runs(setup)).transitions}
        assert {faults[s.action] for s in walk.steps} <= {"", "stale router"}


def test_where_nothing_goes_wrong_all_is_acknowledged() -> None:
    c = many(replace(PLAIN, rates=CALM, scope="writes=2"), 60)
    assert c.aborted == 0 == c.crashes
    assert c.finished == 60


def test_every_kind_of_fault_has_a_bound() -> None:
    kinds = {t.fault for e in NECESSARY for t in build(e.scope, e.policy, e.removed).transitions if t.fault}
    assert kinds <= set(BOUND)
    assert set(rated(NEAR)) <= set(BOUND)


MET = (
    "lost-write-without-fence_epoch", "lost-update-without-apply_checks_version",
    "resurrected-delete-without-tombstones", "lost-write-without-seal_blocks_writes",
    "stale-read-without-search_filters_owned", "stuck-without-per_migration_tracking",
    "lost-write-without-target_holds_no_replica", "stale-read-without-repairs_fenced",
)  # fmt: skip


@pytest.mark.sampled(2)
@pytest.mark.parametrize("name", MET)
def test_a_missing_safeguard_is_met(name: str) -> None:
    experiment = EXPERIMENTS[name]
    assert many(setup_of(experiment), 150).seen[experiment.harm] > 0
