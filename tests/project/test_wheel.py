"""A wheel has what its commands need; by night it is installed into an empty environment, and they are run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest
from check_wheel import COMMANDS, faults, main, missing
from places import ROOT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of a copy of what belongs to it: a build leaves nothing in the clone."""
    clone, out = tmp_path_factory.mktemp("clone"), tmp_path_factory.mktemp("dist")
    files = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout
    if not files:
        pytest.skip("not a clone")
    for name in files.rstrip("\0").split("\0"):
        if name.startswith(("model/", "impl/", "checks/", "traces/", "src/")) or "/" not in name:
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            source = ROOT / name
            if source.is_symlink():
                (clone / name).symlink_to(source.readlink())
            elif source.exists():
                (clone / name).write_bytes(source.read_bytes())
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--wheel-dir",
        out,
        clone,
    ]
    subprocess.run(list(map(str, command)), check=True)
    return next(out.glob("*.whl"))


def test_the_wheel_has_traces_and_what_pages_are_made_of(wheel: Path) -> None:
    with ZipFile(wheel) as file:
        names = set(file.namelist())
    assert missing(names, ROOT) == []
    assert "cutproof/traces/lost-write-without-fence_epoch.itf.json" in names
    assert missing(names - {"cutproof/py.typed", "cutproof/checks/views/page.css"}, ROOT) == [
        "cutproof/checks/views/page.css"
    ]


@pytest.mark.nightly
def test_every_command_works_from_a_wheel(wheel: Path) -> None:
    assert main([str(wheel)]) == 0


def test_a_command_that_does_not_work_is_found(tmp_path: Path) -> None:
    broken = tmp_path / "cutproof"
    broken.write_text("#!/bin/sh\necho broken >&2\nexit 1\n")
    broken.chmod(0o755)
    found = list(faults(tmp_path, broken))
    assert found[0] == "--help lists 0 commands" and len(found) == 1 + len(COMMANDS)
    assert found[1].startswith("cutproof : exit code 1, expected 2") and found[1].endswith("; broken")
    assert main([]) == main(["nothing.whl"]) == 2
