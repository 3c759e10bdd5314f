"""Random runs."""

__all__ = ["walk"]
