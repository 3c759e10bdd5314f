"""A path that ends in a violation made short: of any protocol, whoever found it.

    shorten(protocol, path, "one_leader", "always").path

What may be left out is left out (Zeller and Hildebrandt's ddmin, from halves down to single steps), and then ways round
are looked for: from each state of the path, within so many states around it, a shorter way to a later one, or to
another violation of the same claim. At the end no step can be left out. Where the search from the start came far
enough, the result is the shortest path that there is, the very one that the engines give; `shortest` says whether.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from cutproof.checks.engines.plain.search import inside
from cutproof.checks.engines.verdict import Path
from cutproof.checks.traces.replay import DOMAIN
from cutproof.checks.traces.trace import Trace, from_path, plain
from cutproof.model.language.codegen import DomainError, compile_protocol
from cutproof.model.language.protocol import Protocol

START, AROUND = 20_000, 2_000  # states that are looked at: from the start, and around each state of a path
REMEMBERED = 200_000  # states whose steps are remembered

Numbers = tuple[int, ...]  # of transitions


@dataclass(frozen=True)
class Shortened:
    """A path from which no step can be left out; `shortest` if there is none shorter anywhere."""

    path: Path
    shortest: bool


def shorten(
    protocol: Protocol,
    path: Path,
    property: str,
    form: str,
    harm: str = "",
    start: int = START,
    around: int = AROUND,
) -> Shortened:
    """The short path to a violation of the same claim: `property`, `form` and `harm` as in a verdict.

    The same for the same path, everywhere. Raises ValueError where the path cannot be walked, or its last state does
    not show the violation by itself: of *can always* only a state counts in which nothing is owed any more, and a
    cycle is not shortened."""
    search = _Search(protocol, _wrong(protocol, property, form, harm))
    best = search.taken(search.packed(path.states[0]), path.transitions)
    if best is None or len(best[1]) > path.steps:
        raise ValueError(f"{property}: the path does not end where it is violated")
    found, judged = search.first(search.initials, len(best[1]), start)
    if found is not None:
        best, judged = found, len(found[1]) - 1
    else:
        best = search.minimal(best, around)
    return Shortened(search.path(*best), len(best[1]) <= judged + 1)


def shorten_trace(trace: Trace, protocol: Protocol) -> Trace:
    """A trace of a resolved protocol, made short. Raises ValueError as `shorten`, or where the protocol has not such
    a step."""
    meta = trace.meta
    if meta.digest != protocol.digest:
        raise ValueError("the trace is of another specification; replay it first")
    known = {
        (t.action, *((k, plain(v)) for k, v in t.arguments)): n for n, t in enumerate(protocol.transitions)
    }
    try:
        numbers = tuple(known[step.action, *step.arguments.items()] for step in trace.steps)
    except KeyError as error:
        raise ValueError(f"no step {error} in {protocol.name}") from None
    path = _walked(protocol, trace, numbers)
    short = shorten(protocol, path, meta.property, meta.form, meta.harm).path
    about = {
        name: getattr(meta, name) for name in meta.__struct_fields__ if name not in ("protocol", "digest")
    }
    return from_path(protocol, short.states, short.transitions, **about)


def _walked(protocol: Protocol, trace: Trace, numbers: Numbers) -> Path:
    first = {name: plain(value) for name, value in trace.states[0].items()}
    for state in protocol.initials:
        shown = {k: plain(v) for k, v in protocol.decode(state).items() if k in first}
        if shown == first:
            return Path((state,), numbers)
    raise ValueError("the trace does not begin in an initial state")


# ------------------------------------------------------------------ what is violated


Judge = Callable[["_Search", int], bool]  # whether a packed state shows the violation


def _wrong(protocol: Protocol, property: str, form: str, harm: str) -> Judge:
    if property == DOMAIN and form == "always":
        return lambda search, state: search.broken(state)
    if form == "deadlock":
        return lambda search, state: not any(search.steps(state).values())
    claims = [
        i
        for i, c in enumerate(protocol.claims)
        if (c.property, c.form) == (property, form) and harm in ("", c.harm)
    ]
    if form not in ("always", "can_always") or not claims:
        raise ValueError(f"{form} {property}: not shown by the last state of a path")
    if form == "always":
        return lambda search, state: any(search.told(i, state) for i in claims)
    owed = [t.owed for t in protocol.transitions]

    def stuck(search: _Search, state: int) -> bool:
        if search.broken(state) or any(change and owed[n] for n, change in search.steps(state).items()):
            return False
        return not all(search.told(i, state) for i in claims)

    return stuck


# ------------------------------------------------------------------ the search


class _Search:
    """Paths of packed states, as a first state and the numbers of transitions."""

    def __init__(self, protocol: Protocol, wrong: Judge) -> None:
        self.protocol, self._judge = protocol, wrong
        self.compiled = compile_protocol(protocol)
        self.packed = self.compiled.pack
        self.initials = [self.packed(s) for s in protocol.initials]
        self._steps: dict[int, tuple[dict[int, int], bool]] = {}

    def _known(self, state: int) -> tuple[dict[int, int], bool]:
        known = self._steps.get(state)
        if known is None:
            try:
                steps = {
                    n: change for mask, table in self.compiled.parts for n, change in table[state & mask]
                }
                known = steps, False
            except DomainError:
                there = inside(self.protocol, self.compiled.unpack(state))
                known = {n: self.packed(after) - state for n, after in there}, True
            if len(self._steps) >= REMEMBERED:
                self._steps.clear()
            self._steps[state] = known
        return known

    def steps(self, state: int) -> dict[int, int]:
        """What each enabled transition adds to a state, those left out that would leave their domains."""
        return self._known(state)[0]

    def broken(self, state: int) -> bool:
        """Whether an action leaves its domain there."""
        return self._known(state)[1]

    def told(self, claim: int, state: int) -> bool:
        """Of an *always* claim that it is false there, of another that it holds."""
        part = self.compiled.claims.get(claim)
        return bool(part and part[1][state & part[0]])

    def wrong(self, state: int) -> bool:
        return self._judge(self, state)

    def taken(self, state: int, numbers: Sequence[int]) -> tuple[int, Numbers] | None:
        """Of these steps those that can be taken one after the other, up to the first violation and without going
        round; None if there is no violation."""
        first, been, done = state, {state: 0}, list[int]()
        for number in numbers:
            if self.wrong(state):
                break
            change = self.steps(state).get(number, 0)
            if not change:
                continue
            state += change
            done.append(number)
            if (back := been.get(state)) is not None:
                del done[back:]
                been = {s: place for s, place in been.items() if place <= back}
            been[state] = len(done)
        return (first, tuple(done)) if self.wrong(state) else None

    def minimal(self, best: tuple[int, Numbers], around: int) -> tuple[int, Numbers]:
        """Shorter and shorter, until neither leaving steps out nor another way makes it so."""
        while True:
            shorter = next((c for c in self._without(best)), None) or self._round(best, around)
            if shorter is None:
                return best
            best = shorter

    def _without(self, best: tuple[int, Numbers]) -> Iterator[tuple[int, Numbers]]:
        """What is left of a path without some steps in a row, where that is still a violation: the boldest first."""
        first, numbers = best
        size = (len(numbers) + 1) // 2
        while size:
            for end in range(len(numbers), 0, -size):
                found = self.taken(first, numbers[: max(end - size, 0)] + numbers[end:])
                if found is not None and len(found[1]) < len(numbers):
                    yield found
            size //= 2

    def _round(self, best: tuple[int, Numbers], around: int) -> tuple[int, Numbers] | None:
        """The path by a shorter way from one of its states; None where none was found."""
        first, numbers = best
        states = [first]
        for number in numbers:
            states.append(states[-1] + self.steps(states[-1])[number])
        places = {state: place for place, state in enumerate(states)}
        for here in range(len(numbers)):
            saved, way = 0, None
            for state, (depth, path) in self._reached([states[here]], len(numbers) - here - 1, around):
                there = len(numbers) if self.wrong(state) else places.get(state, 0)
                if there - here - depth > saved:
                    saved, way = there - here - depth, (path(), there)
            if way is not None:
                return first, (*numbers[:here], *way[0], *numbers[way[1] :])
        return None

    def first(
        self, initials: Sequence[int], steps: int, limit: int
    ) -> tuple[tuple[int, Numbers] | None, int]:
        """The first violation of a search level by level of at most so many steps and states, and the number of steps
        within which every state was judged."""
        depth = 0
        for state, (depth, path) in self._reached(initials, steps, limit):
            if self.wrong(state):
                numbers = path()
                return (self._root, numbers), depth - 1
        return None, steps if self._whole else depth

    def _reached(
        self, roots: Sequence[int], steps: int, limit: int
    ) -> Iterator[tuple[int, tuple[int, Callable[[], Numbers]]]]:
        """States level by level, each with its depth and the way to it."""
        order, came, self._whole = list(dict.fromkeys(roots)), dict[int, tuple[int, int] | None](), True
        came.update(dict.fromkeys(order))

        def way(state: int) -> Numbers:
            numbers = list[int]()
            while (back := came[state]) is not None:
                state = back[0]
                numbers.append(back[1])
            self._root = state
            return tuple(reversed(numbers))

        depth, level = 0, order
        while level:
            for state in level:
                yield state, (depth, lambda state=state: way(state))  # type: ignore[misc]
            if depth == steps:
                return
            depth, after = depth + 1, list[int]()
            for state in level:
                if len(came) >= limit:
                    self._whole = False
                    return
                for number, change in self.steps(state).items():
                    if state + change not in came:
                        came[state + change] = state, number
                        after.append(state + change)
            level = after

    def path(self, first: int, numbers: Numbers) -> Path:
        states = [first]
        for number in numbers:
            states.append(states[-1] + self.steps(states[-1])[number])
        return Path(tuple(map(self.compiled.unpack, states)), numbers)
