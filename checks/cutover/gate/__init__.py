"""The gate: which policies are safe, decided by exploration (`census.py`, `lattice.py`, `accepted.py`), by Z3
(`bounded.py`, `decide.py`), and as the shortest formula (`derive.py`). `policy_file.py` reads what operators write.
"""

__all__ = ["accepted", "bounded", "census", "decide", "derive", "lattice", "policy_file"]
