"""Families of schedules, in the order in which a system is put through them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cutproof.checks.cutover.conformance.clients import kind_of
from cutproof.checks.cutover.conformance.planning.places import (
    COARSE,
    FEW_PLACES,
    PLACES,
    alike,
    events,
    places,
    roles,
)
from cutproof.checks.cutover.conformance.planning.probe import Probe
from cutproof.checks.cutover.conformance.planning.script import (
    BEGIN,
    HEAL,
    SETTLE,
    Script,
    Settle,
    To,
    asked,
    begin,
    fault,
    read,
    setup,
    write,
)  # fmt: skip
from cutproof.checks.cutover.conformance.steps import CLIENTS, Step

HOLDING = ("cut", "pause", "delay")  # faults that hold up what is under way


# ------------------------------------------------------------------ 1. tours


def tours(probe: Probe) -> Iterator[Script]:
    """Between every two steps of a migration something of one kind."""
    known = probe.documents()
    for kind in probe.operations if known else []:
        for about in [known] if kind == "scan" else alike(known, kind):
            script: list[Step | To | Settle] = [*setup(probe), BEGIN]
            for i, place in enumerate(places(probe, PLACES)):
                client = CLIENTS[i // 2 % len(CLIENTS)]
                script += [place, asked(kind, about[i % len(about)], client)]
            yield (*script, SETTLE)
    if known and len(probe.operations) > 1:
        script = [*setup(probe), BEGIN]
        for i, place in enumerate(places(probe, PLACES)):
            kind = probe.operations[i % len(probe.operations)]
            about = next(iter(alike(known, kind)), known)
            script += [place, asked(kind, about[i % len(about)], CLIENTS[0])]
        yield tuple(script)
    phases = len(probe.phases)
    for what in probe.faults:
        if what in ("abort", "crash"):
            yield from ((*setup(probe), BEGIN, To(p, 0), fault(what, 0), SETTLE) for p in range(phases))
            continue
        for role in roles(what):
            script = [*setup(probe), BEGIN]
            for p in range(phases):
                script += [To(p, 0), fault(what, role), *write(probe, p), HEAL]
            yield (*script, SETTLE)


# ------------------------------------------------------------------ 2. one event


def single(probe: Probe) -> Iterator[Script]:
    for chosen in events(probe):
        for place in places(probe, PLACES):
            yield (*setup(probe), BEGIN, place, *chosen, SETTLE)
    for chosen in events(probe, 2):  # on a way back, and on to a third node
        if chosen[0].do in ("get", "scan"):
            continue
        for place in places(probe, COARSE):
            for hop in (2, 1):
                yield (*setup(probe), BEGIN, SETTLE, begin(hop), place, *chosen, SETTLE)


# ------------------------------------------------------------------ 3. one fault


def _faults(probe: Probe, among: Sequence[str] = ()) -> list[tuple[str, int]]:
    """The faults of one step, with whom they strike."""
    known = [
        what for what in among or probe.faults if what in probe.faults and what not in ("abort", "stale")
    ]
    return [(what, role) for what in known for role in roles(what)]


def faulty(probe: Probe) -> Iterator[Script]:
    """Something goes wrong in each place: before a write, behind one, or until the migration has ended."""
    for n, place in enumerate(places(probe, COARSE)):
        for what, role in _faults(probe):
            wrong, until = fault(what, role), (SETTLE, HEAL, SETTLE)
            yield (*setup(probe), BEGIN, place, wrong, *write(probe, n + 1), SETTLE)
            yield (*setup(probe), BEGIN, place, *write(probe, n), wrong, SETTLE)
            yield (*setup(probe), BEGIN, place, wrong, *until, *write(probe, n))


def late(probe: Probe) -> Iterator[Script]:
    """Something goes wrong with a write in one phase (-1: before the migration), and ends in a later one; the last is
    the end of the migration."""
    many = len(probe.phases)
    for before in range(-1, many):
        for after in range(max(before, 0), many + 1):
            for what, role in _faults(probe):
                written: Script = (fault(what, role), *write(probe, before + after))
                first: Script = (*written, BEGIN) if before < 0 else (BEGIN, To(before, 0), *written)
                then: Script = (SETTLE,) if after == many else (To(after, 1),)
                yield (*setup(probe), *first, *then, HEAL, *write(probe, after, behind=True), SETTLE)


def held_up(probe: Probe) -> Iterator[Script]:
    """Something is held up from one phase on (-1: from before the migration), which goes on as far as it can, or a few
    steps; then a client writes, and only then it ends. Nothing else is there, so that the migration is about this
    document."""
    for then in (Settle(3), Settle(9), SETTLE):
        for before in range(-1, len(probe.phases)):
            for what, role in _faults(probe, HOLDING):
                wrong = fault(what, role)
                first: Script = (wrong, BEGIN) if before < 0 else (BEGIN, To(before, 0), wrong)
                for chosen in events(probe, 1):
                    if chosen[0].do in ("get", "scan"):
                        continue
                    alone = (*setup(probe, [chosen[0].key]), *first, then, chosen[0])
                    yield (*alone, HEAL, SETTLE)
                    yield (
                        *alone,
                        SETTLE,
                        HEAL,
                        SETTLE,
                    )  # what else is under way is done before what was held up


SEEN_AND_LOST = (
    "timeout",
    "crash",
    "restart",
    "abort",
    "cut",
    "lose",
)  # after these a write may never have been


def seen(probe: Probe) -> Iterator[Script]:
    """A write is read by another client a few steps later, when it perhaps is not everywhere yet; then something goes
    wrong that may undo it. What was seen must stay."""
    moved = [
        BEGIN,
        *([Step("move", shards=(1,)), Step("move", shards=(0,))] if "move" in probe.migrations else []),
    ]
    for begun in moved:
        for place in places(probe, FEW_PLACES):
            for steps in (1, 3, 6):
                for what, role in _faults(probe, SEEN_AND_LOST):
                    for chosen in events(probe, 1):
                        if len(chosen) == 2 and chosen[0].do != "put_if" and chosen[1].key.endswith("-0"):
                            yield (
                                *setup(probe),
                                begun,
                                place,
                                chosen[0],
                                Settle(steps),
                                chosen[1],
                                fault(what, role),
                            )


# ------------------------------------------------------------------ 4. again, stale, parts


def again(probe: Probe) -> Iterator[Script]:
    """Given up or crashed at each place, and begun again, to the same node or another one; with writes between, and
    writes in the second attempt."""
    for what in ("abort", "crash"):
        if what not in probe.faults:
            continue
        for n, place in enumerate(places(probe, PLACES)):
            wrong = fault(what, 0)
            for hop in (1, 2) if what == "abort" else (1,):
                for one in range(3):
                    yield (
                        *setup(probe),
                        BEGIN,
                        place,
                        wrong,
                        *write(probe, one, one),
                        SETTLE,
                        begin(hop),
                        SETTLE,
                    )
                yield (*setup(probe), BEGIN, place, *write(probe, n), wrong, SETTLE, begin(hop), SETTLE)
                for late in range(len(probe.phases)):
                    second: Script = (begin(hop), To(late, 0), *write(probe, n + late, late), SETTLE)
                    yield (*setup(probe), BEGIN, place, wrong, SETTLE, *second)
            if what == "abort":
                back: Script = (begin(2), place, *write(probe, n), wrong, *write(probe, n + 1), SETTLE)
                yield (*setup(probe), BEGIN, SETTLE, *back, begin(2), SETTLE)


def stale(probe: Probe) -> Iterator[Script]:
    """A client that knows the owner of then: it asks in a later phase, behind the end, and after a second migration."""
    marks: list[Step] = [fault("stale", 0, CLIENTS[1])] if "stale" in probe.faults else []
    known = probe.documents()
    if not known:
        return
    others = [k for k in probe.operations if k not in ("scan", "put_if")]
    for kind in others:
        for about in alike(known, kind):
            spots: list[To | Settle] = [*places(probe, COARSE), SETTLE]
            for n, place in enumerate(spots):
                key = about[n % len(about)]
                mine, theirs = read(key, CLIENTS[1]), read(key, CLIENTS[0])
                late = (asked(kind, key, CLIENTS[1]), theirs)
                yield (*setup(probe), mine, *marks, BEGIN, place, *late, SETTLE)
                if kind != "get":
                    yield (*setup(probe), mine, *marks, BEGIN, SETTLE, begin(2), place, *late, SETTLE)
                    fresh = asked(kind, key, CLIENTS[0])
                    yield (*setup(probe), mine, *marks, BEGIN, place, fresh, *late, mine, SETTLE)
                else:
                    fresh = asked(kind_of(known[0]), known[0], CLIENTS[0])
                    seen = read(known[0], CLIENTS[1])
                    yield (*setup(probe), seen, *marks, BEGIN, place, fresh, SETTLE, seen)
                    yield (*setup(probe), seen, *marks, BEGIN, place, SETTLE, fresh, To(0, 1), seen)
    for what, role in _faults(probe):
        yield from _stale_and_faulty(probe, fault(what, role), marks, known[0])


def _stale_and_faulty(probe: Probe, wrong: Step, marks: list[Step], key: str) -> Iterator[Script]:
    """A client knows the owner of then, and something goes wrong, once or twice: perhaps with what should tell it, or
    the former owner."""
    mine, theirs = read(key, CLIENTS[1]), read(key, CLIENTS[0])
    fresh, late = (asked(kind_of(key), key, client) for client in CLIENTS)
    for times in (1, 2):
        for begun in ((*[wrong] * times, BEGIN), (BEGIN, *[wrong] * times)):
            first: Script = (*setup(probe), mine, *marks, *begun, SETTLE)
            yield (*first, fresh, mine)
            yield (*first, late, theirs)


def parts(probe: Probe) -> Iterator[Script]:
    """Moves of one shard, of both at once, splits and merges: each with the events of a single move."""
    has = probe.migrations
    shapes: list[Script] = []
    if "move" in has:
        one, other = Step("move", shards=(0,)), Step("move", shards=(1,))
        apart = Step("move", shards=(1,), hop=2)
        shapes += [(one,), (other,), (one, other), (one, apart), (one, To(1, 0), other)]
    if "split" in has:
        shapes += [(Step("split", shards=(0,)),), (Step("split", shards=(1,)),)]
    if "merge" in has:
        shapes += [(Step("merge", shards=(0, 1)),)]
    for shape in shapes:
        for n, place in enumerate(places(probe, FEW_PLACES)):
            for chosen in events(probe, 2):
                yield (*setup(probe), *shape, place, *chosen, SETTLE)
            for what in probe.faults:
                yield (*setup(probe), *shape, place, fault(what, n % 2), *write(probe, n), SETTLE)
    if "split" in has and "merge" in has:
        moved: Script = (Step("move", shards=(0,)), SETTLE) if "move" in has else ()
        for n in range(6):
            parted: Script = (Step("split", shards=(0,)), *write(probe, n), SETTLE)
            joined: Script = (Step("merge", shards=(0, 2)), *write(probe, n + 1), SETTLE)
            yield (*setup(probe), *parted, *joined, *moved)
