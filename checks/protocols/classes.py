"""A class as it is named on a command line, `FILE.py[:NAME]`: the adapter of a store, or a driver of a program. The
file is run.
"""

from __future__ import annotations

import re
import types
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cutproof.checks.common.refusals import near, refuse
from cutproof.checks.drivers.adapter import Adapter
from cutproof.checks.protocols.file import module_of

_FILE = re.compile(r"(?P<path>.*\.py)(?::(?P<name>[^:/]*))?", re.DOTALL)


@dataclass(frozen=True)
class Wanted:
    """What is looked for: the word for one, which classes are, what to write where there is none, and how one is named
    that is meant where there are several."""

    word: str
    fits: Callable[[type], bool]
    remedy: str
    usual: str = ""


ADAPTER = Wanted(
    "adapter",
    lambda c: issubclass(c, Adapter),
    "write a class of conform.Adapter; docs/verify-your-own.md says how",
)
DRIVER = Wanted(
    "driver", lambda c: callable(getattr(c, "state", None)), "write a class with a method for each action, and state()",
    "Driver",
)  # fmt: skip


def is_file(text: str) -> bool:
    """Whether a text names a file of Python, and not a command such as "python3 store.py"."""
    match = _FILE.fullmatch(text)
    return match is not None and (not any(c.isspace() for c in text) or Path(match["path"]).exists())


def load_adapter(text: str) -> type[Adapter]:
    """The adapter that is named. Raises Wrong, one line."""
    found: type[Adapter] = _load(text, ADAPTER)
    if not (isinstance(found, type) and issubclass(found, Adapter)):
        refuse(f"{text}: is no class of conform.Adapter")
    return found


def load_driver(text: str) -> Callable[[], Any]:
    """The driver that is named: its class, or a function that makes one. Raises Wrong, one line."""
    made: Callable[[], Any] = _load(text, DRIVER)
    if not callable(made):
        refuse(f"{text}: is a {type(made).__name__}, not a class or a function that makes a driver")
    return made


def _load(text: str, wanted: Wanted) -> Any:
    match = _FILE.fullmatch(text)
    if match is None or (match["name"] is not None and not match["name"].isidentifier()):
        refuse(
            f"{text}: the {wanted.word} is a class in a file that ends in .py: write FILE.py, or FILE.py:NAME"
        )
    path, name = Path(match["path"]), match["name"]
    module = module_of(path)
    found = _classes(module, wanted)
    if name is not None:
        if name not in vars(module):
            known = f"; the {wanted.word}s in it are {', '.join(found)}" if found else ""
            refuse(f"{path}: has no {name!r}{near(name, found) or known}")
        return vars(module)[name]
    if len(found) == 1:
        return next(iter(found.values()))
    if wanted.usual in found:
        return found[wanted.usual]
    if found:
        refuse(
            f"{path}: has several {wanted.word}s: {', '.join(found)}; say which: {path}:{next(iter(found))}"
        )
    refuse(f"{path}: has no {wanted.word}: {wanted.remedy}")


def _classes(module: types.ModuleType, wanted: Wanted) -> dict[str, type]:
    return {
        name: value
        for name, value in vars(module).items()
        if isinstance(value, type) and value.__module__ == module.__name__ and wanted.fits(value)
    }
