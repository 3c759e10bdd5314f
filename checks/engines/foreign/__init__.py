"""The same protocol for other model checkers: Promela for SPIN, TLA+ for TLC; and their runs, read back."""

__all__ = ["export", "promela", "text", "tla", "tools"]
