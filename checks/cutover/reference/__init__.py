"""The reference implementation held to the specification: the map between them (`abstraction.py`), both within a scope
(`twin.py`), step by step (`lockstep.py`), exhaustively (`refinement.py`), by Hypothesis (`schedule.py`, `stateful.py`,
`coverage.py`, `hunt.py`), and a stored trace performed (`perform.py`).
"""

__all__ = [
    "abstraction",
    "configuration",
    "coverage",
    "encoder",
    "hunt",
    "lockstep",
    "perform",
    "refinement",
    "schedule",
    "snapshots",
    "stateful",
    "twin",
]
