"""Rows of wide scopes: the counts of the plain engine where it can follow, and what is said without the loops."""

import pytest

from cutproof.checks.engines.plain.explore import explore
from cutproof.checks.engines.zdd import choose
from cutproof.checks.ladder import wide
from cutproof.model.cutover.coordinator import build
from cutproof.model.cutover.scopes import parse_scope

COMPILED = pytest.mark.skipif(not choose.compiled(), reason="numba is not installed")


@COMPILED
def test_a_row_has_the_counts_of_the_plain_engine() -> None:
    (row,) = wide.wide_rows(None, "writes=1,crashes=1")
    found = explore(build(parse_scope("writes=1,crashes=1")), properties=[])
    assert (row.check, row.verdict, row.code) == ("wide scope", "holds", 0)
    assert (row.states, row.transitions) == (len(found.states), found.transitions)
    assert 0 < row.facts["nodes"] < row.states


@COMPILED
def test_a_violation_fails_the_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wide, "build", lambda scope: build(scope, None, ["fence_epoch"]))
    (row,) = wide.wide_rows(None, "writes=1")
    assert (row.verdict, row.code) == ("violated", 12)


def test_without_the_loops_it_is_not_run_and_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choose, "compiled", lambda: False)
    (row,) = wide.wide_rows(None, wide.SCOPES[0])
    assert not row.ran() and row.code == 0 and row.detail == "needs the extra `fast`"


@COMPILED
@pytest.mark.nightly
def test_the_wide_scopes_of_a_full_run() -> None:
    counts = {name: row.states for name in wide.FULL for row in wide.wide_rows(None, name) if row.code == 0}
    assert len(counts) == 2 and min(counts.values()) > 10**9 and max(counts.values()) > 10**12
