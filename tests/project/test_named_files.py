"""What texts name is there: modules in documents and docstrings, folders and pages in the indices.

Each rule is a function from text to a list of faults, and is seen finding one.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from places import DOCS, ROOT

MODULE = re.compile(r"`([\w./-]*\w+\.py)(?::\w+)?`")
SOURCES = [p for folder in ("model", "impl", "checks") for p in sorted((ROOT / folder).rglob("*.py"))]
PAGES = sorted(DOCS.rglob("*.md"))
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *PAGES]
USERS = {
    "lease.py",
    "lock.py",
    "my_model.py",
    "FILE.py",
    "my_driver.py",
}  # what documents call a file of the reader's own


def named_modules(text: str, folder: Path) -> list[str]:
    """Modules that a text in this folder names and that are in neither this folder, nor one around it."""
    around = [p for p in (folder, *folder.parents) if p.is_relative_to(ROOT)]
    names = sorted({name for name in MODULE.findall(text) if name not in USERS and name[:2] != "__"})
    return [name for name in names if not any((place / name).exists() for place in around)]


def former_names(text: str) -> list[str]:
    """Modules that go on running under an old name, which documents do not use."""
    old = "|".join(p.stem for p in (ROOT / "checks" / "formerly").glob("*.py"))
    return re.findall(rf"cutproof\.checks\.(?:{old})\b(?![.\w])", text)


def pages_left_out(index: str) -> list[str]:
    """Pages of docs/ that its index does not link to."""
    linked = {(DOCS / link.partition("#")[0]).resolve() for link in re.findall(r"\]\(([^)\s]+)\)", index)}
    return [
        p.relative_to(DOCS).as_posix() for p in PAGES if p.name != "README.md" and p.resolve() not in linked
    ]


def folders_left_out(text: str) -> list[str]:
    """Folders of the house that a text names nowhere: by their path, or by their own name within a line."""
    folders = {p.parent.relative_to(ROOT).as_posix() for p in SOURCES} - {"model", "checks"}
    top = {f for f in folders if f.count("/") < 2}
    return sorted(f for f in top if f"`{f}/`" not in text)


@pytest.mark.parametrize("path", [*SOURCES, *DOCUMENTS], ids=lambda p: p.relative_to(ROOT).as_posix())
def test_modules_that_are_named_are_there(path: Path) -> None:
    assert named_modules(path.read_text("utf-8"), path.parent) == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_documents_name_modules_where_they_stand(path: Path) -> None:
    assert former_names(path.read_text("utf-8")) == []


def test_the_index_has_every_page() -> None:
    assert pages_left_out((DOCS / "README.md").read_text("utf-8")) == []


def test_the_architecture_has_every_folder() -> None:
    assert folders_left_out((DOCS / "architecture.md").read_text("utf-8")) == []


def test_what_is_not_there_is_found() -> None:
    engines = ROOT / "checks" / "engines"
    text = "`verdict.py`, `checks/engines/verdict.py`, `fast/search.py`, `search.py`, `checks/engines/vector.py:7`"
    assert named_modules(text, engines) == ["checks/engines/vector.py", "search.py"]
    assert former_names("python -m cutproof.checks.hunt 7; cutproof.checks.cutover.scale") == [
        "cutproof.checks.hunt"
    ]
    index = (DOCS / "README.md").read_text("utf-8")
    assert pages_left_out(index.replace("(hunts.md)", "(no.md)")) == ["hunts.md"]
    assert folders_left_out(
        (DOCS / "architecture.md").read_text("utf-8").replace("`checks/drivers/`", "")
    ) == ["checks/drivers"]
