"""Lock step: the reference implementation and the specification, taken through the same steps and compared after each.

    pair = LockStep(parse_scope("base"))
    pair.take("begin()")
    pair.enabled(), pair.violated(), pair.trace("somebody began a migration")

Both must offer the same steps in every state, and be in the same state after each; where they are not,
`Disagreement` says at which step, and how they differ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cutproof.checks.cutover.reference.abstraction import Names
from cutproof.checks.cutover.reference.encoder import Encoder
from cutproof.checks.cutover.reference.twin import STUTTERS, Move, Twin
from cutproof.checks.traces.replay import Difference, flat
from cutproof.checks.traces.trace import Step, Trace, from_path, plain
from cutproof.model.cutover.coordinator import cutover
from cutproof.model.cutover.mechanisms import Mechanisms
from cutproof.model.cutover.policy import Policy, resolve
from cutproof.model.cutover.scopes import Scope
from cutproof.model.language.codegen import Compiled, compile_protocol
from cutproof.model.language.protocol import Claim, Protocol, State

SHOWN = 12  # of what is enabled on one side alone


class Disagreement(Exception):
    """The implementation and the specification part after `path`: in their states, or in what may happen next."""

    def __init__(
        self,
        path: Iterable[Step | str],
        reason: str,
        differences: tuple[Difference, ...] = (),
        implemented: Iterable[str] = (),
        specified: Iterable[str] = (),
    ) -> None:
        self.path = tuple(map(str, path))
        self.reason = reason
        self.differences = differences
        self.implemented = tuple(sorted(implemented))  # what only the implementation can do
        self.specified = tuple(sorted(specified))  # what only the specification can do
        super().__init__(self.text())

    def text(self) -> str:
        """Where, why and the difference, a line each."""
        last = f"after step {len(self.path)}, {self.path[-1]}" if self.path else "in the initial state"
        lines = [f"{last}: {self.reason}", *map(str, self.differences)]
        for who, names in (("implementation", self.implemented), ("specification", self.specified)):
            lines += [f"only the {who} can do {name}" for name in names[:SHOWN]]
            if len(names) > SHOWN:
                lines.append(f"... and {len(names) - SHOWN} more")
        path = [f"  {number}. {step}" for number, step in enumerate(self.path, 1)]
        return "\n".join([*lines, *(["the path:", *path] if path else [])])


@dataclass(frozen=True)
class Specification:
    """The specification, ready to be walked: `labels` names each transition, `compiled` fires them."""

    protocol: Protocol
    compiled: Compiled
    labels: tuple[str, ...]
    encoder: Encoder

    def successors(self, state: State) -> dict[str, State]:
        """What each step that may happen leads to, by its name."""
        return {self.labels[number]: after for number, after in self.compiled.successors(state)}

    def violated(self, state: State) -> list[Claim]:
        """The *always* claims that are false."""
        return [self.protocol.claims[i] for i in self.compiled.judge(state)]

    def differences(self, implemented: State, specified: State) -> tuple[Difference, ...]:
        """The fields in which two states differ, in plain values."""
        mine, theirs = (dict(flat(self._plain(s))) for s in (implemented, specified))
        who = "the implementation"
        return tuple(Difference(n, mine[n], theirs[n], who) for n in mine if mine[n] != theirs[n])

    def _plain(self, state: State) -> dict[str, Any]:
        return {name: plain(value) for name, value in self.protocol.decode(state).items()}


@lru_cache(maxsize=32)
def specification(scope: Scope, mechanisms: Mechanisms) -> Specification:
    """The cutover within a scope, under these mechanisms."""
    protocol = cutover(scope).resolve(mechanisms)
    steps = [Step(t.action, {k: plain(v) for k, v in t.arguments}) for t in protocol.transitions]
    return Specification(protocol, compile_protocol(protocol), tuple(map(str, steps)), Encoder(protocol))


class LockStep:
    """One run of both. `names` maps the implementation's state; another than the right one must be caught."""

    def __init__(
        self,
        scope: Scope,
        policy: Policy | None = None,
        removed: Iterable[str] = (),
        names: Callable[[Scope, Mechanisms], Names] = Names,
    ) -> None:
        self.scope, self.policy, self.removed = scope, policy or Policy(), tuple(sorted(removed))
        mechanisms = resolve(self.policy, self.removed)
        self.specification = specification(scope, mechanisms)
        self.twin = Twin(scope, mechanisms, names)
        self.numbers = {label: number for number, label in enumerate(self.specification.labels)}
        self.state = self.specification.protocol.initial
        self.states, self.path = [self.state], list[str]()
        self.after: dict[str, State] = {}  # what each step that may happen leads to, as `enabled` found it
        self._moves: dict[str, Move] | None = None
        self.compare()

    @property
    def protocol(self) -> Protocol:
        """The specification's protocol."""
        return self.specification.protocol

    def enabled(self) -> dict[str, Move]:
        """What may happen next, by name; raises Disagreement unless that is the same on both sides.

        Steps of the implementation that mean nothing to the specification are taken on the way."""
        if self._moves is not None:
            return self._moves
        found = self.twin.enabled()
        while stutter := next((move for move in found.values() if move.step.action in STUTTERS), None):
            stutter.do()
            self.compare()
            found = self.twin.enabled()
        self.after = after = self.specification.successors(self.state)
        if found.keys() != after.keys():
            reason = "what may happen next differs"
            raise Disagreement(
                self.path, reason, (), found.keys() - after.keys(), after.keys() - found.keys()
            )
        self._moves = found
        return found

    def take(self, name: str) -> None:
        """Take one step on both sides. Raises KeyError if it is not enabled, Disagreement if the states differ."""
        move = self.enabled()[name]
        self.state, self._moves = self.after[name], None
        move.do()
        self.path.append(name)
        self.states.append(self.state)
        self.compare()

    def compare(self) -> None:
        """Raises Disagreement unless the implementation is in the specification's state."""
        try:
            mine = self.specification.encoder.encode(self.twin.abstract())
        except ValueError as error:
            raise Disagreement(self.path, f"the implementation's state has no name: {error}") from None
        if mine != self.state:
            differences = self.specification.differences(mine, self.state)
            raise Disagreement(self.path, "the states differ", differences)

    def violated(self) -> list[Claim]:
        """The *always* claims that are false now."""
        return self.specification.violated(self.state)

    def trace(self, why: str, **meta: Any) -> Trace:
        """The run so far as a trace, which `cutproof replay` takes, on the specification and on the implementation.

        `meta` as in `trace.from_path`: property, form, harm, seed."""
        return from_path(
            self.protocol,
            self.states,
            [self.numbers[name] for name in self.path],
            why=why,
            safeguards_removed=self.removed,
            policy=self.policy.changed(),
            scope=self.scope.bounds(),
            **meta,
        )
