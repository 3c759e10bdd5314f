"""What is lost without each safeguard, and without each guard; and how rare that is on a random walk."""

__all__ = ["guards", "necessity", "rarity"]
