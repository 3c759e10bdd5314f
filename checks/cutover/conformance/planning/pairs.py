"""Pairs of events, each at least once, as far as the model's graph has them: in runs of eight events, chosen so that
each has many pairs that no run had before."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from cutproof.checks.cutover.conformance.planning.edges import follows
from cutproof.checks.cutover.conformance.planning.places import alike, roles
from cutproof.checks.cutover.conformance.planning.probe import Probe
from cutproof.checks.cutover.conformance.planning.script import (
    BEGIN,
    HEAL,
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

EVENTS, SAMPLE = 8, 30  # of one run; of so many the next is that which has most pairs with the others

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
    """Runs that together have every pair. After a move is given up it is begun again for what is still to come; what
    holds a migration up is healed, half of the time, before the next phase is waited for."""
    left, draw = all_pairs(probe), Random(f"{seed} pairs")
    draw.shuffle(left)
    open_, every, steps = set(left), classes(probe), list(probe.phases.values())
    for pair in left:
        if pair not in open_:
            continue
        chosen = _with_many(pair, open_, every, draw)
        open_ -= {(a, b) for i, a in enumerate(chosen) for b in chosen[i + 1 :]}
        script: list[Step | To | Settle] = [*setup(probe), BEGIN]
        before = 0
        for phase, what, role in chosen:
            if phase > before and draw.random() < 0.5:
                script.append(HEAL)
            before, anywhere = phase, draw.randrange(steps[phase])
            script += [To(phase, draw.choice((0, 1, anywhere, anywhere))), *_event(probe, what, role, draw)]
            script += [SETTLE, BEGIN] if what == "abort" else []
        yield (*script, SETTLE)


def _with_many(
    pair: tuple[Class, Class], open_: set[tuple[Class, Class]], every: list[Class], draw: Random
) -> list[Class]:
    """The two, and others that make many open pairs with them, in the order of their phases."""
    chosen = list(pair)
    while len(chosen) < EVENTS:
        some = draw.sample(every, min(SAMPLE, len(every)))
        chosen.append(max(some, key=lambda c: sum(_ordered(one, c) in open_ for one in chosen)))
    return sorted(chosen, key=lambda c: c[0])


def _ordered(one: Class, then: Class) -> tuple[Class, Class]:
    """Two classes in the order in which one run has them, where `then` is chosen later."""
    return (one, then) if one[0] <= then[0] else (then, one)


def _event(probe: Probe, what: str, role: int, draw: Random) -> tuple[Step, ...]:
    if what in probe.faults:
        if what == "stale":
            return (fault(what, role, CLIENTS[1]),)
        return (fault(what, role), *write(probe, draw.randrange(6)))[: draw.choice((1, 2))]
    about = next(iter(alike(probe.documents(), what)), [""])
    return (asked(what, draw.choice(about), draw.choice(CLIENTS)),)
