"""Words that are no operation of their own: when a protocol is made, they unfold into the nine and plain variables.

`arithmetic.py` has products and quotients by cases, `counting.py` sums and the largest, `families.py` look-ups by a
state value. Composite values (sets, bags, queues, logs, records) are families of plain variables: `shapes.py` says what
they have in common and how a protocol meets them, `sets.py`, `sequences.py` and `records.py` are the kinds, and
`words.py` has the words for several of them. Users import all of it from `cutproof.model.language`.
"""

__all__ = ["arithmetic", "counting", "families", "records", "sequences", "sets", "shapes", "words"]
