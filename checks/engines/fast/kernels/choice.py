"""Which inner loops there are: compiled by numba where it is installed (`pip install '.[fast]'`), else NumPy."""

from __future__ import annotations

from types import ModuleType


def _chosen() -> ModuleType:
    try:
        from cutproof.checks.engines.fast.kernels import compiled as kernels
    except ImportError:
        from cutproof.checks.engines.fast.kernels import vectorised as kernels_numpy

        return kernels_numpy
    return kernels


kernels = _chosen()
COMPILED = kernels.__name__.endswith(".compiled")
