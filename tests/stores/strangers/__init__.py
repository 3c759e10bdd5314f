"""Stores that move their shards, as strangers might have written them: right ones of different designs (`right/`),
and wrong ones with one defect each (`wrong/`). They are the measure of the judge.

Each wrong store derives from a right one, and says in `bug` what goes wrong, in `source` where such a thing has
happened or which safeguard of the protocol is missing, and in `harm` what a client sees at worst.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from strangers.kit import Store

__all__ = ["RIGHT", "WRONG", "parent"]

DESIGNS = (
    "dual",
    "changelog",
    "slots",
    "sealed",
    "leases",
    "register",
    "actors",
    "lists",
    "ranges",
    "mirror",
    "threaded",
    "merged",
)


def stores(side: str) -> tuple[type[Store], ...]:
    """The stores that are made in the modules of one side."""
    found: list[type[Store]] = []
    for design in DESIGNS:
        if find_spec(f"strangers.{side}.{design}") is None:
            continue
        module = import_module(f"strangers.{side}.{design}")
        made = [value for value in vars(module).values() if isinstance(value, type)]
        found += [m for m in made if issubclass(m, Store) and m.__module__ == module.__name__]
    return tuple(found)


RIGHT, WRONG = stores("right"), stores("wrong")


def parent(wrong: type[Store]) -> type[Store]:
    """The right store that a wrong one derives from."""
    return next(made for made in wrong.__mro__[1:] if made in RIGHT)
