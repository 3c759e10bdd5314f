"""A wheel, checked as somebody gets it: installed into an empty environment, every command run from an empty folder.

    make dist
    python tests/packaging/check_wheel.py dist/cutproof-0.1.0-py3-none-any.whl

Nothing of the clone is in reach. Exit code 1 with a line for each fault.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

ROOT = Path(__file__).resolve().parents[2]
HISTORY = """{"process": "a", "type": "invoke", "f": "write", "key": "x", "value": 1}
{"process": "a", "type": "ok", "f": "write", "key": "x", "value": 1}
{"process": "a", "type": "invoke", "f": "read", "key": "x", "value": null}
{"process": "a", "type": "ok", "f": "read", "key": "x", "value": null}
"""
# Commands in order, each with its exit code and what it must print; later ones use the files of earlier ones.
COMMANDS = (
    ("", 2, "Three things to try"),
    ("--version", 0, "cutproof "),
    ("doctor", 0, "stored traces"),
    ("protocols", 0, "two-phase-commit"),
    ("replay lost-write-without-fence_epoch", 0, "reproduced"),
    ("replay lost-write-without-fence_epoch --on impl", 0, "reproduced"),
    ("view lost-write-without-fence_epoch -o lost.html", 0, "lost.html"),
    ("view lost-write-without-fence_epoch --ascii", 0, "inevitable"),
    ("explore --scope base --without fence_epoch --property no_lost_write", 12, "false at the end"),
    ("explore two_phase_commit", 0, "holds"),
    ("new moving.py", 0, "moving_driver.py"),
    ("explore moving.py", 0, "holds"),
    ("drive moving.py --driver moving_driver.py", 0, "edges"),
    ("simulate moving.py --runs 20", 0, ""),
    ("prove --scope abort", 0, "proved"),
    ("export tla moving.py", 0, "MODULE"),
    ("diagram two_phase_commit", 0, "stateDiagram"),
    ("history seen.jsonl", 12, "lost"),
    ("safeguards fence_epoch", 0, "cutproof replay lost-write-without-fence_epoch"),
    ("gate policy.toml", 12, "cutproof replay lost-write"),
    ("loss --writes 1e3 --workers 1", 0, "lost"),
    ("scenarios boundary_burst --form pure", 0, ""),
    # The stored traces are in the wheel: what is found is compared with them here too.
    ("verify --rung counterexample --shard 1/12 --workers 1", 0, "as expected"),
)


def missing(names: set[str], root: Path) -> list[str]:
    """What a wheel lacks of the files that are data: stored traces, what pages are made of, tables."""
    expected = {f"cutproof/traces/{p.name}" for p in (root / "traces").glob("*.itf.json")}
    for pattern in ("*.css", "*.js", "*.json", "py.typed"):
        expected |= {f"cutproof/{p.relative_to(root)}" for p in (root / "checks").rglob(pattern)}
    return sorted(expected - names)


def faults(folder: Path, program: Path) -> Iterator[str]:
    """Run every command from this folder; a line for each that is not as it must be."""
    (folder / "seen.jsonl").write_text(HISTORY)
    (folder / "policy.toml").write_text("skip_delta_pass = true\n")
    ran = _run(folder, program, "--help")
    commands = re.findall(r"^  ([a-z-]+)  ", ran.stdout.partition("Commands:")[2], re.MULTILINE)
    if len(commands) < 15:
        yield f"--help lists {len(commands)} commands"
    for line, code, said in (*((f"{name} --help", 0, "Usage:") for name in commands), *COMMANDS):
        ran = _run(folder, program, line)
        if ran.returncode != code or said not in ran.stdout + ran.stderr:
            last = (ran.stderr or ran.stdout).strip().splitlines()[-1:]
            yield f"cutproof {line}: exit code {ran.returncode}, expected {code} and {said!r}; {''.join(last)}"


def _run(folder: Path, program: Path, line: str) -> subprocess.CompletedProcess[str]:
    command = [str(program), *shlex.split(line)]
    bare = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "GITHUB", "VIRTUAL"))}
    return subprocess.run(
        command, cwd=folder, env=bare, capture_output=True, text=True, check=False, timeout=600
    )


def installed(wheel: Path, folder: Path) -> Path:
    """The command, in a new environment that has the wheel and what it needs, and nothing else."""
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", str(wheel)]
    subprocess.run(command, check=True)
    return folder / "bin" / "cutproof"


def main(arguments: list[str]) -> int:
    """Check one wheel."""
    if len(arguments) != 1 or not Path(arguments[0]).is_file():
        print("usage: check_wheel.py WHEEL", file=sys.stderr)
        return 2
    wheel = Path(arguments[0]).resolve()
    with ZipFile(wheel) as file:
        found = [f"not in the wheel: {name}" for name in missing(set(file.namelist()), ROOT)]
    with tempfile.TemporaryDirectory() as folder:
        program = installed(wheel, Path(folder) / "environment")
        (empty := Path(folder) / "empty").mkdir()
        found += faults(empty, program)
    print(
        *(found or [f"{wheel.name}: {len(COMMANDS)} commands as they must be, and --help of each"]), sep="\n"
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
