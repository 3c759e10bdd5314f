"""Which diagrams there are: compiled by numba where it is installed (`pip install '.[fast]'`) and not switched off
(NUMBA_DISABLE_JIT), else plain ones."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cutproof.checks.common.interrupts import Held
from cutproof.checks.engines.zdd.diagrams import Diagrams, Look
from cutproof.checks.engines.zdd.plain import PlainDiagrams

NODE = 24  # bytes of a node and its place in the unique table
CACHES = 1 << 30  # bytes of what is remembered, at most
PLAIN_NODE = 500  # bytes of a node in dictionaries, with what is remembered of it
TRY = 1 << 21  # nodes, while something is only tried
STEPS = 2000  # of the loops, from one look to the next
UNKNOWN = 8 << 30  # bytes of memory of a machine that does not say


def diagrams(
    levels: int, *, memory: int | None = None, nodes: int | None = None, look: Look = lambda: None
) -> Diagrams:
    """The fastest diagrams there are, of at most so many bytes (without a number: of half the memory of the machine),
    and at most so many nodes."""
    memory = memory or _memory() // 2
    made = _compiled()
    if made is None:
        return PlainDiagrams(levels, limit=_least(memory // PLAIN_NODE, nodes), look=look)
    limit = max(memory - CACHES, memory // 2) // NODE
    return made(levels, limit=_least(limit, nodes), look=look)


def for_a_try(levels: int, look: Look) -> Diagrams:
    """Diagrams that are never swept, and call `look` each some thousand new nodes: for work that `look` ends."""
    made = _compiled()
    if made is None:
        return PlainDiagrams(levels, limit=TRY, sweep_at=TRY, look=look)
    return made(levels, limit=TRY, sweep_at=TRY, look=look, stride=STEPS)


def _least(limit: int, nodes: int | None) -> int:
    return limit if nodes is None else min(limit, nodes)


def compiled() -> bool:
    """Whether they are compiled."""
    return _compiled() is not None


def _memory() -> int:
    """Bytes of memory of this machine."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return UNKNOWN


def _compiled() -> Callable[..., Diagrams] | None:
    """The compiled ones, where there can be any. What numba compiles is kept in a folder of its own."""
    if os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0"):
        return None
    try:
        from numba import config
    except ImportError:
        return None
    settings: Any = config
    first = "cutproof.checks.engines.zdd.compiled" not in sys.modules
    before = settings.CACHE_DIR
    settings.CACHE_DIR = before or _kept()  # looked at while the loops are imported
    try:
        from cutproof.checks.engines.zdd.compiled import CompiledDiagrams
        from cutproof.checks.engines.zdd.kernels import (
            closures,
            events,
            reading,
            relations,
            room,
            table,
            walks,
        )
    finally:
        settings.CACHE_DIR = before
    if first:
        for module in (closures, events, reading, relations, room, table, walks):
            for loop in vars(module).values():
                if hasattr(loop, "py_func"):
                    _loaded_with_care(loop._cache)
    return CompiledDiagrams


def _loaded_with_care(cache: Any) -> None:
    """What numba kept of a loop and cannot read counts as none. An interrupt waits: in a callback, it would be lost."""
    load = cache.load_overload

    def loaded(*arguments: Any) -> Any:
        try:
            with Held():
                return load(*arguments)
        except Exception:
            cache.flush()
            return None

    cache.load_overload = loaded


def _kept() -> str:
    """As of the fast engine (`fast/kernels/kept.py`): the folder of what was compiled, by all that it comes from."""
    import numba

    sources = [file.read_bytes() for file in sorted((Path(__file__).parent / "kernels").glob("*.py"))]
    digest = hashlib.sha256(b"\0".join([numba.__version__.encode(), *sources])).hexdigest()[:16]
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()) / "cutproof"
    try:
        (folder / f"loops-{digest}").mkdir(parents=True, exist_ok=True)
        os.utime(folder / f"loops-{digest}")
    except (OSError, RuntimeError):
        return ""
    return str(folder / f"loops-{digest}")
