"""The package as it was at a commit, in a temporary folder, for programs that are to import it from there."""

import io
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDERS = ("model", "impl", "checks")


def known(commit: str) -> str:
    """The whole name of a commit. Raises ValueError where this repository has none such, or is none."""
    found = _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{commit}^{{commit}}")
    if found.returncode:
        raise ValueError(f"there is no commit {commit} in {ROOT}")
    return found.stdout.decode().strip()


@contextmanager
def package_at(commit: str) -> Iterator[Path]:
    """A folder in which `cutproof` is the package of that commit: for PYTHONPATH. It is removed in the end, with all
    that was compiled there. Raises ValueError as `known` does."""
    archive = _git("archive", "--format=tar", known(commit))
    with tempfile.TemporaryDirectory(prefix="cutproof-") as folder:
        tree = Path(folder, "tree")
        with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
            files.extractall(tree, filter="data")
        if (tree / "src" / "cutproof").exists():
            yield tree / "src"
            return
        package = Path(folder, "package", "cutproof")  # before `src/`, the root itself went by this name
        package.mkdir(parents=True)
        (package / "__init__.py").touch()
        for name in FOLDERS:
            (package / name).symlink_to(tree / name)
        yield package.parent


def _git(*words: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, check=False)
