"""`cutproof verify`: rows as they are known, shares and rungs of it, and what is kept."""

import json
from pathlib import Path

import pytest

from cutproof.checks.cli import main as cli
from cutproof.checks.cli.reports.progress import Ticker
from cutproof.checks.cli.verify import _Teller
from cutproof.checks.engines.verdict import HOLDS, SAFETY, UNKNOWN
from cutproof.checks.ladder import verify as ladders
from cutproof.checks.ladder.tasks import Row, Task


def rows(told: object, check: str, name: str, code: int = HOLDS) -> list[Row]:
    return [Row(check, name, "", "holds", code, facts={"actions": ["seal"]} if check == "scope" else {})]


@pytest.fixture
def ladder(monkeypatch: pytest.MonkeyPatch) -> list[Task]:
    """A ladder that takes no time."""
    pairs = [
        ("scope", "a"),
        ("scope", "b"),
        ("other settings", "c"),
        ("proof", "d"),
        ("proof", "e"),
        ("gate", "f"),
    ]
    tasks = [Task(f"{check} {name}", rows, (check, name), rung=check) for check, name in pairs]
    monkeypatch.setattr(ladders, "tasks", lambda full=False: tasks)
    return tasks


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[str], str]:
    """The exit code, what each row is about, and stderr."""
    code = cli.main(["verify", "--workers", "1", "--json", *arguments])
    out, err = capsys.readouterr()
    return code, [f"{r['check']} {r['name']}" for r in map(json.loads, out.splitlines())], err


def test_a_row_is_told_when_it_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    teller = _Teller([Task("proof a", rows), Task("proof b", rows)], Ticker(), False)
    for name in ("a", "b"):
        teller.each(rows(None, "proof", name))
        out = capsys.readouterr().out.splitlines()
        assert out[-1].split() == ["ok", "proof", name, "holds"] and len(out) == (2 if name == "a" else 1)
    teller.each([])
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("of", [1, 2, 3])
def test_shares_have_all_rows_and_coverage_once(ladder: list[Task], capsys, of: int) -> None:
    shares = [run(capsys, "--shard", f"{number}/{of}") for number in range(1, of + 1)]
    _, whole, _ = run(capsys)
    assert sorted(name for _, names, _ in shares for name in names) == sorted(whole)
    assert sum("coverage every action" in names for _, names, _ in shares) == 1
    assert whole[:6] == [task.name for task in ladder]
    assert all(f"shard {number} of {of}: " in err for number, (_, _, err) in enumerate(shares, 1))


def test_a_share_of_nothing_is_green_and_says_so(ladder: list[Task], capsys) -> None:
    code, names, err = run(capsys, "--rung", "gate", "--shard", "2/2")
    assert (code, names, err.splitlines()[-1]) == (0, [], "shard 2/2: nothing is left for it")


def test_a_rung_alone_is_told_alone(ladder: list[Task], capsys) -> None:
    assert run(capsys, "--rung", "proof")[1] == ["proof d", "proof e"]
    names = run(capsys, "--rung", "coverage")[1]
    assert names[:3] == ["scope a", "scope b", "other settings c"] and "coverage every action" in names
    assert not any(name.startswith("coverage") for name in run(capsys, "--rung", "scope")[1])


def test_the_folders_of_shares_are_one_for_the_last_run(ladder: list[Task], capsys, tmp_path: Path) -> None:
    for number in (1, 2):
        run(capsys, "--shard", f"{number}/2", "--resume", str(tmp_path))
    code, names, err = run(capsys, "--resume", str(tmp_path))
    assert f"6 of 6 tasks were finished before, and are kept in {tmp_path}" in err
    assert (code, names) == run(capsys)[:2]


@pytest.mark.parametrize("code, kept", [(SAFETY, 6), (UNKNOWN, 5)])
def test_what_failed_is_kept_and_what_is_unknown_is_not(
    ladder, capsys, tmp_path: Path, monkeypatch, code: int, kept: int
) -> None:
    tasks = [*ladder[:-1], Task("gate f", rows, ("gate", "f", code), rung="gate")]
    monkeypatch.setattr(ladders, "tasks", lambda full=False: tasks)
    first, again = run(capsys, "--resume", str(tmp_path)), run(capsys, "--resume", str(tmp_path))
    assert first[:2] == again[:2] and len(list(tmp_path.iterdir())) == kept
    assert f"{kept} of 6 tasks" in again[2]
