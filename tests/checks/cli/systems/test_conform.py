"""The command `cutproof conform`, and `cutproof replay` of what it saves."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from places import ROOT

from cutproof.checks.cli.main import main

EXAMPLES = ROOT / "docs" / "examples"
MINE, MENDED = (f"{EXAMPLES / 'judge_my_store.py'}:{name}" for name in ("MyAdapter", "MendedAdapter"))
STORE = [sys.executable, str(EXAMPLES / "wire" / "store.py")]


@pytest.fixture
def saved(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    assert main(["conform", MINE, "--trace", str(tmp_path)]) == 12
    capsys.readouterr()
    [file] = tmp_path.iterdir()
    return file


def test_a_failure_is_told_saved_and_performed_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["conform", MINE, "--trace", str(tmp_path)]) == 12
    said = capsys.readouterr().out
    [file] = tmp_path.iterdir()
    assert file.name == "MyAdapter-lost-update.schedule.json"
    assert said.startswith("a promise was broken: lost update: ")
    assert "no step, and no two, can be left out" in said
    assert said.splitlines()[-1] == f"cutproof replay {file} --on {MINE}"
    assert main(["conform", MINE, "--trace", str(tmp_path)]) == 12  # the same bytes, the same file
    assert [f.name for f in tmp_path.iterdir()] == [file.name]


@pytest.mark.parametrize(
    ("on", "expect", "code", "said"),
    [
        (MINE, "reproduced", 0, "reproduced:"),
        (MINE, "fixed", 1, "not fixed:"),
        (MENDED, "reproduced", 1, "not reproduced:"),
        (MENDED, "fixed", 0, "fixed:"),
        ("impl", "fixed", 0, "fixed:"),
    ],
)
def test_a_schedule_is_replayed_on_a_system(
    saved: Path, capsys: pytest.CaptureFixture[str], on: str, expect: str, code: int, said: str
) -> None:
    assert main(["replay", str(saved), "--on", on, "--expect", expect]) == code
    assert capsys.readouterr().out.startswith(said)


def test_several_schedules_are_a_line_each(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = saved.with_name("damaged.schedule.json")
    other.write_bytes(saved.read_bytes()[:100])
    assert main(["replay", str(saved.parent), "--on", MINE]) == 2
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines if not line.startswith(" ")] == ["reproduced", "refused"]


def test_machines_are_told_the_same(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(saved), "--on", MINE, "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["verdict"], facts["checked"]) == ("reproduced", "schedule")
    assert main(["conform", MINE, "--json", "--trace", str(saved.parent)]) == 12
    facts = json.loads(capsys.readouterr().out)
    assert (facts["kind"], facts["file"]) == ("NotConforming", str(saved))
    assert main(["conform", MENDED, "--json", "--runs", "40"]) in (0, 3)
    facts = json.loads(capsys.readouterr().out)
    assert (facts["runs"], facts["seed"]) == (40, 0)


def test_a_program_behind_two_dashes_is_judged(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["conform", "--runs", "60", "--", *STORE]) == 0
    assert ": conforms, in 60 runs" in capsys.readouterr().out


def test_a_schedule_is_performed_on_a_program(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(saved), "--expect", "fixed", "--", *STORE]) == 0
    assert main(["replay", str(saved), "--on", " ".join(STORE), "--expect", "fixed"]) == 0


def test_what_was_cut_off_or_is_one_step_is_not_exercised(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["conform", MENDED, "--seconds", "0.001"]) == 3
    assert "not exercised" in capsys.readouterr().out
    assert main(["conform", MENDED, "--runs", "30", "--shard", "2/3"]) in (0, 3)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["conform"], "name one system"),
        (["conform", MINE, "--", "x"], "name one system"),
        (["conform", "--"], "no program stands behind --"),
        (["conform", str(EXAMPLES / "judge_my_store.py")], "has several adapters: MyAdapter, MendedAdapter"),
        (["conform", f"{EXAMPLES / 'judge_my_store.py'}:MyAdaptor"], "did you mean MyAdapter"),
        (["conform", f"{EXAMPLES / 'judge_my_store.py'}:MyStore"], "MyStore: is no class of conform.Adapter"),
        (["conform", f"{EXAMPLES / 'leases.py'}"], "has no adapter"),
        (["conform", "none.py"], "No such file"),
        (["conform", "--", "./no-such-program"], "no-such-program"),
        (["conform", MINE, "--shard", "0/2"], "write 2/4"),
        (["conform", MINE, "--seconds", "nan"], "--seconds"),
        (["replay", "x.schedule.json", "--on", "impl"], "No such file"),
        (
            ["replay", "lost-write-without-fence_epoch", "--on", "./my-program"],
            "replayed on model or on impl",
        ),
    ],
)
def test_what_cannot_be_used_is_one_line(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_a_schedule_needs_a_system(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(saved)]) == 2
    assert "is a schedule; say on what it is performed" in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_is_told_and_nothing_is_lost(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    assert main(["conform", MINE, "--trace", str(file)]) == 2
    assert file.read_text() == "mine"
