"""The command `cutproof`, one file a command; `pipelines/` writes reports for others, `orientation/`
helps whoever is here for the first time. Nothing else prints; every error
ends in `main.py`."""

__all__ = ["main", "reports", "start"]
