"""What commands say: tables (`tables.py`), progress (`progress.py`), and what each kind of result is as text and as
facts for machines. Text is returned; only progress writes, on stderr.
"""

__all__ = [
    "conformance",
    "drives",
    "explorations",
    "gate_proofs",
    "ladder",
    "logs",
    "progress",
    "proofs",
    "replays",
    "safeguards",
    "simulations",
    "tables",
]
