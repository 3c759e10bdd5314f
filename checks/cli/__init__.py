"""The command `cutproof`, one file a command. Nothing else prints; every error ends in `main.py`."""

__all__ = ["main", "reports", "start"]
