"""The seed's nineteen chaos scenarios: as data (`scenarios.py`), run (`runner.py`), and without each safeguard."""

__all__ = ["outcome", "runner", "scenarios", "without"]
