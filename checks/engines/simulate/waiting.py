"""What a run waits for: *leads to* and *eventually* claims, where a run may rest with something pending.

A random run shows that something never comes where it may rest: no weakly fair step is possible any more. That it goes
round for ever is not looked for; `explore` does that.
"""

from __future__ import annotations

from collections.abc import Sequence

from cutproof.checks.engines.simulate.schedulers import Move
from cutproof.model.language.codegen import Compiled, compile_terms
from cutproof.model.language.properties import TEMPORAL
from cutproof.model.language.protocol import Protocol

KNOWN = 200_000  # states of which it is remembered what they ask for and give


class Waiting:
    """The cases of all claims of whole runs, in order: `pending` is one truth for each."""

    def __init__(self, protocol: Protocol, compiled: Compiled) -> None:
        claims = [(i, c) for i, c in enumerate(protocol.claims) if c.form in TEMPORAL]
        self.claims = [i for i, c in claims for _ in c.cases]
        self.once = [c.form == "eventually" for _, c in claims for _ in c.cases]
        terms = [term for _, c in claims for k in c.cases for term in (k.asked, k.given)]
        self.values = compile_terms(protocol, terms)
        self.compiled, self.fair = compiled, [t.fair for t in protocol.transitions]
        self.known: dict[int, tuple[int, ...]] = {}

    def after(self, pending: Sequence[bool], state: int) -> list[bool]:
        """What is pending in a packed state; `pending` is what was before, empty at the start."""
        values = self.known.get(state)
        if values is None:
            if len(self.known) >= KNOWN:
                self.known.clear()
            values = self.known[state] = self.values(self.compiled.unpack(state))
        before = pending or [False] * len(self.claims)
        asks = [not pending or not once for once in self.once]
        pairs = zip(values[::2], values[1::2], before, asks, strict=True)
        return [not given and bool(was or (asked and counts)) for asked, given, was, counts in pairs]

    def never(self, pending: Sequence[bool], moves: Sequence[Move]) -> tuple[int, ...]:
        """The claims that are violated where a run rests here, if it may: by number."""
        if not any(pending) or any(self.fair[number] for number, _ in moves):
            return ()
        return tuple(dict.fromkeys(i for i, there in zip(self.claims, pending, strict=True) if there))
