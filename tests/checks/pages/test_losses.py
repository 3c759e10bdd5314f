"""The report of a loss run: its rates are the run's, and its course ends where the run does."""

from __future__ import annotations

import pytest
import reports

from cutproof.checks.common import plots
from cutproof.checks.common.binomial import interval, upper
from cutproof.checks.pages import losses
from cutproof.checks.pages.parts import About

ABOUT = About("cutproof loss")


@pytest.mark.parametrize("lost", [0, 3])
def test_rates_and_counts_are_those_of_the_run(lost: int) -> None:
    run = reports.loss_run(lost)
    found = losses.rates_of(run.counts)
    assert [(r.name, r.lost, r.of) for r in found[:2]] == [
        ("acknowledged writes", 10 * lost, 10_000),
        ("migrations that lose some", 10 * lost, 200),
    ]
    low, high = interval(10 * lost, 10_000)
    assert (found[0].low, found[0].high) == (low, high if lost else upper(0, 10_000))
    assert len(found) == (5 if lost else 2)
    index = losses.files(run, {"LAW": "no trace: it cannot be cut down"}, ABOUT)["index.html"]
    assert f"<h1>{10 * lost:,} of 10,000 acknowledged writes are lost</h1>" in index
    assert ("it cannot be cut down" in index) is bool(lost)
    assert ('class="bad"' in index) is bool(lost)


@pytest.mark.parametrize("most", [4, 7, 60])
def test_the_course_ends_where_the_run_does(most: int) -> None:
    course = losses.course(reports.loss_run(2), most)
    assert len(course) <= min(most, 10) and course[-1].of == 10_000 and course[-1].lost == 20
    assert [p.of for p in course] == sorted({p.of for p in course})


def test_without_matplotlib_the_table_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plots, "there", lambda: False)
    index = losses.files(reports.loss_run(3), {}, ABOUT)["index.html"]
    assert "pip install" in index and "<figure>" not in index and '<table id="lost">' in index


def test_with_it_there_are_two_plots_described_in_words() -> None:
    pytest.importorskip("matplotlib")
    run = reports.loss_run(3)
    index = losses.files(run, {}, ABOUT)["index.html"]
    assert index.count("<figure>") == 2 and "acknowledged writes: 30 of 10,000" in index
    assert index == losses.files(run, {}, ABOUT)["index.html"]
