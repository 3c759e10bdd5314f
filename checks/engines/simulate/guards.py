"""Which guards were true, and which alone held a step back, in the states that runs have been in.

What a transition does depends on few bits of a state, and its steps are looked up by those
(`model/language/codegen.py`). Its guards read no others: so they are evaluated where such bits are met for the first
time, and never again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cutproof.model.language.codegen import Compiled, Steps, compile_terms
from cutproof.model.language.packing import Part, Table
from cutproof.model.language.protocol import Protocol

JUDGED = 50_000  # values of the guards of a part that are remembered


@dataclass(frozen=True)
class Blocked:
    """What held back an action that never was enabled. `alone`: guards that were false in some state where all others
    were true; there they never were true. `never`: guards that were true in no state."""

    action: str
    alone: tuple[str, ...]
    never: tuple[str, ...]
    absent: bool  # it has no transition at all


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

        judged = set[tuple[int, ...]]()  # most values of all guards together have come before

        def watched(bits: int) -> Steps:
            true = values(unpack(bits))
            if true not in judged:
                if len(judged) >= JUDGED:
                    judged.clear()
                judged.add(true)
                note(true)
            return work(bits)

        def note(true: tuple[int, ...]) -> None:
            done = 0
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

        return watched

    # -------------------------------------------------- read off at the end

    @property
    def covered(self) -> tuple[int, int, int]:
        """`enabled`, `true` and `alone`: joined bit by bit they are what several saw."""
        return self.enabled, self.true, self.alone

    @covered.setter
    def covered(self, bits: tuple[int, int, int]) -> None:
        self.enabled, self.true, self.alone = bits

    def _named(self, bits: int, action: str, every: bool) -> list[str]:
        """The guards of an action whose bit is set, in some transition or in every one that has it."""
        have = dict[str, list[bool]]()
        for number, transition in enumerate(self.protocol.transitions):
            if transition.action == action:
                for i, (name, _) in enumerate(transition.guards, self.offsets[number]):
                    have.setdefault(name, []).append(bool(bits >> i & 1))
        return [name for name, set_ in have.items() if (all if every else any)(set_)]

    @property
    def blocked(self) -> list[Blocked]:
        """The actions that were never enabled, in the order of the protocol."""
        enabled = {t.action for n, t in enumerate(self.protocol.transitions) if self.enabled >> n & 1}
        there, found = {t.action for t in self.protocol.transitions}, list[Blocked]()
        for action in self.protocol.actions:
            if action.name not in enabled:
                alone = self._named(self.alone, action.name, False)
                never = self._named(~self.true, action.name, True)
                found.append(Blocked(action.name, tuple(alone), tuple(never), action.name not in there))
        return found

    @property
    def idle(self) -> list[tuple[str, str]]:
        """Guards that never alone held back a step that was possible at some time: action and guard. Without one of
        them every run would have been possible as it was, and no other would from the states that were met."""
        blocked = {found.action for found in self.blocked}
        return [
            (action.name, name)
            for action in self.protocol.actions
            if action.name not in blocked
            for name in self._named(~self.alone, action.name, True)
        ]
