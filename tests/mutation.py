"""The mutation score of the reference implementation: each small change of its text should fail a test.

    python tests/mutation.py                      # every module: hours, for the night
    python tests/mutation.py record routing       # some of them, by name

A copy of the tree is mutated by cosmic-ray, never the tree itself. A mutant that no test notices survives;
each survivor must be explained in docs/mutation.md, in a table row that has its module and its line. Exit
code 1 if one is not.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXPLAINED = ROOT / "docs" / "mutation.md"
TIMEOUT = 60  # seconds of one mutant's tests; one that hangs is noticed

# The tests that a module has to fail, quickest first; its own alone where they stand alone.
TESTS = {
    "record": "test_record", "routing": "test_routing", "documents": "test_documents",
    "fingerprints": "test_fingerprints", "miroir": "test_miroir", "coordinator": "test_coordinator test_mover",
    "copies": "test_shard test_cluster", "node": "test_shard test_mover test_anti_entropy test_perform",
    "clients": "test_shard test_cluster", "network": "test_shard test_faults test_cluster test_perform",
    "table": "test_mover test_perform", "shard": "test_shard test_mover test_cluster test_perform",
    "mover": "test_mover test_cluster test_perform", "anti_entropy": "test_anti_entropy test_perform",
    "choices": "test_mover test_anti_entropy test_perform test_refinement", "state": "test_cluster test_refinement",
    "audit": "test_shard test_cluster test_perform", "faults": "test_faults test_cluster",
    "migration": "test_migration test_cluster", "cluster": "test_cluster test_faults test_migration",
}  # fmt: skip


def copied(to: Path) -> dict[str, str]:
    """Copy the tracked files; the environment in which `cutproof` is the copy, and not the installed one."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in listed.splitlines():
        if (ROOT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, to / name)
    package = to / "site" / "cutproof"
    package.mkdir(parents=True)
    for part in ("model", "impl", "checks"):
        (package / part).symlink_to(to / part)
    return {**os.environ, "PYTHONPATH": str(to / "site"), "PYTHONDONTWRITEBYTECODE": "1"}


def mutants(module: str, tree: Path, environment: dict[str, str]) -> list[tuple[str, int, str]]:
    """(outcome, line, mutation) of every mutant of a module; the outcome is "killed", "survived" or what went wrong."""
    tests = " ".join(f"tests/{name}.py" for name in TESTS[module].split())
    config, session = tree / "mutation.toml", tree / f"{module}.sqlite"
    config.write_text(
        "[cosmic-ray]\n"
        f'module-path = "impl/{module}.py"\n'
        f"timeout = {TIMEOUT}\n"
        "excluded-modules = []\n"
        f'test-command = "{sys.executable} -m pytest -x -q -p no:cacheprovider -p no:xdist {tests}"\n'
        '[cosmic-ray.distributor]\nname = "local"\n',
        encoding="utf-8",
    )

    def ray(*arguments: str) -> str:
        command = [sys.executable, "-m", "cosmic_ray.cli", *arguments]
        return subprocess.run(
            command, cwd=tree, env=environment, capture_output=True, text=True, check=True
        ).stdout

    ray("baseline", config.name)  # the tests pass on the copy as it is
    ray("init", config.name, session.name)
    ray("exec", config.name, session.name)
    found = []
    for text in ray("dump", session.name).splitlines():
        work, result = json.loads(text)
        mutation = work["mutations"][0]
        outcome = "none" if result is None else str(result["test_outcome"]).rpartition(".")[2].lower()
        found.append(
            (outcome, int(mutation["start_pos"][0]), str(mutation["operator_name"]).rpartition("/")[2])
        )
    return found


def main(modules: list[str]) -> int:
    """Run them, print the score and every survivor; 1 if one of them is not explained."""
    if strange := sorted(set(modules) - set(TESTS)):
        print(f"no module {strange[0]!r}: there are {', '.join(TESTS)}", file=sys.stderr)
        return 2
    explained = EXPLAINED.read_text(encoding="utf-8").splitlines() if EXPLAINED.exists() else []
    unexplained = 0
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        environment = copied(tree)
        for module in modules or TESTS:
            lines = (ROOT / "impl" / f"{module}.py").read_text(encoding="utf-8").splitlines()
            found = mutants(module, tree, environment)
            killed = sum(outcome != "survived" for outcome, _, _ in found)
            print(f"impl/{module}.py: {killed} of {len(found)} mutants killed", flush=True)
            for outcome, number, operator in found:
                if outcome == "survived":
                    text = lines[number - 1].strip()
                    known = any(f"impl/{module}.py" in row and f"`{text}`" in row for row in explained)
                    unexplained += not known
                    print(
                        f"  {'explained' if known else 'SURVIVED '} line {number}, {operator}: {text}",
                        flush=True,
                    )
    return int(unexplained > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
