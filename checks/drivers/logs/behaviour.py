"""One behaviour behind a log. The search keeps no way back, which would take memory for every line: here the layers
between two that were kept are made once more, the last ones first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cutproof.checks.drivers.logs.search import Came, Entered, Layer, Place, Search, States
from cutproof.model.language.protocol import State

APART = 500  # layers from one that is kept to the next

Kept = Sequence[tuple[int, Layer]]  # layers with their numbers, the first of all among them


@dataclass(frozen=True)
class Behaviour:
    """A run of the protocol: `transitions` by number, and the states around them. Of each step `lines` has the number
    of the log and of the event that it is, or None where it was not logged."""

    states: tuple[State, ...]
    transitions: tuple[int, ...]
    lines: tuple[tuple[int, int] | None, ...]


def behaviour(
    search: Search, kept: Kept, layer: int, place: Place, state: int, beyond: States | None = None
) -> Behaviour:
    """A run that ends in this state of a layer. Where `beyond` has the states of its place, it may lie as far from
    these as unlogged steps lead."""
    back: list[
        tuple[int, tuple[int, int] | None, int]
    ] = []  # transition, line, the state after it; the last first
    if beyond is not None:
        inside: Came = {}
        search.before(beyond, inside)
        state = _unlogged(inside, state, back)
    for first, start in reversed([(n, kept_layer) for n, kept_layer in kept if n <= layer]):
        entered, came = _ways(search, start, layer - first)
        for depth in range(layer - first, 0, -1):
            before, state_before, number = entered[depth - 1][place, state]
            log = next(n for n, (a, b) in enumerate(zip(before, place, strict=True)) if a != b)
            if number >= 0:
                back.append((number, (log, before[log]), state))
            place, state = before, state_before
            state = _unlogged(came[depth - 1][place], state, back)
        layer = first
    begun: Came = {}
    search.starts(begun)
    state = _unlogged(begun, state, back)
    back.reverse()
    unpack = search.compiled.unpack
    return Behaviour(
        (unpack(state), *(unpack(after) for _, _, after in back)),
        tuple(number for number, _, _ in back),
        tuple(line for _, line, _ in back),
    )


def _ways(search: Search, layer: Layer, many: int) -> tuple[list[Entered], list[dict[Place, Came]]]:
    """How each state of the next layers was reached."""
    entered, came = list[Entered](), list[dict[Place, Came]]()
    for _ in range(many):
        entered.append({})
        came.append({})
        layer = search.after(layer, entered[-1], came[-1])
    return entered, came


def _unlogged(came: Came, state: int, back: list[tuple[int, tuple[int, int] | None, int]]) -> int:
    """Go back over the steps that were not logged; the state before them. What was possible without them is not in
    `came`, which has new states alone."""
    while state in came:
        before, number = came[state]
        back.append((number, None, state))
        state = before
    return state
