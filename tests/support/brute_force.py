"""What is true of a protocol, by definitions that were not written for speed: the judge of all engines.

world = World(protocol)          # every reachable state by plain breadth-first search, with the interpreter alone
world.verdicts()                 # of each claim, and of what is judged beside them: a word and a number of steps
refuted(protocol, clauses)       # the obligations of an induction that some state within the domains refutes
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import product

from cutproof.model.language import expressions as ex
from cutproof.model.language.protocol import Case, Claim, Protocol, State, Transition

Judged = tuple[
    str, str, str, str, int | None
]  # form, property, harm, word, steps of the path if there is one


def enabled(protocol: Protocol, state: State) -> Iterator[tuple[int, State | None]]:
    """Each transition that is enabled, by its number, and where it leads: None where it leaves a domain."""
    values = protocol.named(state)
    for number, transition in enumerate(protocol.transitions):
        if all(ex.evaluate(condition, values, {}) for _, condition in transition.guards):
            yield number, after(protocol, transition, values)


def after(protocol: Protocol, transition: Transition, values: dict[str, int]) -> State | None:
    """The state after a step, or None where a new value is outside its domain."""
    new = {cell.name: ex.evaluate(term, values, {}) for cell, term in transition.updates}
    if any(not cell.domain.low <= new[cell.name] <= cell.domain.high for cell, _ in transition.updates):
        return None
    return tuple({**values, **new}[cell.name] for cell in protocol.fields)


def starts(protocol: Protocol) -> tuple[State, ...]:
    """The states in which a run may begin."""
    found: tuple[State, ...] = getattr(protocol, "initials", (protocol.initial,))
    return found


class World:
    """Every reachable state with its distance from the start, and every step between two of them."""

    def __init__(self, protocol: Protocol, most: int | None = None) -> None:
        self.protocol = protocol
        self.distance: dict[State, int] = dict.fromkeys(starts(protocol), 0)
        self.steps: list[tuple[State, int, State]] = []
        self.leaving: set[State] = set()  # where some step leaves its domain
        queue = list(self.distance)
        for here in queue:  # grows as it is walked
            for number, there in enabled(protocol, here):
                if there is None:
                    self.leaving.add(here)
                    continue
                self.steps.append((here, number, there))
                if there not in self.distance:
                    self.distance[there] = self.distance[here] + 1
                    queue.append(there)
            if most is not None and len(queue) >= most:
                return

    @property
    def fired(self) -> list[int]:
        """How often each transition fired, steps that change nothing included."""
        found = [0] * len(self.protocol.transitions)
        for _, number, _ in self.steps:
            found[number] += 1
        return found

    @property
    def depth(self) -> int:
        return max(self.distance.values())

    def first(self, states: Iterable[State]) -> int | None:
        """The fewest steps to one of these states."""
        return min((self.distance[s] for s in states), default=None)

    def where(self, term: ex.Term) -> set[State]:
        """The states in which a condition is true."""
        return {s for s in self.distance if ex.evaluate(term, self.protocol.named(s), {})}

    def verdicts(self) -> list[Judged]:
        """In the order of the engines: each claim, the domains, deadlock, a cycle for each *can always*."""
        claims = self.protocol.claims
        goals = [(c, self.where(c.holds)) for c in claims if c.form == "can_always"]
        found = [self.claim(c) for c in claims]
        if self.leaving:
            found.append(("always", "domain", "", "violated", self.first(self.leaving)))
        if goals:
            stuck = [s for s in self.distance if not self.moves(s) and s not in self.leaving]
            bad = self.first(s for s in stuck if not any(s in good for _, good in goals))
            found.append(("deadlock", "deadlock", "", *self.word(bad)))
        for claim, good in goals:
            around = self.fair_for_ever(set(self.distance) - good, resting=False)
            word = "violated" if around else "unknown" if self.leaving else "holds"
            found.append(("cycle", claim.property, claim.harm, word, None))
        return found

    def claim(self, claim: Claim) -> Judged:
        name, good = (claim.form, claim.property, claim.harm), self.where(claim.holds)
        if claim.cases:
            bad = any(self.pending_for_ever(case, claim.form == "eventually") for case in claim.cases)
            return *name, "violated" if bad else "unknown" if self.leaving else "holds", None
        if claim.form == "always":
            return *name, *self.word(self.first(set(self.distance) - good))
        if claim.form == "can_always":
            reaching = self.back_from(good | self.leaving)
            bad = self.first(set(self.distance) - reaching)
            return *name, *self.word(bad)
        witness = self.first(good)
        if witness is not None:
            return *name, "holds", witness
        return *name, "unknown" if self.leaving else "violated", None

    def word(self, bad: int | None) -> tuple[str, int | None]:
        """The verdict, where the nearest state that shows a violation is so many steps away, or there is none."""
        return ("violated", bad) if bad is not None else ("unknown" if self.leaving else "holds", None)

    def moves(self, state: State) -> bool:
        return any(here == state != there for here, _, there in self.steps)

    def owed(self) -> list[tuple[State, State]]:
        """The steps that somebody owes and that change the state."""
        return [(a, b) for a, number, b in self.steps if a != b and self.protocol.transitions[number].owed]

    def back_from(self, ends: set[State]) -> set[State]:
        """The states from which owed steps can lead to one of these."""
        found, owed = set(ends), self.owed()
        while new := {a for a, b in owed if b in found} - found:
            found |= new
        return found

    def fair_for_ever(self, among: set[State], resting: bool) -> set[State]:
        """The states from which a fair run without faults can stay among these for ever; `resting`: it need not change
        the state. By taking away, again and again, those from which it cannot go on, or cannot come to where a fair
        step is impossible or taken."""
        kinds, left = self.protocol.transitions, set(among)
        moves = [(a, n, b) for a, n, b in self.steps if a != b and not kinds[n].fault]
        fair = [n for n, kind in enumerate(kinds) if not (kind.fault or kind.choice or kind.marked_unfair)]
        while True:
            inside = [(a, n, b) for a, n, b in moves if a in left and b in left]
            kept = {a for a, _, _ in inside} | (left - self.leaving if resting else set())
            for number in fair:
                able = {a for a, n, _ in moves if n == number}
                kept &= reaching((left - able) | {a for a, n, _ in inside if n == number}, inside)
            if kept == left:
                return left
            left = kept

    def pending_for_ever(self, case: Case, once: bool) -> set[State]:
        """The states in which something is pending, and from which a fair run can leave it so for ever."""
        waiting = set(self.distance) - self.where(case.given)
        asked = set(starts(self.protocol)) if once else self.where(case.asked)
        back = [(b, n, a) for a, n, b in self.steps if a in waiting and b in waiting]
        return self.fair_for_ever(waiting, resting=True) & reaching(asked & waiting, back)


def reaching(ends: set[State], steps: Iterable[tuple[State, int, State]]) -> set[State]:
    """The states from which these steps lead to one of the ends."""
    found = set(ends)
    while new := {a for a, _, b in steps if b in found} - found:
        found |= new
    return found


def every_state(protocol: Protocol) -> Iterator[State]:
    """Every state within the domains, reachable or not."""
    return product(*(range(f.domain.low, f.domain.high + 1) for f in protocol.fields))


def refuted(protocol: Protocol, clauses: Sequence[Claim]) -> set[tuple[str, str]]:
    """Of a proof by induction, by kind and name: the start, and each action, where a clause or a domain is broken by a
    step out of some state that satisfies all clauses."""

    def satisfied(state: State) -> bool:
        values = protocol.named(state)
        return all(ex.evaluate(c.holds, values, {}) for c in clauses)

    good = {state for state in every_state(protocol) if satisfied(state)}
    found = set() if set(starts(protocol)) <= good else {("start", "Init")}
    for here in good:
        for number, there in enabled(protocol, here):
            if there not in good:  # outside the domains, or a clause is broken
                found.add(("step", protocol.transitions[number].action))
    return found
