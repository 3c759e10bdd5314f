"""What the scenarios notice, and that docs/chaos-report.md says so."""

from __future__ import annotations

import re

import pytest
from places import DOCS

from cutproof.checks.cutover.scenarios import without as chaos_without
from cutproof.checks.cutover.scenarios.scenarios import SCENARIOS, Form
from cutproof.checks.cutover.scenarios.without import (
    PLAYED,
    SEED,
    Noticed,
    all_noticed,
    noticed,
    variants,
    without_part,
)
from cutproof.model.cutover.safeguards import SAFEGUARDS

TEXT = (DOCS / "chaos-report.md").read_text(encoding="utf-8")
PART = TEXT.partition("<!-- begin without -->\n")[2].partition("\n<!-- end without -->")[0]
PURE, MIXED = Form


def test_every_safeguard_is_removed_once() -> None:
    assert list(variants()) == [*SAFEGUARDS, SEED]
    assert len(variants()[SEED]) > 30
    assert set(PLAYED) <= {s.number for s in SCENARIOS}


def test_a_lost_update_is_noticed_only_where_there_are_updates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chaos_without, "PLAYED", (1, 3))
    found = noticed("apply_checks_version")
    assert found.by == {PURE: (), MIXED: (1, 3)}
    assert found.lost[PURE] == 0 < found.lost[MIXED]


@pytest.mark.nightly
def test_all_that_is_asked_for_is_played() -> None:
    assert all(n.name in ("fence_epoch", "tombstones") for n in all_noticed(["fence_epoch", "tombstones"]))


def test_an_error_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr(chaos_without, "run", broken)
    assert noticed("tombstones").by == {PURE: PLAYED, MIXED: PLAYED}


def test_the_table() -> None:
    found = [
        Noticed("tombstones", {PURE: (), MIXED: (1, 3)}, {PURE: 0, MIXED: 1234}),
        Noticed("fence_epoch", {PURE: (16,), MIXED: ()}, {PURE: 1, MIXED: 0}),
        Noticed(SEED, {PURE: (1,), MIXED: (1,)}, {PURE: 1, MIXED: 1}),
    ]
    part = without_part(found)
    assert part.startswith(
        "2 of 2 missing safeguards are noticed by some scenario in some form: 1 in the pure form, 1 in"
    )
    assert "| tombstones | none | 0 | 1, 3 | 1,234 |" in part


def test_what_is_written_adds_up() -> None:
    rows = [
        [c.strip() for c in line.strip("|").split("|")] for line in PART.splitlines() if line.startswith("| ")
    ][1:]
    rows = [row for row in rows if not row[0].startswith("---")]
    assert [row[0] for row in rows] == [*variants()]
    single = rows[:-1]
    pure, mixed = (sum(row[i] != "none" for row in single) for i in (1, 3))
    either = sum(row[1] != "none" or row[3] != "none" for row in single)
    assert PART.startswith(f"{either} of {len(single)} missing safeguards are noticed ")
    assert f": {pure} in the pure form, {mixed} in the mixed one." in PART
    findings = re.sub(r"\s+", " ", (DOCS / "findings.md").read_text(encoding="utf-8"))
    assert f"{either} of {len(single)} are noticed by any of them, and {pure} in the pure form" in findings
