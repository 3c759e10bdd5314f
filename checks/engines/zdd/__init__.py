"""The reachable set as a decision diagram: what no list of states can hold.

Read `diagrams.py` (what a diagram is), `plain.py` (the same on dictionaries), `events.py` (transitions as constants
that are put), `system.py`, `reach.py`, `order/` (in which order fields stand), then `explore.py`, one call with the
answers of the plain engine.
"""

__all__ = [
    "choose",
    "diagrams",
    "explore",
    "liveness",
    "order",
    "reach",
    "system",
]
