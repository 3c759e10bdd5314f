"""The mutation score of the reference implementation: each small change of its text should fail a test.

    make mutation                                 # every module
    python tests/mutation.py record routing       # some of them, by name

cosmic-ray says what the changes are. Each mutant is tested in a forked process that imports the changed text in place
of the module; no file is touched. A mutant that no test notices survives; each survivor must be explained in
docs/mutation.md, in a table row that has its module, its line and the change. Exit code 1 if one is not.
"""

from __future__ import annotations

import ast
import importlib
import os
import re
import resource
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.abc import MetaPathFinder, SourceLoader
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from pathlib import Path
from types import ModuleType

import pytest
from cosmic_ray.commands import init
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator
from cosmic_ray.work_db import use_db

ROOT = Path(__file__).resolve().parent.parent
EXPLAINED = ROOT / "docs" / "mutation.md"
FLAGS = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--hypothesis-profile=mutation"]
PROCESSOR_TIME, TIMEOUT = 25, 300  # seconds of one mutant's tests, which take ten; one that hangs is noticed
LOADED = (
    "hypothesis.stateful",
    "networkx",
    "numpy",
    "typer",
    "rich.live",
    "msgspec",
    "xxhash",
    "cutproof.model.cutover",
)

# What replaces an operator. `is` and `==` say the same of None and of members of an enum, so they are not exchanged.
KEPT = {f"ReplaceBinaryOperator_{change}" for change in (
    "Add_Sub", "Sub_Add", "Mul_FloorDiv", "FloorDiv_Mul", "Mod_FloorDiv", "Pow_Mul", "BitOr_BitAnd", "BitAnd_BitOr",
    "LShift_RShift", "RShift_LShift",
)} | {f"ReplaceComparisonOperator_{change}" for change in (
    "Lt_LtE", "Lt_GtE", "LtE_Lt", "LtE_Gt", "GtE_Gt", "GtE_Lt", "Gt_GtE", "Gt_LtE", "Eq_NotEq", "NotEq_Eq", "Is_IsNot",
    "IsNot_Is",
)}  # fmt: skip

