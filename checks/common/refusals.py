"""What users give and cannot be used is refused: one clear line says what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import Any, NoReturn, TypeVar

T = TypeVar("T")


class Wrong(Exception):
    """What the user gave cannot be used; the message is one line."""


def refuse(reason: object) -> NoReturn:
    raise Wrong(" ".join(str(reason).split())) from None


def checked(make: Callable[..., T], *arguments: Any) -> T:
    """What `make` makes of the user's input, whose ValueError is a refusal."""
    try:
        return make(*arguments)
    except ValueError as error:
        refuse(error)


def near(name: str, known: Iterable[str]) -> str:
    found = get_close_matches(name, list(known))
    return f"; did you mean {' or '.join(found)}?" if found else ""
