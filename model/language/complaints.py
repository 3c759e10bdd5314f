"""Complaints: a protocol says what cannot be meant, and is told so with file, line and remedy.

A mistake that shows while a function of the user runs is at the line that it runs (`complain`). One that shows only
in what the function returned, or in how it was written, is at the function's own place (`at=`), never at the line
that made the protocol.
"""

from __future__ import annotations

import ast
import dis
import functools
import inspect
import linecache
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from difflib import get_close_matches
from keyword import iskeyword
from types import CodeType
from typing import Any, NoReturn, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

_LIBRARY = os.path.dirname(os.__file__) + os.sep


class LanguageError(Exception):
    """A protocol says something that cannot be meant; the message names file, line and the fix."""


def complain(message: str, fix: str, at: object = None) -> NoReturn:
    """Raise LanguageError at the line of the protocol that led here, or at a function (or a place) that is given."""
    place = at if isinstance(at, str) else place_of(at) if at is not None else ""
    text = " ".join(f"{place or _here()}: {message}; {fix}".split())
    raise LanguageError(text)


def shown(value: object) -> str:
    """A value in a message: short, and on one line."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else text[:57] + "..."


def near(name: object, known: Sequence[str], what: str = "there are") -> str:
    """The remedy for an unknown name."""
    found = get_close_matches(str(name), known, 1)
    return f"did you mean {found[0]}?" if found else f"{what} {', '.join(known) or 'none'}"


def checked(usage: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A function of the language that complains where it is called with too many, too few or strange arguments."""

    def decorated(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def called(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return function(*args, **kwargs)
            except TypeError as error:
                if error.__traceback__ and error.__traceback__.tb_next:
                    raise  # from within the function, so not of how it was called
                complain(str(error).replace(".__init__()", "()"), f"write {usage}")

        return called

    return decorated


# ------------------------------------------------------------------ places


def _here() -> str:
    frame = sys._getframe(2)
    while frame.f_back is not None and _passed_through(
        frame.f_globals.get("__name__", ""), frame.f_code.co_filename
    ):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def _passed_through(module: str, file: str) -> bool:
    """Whether the mistake cannot be in this module: it is ours, or Python's own (`enum`)."""
    if module.startswith("cutproof.model.language."):
        return True
    ours = (
        module.split(".", maxsplit=1)[0] not in sys.stdlib_module_names
    )  # a user's file may be called queue.py
    return not ours and (
        file.startswith("<frozen") or (file.startswith(_LIBRARY) and "-packages" not in file)
    )


def place_of(function: object, returned: bool = False) -> str:
    """Where a function was written: the file, and the line of its `def`, or of the only value that it returns."""
    code = _code(function)
    if code is None:
        return ""
    node, line = _written(code), code.co_firstlineno
    if node is not None:
        values = list(_returns(node.body)) if returned else []
        line = values[0].lineno if len(values) == 1 else node.lineno
    return f"{code.co_filename}:{line}"


def _code(function: object) -> CodeType | None:
    while isinstance(function, functools.partial):
        function = function.func
    code = getattr(function, "__code__", None)
    return code if isinstance(code, CodeType) else None


Written = ast.FunctionDef | ast.AsyncFunctionDef


def _written(code: CodeType) -> Written | None:
    """The text of a function as a tree; None where it cannot be read, and for a lambda."""
    linecache.checkcache(code.co_filename)
    text = "".join(linecache.getlines(code.co_filename))
    node = _functions(text).get(code.co_firstlineno)
    return node if node is not None and node.name == code.co_name else None


@functools.lru_cache(maxsize=16)
def _functions(text: str) -> dict[int, Written]:
    """The functions of a file by their first line, that of their first decorator."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return {}
    found = (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))
    return {min([n.lineno, *(d.lineno for d in n.decorator_list)]): n for n in found}


# ------------------------------------------------------------------ a forgotten return


def returned_nothing(function: object, name: str, what: str) -> None:
    """Judge a function that returned None, which says that the `what` does not exist for these arguments: refused
    where a `return` may have been forgotten, that is where its end can be reached without one, or where it never
    returns a value. Where the text cannot be read, only the latter is seen."""
    code = _code(function)
    if code is None or code.co_name == "<lambda>":
        return
    node = _written(code)
    if node is None:
        if not _has_value(code):
            complain(f"{name} returns nothing", f"write return before its {what}", function)
        return
    ends = list(_ends(node.body))
    dropped = [s for s in ends if isinstance(s, ast.Expr) and not isinstance(s.value, ast.Constant)]
    if dropped:
        at = f"{code.co_filename}:{dropped[0].lineno}"
        complain(f"{name} ends here and returns nothing", f"write return before its {what}", at)
    if ends:
        at = f"{code.co_filename}:{ends[-1].lineno}"
        complain(
            f"{name} can end here without a return",
            f"return its {what}, or write return None where there is none for these arguments", at,
        )  # fmt: skip
    if not list(_returns(node.body)):
        complain(
            f"{name} never returns its {what}", "return it for some arguments, or leave it out", function
        )


def _has_value(code: CodeType) -> bool:
    """Whether some return of a function has a value that is not None, by its bytecode."""
    before: Any = None
    for step in dis.get_instructions(code):
        if step.opname == "RETURN_CONST" and step.argval is not None:
            return True
        if step.opname == "RETURN_VALUE" and not (before.opname == "LOAD_CONST" and before.argval is None):
            return True
        before = step
    return False


def _returns(body: Sequence[ast.stmt]) -> Iterator[ast.Return]:
    """The returns of a value, other than None, that are the function's own."""
    for statement in body:
        if isinstance(statement, ast.Return):
            value = statement.value
            if value is not None and not (isinstance(value, ast.Constant) and value.value is None):
                yield statement
        elif not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            for block in _blocks(statement):
                yield from _returns(block)


def _blocks(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    for name in ("body", "orelse", "finalbody"):
        yield getattr(statement, name, [])
    for part in (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
        yield part.body


def _ends(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements with which control may run off the end of a block: none where it surely does not."""
    ends: list[ast.stmt] = []
    for statement in body:
        ends = list(_after(statement))
        if not ends:
            return
    yield from ends


def _after(statement: ast.stmt) -> Iterator[ast.stmt]:
    """What may be the last statement done where one ends and the next would follow. Rather too much than too little."""
    match statement:
        case ast.Return() | ast.Raise() | ast.Break() | ast.Continue():
            return
        case ast.If(body=body, orelse=orelse):
            yield from _ends(body)
            yield from _ends(orelse) if orelse else [statement]
        case ast.Match(cases=cases):
            for case in cases:
                yield from _ends(case.body)
            if not any(_takes_all(case) for case in cases):
                yield statement
        case ast.While(test=ast.Constant(value=True)) if not any(
            isinstance(inner, ast.Break) for inner in ast.walk(statement)
        ):
            return
        case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=final):
            if not final or list(_ends(final)):
                for block in ([*body, *orelse], *(handler.body for handler in handlers)):
                    yield from _ends(block)
        case _:
            yield statement


def _takes_all(case: ast.match_case) -> bool:
    pattern = case.pattern
    return case.guard is None and isinstance(pattern, ast.MatchAs) and pattern.pattern is None


# ------------------------------------------------------------------ functions, before they are called


def arguments_of(function: Callable[..., Any]) -> tuple[str, ...]:
    """The names of its arguments but for the first, the state."""
    return tuple(inspect.signature(function).parameters)[1:]


def first_argument(function: Callable[..., Any]) -> str | None:
    """The name that a function has for the state."""
    return next(iter(inspect.signature(function).parameters), None)


def look_at_function(name: object, function: object, decorator: str, what: str) -> None:
    """Refuse what is no function of the state and of indices."""
    if not callable(function) or isinstance(function, type):
        complain(f"{decorator} got the {type(function).__name__} {shown(function)}",
                 f"write {decorator} above a function")  # fmt: skip
    if name == "<lambda>":
        complain(f"{what} without a name", f"write def NAME(s): and {decorator} above it", function)
    if not is_name(name):
        complain(f"{what} is called {shown(name)}", "name it as a Python identifier", function)
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        complain(f"{name} has no signature that can be read", f"write def {name}(s):")
    if not parameters or parameters[0].kind not in (
        inspect.Parameter.POSITIONAL_ONLY,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
    ):
        complain(f"{name} does not take the state", f"write def {name}(s):", function)
    for p in parameters[1:]:
        if p.kind is not inspect.Parameter.POSITIONAL_OR_KEYWORD:
            complain(f"{name} takes {p}", "name each index as a plain argument", function)
        if p.default is not inspect.Parameter.empty:
            complain(
                f"{name} gives {p.name!r} a default",
                "it takes every value of its index: leave it out",
                function,
            )


def is_name(value: object) -> bool:
    """Whether it can be a name in Python."""
    return isinstance(value, str) and value.isidentifier() and not iskeyword(value)
