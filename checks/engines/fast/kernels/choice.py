"""Which inner loops there are: compiled by numba where it is installed (`pip install '.[fast]'`) and not
switched off (NUMBA_DISABLE_JIT), else NumPy."""

from __future__ import annotations

import os
from types import ModuleType


def _chosen() -> ModuleType:
    if os.environ.get("NUMBA_DISABLE_JIT", "0") not in (
        "",
        "0",
    ):  # numba's own switch: it would compile nothing
        return _numpy()
    try:
        from cutproof.checks.engines.fast.kernels import compiled as kernels
    except ImportError:
        return _numpy()
    return kernels


def _numpy() -> ModuleType:
    from cutproof.checks.engines.fast.kernels import vectorised

    return vectorised


kernels = _chosen()
COMPILED = kernels.__name__.endswith(".compiled")
ROOM = 1 << 15 if COMPILED else 1 << 20
"""Rows that it pays to expand before the set takes them: so many stay in the cache, or make up for calls of NumPy."""
