"""The command `cutproof`, one file a command; `pipelines/` writes reports for others. Nothing else prints; every error
ends in `main.py`."""

__all__ = ["main", "reports", "start"]
