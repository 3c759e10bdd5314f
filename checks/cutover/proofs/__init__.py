"""What is proved of the cutover (`proved.py`), what its proofs used (`cores.py`), and that one tracked write stands for
any number (`tracked.py`).
"""

__all__ = ["cores", "proved", "tracked"]
