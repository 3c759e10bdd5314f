"""What documents show people importing, and running, goes on working under its old name."""

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest
from places import ROOT

MOVED = sorted(p.stem for p in (ROOT / "checks" / "formerly").glob("*.py"))
OVERVIEW = (ROOT / "docs" / "overview.md").read_text("utf-8")
IMPORTED = sorted(
    {
        (module, name)
        for module, many, one in re.findall(
            r"^from (cutproof[\w.]*) import (?:\(\n(.*?)\)|(.*?)$)", OVERVIEW, re.MULTILINE | re.DOTALL
        )
        for name in re.findall(r"\w+", re.sub("#.*", "", many or one))
    }
)
# Where each of the short names leads: the very same object.
SAME = {
    "cutproof.model.protocol": ("cutproof.model.language.protocol", ["Protocol", "State", "label"]),
    "cutproof.model.language": ("cutproof.model.language.actions", ["action", "always", "when", "guard"]),
    "cutproof.checks.explore": ("cutproof.checks.engines.plain.explore", ["explore", "with_both_faults"]),
    "cutproof.checks.verdict": (
        "cutproof.checks.engines.verdict",
        ["Holds", "Violated", "line", "exit_code"],
    ),
    "cutproof.checks.conform": ("cutproof.checks.cutover.conformance.conform", ["check"]),
}


def test_the_readme_imports_something() -> None:
    assert {"cutproof.model.language", "cutproof.impl", "cutproof.checks"} <= {
        module for module, _ in IMPORTED
    }


@pytest.mark.parametrize(("module", "name"), IMPORTED, ids=lambda text: text)
def test_what_the_readme_imports_is_there(module: str, name: str) -> None:
    found = importlib.import_module(module)
    assert hasattr(found, name) or importlib.import_module(f"{module}.{name}")


@pytest.mark.parametrize("short", SAME)
def test_a_short_name_is_the_thing_itself(short: str) -> None:
    where, names = SAME[short]
    for name in names:
        assert getattr(importlib.import_module(short), name) is getattr(importlib.import_module(where), name)


def test_a_module_is_not_hidden_by_the_function_of_its_name() -> None:
    """`from cutproof.checks import X` gives the module, whatever was imported before."""
    program = (
        "from cutproof.checks.explore import explore\nfrom cutproof.checks import api, conform\n"
        "import cutproof.checks.explore as module\nassert module.explore is explore and api.explore is not explore\n"
        "assert callable(conform.check)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize("name", MOVED)
def test_what_was_moved_names_its_new_place_and_runs_it(name: str) -> None:
    """Two lines: the place where it stands, named in the text and run."""
    text = (ROOT / "checks" / "formerly" / f"{name}.py").read_text("utf-8")
    [said], [run] = re.findall(r"stands in `([\w.]+)` now", text), re.findall(r'run_module\("([\w.]+)"', text)
    assert said == run and f"cutproof.checks.{name}`" in text
    spec = importlib.util.find_spec(run)
    assert spec and spec.origin and 'if __name__ == "__main__":' in Path(spec.origin).read_text("utf-8")
    assert importlib.util.find_spec(f"cutproof.checks.{name}")


@pytest.mark.parametrize("name", MOVED)
def test_the_old_command_does_what_the_new_one_does(name: str) -> None:
    text = (ROOT / "checks" / "formerly" / f"{name}.py").read_text("utf-8")
    new = re.findall(r'run_module\("([\w.]+)"', text)[0]
    program = "import runpy, sys\nran = []\nrunpy.run_module = lambda *a, **k: ran.append((a, k))\n"
    program += f"import importlib\nimportlib.import_module('cutproof.checks.{name}')\nprint(ran)"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert f"('{new}',)" in said and "'run_name': '__main__'" in said
