"""Which guards were true, and which alone held a step back, in the states that runs have been in.

What a transition does depends on few bits of a state, and its steps are looked up by those (`codegen.py`). Its guards
read no others: so they are evaluated where such bits are met for the first time, and never again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cutproof.model.language.codegen import Compiled, Steps, compile_terms
from cutproof.model.language.packing import Part, Table
from cutproof.model.language.protocol import Protocol


@dataclass(frozen=True)
class Blocked:
    """Why an action never was enabled. `alone`: guards that were false in some state where its others were true, and
    true in none such. `never`: guards that were true in no state."""

    action: str
    alone: tuple[str, ...]
    never: tuple[str, ...]


class Guards:
    """Bit n of `enabled` is set once transition n was; of `true`, guard n of all once it was true; of `alone`, once
    it was false where the other guards of its transition were true. `parts` are those of `compiled`, watched."""

    def __init__(self, protocol: Protocol, compiled: Compiled) -> None:
        self.protocol, self.compiled = protocol, compiled
        self.enabled = self.true = self.alone = 0
        self.offsets = [0]
        for transition in protocol.transitions:
            self.offsets.append(self.offsets[-1] + len(transition.guards))
        self.parts: list[Part] = [
            (mask, Table(self._watched(numbers, table.work)))
            for (mask, numbers), (_, table) in zip(compiled.groups, compiled.parts, strict=True)
        ]

    def _watched(self, numbers: Sequence[int], work: Callable[[int], Steps]) -> Callable[[int], Steps]:
        every = self.protocol.transitions
        guards = [guard for number in numbers for _, guard in every[number].guards]
        values, unpack = compile_terms(self.protocol, guards), self.compiled.unpack
        places = [(1 << number, self.offsets[number], len(every[number].guards)) for number in numbers]

        def watched(bits: int) -> Steps:
            true, done = values(unpack(bits)), 0
            for bit, offset, count in places:
                mine = true[done : done + count]
                done += count
                if all(mine):
                    self.enabled |= bit
                elif sum(map(bool, mine)) == count - 1:
                    self.alone |= 1 << offset + [bool(value) for value in mine].index(False)
                for i, value in enumerate(mine):
                    if value:
                        self.true |= 1 << offset + i
            return work(bits)

        return watched

    # -------------------------------------------------- read off at the end

    def __ior__(self, other: tuple[int, int, int]) -> Guards:
        """Add what other runs covered."""
        self.enabled, self.true, self.alone = (
            mine | theirs for mine, theirs in zip(self.covered, other, strict=True)
        )
        return self

    @property
    def covered(self) -> tuple[int, int, int]:
        return self.enabled, self.true, self.alone
