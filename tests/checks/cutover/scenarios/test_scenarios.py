"""The seed's nineteen scenarios, each in two forms; and that what they check can fail."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from cutproof.checks.cutover.scenarios.runner import (
    Check,
    Figures,
    Outcome,
    chaos_report,
    facts,
    line,
    part_of,
    run,
)
from cutproof.checks.cutover.scenarios.scenarios import SCENARIOS, Burst, Form, Scenario, When, find
from cutproof.checks.cutover.scenarios.traffic import Ledger
from cutproof.impl import Cluster, Status, UnsafeCutover
from cutproof.impl.faults import Faults
from cutproof.impl.miroir import GATES
from cutproof.impl.record import LIVE
from cutproof.impl.shard import Shard
from cutproof.model.cutover.mechanisms import AntiEntropy, Cleanup
from cutproof.model.cutover.policy import seed_gate

# Protocol §8, in its order.
# fmt: off
NAMES = [
    "with_anti_entropy", "skip_delta_with_ae", "no_ae_with_delta", "no_ae_no_delta_blocked", "boundary_burst",
    "high_volume", "loss_rate_no_ae_delta", "validation_gates", "tight_loop_boundary", "loss_rate_1m_ae_on",
    "loss_rate_no_ae_no_delta", "concurrent_migration_writes", "three_node_cluster", "three_node_no_ae_with_delta",
    "network_partition_new_node", "drain_timeout_boundary", "concurrent_migrations", "partial_shard_failure",
    "coordinator_crash_recovery",
]
# fmt: on
PURE, MIXED = Form
BOTH = [(s, form) for s in SCENARIOS for form in Form]
MILLION = 10  # has so many writes
MANY = 50_000  # writes in one burst: by day there are fewer
PHASES = {phase.value for phase in LIVE}


def assert_fails(outcome: Outcome, *texts: str) -> None:
    """It does not pass, and these are among the checks that fail."""
    failed = {c.text for c in outcome.failures}
    assert not outcome.passed
    assert failed >= set(texts), failed
    assert "FAILED" in line(outcome)


def has_many(scenario: Scenario) -> bool:
    return any(burst.count >= MANY for burst in scenario.traffic)


def named(cases: list[tuple[Scenario, Form]]) -> list[Any]:
    """By night alone where there are many writes."""
    return [
        pytest.param(
            s, f, id=f"{s.number}-{s.name}-{f.value}", marks=[pytest.mark.nightly] if has_many(s) else []
        )
        for s, f in cases
    ]


@pytest.mark.parametrize(("scenario", "form"), named(BOTH))
def test_scenario(scenario: Scenario, form: Form) -> None:
    outcome = run(scenario, form)
    assert outcome.passed, outcome.why
    assert "passed" in line(outcome)
    if scenario.number == MILLION and form is PURE:  # below three in a million, and not below one
        assert outcome.bound == pytest.approx(1 - 0.05 ** (1 / 1_000_500), rel=1e-9)


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize("scenario", [s for s in SCENARIOS if has_many(s)], ids=lambda s: s.name)
def test_a_scenario_of_many_writes_with_a_twentieth_of_them(scenario: Scenario, form: Form) -> None:
    outcome = run(part_of(scenario, 20), form)
    assert outcome.passed, outcome.why


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(1, 6))
def test_scenarios_under_other_schedules(seed: int) -> None:
    for scenario in SCENARIOS:
        for form in Form if scenario.number != MILLION else ():
            outcome = run(scenario, form, seed)
            assert outcome.passed, outcome.why


# ------------------------------------------------------------------ the table


def test_the_table_has_the_nineteen_names() -> None:
    assert [s.name for s in SCENARIOS] == NAMES
    assert [s.number for s in SCENARIOS] == list(range(1, 20))


def test_the_table_has_the_writes_that_the_protocol_names() -> None:
    named = {
        1: 2100, 3: 2200, 5: 750, 6: 101_100, 7: 50_500, 9: 2350, 10: 1_001_500, 11: 101_500, 12: 6300,
        13: 2600, 14: 6000, 15: 1200, 17: 1000, 18: 3000, 19: 1100,
    }  # fmt: skip
    assert {n: find(n).before + find(n).writes for n in named} == named


def test_a_scenario_is_found_by_number_and_by_name() -> None:
    for scenario in SCENARIOS:
        for name in (scenario.number, str(scenario.number), scenario.name, f"cutover_chaos_{scenario.name}"):
            assert find(name) is scenario


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("boundary_brust", r"no scenario 'boundary_brust': did you mean boundary_burst"),
        ("volume", "did you mean high_volume"),
        ("xyz", "there are 1 to 19, with_anti_entropy and others"),
        ("", "there are 1 to 19"),
        (20, "no scenario '20'"),
    ],
)
def test_an_unknown_scenario_is_refused_in_one_line(name: str | int, words: str) -> None:
    with pytest.raises(ValueError, match=words) as error:
        find(name)
    assert "\n" not in str(error.value)


# ------------------------------------------------------------------ what runs is what the table says


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize("number", [5, 12])
def test_writes_are_issued_in_every_phase(number: int, form: Form) -> None:
    assert set(run(find(number), form).phases) >= PHASES


def test_the_same_seed_gives_the_same_and_another_another() -> None:
    for number in (12, 16):
        scenario = find(number)
        first, again, other = (run(scenario, MIXED, seed) for seed in (3, 3, 4))
        assert first == again
        assert facts(first) == facts(again)
        assert first.figures != other.figures


def test_progress_is_told() -> None:
    told: list[tuple[int, int]] = []
    run(find(7), MIXED, progress=lambda done, of: told.append((done, of)))
    assert told == [(done, 50_500) for done in (16_384, 32_768, 49_152)]


# ------------------------------------------------------------------ what is checked can fail

LOST = "no acknowledged write is lost"


def without_delta(number: int) -> Scenario:
    return replace(find(number), delta=False, cleanup=Cleanup.IMMEDIATE, gate=None)


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize("number", [3, 14])
def test_without_the_delta_writes_are_lost_where_clients_read(number: int, form: Form) -> None:
    outcome = run(without_delta(number), form)
    assert_fails(outcome, LOST, "the delta repaired something")
    assert outcome.figures.lost == outcome.figures.permanent == outcome.figures.diverged > 0
    assert outcome.source_deleted


def test_the_gate_stands_before_it() -> None:
    with pytest.raises(UnsafeCutover):
        run(replace(without_delta(3), gate="sound"), PURE)


@pytest.mark.parametrize(
    ("safeguard", "number", "form", "text"),
    [
        ("seal_blocks_writes", 5, PURE, LOST),
        ("seal_blocks_writes", 9, MIXED, "what was written while sealed waited"),
        ("delta_compares_versions", 12, MIXED, LOST),
        ("apply_checks_version", 13, MIXED, LOST),
        ("tombstones", 9, MIXED, LOST),
        ("fence_epoch", 16, PURE, LOST),
        ("fence_outlives_data", 16, PURE, LOST),
        ("ack_needs_source", 16, MIXED, LOST),
        ("drain_waits_for_applied", 16, PURE, "a drain waits, or says that it ran out of time"),
        ("dual_until_seal", 16, PURE, "the run comes to its end"),
        (
            "dual_until_seal",
            3,
            PURE,
            "200 after the copy, before the seal (every 100th fails): that many did fail",
        ),
        ("durable_record", 19, MIXED, LOST),
    ],
)
def test_a_removed_safeguard_is_noticed(safeguard: str, number: int, form: Form, text: str) -> None:
    scenario = find(number)
    if number == 19:  # a run for each turn: smaller ones
        scenario = replace(scenario, before=50, traffic=tuple(replace(b, count=50) for b in scenario.traffic))
    assert_fails(run(scenario, form, without=[safeguard]), text)


@pytest.mark.parametrize("safeguard", ["delta_compares_versions", "apply_checks_version", "tombstones"])
def test_puts_with_distinct_ids_notice_nothing_of_versions(safeguard: str) -> None:
    assert run(find(12), PURE, without=[safeguard]).passed
    assert not run(find(12), MIXED, without=[safeguard]).passed


def test_a_gate_that_refuses_nothing_is_noticed() -> None:
    assert_fails(
        run(replace(find(4), gate=None), PURE),
        "refused with UnsafeCutoverNoAntiEntropy",
        "nothing has changed",
    )


def test_a_sound_gate_that_is_the_seeds_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(GATES, "sound", seed_gate)
    assert_fails(run(find(8), PURE), "the sound gate refuses exactly what loses")
    assert_fails(run(find(2), PURE), "the sound gate refuses, the seed's accepts")


def test_a_repair_that_nobody_recorded_is_noticed() -> None:
    few = (Burst(1_000, When.COPIED, every=50),)
    assert run(replace(find(11), traffic=few), PURE).passed
    outcome = run(replace(find(11), traffic=few, anti_entropy=AntiEntropy.REPAIR, passes=2_000), PURE)
    assert_fails(outcome, "as diverged as the failed deliveries say", "every failed delivery is lost")


def test_a_source_that_stays_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cutproof.impl.commands.delete", lambda shard, replica: None)
    assert_fails(run(find(17), PURE), "the run comes to its end", "the source is deleted")


def test_a_partition_that_is_none_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Faults, "cut", lambda self, node: None)
    assert_fails(run(find(15), PURE), "nothing reaches N while it is cut off")


def test_equal_rates_are_noticed() -> None:
    burst = Burst(2_000, When.COPYING, rates=(0.05,) * 4)
    assert_fails(run(replace(find(18), traffic=(burst,)), PURE), "the shards differ")


def test_a_rate_that_is_not_that_of_the_shard_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "cutproof.checks.cutover.scenarios.traffic.Deliveries.rate", lambda self, told, shard: 0.04
    )
    assert_fails(run(find(18), PURE), "shard 1: 1% fail", "shard 3: 0% fail")


def test_a_single_owner_is_noticed() -> None:
    assert_fails(run(replace(find(13), nodes=("old-0",)), PURE), "two old nodes own the shards")


def test_a_burst_that_comes_too_late_is_noticed() -> None:
    late = Burst(10, When.COPIED)
    scenario = replace(find(1), traffic=(Burst(10, When.DRAINING), late))
    assert_fails(run(scenario, PURE), f"{late}: written then")


def test_a_pass_that_never_comes_is_noticed() -> None:
    outcome = run(replace(find(1), passes=10**9), PURE)
    assert_fails(outcome, "anti-entropy made a pass while the migration lived")


def test_an_acknowledgement_that_is_not_kept_is_noticed_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Shard.acknowledge
    count = Counter[str]()

    def forgets(shard: Shard, write) -> None:  # type: ignore[no-untyped-def]
        kept(shard, write)
        count["acknowledged"] += 1
        if count["acknowledged"] in (900, 1000):  # nothing is on its way any more that would bring them back
            for replica in shard.replicas.values():
                replica.documents.pop(write.copy.key, None)

    monkeypatch.setattr(Shard, "acknowledge", forgets)
    outcome = run(find(17), PURE)
    assert_fails(outcome, LOST)
    assert outcome.figures.LAW == 2


def test_a_search_that_omits_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    searched = Cluster.search
    monkeypatch.setattr(Cluster, "search", lambda self: dict(list(searched(self).items())[1:]))
    assert_fails(run(find(17), PURE), "a search shows what gets show")


def test_an_audit_that_says_nothing_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cutproof.impl.audit.loss", lambda shard, history: "")
    outcome = run(without_delta(3), PURE)
    assert_fails(outcome, LOST, "the audit finds lost what clients find lost")


# ------------------------------------------------------------------ the ledger


def told(*answers: tuple[str, bool, Status]) -> Ledger:
    """What clients know after these writes: (key, whether it is a put, answer)."""
    ledger, cluster = Ledger(), Cluster(["a"], 1)
    for key, put, status in answers:
        write = cluster.submit(key, {} if put else None)
        ledger.issue(write, key, put)
        write.status = status
        ledger.hear([write])
    return ledger


ACKED, FAILED, REFUSED = Status.ACKNOWLEDGED, Status.FAILED, Status.REFUSED


@pytest.mark.parametrize(
    ("answers", "read", "kind"),
    [
        ([(True, ACKED)], 0, ""),
        ([(True, ACKED)], None, "LAW"),
        ([(True, ACKED), (True, ACKED)], 0, "LU"),
        ([(True, ACKED), (False, ACKED)], None, ""),
        ([(True, ACKED), (False, ACKED)], 0, "RD"),
        ([(True, ACKED), (True, FAILED)], 0, ""),  # the outcome is unknown: either may be read
        ([(True, ACKED), (True, FAILED)], 1, ""),
        ([(True, ACKED), (False, FAILED)], None, ""),
        ([(True, ACKED), (False, FAILED)], 0, ""),
        ([(True, FAILED), (True, ACKED)], 0, "LU"),  # it came before what was acknowledged
        ([(True, ACKED), (True, REFUSED)], 1, "odd"),  # it was never sent
        ([(True, REFUSED)], 0, "odd"),
        ([(True, REFUSED)], None, ""),
        ([(False, ACKED), (True, FAILED)], 1, ""),
    ],
)
def test_what_is_read_is_judged(answers: list[tuple[bool, Status]], read: int | None, kind: str) -> None:
    assert told(*(("d", put, status) for put, status in answers)).judge("d", read) == kind


def test_what_is_missed_is_lost_unless_it_was_overwritten() -> None:
    ledger = told(
        ("a", True, ACKED), ("b", True, ACKED), ("b", True, ACKED), ("c", True, ACKED), ("c", False, ACKED),
        ("d", False, ACKED), ("e", True, ACKED), ("e", True, ACKED),
    )  # fmt: skip
    assert ledger.without([]) == {}
    assert ledger.without([0, 2, 4, 5, 6]) == {"LAW": 1, "LU": 1, "RD": 1}


# ------------------------------------------------------------------ lines, facts and the report


def test_an_outcome_without_checks_has_not_passed() -> None:
    outcome = Outcome(1, "with_anti_entropy", PURE, 0, Figures(), True, {}, ())
    assert not outcome.passed
    failed = replace(outcome, checks=(Check("a", True), Check("b", False, "no"), Check("c", False)))
    assert failed.why == "b: no; c"


def test_facts_are_what_json_can_hold() -> None:
    outcome = run(find(2), MIXED)
    known = facts(outcome)
    assert json.loads(json.dumps(known)) == known
    assert known["lost"] == known["LAW"] + known["LU"] + known["RD"] == known["permanent"] > 0
    assert known["healed"] > 0
    assert known["passed"] is True
    assert [row["lost"] > 0 for row in known["rows"]] == [False, True, False]


def test_the_report_has_a_row_for_each_outcome_and_words_where_they_are_needed() -> None:
    outcomes = [run(find(n), form) for n in (16, 2, 5) for form in Form]
    report = chaos_report(outcomes)
    rows = [r for r in report.splitlines() if r.startswith(("| 2 |", "| 5 |", "| 16 |"))]
    assert [r.split(" | ")[0] for r in rows] == ["| 2", "| 2", "| 5", "| 5", "| 16", "| 16"]
    assert all("as it must" in r for r in rows)
    assert "### 2. skip_delta_with_ae" in report
    assert "fails**" not in report
    assert report == chaos_report(reversed(outcomes))


def test_the_report_says_what_fails() -> None:
    outcome = run(without_delta(3), PURE)
    report = chaos_report([outcome])
    assert "**fails**" in report
    assert LOST in report
