"""Other implementations of a shard migration, judged beside the reference implementation. Begin with `conform.py`."""

__all__ = ["conform"]
