"""The figures of docs/trade-offs.md and docs/chaos-report.md."""

from __future__ import annotations

from pathlib import Path

import pytest
from places import ROOT

from cutproof.checks.common.binomial import interval, upper
from cutproof.checks.cutover.loss import trade_offs as tradeoffs
from cutproof.checks.cutover.loss.report import per_million
from cutproof.checks.cutover.loss.runs import Run, run
from cutproof.checks.cutover.loss.sample import Setup
from cutproof.checks.cutover.loss.trade_offs import (
    CASES,
    FAILURES,
    MANY,
    Case,
    failing,
    failures_part,
    failures_plot,
    generated,
    main,
    policies_part,
)  # fmt: skip
from cutproof.checks.cutover.scenarios.runner import run as play
from cutproof.checks.cutover.scenarios.scenarios import SCENARIOS, Form
from cutproof.model.cutover.policy import sound_gate

TEXT = (ROOT / "docs" / "trade-offs.md").read_text(encoding="utf-8")


def rows(name: str) -> list[list[str]]:
    part = TEXT.partition(f"<!-- begin {name} -->\n")[2].partition(f"\n<!-- end {name} -->")[0]
    return [[c.strip() for c in row.strip("|").split("|")] for row in part.splitlines()[2:]]


def number(text: str) -> int:
    return int(text.replace(",", ""))


def share(text: str) -> float:
    return float(text.partition(" %")[0]) / 100


def small(setup: Setup, writes: int) -> Run:
    return run(setup, 200)


# ------------------------------------------------------------------ what is written there


def test_every_policy_is_there_with_its_bound() -> None:
    for case, row in zip(CASES, rows("policies"), strict=True):
        name, gate, acknowledged, at_risk, lost, for_good, _, bound, _, _, verdict = row
        assert name == case.name
        assert number(acknowledged) >= case.writes and number(at_risk) <= number(acknowledged)
        assert bound == per_million(upper(number(lost), number(acknowledged)))
        if not case.without:
            assert gate == ("accepts" if sound_gate(case.policy) is None else "refuses")
            assert gate == "refuses" or number(lost) == 0
        assert (verdict == "loses for good") == (number(for_good) > 0)
        if case.writes == MANY:
            assert verdict == "fewer than 1 in 1M"


def test_the_predicted_rate_is_measured() -> None:
    found = rows("failures")
    assert len(found) == len(FAILURES)
    for rate, row in zip(FAILURES, found, strict=True):
        predicted, again, acknowledged, lost, measured, _, within = row
        low, high = interval(number(lost), number(acknowledged))
        assert share(predicted) == share(again) == pytest.approx(rate)
        assert share(measured) == pytest.approx(number(lost) / number(acknowledged), rel=0.01)
        assert within == ("yes" if low <= rate <= high else "no")
    assert next(row[-1] for rate, row in zip(FAILURES, found, strict=True) if rate == 0.02) == "yes"


def test_every_scenario_is_reported() -> None:
    report = (ROOT / "docs" / "chaos-report.md").read_text(encoding="utf-8")
    for scenario in SCENARIOS:
        assert report.count(f"| `{scenario.name}` |") == 2
    assert report.count(" as it must |") == 2 * len(SCENARIOS)


# ------------------------------------------------------------------ how it is drawn


def test_a_case_is_a_line() -> None:
    case = CASES[6]
    head, _, row = policies_part(small, (case,)).splitlines()
    assert head.count("|") == row.count("|")
    assert row.startswith(f"| {case.name} | refuses |")
    accepted = policies_part(small, (Case("x", CASES[0].policy),)).splitlines()[-1]
    assert "| accepts |" in accepted and accepted.endswith("nothing lost; too few writes for 1 in 1M |")
    assert "| is not asked |" in policies_part(small, (CASES[-1],)).splitlines()[-1]


def test_the_unsafe_configuration_in_figures() -> None:
    found = [(rate, run(failing(rate), 2_000)) for rate in (0.05, 0.1)]
    part = failures_part(found)
    for rate, one in found:
        c = one.counts
        assert f"| {c.acknowledged:,} | {c.lost:,} |" in part
        assert c.lost == c.at_risk and abs(c.lost / c.acknowledged - rate) < 0.03
    assert failures_plot(found, found).count("<circle") == 2 * 2 + 2


def test_all_parts_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        tradeoffs, "every_outcome", lambda: [play(s, f) for s in SCENARIOS[3:5] for f in Form]
    )
    monkeypatch.setattr("cutproof.checks.cutover.scenarios.without.all_noticed", lambda: [])
    monkeypatch.setattr(tradeoffs, "FAILURES", (0.1, 0.2))
    monkeypatch.setattr(tradeoffs, "policies_part", lambda measure: policies_part(measure, CASES[:1]))
    found = generated(lambda setup, writes: run(setup, 2_000))
    assert {file.name: sorted(parts) for file, parts in found.items()} == {
        "trade-offs.md": ["failures", "policies"], "loss-rate.svg": [""], "chaos-report.md": ["scenarios", "without"],
    }  # fmt: skip


def test_files_are_written_only_where_asked(monkeypatch, tmp_path: Path, capsys) -> None:
    assert main(["--chek"]) == 2
    monkeypatch.chdir(tmp_path)
    assert main([]) == 2
    assert "run this from the root of a checkout" in capsys.readouterr().err
    (tmp_path / "docs").mkdir()
    for name, parts in (
        ("trade-offs.md", ("failures", "policies")),
        ("chaos-report.md", ("scenarios", "without")),
    ):
        text = "".join(f"<!-- begin {p} -->\n\n<!-- end {p} -->\n" for p in parts)
        (tmp_path / "docs" / name).write_text(f"mine\n{text}")
    drawn = {
        tradeoffs.TRADE_OFFS: {"failures": "F", "policies": "P"}, tradeoffs.PLOT: {"": "<svg/>\n"},
        tradeoffs.CHAOS: {"scenarios": "S", "without": "W"},
    }  # fmt: skip
    monkeypatch.setattr(tradeoffs, "generated", lambda measure: drawn)
    assert main(["--check"]) == 1
    assert not tradeoffs.PLOT.exists()
    assert main([]) == 0
    assert tradeoffs.PLOT.read_text() == "<svg/>\n"
    assert tradeoffs.TRADE_OFFS.read_text().startswith("mine\n<!-- begin failures -->\nF\n<!-- end")
    assert main(["--check"]) == 0


@pytest.mark.nightly
def test_the_figures_are_up_to_date(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert main(["--check"]) == 0
