"""The engine of decision diagrams, with the answers of the plain one: verdicts, shortest traces, counts.

    found = explore(two_phase_commit(60))
    exit_code(found.verdicts), found.distinct, found.never_fired

All states are found first (`reach.py`). Layers, several times as dear, are made when a path is wanted, or the depth.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path as File
from typing import Any

from cutproof.checks.engines.exploration import INTERRUPTED, Exploration, Limits, Since, resident
from cutproof.checks.engines.plain.explore import NO_LIMITS, selected
from cutproof.checks.engines.plain.search import PAUSE
from cutproof.checks.engines.verdict import Holds, Path, Verdict, Violated, many
from cutproof.checks.engines.zdd import checkpoint, choose
from cutproof.checks.engines.zdd.diagrams import NOTHING, Diagrams, Node, OverBudget
from cutproof.checks.engines.zdd.liveness import Liveness, lasso
from cutproof.checks.engines.zdd.order import order_of
from cutproof.checks.engines.zdd.reach import Breadth, chained, fired, members
from cutproof.checks.engines.zdd.shortest_paths import shortest_path
from cutproof.checks.engines.zdd.system import System
from cutproof.checks.engines.zdd.temporal import pending_for_ever
from cutproof.model.language.circuit import Layout
from cutproof.model.language.codegen import DomainError, compile_protocol
from cutproof.model.language.properties import TEMPORAL
from cutproof.model.language.protocol import Claim, Protocol, State

Told = Callable[[str], None]  # progress in words
SAVE = 30.0  # seconds from one time that states are kept to the next
GROWTH = 6  # a part of the memory of so many may be taken from one look to the next: tables double
ENOUGH = "the search ended once it had what it was asked for"


class Members(Sequence[State]):
    """The states of a set, in no order that means anything. There may be too many for `len`."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, system: System, states: Node) -> None:
        self._system, self._states = system, states

    def __len__(self) -> int:
        return self._system.diagrams.count(self._states)

    @property
    def nodes(self) -> int:
        """How many nodes their diagram has."""
        return self._system.diagrams.size(self._states)

    @property
    def peak_nodes(self) -> int:
        """How many nodes there were at once on the way."""
        return self._system.diagrams.peak

    def __contains__(self, state: object) -> bool:
        try:
            return self._system.diagrams.has(self._states, self._system.bits(state))  # type: ignore[arg-type]
        except (ValueError, IndexError, TypeError):
            return False

    def __iter__(self) -> Iterator[State]:
        return map(self._system.state, members(self._system.diagrams, self._states))

    def __bool__(self) -> bool:
        return self._states != NOTHING

    def __getitem__(self, number: Any) -> Any:
        if isinstance(number, slice):
            return list(islice(self, number.start, number.stop, number.step))
        if number < 0 or number >= self._system.diagrams.count(self._states):
            raise IndexError("no such state: they are counted from the first alone")
        return next(islice(self, number, None))


def explore(
    protocol: Protocol,
    *,
    limits: Limits = NO_LIMITS,
    properties: Iterable[str] | None = None,
    only: tuple[str, str] | None = None,
    stop_at_first: bool = False,
    cycles: bool = True,
    depth: bool = False,
    witnesses: bool = True,
    told: Told | None = None,
    order: Sequence[str] | None = None,
    make: Callable[..., Diagrams] = choose.diagrams,
    nodes: int | None = None,
    folder: File | None = None,
) -> Exploration:
    """As `plain.explore`; `states` are in no order, and `expanded` are all of them or none. The depth is counted where
    `depth` says so. `order` has the names of the fields that vary, the top of the diagrams first (else one is looked
    for); `make` makes the diagrams, of at most so many `nodes`; `told` is told in words how far it is. In `folder` the
    states that are known are kept, and a run goes on from there.

    Raises TooWide where a field can get too many values, CheckpointError for a folder of something else, and
    ValueError for a property that is not claimed."""
    began, claims = time.perf_counter(), selected(protocol, properties, only)
    room = None if limits.memory is None else max(1, limits.memory - resident())
    some = partial(make, memory=room, nodes=nodes) if make is choose.diagrams else make
    return _Run(protocol, claims, limits, told, order, some, began, folder).explored(
        stop_at_first, cycles, depth, witnesses
    )


class _Enough(Exception):
    """A violation was found."""


@dataclass(frozen=True)
class _Answer:
    """What is said of a claim: whether it is violated, the path that shows it or the witness, and more."""

    violated: bool
    path: Path | None = None
    detail: str = ""


