"""Traces: the one format in which every engine hands over a run.

`itf.py` is the format, `trace.py` reads and writes, `counterexample.py` makes one of a verdict, `stored.py` finds those
that come with the package. `replay.py` walks a trace on a protocol again (`outcome.py` is what came of it), `story.py`
tells it.
`pending.py` judges runs that go on for ever.
"""

__all__ = ["counterexample", "itf", "outcome", "replay", "shrink", "stored", "story", "trace"]
