"""Histories: what clients did to one key and were told, and whether some order explains it. An operation
(`operation.py`) and the judge of them (`judge.py`), which asks a search for each kind of object (`register.py`,
`counter.py`, `lists.py`; `events.py` puts calls and answers in order of time), then for the smallest part that cannot be
true (`parts.py`) and a sentence about it (`sentences.py`).
"""

__all__ = ["judge", "operation"]
