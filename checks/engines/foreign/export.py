"""A protocol as text for other tools, so that they can contradict us: Promela for SPIN, TLA+ for TLC.

    promela(small_cutover(2, 3))          one text
    tla(small_cutover(2, 3))              a module and its configuration

Each is a translation of the same expressions that every engine reads. What the tools count, distinct states and
transitions, is what `explore` counts; `tools.py` runs them.
"""

from cutproof.checks.engines.foreign.promela import promela
from cutproof.checks.engines.foreign.text import identifier
from cutproof.checks.engines.foreign.tla import tla
from cutproof.model.language.protocol import Protocol

__all__ = ["TARGETS", "files_of", "promela", "tla"]

TARGETS = ("tla", "promela")


def files_of(protocol: Protocol, target: str, note: str = "") -> dict[str, str]:
    """The model for a target of `TARGETS`, by the names of its files; `note` says at the top which variant it is."""
    if target == "promela":
        return {f"{identifier(protocol.name)}.pml": promela(protocol, note)}
    module, configuration = tla(protocol, note)
    name = module.split()[2]
    return {f"{name}.tla": module, f"{name}.cfg": configuration}
