"""Which schedules a system is put through: first every class of events at every place, then draws without end.

A plan is numbered: run n of a seed is the same whatever the budget, so a bigger one only adds. What is written here
says *where* something happens by places: so many phases on, and so many steps of that phase, as the probe saw them in
quiet migrations. When a plan is performed, that becomes plain steps (`steps.py`). `families.py` has parts 1 to 4.

1. Tours: an event of one kind between every two steps.
2. One event: each write, delete and read, of each document, at each place; and on a way back.
3. One fault at each place, a write before it or behind it; healed at once, or in a later phase.
4. Given up or crashed at each place, and begun again; stale clients; parts of the shards, two moves at once, splits.
5. Each pair of events that the model's graph has (`edges.py`), in runs of eight events (`pairs.py`).
6. Draws (`draw.py`), biased to the middle of migrations.

The tours come first, the other systematic parts by turns, and the draws when these have ended.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from cutproof.checks.cutover.conformance.planning.draw import drawn
from cutproof.checks.cutover.conformance.planning.families import (
    again,
    faulty,
    held_up,
    late,
    parts,
    seen,
    single,
    stale,
    tours,
)
from cutproof.checks.cutover.conformance.planning.pairs import pairs
from cutproof.checks.cutover.conformance.planning.probe import Probe
from cutproof.checks.cutover.conformance.planning.script import Script


@dataclass(frozen=True)
class Planned:
    """One run to come: its number, the seed of the system, and what happens."""

    number: int
    seed: int
    part: str
    script: Script


def plan(probe: Probe, seed: int) -> Iterator[Planned]:
    """The runs of a seed, in order, without end."""
    number = 0
    for part, script in _systematic(probe, seed):
        number += 1
        yield Planned(number, _seed(seed, number), part, script)
    while True:
        number += 1
        draw = Random(f"{seed} {number} drawn")
        yield Planned(number, _seed(seed, number), "draws", drawn(probe, draw))


def _seed(seed: int, number: int) -> int:
    return Random(f"{seed} {number}").randrange(2**32)


def systematic(probe: Probe, seed: int) -> int:
    """How many runs come before the draws."""
    return sum(1 for _ in _systematic(probe, seed))


def _systematic(probe: Probe, seed: int) -> Iterator[tuple[str, Script]]:
    yield from (("tours", script) for script in tours(probe))
    open_ = {
        "one event": single(probe),
        "one fault": faulty(probe),
        "late": late(probe),
        "held up": held_up(probe),
        "seen": seen(probe),
        "again": again(probe),
        "stale": stale(probe),
        "parts": parts(probe),
        "pairs": pairs(probe, seed),
    }
    while open_:  # by turns: nobody knows which of them a system fails
        for part, scripts in list(open_.items()):
            script = next(scripts, None)
            if script is None:
                del open_[part]
            else:
                yield part, script
