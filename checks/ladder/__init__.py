"""`cutproof verify`: what is run, in which order, on all cores (`tasks.py`, `verify.py` and its parts); which share of
it (`share.py`), and what a run that was ended has finished (`kept.py`)."""

__all__ = ["kept", "loss", "proofs", "reference", "share", "tasks", "verify"]
