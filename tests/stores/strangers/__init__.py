"""Stores that move their shards, as strangers might have written them: right ones of different designs (`right/`),
and wrong ones with one defect each (`wrong/`). They are the measure of the judge.

Each wrong store derives from a right one, and says in `bug` what goes wrong, in `source` where such a thing has
happened or which safeguard of the protocol is missing, and in `harm` what a client sees at worst.
"""

from __future__ import annotations

from types import ModuleType

from strangers.kit import Store
from strangers.right import changelog, dual
from strangers.wrong import changelog as wrong_changelog
from strangers.wrong import dual as wrong_dual

__all__ = ["RIGHT", "WRONG", "parent"]


def stores(*modules: ModuleType) -> tuple[type[Store], ...]:
    """The stores that are made in these modules."""
    return tuple(
        made for module in modules for made in vars(module).values()
        if isinstance(made, type) and issubclass(made, Store) and made.__module__ == module.__name__
    )  # fmt: skip


RIGHT = stores(dual, changelog)
WRONG = stores(wrong_dual, wrong_changelog)


def parent(wrong: type[Store]) -> type[Store]:
    """The right store that a wrong one derives from."""
    return next(made for made in wrong.__mro__[1:] if made in RIGHT)
