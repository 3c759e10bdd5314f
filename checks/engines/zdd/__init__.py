"""The reachable set as a decision diagram: what no list of states can hold."""

__all__: list[str] = []
