"""Which schedules a system is put through: first every class of events at every place, then draws without end.

A plan is numbered: run n of a seed is the same whatever the budget, so a bigger one only adds. What is written here says
*where* something happens by places: so many phases on, and so many steps of that phase, as the probe saw them in quiet
migrations. When a plan is performed, that becomes plain steps (`steps.py`).

1. Tours: an event of one kind between every two steps.
2. One event: each write, delete and read, of each document, at each place; and on a way back.
3. One fault at each place, a write before it or behind it; healed at once, or in a later phase.
4. Given up or crashed at each place, and begun again; stale clients; parts of the shards, two moves at once, splits.
5. Pairs, triples and quadruples of events, until each pair that the model's graph has (`edges.py`) was there once.
6. Draws (`draw.py`), biased to the middle of migrations.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from cutproof.checks.cutover.conformance.draw import drawn
from cutproof.checks.cutover.conformance.edges import follows
from cutproof.checks.cutover.conformance.probe import DOCUMENTS, Probe, keys
from cutproof.checks.cutover.conformance.run import Run
from cutproof.checks.cutover.conformance.script import (
    BEGIN, HEAL, SETTLE, Script, Settle, To, asked, begin, fault, read, setup, write,
)  # fmt: skip
from cutproof.checks.cutover.conformance.steps import CLIENTS, Step
from cutproof.checks.drivers.adapter import NODELESS

PLACES, COARSE, FEW_PLACES = 24, 9, 6  # places that are looked at, the fewer the more there is to choose
HOLDING = ("cut", "pause", "delay", "lose", "fail")  # faults that hold up what is under way
PAIRED = 700  # runs of part 5 at most; what is then left comes among the draws


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
    parts = {
        "tours": _tours(probe), "one event": _single(probe), "one fault": _faulty(probe), "again": _again(probe),
        "stale": _stale(probe), "parts": _parts(probe), "pairs": _pairs(probe, seed),
    }  # fmt: skip
    for part, scripts in parts.items():
        for script in scripts:
            yield part, script


def places(probe: Probe, most: int) -> list[To]:
    """Moments of a migration, evenly spread where there are more: the first and the last of each phase are kept."""
    every = [To(p, s) for p, s in probe.boundaries]
    ends = [To(p, s) for p, steps in enumerate(probe.phases.values()) for s in sorted({0, steps - 1})]
    if len(every) <= most:
        return every
    if len(ends) >= most:
        return [ends[i * len(ends) // most] for i in range(most)]
    others = [place for place in every if place not in ends]
    room = most - len(ends)
    chosen = {*ends, *(others[i * len(others) // room] for i in range(room))}
    return [place for place in every if place in chosen]


# ------------------------------------------------------------------ 1. tours


def _tours(probe: Probe) -> Iterator[Script]:
    """Between every two steps of a migration something of one kind."""
    known = keys(probe.writes)
    for kind in [*probe.operations]:
        for about in [known] if kind == "scan" else _alike(known, kind):
            script = [*setup(probe), BEGIN]
            for i, place in enumerate(places(probe, PLACES)):
                client = CLIENTS[i // 2 % len(CLIENTS)]
                script += [place, asked(kind, about[i % len(about)], client)]
            yield (*script, SETTLE)
    if len(probe.operations) > 1:
        script = [*setup(probe), BEGIN]
        for i, place in enumerate(places(probe, PLACES)):
            kind = probe.operations[i % len(probe.operations)]
            about = next(iter(_alike(known, kind)), known)
            script += [place, asked(kind, about[i % len(about)], CLIENTS[0])]
        yield tuple(script)
    phases = len(probe.phases)
    for what in probe.faults:
        if what in ("abort",):
            yield from ((*setup(probe), BEGIN, To(p, 0), fault(what, 0), SETTLE) for p in range(phases))
            continue
        for role in _roles(what):
            script = [*setup(probe), BEGIN]
            for p in range(phases):
                script += [To(p, 0), fault(what, role), *write(probe, p), HEAL]
            yield (*script, SETTLE)


def _alike(known: list[str], kind: str) -> list[list[str]]:
    """The documents that an operation can be about, if there are any."""
    words = {"add": ("counter",), "append": ("list",), "get": ("doc", "counter", "list")}.get(kind, ("doc",))
    found = [key for key in known if key.partition("-")[0] in words]
    return [found] if found else []


def _roles(what: str) -> tuple[int, ...]:
    return (0,) if what in NODELESS else (0, 1)


# ------------------------------------------------------------------ 2. one event


def _events(probe: Probe, most: int = DOCUMENTS) -> Iterator[tuple[Step, ...]]:
    """What one client may do in one moment: with each of the documents that are there, and with a new one."""
    known = keys(probe.writes, most)
    for kind in probe.operations:
        if kind == "scan":
            yield (Step("scan", client=CLIENTS[0]),)
            continue
        about = next(iter(_alike(known, kind)), [])
        fresh = [f"doc-{DOCUMENTS}"] if kind in ("put", "put_if") else []
        for key in [*about, *fresh]:
            if kind == "get":
                yield (read(key, CLIENTS[1]),)
            elif kind == "put_if":
                yield (asked(kind, key, CLIENTS[0]), read(key, CLIENTS[1]))
                yield (Step("put_if", key=key, client=CLIENTS[1], matches=False),)
            else:
                yield (asked(kind, key, CLIENTS[0]), read(key, CLIENTS[1]))


def _single(probe: Probe) -> Iterator[Script]:
    for events in _events(probe):
        for place in places(probe, PLACES):
            yield (*setup(probe), BEGIN, place, *events, SETTLE)
    for events in _events(probe, 2):  # on a way back, and on to a third node
        if events[0].do in ("get", "scan"):
            continue
        for place in places(probe, COARSE):
            for hop in (2, 1):
                yield (*setup(probe), BEGIN, SETTLE, begin(hop), place, *events, SETTLE)


# ------------------------------------------------------------------ 3. one fault


def _faulty(probe: Probe) -> Iterator[Script]:
    for what in probe.faults:
        if what in ("abort", "stale"):
            continue
        for role in _roles(what):
            for n, place in enumerate(places(probe, COARSE)):
                for behind in (True, False):
                    wrong, written = (fault(what, role),), write(probe, n + behind)
                    both = (*wrong, *written) if behind else (*written, *wrong)
                    yield (*setup(probe), BEGIN, place, *both, SETTLE)
                yield (*setup(probe), BEGIN, place, fault(what, role), SETTLE, HEAL, SETTLE, *write(probe, n))
            for before in range(-1, len(probe.phases)):
                for after in range(max(before, 0), len(probe.phases) + 1):
                    yield _late(probe, fault(what, role), before, after)
            if what in HOLDING:
                for before in sorted({-1, 0, len(probe.phases) // 2}):
                    yield from _meanwhile(probe, fault(what, role), before)


def _late(probe: Probe, wrong: Step, before: int, after: int) -> Script:
    """Something goes wrong with a write in one phase (-1: before the migration), and ends in a later one; the last is
    the end of the migration."""
    written = (wrong, *write(probe, before + after))
    first = (*written, BEGIN) if before < 0 else (BEGIN, To(before, 0), *written)
    then = (SETTLE,) if after == len(probe.phases) else (To(after, 1),)
    return (*setup(probe), *first, *then, HEAL, *write(probe, after, behind=True), SETTLE)


def _meanwhile(probe: Probe, wrong: Step, before: int) -> Iterator[Script]:
    """Something is wrong from one phase on (-1: from before the migration), which goes on as far as it can, or a few steps;
    then a client writes, and only then it ends. Nothing else is there, so that the migration is about this document."""
    first = (wrong, BEGIN) if before < 0 else (BEGIN, To(before, 0), wrong)
    for then in (Settle(4), Settle(9), SETTLE):
        for events in _events(probe):
            if events[0].do not in ("get", "scan"):
                yield (*setup(probe, [events[0].key]), *first, then, events[0], HEAL, SETTLE)


# ------------------------------------------------------------------ 4. again, stale, parts


def _again(probe: Probe) -> Iterator[Script]:
    """Given up or crashed at each place, and begun again, to the same node or another one; with writes between, and
    writes in the second attempt."""
    for what in ("abort", "crash"):
        if what not in probe.faults:
            continue
        for n, place in enumerate(places(probe, PLACES)):
            for hop in (1, 2) if what == "abort" else (1,):
                for one in range(3):
                    yield (*setup(probe), BEGIN, place, fault(what, 0), *write(probe, one, one), SETTLE, begin(hop), SETTLE)
                yield (*setup(probe), BEGIN, place, *write(probe, n), fault(what, 0), SETTLE, begin(hop), SETTLE)
                for late in range(len(probe.phases)):
                    yield (*setup(probe), BEGIN, place, fault(what, 0), SETTLE, begin(hop), To(late, 0),
                           *write(probe, n + late, late), SETTLE)  # fmt: skip
            if what == "abort":
                yield (*setup(probe), BEGIN, SETTLE, begin(2), place, *write(probe, n), fault(what, 0), *write(probe, n + 1),
                       SETTLE, begin(2), SETTLE)  # fmt: skip


def _stale(probe: Probe) -> Iterator[Script]:
    """A client that knows the owner of then: it asks in a later phase, behind the end, and after a second migration."""
    marks = [fault("stale", 0, CLIENTS[1])] if "stale" in probe.faults else []
    known = keys(probe.writes)
    if not known:
        return
    others = [k for k in probe.operations if k not in ("scan", "put_if")]
    for kind in others:
        for about in _alike(known, kind):
            for n, place in enumerate([*places(probe, COARSE), SETTLE]):
                key = about[n % len(about)]
                mine, theirs = read(key, CLIENTS[1]), read(key, CLIENTS[0])
                late = (asked(kind, key, CLIENTS[1]), theirs)
                yield (*setup(probe), mine, *marks, BEGIN, place, *late, SETTLE)
                if kind != "get":
                    yield (*setup(probe), mine, *marks, BEGIN, SETTLE, begin(2), place, *late, SETTLE)
                    fresh = asked(kind, key, CLIENTS[0])
                    yield (*setup(probe), mine, *marks, BEGIN, place, fresh, *late, mine, SETTLE)
                else:
                    fresh = asked(probe.writes[0], known[0], CLIENTS[0])
                    seen = read(known[0], CLIENTS[1])
                    yield (*setup(probe), seen, *marks, BEGIN, place, fresh, SETTLE, seen)
                    yield (*setup(probe), seen, *marks, BEGIN, place, SETTLE, fresh, To(0, 1), seen)


def _parts(probe: Probe) -> Iterator[Script]:
    """Moves of one shard, of both at once, splits and merges: each with the events of a single move."""
    has = probe.migrations
    shapes: list[tuple[Step, ...]] = []
    if "move" in has:
        one, other = Step("move", shards=(0,)), Step("move", shards=(1,))
        apart = Step("move", shards=(1,), hop=2)
        shapes += [(one,), (other,), (one, other), (one, apart), (one, To(1, 0), other)]  # type: ignore[list-item]
    if "split" in has:
        shapes += [(Step("split", shards=(0,)),), (Step("split", shards=(1,)),)]
    if "merge" in has:
        shapes += [(Step("merge", shards=(0, 1)),)]
    for shape in shapes:
        for n, place in enumerate(places(probe, FEW_PLACES)):
            for events in _events(probe, 2):
                yield (*setup(probe), *shape, place, *events, SETTLE)
            for what in probe.faults:
                yield (*setup(probe), *shape, place, fault(what, n % 2), *write(probe, n), SETTLE)
    if "split" in has and "merge" in has:
        for n in range(6):
            yield (*setup(probe), Step("split", shards=(0,)), *write(probe, n), SETTLE, Step("merge", shards=(0, 2)),
                   *write(probe, n + 1), SETTLE, *([Step("move", shards=(0,))] if "move" in has else []), SETTLE)  # fmt: skip


# ------------------------------------------------------------------ 5. pairs


Class = tuple[int, str, int]  # the phase, the event, and whom a fault strikes


def classes(probe: Probe) -> list[Class]:
    """Every event in every phase of a system."""
    events = [(what, 0) for what in probe.operations]
    events += [(what, role) for what in probe.faults for role in _roles(what)]
    return [(p, what, role) for p in range(len(probe.phases)) for what, role in events]


def pairs(probe: Probe) -> list[tuple[Class, Class]]:
    """Two events, one after the other, where the model's graph has such a path."""
    every, many = classes(probe), len(probe.phases)
    return [(a, b) for a in every for b in every if a[0] <= b[0] and follows(a[:2], b[:2], many)]


