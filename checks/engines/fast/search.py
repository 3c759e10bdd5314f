"""The fast explorer: the search of `explore.py` on packed states, level by level, on all cores.

    found = explore(cutover(scope).resolve(mechanisms), workers=2)

A state is one 64-bit word (`clusters.py`). What a transition makes of it is computed once for each combination of
what it reads, by the very code that the plain engine runs, and looked up from then on (`rules.py`, `kernels/`).
A level is expanded in batches: each worker puts the successors of its rows into buffers, one for each part of the set
of states found; then each worker puts its parts of the buffers into the set (`visited.py`), and what is new is judged.

The words of each level are kept (`levels.py`), and nothing else of how a state was reached: a shortest trace is found
by going back over the levels (`shortest_paths.py`), what can always happen too (`liveness.py`). The answers are those
of the plain engine, state for state: `tests/checks/engines/fast/test_explore.py`.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path as File

import numpy as np

from cutproof.checks.common.interrupts import Held
from cutproof.checks.engines.exploration import INTERRUPTED, Limits
from cutproof.checks.engines.fast import checkpoint
from cutproof.checks.engines.fast.clusters import Words, layout_of
from cutproof.checks.engines.fast.engine import ROWS, Desk, Engine, Numbers
from cutproof.checks.engines.fast.kernels.choice import kernels
from cutproof.checks.engines.fast.kernels.layout import EMPTY, PARTS
from cutproof.checks.engines.fast.levels import Levels
from cutproof.checks.engines.fast.visited import Visited
from cutproof.checks.engines.symmetry import interchangeable
from cutproof.model.language.codegen import compile_protocol
from cutproof.model.language.protocol import Claim, Protocol

PAUSE = 0.5  # seconds between two reports of progress
DEGREES = 1024
BROKEN, STUCK = -1, -2  # told beside the claims: an action leaves its domain; no step, and no good end

Progress = Callable[[int, int, int, int, float], None]  # states, transitions, depth, frontier, seconds


class VectorSearch:
    """One search. `first` is, by claim and origin, the level at which it is first told, and the words there."""

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
    ) -> None:
        self.protocol, self.claims, self.limits = protocol, tuple(claims), limits
        self.stop_at_first, self.progress, self.reported, self.started = stop_at_first, progress, 0.0, 0.0
        self.compiled = compile_protocol(protocol)
        self.starts = [self.compiled.pack(tuple(s)) for s in starts or protocol.initials]
        self.folder, self.what = folder, self._what(symmetry, stop_at_first)
        saved = checkpoint.read(folder, self.what) if folder else None
        self.layout = layout_of(
            self.compiled, apart, self.starts, interchangeable(protocol) if symmetry else ()
        )
        if saved:
            checkpoint.relayout(self.layout, saved)
        begin = sorted({self.layout.canonical(self.layout.word(p)) for p in self.starts})
        self.front = np.array(begin, np.uint64)
        self.begun = len(begin)  # initial states
        self.origin_count = len(np.unique(self.origins(self.front)))
        self.engine = Engine(protocol, claims, self.layout, self.compiled, workers)
        self.engine.on_relayout.append(self._moved)
        self.visited, self.levels = Visited(), Levels(folder)
        self.skipped, self.misses = list[Numbers](), list[tuple[Words, Numbers]]()
        self.new = list[Words]()  # found in this level, and judged
        self.fresh = list[Words]()  # found, and not judged yet
        self.first: dict[tuple[int, int], tuple[int, Words]] = {}
        self.telling: dict[int, list[Words]] = {}
        self.goods = [c.holds for c in claims if c.form == "can_always"]
        self.degrees = np.zeros(DEGREES, np.int64)
        self.depth, self.expanded, self.ended, self.interrupted, self.seconds = 0, 0, "", False, 0.0
        self.watch()
        if saved and folder:
            checkpoint.restore(self, folder, saved)

    def _what(self, symmetry: bool, stop_at_first: bool) -> str:
        """What is searched for: runs of one search may go on from each other."""
        claims = "; ".join(f"{c.form} {c.property} {c.harm}" for c in self.claims)
        text = f"{self.protocol.digest} {self.starts} {claims} {symmetry} {stop_at_first}"
        return hashlib.sha256(text.encode()).hexdigest()

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
        return len(self.visited)

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
                    self.fresh = [self.front]
                    self._judge()
                    self._close_level(whole=True)
                while len(self.front) and not self.ended:
                    self._level(held)
        except KeyboardInterrupt:
            self.ended, self.interrupted = INTERRUPTED, True
        self.engine.count()
        self.seconds, self.started = self.spent, 0.0

    def _level(self, held: Held) -> None:
        """Expand the frontier, in batches, with a look at the limits between two batches."""
        engine = self.engine
        self.skipped, self.misses = list[Numbers](), list[tuple[Words, Numbers]]()
        shares = self._shares()
        while any(shares):
            batch = [
                (desk, *share.popleft()) for desk, share in zip(engine.desks, shares, strict=True) if share
            ]
            done = engine.together(
                engine.expand, [(desk, self.front, low, high) for desk, low, high in batch]
            )
            for (desk, low, high), (row, skips, misses) in zip(batch, done, strict=True):
                if row < high:
                    shares[engine.desks.index(desk)].appendleft((row, high))
                self.expanded += row - low - skips
                self._settle(desk, self.front[low:row])
                if skips:
                    self.skipped.append(desk.skipped[:skips].copy())
                    self.misses.append((self.front[desk.miss_row[:misses]], desk.miss_rule[:misses].copy()))
            self._gather()
            self._report()
            self.ended = self._over(held)
            if self.ended and any(shares):
                break
        self._make_up()
        self._judge()
        self._close_level(whole=not any(shares))

    def _shares(self) -> list[deque[tuple[int, int]]]:
        """The frontier in as many shares as there are workers, each in order, in chunks: words that are alike look up
        the same places, and lead to the same words."""
        desks, n = self.engine.desks, len(self.front)
        cuts = [n * i // len(desks) for i in range(len(desks) + 1)]
        if not self.front.flags.writeable:
            self.front = self.front.copy()
        self.engine.together(
            kernels.put_in_order, [(self.front[a:b], self.layout.used) for a, b in pairwise(cuts)]
        )
        return [deque((low, min(b, low + ROWS)) for low in range(a, b, ROWS)) for a, b in pairwise(cuts)]

    def _over(self, held: Held) -> str:
        """Why the search ends here, or nothing. An interrupt is heard between two batches, where all is whole."""
        try:
            held.look()
        except KeyboardInterrupt:
            self.interrupted = True
            return INTERRUPTED
        return self.limits.reached(len(self.visited), self.started)

    def _make_up(self) -> None:
        """Learn what the rows that were skipped lacked, and expand them; until nothing is lacking."""
        while self.skipped:
            rows = np.concatenate(self.skipped)
            words, rules = map(np.concatenate, zip(*self.misses, strict=True))
            self.skipped, self.misses = [], []
            self.engine.learn(self.engine.book, words, rules)
            desk, front, low = self.engine.desks[0], self.front[rows], 0  # they may have been laid out anew
            while low < len(rows):
                high = min(len(rows), low + ROWS)
                row, skips, misses = self.engine.expand(desk, front, low, high)
                self.expanded += row - low - skips
                self._settle(desk, front[low:row])
                if skips:
                    self.skipped.append(rows[desk.skipped[:skips]])
                    self.misses.append((front[desk.miss_row[:misses]], desk.miss_rule[:misses].copy()))
                low = row
                self._gather()

    def _settle(self, desk: Desk, words: Words) -> None:
        """Degrees and deadlocks of words that were expanded, unless they were skipped."""
        n = len(words)
        moved, broken = desk.moved[:n], desk.broken[:n] != 0
        self.degrees += np.bincount(np.minimum(desk.taken[:n][moved >= 0], DEGREES - 1), minlength=DEGREES)
        if broken.any():
            self._tell(BROKEN, words[broken])
        dead = (moved == 0) & ~broken
        if self.goods and dead.any() and sum(c == STUCK for c, _ in self.first) < self.origin_count:
            good = np.logical_or.reduce(self.engine.holding(self.goods, words[dead]))
            if not good.all():
                self._tell(STUCK, words[dead][~good])

    def _gather(self) -> None:
        """Put the successors that the desks hold into the set; what is new waits to be judged."""
        desks, n = self.engine.desks, len(self.engine.desks)

        def add(first: int) -> list[Words]:
            found = list[Words]()
            for part in range(first, PARTS, n):
                for desk in desks:
                    if desk.fill[part]:
                        found += self.visited.add(part, desk.out[part], int(desk.fill[part]))
            return found

        for found in self.engine.together(add, [(i,) for i in range(n)]):
            self.fresh += found
        for desk in desks:
            desk.fill[:] = 0

    def _judge(self) -> None:
        """Judge what is new."""
        while self.fresh:
            words = np.concatenate(self.fresh)
            self.fresh = [words]
            told = self.engine.judge(words, self.watched)
            if told is not None:
                self.new.append(words)
                self.fresh = []
                for claim, some in told.items():
                    self._tell(claim, some)

    # -------------------------------------------------- what was told

    def _tell(self, claim: int, words: Words) -> None:
        """Claim told of words of this level, unless it was told of their origin at an earlier one."""
        origins = self.origins(words)
        known = [origin for c, origin in self.first if c == claim]
        if known:
            later = ~np.isin(origins, np.array(known, np.uint64))
            words = words[later]
        if len(words):
            self.telling.setdefault(claim, []).append(words)

    def word_of(self, state: Sequence[int]) -> Words:
        """The word of a state, in an array."""
        word = self.layout.word(self.compiled.pack(tuple(state)))
        return np.array([self.layout.canonical(word)], np.uint64)

    def origins(self, words: Words) -> Words:
        """The bits of each word that never change, and say where its run began."""
        return words & np.uint64(self.layout.bits(i for i, c in enumerate(self.layout.clusters) if c.apart))

    def _told(self, claims: Sequence[int], depth: int) -> None:
        """Record what was told of the level at `depth`."""
        for claim in [c for c in self.telling if c in claims]:
            words = np.unique(np.concatenate(self.telling.pop(claim)))
            origins = self.origins(words)
            for origin in np.unique(origins):
                self.first[claim, int(origin)] = depth, words[origins == origin]
            if len({o for c, o in self.first if c == claim}) == self.origin_count:
                self.watched.discard(claim)

    def _close_level(self, whole: bool) -> None:
        """Record the next level. One that is not `whole` is no depth that was reached, and no run goes on from it."""
        self._told([BROKEN, STUCK], len(self.levels) - 1)
        self.front = np.concatenate(self.new) if self.new else np.zeros(0, np.uint64)
        self.new = []
        if len(self.visited) > self.begun:
            self.depth += whole and bool(len(self.front))
        self._told(list(self.engine.told), len(self.levels))
        self.engine.count()
        if len(self.front):
            self.levels.add(self.front, self.layout.widths)
        if self.folder and whole:
            checkpoint.save(self, self.folder, self.what)
        if self.stop_at_first and not self.ended and self._decided():
            self.ended = "the search ended once it had what it was asked for"

    def _decided(self) -> bool:
        """A violation of safety was found, or every claim is a *sometimes* with a witness."""
        told = {claim for claim, _ in self.first}
        violated = any(c == BROKEN or (c >= 0 and self.claims[c].form == "always") for c in told)
        return violated or all(c.form == "sometimes" and i in told for i, c in enumerate(self.claims))

    def _moved(self, old: tuple[int, ...]) -> None:
        """The words were laid out anew: lay out all that are kept."""
        self._gather()
        for desk in self.engine.desks:
            desk.recent[:] = EMPTY

        def moved(words: Words) -> Words:
            return self.layout.moved(words, old)

        was, self.visited = self.visited, Visited()
        for words in was.parts():
            self.visited.pour(moved(words))
        self.front = moved(self.front)
        self.new, self.fresh = [moved(w) for w in self.new], [moved(w) for w in self.fresh]
        self.telling = {claim: [moved(w) for w in some] for claim, some in self.telling.items()}
        first = {}
        for (claim, origin), (depth, words) in self.first.items():
            first[claim, int(moved(np.array([origin], np.uint64))[0])] = depth, moved(words)
        self.first = first

    def _report(self) -> None:
        seconds = self.spent
        if self.progress and seconds - self.reported >= PAUSE:
            self.reported = seconds
            self.engine.count()
            states, found = len(self.visited), int(self.engine.fired.sum())
            self.progress(states, found, self.depth, states - self.expanded, seconds)
