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
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from importlib.abc import MetaPathFinder, SourceLoader
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from pathlib import Path
from types import ModuleType

import coverage
import pytest
from cosmic_ray.commands import init
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator
from cosmic_ray.work_db import use_db

ROOT = Path(__file__).resolve().parent.parent
EXPLAINED = ROOT / "docs" / "mutation.md"
# Plugins are named, not looked for: of a package that has one, pytest imports every module by itself, past the
# changed text.
FLAGS = [
    "-x",
    "-q",
    "-p",
    "no:cacheprovider",
    "-p",
    "_hypothesis_pytestplugin",
    "--hypothesis-profile=mutation",
]
os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
OURS = 70  # the exit code of a process in which not the mutant is at fault
PROCESSOR_TIME, TIMEOUT = 25, 300  # seconds of one mutant's tests, which take ten; one that hangs is noticed
LOADED = (
    "hypothesis.stateful",
    "networkx",
    "numpy",
    "typer",
    "rich.live",
    "msgspec",
    "xxhash",
    "cutproof.model.cutover.coordinator",
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
    "test_record", "test_routing", "test_clients", "test_network", "test_documents", "test_fingerprints",
    "test_miroir", "test_coordinator", "test_shard", "test_mover", "test_anti_entropy", "test_faults",
    "test_migration", "test_cluster", "test_perform",
)  # fmt: skip
PLACES = {name: f"tests/impl/{name}.py" for name in ALL} | {
    "test_perform": "tests/checks/cutover/reference/test_perform.py"
}


@dataclass(frozen=True)
class Mutant:
    """One change: where it is, and what cosmic-ray calls it."""

    module: str
    line: int
    operator: str
    occurrence: int

    @property
    def change(self) -> str:
        """The name of the change."""
        return self.operator.rpartition("/")[2]

    @property
    def text(self) -> str:
        """The whole text of the module with it."""
        text = mutate_code(source_of(self.module), get_operator(self.operator)(), self.occurrence)
        if text is None:
            raise ValueError(f"{self} changes nothing")
        return str(text)


def source_of(module: str) -> str:
    """The text of a module of impl/."""
    return (ROOT / "impl" / f"{module}.py").read_text(encoding="utf-8")


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


def mutants(module: str) -> list[Mutant]:
    """The mutants of a module, in the order of its lines."""
    source = source_of(module)
    skipped = annotations(source) + decorations(source)
    with tempfile.TemporaryDirectory() as folder, use_db(str(Path(folder) / "mutants.sqlite")) as work:
        init([ROOT / "impl" / f"{module}.py"], work, {})
        changes = sorted(
            (c.start_pos, c.operator_name, c.occurrence) for item in work.work_items for c in item.mutations
        )
    return [
        Mutant(module, start[0], name, number)
        for start, name, number in changes
        if is_asked_for(name, start, skipped)
    ]


# ------------------------------------------------------------------ what the tests make of them


def warmed() -> None:
    """Build what is not changed once, before any fork: what the tests use, and the protocol of each stored trace."""
    for name in LOADED:
        importlib.import_module(name)
    from cutproof.checks.traces.trace import read
    from cutproof.model.cutover import coordinator as module
    from cutproof.model.cutover.scopes import scope_of

    module.cutover = cache(module.cutover)  # type: ignore[assignment]
    for file in sorted((ROOT / "traces").glob("*.json")):
        module.cutover(scope_of({k: int(v) for k, v in read(file).meta.scope.items()}))
    assert not any(name.startswith("cutproof.impl") for name in sys.modules), "a child must import it anew"


def forked(do: Callable[[], int]) -> int:
    """Do something in a process of its own, silently; the number of the process. It ends with what `do` returns."""
    child = os.fork()
    if child:
        return child
    try:
        silence = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(silence, stream)
        os.chdir(ROOT)
        os._exit(do())
    except BaseException:
        os._exit(OURS)


def covered(file: Path) -> int:
    """Run all tests as they are, and keep which test runs which line."""
    config = file.with_suffix(".ini")
    config.write_text(
        "[run]\ndynamic_context = test_function\nsource_pkgs = cutproof.impl\n", encoding="utf-8"
    )
    watch = coverage.Coverage(data_file=str(file), config_file=str(config))
    watch.start()
    code = pytest.main([*FLAGS, *(PLACES[name] for name in ALL)])
    watch.stop()
    watch.save()
    return int(code != 0)


