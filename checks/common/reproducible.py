"""The same draws in every process: Hypothesis without the constants of whatever happens to be imported.

One in twenty numbers that Hypothesis draws is a constant that it found in the source of some imported module of the
project, and which modules are imported depends on what ran before in the process, and on how cutproof was installed. So
a derandomized run came out otherwise under another order of tests, or after an edit of a file that it never uses.
There is no setting for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from hypothesis.internal.conjecture import providers


@contextmanager
def same_draws() -> Iterator[None]:
    """Leave those constants out of what is drawn inside. Versions of Hypothesis that look for none are left alone."""
    original = getattr(providers, "_get_local_constants", None)
    if original is None:
        yield
        return
    from hypothesis.internal.constants_ast import Constants

    nothing = Constants()
    providers.CONSTANTS_CACHE.cache.clear()
    providers._get_local_constants = lambda: nothing
    try:
        yield
    finally:
        providers._get_local_constants = original
        providers.CONSTANTS_CACHE.cache.clear()
