"""Relations: what many events do, as one thing that is split at each level. `diagrams.py` says what they are;
`plain.py` does it with dictionaries, `compiled.py` with loops (`kernels/relations.py`, `kernels/closures.py`)."""

__all__ = ["compiled", "plain"]
