"""What a run of the ladder has finished, kept in a folder for the run after it: `cutproof verify --resume DIR`.

One file for each task, written beside and renamed, so that a run that is killed leaves whole files only, and several
runs may use one folder at once. Its name has a digest of all that its rows hang on: the code and the stored traces of
this package, what the task was given, and the versions of what it is run with. Rows of anything else are never found.
What was not run, or is unknown, is not kept.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import sys
from importlib import metadata
from pathlib import Path

import msgspec

from cutproof.checks.common.files import content
from cutproof.checks.engines.verdict import UNKNOWN
from cutproof.checks.ladder.tasks import Row, Task

PACKAGE = Path(__file__).resolve().parents[2]
FOLDERS, ENDINGS = ("checks", "impl", "model", "traces"), (".py", ".json")
RUN_WITH = ("hypothesis", "llvmlite", "networkx", "numba", "numpy", "scipy", "xxhash", "z3-solver")
LARGEST = 10_000_000  # bytes of such a file


def digest_of_this() -> str:
    """Of the code and the traces of this package, of the interpreter, and of what is installed beside it."""
    found = hashlib.sha256()
    for file in sorted(f for name in FOLDERS for f in (PACKAGE / name).rglob("*") if f.suffix in ENDINGS):
        found.update(f"{file.relative_to(PACKAGE).as_posix()}\0{file.stat().st_size}\0".encode())
        found.update(file.read_bytes())
    for name in RUN_WITH:
        found.update(f"{name} {_version(name)}\0".encode())
    found.update(f"{sys.version} {platform.machine()}".encode())
    return found.hexdigest()


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "none"


class Kept:
    """The rows of finished tasks in a folder, which is made if need be. Raises OSError where nothing can be kept."""

    def __init__(self, folder: Path, digest: str = "") -> None:
        self.folder, self.digest = folder, digest or digest_of_this()
        folder.mkdir(parents=True, exist_ok=True)

    def file_of(self, task: Task) -> Path:
        """Where the rows of a task are kept."""
        given = repr(task.arguments).replace(str(PACKAGE), "")  # the same wherever it is installed
        about = f"{self.digest}\0{task.name}\0{task.make.__module__}.{task.make.__qualname__}\0{given}"
        short = re.sub(r"[^A-Za-z0-9=.-]+", "-", task.name)[:60]
        return self.folder / f"{short}.{hashlib.sha256(about.encode()).hexdigest()[:24]}.json"

    def rows(self, task: Task) -> list[Row] | None:
        """The rows of a task that a run before has finished; else None, as for a file that is damaged."""
        try:
            found = msgspec.json.decode(content(self.file_of(task), LARGEST), type=list[Row])
        except (OSError, ValueError, RecursionError):
            return None
        return found or None

    def keep(self, task: Task, rows: list[Row]) -> None:
        """Keep the rows of a finished task. Raises OSError."""
        if not rows or any(row.code == UNKNOWN or not row.ran() for row in rows):
            return
        file = self.file_of(task)
        beside = file.with_name(f".{file.name}.{os.getpid()}")
        try:
            beside.write_bytes(msgspec.json.encode(rows))
            beside.replace(file)
        finally:
            beside.unlink(missing_ok=True)
