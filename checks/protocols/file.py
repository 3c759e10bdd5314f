"""A protocol in a file of somebody's own: the file is run, and the protocol in it found. Nothing is guessed.

A mistake in the file is told as what it is, with the place in the file; the folder of the file is searched for its
own sibling modules while it runs, and what it prints goes to stderr. Only what stands on the command line is run.
"""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

from cutproof.checks.common import files
from cutproof.checks.common.refusals import Wrong, near, refuse
from cutproof.checks.protocols.parameters import parameters_of, result_of
from cutproof.model.language import LanguageError
from cutproof.model.language.protocol import Protocol

LIMIT = 4 * 2**20  # bytes of a file
REMEDY = "write `protocol = Protocol(...)`, or a function `-> Protocol`"

_siblings: set[str] = set()  # modules that earlier files imported from their own folders


def module_of(path: Path) -> types.ModuleType:
    """The module that the file is, just run. Refuses what cannot be read, compiled or run."""
    source = _source(path)
    module = types.ModuleType(
        f"_protocol_{path.stem}"
    )  # no name of the standard library, whatever the file's is
    module.__file__ = str(path)
    with running(path):
        code = compile(source, str(path), "exec", dont_inherit=True)
        sys.modules[module.__name__] = module  # dataclasses and enumerations look themselves up there
        exec(code, module.__dict__)
    return module


def _source(path: Path) -> bytes:
    try:
        return files.content(path, LIMIT)
    except OSError as error:
        refuse(f"{path}: {error.strerror or error}")
    except ValueError:
        refuse(f"{str(path)!r}: is a name that no file can have")


@contextlib.contextmanager
def running(path: Path) -> Iterator[None]:
    """While code of the file runs: its folder can be imported from, nothing of it reaches stdout, and whatever it
    raises is a refusal that names the line. Ctrl-C is Ctrl-C."""
    folder = str(path.resolve().parent)
    _forget_siblings(folder)
    before, wrote = list(sys.path), sys.dont_write_bytecode
    there = set(sys.modules)
    sys.path.insert(0, folder)
    sys.dont_write_bytecode = True
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    except (KeyboardInterrupt, Wrong):
        raise
    except BaseException as error:
        _tell(path, error)
    finally:
        sys.path[:], sys.dont_write_bytecode = before, wrote
        _siblings.update(name for name in set(sys.modules) - there if _stands_in(name, folder))


def _forget_siblings(folder: str) -> None:
    """A sibling of another file may have the name of one of this file's."""
    for name in [n for n in _siblings if not _stands_in(n, folder)]:
        sys.modules.pop(name, None)
        _siblings.discard(name)


def _stands_in(name: str, folder: str) -> bool:
    file = getattr(sys.modules.get(name), "__file__", None)
    return bool(file) and os.path.realpath(str(file)).startswith(folder + os.sep)


# ------------------------------------------------------------------ what went wrong in it


def _tell(path: Path, error: BaseException) -> NoReturn:
    if isinstance(error, LanguageError):
        refuse(error)
    if isinstance(error, SyntaxError) and error.filename:
        refuse(f"{error.filename}:{error.lineno or 1}: {type(error).__name__}: {error.msg}")
    said = "".join(c if c.isprintable() else " " for c in _text_of(error)).strip()
    kind = type(error).__name__
    if isinstance(error, SystemExit):
        said, kind = (
            f"with {said or '0'}: a protocol file is only read, and may not end the program",
            "it ends",
        )
    refuse(f"{_place(path, error)}: {kind}{': ' if said and kind != 'it ends' else ' '}{said[:300]}".rstrip())


def _text_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return "its message cannot be shown"


def _place(path: Path, error: BaseException) -> str:
    """The last line of the user's own that led there: in the file, or in a sibling of it."""
    folder = str(path.resolve().parent) + os.sep
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename == str(path) or os.path.realpath(frame.filename).startswith(folder):
            return f"{frame.filename}:{frame.lineno}"
    return str(path)


# ------------------------------------------------------------------ which of the names in it


def chosen(
    module: types.ModuleType, path: Path, name: str | None
) -> tuple[str, Protocol | Callable[..., Any]]:
    """The protocol or the function that is meant, with its name; refuses where that is not clear."""
    found = candidates(module)
    if name is not None:
        return name, _named(module, path, name, found)
    if len(found) == 1:
        return next(iter(found.items()))
    if found:
        names = ", ".join(found)
        refuse(f"{path}: has several protocols: {names}; say which: {path}:{next(iter(found))}")
    others = [n for n, v in vars(module).items() if _is_function(v) and _is_of(v, module)]
    functions = (
        f"; or name a function that returns one, as {path}:NAME: {', '.join(others)}" if others else ""
    )
    refuse(f"{path}: has no protocol: {REMEDY}{functions}")


def candidates(module: types.ModuleType) -> dict[str, Protocol | Callable[..., Any]]:
    """What needs no name if it is alone: protocols, and functions of the file that say they return one; else what is
    called `protocol` and can be called without arguments."""
    found: dict[str, Protocol | Callable[..., Any]] = {}
    for name, value in vars(module).items():
        if isinstance(value, Protocol):
            if not any(value is other for other in found.values()):
                found[name] = value
        elif _is_function(value) and _is_of(value, module) and _returns_protocol(value):
            found[name] = value
    named: Any = vars(module).get("protocol")
    if not found and _is_function(named) and all(
        p.default is not p.empty for p in parameters_of(named).values()
    ):  # fmt: skip
        found["protocol"] = named
    return found


def _named(
    module: types.ModuleType, path: Path, name: str, found: dict[str, Any]
) -> Protocol | Callable[..., Any]:
    if name not in vars(module):
        known = ", ".join(found) or "none"
        refuse(f"{path}: has no {name!r}{near(name, found) or f'; the protocols in it are {known}'}")
    value = vars(module)[name]
    if isinstance(value, Protocol) or (callable(value) and not isinstance(value, type)):
        return value
    refuse(f"{path}: {name} is a {type(value).__name__}, not a Protocol or a function that returns one")


def _is_function(value: object) -> bool:
    return callable(value) and not isinstance(value, type | Protocol)


def _is_of(value: Any, module: types.ModuleType) -> bool:
    return getattr(value, "__module__", None) == module.__name__


def _returns_protocol(function: Callable[..., Any]) -> bool:
    says = result_of(function)
    if isinstance(says, str):  # it could not be looked up
        return says.rpartition(".")[2].strip("'\" ") == "Protocol"
    return isinstance(says, type) and issubclass(says, Protocol)
