"""A protocol as text for other tools, so that they can contradict us: Promela for SPIN, TLA+ for TLC.

    promela(small_cutover(2, 3))          one text
    tla(small_cutover(2, 3))              a module and its configuration

Each is a translation of the same expressions that every engine reads. What the tools count, distinct states and
transitions, is what `explore` counts; `foreign.py` runs them.
"""

from cutproof.checks.engines.foreign.promela import promela
from cutproof.checks.engines.foreign.tla import tla

__all__ = ["promela", "tla"]
