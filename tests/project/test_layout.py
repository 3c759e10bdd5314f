"""The layout: imports go checks -> impl -> model, the instrument knows no study, and no folder or file grows for ever.

Each rule is a function from source text to a list of faults, so that every test
can be shown to fail: once on the real files, where nothing may be found, and once
on a small bad example, where something must be.
"""

import ast
import importlib
import subprocess
import sys
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pytest
from places import ROOT
from setuptools import find_namespace_packages

REACH = {
    "model": {"model"},
    "impl": {"impl", "model"},
    "checks": {"checks", "impl", "model"},
}
LONG_FUNCTION, LONG_MODULE, MODULE_LIMIT, FOLDER_LIMIT = 70, 300, 350, 15

# The instrument takes any protocol, program or history: it may not know ours.
INSTRUMENT = ("checks/engines", "checks/traces", "checks/drivers", "checks/common", "checks/views")
STUDIES = ("cutproof.model.cutover", "cutproof.model.systems", "cutproof.impl", "cutproof.checks.cutover",
           "cutproof.checks.ladder", "cutproof.checks.cli")  # fmt: skip

# Longer than the limit, and why that reads better than two files. No more than ten.
LONG = {
    "model/cutover/coordinator.py": "the steps of the protocol in their order, read from top to bottom",
    "model/cutover/safeguards.py": "a table: an entry for each safeguard",
    "model/cutover/clients.py": "what each kind of client does: one file for one role",
    "model/cutover/slot.py": "the words and variables of the protocol, in one place",
    "impl/cluster.py": "the façade: every function that users call",
    "impl/shard.py": "everything that happens to a shard and its clients",
    "impl/coordinator.py": "the migration as one state machine",
    "checks/engines/fast/kernels/compiled.py": "the inner loops: compiled together, inlined into one another",
    "checks/cutover/loss/boundary.py": "the runner near the boundary: one class of moves",
}
CROWDED = {
    "impl": "one implementation in one room: its parts know each other, and users import its façade",
    "tests/support": "a module for each thing that tests of several folders need",
}

FILES = sorted(path for folder in REACH for path in (ROOT / folder).rglob("*.py"))
NAMES = [path.relative_to(ROOT).as_posix() for path in FILES]
OPEN = ("impl/",)  # the studies hold every part of it to the specification
EXPORTS: dict[str, set[str]] = {}  # by the name of a folder, what others may import of it
every_file = pytest.mark.parametrize("path", FILES, ids=NAMES)


# --- the rules ---------------------------------------------------------------------------------


def package_of(file: str) -> list[str]:
    """The package that relative imports in a file start from: 'model/a/b.py' -> cutproof, model, a."""
    return ["cutproof", *Path(file).parent.parts]


