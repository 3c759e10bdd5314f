"""The plain engine: breadth-first search, one state after the other, and its graph (networkx).

Begin with `explore.py`.
"""

__all__ = ["explore", "graph", "search"]
