"""A program that is any protocol, by the plain interpreter; and wrong at one edge, if asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cutproof.checks.engines.plain.search import inside
from cutproof.model.language.protocol import Protocol, State


@dataclass(frozen=True)
class Wrong:
    """At this state, this transition: what is wrong there. `refuses`, `allows` (leads to the state it is in), `raises`,
    or `differs`: leads to another state than it should."""

    state: State
    number: int
    how: str
    instead: State | None = None


class Mirror:
    """A driver for `anything`. It begins in any initial state."""

    def __init__(self, protocol: Protocol, wrong: Wrong | None = None) -> None:
        self.protocol, self.wrong = protocol, wrong
        self.numbers = {(t.action, *t.arguments): n for n, t in enumerate(protocol.transitions)}
        self.now: State = protocol.initial

    def start(self, state: dict[str, Any]) -> None:
        self.now = self.protocol.encode(state)

    def anything(self, action: str, **arguments: Any) -> bool:
        number = self.numbers[action, *arguments.items()]
        steps = dict(inside(self.protocol, self.now))
        wrong = self.wrong
        if wrong and (self.now, number) == (wrong.state, wrong.number):
            if wrong.how == "raises":
                raise RuntimeError("out of order")
            if wrong.how == "refuses":
                return False
            if wrong.how == "differs":
                assert wrong.instead is not None
                self.now = wrong.instead
            return True
        if number not in steps:
            return False
        self.now = steps[number]
        return True

    def state(self) -> dict[str, Any]:
        return self.protocol.decode(self.now)