class _Run:
    """One exploration. Answers come one by one, by the number of a claim or by name; what has none is unknown."""

    def __init__(
        self, protocol: Protocol, claims: Sequence[Claim], limits: Limits, tell: Told | None,
        order: Sequence[str] | None, make: Callable[..., Diagrams], began: float, folder: File | None,
    ) -> None:  # fmt: skip
        self.protocol, self.claims, self.tell, self.doing = protocol, claims, tell, ""
        self.limits = Since(**{"began": began, **vars(limits)})
        self.order, self.make, self.began, self.told = order, make, began, began
        self.states, self.folder, self.saved = 0, folder, began
        self.kept: checkpoint.Saved | None = None
        self.answers: dict[Any, _Answer] = {}
        self.whole = False  # all states are known: what is said of them stays, whatever ends the search later
        self.found = Exploration(protocol, depth=None)

    # -------------------------------------------------- limits, progress

    def look(self) -> None:
        """Ends the work where a limit is reached; tells how far it is."""
        more = (self.limits.memory or 0) // GROWTH
        if reason := replace(self.limits, states=None).reached(0, self.began, more):
            raise OverBudget(reason)
        now = time.perf_counter()
        if self.tell and now - self.told >= PAUSE:
            self.told = now
            some = f"{many(self.states)} states, " if self.states else ""
            self.tell(f"{some}{self.doing} ({now - self.began:.0f} s)")

    def system(self, protocol: Protocol) -> System:
        """A protocol in diagrams: this one, or this one with a field more, which comes first."""
        if self.folder and self.kept is None and (kept := checkpoint.read(self.folder, self.protocol.digest)):
            self.kept, self.order = kept, kept.order
        if self.order is None:
            self.doing = "looking for an order of the fields"
            self.order = order_of(self.protocol, look=self.look)
        names = list(Layout(protocol).places)
        order = [n for n in self.order if n in names]
        return System(protocol, [n for n in names if n not in order] + order, self.make, look=self.look)

    # -------------------------------------------------- exploring

    def explored(self, stop_at_first: bool, cycles: bool, depth: bool, witnesses: bool) -> Exploration:
        """What was found, with verdicts."""
        found = self.found
        try:
            self.look()
            system = self.system(self.protocol)
            reached = self._reached(system, stop_at_first)
            found.counted, found.states = system.diagrams.count(reached), Members(system, reached)
            self.states, self.whole = found.counted, not found.ended
            self.doing = "counting how often each action happens"
            found.fired, found.expanded = fired(system, reached), found.counted
            found.counted_after = time.perf_counter() - self.began
            breadth = Breadth(system, self._layer)
            self._judge_states(system, reached, breadth, witnesses)
            if not found.ended:
                self._judge_runs(system, reached, breadth, cycles)
            while depth and not found.ended and breadth.grow():
                pass
            found.depth = breadth.depth if breadth.whole else None
        except OverBudget as error:
            found.ended = str(error)
        except KeyboardInterrupt:
            found.ended, found.interrupted = INTERRUPTED, True
        if found.counted is None:
            found.counted = self.states
        found.seconds = time.perf_counter() - self.began
        found.verdicts = list(self._verdicts(cycles))
        return found

    def _reached(self, system: System, stop_at_first: bool) -> Node:
        """All states; or some, with one that violates a claim among them."""
        diagrams, known = system.diagrams, NOTHING
        held = [system.truth(c.holds) for c in self.claims if c.form == "always"]

        def tell(number: int, states: Node) -> None:
            nonlocal known
            known, self.states = states, diagrams.count(states)
            self.doing = f"round {number + 1} from {diagrams.size(states):,} nodes"
            if stop_at_first and any(diagrams.select(states, holds) != states for holds in held):
                raise _Enough
            if self.limits.states is not None and self.states >= self.limits.states:
                raise OverBudget(self.limits.reached(self.states, self.began))
            self.look()
            if time.perf_counter() - self.saved > SAVE:
                self._save(system, known)

        if self.folder and self.kept:
            known = diagrams.keep(checkpoint.restored(self.folder, self.kept, system))
        try:
            states = chained(system, tell, known)
            self._save(system, states)
            return states
        except _Enough:
            self.found.ended = ENOUGH
            return known
        except (OverBudget, KeyboardInterrupt):
            self._save(system, known)
            raise

    def _save(self, system: System, states: Node) -> None:
        if self.folder and states:
            checkpoint.save(self.folder, system, states)
        self.saved = time.perf_counter()

    def _layer(self, number: int, states: Node) -> None:
        self.doing = f"layer {number + 1} for a shortest path"
        self.look()

    def _judge_states(self, system: System, reached: Node, breadth: Breadth, witnesses: bool) -> None:
        """Answers that single states give: *always*, *sometimes*, leaving a domain."""
        diagrams, goals = system.diagrams, dict[Any, Node]()
        if self.found.ended == ENOUGH:  # a shortest run may lead to a state that is not known yet
            reached = self._first_violated(system, breadth)
        for i, claim in enumerate(self.claims):
            if claim.form in ("always", "sometimes"):
                holding = diagrams.select(reached, system.truth(claim.holds))
                always = claim.form == "always"
                some = diagrams.difference(reached, holding) if always else holding
                if some and (always or witnesses):
                    goals[i] = diagrams.keep(some)
                if some or not self.found.ended:
                    self.answers[i] = _Answer(violated=bool(some) == always)
        if leaving := diagrams.select(reached, system.either(system.leaving)):
            goals["domain"] = diagrams.keep(leaving)
            self.answers["domain"] = _Answer(violated=True)
            self.found.cut = {-1: "an action left its domain"}
        for name, goal in goals.items():
            path = shortest_path(breadth, goal)
            diagrams.drop(goal)
            detail = ""
            if name == "domain":
                detail = _complaint(self.protocol, path.states[-1])
                self.found.cut = {-1: f"an action left its domain: {detail}"}
            self.answers[name] = replace(self.answers[name], path=path, detail=detail)

    def _first_violated(self, system: System, breadth: Breadth) -> Node:
        """The first layer that violates some claim."""
        held = [system.truth(c.holds) for c in self.claims if c.form == "always"]
        while not any(system.diagrams.select(breadth.layers[-1], h) != breadth.layers[-1] for h in held):
            if not breadth.grow():
                raise AssertionError("a violation that was found is in no layer")
        return breadth.layers[-1]

    def _judge_runs(self, system: System, reached: Node, breadth: Breadth, cycles: bool) -> None:
        """Answers that single states do not give."""
        diagrams = system.diagrams
        places = [i for i, c in enumerate(self.claims) if c.form == "can_always"]
        self.doing = "what can go on for ever"
        liveness = Liveness(system, reached)
        if places:
            some = system.either(system.truth(self.claims[i].holds) for i in places)
            stuck = liveness.stuck()
            stuck = diagrams.keep(diagrams.difference(stuck, diagrams.select(stuck, some)))
            self._say("deadlock", stuck, breadth)
        for i in places:
            self._say(i, liveness.lost(system.truth(self.claims[i].holds)), breadth)
        for i, claim in enumerate(self.claims):
            if claim.form in TEMPORAL:
                self.answers[i] = self._temporal(claim)
        for i in places if cycles else ():
            if self.claims[i].cycles:
                holding = diagrams.select(reached, system.truth(self.claims[i].holds))
                stay = liveness.staying(diagrams.keep(diagrams.difference(reached, holding)))
                part = liveness.fair_part(breadth, stay) if stay else None
                if part is None:
                    self.answers["cycle", i] = _Answer(violated=False)
                else:
                    self.answers["cycle", i] = _Answer(violated=True, path=lasso(system, *part, back=None))

    def _say(self, name: Any, bad: Node, breadth: Breadth) -> None:
        self.answers[name] = _Answer(violated=bad != NOTHING)
        if bad:
            self.answers[name] = _Answer(violated=True, path=shortest_path(breadth, bad))

    def _temporal(self, claim: Claim) -> _Answer:
        """By the first of its cases that some fair run violates."""
        for case in claim.cases:
            path = pending_for_ever(
                self.protocol,
                case,
                claim.form == "eventually",
                self.system,
                lambda number, states: self.look(),
            )
            if path is not None:
                return _Answer(violated=True, path=path, detail=case.detail)
        return _Answer(violated=False)

    # -------------------------------------------------- verdicts

    def _verdicts(self, cycles: bool) -> Iterator[Verdict]:
        """In the order of the plain engine."""
        for i, claim in enumerate(self.claims):
            yield self._verdict(i, claim.property, claim.form, claim.harm)
        if "domain" in self.answers:
            yield self._verdict("domain", "domain", "always", "")
        places = [i for i, c in enumerate(self.claims) if c.form == "can_always"]
        if places:
            yield self._verdict("deadlock", "deadlock", "deadlock", "")
        for i in places:
            if cycles and self.claims[i].cycles:
                yield self._verdict(("cycle", i), self.claims[i].property, "cycle", self.claims[i].harm)

    def _verdict(self, name: Any, of: str, form: str, harm: str) -> Verdict:
        found, answer = self.found, self.answers.get(name)
        about, partly = found.about(of, form, harm), not self.whole or bool(found.cut)
        if answer is None or (partly and answer.violated == (form == "sometimes")):
            return found.unknown(of, form, harm)
        if answer.violated:
            return Violated(path=answer.path, detail=answer.detail, **about)
        return Holds(witness=answer.path, **about)


def _complaint(protocol: Protocol, state: State) -> str:
    """What an action that leaves its domain in this state is blamed for."""
    try:
        compile_protocol(protocol).successors(state)
    except DomainError as error:
        return str(error)
    raise AssertionError("no action leaves its domain there")