def imports(source: str, file: str) -> Iterator[tuple[int, str]]:
    """Line and full dotted name of everything a source text imports; '?' for what cannot be read off."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=aliases):
                yield from ((node.lineno, alias.name) for alias in aliases)
            case ast.ImportFrom(module=module, names=aliases, level=level):
                package = package_of(file)
                # A level deeper than the package leaves nothing to start from: an empty, unknown name.
                base = package[: max(len(package) - level + 1, 0)] if level else []
                base += module.split(".") if module else []
                yield from ((node.lineno, ".".join([*base, alias.name])) for alias in aliases)
            case ast.Call(
                func=ast.Name(id="__import__" | "import_module") | ast.Attribute(attr="import_module")
            ):
                match node.args:
                    case [ast.Constant(value=str(name)), *_] if not name.startswith("."):
                        yield node.lineno, name
                    case _:
                        yield node.lineno, "?"


def plain_name(arguments: list[ast.expr]) -> str:
    """The module a call such as import_module("a.b") asks for, when it is written out; '?' otherwise."""
    match arguments:
        case [ast.Constant(value=str(name)), *_] if name and not name.startswith("."):
            return name
    return "?"


def import_faults(source: str, file: str) -> list[str]:
    """Imports that break the layout rule in a source text standing at `file`, relative to the root."""
    layer = Path(file).parts[0]
    faults = []
    for line, name in imports(source, file):
        top, _, rest = name.partition(".")
        if top == "cutproof":
            fault = rest.split(".")[0] not in REACH[layer]
        elif top in REACH:
            fault = True
        else:
            fault = layer == "model" and top not in sys.stdlib_module_names
        if fault:
            faults.append(f"{file}:{line}: {layer} may not import {name}")
    return faults


def instrument_faults(source: str, file: str) -> list[str]:
    """Imports of a study by the instrument; of anything else of the project by the language."""
    faults = []
    for line, name in imports(source, file):
        if file.startswith("model/language/"):
            bad = name.startswith("cutproof.") and not name.startswith("cutproof.model.language")
        else:
            bad = file.startswith(INSTRUMENT) and any(f"{name}.".startswith(f"{s}.") for s in STUDIES)
        if bad:
            faults.append(f"{file}:{line}: {file.rpartition('/')[0]} may not import {name}")
    return faults


def border_faults(source: str, file: str, exports: Mapping[str, set[str]]) -> list[str]:
    """Imports from another folder of a module that its `__init__` does not export."""
    mine, faults = "cutproof." + Path(file).parent.as_posix().replace("/", "."), []
    for line, name in imports(source, file):
        parts = name.split(".")
        for depth in range(2, len(parts)):
            folder, module = ".".join(parts[:depth]), parts[depth]
            inside = f"{mine}.".startswith(f"{folder}.")
            if folder in exports and not inside and module not in exports[folder]:
                faults.append(f"{file}:{line}: {folder} does not export {module}")
    return faults


def size_faults(source: str, file: str) -> list[str]:
    """Modules that are too long to keep."""
    lines = len(source.splitlines())
    limit = 500 if file in LONG else MODULE_LIMIT
    return [f"{file}: {lines} lines, the limit is {limit}"] if lines > limit else []


def crowd_faults(files: Iterable[str]) -> list[str]:
    """Folders with more modules than one can take in; `__init__` is not counted."""
    counts = Counter(Path(file).parent.as_posix() for file in files if Path(file).name != "__init__.py")
    return [f"{folder}: {n} modules, at most {FOLDER_LIMIT}" for folder, n in counts.items()
            if n > FOLDER_LIMIT and folder not in CROWDED]  # fmt: skip


def size_hints(source: str, file: str) -> list[str]:
    """Modules and functions that are long enough to think about splitting."""
    hints = []
    if (lines := len(source.splitlines())) > LONG_MODULE:
        hints.append(f"{file}: {lines} lines, over {LONG_MODULE}")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
            length = node.end_lineno - node.lineno + 1
            if length > LONG_FUNCTION:
                hints.append(f"{file}:{node.lineno}: {node.name} has {length} lines, over {LONG_FUNCTION}")
    return hints


def undocumented(source: str, file: str) -> list[str]:
    """A folder whose `__init__` does not say what is in it."""
    return [] if ast.get_docstring(ast.parse(source)) else [f"{file}: says nothing"]


# --- the real files ----------------------------------------------------------------------------

for _name in NAMES:
    if _name.endswith("__init__.py") and not _name.startswith(OPEN):
        _folder = "cutproof." + ".".join(Path(_name).parent.parts)
        EXPORTS[_folder] = set(importlib.import_module(_folder).__all__)


@every_file
def test_imports_only_go_down(path: Path) -> None:
    assert import_faults(path.read_text("utf-8"), path.relative_to(ROOT).as_posix()) == []


@every_file
def test_no_module_is_too_long(path: Path) -> None:
    source, file = path.read_text("utf-8"), path.relative_to(ROOT).as_posix()
    for hint in size_hints(source, file):
        warnings.warn(hint, stacklevel=1)
    assert size_faults(source, file) == []


@every_file
def test_the_instrument_knows_no_study(path: Path) -> None:
    assert instrument_faults(path.read_text("utf-8"), path.relative_to(ROOT).as_posix()) == []


@every_file
def test_folders_use_what_others_export(path: Path) -> None:
    assert border_faults(path.read_text("utf-8"), path.relative_to(ROOT).as_posix(), EXPORTS) == []


def test_every_long_module_has_a_reason_and_needs_it() -> None:
    assert len(LONG) <= 10
    assert all(len((ROOT / file).read_text("utf-8").splitlines()) > MODULE_LIMIT for file in LONG)


def test_no_folder_is_crowded() -> None:
    assert (
        crowd_faults([*NAMES, *(p.relative_to(ROOT).as_posix() for p in (ROOT / "tests").rglob("*.py"))])
        == []
    )


@pytest.mark.parametrize("file", [name for name in NAMES if name.endswith("__init__.py")])
def test_every_folder_says_what_is_in_it(file: str) -> None:
    source = (ROOT / file).read_text("utf-8")
    assert undocumented(source, file) == []
    package = "cutproof." + ".".join(Path(file).parent.parts)
    module = importlib.import_module(package)
    for name in module.__all__:
        assert hasattr(module, name) or importlib.import_module(f"{package}.{name}"), name


def test_every_folder_with_modules_is_a_package() -> None:
    bare = {p.parent for p in FILES} - {p.parent for p in FILES if p.name == "__init__.py"}
    assert {p.relative_to(ROOT).as_posix() for p in bare} <= {"checks/formerly"}  # found by checks/__init__


def test_installing_finds_every_folder() -> None:
    found = set(find_namespace_packages(str(ROOT / "src")))
    folders = {"cutproof." + Path(name).parent.as_posix().replace("/", ".") for name in NAMES}
    assert folders <= found


def test_the_files_are_found() -> None:
    assert {"model/__init__.py", "checks/__init__.py"} <= set(NAMES)


def test_only_one_copy_can_be_imported(find_top_level_copies) -> None:
    import cutproof.checks
    import cutproof.model

    for module, folder in ((cutproof.model, "model"), (cutproof.checks, "checks")):
        assert module.__file__ and Path(module.__file__).resolve().parent == ROOT / folder
    assert find_top_level_copies() == []


@pytest.mark.parametrize("name", ["model", "checks"])
def test_import_by_bare_name_fails(name: str, tmp_path: Path) -> None:
    with pytest.raises(ModuleNotFoundError):
        __import__(name)
    started = [sys.executable, "-c", f"import cutproof.{name}, {name}"]
    result = subprocess.run(started, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert f"No module named '{name}'" in result.stderr


# --- each rule, seen failing -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("model/bad.py", "import cutproof.checks"),
        ("model/bad.py", "import cutproof.impl.engine as engine"),
        ("model/bad.py", "from cutproof import checks"),
        ("model/bad.py", "from cutproof import *"),
        ("model/bad.py", "import cutproof"),
        ("model/bad.py", "from .. import impl"),
        ("model/bad.py", "from ..checks.cli import main"),
        ("model/bad.py", "from ... import anything"),
        ("model/__init__.py", "from ..checks import cli"),
        ("model/examples/bad.py", "from ...checks import cli"),
        ("model/bad.py", "import numpy as np"),
        ("model/bad.py", "from networkx.algorithms import dag"),
        ("model/bad.py", "def late():\n    import z3"),
        ("model/bad.py", "if TYPE_CHECKING:\n    import msgspec"),
        ("model/bad.py", "import os, rich"),
        ("model/bad.py", "importlib.import_module('cutproof.checks')"),
        ("model/bad.py", "importlib.import_module(chosen)"),
        ("model/bad.py", "__import__('typer')"),
        ("model/bad.py", "import model.language"),
        ("impl/bad.py", "from cutproof.checks import cli"),
        ("impl/bad.py", "from ..checks import cli"),
        ("checks/bad.py", "import model"),
        ("checks/bad.py", "from model.language import anything"),
        ("checks/bad.py", "import cutproof.tests"),
    ],
)
def test_a_bad_import_is_found(file: str, source: str) -> None:
    assert len(import_faults(source, file)) == 1


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("model/good.py", "from __future__ import annotations\nimport os.path, collections.abc"),
        ("model/good.py", "from . import language\nfrom .language import anything"),
        ("model/good.py", "from cutproof.model.language import anything"),
        ("model/examples/good.py", "from ..language import anything\nfrom . import other"),
        ("impl/good.py", "import numpy\nfrom ..model import language"),
        ("checks/good.py", "import z3\nfrom cutproof.impl import engine\nfrom ..model import language"),
        ("checks/good.py", "import_module(chosen)"),
    ],
)
def test_a_good_import_is_not(file: str, source: str) -> None:
    assert import_faults(source, file) == []


def test_a_long_module_is_found() -> None:
    assert size_faults("x = 1\n" * MODULE_LIMIT, "model/long.py") == []
    assert len(size_faults("x = 1\n" * (MODULE_LIMIT + 1), "model/long.py")) == 1


def test_long_modules_and_functions_give_a_hint() -> None:
    body = "    x = 1\n"
    assert size_hints("x = 1\n" * LONG_MODULE, "model/long.py") == []
    assert len(size_hints("x = 1\n" * (LONG_MODULE + 1), "model/long.py")) == 1
    assert size_hints("def f():\n" + body * (LONG_FUNCTION - 1), "model/long.py") == []
    assert len(size_hints("async def f():\n" + body * LONG_FUNCTION, "model/long.py")) == 1


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("checks/engines/bad.py", "from cutproof.model.cutover.slot import Phase"),
        ("checks/engines/fast/bad.py", "from cutproof.checks.cutover import evidence"),
        ("checks/traces/bad.py", "import cutproof.impl"),
        ("checks/drivers/bad.py", "from cutproof.checks.cli.console import say"),
        ("checks/common/bad.py", "from cutproof.checks.ladder import verify"),
        ("model/language/bad.py", "from cutproof.model.examples import barrier"),
    ],
)
def test_an_instrument_that_knows_a_study_is_found(file: str, source: str) -> None:
    assert len(instrument_faults(source, file)) == 1
    assert instrument_faults(source, "checks/cutover/good.py") == []


def test_what_a_folder_keeps_to_itself_is_found() -> None:
    exports = {"cutproof.checks.engines.plain": {"explore"}}
    source = "from cutproof.checks.engines.plain.{} import anything"
    assert len(border_faults(source.format("lookup_groups"), "checks/cli/bad.py", exports)) == 1
    assert border_faults(source.format("explore"), "checks/cli/good.py", exports) == []
    assert border_faults(source.format("lookup_groups"), "checks/engines/plain/search.py", exports) == []


def test_a_crowded_folder_is_found() -> None:
    files = [f"checks/a/m{n}.py" for n in range(FOLDER_LIMIT)]
    assert crowd_faults([*files, "checks/a/__init__.py"]) == []
    assert len(crowd_faults([*files, "checks/a/one_more.py"])) == 1


def test_a_folder_that_says_nothing_is_found() -> None:
    assert undocumented("__all__ = []", "checks/a/__init__.py")


def test_a_second_copy_is_found(find_top_level_copies, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "model.language", sys)
    assert find_top_level_copies() == ["model.language is loaded"]
    monkeypatch.syspath_prepend(str(ROOT))
    assert {"model can be imported", "checks can be imported"} <= set(find_top_level_copies())
