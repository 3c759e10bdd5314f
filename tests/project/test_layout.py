"""The layout rule: imports go checks -> impl -> model, and model stands on the standard library alone.

Each rule is a function from source text to a list of faults, so that every test
can be shown to fail: once on the real files, where nothing may be found, and once
on a small bad example, where something must be.
"""

import ast
import subprocess
import sys
import tomllib
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from places import ROOT

REACH = {
    "model": {"model"},
    "impl": {"impl", "model"},
    "checks": {"checks", "impl", "model"},
}
LONG_FUNCTION, LONG_MODULE, MODULE_LIMIT = 70, 300, 450

FILES = sorted(path for folder in REACH for path in (ROOT / folder).rglob("*.py"))
NAMES = [path.relative_to(ROOT).as_posix() for path in FILES]
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


def size_faults(source: str, file: str) -> list[str]:
    """Modules that are too long to keep."""
    lines = len(source.splitlines())
    return [f"{file}: {lines} lines, the limit is {MODULE_LIMIT}"] if lines > MODULE_LIMIT else []


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


def packaging_faults(files: list[str], pyproject: str) -> list[str]:
    """Folders with modules that pyproject.toml would leave out of an install or put elsewhere."""
    table = tomllib.loads(pyproject)["tool"]["setuptools"]
    faults = []
    for folder in sorted({Path(file).parent.as_posix() for file in files}):
        package = "cutproof." + folder.replace("/", ".")
        if package not in table["packages"]:
            faults.append(f"{package} is missing from packages")
        if table["package-dir"].get(package) != folder:
            faults.append(f"{package} is not mapped to {folder}")
    return faults


# --- the real files ----------------------------------------------------------------------------


@every_file
def test_imports_only_go_down(path: Path) -> None:
    assert import_faults(path.read_text("utf-8"), path.relative_to(ROOT).as_posix()) == []


@every_file
def test_no_module_is_too_long(path: Path) -> None:
    source, file = path.read_text("utf-8"), path.relative_to(ROOT).as_posix()
    for hint in size_hints(source, file):
        warnings.warn(hint, stacklevel=1)
    assert size_faults(source, file) == []


def test_every_folder_is_installed() -> None:
    assert packaging_faults(NAMES, (ROOT / "pyproject.toml").read_text("utf-8")) == []


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


def test_a_forgotten_folder_is_found() -> None:
    table = '[tool.setuptools]\npackages = ["cutproof.model"]\npackage-dir = {"cutproof.model" = "model"}'
    assert packaging_faults(["model/a.py", "model/b.py"], table) == []
    assert len(packaging_faults(["impl/a.py"], table)) == 2


def test_a_second_copy_is_found(find_top_level_copies, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "model.language", sys)
    assert find_top_level_copies() == ["model.language is loaded"]
    monkeypatch.syspath_prepend(str(ROOT))
    assert {"model can be imported", "checks can be imported"} <= set(find_top_level_copies())
