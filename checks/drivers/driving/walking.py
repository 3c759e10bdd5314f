"""A protocol as far as it is driven: what may happen in a state, and what is compared there."""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping
from typing import Any

from cutproof.checks.drivers.driving.comparing import Comparing, Difference
from cutproof.checks.engines.plain.search import inside
from cutproof.checks.traces.itf import Plain
from cutproof.checks.traces.trace import plain
from cutproof.model.language.codegen import DomainError, compile_protocol
from cutproof.model.language.protocol import Protocol, State

REMEMBERED = 100_000  # states of which the values, and what may happen, are remembered

Numbers = tuple[int, ...]  # of transitions of the driven protocol


class Walking:
    """`driven` is the protocol without the actions that are not driven, and without claims; `whole` is it all, and
    `numbers` says which transition of it each of `driven` is. Raises ValueError if a mechanism has no value yet."""

    def __init__(self, protocol: Protocol, actions: Collection[str]) -> None:
        self.whole, self.driven = protocol, copy.copy(protocol)
        self.numbers = [n for n, t in enumerate(protocol.transitions) if t.action in actions]
        self.driven.transitions = tuple(protocol.transitions[n] for n in self.numbers)
        self.driven.claims = ()
        self.compiled = compile_protocol(self.driven)
        self.comparing = Comparing(protocol)
        self._values: dict[State, dict[str, Plain]] = {}
        self._steps: dict[State, dict[int, State]] = {}

    @property
    def leaves_out(self) -> bool:
        """Some transitions are not driven."""
        return len(self.numbers) < len(self.whole.transitions)

    def steps(self, state: State) -> dict[int, State]:
        """What may happen, by the number of the transition: the state after it. Steps that leave their domain are not
        among them."""
        found = self._steps.get(state)
        if found is None:
            try:
                found = dict(self.compiled.successors(state))
            except DomainError:
                found = dict(inside(self.driven, state))
            if len(self._steps) >= REMEMBERED:
                self._steps.clear()
            self._steps[state] = found
        return found

    def forbidden(self, state: State) -> list[int]:
        """The transitions that the protocol does not allow there; nothing where some step leaves its domain, since then
        the protocol does not say."""
        try:
            allowed = {number for number, _ in self.compiled.successors(state)}
        except DomainError:
            return []
        return [n for n in range(len(self.driven.transitions)) if n not in allowed]

    def label(self, number: int) -> str:
        """`commit(node=1)`"""
        return str(self.driven.transitions[number])

    def called(self, number: int) -> tuple[str, dict[str, Any]]:
        """The action of a transition, and its arguments."""
        transition = self.driven.transitions[number]
        return transition.action, dict(transition.arguments)

    def values(self, state: State) -> dict[str, Plain]:
        """A state in plain values."""
        found = self._values.get(state)
        if found is None:
            if len(self._values) >= REMEMBERED:
                self._values.clear()
            found = self._values[state] = plain(self.whole.decode(state))
        return found

    def differences(self, state: State, program: Mapping[str, Any]) -> tuple[Difference, ...]:
        """What differs, of what the program says of its state."""
        return self.comparing.differences(self.values(state), program)
