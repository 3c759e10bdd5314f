"""The fast engine: states as bits of masks, guards as gates over planes, level by level, on all cores.

Read `explore.py` (one call, with the answers of the plain engine), `search.py`, `visited.py`, `program.py`, then
`kernels/`, the inner loops. `fields.py` says which fields are fast, `relayout.py` what happens when others become so.
"""

__all__ = [
    "checkpoint",
    "conversion",
    "engine",
    "explore",
    "fields",
    "kernels",
    "levels",
    "liveness",
    "program",
    "relayout",
    "search",
    "shortest_paths",
    "states",
    "visited",
]
