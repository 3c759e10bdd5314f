"""Traces: the one format in which every engine hands over a run.

`itf.py` is the format, `trace.py` reads and writes, `stored.py` finds the traces that come with the package.
`replay.py` walks a trace on a protocol again (`outcome.py` is what came of it), `story.py` tells it.
"""

__all__ = ["itf", "outcome", "replay", "stored", "story", "trace"]
