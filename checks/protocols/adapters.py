"""A system as it is named on a command line: `FILE.py[:NAME]`, a class of adapters. The file is run."""

from __future__ import annotations

import re
import types
from pathlib import Path

from cutproof.checks.common.refusals import near, refuse
from cutproof.checks.drivers.adapter import Adapter
from cutproof.checks.protocols.file import module_of

_FILE = re.compile(r"(?P<path>.*\.py)(?::(?P<name>[^:/]*))?", re.DOTALL)


def is_file(text: str) -> bool:
    """Whether a text names a file of Python, and not a command such as "python3 store.py"."""
    match = _FILE.fullmatch(text)
    return match is not None and (not any(c.isspace() for c in text) or Path(match["path"]).exists())


def load_adapter(text: str) -> type[Adapter]:
    """The class that is named. Raises Wrong, one line."""
    match = _FILE.fullmatch(text)
    if match is None:
        refuse(
            f"{text}: an adapter is a class in a file that ends in .py, FILE.py[:NAME]; a program stands behind --"
        )
    path, name = Path(match["path"]), match["name"]
    module = module_of(path)
    found = _adapters(module)
    if name is not None:
        if name in found:
            return found[name]
        if name in vars(module):
            refuse(f"{path}: {name} is no class of conform.Adapter")
        refuse(f"{path}: has no {name!r}{near(name, found) or _known(found)}")
    if len(found) == 1:
        return next(iter(found.values()))
    if found:
        refuse(f"{path}: has several adapters: {', '.join(found)}; say which: {path}:{next(iter(found))}")
    refuse(f"{path}: has no adapter: write a class of conform.Adapter; docs/verify-your-own.md says how")


def _known(found: dict[str, type[Adapter]]) -> str:
    return f"; the adapters in it are {', '.join(found)}" if found else "; there is no adapter in it"


def _adapters(module: types.ModuleType) -> dict[str, type[Adapter]]:
    return {
        name: value
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, Adapter) and value.__module__ == module.__name__
    }
