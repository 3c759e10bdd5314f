"""What a run that was ended has finished is not done again, and what is stale, damaged or unknown is never used."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from processes import eventually

from cutproof.checks.engines.verdict import HOLDS, UNKNOWN
from cutproof.checks.ladder import kept
from cutproof.checks.ladder.kept import Kept, digest_of_this
from cutproof.checks.ladder.tasks import NOT_RUN, Ladder, Row, Task

ROW = Row(
    "scope",
    "a",
    "writes=1",
    "holds",
    HOLDS,
    ("x", "y"),
    states=3,
    seconds=0.5,
    facts={"actions": ["b"], "ü": 1},
)


def make(told: object, number: int) -> list[Row]:
    return [replace(ROW, name=str(number))]


TASK = Task("a b/c", make, (1,))


def test_what_is_kept_comes_back_equal(tmp_path: Path) -> None:
    Kept(tmp_path / "new" / "folder").keep(TASK, [ROW, replace(ROW, name="b")])
    assert Kept(tmp_path / "new" / "folder").rows(TASK) == [ROW, replace(ROW, name="b")]
    assert [f.suffix for f in (tmp_path / "new" / "folder").iterdir()] == [".json"]


@pytest.mark.parametrize(
    "other", [replace(TASK, name="d"), replace(TASK, arguments=(2,)), replace(TASK, make=print)]
)
def test_another_task_finds_nothing(tmp_path: Path, other: Task) -> None:
    Kept(tmp_path).keep(TASK, [ROW])
    assert Kept(tmp_path).rows(other) is None and Kept(tmp_path, "another version").rows(TASK) is None


def test_the_digest_is_of_code_traces_and_what_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("checks", "model", "traces"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(kept, "PACKAGE", tmp_path)
    found = [digest_of_this()]
    for file in ("model/a.py", "traces/x.itf.json", "checks/edges.json"):
        (tmp_path / file).write_text("1")
        found.append(digest_of_this())
    (tmp_path / "model/a.py").write_text("2")
    found.append(digest_of_this())
    (tmp_path / "model/notes.txt").write_text("of no account")
    assert digest_of_this() == found[-1]
    monkeypatch.setattr(kept, "_version", lambda name: "9.9")
    found.append(digest_of_this())
    assert len(set(found)) == len(found)


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "[1]", '[{"check": "scope"}]', "[" * 10_000, '[{"removed": 1}]', "\0"]
)
def test_a_damaged_file_is_as_none(tmp_path: Path, text: str) -> None:
    folder = Kept(tmp_path)
    folder.keep(TASK, [ROW])
    folder.file_of(TASK).write_text(text)
    assert folder.rows(TASK) is None
    folder.keep(TASK, [ROW])
    assert folder.rows(TASK) == [ROW]


@pytest.mark.parametrize("rows", [[], [ROW, replace(ROW, code=UNKNOWN)], [replace(ROW, verdict=NOT_RUN)]])
def test_what_is_not_known_is_done_again(tmp_path: Path, rows: list[Row]) -> None:
    Kept(tmp_path).keep(TASK, rows)
    assert list(tmp_path.iterdir()) == []


def test_a_ladder_makes_only_what_is_left(tmp_path: Path) -> None:
    tasks = [Task(str(n), make, (n,)) for n in range(4)]
    done, ended = {"1": make(None, 1), "2": make(None, 2)}, list[str]()
    ladder = Ladder(tasks, 1, None, done, lambda task, rows: ended.append(task.name))
    told = list[str]()
    rows = ladder.run(lambda rows: told.extend(r.name for r in rows))
    assert [r.name for r in rows] == told == ["0", "1", "2", "3"] and ended == ["0", "3"]


def test_a_run_that_was_killed_goes_on(tmp_path: Path) -> None:
    names = ["two_migrations", "base", "reads"]
    command = [
        sys.executable,
        "-m",
        "cutproof",
        "verify",
        "--json",
        "--workers",
        "1",
        "--resume",
        str(tmp_path / "kept"),
    ]
    command += [word for name in names for word in ("--scope", name)]
    killed = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert eventually(lambda: len(list((tmp_path / "kept").glob("*.json"))) > 0)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    before = {f: f.stat().st_mtime_ns for f in (tmp_path / "kept").glob("*.json")}
    assert 0 < len(before) < len(names)
    again = subprocess.run(command, capture_output=True, text=True, check=True)
    assert f"{len(before)} of 3 tasks were finished before" in again.stderr
    assert {f: f.stat().st_mtime_ns for f in before} == before
    rows = [json.loads(line) for line in again.stdout.splitlines()]
    assert [r["name"] for r in rows] == names and all(r["as_expected"] and r["faults"] for r in rows)
