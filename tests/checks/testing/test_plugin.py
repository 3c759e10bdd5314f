"""The pytest plugin, in runs of pytest of its own: one test a shard; what is found is told and saved."""

import subprocess
import sys
from pathlib import Path

import pytest
from places import DOCS

PLUGIN = "cutproof.checks.testing.plugin"
TESTS = """
import pytest
from commit_driver import Driver


@pytest.mark.cutproof(shards=3)
def test_commit(cutproof):
    cutproof.drive("atomic_commit.py", Driver)


def test_agrees(cutproof):
    found = cutproof.drive("atomic_commit.py", Driver, refusals=False)
    assert found.covered == found.edges == 78


def test_holds(cutproof):
    assert len(cutproof.explore("atomic_commit.py").states) == 34


def test_violated(cutproof):
    cutproof.explore(cutproof.model("atomic_commit.py").without_guards(["commit:all prepared"]))


@pytest.mark.cutproof(seconds=1e-9)
def test_cut_off(cutproof):
    cutproof.drive("atomic_commit.py", Driver)


def test_scope(cutproof):
    assert cutproof.model("cutover").protocol.scope.writes == 1


def test_of_its_own():
    assert 1 == 2
"""


def pytest_in(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    quiet = ["-q", "-p", "no:cacheprovider", "-p", "no:randomly", "-p", "no:cutproof", "-p", PLUGIN]
    command = [sys.executable, "-m", "pytest", *quiet, f"--basetemp={folder / 'base'}", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("commit_driver.py", "commit_nodes.py", "atomic_commit.py"):
        (tmp_path / name).write_text((DOCS / "examples" / name).read_text("utf-8"), "utf-8")
    (tmp_path / "test_mine.py").write_text(TESTS, "utf-8")
    return tmp_path


def test_what_is_found_fails_the_test_and_is_told_and_saved(folder: Path) -> None:
    ran = pytest_in(folder, "--cutproof-scope", "writes=1", "--cutproof-trace", "kept")
    said = ran.stdout
    assert "6 failed, 3 passed" in said
    for shard in ("1of3", "2of3", "3of3"):
        assert f"test_mine.py::test_commit[{shard}]" in said
    assert 'the program does it, which the model forbids ("all prepared" false)' in said
    assert "violated  always consistent after 2 steps" in said
    assert "cut off: the limit of 1e-09 seconds was reached" in said
    ours, theirs = said.split("test_of_its_own", 1)
    assert "Session" not in ours
    assert "def drive" not in ours
    assert "assert 1 == 2" in theirs  # what is not ours is told as ever
    summary = said.partition("cutproof: saved failures")[2]
    files = sorted(f.name for f in (folder / "kept").iterdir())
    assert files == ["atomic_commit-Driver-allows-commit.itf.json", "consistent-atomic_commit.itf.json"]
    assert all(name in summary for name in files)


@pytest.mark.nightly
def test_shards_are_spread_over_workers(folder: Path) -> None:
    ran = pytest_in(
        folder, "-n2", "--cutproof-shards", "2", "test_mine.py::test_agrees", "test_mine.py::test_commit"
    )
    assert "5 failed" in ran.stdout  # of the two of `test_agrees` each covers a part of the edges
    assert "saved failures" in ran.stdout


@pytest.mark.sampled(3)
@pytest.mark.parametrize("said", ["shards=0", "3", "parts=3"])
def test_a_marker_that_means_nothing_is_refused(folder: Path, said: str) -> None:
    file = folder / "test_mine.py"
    file.write_text(file.read_text("utf-8").replace("cutproof(shards=3)", f"cutproof({said})"), "utf-8")
    ran = pytest_in(folder, "--collect-only")
    assert ran.returncode == 2
    assert f"mark.cutproof{'(shards=0): is no' if said == 'shards=0' else ' does not take'}" in ran.stdout
    assert "Traceback" not in ran.stdout


def test_nothing_of_cutproof_is_imported_where_it_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "test_a.py").write_text(
        "import sys\ndef test_a():\n    assert sorted(n for n in sys.modules if n.startswith('cutproof')) == ["
        f"'cutproof', 'cutproof.checks', 'cutproof.checks.testing', '{PLUGIN}']\n"
    )
    ran = pytest_in(tmp_path)
    assert "1 passed" in ran.stdout, ran.stdout
