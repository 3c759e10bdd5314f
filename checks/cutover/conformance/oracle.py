"""What is compared with the oracle beside what clients were promised: the order of phases, documents, owners."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cutproof.impl.miroir import MigrationPhase

PHASES = {phase.value: place for place, phase in enumerate(MigrationPhase)}
GIVEN_UP = MigrationPhase.FAILED.value
COMMITTED = PHASES[MigrationPhase.CUTOVER_ACTIVATE.value]


def out_of_order(before: str, phase: str, crashed: bool) -> bool:
    """Whether a migration that was in one phase may not come to the other. Both are words of the oracle.

    Phases only go forward, except that a coordinator that recovers from a crash may drain anew. What is committed is
    never given up."""
    if PHASES[before] >= COMMITTED and before != GIVEN_UP:
        return PHASES[phase] < COMMITTED or phase == GIVEN_UP
    return PHASES[phase] < PHASES[before] and not crashed


def other_document(key: str, read: str | None, oracle: Mapping[str, Any]) -> str:
    """The sentence for a document whose end is determined and not the oracle's; empty if it is the same."""
    held = oracle["documents"].get(key)
    return (
        ""
        if read == held
        else f"{key}: a client reads {read!r}; the oracle, asked for the same, holds {held!r}"
    )


def other_owner(key: str, owner: str, oracle: Mapping[str, Any]) -> str:
    """The sentence for a document that went elsewhere in a run without faults; empty if it is the same node."""
    theirs = oracle["owner"].get(key, owner)
    return (
        ""
        if owner == theirs
        else f"{key}: nothing went wrong, and its owner is {owner}; the oracle's is {theirs}"
    )
