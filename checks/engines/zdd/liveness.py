"""What can always happen, and what can go on for ever, by fixpoints over sets.

*Can always*: the states from which steps that somebody owes lead to where a claim holds, backward until nothing is new.

For ever: Emerson and Lei's fixpoint. Of the states where a claim does not hold those stay that have a step (no fault,
and one that changes something) to one that stays, and from which, for each weakly fair transition, one can come among
those that stay to where it is impossible or is taken. What stays is a fair round, or leads to one (`engines/lasso.py`
says what is fair).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from cutproof.checks.engines.lasso import fair_round, possible
from cutproof.checks.engines.plain.search import packed_steps_of
from cutproof.checks.engines.verdict import Path
from cutproof.checks.engines.zdd.diagrams import NOTHING, Node
from cutproof.checks.engines.zdd.reach import Breadth
from cutproof.checks.engines.zdd.shortest_paths import shortest_path
from cutproof.checks.engines.zdd.system import Steps, System
from cutproof.model.language.codegen import compile_protocol
from cutproof.model.language.protocol import State


class Liveness:
    """Questions about runs through `reached`, the states of a system. Sets that are returned are kept."""

    def __init__(self, system: System, reached: Node) -> None:
        self.system, self.reached = system, reached
        transitions = system.protocol.transitions
        self.owed = system.steps(n for n, t in enumerate(transitions) if t.owed)
        self.fair = [n for n, t in enumerate(transitions) if t.fair]
        self._by: dict[int, Steps] = {}
        self._no_fault: Steps | None = None

    @property
    def no_fault(self) -> Steps:
        """What every transition that is no fault does to states that it changes."""
        if self._no_fault is None:
            kinds = self.system.protocol.transitions
            self._no_fault = self.system.steps((n for n, t in enumerate(kinds) if not t.fault), changing=True)
        return self._no_fault

    def _alone(self, number: int) -> Steps:
        """What one transition does to states that it changes."""
        if number not in self._by:
            self._by[number] = self.system.steps([number], changing=True)
        return self._by[number]

    # -------------------------------------------------- can always, deadlocks

    def lost(self, holds: Node) -> Node:
        """The states from which no owed steps lead to where a condition holds. What follows a state where an action
        left its domain is not known, so these count as leading there."""
        d = self.system.diagrams
        good = self._backward(d.union(d.select(self.reached, holds), self.leaving()), self.owed, self.reached)
        found = d.keep(d.difference(self.reached, good))
        d.drop(good)
        return found

    def leaving(self) -> Node:
        """The states in which some action would leave its domain."""
        d = self.system.diagrams
        return d.select(self.reached, self.system.either(self.system.leaving))

    def stuck(self) -> Node:
        """The states that nothing changes any more, and in which no action left its domain."""
        d, system = self.system.diagrams, self.system
        going = system.either([*map(system.changes, range(len(system.moves))), *system.leaving])
        return d.keep(d.difference(self.reached, d.select(self.reached, going)))

    # -------------------------------------------------- for ever

    def staying(self, among: Node, alone: bool = False) -> Node:
        """Of some states those from which a fair run stays among them for ever: goes round, or (where `alone`) comes to
        where nothing fair is possible."""
        d, system = self.system.diagrams, self.system
        resting = d.keep(self._resting(among)) if alone else NOTHING
        stay = d.keep(among)
        while True:
            before = stay
            stay = self._going_on(stay, resting)
            for number in self.fair if stay else ():
                able = d.select(stay, system.changes(number))
                if able:
                    d.keep(able)
                    taken = system.preimage(stay, self._alone(number), able)
                    done = d.union(d.difference(stay, able), taken)
                    d.drop(able)
                    if done != stay:
                        stay = self._replaced(stay, self._leading(done, stay))
            if stay == before:
                break
        if alone:
            d.drop(resting)
        return stay

    def _replaced(self, old: Node, new: Node) -> Node:
        d = self.system.diagrams
        d.keep(new)
        d.drop(old)
        return new

    def _resting(self, among: Node) -> Node:
        """The states in which nothing fair is possible, and whose steps are all known."""
        system = self.system
        able = system.either([*map(system.changes, self.fair), *system.leaving])
        return system.diagrams.difference(among, system.diagrams.select(among, able))

    def _going_on(self, stay: Node, resting: Node) -> Node:
        """Those that have a step to one of them again and again, or rest. `stay` is kept; so is the result, instead."""
        d = self.system.diagrams
        while True:
            ends = self.system.leading_nowhere(stay, self.no_fault, stay)
            ends = d.difference(ends, resting)
            if not ends:
                return stay
            stay = self._replaced(stay, d.difference(stay, ends))

    def _leading(self, goal: Node, within: Node) -> Node:
        """The states of `within` from which steps among them lead to `goal`. `within` is kept."""
        d = self.system.diagrams
        found = self._backward(goal, self.no_fault, within)
        d.drop(found)
        return found

    def _backward(self, goal: Node, steps: Steps, within: Node) -> Node:
        """`goal`, and the states of `within` from which some steps lead there, again and again; it is kept. Only those
        that are not known yet are looked at: mostly they are few."""
        d = self.system.diagrams
        found, rest = d.keep(goal), d.keep(d.difference(within, goal))
        while rest:
            more = d.keep(d.union(found, self.system.preimage(found, steps, rest)))
            d.drop(found)
            if more == found:
                break
            found, rest = more, self._replaced(rest, d.difference(rest, more))
        if rest:
            d.drop(rest)
        return found

    def fair_part(self, breadth: Breadth, stay: Node, alone: bool = False) -> tuple[Path, Node] | None:
        """The shortest path to a state that is on a fair round (or rests, where `alone`), of states that `staying`
        gave, and the strongly connected part that it is in; None if there is none. The part is kept."""
        d = self.system.diagrams
        stay = self._between(stay)
        left = d.keep(stay)
        while left:
            _, some = breadth.first(left)
            d.keep(some)
            goals, parts = NOTHING, list[Node]()
            for part in self._parts(some, stay):
                if self._is_fair(part, alone):
                    goals = d.keep(d.union(goals, d.meet(part, some)))
                    parts.append(part)
                else:
                    d.drop(part)
            if parts:
                path = shortest_path(breadth, goals)
                bits = self.system.bits(path.states[-1])
                return path, next(part for part in parts if d.has(part, bits))
            left = self._replaced(left, d.difference(left, some))
            d.drop(some)
        return None

    def _between(self, stay: Node) -> Node:
        """Those of some states that are on a round, or between two: what only leads to one is left out."""
        d = self.system.diagrams
        stay = d.keep(stay)
        while True:
            there = self.system.image(stay, self.no_fault)
            resting = self._resting(stay)
            on = d.union(d.meet(stay, there), resting)
            if on == stay:
                return stay
            stay = self._replaced(stay, on)

    def _parts(self, some: Node, within: Node) -> Iterator[Node]:
        """The strongly connected parts of `within` that have a state of `some`; each is kept."""
        d, system = self.system.diagrams, self.system
        left = d.keep(some)
        while left:
            bits = d.first(left)
            assert bits is not None
            one = d.keep(d.single(bits))
            came = d.keep(self._leading(one, within))
            part = one
            while True:  # forward, among those that lead here
                more = d.keep(system.chain_within(part, self.no_fault, came))
                d.drop(part)
                if more == part:
                    break
                part = more
            d.drop(came)
            left = self._replaced(left, d.difference(left, more))
            yield more
        d.drop(left)

    def _is_fair(self, part: Node, alone: bool) -> bool:
        """Whether a fair run can stay in a strongly connected part: none that is fair is possible everywhere in it and
        taken nowhere (`lasso.put_off`)."""
        d, system = self.system.diagrams, self.system
        if d.count(part) == 1 and (not alone or self._resting(part) != part):
            return False
        for number in self.fair:
            if d.select(part, system.changes(number)) == part:
                there = system.image(part, self._alone(number))
                if not d.meet(there, part):
                    return False
        return True


def lasso(system: System, way: Path, part: Node, back: int | None) -> Path:
    """The way to a state of a fair part, and a fair round in it; nothing more where nothing fair is possible there and
    `back` is said, the number of the state that the run goes back to."""
    compiled, transitions = compile_protocol(system.protocol), system.protocol.transitions
    steps = partial(packed_steps_of, compiled)
    entry, states, numbers = compiled.pack(way.states[-1]), tuple[State, ...](), tuple[int, ...]()

    def inside(packed: int) -> bool:
        system.diagrams.look()  # a round is looked for state by state, and may be long
        return system.diagrams.has(part, system.bits(compiled.unpack(packed)))

    if back is None or possible(entry, steps, transitions):
        around, numbers = fair_round(entry, inside, steps, transitions)
        states = tuple(map(compiled.unpack, around))
    return Path(way.states + states, way.transitions + numbers, back=back)
