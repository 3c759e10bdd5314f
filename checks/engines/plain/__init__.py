"""The plain engine: breadth-first search, one state after the other, and its graph (networkx).

Begin with `explore.py`. `reach.py` asks what is still possible from one state.
"""

__all__ = ["explore", "graph", "liveness", "reach", "search"]
