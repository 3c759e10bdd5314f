"""Where and what: the moments of a migration, and what one client or one fault may do in a moment."""

from __future__ import annotations

from collections.abc import Iterator

from cutproof.checks.cutover.conformance.planning.probe import DOCUMENTS, Probe
from cutproof.checks.cutover.conformance.planning.script import To, asked, read
from cutproof.checks.cutover.conformance.steps import CLIENTS, Step
from cutproof.checks.drivers.adapter import NODELESS

PLACES, COARSE, FEW_PLACES = 24, 9, 6  # places that are looked at, the fewer the more there is to choose


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


def alike(known: list[str], kind: str) -> list[list[str]]:
    """The documents that an operation can be about, if there are any."""
    words = {"add": ("counter",), "append": ("list",), "get": ("doc", "counter", "list")}.get(kind, ("doc",))
    found = [key for key in known if key.partition("-")[0] in words]
    return [found] if found else []


def roles(what: str) -> tuple[int, ...]:
    return (0,) if what in NODELESS else (0, 1)


def events(probe: Probe, most: int = DOCUMENTS) -> Iterator[tuple[Step, ...]]:
    """What one client may do in one moment: with each of the documents that are there, and with a new one."""
    known = probe.documents(most)
    for kind in probe.operations:
        if kind == "scan":
            yield (Step("scan", client=CLIENTS[0]),)
            continue
        about = next(iter(alike(known, kind)), [])
        fresh = [f"doc-{DOCUMENTS}"] if kind in ("put", "put_if") else []
        for key in [*about, *fresh]:
            if kind == "get":
                yield (read(key, CLIENTS[1]),)
            elif kind == "put_if":
                yield (asked(kind, key, CLIENTS[0]), read(key, CLIENTS[1]))
                yield (Step("put_if", key=key, client=CLIENTS[1], matches=False),)
            else:
                yield (asked(kind, key, CLIENTS[0]), read(key, CLIENTS[1]))
