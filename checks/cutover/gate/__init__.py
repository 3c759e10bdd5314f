"""The gate: which policies are safe, decided by exploration (`census.py`; all at once `lattice.py`, `wide.py`;
`accepted.py` in wider scopes), by Z3 (`bounded.py`, `decide.py`), and as the shortest formula (`derive.py`).
`policy_file.py` reads what operators write; `open_hole.py` says what the eventual gate does not see.
"""

__all__ = ["accepted", "bounded", "census", "decide", "derive", "lattice", "open_hole", "policy_file", "wide"]
