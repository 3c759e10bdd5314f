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
    (row,) = wide.wide_rows(None, next(iter(wide.SCOPES)))
    assert not row.ran() and row.code == 0 and row.detail == "needs the extra `fast`"


@COMPILED
@pytest.mark.nightly
def test_the_wide_scopes_of_a_full_run() -> None:
    rows = {name: row for name, judged in wide.FULL.items() for row in wide.wide_rows(None, name, judged)}
    assert {row.verdict for row in rows.values()} == {"holds"}
    assert sorted(row.states for row in rows.values())[0] > 10**9
    assert sum(row.states > 10**12 for row in rows.values()) == 3


def test_what_is_judged_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the claims that single states do not show nothing is said where they are left out."""
    judged = list[set[str]]()
    found = wide.explore

    def seen(protocol, **options):  # type: ignore[no-untyped-def]
        judged.append({c.form for c in protocol.claims if c.property in options["properties"]})
        return found(protocol, **options)

    monkeypatch.setattr(choose, "compiled", lambda: True)
    monkeypatch.setattr(wide, "explore", seen)
    rows = [wide.wide_rows(None, "writes=1", what)[0] for what in (wide.EVERY, wide.STATES)]
    assert judged == [{"always", "sometimes", "can_always"}, {"always", "sometimes"}]
    assert [row.facts["judged"] for row in rows] == [wide.EVERY, wide.STATES]
