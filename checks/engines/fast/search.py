"""The fast explorer: the search of `plain/` on rows of states, level by level, on all cores.

    found = explore(cutover(scope).resolve(mechanisms), workers=2)

A row is a key and a mask: all states that differ only in a few *fast* fields (`fields.py`) are one. Conditions are
gates over planes, each of which has one bit of many rows (`model/language/circuit`), and a loop interprets them
(`kernels/`). A level is expanded in batches: each worker puts what its rows lead to into buffers, one for each part of
the set of rows found; then each worker puts its part of the buffers into the set (`visited.py`), and what is new is
judged.

The rows of each level are kept (`levels.py`), and nothing else of how a state was reached: a shortest trace is found by
going back over the levels (`shortest_paths.py`), what can always happen too (`liveness.py`). The answers are those of
the plain engine, state for state: `tests/checks/engines/fast/test_explore.py`.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path as File

import numpy as np

from cutproof.checks.common.interrupts import Held
from cutproof.checks.engines.exploration import INTERRUPTED, Limits
from cutproof.checks.engines.fast import checkpoint
from cutproof.checks.engines.fast.engine import ROWS, Desk, Engine, pieces
from cutproof.checks.engines.fast.fields import Fields
from cutproof.checks.engines.fast.kernels.choice import kernels
from cutproof.checks.engines.fast.kernels.layout import BLOCK
from cutproof.checks.engines.fast.levels import Levels
from cutproof.checks.engines.fast.program import Words
from cutproof.checks.engines.fast.relayout import Move
from cutproof.checks.engines.fast.states import grouped, rows_of, with_masks, without
from cutproof.checks.engines.fast.visited import Visited, merged, padded
from cutproof.checks.engines.symmetry import interchangeable
from cutproof.model.language.circuit import Layout, possible
from cutproof.model.language.codegen import compile_protocol
from cutproof.model.language.protocol import Claim, Protocol, State

PAUSE = 0.5  # seconds between two reports of progress
BROKEN, STUCK = -1, -2  # told beside the claims: an action leaves its domain; no step, and no good end
FIRST, MORE = 60_000, 4  # states of a level by which fast fields are chosen; again when so many times as many
CERTAIN = 500_000  # ... and if there are fewer, only where rows hold fewer states than was promised

Progress = Callable[[int, int, int, int, float], None]  # states, transitions, depth, frontier, seconds


class VectorSearch:
    """One search. `first` is, by claim and origin, the level at which it is first told, and the states there, as rows.

    `fast` names the fast fields for good; without it they are chosen on the way."""

    def __init__(
        self,
        protocol: Protocol,
        claims: Sequence[Claim],
        limits: Limits,
        *,
        workers: int,
        stop_at_first: bool = False,
        progress: Progress | None = None,
        starts: Sequence[Sequence[int]] = (),
        apart: Sequence[str] = (),
        symmetry: bool = False,
        folder: File | None = None,
        fast: Sequence[str] | None = None,
    ) -> None:
        self.protocol, self.claims, self.limits = protocol, tuple(claims), limits
        self.stop_at_first, self.progress, self.reported, self.started = stop_at_first, progress, 0.0, 0.0
        self.compiled = compile_protocol(protocol)
        self.starts: list[State] = [tuple(s) for s in starts or protocol.initials]
        self.folder, self.what = folder, self._what(symmetry, stop_at_first)
        self.apart = tuple(apart)
        self.alike = [one.blocks for one in interchangeable(protocol)] if symmetry else []
        self.values = possible(protocol, self.starts)
        self.fields = Fields({*apart, *(n for same in self.alike for block in same for n in block)})
        self.next_choice = FIRST if fast is None else 0
        saved = checkpoint.read(folder, self.what) if folder else None
        saved_layouts = checkpoint.layouts(self, folder, saved) if saved and folder else []
        layout = saved_layouts[-1] if saved_layouts else self.laid_out(fast or ())
        self.engine = Engine(protocol, claims, layout, self.compiled, workers, self.alike)
        self.visited, self.levels = Visited(layout.words, workers), Levels(layout, folder)
        self.front = padded(self.canonical(rows_of(layout, self.starts)))
        self.front_rows, self.before = 0, 0  # rows of the frontier; states found before it
        self.origin_count = len(np.unique(self.origins(self.front[:, self.front[-1] != 0])))
        self.in_part: tuple[int, list[tuple[int, int]]] | None = (
            None  # a level expanded in part: of what rows
        )
        self.first: dict[tuple[int, int], tuple[int, Words]] = {}
        self.telling: dict[int, list[Words]] = {}
        self.goods = {i for i, c in enumerate(claims) if c.form == "can_always"}
        self.depth, self.expanded, self.ended, self.interrupted, self.seconds = 0, 0, "", False, 0.0
        self.watch()
        if saved and folder:
            checkpoint.restore(self, folder, saved)

    @property
    def layout(self) -> Layout:
        """Where the bits of states are, now."""
        return self.engine.layout

    def laid_out(self, fast: Sequence[str]) -> Layout:
        """The layout with these fast fields. ValueError if they cannot be."""
        return Layout(self.protocol, fast, first=self.apart, blocks=self.alike, possible=self.values)

    def _what(self, symmetry: bool, stop_at_first: bool) -> str:
        """What is searched for: runs of one search may go on from each other."""
        claims = "; ".join(f"{c.form} {c.property} {c.harm}" for c in self.claims)
        starts = [self.compiled.pack(s) for s in self.starts]
        text = f"{self.protocol.digest} {starts} {claims} {symmetry} {stop_at_first}"
        return hashlib.sha256(text.encode()).hexdigest()

    def expanded_rows(self, size: int) -> Iterator[Words]:
        """The states that were expanded, as rows, some at a time."""
        level, ranges = self.in_part or (len(self.levels) - bool(self.front_rows), [])
        for number in range(level):
            yield from self.levels.chunks(number, size)
        for low, high in ranges:
            yield np.ascontiguousarray(self.levels.raw(level)[:, low:high])

    def watch(self) -> None:
        """The claims that are told of some origin no earlier than now."""
        told = Counter(claim for claim, _ in self.first)
        able = (i for i in self.engine.told if self.claims[i].form != "can_always")
        self.watched = {i for i in able if told[i] < self.origin_count}

    @property
    def spent(self) -> float:
        """Seconds, those of the runs that this one goes on from included."""
        return self.seconds + (time.perf_counter() - self.started if self.started else 0.0)

    @property
    def states(self) -> int:
        """States found."""
        return self.visited.states

    def close(self) -> None:
        """End the threads, and remove what was on disk for this run alone."""
        self.engine.close()
        self.levels.close()

    # -------------------------------------------------- levels

    def run(self) -> None:
        """Search until every state was found, a limit was reached, or the user interrupts."""
        self.started = time.perf_counter()
        try:
            with Held() as held:
                if not self.levels.sizes:
                    self.visited.pour(self.front)
                    self._close_level(whole=True)
                while self.front_rows and not self.ended:
                    self._choose()
                    self._level(held)
        except KeyboardInterrupt:
            self.ended, self.interrupted = INTERRUPTED, True
        self.engine.count()
        self.seconds, self.started = self.spent, 0.0

    def _level(self, held: Held) -> None:
        """Expand the frontier, in batches, with a look at the limits between two batches."""
        engine, shares = self.engine, self._shares()
        begun, want = [share[0] for share in shares], self._wants_stuck()
        while any(low < high for low, high in shares):
            batch = [(desk, s) for desk, s in zip(engine.desks, shares, strict=True) if s[0] < s[1]]
            most = self._batch()
            todo = [(desk, self.front, low, min(high, low + most), want) for desk, (low, high) in batch]
            told = engine.together(engine.expand, todo)
            for (desk, share), (row, stuck, gone) in zip(batch, told, strict=True):
                low, share[0] = share[0], row
                self.expanded += int(np.bitwise_count(self.front[-1, low:row]).sum())
                if stuck or gone:
                    self._settle(desk, low, row, stuck, gone)
            self._gather()
            self._report()
            self.ended = self._over(held)
            if self.ended:
                break
        whole = all(low >= high for low, high in shares)
        if not whole:
            done = [(low, share[0]) for low, share in zip(begun, shares, strict=True)]
            self.in_part = len(self.levels) - 1, done
        self._close_level(whole)

    def _shares(self) -> list[list[int]]:
        """The frontier in as many shares as there are workers, whole blocks: [the next row, the end] of each."""
        blocks, desks = self.front.shape[1] // BLOCK, self.engine.desks
        cuts = [blocks * i // len(desks) * BLOCK for i in range(len(desks) + 1)]
        return [[a, b] for a, b in pairwise(cuts)]

    def _batch(self) -> int:
        """Rows that a worker expands before limits are looked at: few where that of states is near."""
        if self.limits.states is None or self.limits.states - self.visited.seen > 64 * ROWS:
            return ROWS
        return BLOCK

    def _over(self, held: Held) -> str:
        """Why the search ends here, or nothing. An interrupt is heard between two batches, where all is whole."""
        try:
            held.look()
        except KeyboardInterrupt:
            self.interrupted = True
            return INTERRUPTED
        states = self.visited.near(self.limits.states)
        more = self.visited.next_bytes if self.visited.nearly_full else 0
        if not (reason := self.limits.reached(states, self.started, more)) and more:
            self.visited.grow(self.engine.together)
        return reason

    def _wants_stuck(self) -> bool:
        """Whether states that no step changes are still asked for."""
        return bool(self.goods) and sum(c == STUCK for c, _ in self.first) < self.origin_count

    def _settle(self, desk: Desk, low: int, row: int, stuck: bool, gone: bool) -> None:
        """Tell of deadlocks, and of leaving a domain, in rows that were expanded."""
        if gone:
            self._tell(BROKEN, with_masks(self.front[:, low:row], desk.left[: row - low]))
        if stuck:
            dead = padded(with_masks(self.front[:, low:row], desk.moved[: row - low]))
            for some in self.engine.judge(dead, self.goods).values():
                dead = without(dead, some)
            if dead.shape[1]:
                self._tell(STUCK, dead)

    def _gather(self) -> None:
        """Put the successors that the desks hold into the set."""
        desks, visited = self.engine.desks, self.visited
        todo = [(part, desk, 0) for part in range(len(desks)) for desk in desks]

        def add(part: int, some: list[tuple[Desk, int]]) -> list[tuple[int, Desk, int]]:
            for number, (desk, start) in enumerate(some):
                done = visited.add(part, desk.split[part], start, int(desk.fill[part]))
                if done < desk.fill[part]:
                    return [(part, desk, done), *((part, other, at) for other, at in some[number + 1 :])]
            return []

        while True:
            by_part = [[(desk, at) for p, desk, at in todo if p == part] for part in range(len(desks))]
            left = self.engine.together(add, list(enumerate(by_part)))
            todo = [one for some in left for one in some]
            if not todo:
                return
            visited.grow(self.engine.together)

    # -------------------------------------------------- what was told

    def _tell(self, claim: int, rows: Words) -> None:
        """Claim told of states of this level, unless it was told of their origin at an earlier one."""
        known = [origin for c, origin in self.first if c == claim]
        if known:
            rows = rows[:, ~np.isin(self.origins(rows), np.array(known, np.uint64))]
        if rows.shape[1]:
            self.telling.setdefault(claim, []).append(rows.copy())

    def origins(self, rows: Words) -> Words:
        """The bits of each row that never change, and say where its run began."""
        bits = [self.layout.places[name] for name in self.apart if name in self.layout.places]
        return rows[0] & np.uint64(sum(((1 << p.width) - 1) << p.offset for p in bits))

    def canonical(self, rows: Words) -> Words:
        """Rows with one state for all that differ only by which of some interchangeable indices is which."""
        found, blocks = rows.copy(), pieces(self.layout, self.alike)
        for row in range(rows.shape[1] if len(blocks) else 0):
            key = np.ascontiguousarray(rows[:-1, row])
            kernels.canonical(blocks, key)
            found[:-1, row] = key
        return merged(found, len(rows) - 1)

    def row_of(self, state: State) -> Words:
        """A state as a row."""
        return self.canonical(rows_of(self.layout, [state]))

    def _told(self, claims: Sequence[int], depth: int) -> None:
        """Record what was told of the level at `depth`."""
        for claim in [c for c in self.telling if c in claims]:
            rows = merged(np.concatenate(self.telling.pop(claim), axis=1), len(self.front) - 1)
            origins = self.origins(rows)
            for origin, some in grouped(origins).items():
                self.first[claim, origin] = depth, rows[:, some]
            if len({o for c, o in self.first if c == claim}) == self.origin_count:
                self.watched.discard(claim)

    def _close_level(self, whole: bool) -> None:
        """Record the next level. One that is not `whole` is no depth that was reached, and no run goes on from it."""
        self._told([BROKEN, STUCK], len(self.levels) - 1)
        self.before = self.visited.states
        self.front, self.front_rows = self.visited.take(self.engine.together)
        if self.levels.sizes:
            self.depth += whole and bool(self.front_rows)
        self.judge_front(len(self.levels))
        self.engine.count()
        if self.front_rows:
            self.levels.add(self.front[:, : self.front_rows])
        if self.folder and whole:
            checkpoint.save(self, self.folder, self.what)
        if self.stop_at_first and not self.ended and self._decided():
            self.ended = "the search ended once it had what it was asked for"

    def judge_front(self, depth: int) -> None:
        """Tell of claims what the frontier, which is the level at `depth`, says of them."""
        for claim, rows in self.engine.judge(self.front, self.watched).items():
            self._tell(claim, rows)
        self._told(list(self.engine.told), depth)

    def _decided(self) -> bool:
        """A violation of safety was found, or every claim is a *sometimes* with a witness."""
        told = {claim for claim, _ in self.first}
        violated = any(c == BROKEN or (c >= 0 and self.claims[c].form == "always") for c in told)
        return violated or all(c.form == "sometimes" and i in told for i, c in enumerate(self.claims))

    # -------------------------------------------------- fast fields

    def _choose(self) -> None:
        """Choose the fast fields by this level, if it is so much larger than the last that they were chosen by."""
        states = self.visited.states - self.before
        if not self.next_choice or states < self.next_choice:
            return
        self.next_choice = MORE * states
        if CERTAIN > states >= self.fields.promised * self.front_rows > 0:
            return
        names = self.fields.chosen(self.layout, self.front[:, : self.front_rows])
        if set(names) != set(self.layout.fast):
            self._lay_out(self.laid_out(names))

    def _lay_out(self, new: Layout) -> None:
        """Lay out anew all that is kept."""
        move = Move(self.layout, new)
        self.first = {
            key: (depth, merged(np.concatenate(list(move.rows(rows)), axis=1), new.words))
            for key, (depth, rows) in self.first.items()
        }
        self.engine.use(new)
        self.levels.use(new)
        self.visited = Visited(new.words, self.engine.workers)
        for level in range(len(self.levels)):
            for rows in self.levels.chunks(level, 1 << 16):
                self.visited.pour(rows)
            self.front, self.front_rows = self.visited.take(self.engine.together)

    def _report(self) -> None:
        seconds = self.spent
        if self.progress and seconds - self.reported >= PAUSE:
            self.reported = seconds
            self.engine.count()
            states, found = self.visited.seen, int(self.engine.fired.sum())
            self.progress(states, found, self.depth, states - self.expanded, seconds)
