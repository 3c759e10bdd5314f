"""Schedules that are drawn: most of what happens, happens in the middle of a migration."""

from __future__ import annotations

from random import Random

from cutproof.checks.cutover.conformance.planning.probe import Probe
from cutproof.checks.cutover.conformance.planning.script import (
    HEAL,
    SETTLE,
    Script,
    Settle,
    To,
    asked,
    begin,
    fault,
    read,
)
from cutproof.checks.cutover.conformance.steps import CLIENTS, Step

SWARM = (
    0,
    1,
    1,
    2,
    2,
    3,
    3,
    4,
)  # how many kinds of faults may happen in one run: all of them get into each other's way
ROLES = (0, 1, 0, 1, 2)  # whom a fault strikes: the node that is moved from, that which is moved to, another
EVENTS = (1, 2, 2, 3, 3, 4, 5, 6)  # in one migration
ROUNDS = (1, 1, 1, 2, 2, 3)  # migrations


def drawn(probe: Probe, draw: Random) -> Script:
    """One schedule."""
    known = probe.documents()
    fresh = [*known, *(["doc-3", "doc-4"] if "put" in probe.operations else [])]
    some = draw.sample(known, draw.randrange(len(known) + 1)) if draw.random() < 0.5 else known
    faults = draw.sample(probe.faults, min(draw.choice(SWARM), len(probe.faults)))
    steps = list(probe.phases.values())
    struck = [(what, draw.choice(ROLES)) for what in faults]
    script: list[Step | To | Settle] = [_written(probe, key, draw, CLIENTS[0]) for key in some]
    script += _more(probe, fresh, draw) if draw.random() < 0.3 else []
    script += [SETTLE] if draw.random() < 0.8 else []
    for _ in range(draw.choice(ROUNDS)):
        script += _happens(probe, fresh, struck, draw) if draw.random() < 0.3 else ()
        script.append(_move(probe, draw))
        phase = 0
        for _ in range(draw.choice(EVENTS)):
            phase = draw.choice((phase, phase, phase + 1, phase + 1, phase + 2))
            anywhere = draw.randrange(steps[phase] if phase < len(steps) else 1)
            script.append(To(phase, draw.choice((0, 0, 1, 2, 3, anywhere, anywhere, anywhere))))
            script += _happens(probe, fresh, struck, draw)
        script += [SETTLE] if draw.random() < 0.7 else []
        script += [HEAL, *([SETTLE] if draw.random() < 0.5 else [])] if draw.random() < 0.5 else []
        script += [read(draw.choice(fresh), draw.choice(CLIENTS))] if fresh and draw.random() < 0.4 else []
    return tuple(script)


def _move(probe: Probe, draw: Random) -> Step:
    others = [what for what in probe.migrations if what != "begin_migration"]
    if others and draw.random() < 0.4:
        what = draw.choice(others)
        shards = (0, 1) if what == "merge" else (draw.randrange(2),)
        return Step(what, shards=shards, hop=draw.choice((1, 2)))  # type: ignore[arg-type]
    return begin(draw.choice((1, 1, 2)))


def _happens(probe: Probe, known: list[str], struck: list[tuple[str, int]], draw: Random) -> Script:
    """One thing in one moment: a fault, something that a client does, or both."""
    chance, happens = draw.random(), ()
    if struck and chance < 0.45:
        what, role = draw.choice(struck)
        happens += (fault(what, role, draw.choice(CLIENTS) if what == "stale" else ""),)  # type: ignore[assignment]
        if chance > 0.3:
            return happens
    if chance > 0.93 and "move" in probe.migrations:
        return (Step("move", shards=(draw.randrange(2),), hop=draw.choice((1, 2))),)
    if chance > 0.9:
        return (HEAL,)
    return (*happens, *_more(probe, known, draw))


def _more(probe: Probe, known: list[str], draw: Random) -> Script:
    if not probe.operations or not known:
        return ()
    kinds = [kind for kind in probe.operations for _ in range(1 if kind in ("get", "scan") else 2)]
    kind, client = draw.choice(kinds), draw.choice((CLIENTS[0], CLIENTS[0], CLIENTS[1]))
    word = {"add": ("counter",), "append": ("list",), "get": ("doc", "counter", "list")}.get(kind, ("doc",))
    about = [key for key in known if key.partition("-")[0] in word] or known
    key = draw.choice(about)
    if kind == "put_if":
        return (Step("put_if", key=key, client=client, matches=draw.random() < 0.8),)
    return (asked(kind, key, client),)


def _written(probe: Probe, key: str, draw: Random, client: str) -> Step:
    kind = {"counter": "add", "list": "append"}.get(key.partition("-")[0], "put")
    return asked(kind, key, client)
