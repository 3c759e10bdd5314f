"""Pairs of events, each once, as far as the model's graph has them: runs of up to four events that are in many
pairs."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from cutproof.checks.cutover.conformance.planning.edges import follows
from cutproof.checks.cutover.conformance.planning.places import alike, roles
from cutproof.checks.cutover.conformance.planning.probe import Probe
from cutproof.checks.cutover.conformance.planning.script import (
    BEGIN,
    SETTLE,
    Script,
    Settle,
    To,
    asked,
    fault,
    setup,
    write,
)  # fmt: skip
from cutproof.checks.cutover.conformance.steps import CLIENTS, Step

PAIRED = 700  # runs at most: all pairs of a system with many phases and faults take some thousands


Class = tuple[int, str, int]  # the phase, the event, and whom a fault strikes


def classes(probe: Probe) -> list[Class]:
    """Every event in every phase of a system."""
    events = [(what, 0) for what in probe.operations]
    events += [(what, role) for what in probe.faults for role in roles(what)]
    return [(p, what, role) for p in range(len(probe.phases)) for what, role in events]


def all_pairs(probe: Probe) -> list[tuple[Class, Class]]:
    """Two events, one after the other, where the model's graph has such a path."""
    every, many = classes(probe), len(probe.phases)
    return [(a, b) for a in every for b in every if a[0] <= b[0] and follows(a[:2], b[:2], many)]


def pairs(probe: Probe, seed: int) -> Iterator[Script]:
    left, draw = all_pairs(probe), Random(f"{seed} pairs")
    draw.shuffle(left)
    open_, every, steps = set(left), classes(probe), list(probe.phases.values())
    for made, pair in enumerate(p for p in left if p in open_):
        if made == PAIRED:
            return
        chosen = sorted([*pair, *draw.sample(every, min(2, len(every)))], key=lambda c: c[0])
        open_ -= {(a, b) for i, a in enumerate(chosen) for b in chosen[i + 1 :]}
        script: list[Step | To | Settle] = [*setup(probe), BEGIN]
        for phase, what, role in chosen:
            anywhere = draw.randrange(steps[phase])
            script += [To(phase, draw.choice((0, 1, anywhere, anywhere))), *_event(probe, what, role, draw)]
        yield (*script, SETTLE)


def _event(probe: Probe, what: str, role: int, draw: Random) -> tuple[Step, ...]:
    if what in probe.faults:
        if what == "stale":
            return (fault(what, role, CLIENTS[1]),)
        return (fault(what, role), *write(probe, draw.randrange(6)))[: draw.choice((1, 2))]
    about = next(iter(alike(probe.documents(), what)), [""])
    return (asked(what, draw.choice(about), draw.choice(CLIENTS)),)
