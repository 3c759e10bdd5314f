"""A log is checked: whether some behaviour of the protocol explains it, and what is known of it then."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice

from cutproof.checks.drivers.logs.behaviour import APART, Behaviour, behaviour
from cutproof.checks.drivers.logs.meaning import Meaning
from cutproof.checks.drivers.logs.reading import Log
from cutproof.checks.drivers.logs.refusals import Refusal, refusals
from cutproof.checks.drivers.logs.search import Layer, Rules, Search, TooMany
from cutproof.model.language.protocol import Claim, Protocol

ACCEPTED, VIOLATED, REJECTED, UNKNOWN, EMPTY = "accepted", "violated", "rejected", "unknown", "empty"
CODES = {ACCEPTED: 0, VIOLATED: 12, REJECTED: 12, UNKNOWN: 3, EMPTY: 3}
STRICT = Rules()  # everything is in the log
PLACES = 200  # of several logs, at which is asked why nothing can come next
PAUSE = 1_000  # events from one telling of progress to the next

Progress = Callable[[int, int, int], None]  # events explained, all of them, candidates


@dataclass
class Checked:
    """What came of it. `explained` events can be explained together; `candidates` states are possible after them.

    `surely` are claims that every behaviour violates that explains the first `since` events (None alone: each violates
    some, not all the same); `maybe` those that some behaviours violate that explain all. `refusals`: why no event can
    come next, the closest first."""

    search: Search
    logs: Sequence[Log]
    verdict: str
    explained: int
    candidates: int
    surely: tuple[Claim | None, ...] = ()
    since: int = 0
    maybe: tuple[Claim | None, ...] = ()
    refusals: list[Refusal] = field(default_factory=list)
    last: Layer = field(default_factory=dict)
    kept: list[tuple[int, Layer]] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        return CODES[self.verdict]

    @property
    def refusal(self) -> Refusal | None:
        """The closest one."""
        return self.refusals[0] if self.refusals else None

    @property
    def events(self) -> int:
        return sum(len(log.events) for log in self.logs)

    def behaviour(self) -> Behaviour:
        """One behaviour: that explains the log; of what is violated, as far as to the violation; else the longest part
        that can be explained."""
        if self.refusal is not None:
            place, state = self.refusal.place, self.search.compiled.pack(self.refusal.state)
            return behaviour(self.search, self.kept, self.explained, place, state, self.last[place])
        place, states = next(iter(self.last.items()))
        found = behaviour(self.search, self.kept, self.explained, place, next(iter(states)))
        if self.verdict == VIOLATED:
            return self._cut(found)
        return found

    def violated_by(self, found: Behaviour) -> Claim | None:
        """The claim that the last state of a behaviour violates, of those that are surely violated."""
        protocol = self.search.protocol
        numbers = self.search.compiled.judge(found.states[-1])
        wrong = [protocol.claims[n] for n in numbers]
        return next((c for c in wrong if c in self.surely or None in self.surely), None)

    def _cut(self, found: Behaviour) -> Behaviour:
        for length in range(len(found.states)):
            part = Behaviour(found.states[: length + 1], found.transitions[:length], found.lines[:length])
            if self.violated_by(part) is not None:
                return part
        return found


def check(
    protocol: Protocol, logs: Sequence[Log], rules: Rules = STRICT, progress: Progress | None = None
) -> Checked:
    """Whether some behaviour of the protocol explains some logs, the events of each in their order. Raises ValueError
    if a mechanism of the protocol has no value yet."""
    search = Search(protocol, logs, rules)
    total = sum(len(log.events) for log in logs)
    found = Checked(search, logs, ACCEPTED if total else EMPTY, 0, 0)
    try:
        _search(search, found, total, progress)
    except TooMany:
        found.verdict = UNKNOWN
        return found
    if found.explained < total:
        found.verdict = REJECTED
        found.refusals = refusals(search, Meaning(protocol), dict(islice(found.last.items(), PLACES)))
    else:
        found.maybe = search.maybe(_marks(found.last))
        if found.surely and total:
            found.verdict = VIOLATED
    return found


def _search(search: Search, found: Checked, total: int, progress: Progress | None) -> None:
    layer: Layer = {(0,) * len(search.logs): search.starts()}
    while layer:
        found.last = layer
        found.candidates = sum(map(len, layer.values()))
        if search.alarmed and not found.surely:
            found.surely, found.since = search.surely(_marks(layer)), found.explained
        if found.explained % APART == 0:
            found.kept.append((found.explained, layer))
        if progress and found.explained % PAUSE == 0:
            progress(found.explained, total, found.candidates)
        if found.explained == total:
            return
        layer = search.after(layer)
        found.explained += bool(layer)


def _marks(layer: Layer) -> list[int]:
    return [marks for states in layer.values() for marks in states.values()]
