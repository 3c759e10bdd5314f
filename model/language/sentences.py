"""What a function of a protocol says of itself: its docstring, also where Python runs without them (`-OO`)."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Callable
from functools import lru_cache
from typing import Any


def sentence_of(function: Callable[..., Any]) -> str:
    """The docstring on one line; empty where there is none. Without docstrings in memory it is read from the source."""
    text = function.__doc__
    code = getattr(function, "__code__", None)
    if text is None and not __debug__ and code is not None:
        text = _written(code.co_filename).get(code.co_firstlineno)
    return " ".join((text or "").split())


@lru_cache(maxsize=64)
def _written(file: str) -> dict[int, str | None]:
    """The docstrings of a file by the line on which a function begins, its decorators included."""
    try:
        tree = ast.parse("".join(linecache.getlines(file)))
    except (SyntaxError, ValueError):
        return {}
    return {
        min([node.lineno, *(d.lineno for d in node.decorator_list)]): ast.get_docstring(node, clean=False)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
