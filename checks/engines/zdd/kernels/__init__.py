"""The loops of the diagrams on arrays, compiled by numba. `table.py` first: nodes, the unique table and the cache; then
`walks.py` (the operations, recursion by hand), `events.py` (many events in turn), `relations.py` and
`closures.py` (many events as one relation), `room.py` and `reading.py`."""

__all__ = ["closures", "events", "reading", "relations", "room", "table", "walks"]