MODULES = (
    "record", "routing", "documents", "fingerprints", "miroir", "coordinator", "copies", "node", "clients", "network",
    "table", "shard", "mover", "commands", "anti_entropy", "choices", "state", "audit", "faults", "migration",
    "cluster",
)  # fmt: skip
# What tests a module: its own tests, then these, the quickest first. The first that fails ends it.
ALL = (
    "test_record", "test_routing", "test_documents", "test_fingerprints", "test_miroir", "test_coordinator",
    "test_shard", "test_mover", "test_anti_entropy", "test_faults", "test_migration", "test_cluster", "test_perform",
)  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One change: where it is, what it is called, and the whole text of the module with it."""

    module: str
    line: int
    change: str
    text: str


class Changed(MetaPathFinder, SourceLoader):
    """Imports one module from a changed text."""

    def __init__(self, mutant: Mutant) -> None:
        self.name = f"cutproof.impl.{mutant.module}"
        self.path = str(ROOT / "impl" / f"{mutant.module}.py")
        self.text = mutant.text.encode()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return spec_from_loader(fullname, self) if fullname == self.name else None

    def get_filename(self, fullname: str) -> str:
        return self.path

    def get_data(self, path: str | bytes) -> bytes:
        return self.text


# ------------------------------------------------------------------ which mutants there are


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


def decorations(source: str) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """From where to where the decorators of classes go: that a record is frozen, or has slots, is for mypy to hold."""
    found = [
        d
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ClassDef)
        for d in node.decorator_list
    ]
    return [((d.lineno, d.col_offset - 1), (d.end_lineno or 0, d.end_col_offset or 0)) for d in found]


def is_asked_for(
    operator: str, start: tuple[int, int], skipped: list[tuple[tuple[int, int], tuple[int, int]]]
) -> bool:
    """One change for each arithmetic operator and two for each comparison: more of them say nothing new."""
    name = operator.rpartition("/")[2]
    if any(a <= start < b for a, b in skipped):
        return False
    return name in KEPT if name.startswith(("ReplaceBinary", "ReplaceComparison")) else True


def mutants(module: str) -> Iterator[Mutant]:
    """The mutants of a module, in the order of its lines."""
    file = ROOT / "impl" / f"{module}.py"
    source = file.read_text(encoding="utf-8")
    skipped = annotations(source) + decorations(source)
    with tempfile.TemporaryDirectory() as folder, use_db(str(Path(folder) / "mutants.sqlite")) as work:
        init([file], work, {})
        changes = sorted(
            (c.start_pos, c.operator_name, c.occurrence) for item in work.work_items for c in item.mutations
        )
    for start, operator, occurrence in changes:
        if is_asked_for(operator, start, skipped):
            text = mutate_code(source, get_operator(operator)(), occurrence)
            if text is not None:
                yield Mutant(module, start[0], operator.rpartition("/")[2], text)


# ------------------------------------------------------------------ what the tests make of them


def warmed() -> None:
    """Build what is not changed once, before any fork: what the tests use, and the protocol of each stored trace."""
    for name in LOADED:
        importlib.import_module(name)
    from cutproof.checks.trace import read
    from cutproof.model.cutover import cutover
    from cutproof.model.scopes import scope_of

    for file in sorted((ROOT / "traces").glob("*.json")):
        cutover(scope_of({k: int(v) for k, v in read(file).meta.scope.items()}))
    assert not any(name.startswith("cutproof.impl") for name in sys.modules), "a child must import it anew"


def tested(mutant: Mutant | None, module: str) -> int:
    """Run the tests of a module in a process of their own, with the mutant in its place; the number of the process."""
    child = os.fork()
    if child:
        return child
    try:
        silence = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(silence, stream)
        resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR_TIME, PROCESSOR_TIME))
        signal.alarm(TIMEOUT)
        if mutant is not None:
            sys.meta_path.insert(0, Changed(mutant))
        os.chdir(ROOT)
        own = f"test_{module}"
        names = dict.fromkeys([own, *ALL] if own in ALL else ALL)
        code = pytest.main([*FLAGS, *(f"tests/{name}.py" for name in names)])
        os._exit(int(code != 0))
    except BaseException:
        os._exit(1)


def survivors(found: Sequence[Mutant]) -> list[Mutant]:
    """Those that no test notices; as many at a time as there are cores."""
    running: dict[int, Mutant] = {}
    alive: list[Mutant] = []

    def reap() -> None:
        child, status = os.wait()
        mutant = running.pop(child)
        if status == 0:
            alive.append(mutant)

    for mutant in found:
        if len(running) >= len(os.sched_getaffinity(0)):
            reap()
        running[tested(mutant, mutant.module)] = mutant
    while running:
        reap()
    return sorted(alive, key=lambda m: (m.line, m.change))


def explained() -> set[tuple[str, str, str]]:
    """(module, line of text, change) of every survivor that docs/mutation.md explains."""
    rows = EXPLAINED.read_text(encoding="utf-8").splitlines() if EXPLAINED.exists() else []
    found = set()
    for row in rows:
        if row.startswith("| impl/"):
            module, text, changes, *_ = (
                c.replace("\\|", "|").strip() for c in re.split(r"(?<!\\)\|", row)[1:]
            )
            found |= {(module, text.strip("`").strip(), change.strip()) for change in changes.split(",")}
    return found


def main(modules: list[str]) -> int:
    """Run them, print the score and every survivor; 1 if one of them is not explained."""
    if strange := sorted(set(modules) - set(MODULES)):
        print(f"no module {strange[0]!r}: there are {', '.join(MODULES)}", file=sys.stderr)
        return 2
    warmed()
    known, unexplained, killed, total = explained(), 0, 0, 0
    for module in modules or MODULES:
        if os.waitpid(tested(None, module), 0)[1] != 0:
            print(f"impl/{module}.py: the tests fail as it is", file=sys.stderr)
            return 2
        lines = (ROOT / "impl" / f"{module}.py").read_text(encoding="utf-8").splitlines()
        found = list(mutants(module))
        alive = survivors(found)
        killed, total = killed + len(found) - len(alive), total + len(found)
        print(f"impl/{module}.py: {len(found) - len(alive)} of {len(found)} mutants killed", flush=True)
        for mutant in alive:
            text = lines[mutant.line - 1].strip()
            is_known = (f"impl/{module}.py", text, mutant.change) in known
            unexplained += not is_known
            mark = "explained" if is_known else "SURVIVED"
            print(f"  {mark} line {mutant.line}, {mutant.change}: {text}", flush=True)
    print(
        f"{killed} of {total} mutants killed, {killed / max(1, total):.1%}; {unexplained} survivors unexplained"
    )
    return int(unexplained > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
