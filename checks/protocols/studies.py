"""The protocols that are studied here, by name: those with safeguards, policies, a gate and proofs of their own.

`cutproof safeguards`, `gate`, `prove` and `verify` take `--protocol NAME` of one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cutproof.checks.common.refusals import near, refuse


@dataclass(frozen=True)
class Study:
    """`safeguards` gives what each of them is, by name, when it is asked for."""

    name: str
    safeguards: Callable[[], Mapping[str, Any]]


def _cutover() -> Mapping[str, Any]:
    from cutproof.model.cutover.safeguards import SAFEGUARDS

    return SAFEGUARDS


STUDIES = (Study("cutover", _cutover),)


def study(name: str) -> Study:
    """The study of that name; refused where there is none."""
    known = {s.name: s for s in STUDIES}
    if name not in known:
        hint = near(name, known) or f"; there is {', '.join(known)}"
        refuse(f"--protocol {name}: is not studied here{hint}")
    return known[name]
