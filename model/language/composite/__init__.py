"""Composite values: sets, bags, queues, logs and records, unfolded into plain variables when a protocol is made.

`shapes.py` says what they have in common and how a protocol meets them; `sets.py`, `sequences.py` and `records.py` are
the kinds; `words.py` has the words that go for several of them. Users import all of it from `cutproof.model.language`.
"""

__all__ = ["records", "sequences", "sets", "shapes", "words"]
