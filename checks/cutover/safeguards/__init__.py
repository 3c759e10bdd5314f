"""What is lost without each safeguard, and without each guard; and how rare that is on a random walk;
and under which settings it is seen (`settings.py`)."""

__all__ = ["guards", "necessity", "rarity", "settings"]
