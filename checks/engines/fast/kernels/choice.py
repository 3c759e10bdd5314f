"""Which inner loops there are: compiled by numba where it is installed (`pip install '.[fast]'`) and not
switched off (NUMBA_DISABLE_JIT), else NumPy."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from pathlib import Path
from types import ModuleType

FORGOTTEN = 30 * 86_400  # seconds after which what was compiled for other versions is removed


def _chosen() -> ModuleType:
    if os.environ.get("NUMBA_DISABLE_JIT", "0") not in (
        "",
        "0",
    ):  # numba's own switch: it would compile nothing
        return _numpy()
    try:
        from numba import config
    except ImportError:
        return _numpy()
    before = config.CACHE_DIR  # type: ignore[attr-defined]
    config.CACHE_DIR = before or _kept()  # type: ignore[attr-defined]  # looked at while they are imported
    try:
        from cutproof.checks.engines.fast.kernels import compiled as kernels
    except ImportError:
        return _numpy()
    finally:
        config.CACHE_DIR = before  # type: ignore[attr-defined]
    return kernels


def _numpy() -> ModuleType:
    from cutproof.checks.engines.fast.kernels import vectorised

    return vectorised


def _kept() -> str:
    """The folder in which what is compiled is kept, by all that it is compiled from: numba looks at the file of each
    function alone, and would keep one when something that it calls has changed. Nothing where there can be none."""
    import numba

    sources = [file.read_bytes() for file in sorted(Path(__file__).parent.glob("*.py"))]
    digest = hashlib.sha256(b"\0".join([numba.__version__.encode(), *sources])).hexdigest()[:16]
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()) / "cutproof"
    try:
        (folder / f"loops-{digest}").mkdir(parents=True, exist_ok=True)
        os.utime(folder / f"loops-{digest}")
        for old in folder.glob("loops-*"):  # of other versions, and not used any more
            if time.time() - old.stat().st_mtime > FORGOTTEN:
                shutil.rmtree(old, ignore_errors=True)
    except (OSError, RuntimeError):
        return ""
    return str(folder / f"loops-{digest}")


kernels = _chosen()
COMPILED = kernels.__name__.endswith(".compiled")
ROOM = 1 << 15 if COMPILED else 1 << 20
"""Rows that it pays to expand before the set takes them: so many stay in the cache, or make up for calls of NumPy."""
