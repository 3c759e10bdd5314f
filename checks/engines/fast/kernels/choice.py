"""Which inner loops there are: compiled by numba where it is installed (`pip install '.[fast]'`) and not
switched off (NUMBA_DISABLE_JIT), else NumPy."""

from __future__ import annotations

import os
from typing import Any


def _compiled() -> Any:
    """The loops that are compiled, or nothing."""
    if os.environ.get("NUMBA_DISABLE_JIT", "0") not in (
        "",
        "0",
    ):  # numba's own switch: it would compile nothing
        return None
    try:
        from cutproof.checks.engines.fast.kernels import native

        return native.loops()
    except ImportError:
        return None


def _numpy() -> Any:
    from cutproof.checks.engines.fast.kernels import vectorised

    return vectorised


kernels = _compiled()
COMPILED = kernels is not None
kernels = kernels or _numpy()
ROOM = 1 << 15 if COMPILED else 1 << 20
"""Rows that it pays to expand before the set takes them: so many stay in the cache, or make up for calls of NumPy."""
