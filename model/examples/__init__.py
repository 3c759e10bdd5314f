"""Small public protocols with known numbers of states, to try an engine on, and to begin one's own from."""

__all__ = ["barrier", "dijkstra_mutex", "small_cutover", "two_phase_commit"]
