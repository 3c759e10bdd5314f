"""Relations: what many events do, as one thing that is split at each level. `diagrams.py` says what they are; `plain.py`
does it with dictionaries, `compiled.py` with the loops of `kernels/relations.py` and `kernels/closures.py`."""

__all__ = ["compiled", "plain"]
