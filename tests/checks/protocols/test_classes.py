"""A class of somebody's own in a file: found where it is clear which is meant, refused in one line elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from cutproof.checks.common.refusals import Wrong
from cutproof.checks.protocols.classes import is_file, load_adapter, load_driver

FILE = """
from cutproof.checks import conform
from cutproof.checks.conform import Adapter   # of another module: not meant

class Store: ...
class First(conform.Adapter): ...
class Second(conform.Adapter): ...
class Driver:
    def state(self): return {}
class Other(Driver): ...
def made(): return Driver()
number = 3
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(FILE)
    return path


def test_the_class_that_is_named_is_loaded(file: Path) -> None:
    assert load_adapter(f"{file}:Second").__name__ == "Second"
    assert load_driver(f"{file}:made")().state() == {}
    assert load_driver(str(file)).__name__ == "Driver"  # type: ignore[attr-defined]  # the usual name


def test_the_only_one_needs_no_name(tmp_path: Path) -> None:
    path = tmp_path / "one.py"
    path.write_text("from cutproof.checks.conform import Adapter\nclass Mine(Adapter): ...\n")
    assert load_adapter(str(path)).__name__ == "Mine"


@pytest.mark.parametrize(
    ("load", "name", "said"),
    [
        (load_adapter, "", "has several adapters: First, Second; say which"),
        (load_adapter, ":Frist", "did you mean First?"),
        (load_adapter, ":Store", "is no class of conform.Adapter"),
        (load_adapter, ":number", "is no class of conform.Adapter"),
        (load_driver, ":number", "is a int, not a class or a function that makes a driver"),
        (load_driver, ":nothing", "the drivers in it are Driver, Other"),
        (load_driver, ":", "write FILE.py, or FILE.py:NAME"),
        (load_adapter, ":a-b", "write FILE.py, or FILE.py:NAME"),
    ],
)
def test_what_is_not_clear_is_refused(file: Path, load: object, name: str, said: str) -> None:
    with pytest.raises(Wrong) as caught:
        load(f"{file}{name}")  # type: ignore[operator]
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_without_one_says_what_to_write(tmp_path: Path) -> None:
    path = tmp_path / "none.py"
    path.write_text("")
    for load, said in (
        (load_adapter, "has no adapter: write a class"),
        (load_driver, "has no driver: write a class"),
    ):
        with pytest.raises(Wrong, match=said):
            load(str(path))


def test_a_command_is_no_file(tmp_path: Path) -> None:
    spaced = tmp_path / "my store.py"
    spaced.write_text("")
    assert is_file("store.py")
    assert is_file(f"{spaced}:Mine")
    assert not is_file("python3 store.py")
    assert not is_file("./my-program")
