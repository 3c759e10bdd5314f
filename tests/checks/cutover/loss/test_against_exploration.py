"""Sampling against exploration: the comparison of docs/evidence.md is true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from places import ROOT

from cutproof.checks.cutover.evidence import replaced
from cutproof.checks.cutover.loss import against_exploration as comparison
from cutproof.checks.cutover.loss.against_exploration import line, main, sampled, setup_of, table
from cutproof.checks.cutover.loss.boundary import migrate
from cutproof.checks.cutover.safeguards.necessity import NECESSARY, Experiment
from cutproof.checks.traces.trace import read

TEXT = (ROOT / "docs" / "evidence.md").read_text(encoding="utf-8")
PART = TEXT.partition("<!-- begin sampling -->")[2].partition("<!-- end sampling -->")[0]
ROWS = [[c.strip() for c in row.strip("|").split("|")] for row in PART.splitlines() if row.startswith("| ")]
ROWS = ROWS[1:]  # without the head
PAIRS = list(zip(NECESSARY, ROWS, strict=True))
QUICK = next(e for e in NECESSARY if e.file == "lost-write-without-fence_epoch")


@pytest.mark.parametrize(("experiment", "row"), PAIRS, ids=[e.file for e, _ in PAIRS])
def test_the_first_run_that_saw_the_harm_sees_it_again(experiment: Experiment, row: list[str]) -> None:
    name, harm, runs, _, harmed, _, first, _, trace = row
    assert name.split()[0] == experiment.safeguard and harm == experiment.harm
    file = re.search(r"\((\.\./traces/[^)]+)\)", trace)
    assert file is not None
    stored = read(ROOT / "docs" / file[1])
    assert trace.startswith(f"[{len(stored.steps)} steps]") and stored.meta.harm == harm
    if first == "none":
        assert harmed == "0" and runs == f"{comparison.MOST:,}"
        return
    assert migrate(setup_of(experiment), int(first.replace(",", ""))).seen[harm] == 1


def test_most_are_met() -> None:
    """The text says how many are not: the few that take several rare things in one order."""
    assert sum(row[6] != "none" for row in ROWS) >= len(ROWS) - 8


def test_it_runs_until_enough_saw_the_harm() -> None:
    found = sampled(QUICK, most=2_000, enough=3)
    assert found.harmed >= 3 and found.counts.migrations % comparison.BATCH == 0
    assert found.first is not None
    setup = setup_of(QUICK)
    assert [bool(migrate(setup, n).seen["LAW"]) for n in range(found.first + 1)] == [False] * found.first + [
        True
    ]
    assert f"first in run {found.first}" in line(found)
    none = sampled(QUICK, most=5, enough=10**6)
    assert none.counts.migrations == 5


def test_a_row_says_what_was_found() -> None:
    found = sampled(QUICK, most=60, enough=1)
    head, _, row = table([found], ROOT / "traces").splitlines()
    assert row.count("|") == head.count("|")
    assert f"| {found.counts.migrations:,} | {found.counts.acknowledged:,} | {found.harmed:,} |" in row


def test_what_is_asked_for_wrongly(capsys: pytest.CaptureFixture[str], monkeypatch, tmp_path: Path) -> None:
    assert main(["--chek"]) == 2
    assert main(["fence", "--check"]) == 2
    assert main(["nonsense"]) == 2
    assert "no safeguard has 'nonsense' in its name" in capsys.readouterr().err
    monkeypatch.chdir(tmp_path)
    assert main([]) == 2
    assert "run this from the root of a checkout" in capsys.readouterr().err


def test_the_part_is_drawn_anew(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys) -> None:
    found = sampled(QUICK, most=60, enough=1)
    (tmp_path / "docs").mkdir()
    (tmp_path / "traces").symlink_to(ROOT / "traces")
    file = tmp_path / "docs" / "evidence.md"
    file.write_text("before\n<!-- begin sampling -->\n\n<!-- end sampling -->\nafter\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(comparison, "sample_all", lambda chosen: iter([found]))
    assert main(["--check"]) == 1
    assert main([]) == 0
    assert "fence_epoch | LAW" in file.read_text() and file.read_text().startswith("before\n")
    assert main(["--check"]) == 0
    assert "nothing changed" in capsys.readouterr().out
    assert main(["fence"]) == 0


@pytest.mark.nightly
def test_the_comparison_is_up_to_date() -> None:
    found = list(comparison.sample_all(NECESSARY))
    assert replaced(TEXT, comparison.PART, table(found, ROOT / "traces")) == TEXT
