"""The table of effects: whole, and true of a sample by day and of everything by night."""

from __future__ import annotations

import random
import re

import pytest
from places import DOCS

from cutproof.checks.cutover.safeguards import effects
from cutproof.checks.cutover.safeguards.effects import (
    every_mutant,
    judge_all,
    page,
    said,
    summary,
    table,
    unnoticed,
)
from cutproof.checks.cutover.safeguards.judged import Judged, Noticed, Setting, looked_at, noticed, scopes_of
from cutproof.checks.cutover.safeguards.mutants import Kind, Mutant

TEXT = (DOCS / "effects.md").read_text(encoding="utf-8")
SCOPE = re.compile(r", \d+ steps, (.+)$")


def rows(part: str) -> list[list[str]]:
    """The rows of a generated table, without its head."""
    text = TEXT.partition(f"<!-- begin {part} -->")[2].partition(f"<!-- end {part} -->")[0]
    return [
        [c.strip() for c in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("| ")
    ][1:]


MUTANTS = {str(m): m for m in every_mutant()}
EFFECTS = rows("effects")
NOTICED = [
    (f"{effect} {kind.value}", cell)
    for effect, left, _, other in EFFECTS
    for kind, cell in ((Kind.LEFT_OUT, left), (Kind.NEXT, other))
    if not cell.startswith("*")
]
UNNOTICED = rows("unnoticed")
draw = random.Random("effects")


def test_every_effect_has_a_row_and_every_mutant_an_answer() -> None:
    assert [row[0] for row in EFFECTS] == list(dict.fromkeys(m.effect for m in MUTANTS.values()))
    plain = [m for m in MUTANTS.values() if m.kind is not Kind.KEPT]
    known = {name for name, _ in NOTICED} | {name for name, _, _ in UNNOTICED}
    assert {str(m) for m in plain} <= known <= set(MUTANTS)
    for effect, _, kept, _ in EFFECTS:
        mine = [m for m in MUTANTS.values() if m.effect == effect and m.kind is Kind.KEPT]
        missed = sum(str(m) in {name for name, _, _ in UNNOTICED} for m in mine)
        assert kept == (f"{len(mine) - missed} of {len(mine)}" if mine else "")


@pytest.mark.parametrize(("name", "cell"), draw.sample(NOTICED, 12))
def test_what_notices_a_mutant_does_so_again(name: str, cell: str) -> None:
    where = SCOPE.search(cell)
    assert where is not None
    assert str(noticed(MUTANTS[name], Setting(where[1]))) == cell


@pytest.mark.parametrize("row", draw.sample(UNNOTICED, 6), ids=lambda row: row[0])
def test_what_nothing_notices_is_not_noticed_where_it_is_first_looked_at(row: list[str]) -> None:
    name, why, _ = row
    by, alike = looked_at(MUTANTS[name], scopes_of(MUTANTS[name])[0])
    assert by is None
    if alike is not None and why in ("the same", "tidying"):
        assert alike.same if why == "the same" else alike.tidying


@pytest.mark.nightly
def test_the_page_is_what_is_found() -> None:
    assert page(TEXT, list(judge_all(every_mutant()))) == TEXT


A, B = Mutant("abort", "net"), Mutant("abort", "net", Kind.KEPT, "net[N,0,page]")
C, D = Mutant("abort", "net", Kind.NEXT), Mutant("wipe", "fence")
BY = Noticed("finish", "STK", 7, Setting("retry"))
FOUND = [
    Judged(A, BY),
    Judged(B, None, "tidying"),
    Judged(C, None, "policy", "x"),
    Judged(D, None, "tidying"),
]


def test_the_tables() -> None:
    assert said(FOUND[0]) == "finish STK, 7 steps, retry"
    assert table(FOUND).splitlines()[2:] == [
        "| abort.net | finish STK, 7 steps, retry | 0 of 1 | *policy* |",
        "| wipe.fence | *tidying* |  |  |",
    ]
    assert unnoticed(FOUND).splitlines()[2:] == [
        "| abort.net[N,0,page] kept in one cell | tidying |  |",
        "| abort.net another value | policy | x |",
        "| wipe.fence left out | tidying |  |",
    ]
    assert summary(FOUND).startswith("4 mutants of 2 effects: 1 are noticed")
    assert "The others: 2 tidying, 1 policy." in summary(FOUND)


def test_the_command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    assert effects.main(["--wirte"]) == effects.main(["abort", "--write"]) == 2
    assert "usage: " in capsys.readouterr().err
    assert effects.main(["nosuch"]) == 2
    assert "no effect has 'nosuch' in its name" in capsys.readouterr().err
    assert effects.main(["activate.epoch left"]) == 0
    assert capsys.readouterr().out == "activate.epoch left out: writable_again STK, 9 steps, retry\n"
    monkeypatch.chdir(tmp_path)
    assert effects.main(["--write"]) == 2
    assert "run this from the root of a checkout" in capsys.readouterr().err


def test_the_page_is_written(monkeypatch: pytest.MonkeyPatch, tmp_path, capsys) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "effects.md").write_text(TEXT, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(effects, "every_mutant", lambda: [A, D])
    monkeypatch.setattr(effects, "judge_all", lambda chosen: iter([FOUND[0], FOUND[3]]))
    assert effects.main(["--write"]) == 0
    assert capsys.readouterr().out == ""
    text = (tmp_path / "docs" / "effects.md").read_text(encoding="utf-8")
    assert "| wipe.fence left out | tidying |  |" in text and text.count("| abort.net |") == 1
    assert effects.main([]) == 0
    assert "2 mutants of 2 effects" in capsys.readouterr().out
