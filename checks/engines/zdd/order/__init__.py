"""The order of the fields, which decides whether the diagrams of a protocol are small: found for any, by trying.

    order_of(protocol)      # the names of the fields that vary, first the one at the top

`search.py` tries; `candidates.py` says what is worth a try, `sift.py` makes a better order of what was found so far,
and `kept.py` keeps what was found.
"""

from cutproof.checks.engines.zdd.order.search import order_of

__all__ = ["order_of"]
