"""Cutting a loss down: from what happened to a document in a whole migration to a trace of the few steps that matter.

    minimized(log.of(key), policy, removed, "LAW")

The events are taken tolerantly on the specification (`tolerant_walk.py`). If what was lost is lost there
too, operations, attempts and then single events are left out as long as it stays so, until no single one can
go. What remains is performed in lock step with the reference implementation, in the smallest scope that has room for
it, and becomes a trace, which ends where the property is first false.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import combinations, pairwise
from typing import TypeVar

from cutproof.checks.cutover.loss.explained.events import Event
from cutproof.checks.cutover.loss.explained.reason import reason_of
from cutproof.checks.cutover.loss.explained.tolerant_walk import (
    ANSWERS,
    ATTEMPTS,
    ON,
    WRITES,
    Ground,
    Taken,
    Walk,
)
from cutproof.checks.cutover.reference.lockstep import LockStep
from cutproof.checks.traces.trace import Trace
from cutproof.model.cutover.mechanisms import Mechanisms
from cutproof.model.cutover.policy import Policy, resolve
from cutproof.model.cutover.scopes import Scope

PROPERTY = "no_lost_write"
OPERATIONS = 9  # of a scope, at most
WALKS = 6_000  # at most
REDONE = 8  # steps of the coordinator that are left out together, at most
CLIENTS = (*WRITES, *ANSWERS, "collect")
ALWAYS = ("cut_off", "heal")  # kept where an aborted attempt is left out
Chosen = tuple[int, ...]
T = TypeVar("T")


class NotCut(Exception):
    """The loss can't be cut down; the message is one line that says why."""


def minimized(
    events: Sequence[Event], policy: Policy, removed: Iterable[str], harm: str, *, why: str = ""
) -> Trace:
    """The trace of a loss: `events` are what happened to the document, `harm` how it is lost (LAW, LU or RD) at their
    end, under a policy with some safeguards removed. Without `why` a sentence is made from the steps.

    Raises NotCut, and Disagreement where the implementation parts with the specification on the way."""
    return _Cut(events, policy, tuple(sorted(removed)), harm).trace(why)


