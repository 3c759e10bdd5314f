"""Engines: any protocol in, verdicts out. They know no study, return verdicts and never print.

`plain/` is the readable one, and the judge of the others; `fast/` goes level by level on all cores; `zdd/` has all
states in one decision diagram; `proof/` is induction by Z3; `foreign/` is SPIN and TLC. Read `verdict.py` and
`exploration.py`, which they share, first.
"""

__all__ = [
    "choose",
    "exploration",
    "fast",
    "foreign",
    "lasso",
    "pending",
    "plain",
    "proof",
    "simulate",
    "statistics",
    "symmetry",
    "verdict",
    "zdd",
]
