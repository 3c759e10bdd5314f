"""The loops of the diagrams on arrays, compiled by numba. `table.py` first: nodes, the unique table and the cache; then
`walks.py` (the operations, recursion by hand), `events.py` (many events in turn), `room.py` and `reading.py`."""

__all__ = ["events", "reading", "room", "table", "walks"]
