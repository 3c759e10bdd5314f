"""Which schedules a store is put through. `plan.py` says it; `probe.py` looks at what the store has and how its
migrations go, `families.py` and `pairs.py` have the systematic runs, at the moments that `places.py` knows, `edges.py`
has from the model's graph which events can follow one another, `draw.py` draws what comes after, and `script.py` has
the words in which all this is written.
"""

__all__ = ["plan", "probe", "script"]
