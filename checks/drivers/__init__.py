"""Programs, driven and judged: the functions of an adapter (`adapter.py`), calls to it (`system.py`), and the judge of
what clients then see (`judge.py`). Nothing here knows the reference implementation or the cutover.
"""

__all__ = ["adapter", "finding", "histories", "judge", "system"]
