"""Every loss explains itself: what happened to a document (`events.py`, `event_log.py`), taken on the specification as
far as it goes (`tolerant_walk.py`), cut down to the steps that matter (`minimize.py`), with a reason (`reason.py`).
"""

__all__ = ["event_log", "events", "explain", "minimize"]