class _Cut:
    """One loss."""

    def __init__(self, events: Sequence[Event], policy: Policy, removed: tuple[str, ...], harm: str) -> None:
        self.events, self.policy, self.removed, self.harm = list(events), policy, removed, harm
        self.mechanisms: Mechanisms = resolve(policy, removed)
        self.grounds: dict[Scope, Ground] = {}
        self.walks = 0
        _check(self.events)

    # -------------------------------------------------- the whole

    def trace(self, why: str) -> Trace:
        """Cut it down, perform what remains, and tell it."""
        chosen, ground, moved = self._start()
        chosen = self._reduced(ground, chosen, moved)
        walk = ground.walk(self.events, chosen)
        # From here on what was put in counts as an event too, and nothing is put in any more.
        self.events = [taken.event for taken in self._needed(ground, walk)]
        plain = self._reduced(ground, tuple(range(len(self.events))), moved, fills=False)
        walk = ground.walk(self.events, plain, fills=False)
        steps = self._to_first(ground, walk)
        pair = self._perform(ground.scope, steps)
        said = why or reason_of(pair.protocol, pair.states, pair.path, self.mechanisms.delta)
        return pair.trace(said, property=PROPERTY, harm=self.harm, form="always")

    def _start(self) -> tuple[Chosen, Ground, bool]:
        """The smallest choice of operations and attempts with which it is lost at the end, as in the whole; or else on
        the way: it may have been healed."""
        tried: set[Chosen] = set()
        on_the_way: tuple[Chosen, Ground, bool] | None = None
        for chosen in self._choices():
            if chosen in tried:
                continue
            tried.add(chosen)
            ground = self._ground(_room([self.events[i] for i in chosen], self.mechanisms, wide=True))
            walk = self._walk(ground, chosen)
            if on_the_way is None or ground.lost(walk.state):
                steps = self._needed(ground, walk)
                if steps:
                    on_the_way = _causes(steps), ground, ground.moved(walk.states[len(steps)])
            if ground.lost(walk.state):
                break
        if on_the_way is None:
            raise NotCut(f"no choice of up to {OPERATIONS} operations loses it ({len(tried)} were tried)")
        return on_the_way

    def _choices(self) -> Iterator[Chosen]:
        """Operations and attempts to begin with, the fewest first."""
        for attempts in self._attempts():
            for operations in self._operations():
                yield tuple(i for i in attempts if _operation(self.events[i]) in (0, *operations))

    def _operations(self) -> Iterator[tuple[int, ...]]:
        names = [int(e.arguments["rank"]) for e in self.events if e.action in WRITES]
        acknowledged = [int(e.arguments["rank"]) for e in self.events if e.action == "acknowledge"]
        if not acknowledged:
            raise NotCut("nothing of the document was acknowledged")
        lost = max(acknowledged)
        before = sorted((n for n in names if n < lost), reverse=True)
        yield (lost,)
        for others in (1, 2):
            yield from ((*sorted(some), lost) for some in combinations(before[:OPERATIONS], others))
        yield (*sorted(before[: OPERATIONS - 1]), lost)
        yield tuple(sorted(names)[-OPERATIONS:])

    def _attempts(self) -> Iterator[Chosen]:
        """All events but those of the first attempts: none of these is left out at last."""
        begins = [i for i, e in enumerate(self.events) if e.action == "begin"]
        for keep in range(1, ATTEMPTS + 1):
            if keep > max(1, len(begins)):
                return
            gone = {
                i for first, last in pairwise(begins[: len(begins) - keep + 1]) for i in range(first, last)
            }
            yield tuple(i for i, e in enumerate(self.events) if i not in gone or _lasts(e))

    # -------------------------------------------------- leaving out

    def _walk(self, ground: Ground, chosen: Iterable[int], fills: bool = True) -> Walk:
        self.walks += 1
        return ground.walk(self.events, chosen, fills)

    def _reduced(self, ground: Ground, chosen: Chosen, moved: bool, fills: bool = True) -> Chosen:
        """No single event of what is returned can be left out."""

        put_in = len(self.events)

        def loses(some: Chosen) -> Chosen | None:
            """What of these events is needed, if it is lost in the same place, with no more put in than before."""
            nonlocal put_in
            if self.walks >= WALKS:
                return None
            walk = self._walk(ground, some, fills)
            if not ground.lost(walk.state) or ground.moved(walk.state) is not moved:
                return None
            steps = self._needed(ground, walk)
            if (added := sum(taken.cause < 0 for taken in steps)) > put_in:
                return None
            put_in = added
            return _causes(steps)

        chosen = loses(chosen) or chosen
        while True:
            before = chosen
            for group in self._groups(chosen):
                found = loses(tuple(i for i in chosen if i not in group)) if group <= set(chosen) else None
                chosen = chosen if found is None else found
            chosen = halving(chosen, loses)
            if chosen == before:
                return chosen

    def _groups(self, chosen: Chosen) -> list[set[int]]:
        """What may be left out together: operations, and whatever is about one message."""
        groups: dict[tuple[str, int], set[int]] = {}
        for i in chosen:
            event = self.events[i]
            if operation := _operation(event):
                groups.setdefault(("", operation), set()).add(i)
            for name in ("number", "again"):
                if number := int(event.arguments.get(name, 0)):
                    groups.setdefault((name, number), set()).add(i)
        # After a crash the coordinator does again what it had done: each by itself, none of it can be left out.
        steps = [i for i in chosen if not _operation(self.events[i])]
        runs = [
            set(steps[i : i + size]) for size in range(2, REDONE + 1) for i in range(len(steps) - size + 1)
        ]
        return [*groups.values(), *runs]

    @staticmethod
    def _needed(ground: Ground, walk: Walk) -> list[Taken]:
        """The steps up to where it is lost, the last time; none if it never is."""
        last = len(walk.states) - 1
        while last > 0 and not ground.lost(walk.states[last]):
            last -= 1
        while last > 0 and ground.lost(walk.states[last - 1]):
            last -= 1
        return walk.steps[:last]

    @staticmethod
    def _to_first(ground: Ground, walk: Walk) -> list[Taken]:
        """The steps up to where the property is first false: there a trace ends."""
        return walk.steps[: next(i for i, state in enumerate(walk.states) if ground.lost(state))]

    # -------------------------------------------------- performing

    def _ground(self, scope: Scope) -> Ground:
        if scope not in self.grounds:
            self.grounds[scope] = Ground(scope, self.mechanisms, self.harm)
        return self.grounds[scope]

    def _perform(self, wide: Scope, steps: Sequence[Taken]) -> LockStep:
        """Both systems take the steps, in the smallest scope in which that is possible."""
        narrow = _room([taken.event for taken in steps], self.mechanisms)
        for scope in (narrow, wide):
            pair = LockStep(scope, self.policy, self.removed)
            try:
                for taken in steps:
                    pair.take(taken.label)
            except KeyError:
                continue
            if any((c.property, c.harm) == (PROPERTY, self.harm) for c in pair.violated()):
                return pair
        raise NotCut("what remains can't be performed")


