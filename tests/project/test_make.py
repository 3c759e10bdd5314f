"""The type check of the Makefile, seen failing on a broken copy of the sources."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from places import ROOT

WRONG = '\n\ndef wrong() -> int:\n    """Not a number."""\n    return "text"\n'


def check_types(tree: Path) -> subprocess.CompletedProcess[str]:
    """`make types` on a tree that borrows this interpreter's environment, without building one."""
    settled = ["-o", ".venv/.complete", "-o", "lint"]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    command = ["make", *settled, "types"]
    return subprocess.run(command, cwd=tree, env=clean, capture_output=True, text=True, check=False)


@pytest.mark.nightly
@pytest.mark.parametrize("folder", ["model", "checks"])
def test_an_introduced_type_error_is_found(folder: str, tmp_path: Path) -> None:
    for name in ("model", "impl", "checks"):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tmp_path / name)
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / ".venv").symlink_to(sys.prefix)
    before = check_types(tmp_path)
    assert before.returncode == 0, before.stdout + before.stderr

    module = tmp_path / folder / "__init__.py"
    module.write_text(module.read_text("utf-8") + WRONG, "utf-8")
    after = check_types(tmp_path)
    assert after.returncode != 0
    assert f"{folder}/__init__.py" in after.stdout and "[return-value]" in after.stdout
