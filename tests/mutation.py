"""The mutation score of the reference implementation: each small change of its text should fail a test.

    python tests/mutation.py                      # every module: hours, for the night
    python tests/mutation.py record routing       # some of them, by name

A copy of the tree is mutated by cosmic-ray, never the tree itself. A mutant that no test notices survives;
each survivor must be explained in docs/mutation.md, in a table row that has its module and its line. Exit
code 1 if one is not.
"""

from __future__ import annotations

import ast
import compileall
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from py_compile import PycInvalidationMode

from cosmic_ray.work_db import use_db
from cosmic_ray.work_item import WorkerOutcome, WorkResult

ROOT = Path(__file__).resolve().parent.parent
EXPLAINED = ROOT / "docs" / "mutation.md"
FLAGS = "-x -q -p no:cacheprovider -p no:xdist --hypothesis-profile=mutation"
TIMEOUT = 60  # seconds of one mutant's tests; one that hangs is noticed

# What replaces an operator. `is` and `==` say the same of None and of members of an enum, so they are not exchanged.
KEPT = {f"ReplaceBinaryOperator_{change}" for change in (
    "Add_Sub", "Sub_Add", "Mul_FloorDiv", "FloorDiv_Mul", "Mod_FloorDiv", "Pow_Mul", "BitOr_BitAnd", "BitAnd_BitOr",
    "LShift_RShift", "RShift_LShift",
)} | {f"ReplaceComparisonOperator_{change}" for change in (
    "Lt_LtE", "Lt_GtE", "LtE_Lt", "LtE_Gt", "GtE_Gt", "GtE_Lt", "Gt_GtE", "Gt_LtE", "Eq_NotEq", "NotEq_Eq", "Is_IsNot",
    "IsNot_Is",
)}  # fmt: skip

# The tests that a module has to fail, quickest first; its own alone where they stand alone.
TESTS = {
    "record": "test_record", "routing": "test_routing", "documents": "test_documents",
    "fingerprints": "test_fingerprints", "miroir": "test_miroir", "coordinator": "test_coordinator test_mover",
    "copies": "test_shard test_anti_entropy test_cluster",
    "node": "test_shard test_mover test_anti_entropy test_perform",
    "clients": "test_shard test_cluster", "network": "test_shard test_faults test_cluster test_perform",
    "table": "test_mover test_perform", "shard": "test_shard test_mover test_cluster test_perform",
    "mover": "test_mover test_cluster test_perform", "commands": "test_mover test_anti_entropy test_perform",
    "anti_entropy": "test_anti_entropy test_perform",
    "choices": "test_mover test_anti_entropy test_perform", "state": "test_cluster test_perform",
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
    # A mutant is written within the second, often of the same length: only the text tells that its bytecode is stale.
    compileall.compile_dir(to, quiet=1, invalidation_mode=PycInvalidationMode.CHECKED_HASH)
    return {**os.environ, "PYTHONPATH": str(to / "site")}


def annotations(source: str) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """From where to where the annotations of a module go. They are never evaluated: nothing can notice a change."""
    found: list[ast.expr | None] = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.AnnAssign() | ast.arg():
                found.append(node.annotation)
            case ast.FunctionDef():
                found.append(node.returns)
    ends = [(a, a.end_lineno, a.end_col_offset) for a in found if a is not None]
    return [((a.lineno, a.col_offset), (line or 0, column or 0)) for a, line, column in ends]


def is_asked_for(
    operator: str, start: tuple[int, int], skipped: list[tuple[tuple[int, int], tuple[int, int]]]
) -> bool:
    """One change for each arithmetic operator and two for each comparison: more of them say nothing new."""
    name = operator.rpartition("/")[2]
    if any(a <= start < b for a, b in skipped):
        return False
    return name in KEPT if name.startswith(("ReplaceBinary", "ReplaceComparison")) else True


def mutants(module: str, tree: Path, environment: dict[str, str]) -> list[tuple[str, int, str]]:
    """(outcome, line, mutation) of every mutant of a module; the outcome is "killed", "survived" or what went wrong."""
    tests = " ".join(f"tests/{name}.py" for name in TESTS[module].split())
    config, session = tree / "mutation.toml", tree / f"{module}.sqlite"
    config.write_text(
        "[cosmic-ray]\n"
        f'module-path = "impl/{module}.py"\n'
        f"timeout = {TIMEOUT}\n"
        "excluded-modules = []\n"
        f'test-command = "{sys.executable} -m pytest {FLAGS} {tests}"\n'
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
    skipped = annotations((tree / "impl" / f"{module}.py").read_text(encoding="utf-8"))
    with use_db(session) as work:
        for item in work.pending_work_items:
            [change] = item.mutations
            if not is_asked_for(change.operator_name, change.start_pos, skipped):
                work.set_result(item.job_id, WorkResult(worker_outcome=WorkerOutcome.SKIPPED))
    ray("exec", config.name, session.name)
    found = []
    for text in ray("dump", session.name).splitlines():
        work_item, result = json.loads(text)
        if result["worker_outcome"] != WorkerOutcome.SKIPPED.value:
            [change] = work_item["mutations"]
            outcome = str(result["test_outcome"]).rpartition(".")[2].lower()
            found.append((outcome, change["start_pos"][0], change["operator_name"].rpartition("/")[2]))
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