def halving(chosen: tuple[T, ...], loses: Callable[[tuple[T, ...]], tuple[T, ...] | None]) -> tuple[T, ...]:
    """Leave out half of it, then quarters, at last each: from the end, where what comes after the loss goes."""
    size = max(1, len(chosen) // 2)
    while True:
        end = len(chosen)
        while end > 0:
            found = loses(chosen[: max(end - size, 0)] + chosen[end:])
            if found is not None:
                chosen = found
            end = min(end - size, len(chosen))
        if size == 1:
            return chosen
        size = max(1, size // 2)


def _causes(steps: Iterable[Taken]) -> Chosen:
    return tuple(dict.fromkeys(taken.cause for taken in steps if taken.cause >= 0))


def _operation(event: Event) -> int:
    """The client's operation that an event is about, or 0."""
    if event.action in CLIENTS:
        return int(event.arguments.get("rank", 0))
    message = event.arguments.get("message", 0)
    return message if isinstance(message, int) else 0


def _lasts(event: Event) -> bool:
    """It is not a step of the coordinator, nor about what it sent."""
    return event.action in CLIENTS or event.action in ALWAYS or _operation(event) > 0


def _check(events: Sequence[Event]) -> None:
    """Raises NotCut for what the specification has no place for."""
    begins = [(e.arguments["source"], e.arguments["target"]) for e in events if e.action == "begin"]
    if any(set(begun) != {"O", "N"} for begun in begins):
        raise NotCut("the shard moves between other nodes than its owner and one target")
    if any(e.action in ("sweep", "repair_expired") for e in events):
        raise NotCut("a document that expires is swept")


def _room(events: Sequence[Event], mechanisms: Mechanisms, wide: bool = False) -> Scope:
    """The smallest scope in which such events can happen; `wide`: before anything is left out or put in."""
    happened = {e.action for e in events}
    nodes = {str(e.arguments.get(name)) for e in events for name in ("node", "to")}
    messages = {e.arguments.get("message") for e in events}
    begins = [e for e in events if e.action in ("begin", "begin_another")]
    back = any(e.arguments.get("source") == "N" for e in begins)
    aborts = sum(e.action == "abort" for e in events)
    attempts = min(ATTEMPTS, max(1, len(begins), aborts))
    adrift = wide and not happened.isdisjoint(("crash", "abort", "rival_activates"))
    scope = Scope(
        writes=min(OPERATIONS, max(1, sum(e.action in WRITES for e in events) + wide)),
        attempts=2 if back else attempts,
        aborts=0 if back else min(aborts, attempts),
        back=back,
        replica="R" in nodes,
        deletes=any(e.arguments.get("erases") for e in events),
        stale=False,
        table=not mechanisms.delta_always,
    )
    on = {bound: True for bound, action in ON if action in happened}
    if "stray" in messages or adrift:
        on["strays"] = True
    if wide:
        on["late"] = True
    return replace(scope, **on)
