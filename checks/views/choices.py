"""What could have been done in a state, and of what could not, which guard was false."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cutproof.checks.traces.itf import Plain
from cutproof.checks.traces.outcome import flat
from cutproof.checks.traces.trace import plain
from cutproof.model.language.codegen import compile_terms
from cutproof.model.language.protocol import Protocol, State

ENABLED = -1


def encoded(protocol: Protocol, values: Mapping[str, Plain]) -> State:
    """The state of a protocol that has these plain values. Raises ValueError, naming the field, where there is none."""
    found, known = dict(flat(protocol.unfold(values, plain))), list[int]()
    for cell in protocol.fields:
        if cell.name not in found:
            raise ValueError(f"{cell.name} is missing")
        value, domain = found[cell.name], cell.domain
        codes = [c for c in range(domain.low, domain.high + 1) if _same(plain(domain.decode(c)), value)] if (
            domain.high - domain.low < 10_000) else [value]  # fmt: skip
        if not codes:
            raise ValueError(f"{cell.name} is {value!r}, which is not in {domain}")
        known.append(codes[0])
    return tuple(known)


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


class Choices:
    """Of each step of a protocol in a state: whether it can be taken, and if not, which guard says so."""

    def __init__(self, protocol: Protocol) -> None:
        self.protocol = protocol
        self.calls = tuple(map(str, protocol.transitions))
        self.guards = tuple(dict.fromkeys(n for t in protocol.transitions for n, _ in t.guards))
        numbers = {name: number for number, name in enumerate(self.guards)}
        self._of = [[numbers[name] for name, _ in t.guards] for t in protocol.transitions]
        self._holds = compile_terms(protocol, [term for t in protocol.transitions for _, term in t.guards])

    def at(self, state: State) -> dict[int, int]:
        """By the number of a transition, `ENABLED`, or the number in `guards` of the first guard that is false."""
        holds, found, place = self._holds(state), dict[int, int](), 0
        for number, guards in enumerate(self._of):
            values = holds[place : place + len(guards)]
            place += len(guards)
            false = (guard for guard, value in zip(guards, values, strict=True) if not value)
            found[number] = next(false, ENABLED)
        return found
