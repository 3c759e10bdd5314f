"""What proofs of the cutover used (`cores.py`), and that one tracked write stands for any number (`tracked.py`)."""

__all__ = ["cores", "tracked"]
