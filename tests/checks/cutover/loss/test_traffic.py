"""One migration as a sample: what is counted is what happened."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from cutproof.checks.cutover.loss.report import exit_code, facts, text
from cutproof.checks.cutover.loss.runs import Run
from cutproof.checks.cutover.loss.sample import CALM, PUTS, Counts, Rates, Setup, parse_mix
from cutproof.checks.cutover.loss.traffic import NEW, OLD, Misfortune, Traffic, migrate
from cutproof.checks.engines.verdict import LIVENESS
from cutproof.impl import Cluster, UnsafeCutover
from cutproof.impl.node import Message
from cutproof.impl.record import Phase, Record
from cutproof.impl.shard import Shard
from cutproof.model.cutover.mechanisms import AntiEntropy, Cleanup
from cutproof.model.cutover.policy import Policy

ALONE = Policy(replicas=False)
SKIPPED = replace(ALONE, skip_delta_pass=True)
UNSAFE = replace(SKIPPED, anti_entropy=AntiEntropy.OFF, cleanup=Cleanup.IMMEDIATE)
FAILING = Setup(UNSAFE, (), None, replace(CALM, failures=0.02), PUTS, each=300, traffic="seed")


def counted(setup: Setup, migrations: int = 20) -> Counts:
    return sum((migrate(setup, n) for n in range(migrations)), Counts())


@pytest.mark.sampled(3)
@pytest.mark.parametrize("policy", [ALONE, Policy(), replace(ALONE, anti_entropy=AntiEntropy.OFF)])
@pytest.mark.parametrize("seed", range(3))
def test_every_safeguard_in_place_nothing_is_lost(policy: Policy, seed: int) -> None:
    c = counted(Setup(policy, seed=seed, each=500), 25)
    assert c.migrations == 25 == c.finished + c.aborted
    assert not (c.lost or c.lost_outside or c.stale_reads or c.wrong_searches or c.stuck)
    assert not any(c.seen.values())
    assert c.acknowledged + c.acknowledged_later + c.refused + c.failed == c.writes
    assert c.acknowledged >= 0.9 * c.writes  # by CLEANUP; some that were held are answered later
    assert c.acknowledged + c.acknowledged_later >= 0.95 * c.writes
    assert c.at_risk >= 0.01 * c.acknowledged
    assert c.crashes and c.held and c.repaired_by_delta and c.copied


def test_clients_that_are_not_served_when_all_is_over_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broken coordinator: the new owner is recorded without a new epoch, so that the router's writes are refused."""
    change = Shard.change

    def broken(self: Shard, expected: Record, **changes: Any) -> bool:
        if changes.get("phase") is Phase.ACTIVATE:
            changes.pop("epoch", None)
        return change(self, expected, **changes)

    setup = Setup(ALONE, rates=CALM, each=40)
    served = counted(setup, 3)
    assert not served.unserved and not any(served.in_vain.values()) and served.sealed_steps < served.steps
    monkeypatch.setattr(Shard, "change", broken)
    found = counted(setup, 3)
    assert found.unserved == found.in_vain["write"] == found.seen["STK"] == 3
    told = Run(setup, 1, found)
    assert exit_code(told) == LIVENESS and facts(told)["in_vain"]["write"] == 3
    assert any(line.startswith("not served    after 3 migrations") for line in text(told))


def test_the_same_number_is_the_same_migration() -> None:
    assert migrate(Setup(), 3) == migrate(Setup(), 3)
    assert migrate(Setup(), 3) != migrate(Setup(), 4)


def test_the_source_is_really_deleted() -> None:
    traffic = Traffic(Setup(rates=CALM), 0)
    traffic.run()
    replicas = traffic.shard.replicas
    assert traffic.migration.complete
    assert not replicas[0, OLD].documents
    assert replicas[0, NEW].documents
    assert traffic.shard.record.phase is Phase.COMPLETE


@pytest.mark.parametrize("number", range(8))
def test_losses_are_those_of_the_audit(number: int) -> None:
    setup = Setup(UNSAFE, (), None, replace(Rates(), failures=0.05), seed=1, each=400)
    traffic = Traffic(setup, number)
    c = traffic.run()
    audit = traffic.cluster.audit()
    assert c.lost_for_good + c.lost_outside == len(audit.lost)
    assert c.lost_outside or c.permanent == {k: audit.kinds()[k] for k in c.permanent}
    for kind, (_, key) in c.first.items():
        assert {e.key: e.kind for e in audit.lost}[key] == kind
        assert traffic.cluster.get(key) is None or kind != "LAW"


