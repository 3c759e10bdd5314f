"""The table of wide scopes: the counts of the plain engine where it can follow, and those that the page has."""

import pytest
from places import DOCS

from cutproof.checks.cutover import scale, wide_scopes
from cutproof.checks.engines.plain.explore import explore
from cutproof.checks.engines.zdd import choose
from cutproof.checks.engines.zdd.explore import explore as explore_all
from cutproof.model.cutover.coordinator import build
from cutproof.model.cutover.scopes import Scope, parse_scope

PAGE = (DOCS / "evidence.md").read_text(encoding="utf-8")
COMPILED = pytest.mark.skipif(not choose.compiled(), reason="numba is not installed")


def rows(part: str) -> dict[str, list[str]]:
    """The cells of a generated table, by scope."""
    text = PAGE.partition(f"<!-- begin {part} -->")[2].partition(f"<!-- end {part} -->")[0]
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"
    ]
    return {row[0]: row[1:] for row in cells[2:]}


def test_a_scope_is_counted_as_by_the_plain_engine() -> None:
    found, judge = wide_scopes.one("writes=1,crashes=1"), explore(build(parse_scope("writes=1,crashes=1")))
    assert (found["states"], found["transitions"]) == (len(judge.states), judge.transitions)
    assert found["verdict"] == "holds" and 0 < found["nodes"] <= found["peak_nodes"]
    assert 0 < found["search"] <= found["judged"]


def test_a_violation_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def without(scope: Scope) -> object:
        return build(scope, None, ["fence_epoch"])

    monkeypatch.setattr("cutproof.model.cutover.coordinator.build", without)
    assert wide_scopes.one("writes=1")["verdict"] == "violated"


@COMPILED
@pytest.mark.parametrize(
    "scope",
    [*wide_scopes.SCOPES[:3], *(pytest.param(s, marks=pytest.mark.nightly) for s in wide_scopes.SCOPES[3:])],
)
def test_the_page_has_the_counts_of_today(scope: str) -> None:
    """A table that was drawn of an earlier protocol is not believed."""
    protocol = build(parse_scope(scope))
    found = explore_all(protocol, properties=[], cycles=False)
    assert rows("wide")[scope][:2] == [f"{found.distinct:,}", f"{found.transitions:,}"]
    if scope in rows("scale"):
        assert rows("scale")[scope][:2] == rows("wide")[scope][:2]


def test_every_scope_has_its_row() -> None:
    assert list(rows("wide")) == list(wide_scopes.SCOPES)
    assert list(rows("scale")) == list(scale.SCOPES)


def test_wrong_usage_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert wide_scopes.main(["--draw"]) == 2
    assert capsys.readouterr().err.startswith("usage: python -m cutproof.checks.cutover.wide_scopes")
