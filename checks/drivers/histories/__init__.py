"""Histories: what clients did to one key and were told, and whether some order explains it.

An operation (`operation.py`) and the judge of them (`judge.py`). It asks a search for each kind of object
(`register.py`, `counter.py`, `lists.py`; `events.py` puts calls and answers in order of time), then for the smallest
part that cannot be true (`parts.py`), a sentence about it (`sentences.py`) and a picture (`timeline.py`). What
recorders write (`records.py`, `edn.py`) is read, and calls and answers are brought together, by `pairing.py`.
"""

__all__ = ["judge", "operation", "pairing", "records", "timeline"]
