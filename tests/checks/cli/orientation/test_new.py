"""`cutproof new` and what `cutproof` alone says: what they write and name works, from any folder."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from places import ROOT

from cutproof.checks.cli import main as cli
from cutproof.checks.cli.orientation.welcome import TRY, welcome


def test_what_is_written_runs_as_it_says(run, tmp_path: Path) -> None:
    (tmp_path / "a folder").mkdir()
    code, out, err = run("new", "a folder/my-move.py")
    assert (code, err) == (0, "")
    commands = [shlex.split(line)[1:] for line in out.splitlines() if line.startswith("  cutproof ")]
    assert [c[0] for c in commands] == ["explore", "explore", "drive"]
    explored, broken, driven = [run(*c) for c in commands]
    assert explored[0] == 0 and "every action happened" in explored[1]
    assert broken[0] == 12 and "violated  always nothing_is_lost after 3 steps" in broken[1]
    assert driven[0] == 0 and "38 of 38 edges" in driven[1] and "not driven" not in driven[1] + driven[2]


def test_the_commands_in_the_files_are_those_that_were_printed(run, tmp_path: Path) -> None:
    _, out, _ = run("new", "move.py")
    text = (tmp_path / "move.py").read_text() + (tmp_path / "move_driver.py").read_text()
    for line in out.splitlines()[1:]:
        assert " ".join(line.split()) in " ".join(text.split())


def test_a_fault_that_the_text_proposes_is_found(run, tmp_path: Path) -> None:
    run("new", "move.py")
    driver = tmp_path / "move_driver.py"
    compares = "        if self.new != self.old:\n            return False\n"
    assert driver.read_text().count(compares) == 1
    driver.write_text(driver.read_text().replace(compares, ""))
    assert run("drive", "move.py", "--driver", "move_driver.py")[0] == 0
    code, out, _ = run("drive", "move.py", "--driver", "move_driver.py", "--refusals")
    assert code == 12 and "switch" in out


@pytest.mark.parametrize(
    "name, protocol",
    [("my-move.py", "my_move"), ("1.py", "protocol_1"), ("-x.py", "x"), ("ü.py", "protocol")],
)
def test_any_name_of_a_file_makes_a_protocol(run, name: str, protocol: str) -> None:
    assert run("new", f"./{name}")[0] == 0
    assert f'"checked": "{protocol}"' in run("explore", f"./{name}", "--json")[1]


@pytest.mark.parametrize("there", ["move.py", "move_driver.py"])
def test_nothing_is_overwritten(run, tmp_path: Path, there: str) -> None:
    (tmp_path / there).write_text("mine")
    code, out, err = run("new", "move.py")
    assert (code, out) == (2, "") and f"{there}: is there already" in err and err.count("\n") == 1
    assert [f.name for f in tmp_path.iterdir()] == [there] and (tmp_path / there).read_text() == "mine"


@pytest.mark.parametrize(
    "file, why", [("move", "name it FILE.py"), ("none/move.py", "No such file"), (".py", "name it")]
)
def test_what_cannot_be_written_is_refused(run, tmp_path: Path, file: str, why: str) -> None:
    code, out, err = run("new", file)
    assert (code, out) == (2, "") and why in err and err.count("\n") == 1 and list(tmp_path.iterdir()) == []


def test_what_is_written_is_tidy(run, tmp_path: Path) -> None:
    run("new", "move.py")
    command = [sys.executable, "-m", "ruff", "check", "--config", str(ROOT / "pyproject.toml"), str(tmp_path)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout


def test_alone_it_says_three_things_to_try_and_they_work(run, tmp_path: Path) -> None:
    code, out, _ = run()
    assert code == cli.USAGE and out.splitlines() == welcome() and max(map(len, welcome())) <= 100
    codes = [run(*shlex.split(command)[1:])[0] for command in TRY]
    assert codes == [0, 12, 0]


@pytest.mark.parametrize("name", ["a\nb.py", "a\x1b[31m.py", "a\udcff.py"])
def test_a_name_that_cannot_be_printed_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(["new", name]) == 2
    assert capsys.readouterr().err.count("\n") == 1 and not list(tmp_path.iterdir())
