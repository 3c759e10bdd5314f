"""What users give and cannot be used is refused: one clear line says what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import Any, NoReturn, TypeVar

T = TypeVar("T")
WORD, LINE = 200, 2000  # characters of a word, and of a message
_LONG_WORD = re.compile(rf"\S{{{WORD + 100},}}")


class Wrong(Exception):
    """What the user gave cannot be used; the message is one line that a terminal prints as it is."""

    def __init__(self, reason: object) -> None:
        super().__init__(one_line(str(reason)))


def one_line(text: str) -> str:
    """A message as one line of bounded length, whatever of the user's it repeats."""
    return plain(_LONG_WORD.sub(lambda word: f"{word[0][:WORD]}...", " ".join(text.split())), LINE)


def plain(text: str, most: int = 60) -> str:
    """A text for a message: what would move, colour or turn round a line of a terminal is replaced, and it is cut
    after `most` characters."""
    cut = text if len(text) <= most else text[: most - 3] + "..."
    return "".join(c if c.isprintable() else "?" for c in cut)


def refuse(reason: object) -> NoReturn:
    """End the command for what the user gave: one line, and exit code 2. Raises Wrong."""
    raise Wrong(reason) from None


def checked(make: Callable[..., T], *arguments: Any) -> T:
    """What `make` makes of the user's input, whose ValueError is a refusal."""
    try:
        return make(*arguments)
    except ValueError as error:
        refuse(error)


def near(name: str, known: Iterable[str]) -> str:
    """What to add to a refusal of an unknown name: the known ones like it, or nothing."""
    found = get_close_matches(name[:WORD], list(known))
    return f"; did you mean {' or '.join(found)}?" if found else ""
