"""The inner loops of the fast engine: compiled by numba where that is installed, else NumPy. `choice.py` says which.

`compiled.py` has those that are compiled; `building.py` makes machine code of them, `kept.py` keeps it on disk, and
`native.py` calls it without numba. `vectorised.py` has the same in NumPy.
"""

__all__ = ["choice", "layout"]
