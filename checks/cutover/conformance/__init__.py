"""Other implementations of a shard migration, driven and judged beside the reference implementation.

Begin with `conform.py`. `planning/` says which schedules there are, `steps.py` is one as data and as a file.
`perform.py` performs it: `run.py` has the steps of a migration and the faults, `clients.py` what clients do and what
is judged of it, `ending.py` how a run ends, `oracle.py` what is compared with the reference (`reference.py`).
`shrink.py` makes a failure short, `lanes.py` tells it and `drawn.py` draws it; `report.py` says what was exercised
where nothing was found.
"""

__all__ = ["clients", "conform", "drawn", "perform", "planning", "reference", "report", "run", "steps"]
