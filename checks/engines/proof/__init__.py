"""Proofs by Z3: what holds at the start and is kept by every action holds in runs of any length.

`symbolic.py` translates expressions, `induction.py` asks, `houdini.py` drops what is not inductive, `bounded.py` looks
for runs up to a length, and `judge.py` puts them together: a verdict for each property. `smt2.py` writes obligations
for other solvers; `asking.py` is how Z3 is asked, and how an interrupt is heard.
"""

__all__ = ["asking", "bounded", "houdini", "induction", "judge", "smt2", "symbolic"]
