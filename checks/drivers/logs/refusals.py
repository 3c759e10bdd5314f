"""Why no event of a log can come next: for the candidate state that comes closest, what forbids it there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cutproof.checks.drivers.logs.meaning import Event, Meaning, Shown
from cutproof.checks.drivers.logs.search import Layer, Place, Search
from cutproof.checks.traces.trace import plain
from cutproof.model.language import expressions as ex
from cutproof.model.language.protocol import State, Transition

LOOKED_AT = 1_000  # candidates of a place
FEW = 8  # fields that a guard reads, which are told


@dataclass(frozen=True)
class Guard:
    """A guard that was false, and what it reads: fields with their plain values."""

    name: str
    reads: tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class Differs:
    """A place of the state that a line shows, and what the protocol has there."""

    place: str
    log: Any
    protocol: Any


@dataclass(frozen=True)
class Refusal:
    """Event number `event` of log `log` cannot come next. `candidates` states were possible before it; in `state`, the
    closest one, the step nearest to it (None where the protocol has no such step, or it is none) is forbidden by
    `false` guards, leaves a domain (`outside`), or may happen and the state `differs`. `enabled` are the steps that
    could come instead, `after` some after which it could come, of an action one."""

    log: int
    event: int
    place: Place
    candidates: int
    state: State
    step: str = ""
    false: tuple[Guard, ...] = ()
    outside: str = ""
    differs: tuple[Differs, ...] = ()
    enabled: tuple[str, ...] = ()
    after: tuple[str, ...] = ()

    @property
    def rank(self) -> tuple[int, int]:
        """How far from possible; the least is the closest."""
        if self.differs:
            return 0, len(self.differs)
        return (1, 0) if self.outside else (2, len(self.false)) if self.false else (3, 0)


def refusals(search: Search, meaning: Meaning, layer: Layer) -> list[Refusal]:
    """One refusal for each event that might come next after some place of a layer, the closest first."""
    found = []
    for place, states in layer.items():
        possible = search.before(states)
        for log, event, _ in search.nexts(place):
            one = _Asking(search, meaning, event)
            closest = min(one.refused(list(possible)[:LOOKED_AT]), key=lambda refusal: refusal.rank)
            after = one.possible_after(list(possible)[:LOOKED_AT])
            about = {
                "log": log,
                "event": place[log],
                "place": place,
                "candidates": len(possible),
                "after": after,
            }
            found.append(Refusal(**{**closest.__dict__, **about}))
    return sorted(found, key=lambda refusal: (refusal.rank, refusal.log))


class _Asking:
    """Asks why an event cannot be."""

    def __init__(self, search: Search, meaning: Meaning, event: Event) -> None:
        self.search, self.meaning, self.event = search, meaning, event
        self.protocol = search.protocol
        self.steps = [self.protocol.transitions[n] for n in sorted(event.numbers or ())]
        self.cells = {c.name: c for c in self.protocol.cells}

    def refused(self, states: list[int]) -> Iterator[Refusal]:
        """For each state, and each step that the event may be: why it is not."""
        for packed in states:
            state = self.search.compiled.unpack(packed)
            enabled = tuple(str(self.protocol.transitions[n]) for n, _ in self.search.steps(packed))
            if self.event.numbers is None:
                yield self._refusal(state, enabled, differs=self._differs(packed))
                continue
            codes, done = self.protocol.named(state), dict[ex.Term, int]()
            for step in self.steps:
                yield self._of_step(step, state, codes, done, enabled)
            if not self.steps:
                yield self._refusal(state, enabled)

    def _refusal(self, state: State, enabled: tuple[str, ...], **more: Any) -> Refusal:
        return Refusal(log=0, event=0, place=(), candidates=0, state=state, enabled=enabled, **more)

    def _of_step(
        self,
        step: Transition,
        state: State,
        codes: dict[str, int],
        done: dict[ex.Term, int],
        enabled: tuple[str, ...],
    ) -> Refusal:
        false = [(name, term) for name, term in step.guards if not ex.evaluate(term, codes, done)]
        if false:
            guards = tuple(Guard(name, self._reads(term, codes)) for name, term in false)
            return self._refusal(state, enabled, step=str(step), false=guards)
        after = {**codes, **{f.name: ex.evaluate(term, codes, done) for f, term in step.updates}}
        for f, _ in step.updates:
            if not f.domain.low <= after[f.name] <= f.domain.high:
                said = f"it sets {f.name} to {after[f.name]}, outside {f.domain}"
                return self._refusal(state, enabled, step=str(step), outside=said)
        there = self.search.compiled.pack(tuple(after[f.name] for f in self.protocol.fields))
        return self._refusal(state, enabled, step=str(step), differs=self._differs(there))

    def _reads(self, term: ex.Term, codes: dict[str, int]) -> tuple[tuple[str, Any], ...]:
        names = list(dict.fromkeys(ex.names(term)))[:FEW]
        return tuple((name, plain(self.cells[name].domain.decode(codes[name]))) for name in names)

    def _differs(self, packed: int) -> tuple[Differs, ...]:
        state = self.search.compiled.unpack(packed)

        def differs(shown: Shown) -> Differs:
            return Differs(shown.name, shown.value, self.meaning.value(state, shown.path))

        found = [differs(shown) for shown in self.event.shown if packed & shown.mask != shown.bits]
        return tuple(
            found or map(differs, self.event.shown)
        )  # the line contradicts itself: all that it shows

    def possible_after(self, states: list[int]) -> tuple[str, ...]:
        """Steps after which the event may be: of each action the first."""
        found = dict[str, str]()
        for packed in states:
            for number, after in self.search.steps(packed):
                step = self.protocol.transitions[number]
                if step.action not in found and self.search.moves(self.event, after):
                    found[step.action] = str(step)
        return tuple(found.values())
