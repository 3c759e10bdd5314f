"""The checks that count what is lost; each is seen failing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cutproof.checks.cutover.loss import runs as loss
from cutproof.checks.cutover.loss.sample import CALM, NEAR, Rates, Setup
from cutproof.checks.cutover.loss.trade_offs import ALONE, UNSAFE
from cutproof.checks.engines.verdict import HOLDS, SAFETY
from cutproof.checks.ladder import loss as verify_loss
from cutproof.checks.ladder.loss import predicted_rows, repaired_rows, safe_rows, scenario_rows, tasks
from cutproof.model.cutover.mechanisms import Cleanup


def test_the_default_policy_loses_nothing() -> None:
    told: list[str] = []
    [row] = safe_rows(told.append, "default", Setup(ALONE), 20_000)
    assert (row.verdict, row.code, row.expected) == ("holds", HOLDS, "holds")
    assert row.detail.startswith("0 of ") and row.facts["at_risk"] > 0
    assert told and told[-1] == "100% of 20,000 writes"


@pytest.mark.parametrize(
    "setup",
    [
        Setup(ALONE, ("apply_checks_version",), rates=Rates(lateness=0.2, timeouts=0.1)),
        Setup(ALONE, ("search_filters_owned",), rates=NEAR, traffic="boundary", scope="two_documents"),
    ],
)
def test_a_run_that_loses_is_not_as_expected(setup: Setup) -> None:
    [row] = safe_rows(None, "x", setup, 300 if setup.traffic == "boundary" else 4_000)
    assert (row.verdict, row.code) == ("violated", SAFETY)


def test_a_run_that_ends_early_is_not_as_expected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loss, "SURPLUS", 1)
    [row] = safe_rows(None, "x", Setup(ALONE, rates=replace(CALM, stale=1.0), each=200), 20_000)
    assert row.code == SAFETY and "were acknowledged: lower the rates" in row.detail


def test_the_predicted_rate_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    [row] = predicted_rows(None, 20_000)
    assert (row.verdict, row.expected, row.code) == ("violated", "violated", HOLDS)
    assert "% lost, 2 % predicted; the gate refuses it" in row.detail
    monkeypatch.setattr(verify_loss, "sound_gate", lambda policy: None)
    [row] = predicted_rows(None, 4_000)
    assert (row.code, row.detail) == (SAFETY, "the gate accepts it")


def test_another_rate_than_the_predicted_one_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    real = verify_loss.failing
    monkeypatch.setattr(verify_loss, "failing", lambda rate: real(2 * rate))
    [row] = predicted_rows(None, 20_000)
    assert row.code == SAFETY


def test_anti_entropy_alone_heals_only_where_clean_up_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    [once] = repaired_rows(None, Cleanup.IMMEDIATE, 4_000)
    [waits] = repaired_rows(None, Cleanup.AFTER_CLEAN_PASS, 4_000)
    assert (once.verdict, once.code, waits.verdict, waits.code) == ("violated", HOLDS, "holds", HOLDS)
    assert once.facts["permanent"] > 0 == waits.facts["permanent"] and waits.facts["lost"] > 0
    monkeypatch.setattr(verify_loss, "failing", lambda rate: Setup(UNSAFE, (), None, CALM, traffic="seed"))
    assert repaired_rows(None, Cleanup.IMMEDIATE, 2_000)[0].code == SAFETY
    assert repaired_rows(None, Cleanup.AFTER_CLEAN_PASS, 2_000)[0].code == SAFETY


def test_a_scenario_is_two_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = scenario_rows(None, 4)
    assert [r.name for r in rows] == ["4 no_ae_no_delta_blocked pure", "4 no_ae_no_delta_blocked mixed"]
    assert all((r.verdict, r.code) == ("holds", HOLDS) and r.facts["passed"] for r in rows)
    from cutproof.checks.cutover.scenarios import runner as chaos

    real = chaos.run

    def failing(*arguments: object) -> object:
        found = real(*arguments)  # type: ignore[arg-type]
        return replace(found, checks=(*found.checks, chaos.Check("made up", False, "to fail")))

    monkeypatch.setattr(chaos, "run", failing)
    assert [(r.verdict, r.code, r.detail) for r in scenario_rows(None, 4)] == [
        ("violated", SAFETY, "made up: to fail")
    ] * 2


def test_half_a_million_writes_are_part_of_the_ladder() -> None:
    daily, full = tasks(False), tasks(True)
    assert [t.arguments[2] for t in daily if t.name == "loss default"] == [500_000]
    assert [t.arguments[2] for t in full if t.name == "loss default"] == [3_000_000]
    assert len([t for t in full if t.name.startswith("scenario")]) == 19
    assert {t.name for t in full} - {t.name for t in daily} == {"scenario 10"}
    assert {t.arguments[1] for t in full if t.name.startswith("scenario")} == {1}


def test_a_part_of_a_scenario_says_so() -> None:
    assert {r.detail for r in scenario_rows(None, 7, 50)} == {"14 checks, 1 in 50 of its writes"}
