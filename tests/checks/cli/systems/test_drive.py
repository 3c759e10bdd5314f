"""`cutproof drive`: what is found, what is covered, what is performed again, what is refused."""

import json
import shlex
import shutil
import sys
from pathlib import Path

import pytest
from places import DOCS, TESTS

from cutproof.checks.cli import main as cli

Ran = tuple[int, str, str]
DRIVE = ["drive", "atomic_commit.py", "--driver", "commit_driver.py"]
RIGHT = "return len(self.votes) == self.nodes and all(self.votes.values())"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The example, in the folder where we are."""
    for name in ("atomic_commit.py", "commit_driver.py", "commit_nodes.py"):
        shutil.copy(DOCS / "examples" / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]):
    def run(*arguments: str) -> Ran:
        code = cli.main(list(arguments))
        said = capsys.readouterr()
        out = said.out if "--json" in arguments else " ".join(said.out.split())  # however it was wrapped
        return code, out, said.err

    return run


def mend(folder: Path) -> None:
    file = folder / "commit_nodes.py"
    text = file.read_text("utf-8")
    assert text.count("return len(self.votes) == self.nodes") == 1
    file.write_text(text.replace("return len(self.votes) == self.nodes", RIGHT), "utf-8")
    sys.modules.pop("commit_nodes")  # each command has a process of its own


def test_every_edge_is_taken_and_what_was_not_tried_is_said(folder: Path, run) -> None:
    code, said, _ = run(*DRIVE)
    assert code == 0
    assert "holds" not in said
    assert "78 of 78 edges, in 34 states" in said
    assert "--refusals does that" in said


def test_a_finding_is_saved_replayed_and_gone_when_mended(folder: Path, run) -> None:
    code, said, _ = run(*DRIVE, "--refusals")
    assert code == 12
    assert "the program does it, which the model forbids" in said
    assert "node[0]: the model has PREPARED, the program COMMITTED" in said
    file = "counterexamples/atomic_commit-Driver-allows-commit.itf.json"
    assert json.loads(Path(file).read_text("utf-8"))["#meta"]["attempt"]["action"] == "commit"
    code, said, _ = run("replay", file, "--model", "atomic_commit.py")
    assert code == 0
    assert "Driver: after step 3" in said
    assert "4. commit(node=0) which may not happen here" in said
    assert run(*DRIVE, "--replay", file)[0] == 12
    mend(folder)
    assert run(*DRIVE, "--replay", file)[0] == 0
    code, said, _ = run(*DRIVE, "--refusals")
    assert code == 0
    assert "that the protocol forbids were tried" in said


def test_json_is_one_object(folder: Path, run) -> None:
    code, said, _ = run(*DRIVE, "--refusals", "--json")
    facts = json.loads(said)
    assert code == 12
    assert facts["outcome"] == "found"
    assert facts["failure"]["kind"] == "allows"
    assert facts["failure"]["attempt"].startswith("commit(")
    assert Path(facts["trace"]).is_file()
    mend(folder)
    facts = json.loads(run(*DRIVE, "--runs", "50", "--seed", "2", "--json")[1])
    assert (facts["outcome"], facts["edges"], facts["runs"], facts["seed"]) == ("nothing found", None, 50, 2)


def test_what_the_driver_prints_is_no_result(folder: Path, run) -> None:
    (folder / "commit_driver.py").open("a").write("    def stop(self):\n        print('bye')\n")
    code, said, told = run(*DRIVE, "--json")
    assert code == 0
    assert len(said.splitlines()) == 1
    assert "bye" in told


def test_a_driver_that_errs_is_told_with_its_line(folder: Path, run) -> None:
    file = folder / "commit_driver.py"
    file.write_text(
        file.read_text("utf-8").replace("return self.nodes[node].commit()", "return self.node.commit()")
    )
    code, said, _ = run(*DRIVE)
    assert code == 4
    assert (
        "commit() raised AttributeError: 'Driver' object has no attribute 'node' (commit_driver.py:" in said
    )
    assert "came out otherwise" not in said


def test_a_program_on_a_pipe(run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    program = [sys.executable, str(TESTS / "driven" / "piped_commit.py")]
    code, said, _ = run("drive", "two-phase-commit", "--runs", "20", "--", *program)
    assert code == 0
    assert "20 runs" in said
    code, said, _ = run(
        "drive", "two-phase-commit", "--runs", "20", "--", *program, "the", "vote", "is", "not", "sent"
    )
    assert code == 12
    assert "said_prepared[0]: the model has True, the program False" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["drive", "atomic_commit.py"], "give one program: --driver FILE.py[:NAME], or a program behind --"),
        ([*DRIVE, "--", "true"], "give one program"),
        ([*DRIVE, "--shard", "3/2"], "--shard 3/2: write 2/4"),
        ([*DRIVE, "--replay", "none.json"], "none.json: No such file"),
        ([*DRIVE[:3], "none.py"], "none.py: No such file"),
        ([*DRIVE[:3], "commit_nodes"], "the driver is a class in a file that ends in .py"),
        ([*DRIVE[:3], "atomic_commit.py"], "atomic_commit.py: has no driver"),
        ([*DRIVE[:3], "commit_driver.py:Diver"], "has no 'Diver'; did you mean Driver?"),
        ([*DRIVE[:3], "commit_driver.py:__doc__"], "is a str, not a class"),
        (["drive", "two-phase-commit", *DRIVE[2:]], "Driver.commit: missing a required argument: 'node'"),
        (["drive", "atomic_commit.py", "--", "/no/such/program"], "cannot be started"),
        (["drive", "atomic_commit.py", "--", sys.executable, "-c", "print('hello')"], "is no JSON"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(folder: Path, run, arguments: list[str], said: str) -> None:
    code, out, told = run(*arguments)
    assert (code, out) == (2, "")
    assert said in told
    assert len(told.splitlines()) == 1


def test_the_command_that_performs_it_again_is_of_the_same_protocol(folder: Path, run) -> None:
    code, said, _ = run(*DRIVE, "--without-guard", "commit:all prepared")
    assert code == 12
    assert "the program refuses what the model allows" in said
    again = said.partition("perform it again by cutproof ")[2].partition(" counterexamples/")
    assert "--without-guard 'commit:all prepared'" in again[0]
    file = again[2].partition(" ")[0]
    words = [*shlex.split(again[0]), f"counterexamples/{file}"]
    assert run(*words)[0] == 12
