"""The fast engine: states as bits of masks, guards as gates over planes, level by level, on all cores.

Read `explore.py` (one call, with the answers of the plain engine), `search.py`, `visited.py`, `program.py`, then
`kernels/`, the inner loops. `fields.py` says which fields are fast, `relayout.py` what happens when others become so;
`liveness.py`, `rounds.py` and `temporal.py` judge what goes on for ever.
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
    "rounds",
    "search",
    "shortest_paths",
    "states",
    "temporal",
    "visited",
]
