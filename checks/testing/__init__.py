"""Cutproof in other people's pytest: a fixture, a marker, options. `plugin.py` is the plugin, and imports nothing until
it is used; `session.py` is what the fixture gives.
"""

__all__ = ["plugin", "session"]
