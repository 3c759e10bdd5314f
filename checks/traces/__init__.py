"""Traces: the one format in which every engine hands over a run.

`itf.py` is the format, `trace.py` reads and writes, `replay.py` walks a trace on a protocol again, `story.py` tells it,
`counterexample.py` makes one of a verdict.
"""

__all__ = ["counterexample", "itf", "replay", "story", "trace"]
