"""The parameters of a function that returns a protocol, from `name=value,...` or from a trace, checked against its
annotations: bool, int, float, str, members of an Enum by name, Literal, and unions of these with None.
"""

from __future__ import annotations

import inspect
import math
import re
import types
import typing
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, Literal, Union

from cutproof.checks.common.refusals import near, refuse

_INTEGER = re.compile(r"[+-]?\d{1,18}")
_BOOLEANS = {"true": True, "false": False, "1": True, "0": False}


class Unfit(ValueError):
    """A value that is not of the annotated kind; the message says what the kinds are."""


def parsed(text: str, where: str = "--with") -> dict[str, str]:
    """`nodes=3,lease=2` by name. Refuses what is not written so, and a name that is given twice."""
    found: dict[str, str] = {}
    for part in text.split(",") if text.strip() else ():
        name, equals, value = (p.strip() for p in part.partition("="))
        if not equals or not name or not value:
            refuse(f"{where} {text}: write name=value,name=value")
        if name in found:
            refuse(f"{where} {text}: {name} is given twice")
        found[name] = value
    return found


def parameters_of(function: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """What can be given to a function by name or place, with its annotations looked up as far as they can be."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # something built in, which does not say what it takes
        return {}
    stars = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return {
        name: p.replace(annotation=_looked_up(p.annotation, function))
        for name, p in signature.parameters.items()
        if p.kind not in stars
    }


def result_of(function: Callable[..., Any]) -> Any:
    """The annotation of what a function returns; a text where it could not be looked up, `Signature.empty` for none."""
    try:
        return _looked_up(inspect.signature(function).return_annotation, function)
    except (TypeError, ValueError):
        return inspect.Signature.empty


def _looked_up(annotation: Any, function: Callable[..., Any]) -> Any:
    """An annotation that is kept as text, as what it names: one by one, since a name may be there for checkers only."""
    if not isinstance(annotation, str):
        return annotation
    try:
        return eval(annotation, getattr(inspect.unwrap(function), "__globals__", {}))
    except Exception:
        return annotation


def described(function: Callable[..., Any]) -> str:
    """`processes: int = 6, mode: FAST | SLOW`, or nothing where it takes nothing."""
    parts = []
    for name, parameter in parameters_of(function).items():
        annotation, default = parameter.annotation, parameter.default
        kind = "" if annotation is parameter.empty else f": {_kind_text(annotation)}"
        parts.append(f"{name}{kind}" + ("" if default is parameter.empty else f" = {_default_text(default)}"))
    return ", ".join(parts)


def _kind_text(kind: Any) -> str:
    origin = typing.get_origin(kind)
    if origin is Literal:
        return " | ".join(str(plain(m)) for m in typing.get_args(kind))
    if origin in (Union, types.UnionType):
        return " | ".join(map(_kind_text, typing.get_args(kind)))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return " | ".join(kind.__members__)
    if origin is typing.Annotated:
        return _kind_text(typing.get_args(kind)[0])
    if origin is not None:
        return str(kind)
    return "none" if kind is type(None) else str(getattr(kind, "__name__", kind))


def _default_text(default: Any) -> str:
    if isinstance(default, bool | None):
        return str(default).lower()
    return repr(default) if isinstance(default, str) and not default else str(plain(default))


def arguments_for(function: Callable[..., Any], given: Mapping[str, object], owner: str) -> dict[str, Any]:
    """The arguments of a call, defaults included: texts (of a command line) or plain values (of a trace) become what
    the annotations say. Refuses what is missing, unknown or of another kind, and says what there is."""
    known = parameters_of(function)
    there = described(function)
    takes = f"{owner} takes {there}" if there else f"{owner} takes no parameters"
    for name in given:
        if name not in known:
            refuse(f"unknown parameter {name!r}{near(name, known) or f'; {takes}'}")
    found: dict[str, Any] = {}
    for name, parameter in known.items():
        if name in given:
            try:
                found[name] = _value(given[name], _kind(parameter))
            except Unfit as error:
                refuse(f"{name}={given[name]}: {error}")
        elif parameter.default is not parameter.empty:
            found[name] = parameter.default
        else:
            refuse(f"{owner} needs {name}: give it by --with {name}=...; {takes}")
    return found


def call(function: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    """Call it by name, and by place what has only a place."""
    only = inspect.Parameter.POSITIONAL_ONLY
    places = {n for n, p in parameters_of(function).items() if p.kind is only}
    first = [v for n, v in arguments.items() if n in places]
    return function(*first, **{n: v for n, v in arguments.items() if n not in places})


def plain(value: object) -> Any:
    """A value as a trace carries it: members of an enumeration by name."""
    if isinstance(value, Enum):
        return value.name
    return value if isinstance(value, bool | int | float | str | None) else str(value)


# ------------------------------------------------------------------ one value


def _kind(parameter: inspect.Parameter) -> Any:
    """The annotation; without one, the type of the default, where that says anything."""
    if parameter.annotation is not parameter.empty and not isinstance(parameter.annotation, str):
        return parameter.annotation
    if isinstance(parameter.annotation, str):
        raise Unfit(f"its annotation {parameter.annotation!r} means nothing there")
    if isinstance(parameter.default, bool | int | float | str | Enum):
        return type(parameter.default)
    raise Unfit("its kind is not known: annotate it, as in `def lease(nodes: int) -> Protocol`")


def _value(given: object, kind: Any) -> Any:
    """The value of that kind. Raises Unfit."""
    origin = typing.get_origin(kind)
    if origin is typing.Annotated:
        return _value(given, typing.get_args(kind)[0])
    if origin is Literal:
        members = {str(plain(m)): m for m in typing.get_args(kind)}
        return _one_of(str(plain(given)), members)
    if origin in (Union, types.UnionType):
        return _of_union(given, typing.get_args(kind))
    if kind is type(None):
        if given is None or str(given).lower() == "none":
            return None
        raise Unfit("is not none")
    if isinstance(kind, type) and issubclass(kind, Enum):
        return given if isinstance(given, kind) else _one_of(str(given), kind.__members__)
    simple = {bool: _boolean, int: _integer, float: _float, str: _text}.get(kind)
    if simple is None:
        raise Unfit(
            f"{_kind_text(kind)} cannot be given by --with; bool, int, float, str, an Enum or a Literal can"
        )
    return simple(given)


def _of_union(given: object, kinds: tuple[Any, ...]) -> Any:
    reasons = []
    for kind in kinds:
        try:
            return _value(given, kind)
        except Unfit as error:
            reasons.append(str(error))
    raise Unfit(" and ".join(dict.fromkeys(reasons)))


def _one_of(given: str, members: Mapping[str, Any]) -> Any:
    if given in members:
        return members[given]
    raise Unfit(f"there are {', '.join(members)}{near(given, members)}")


def _boolean(given: object) -> bool:
    found = given if isinstance(given, bool) else _BOOLEANS.get(str(given).lower())
    if found is None:
        raise Unfit("is not true or false")
    return found


def _integer(given: object) -> int:
    if not _INTEGER.fullmatch(str(given)):
        raise Unfit("is not a whole number of at most 18 digits")
    return int(str(given))


def _float(given: object) -> float:
    try:
        found = float(str(given))
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise Unfit("is not a number")
    return found


def _text(given: object) -> str:
    if not isinstance(given, str) or not given.isprintable():
        raise Unfit("is not one line of plain text")
    return given
