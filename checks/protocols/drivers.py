"""A driver as it is named on a command line: `FILE.py[:NAME]`, a class with a `state()`, or what makes such a thing."""

from __future__ import annotations

import re
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cutproof.checks.common.refusals import near, refuse
from cutproof.checks.protocols.file import module_of

USUAL = "Driver"  # taken where a file has several
_FILE = re.compile(r"(?P<path>.*\.py)(?::(?P<name>[^:/]*))?", re.DOTALL)


def load_driver(text: str) -> Callable[[], Any]:
    """The class that is named, or the function that makes a driver; the file is run. Raises Wrong, one line."""
    match = _FILE.fullmatch(text)
    if match is None:
        refuse(f"--driver {text}: a driver is in a file that ends in .py: FILE.py[:NAME]")
    path, name = Path(match["path"]), match["name"]
    if name is not None and not name.isidentifier():
        refuse(f"--driver {text}: write FILE.py, or FILE.py:NAME")
    module = module_of(path)
    found = _drivers(module)
    if name is not None:
        return _named(module, path, name, found)
    if len(found) == 1:
        return next(iter(found.values()))
    if USUAL in found:
        return found[USUAL]
    if found:
        refuse(f"{path}: has several drivers: {', '.join(found)}; say which: {path}:{next(iter(found))}")
    refuse(f"{path}: has no driver: write a class with a method for each action, and state()")


def _drivers(module: types.ModuleType) -> dict[str, Callable[[], Any]]:
    """The classes of the file that have a `state()`."""
    return {
        name: value
        for name, value in vars(module).items()
        if isinstance(value, type)
        and value.__module__ == module.__name__
        and callable(getattr(value, "state", None))
    }


def _named(module: types.ModuleType, path: Path, name: str, found: dict[str, Any]) -> Callable[[], Any]:
    if name not in vars(module):
        known = ", ".join(found) or "none"
        refuse(f"{path}: has no {name!r}{near(name, found) or f'; the drivers in it are {known}'}")
    value = vars(module)[name]
    if not callable(value):
        refuse(f"{path}: {name} is a {type(value).__name__}, not a class or a function that makes a driver")
    made: Callable[[], Any] = value
    return made
