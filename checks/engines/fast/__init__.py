"""The fast engine: states as words, looked up in tables that are learnt, level by level, on all cores.

Read `explore.py` (one call, with the answers of the plain engine), `search.py`, `engine.py`, then `rules.py` and
`rulebook.py`, which hold what was learnt; `kernels/` are the inner loops.
"""

__all__ = [
    "checkpoint",
    "clusters",
    "conversion",
    "explore",
    "kernels",
    "levels",
    "liveness",
    "search",
    "shortest_paths",
]
