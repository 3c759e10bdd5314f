"""Which events can follow one another: taken from the model's own graph, for systems that have other phases.

The protocol of the cutover is explored in small scopes, each with some of what may go wrong. An *edge class* is an
event (a write, a delete, a read, a fault) in a phase. Two classes are a *pair* if there is a path in the graph that
takes an edge of the one, and later an edge of the other. The phases of a system that is judged are laid over those of
the model in their order, so that a pair of the model is looked for at the places where that system would have it.

    python -m cutproof.checks.cutover.conformance.planning.edges --write      # edges.json, drawn anew; a test
    compares it
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("edges.json")

SCOPES = (
    "writes=2,deletes=1", "writes=1,reads=1,searches=1", "writes=1,deletes=1,failures=1,losses=1",
    "writes=1,late=1,duplicates=1", "writes=1,restarts=1,partitions=1", "writes=1,reads=1,skew=1",
    "writes=1,crashes=1,strays=1,attempts=2,zombies=1", "writes=1,deletes=1,aborts=1,attempts=2",
)  # fmt: skip
PHASES = ("DUAL", "COPY", "SEAL", "DRAIN_SOURCE", "DRAIN_TARGET", "DELTA", "ACTIVATE", "GRACE", "CLEANUP")

# What an action of the model is for a client or an operator. What arrives or is applied may always do so later: that
# is how the model is delayed, or paused.
EVENTS = {
    "read": ("get",), "search": ("scan",), "read_by_stale_router": ("get", "stale"),
    "search_by_stale_router": ("scan", "stale"), "write_by_slow_clock": ("skew",),
    "delivery_fails": ("fail",), "delivery_is_lost": ("lose",), "accept_duplicate": ("duplicate",),
    "time_out": ("timeout",), "crash": ("crash",), "late_wipe": ("zombie",), "late_delete": ("zombie",),
    "late_fence": ("zombie",), "restart": ("restart",), "cut_off": ("cut",), "abort": ("abort",),
    "accept": ("delay",), "apply": ("pause",),
}  # fmt: skip
WRITERS = {"write": (), "write_by_stale_router": ("stale",)}
KINDS = ("put_if", "add", "append")  # the model has no such writes: they come where a put does


Class = tuple[int, str]  # a phase by its number, an event


def follows(first: Class, then: Class, phases: int) -> bool:
    """Whether, in a system of so many phases, the model lets one class come after the other. Of two events that are in
    no scope together the model says nothing: they may."""
    a, b = (("put" if what in KINDS else what) for what in (first[1], then[1]))
    bits = _table().get(f"{a} {b}")
    return bits is None or any(
        bits >> (x * len(PHASES) + y) & 1
        for x in _overlaid(first[0], phases) for y in _overlaid(then[0], phases)
    )  # fmt: skip


def _overlaid(phase: int, phases: int) -> range:
    """The phases of the model that lie under one of a system's."""
    many = len(PHASES)
    first = min(phase * many // max(phases, 1), many - 1)
    return range(first, max(first + 1, (phase + 1) * many // max(phases, 1)))


@cache
def _table() -> dict[str, int]:
    return {pair: int(bits, 16) for pair, bits in json.loads(FILE.read_text("utf-8"))["pairs"].items()}


# ------------------------------------------------------------------ from the graph


def drawn(scopes: tuple[str, ...] = SCOPES) -> dict[str, int]:
    """The pairs of the model, by the names of two events: one bit for each pair of phases, the first in the rows."""
    table: dict[str, int] = defaultdict(int)
    for scope in scopes:
        for (x, a), after in _reached(scope).items():
            for y, b in after:
                table[f"{a} {b}"] |= 1 << (x * len(PHASES) + y)
    return dict(sorted(table.items()))


def _reached(scope: str) -> dict[Class, set[Class]]:
    """What can come after each edge class in one scope."""
    from cutproof.checks.engines.plain.explore import explore
    from cutproof.model.cutover.coordinator import cutover
    from cutproof.model.cutover.policy import Policy, resolve
    from cutproof.model.cutover.scopes import parse_scope

    protocol = cutover(parse_scope(scope)).resolve(resolve(Policy(), ()))
    found = explore(protocol, properties=[], graph=True)
    place = next(i for i, f in enumerate(protocol.fields) if f.name == "phase")
    domain, fired = protocol.fields[place].domain, found.edges
    assert fired is not None
    names: list[Class] = []
    numbers: dict[Class, int] = {}
    edges: list[list[tuple[int, int]]] = [[] for _ in found.states]  # (bits of the classes, where it leads)
    for source, state in enumerate(found.states):
        phase = domain.decode(state[place]).name
        for at in range(fired.starts[source], fired.starts[source + 1]):
            bits = 0
            for event in _events(protocol.transitions[fired.numbers[at]]) if phase in PHASES else ():
                one = (PHASES.index(phase), event)
                if one not in numbers:
                    numbers[one] = len(names)
                    names.append(one)
                bits |= 1 << numbers[one]
            edges[source].append((bits, fired.targets[at]))
    ahead = _ahead(edges)
    after: dict[Class, int] = defaultdict(int)
    for steps in edges:
        for bits, target in steps:
            for number in _ones(bits):
                after[names[number]] |= ahead[target] | (bits & ~(1 << number))
    return {one: {names[n] for n in _ones(bits)} for one, bits in after.items()}


def _ahead(edges: list[list[tuple[int, int]]]) -> list[int]:
    """For each state the classes of all edges that can still come."""
    ahead, changed = [0] * len(edges), True
    while changed:
        changed = False
        for state in range(len(edges) - 1, -1, -1):
            bits = ahead[state]
            for one, target in edges[state]:
                bits |= one | ahead[target]
            if bits != ahead[state]:
                ahead[state], changed = bits, True
    return ahead


def _ones(bits: int) -> list[int]:
    return [n for n in range(bits.bit_length()) if bits >> n & 1]


def _events(transition: object) -> tuple[str, ...]:
    name, arguments = transition.action, dict(transition.arguments)  # type: ignore[attr-defined]
    if name in WRITERS:
        return ("delete" if arguments.get("erases") else "put", *WRITERS[name])
    return EVENTS.get(name, ())


def main() -> None:
    """Say, or write, what the graphs have."""
    table = {pair: f"{bits:x}" for pair, bits in drawn().items()}
    text = json.dumps({"scopes": SCOPES, "phases": PHASES, "pairs": table}, indent=1) + "\n"
    if sys.argv[1:] == ["--write"]:
        FILE.write_text(text, "utf-8")
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    main()
