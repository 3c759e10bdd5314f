"""Recording: what clients of a running system ask and are told, written as a history that `histories/` judges.

`recorder.py` writes it, a client at a time; `load.py` has clients that do something, all of it drawn from a seed.
"""

__all__ = ["load", "recorder"]