def test_where_nothing_repairs_what_failed_is_lost() -> None:
    """As in the seed's runs: exactly the writes whose delivery to N failed, and nothing else."""
    for number in range(5):
        traffic, struck = Traffic(FAILING, number), list[Message]()
        network = traffic.cluster.network
        fail = network.fail
        network.fail = partial(lambda fail, struck, m: (struck.append(m), fail(m)), fail, struck)  # type: ignore[method-assign]
        c = traffic.run()
        assert c.writes == c.acknowledged == 300
        assert c.lost == c.lost_for_good == c.permanent["LAW"] == c.at_risk == len(struck) > 0
        assert c.seen["LAW"] == 1


def test_the_gate_refuses_what_is_unsafe() -> None:
    with pytest.raises(UnsafeCutover):
        migrate(replace(FAILING, gate="sound"), 0)


def test_anti_entropy_alone_heals_only_where_clean_up_waits() -> None:
    waits = replace(FAILING, policy=replace(SKIPPED, cleanup=Cleanup.AFTER_CLEAN_PASS))
    healed = counted(waits, 5)
    assert healed.lost_for_good == healed.lost_outside == 0
    assert healed.healed["LAW"] == healed.lost > 10
    at_once = counted(replace(FAILING, policy=replace(SKIPPED, cleanup=Cleanup.IMMEDIATE)), 5)
    assert at_once.lost_for_good > 10


@pytest.mark.parametrize(
    ("without", "kind"),
    [
        ("delta_compares_versions", "LU"),
        ("apply_checks_version", "LU"),
        ("tombstones", "RD"),
        ("fence_epoch", "LAW"),
    ],
)
def test_a_missing_safeguard_loses(without: str, kind: str) -> None:
    rates = Rates(failures=0.05, lateness=0.05, timeouts=0.02, stale=0.05)
    c = counted(Setup(ALONE, (without,), rates=rates, each=400), 40)
    assert c.permanent[kind] + c.healed[kind] + c.lost_outside > 0
    assert c.seen[kind] > 0


def test_rates_are_those_that_were_asked_for() -> None:
    c = counted(Setup(rates=replace(CALM, crashes=1.0), each=50), 4)
    assert c.crashes > 20
    assert counted(Setup(rates=CALM, each=50), 4).crashes == 0
    assert counted(Setup(rates=replace(CALM, source_failures=1.0), each=50), 4).failed > 50
    assert counted(Setup(rates=replace(CALM, aborts=1.0), each=200), 12).attempts > 12
    stale = counted(Setup(rates=replace(CALM, stale=1.0), each=50), 4)
    assert stale.refused > stale.acknowledged


def test_clients_write_what_the_mix_says() -> None:
    traffic = Traffic(Setup(rates=CALM, mix=parse_mix("deletes=1"), each=200), 0)
    traffic.run()
    window = [w.copy for w in traffic.writes if w.copy.content is not None]
    assert len(window) <= traffic.limit  # those that were under way when the migration began
    partial = Traffic(Setup(rates=CALM, mix=parse_mix("patches=1"), each=200), 0)
    partial.run()
    assert any(len(c.content or {}) >= 1 for c in partial.shard.owner.documents.values())


def test_what_is_late_lands_later() -> None:
    cluster = Cluster([OLD], 1, 1)
    cluster.nodes[OLD].plan = Misfortune(cluster.network.random, hit := set(), late=1.0)
    write = cluster.submit("a", {"n": 1})
    while cluster.network.pool:
        cluster.network.tick()
    assert not write.answered and hit == {id(write)}
    cluster.nodes[OLD].plan = None
    cluster.network.reconsider()
    while cluster.network.pool:
        cluster.network.tick()
    assert write.acknowledged


@pytest.mark.parametrize("rates", [Rates(partitions=0.5), Rates(aborts=1.0), Rates(crashes=0.5), Rates()])
def test_what_goes_wrong_before_anybody_writes_ends_too(rates: Rates) -> None:
    setup = Setup(rates=rates, each=20, traffic="seed")
    counts = sum((migrate(setup, number) for number in range(40, 60)), Counts())
    assert counts.finished + counts.aborted == counts.migrations == 20 and not counts.stuck
    assert counts.finished > 0 and (counts.aborted > 0 or rates.aborts < 1)
