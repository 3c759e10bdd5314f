"""Programs, driven and judged: the functions of an adapter (`adapter.py`), calls to it (`system.py`), and what is raised
where it does what it should not (`finding.py`). `histories/` judges what clients saw, `wire/` speaks with programs in
other languages. Nothing here knows the reference implementation or the cutover.
"""

__all__ = ["adapter", "finding", "histories", "system", "wire"]