def _pairs(probe: Probe, seed: int) -> Iterator[Script]:
    left, draw = pairs(probe), Random(f"{seed} pairs")
    draw.shuffle(left)
    open_, every = set(left), classes(probe)
    for made, pair in enumerate(p for p in left if p in open_):
        if made == PAIRED:
            return
        chosen = sorted([*pair, *draw.sample(every, min(2, len(every)))], key=lambda c: c[0])
        open_ -= {(a, b) for i, a in enumerate(chosen) for b in chosen[i + 1 :]}
        script = [*setup(probe), BEGIN]
        for phase, what, role in chosen:
            script += [To(phase, draw.choice((0, 0, 1, 2))), *_event(probe, what, role, draw)]
        yield (*script, SETTLE)


def _event(probe: Probe, what: str, role: int, draw: Random) -> tuple[Step, ...]:
    if what in probe.faults:
        if what == "stale":
            return (fault(what, role, CLIENTS[1]),)
        return (fault(what, role), *write(probe, draw.randrange(6)))[: draw.choice((1, 2))]
    about = next(iter(_alike(keys(probe.writes), what)), [""])
    return (asked(what, draw.choice(about), draw.choice(CLIENTS)),)


def perform(run: Run, script: Script) -> None:
    """What is planned becomes steps."""
    for one in script:
        if isinstance(one, Step):
            run.do(one)
        else:
            one.go(run)