class Touched:
    """Which tests run a line: those alone can notice that it is changed."""

    def __init__(self, file: Path) -> None:
        self.data = coverage.CoverageData(str(file))
        self.data.read()
        self.of = {
            module: self.data.contexts_by_lineno(str(ROOT / "impl" / f"{module}.py")) for module in MODULES
        }
        self.statements = {
            module: [n for n in ast.walk(ast.parse(source_of(module))) if isinstance(n, ast.stmt)]
            for module in MODULES
        }

    def tests(self, mutant: Mutant) -> list[str]:
        """The tests that run the line, or the statement around it, the module's own first; all tests where it runs when
        the module is imported, or where that is not known."""
        around = [
            n for n in self.statements[mutant.module]
            if isinstance(n, ast.stmt) and n.lineno <= mutant.line <= (n.end_lineno or 0)
        ]  # fmt: skip
        inner = max(around, key=lambda n: n.lineno, default=None)
        lines = {mutant.line, *([inner.lineno] if inner else ())}
        contexts = {c for line in lines for c in self.of[mutant.module].get(line, ())}
        found = {self._place(context) for context in contexts}
        if not found or None in found:
            return [PLACES[name] for name in ALL]
        own = f"test_{mutant.module}"
        places = sorted(
            (place for place in found if place), key=lambda p: (p[0] != own, ALL.index(p[0]), p[1])
        )
        return [f"{PLACES[file]}::{test}" for file, test in places]

    def all(self) -> list[str]:
        """Every test that runs some line."""
        contexts = {c for lines in self.of.values() for found in lines.values() for c in found}
        return sorted(f"{PLACES[p[0]]}::{p[1]}" for c in contexts if (p := self._place(c)))

    @staticmethod
    def _place(context: str) -> tuple[str, str] | None:
        """The file and the function of a context; None for what runs outside of tests."""
        words = context.split(".")
        file = next((i for i, word in enumerate(words[:-1]) if word in ALL), None)
        return None if file is None else (words[file], words[file + 1])


def noticed(mutant: Mutant, tests: Sequence[str]) -> int:
    """Run these tests with the mutant in its place; 0 if all pass, 1 if not."""
    sys.meta_path.insert(0, Changed(mutant))
    resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR_TIME, PROCESSOR_TIME))
    signal.alarm(TIMEOUT)
    try:
        return int(pytest.main([*FLAGS, *tests]) != 0)
    except BaseException:
        return 1


def survivors(found: Sequence[Mutant], touched: Touched) -> list[Mutant]:
    """Those that no test notices; as many at a time as there are cores."""
    running: dict[int, Mutant] = {}
    alive: list[Mutant] = []

    def reap() -> None:
        child, status = os.wait()
        mutant = running.pop(child)
        if os.waitstatus_to_exitcode(status) == OURS:
            raise RuntimeError(f"{mutant} could not be tested")
        if status == 0:
            alive.append(mutant)

    for mutant in found:
        if len(running) >= len(os.sched_getaffinity(0)):
            reap()
        running[forked(partial(noticed, mutant, touched.tests(mutant)))] = mutant
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
    # tests/model is no package of ours.
    sys.path[:] = [p for p in sys.path if Path(p).resolve() != ROOT / "tests"]
    warmed()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "touched"
        if os.waitpid(forked(partial(covered, file)), 0)[1] != 0:
            print("the tests fail as the modules are", file=sys.stderr)
            return 2
        touched = Touched(file)
    # A test that can't be found would look like one that fails, and every mutant like a killed one.
    collect = partial(pytest.main, ["--collect-only", *FLAGS, *touched.all()])
    if os.waitpid(forked(collect), 0)[1] != 0:
        print("some of the tests that run a line can't be found by their names", file=sys.stderr)
        return 2
    known, unexplained, killed, total = explained(), 0, 0, 0
    for module in modules or MODULES:
        lines, found = source_of(module).splitlines(), mutants(module)
        alive = survivors(found, touched)
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
