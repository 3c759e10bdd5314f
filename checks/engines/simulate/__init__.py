"""Random runs of any protocol, for what is too large to be explored; and what they covered.

Begin with `simulate.py`. `walk.py` makes one run, `schedulers.py` chooses its steps; `coverage.py` and `guards.py` say
what was met, `estimate.py` what probably was not; `processes.py` makes runs in several processes. `together.py` makes
many at once on bit planes, by `planes.py`, `draws.py` and `choices.py`: the same runs, held to `walk.py` by tests.
"""

__all__ = ["coverage", "estimate", "guards", "schedulers", "simulate", "walk"]
