"""The inner loops of the fast engine: compiled by numba where that is installed, else NumPy. `choice.py` says which."""

__all__ = ["choice", "layout"]
